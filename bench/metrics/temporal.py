"""Readouts of object solution times against torch's Adam and scikit-learn, at the size of Kar2019.

1318 images of 10 objects in 18 time bins; one split. TensorFlow, which the field trains with, is
not installed: torch runs the same loss, batches and optimiser, one time bin after the other.
"""

import numpy as np
import torch
from arrays import features
from scipy.special import ndtri
from side_by_side import compare
from sklearn.linear_model import LogisticRegression

from corteval_temporal import converged_logits, standardize, trained_logits

IMAGES, TESTED, OBJECTS, BINS = 1318, 132, 10, 18


def split(neuroids, bins):
    """Features whose class signal grows over time, standardised by the training images."""
    generator = np.random.default_rng(0)
    truth = np.arange(IMAGES) % OBJECTS
    base = features(IMAGES, neuroids).astype(np.float64)
    patterns = generator.standard_normal((OBJECTS, neuroids))
    values = np.stack([base + 0.05 * step * patterns[truth] for step in range(bins)])
    train, test = standardize(values[:, TESTED:], values[:, :TESTED])
    return train, truth[TESTED:], test


def by_torch(train, objects, test):
    """Seed 0 of `trained_logits`: the same first weights and batches."""
    found = []
    for x, unseen in zip(train, test, strict=True):
        generator = np.random.default_rng(0)
        low, high = 0.022750131948179195, 0.9772498680518208
        start = ndtri(generator.uniform(low, high, (x.shape[1], OBJECTS)))
        start /= 0.87962566103423978 * np.sqrt(x.shape[1])
        weights = torch.tensor(start, requires_grad=True)
        bias = torch.ones(OBJECTS, dtype=torch.float64, requires_grad=True)
        adam = torch.optim.Adam([weights, bias], lr=1e-4)
        values, wanted = torch.tensor(x), torch.tensor(objects)
        for _ in range(40):
            order = generator.permutation(len(x))
            for first in range(0, len(x), 64):
                rows = order[first : first + 64]
                entropy = torch.nn.functional.cross_entropy(
                    values[rows] @ weights + bias, wanted[rows]
                )
                loss = entropy + 0.2315 * ((weights**2).sum() + (bias**2).sum())
                adam.zero_grad()
                loss.backward()
                adam.step()
            if entropy.item() < 1e-4:
                break
        found.append((torch.tensor(unseen) @ weights + bias).detach().numpy())
    return np.stack(found)


def by_scikit_learn(train, objects, test):
    found = []
    for x, unseen in zip(train, test, strict=True):
        x, unseen = (np.c_[part, np.ones(len(part))] for part in (x, unseen))
        fit = LogisticRegression(
            C=1 / (0.463 * len(x)), fit_intercept=False, tol=1e-7, max_iter=10_000
        )
        found.append(fit.fit(x, objects).decision_function(unseen))
    return np.stack(found)


def readouts(neuroids, bins):
    train, objects, test = split(neuroids, bins)
    compare(
        f"trained readout: {neuroids} neuroids, {bins} bins",
        {
            "torch.optim.Adam, bin after bin": lambda: by_torch(train, objects, test),
            "trained_logits": lambda: trained_logits(train, objects, test),
        },
    )
    compare(
        f"converged readout: {neuroids} neuroids, {bins} bins",
        {
            "scikit-learn, all weights free": lambda: by_scikit_learn(train, objects, test),
            "converged_logits": lambda: converged_logits(train, objects, test),
        },
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    readouts(168, BINS)
    readouts(1000, BINS)
    readouts(20_000, 1)
