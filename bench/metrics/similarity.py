"""RSA and CKA of 3,200 stimuli and 168 neuroids against rsatoolbox and the field's formulas.

OMP_NUM_THREADS=1 python bench/metrics/similarity.py [units ...]
"""

import sys

import numpy as np
from arrays import features, responses, trials
from side_by_side import HEADER, compare

from corteval.assembly import neural
from corteval_similarity import cka, crossnobis_rdm, noise_covariance
from corteval_similarity.metric import rdm

STIMULI, NEUROIDS = 3200, 168


def assembly(values):
    ids = [f"stimulus-{n:05d}" for n in range(len(values))]
    return neural(values, ids, {"neuroid_id": np.arange(values.shape[1]).astype(str)})


def rsatoolbox_rdm(x, y):
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm
    from rsatoolbox.rdm import compare as compare_rdms

    rdms = [calc_rdm(Dataset(side.astype(np.float64)), method="correlation") for side in (x, y)]
    return compare_rdms(*rdms, method="spearman").ravel()


def debiased_hsic(k, m):
    n, rows = len(k), k.sum(axis=0) @ m.sum(axis=0)
    inner = (k * m).sum() + k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)
    return inner / (n * (n - 3))


def hollow(x):
    """Gram matrix in float64 with a diagonal of zeros."""
    x = x.astype(np.float64)
    k = x @ x.T
    np.fill_diagonal(k, 0)
    return k


def debiased_each(x, y):
    """As the field writes it: every HSIC forms its own Gram matrices."""
    xy, xx, yy = (debiased_hsic(hollow(a), hollow(b)) for a, b in ((x, y), (x, x), (y, y)))
    return xy / np.sqrt(xx * yy)


def debiased_once(x, y):
    """The same with both Gram matrices formed once."""
    k, m = hollow(x), hollow(y)
    return debiased_hsic(k, m) / np.sqrt(debiased_hsic(k, k) * debiased_hsic(m, m))


def biased_hkh(x, y):
    """H = I - 11'/n explicit, traces of products of HKH."""
    n = len(x)
    h = np.eye(n) - np.ones((n, n)) / n
    k, m = (h @ (side @ side.T) @ h for side in (x.astype(np.float64), y))
    return np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m))


def rsatoolbox_crossnobis(values, precision):
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm

    stimuli, units, count = values.shape
    flat = values.transpose(0, 2, 1).reshape(-1, units).astype(np.float64)
    names = {
        "stimulus": np.repeat(np.arange(stimuli), count),
        "trial": np.tile(np.arange(count), stimuli),
    }
    return calc_rdm(
        Dataset(flat, obs_descriptors=names),
        method="crossnobis",
        descriptor="stimulus",
        cv_descriptor="trial",
        noise=precision,
    ).dissimilarities[0]


def main(sizes):
    print(f"A Gram matrix has {STIMULI**2 * 8 / 2**20:.0f} MB.")
    print(HEADER)
    y = responses(STIMULI, NEUROIDS)
    for units in sizes:
        x = features(STIMULI, units)
        source, target = assembly(x), assembly(y)
        title = f"{STIMULI} stimuli, {units} units, {NEUROIDS} neuroids"
        compare(
            f"rdm, {title}",
            {
                "rsatoolbox": lambda x=x: rsatoolbox_rdm(x, y),
                "rdm, resamples=0": lambda s=source, t=target: rdm(resamples=0)(s, t).value,
                "rdm, 1,000 resamples": lambda s=source, t=target: rdm()(s, t).value,
            },
        )
        compare(
            f"debiased CKA, {title}",
            {
                "Gram matrices in each HSIC": lambda x=x: debiased_each(x, y),
                "Gram matrices once": lambda x=x: debiased_once(x, y),
                "cka": lambda x=x: cka(x, y),
            },
        )
        if units <= STIMULI:
            compare(
                f"biased CKA, {title}",
                {
                    "HKH": lambda x=x: biased_hkh(x, y),
                    "cka, debiased=False": lambda x=x: cka(x, y, debiased=False),
                },
            )
    values = trials(400, NEUROIDS, 10)
    covariance = noise_covariance(values.astype(np.float64))
    precision = np.linalg.inv(covariance)
    compare(
        "crossnobis distances, 400 stimuli, 168 neuroids, 10 trials",
        {
            "rsatoolbox": lambda: rsatoolbox_crossnobis(values, precision),
            "crossnobis_rdm": lambda: crossnobis_rdm(values, covariance),
        },
    )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1000, 25088])
