"""The extrapolated ceiling of language benchmarks against the published loops, neuroid by neuroid.

Usage: python bench/metrics/language_ceiling.py [ceiling.json]

With a file of reference numbers (two cases: scores of one neuroid at each number of subjects, and
responses of five subjects) it is compared with them first. Seconds are those of the processor, of
all threads. Exits with 1 if a number differs or a ratio is below 50.
"""

import json
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.optimize import curve_fit
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, ShuffleSplit

from corteval.assembly import neural
from corteval_ceilings import SubjectExtrapolation, extrapolate, fit_as_published, fit_saturation

FEWEST = 50
BOOTSTRAPS = 100


def _curve(x: np.ndarray, v0: float, tau: float) -> np.ndarray:
    return v0 * (1 - np.exp(-x / tau))


def collected(
    data: Mapping[str, np.ndarray], splits: Sequence[tuple[np.ndarray, np.ndarray]]
) -> dict[str, list[dict[int, list[float]]]]:
    """Scores of each neuroid by number of subjects: subset by subset, fit by fit."""
    scores: dict[str, list[dict[int, list[float]]]] = {
        s: [{} for _ in range(y.shape[1])] for s, y in data.items()
    }
    for size in range(2, len(data) + 1):
        for subset in combinations(sorted(data), size):
            for held_out in subset:
                pool = np.concatenate([data[s] for s in subset if s != held_out], axis=1)
                target = data[held_out]
                for train, test in splits:
                    fit = LinearRegression().fit(pool[train], target[train])
                    predicted = fit.predict(pool[test])
                    for n, (p, o) in enumerate(zip(predicted.T, target[test].T, strict=True)):
                        p, o = p - p.mean(), o - o.mean()
                        r = (p @ o) / (np.linalg.norm(p) * np.linalg.norm(o))
                        scores[held_out][n].setdefault(size, []).append(r)
    return scores


def ceiling_of_neuroid(by_size: Mapping[int, list[float]]) -> float:
    """Median asymptote of the curves through bootstrapped means."""
    rng, found = np.random.RandomState(0), []
    for _ in range(BOOTSTRAPS):
        means = [rng.choice(c, len(c), replace=True).mean() for c in by_size.values()]
        try:
            bounds = ([0, -np.inf], [1, np.inf])
            fit = curve_fit(_curve, np.array(list(by_size), float), means, bounds=bounds)
            found.append(fit[0][0])
        except (RuntimeError, ValueError):
            found.append(np.nan)
    return float(np.nanmedian(found))


def against_loops(
    title: str,
    data: Mapping[str, np.ndarray],
    groups: np.ndarray | None,
    share: float = 1.0,
) -> float:
    """Ratio of times; prints both and the largest difference over neuroids.

    Args:
        title: printed.
        data: (stimulus, neuroid) of each subject.
        groups: of stimuli, for folds that keep them together; None for random splits.
        share: of the neuroids whose curves the loops fit, evenly spread; seconds are scaled.
    """
    stimuli = len(next(iter(data.values())))
    options: dict[str, object] = {"folds": "shuffle", "order": "rows"}
    splits = list(ShuffleSplit(10, train_size=0.9, random_state=1).split(range(stimuli)))
    presentation = {}
    if groups is not None:
        options = {"folds": "kfold", "group_by": "group", "seed": 1234}
        splits = list(
            GroupKFold(10, shuffle=True, random_state=1234).split(range(stimuli), groups=groups)
        )
        presentation = {"group": groups}
    names = [(s, n) for s, y in data.items() for n in range(y.shape[1])]
    assembly = neural(
        np.concatenate(list(data.values()), axis=1),
        [f"{n:05d}" for n in range(stimuli)],
        {"neuroid_id": [f"{s}.{n}" for s, n in names], "subject": [s for s, _ in names]},
        presentation=presentation,
    )
    metric = SubjectExtrapolation(cross_validation=options, resamples=0)
    metric.per_neuroid(assembly)  # imports are not timed
    seconds = []
    while len(seconds) < 3 and sum(seconds) < 10:
        started = time.process_time()
        found = metric.per_neuroid(assembly)
        seconds.append(time.process_time() - started)
    ours = dict(zip(found["neuroid_id"].values, found["ceiling"].values, strict=True))
    started = time.process_time()
    scores = collected(data, splits)
    fitting = time.process_time() - started
    some = names[:: round(1 / share)]
    started = time.process_time()
    theirs = [ceiling_of_neuroid(scores[s][n]) for s, n in some]
    curves = (time.process_time() - started) * len(names) / len(some)
    gaps = np.abs([ours[f"{s}.{n}"] - c for (s, n), c in zip(some, theirs, strict=True)])
    ratio = (fitting + curves) / min(seconds)
    print(
        f"{title}: loops {fitting:.2f} s of fits and {curves:.2f} s of curves"
        f"{'' if share == 1 else f' (scaled from {len(some)} neuroids)'}, "
        f"subject_extrapolation {min(seconds):.3f} s: {ratio:.0f} times; ceilings of single "
        f"neuroids differ by {np.median(gaps):.0e} (median), {gaps.max():.0e} at most",
        flush=True,
    )
    return ratio


