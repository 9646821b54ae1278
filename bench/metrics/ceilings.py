"""Ceilings against the labelled-array and per-call way to compute them.

Usage: python bench/metrics/ceilings.py [internal] [extrapolation] [rsa] [ncsnr]
"""

import sys
from collections.abc import Callable

import numpy as np
import sklearn.model_selection  # noqa: F401 not to be timed
import xarray as xr
from arrays import responses, trials
from side_by_side import HEADER, compare

from corteval.assembly import neural

STIMULI, NEUROIDS, TRIALS = 3200, 168, 46
VOXELS, SENTENCES, SUBJECTS = 12_155, 384, 10


def internal() -> None:
    values = trials(STIMULI, NEUROIDS, TRIALS)
    assembly = neural(
        values,
        [f"{n:04d}" for n in range(STIMULI)],
        {"neuroid_id": [f"{n:03d}" for n in range(NEUROIDS)]},
    )
    rows = np.ascontiguousarray(values.transpose(0, 2, 1)).reshape(-1, NEUROIDS)
    presentations = xr.DataArray(
        rows,
        dims=["presentation", "neuroid"],
        coords={
            "stimulus_id": ("presentation", np.repeat(assembly["stimulus_id"].values, TRIALS)),
            "repetition": ("presentation", np.tile(np.arange(TRIALS), STIMULI)),
        },
    )

    def labelled() -> np.ndarray:
        from sklearn.model_selection import ShuffleSplit

        per_split = []
        repetitions = np.unique(presentations["repetition"])
        for halves in ShuffleSplit(10, train_size=0.5, random_state=1).split(repetitions):
            first, second = (
                presentations.isel(
                    presentation=presentations["repetition"].isin(repetitions[half]).values
                )
                .groupby("stimulus_id")
                .mean()
                for half in halves
            )
            r = xr.corr(first.astype(np.float64), second.astype(np.float64), dim="stimulus_id")
            per_split.append(float((2 * r / (1 + r)).median()))
        return np.array([np.mean(per_split), np.std(per_split) / np.sqrt(10)])

    def ours(resamples: int) -> Callable[[], np.ndarray]:
        from corteval_ceilings import InternalConsistency

        def run() -> np.ndarray:
            estimate = InternalConsistency(resamples=resamples)(assembly)
            return np.array([estimate.value, estimate.error])

        return run

    compare(
        f"internal consistency, {STIMULI} stimuli x {TRIALS} trials x {NEUROIDS} neuroids, "
        f"float32: {values.nbytes / 2**20:.0f} MB of data",
        {
            "xarray: select by label, group, average, correlate": labelled,
            "internal_consistency": ours(0),
            "internal_consistency, 1000 resamples": ours(1000),
        },
    )


