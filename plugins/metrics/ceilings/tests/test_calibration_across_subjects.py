"""How often intervals of ceilings across subjects, or of unequal trials, hold what is true."""

import numpy as np
import pytest
from scipy import stats

from corteval.assembly import neural
from corteval.intervals import interval_of
from corteval_ceilings.across_subjects import AcrossSubjects, halves
from corteval_ceilings.human_human import HumanHuman
from corteval_ceilings.ncsnr import NoiseCeilingSNR
from corteval_ceilings.predictor_consistency import PredictorConsistency
from corteval_ceilings.subject_extrapolation import SubjectExtrapolation

RESAMPLES, NOISE = 250, 1.5


def among_chance(share, count, nominal=0.945):
    """Whether 999 of 1000 sets of `count` rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], count, nominal) / count
    return low <= share <= high


def coverage(estimates, truth=None):
    """Scope of the intervals, and the share that hold `truth`, else the mean of all estimates."""
    truth = np.mean([e.value for e in estimates]) if truth is None else truth
    intervals = [interval_of(e.value, e.replicates) for e in estimates]
    return intervals[0].scope, np.mean([i.low <= truth <= i.high for i in intervals])


def assembled(values, **names):
    ids = {"neuroid_id": [f"n{n:03d}" for n in range(values.shape[1])]}
    return neural(values, [f"i{n:03d}" for n in range(len(values))], {**ids, **names})


def regions(seed, stimuli, count, subjects, *, unlike=0.0):
    """Regions that respond alike in all subjects but for noise, and for how strongly."""
    rng = np.random.default_rng([seed, stimuli, count])
    gains = np.exp(unlike * rng.standard_normal((1, subjects, 1)))
    signal = rng.standard_normal((stimuli, 1, count)) * gains
    values = signal + NOISE * rng.standard_normal((stimuli, subjects, count))
    return assembled(
        values.reshape(stimuli, -1),
        subject=np.repeat([f"s{n}" for n in range(subjects)], count),
        region=[f"r{n}" for n in range(count)] * subjects,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "shape", "scope", "nominal"),
    [
        ("halves", (60, 4, 8), "stimuli×neuroids", 0.96),
        ("ncsnr", (60, 4, 8), "stimuli×neuroids", 0.96),
        ("halves", (60, 1, 8), "stimuli", 0.915),
        ("ncsnr", (60, 1, 8), "stimuli", 0.93),
    ],
)
def test_intervals_of_reliabilities_across_subjects_hold_the_true_one(
    kind, shape, scope, nominal, record_testsuite_property
):
    """1 / (1 + noise / subjects). Of one region and few stimuli they hold it a bit too seldom."""
    count, subjects = 300, shape[2]
    truth = 1 / (1 + NOISE**2 / subjects)
    found = []
    for seed in range(count):
        options = {"resamples": RESAMPLES, "seed": seed}
        made = (
            halves(match_by="region", **options)
            if kind == "halves"
            else AcrossSubjects(estimator=NoiseCeilingSNR(**options), match_by="region")
        )
        found.append(made(regions(seed, *shape)))
    of, covered = coverage(found, truth)
    record_testsuite_property(f"subject_{kind}, {shape[1]} regions: coverage", covered)
    assert of == scope
    assert among_chance(covered, count, nominal)
    assert np.mean([e.value for e in found]) == pytest.approx(truth, abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["one-out", "pairs"])
@pytest.mark.parametrize(("count", "subjects"), [(1, 6), (4, 8)])
def test_intervals_of_correlations_between_subjects_cover(
    scheme, count, subjects, record_testsuite_property
):
    """Over new stimuli and subjects, some of whom respond more strongly."""
    found = [
        HumanHuman(scheme=scheme, match_by="region", resamples=RESAMPLES, seed=seed)(
            regions(seed, 60, count, subjects, unlike=0.4)
        )
        for seed in range(200)
    ]
    scope, covered = coverage(found)
    record_testsuite_property(f"human_human, {scheme}, {count} regions: coverage", covered)
    assert scope == "stimuli×subjects"
    assert among_chance(covered, len(found), 0.96)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stimuli", "neuroids", "nominal"), [(200, 1, 0.94), (60, 1, 0.885), (100, 30, 0.94)]
)
def test_intervals_of_predictor_consistency_hold_the_true_one(
    stimuli, neuroids, nominal, record_testsuite_property
):
    """Stimuli have 2 to 8 trials; the true one is 1 / (1 + mean noise of their means)."""
    count, numbers = 300, np.array([2, 4, 6, 8])
    truth = 1 / (1 + NOISE**2 * np.mean(1 / numbers))
    found = []
    for seed in range(count):
        rng = np.random.default_rng([seed, stimuli, neuroids])
        trials = rng.choice(numbers, stimuli)[:, None, None]
        values = rng.standard_normal((stimuli, neuroids, 1))
        values = values + NOISE * rng.standard_normal((stimuli, neuroids, 8))
        values = np.where(np.arange(8) < trials, values, np.nan)
        estimator = PredictorConsistency(splits=5, resamples=RESAMPLES, seed=seed)
        found.append(estimator(assembled(values)))
    scope, covered = coverage(found, truth)
    record_testsuite_property(f"predictor_consistency, {stimuli} × {neuroids}: coverage", covered)
    assert scope == ("stimuli×neuroids" if neuroids > 1 else "stimuli")
    assert among_chance(covered, count, nominal)


def of_subjects(seed, subjects, neuroids, *, same):
    """Subjects that share latents, some more than others; these subjects, or new ones."""
    rng = np.random.default_rng([seed, subjects])
    latent = rng.standard_normal((60, 4))
    gains = np.exp(0.3 * (np.random.default_rng(4) if same else rng).standard_normal(subjects))
    values = [
        gain * latent @ rng.standard_normal((4, neuroids)) / 2 + rng.standard_normal((60, neuroids))
        for gain in gains
    ]
    return assembled(
        np.hstack(values), subject=np.repeat([f"s{n}" for n in range(subjects)], neuroids)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("subjects", "neuroids", "aggregate", "scope"),
    [
        (6, 4, "neuroids", "stimuli×subjects"),
        (6, 4, "subjects", "stimuli×subjects"),
        (4, 10, "neuroids", "stimuli×neuroids"),
    ],
)
def test_intervals_of_extrapolated_ceilings_hold_their_mean(
    subjects, neuroids, aggregate, scope, record_testsuite_property
):
    """Over new stimuli and subjects, or neuroids of the same subjects; fits are held fixed."""
    count = 150
    found = [
        SubjectExtrapolation(
            cross_validation={"folds": "kfold", "count": 3},
            fit="ridge",
            aggregate=aggregate,
            bootstraps=5,
            resamples=RESAMPLES,
            seed=seed,
        )(of_subjects(seed, subjects, neuroids, same=subjects < 5))
        for seed in range(count)
    ]
    of, covered = coverage(found)
    named = f"subject_extrapolation, {subjects} subjects, {aggregate}: coverage"
    record_testsuite_property(named, covered)
    assert of == scope
    assert among_chance(covered, count, 0.96)
