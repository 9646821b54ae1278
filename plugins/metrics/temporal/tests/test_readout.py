import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import truncnorm
from sklearn.preprocessing import StandardScaler

from corteval_temporal import converged_logits, standardize, trained_logits

LAMBDA = 0.463


def data(bins=2, images=90, neuroids=20, objects=3, seed=0, signal=0.5):
    rng = np.random.default_rng(seed)
    truth = np.arange(images) % objects
    patterns = rng.standard_normal((bins, objects, neuroids))
    responses = signal * patterns[:, truth] + rng.standard_normal((bins, images, neuroids))
    return responses[:, :-15], truth[:-15], responses[:, -15:]


def by_torch(train, objects, test, seed):
    """The published training with torch's loss, gradient and Adam, one time bin."""
    images, neuroids = train.shape
    classes = objects.max() + 1
    rng = np.random.default_rng(seed)
    low, high = truncnorm.cdf([-2, 2], -np.inf, np.inf)
    quantiles = rng.uniform(low, high, (neuroids, classes))
    start = truncnorm.ppf((quantiles - low) / (high - low), -2, 2)
    start /= truncnorm.std(-2, 2) * np.sqrt(neuroids)
    weights = torch.tensor(start, requires_grad=True)
    bias = torch.ones(classes, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([weights, bias], lr=1e-4)
    x, y = torch.tensor(train), torch.tensor(objects)
    epochs = 0
    for _ in range(40):
        epochs += 1
        order = rng.permutation(images)
        for first in range(0, images, 64):
            rows = order[first : first + 64]
            entropy = torch.nn.functional.cross_entropy(x[rows] @ weights + bias, y[rows])
            loss = entropy + 0.5 * LAMBDA * ((weights**2).sum() + (bias**2).sum())
            adam.zero_grad()
            loss.backward()
            adam.step()
        if entropy.item() < 1e-4:
            break
    return (torch.tensor(test) @ weights + bias).detach().numpy(), epochs


@pytest.mark.parametrize("seed", [0, 3])
def test_training_is_torchs_adam_on_the_published_loss(seed):
    train, objects, test = data()
    found = trained_logits(train, objects, test, seed=seed)
    for one, (x, unseen) in zip(found, zip(train, test, strict=True), strict=True):
        np.testing.assert_allclose(one, by_torch(x, objects, unseen, seed)[0], atol=1e-5)


def test_a_bin_that_is_learnt_early_stops_and_others_go_on():
    train, objects, test = data(images=80, neuroids=6000, signal=1.0)
    train[1] = np.random.default_rng(0).standard_normal(train[1].shape)
    found = trained_logits(train, objects, test)
    expected = [by_torch(x, objects, u, 0) for x, u in zip(train, test, strict=True)]
    assert expected[0][1] < 40, "the first bin is learnt early"
    np.testing.assert_allclose(found, [logits for logits, _ in expected], atol=5e-4)


def minimum(train, objects, test):
    """The optimum of the loss by scipy, all weights free."""
    images, units = train.shape
    classes = objects.max() + 1
    x = np.c_[train, np.ones(images)]
    wanted = np.eye(classes)[objects]

    def loss(flat):
        w = flat.reshape(units + 1, classes)
        logits = x @ w
        value = -(wanted * log_softmax(logits, axis=1)).sum() / images + LAMBDA / 2 * (w**2).sum()
        gradient = x.T @ (softmax(logits, axis=1) - wanted) / images + LAMBDA * w
        return value, gradient.ravel()

    start = np.zeros((units + 1) * classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", tol=1e-15, options={"gtol": 1e-10})
    return np.c_[test, np.ones(len(test))] @ found.x.reshape(units + 1, classes)


@pytest.mark.parametrize("objects", [2, 3, 5])
@pytest.mark.parametrize(
    "neuroids", [10, 100, 400], ids=["few", "more than images", "many more than images"]
)
def test_the_converged_readout_minimises_the_published_loss(objects, neuroids):
    train, truth, test = data(objects=objects, neuroids=neuroids)
    found = converged_logits(train, truth, test)
    expected = [minimum(x, truth, u) for x, u in zip(train, test, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_long_training_would_reach_the_converged_readout(monkeypatch):
    monkeypatch.setattr("corteval_temporal.readout._EPOCHS", 4000)
    monkeypatch.setattr("corteval_temporal.readout._RATE", 2e-3)
    monkeypatch.setattr("corteval_temporal.readout._BATCH", 75)
    train, objects, test = data(bins=1)
    gap = trained_logits(train, objects, test) - converged_logits(train, objects, test)
    assert np.abs(gap).max() < 1e-3


def test_standardising_is_scikit_learns_and_spares_constants():
    rng = np.random.default_rng(0)
    train, test = rng.gamma(2.0, 5.0, (2, 30, 4)), rng.gamma(2.0, 5.0, (2, 6, 4))
    train[1, :, 2] = 0.1
    found = standardize(train, test)
    for bin_ in range(2):
        scaler = StandardScaler().fit(train[bin_])
        np.testing.assert_allclose(found[0][bin_], scaler.transform(train[bin_]), atol=1e-12)
        np.testing.assert_allclose(found[1][bin_], scaler.transform(test[bin_]), atol=1e-12)