def extrapolation() -> None:
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import ShuffleSplit

    from corteval.stats.splits import Split
    from corteval_ceilings import Recordings, collect, fit_as_published, fit_saturation, levels

    y = np.array_split(responses(SENTENCES, VOXELS, noise=2.0), SUBJECTS, axis=1)
    splitter = ShuffleSplit(10, train_size=0.9, random_state=1)
    splits = [Split(*split) for split in splitter.split(np.arange(SENTENCES))]
    plan = levels(SUBJECTS, sampling="sampled")
    calls = [call for level in plan for call in level.calls]
    generator = np.random.default_rng(0)
    some = [calls[n] for n in sorted(generator.choice(len(calls), 3, replace=False))]

    def per_call() -> np.ndarray:
        found = []
        for call in some:
            pool, target = np.concatenate([y[s] for s in call.pool], axis=1), y[call.held_out]
            for train, test in splits:
                fit = LinearRegression().fit(pool[train], target[train])
                predicted, observed = fit.predict(pool[test]), target[test]
                predicted = predicted - predicted.mean(axis=0)
                observed = observed - observed.mean(axis=0)
                norms = np.linalg.norm(predicted, axis=0) * np.linalg.norm(observed, axis=0)
                found.append((predicted * observed).sum(axis=0) / norms)
        return np.concatenate(found)

    def pools() -> np.ndarray:
        from corteval_ceilings import predictions

        kept = {}
        data = Recordings.of(y)
        for number, split in enumerate(splits):
            for level, found in predictions(data, plan, split, fit="linear"):
                for one in found:
                    call = plan[level].calls[one.call]
                    if call in some:
                        kept[some.index(call), number] = one.r
        return np.concatenate([kept[key] for key in sorted(kept)])

    def everything() -> np.ndarray:
        collect(Recordings.of(y), plan, splits, derivatives=True)
        return np.full(1, np.nan)

    compare(
        f"collection, {SUBJECTS} subjects, {VOXELS} voxels x {SENTENCES} stimuli, "
        f"{len(calls)} calls x {len(splits)} splits",
        {
            "LinearRegression of scikit-learn, call by call": per_call,
            "predictions of all calls": pools,
        },
        shares={"LinearRegression of scikit-learn, call by call": len(some) / len(calls)},
    )
    compare(
        "the same with bootstrapped means and derivatives over stimuli",
        {"collect": everything},
    )
    collected = collect(Recordings.of(y), plan, splits)
    x, means = collected.subjects, np.moveaxis(collected.bootstraps, 0, -1)
    first = slice(0, VOXELS, VOXELS // 40)
    share = len(range(*first.indices(VOXELS))) / VOXELS

    def loop() -> np.ndarray:
        return np.nanmedian(fit_as_published(x, means[:, first]).v0, axis=0)

    def together() -> np.ndarray:
        return np.nanmedian(fit_saturation(x, means).v0, axis=0)[first]

    compare(
        f"saturation curves, {VOXELS} voxels x 100 bootstraps: medians of v0",
        {"scipy.optimize.curve_fit, one by one": loop, "fit_saturation": together},
        shares={"scipy.optimize.curve_fit, one by one": share},
    )
    scores = means[:, first]
    fits = fit_saturation(x, scores), fit_as_published(x, scores)
    gaps = np.abs(np.subtract(*(np.nanmedian(fit.v0, axis=0) for fit in fits)))
    errors = [
        np.nansum((scores - v0[..., None] * -np.expm1(-x / tau[..., None])) ** 2, axis=-1)
        for v0, tau in fits
    ]
    print(
        f"  {(gaps < 1e-6).sum()} of {len(gaps)} medians within 1e-6, half within "
        f"{np.median(gaps):.0e}; squared error of single curves less that of curve_fit: "
        f"{(errors[0] - errors[1]).min():.0e} to {(errors[0] - errors[1]).max():.0e}"
    )


def rsa() -> None:
    from rsatoolbox.inference import boot_noise_ceiling
    from rsatoolbox.rdm import RDMs

    from corteval_ceilings import bounds

    generator = np.random.default_rng(0)
    true = generator.random(92 * 91 // 2)
    rdms = true + generator.random((30, len(true)))
    for ours, theirs in (("spearman", "spearman"), ("kendall", "tau-a"), ("pearson", "corr")):
        compare(
            f"noise bounds of RDMs, 30 subjects x 92 stimuli, {ours}",
            {
                "rsatoolbox boot_noise_ceiling": lambda m=theirs: np.array(
                    boot_noise_ceiling(RDMs(rdms), method=m)
                ),
                "bounds": lambda c=ours: bounds(rdms, comparison=c, pooling="matched").mean(axis=1),
            },
        )


def ncsnr() -> None:
    from corteval_ceilings import moments, noise_ceiling

    values = trials(STIMULI, 2000, 3)

    def by_neuroid() -> np.ndarray:
        found = []
        for n in range(values.shape[1]):
            z = values[:, n].astype(np.float64)
            z = (z - z.mean()) / z.std(ddof=1)
            noise = z.var(axis=1, ddof=1).mean()
            found.append(max(1 - noise, 0) / (max(1 - noise, 0) + noise / 3))
        return np.array(found)

    compare(
        f"noise ceiling, {STIMULI} stimuli x 3 trials x 2000 neuroids",
        {
            "z-scored, neuroid by neuroid": by_neuroid,
            "noise_ceiling": lambda: noise_ceiling(moments(values)).ceiling,
        },
    )


if __name__ == "__main__":
    known = {f.__name__: f for f in (internal, extrapolation, rsa, ncsnr)}
    print(HEADER)
    for name in sys.argv[1:] or known:
        known[name]()