def responses(
    subjects: int, neuroids: int, stimuli: int, noise: float = 2.0
) -> dict[str, np.ndarray]:
    """Subjects that share ten factors."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((stimuli, 10))
    return {
        f"s{s}": factors @ rng.standard_normal((10, neuroids)) / np.sqrt(10)
        + noise * rng.standard_normal((stimuli, neuroids))
        for s in range(subjects)
    }


def reference(path: Path) -> bool:
    """Whether both cases have the reference numbers."""
    cases = json.loads(path.read_text())
    agreed = True
    unit = cases["unit"]
    rng, groups = np.random.RandomState(0), unit["groups"]
    means = np.array(
        [
            [rng.choice(scores, len(scores), replace=True).mean() for _, scores in groups]
            for _ in range(BOOTSTRAPS)
        ]
    )
    x = np.array([size for size, _ in groups], float)
    full = {s: np.array(y) for s, y in cases["full"]["data"].items()}
    names = [(s, n) for s, y in full.items() for n in range(y.shape[1])]
    assembly = neural(
        np.concatenate(list(full.values()), axis=1),
        [f"{n:04d}" for n in range(len(full["s0"]))],
        {"neuroid_id": [f"{s}.{n}" for s, n in names], "subject": [s for s, _ in names]},
    )
    for curves, fit in (("exact", fit_saturation), ("published", fit_as_published)):
        one = extrapolate(x, means.T[:, :, None], fit)
        five = SubjectExtrapolation(curves=curves, resamples=0).per_neuroid(assembly)
        for case, field in (("unit", "ceiling"), ("unit", "tau"), ("unit", "endpoint")):
            agreed &= _same(case, curves, field, unit["expected"], getattr(one, field)[0])
        for field in ("ceiling", "tau", "endpoint"):
            value = float(five[field].median())
            agreed &= _same("full", curves, field, cases["full"]["expected"], value)
    return agreed


def _same(case: str, curves: str, field: str, expected: Mapping[str, float], value: float) -> bool:
    name = {"ceiling": "center", "tau": "tau_median", "endpoint": "endpoint_x"}[field]
    gap = abs(value - expected[name])
    limit = 1e-6 if field == "ceiling" else 1e-4
    print(f"{case}, {curves} curves: {field} {value:.6f}, reference {expected[name]:.6f}")
    return bool(gap < limit)


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)  # curve_fit tries absurd scales
    fine = reference(Path(sys.argv[1])) if len(sys.argv) > 1 else True
    words = np.repeat([f"{n:02d}" for n in range(52)], 8)
    ratios = [
        against_loops("3 neuroids each, 150 stimuli", responses(5, 3, 150), None),
        against_loops("19 electrodes each, 416 words", responses(5, 19, 416), words, 0.125),
        against_loops("12 regions each, 1,317 parts", responses(5, 12, 1317), None, 0.25),
    ]
    sys.exit(0 if fine and min(ratios) >= FEWEST else 1)
