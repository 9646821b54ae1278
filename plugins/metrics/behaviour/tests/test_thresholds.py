import numpy as np
import pytest
import xarray as xr

from corteval.errors import AssemblyError, UndefinedScore
from corteval_behaviour import (
    HumanThreshold,
    HumanThresholdElevation,
    Psychometric,
    Threshold,
    ThresholdElevation,
    psychometric_threshold,
    threshold_similarity,
)

LEVELS = np.arange(5.0, 105.0, 5.0)


def source(**locations):
    """Answers of 40 trials at each level, in conditions of given location."""
    generator = np.random.default_rng(0)
    parts = []
    for condition, location in locations.items():
        level = np.repeat(LEVELS, 40)
        chance = Psychometric(0.1, location, 0.03, 0.5).accuracy(level)
        parts.append((generator.random(len(level)) < chance, level, np.full(len(level), condition)))
    right, level, condition = (np.concatenate(column) for column in zip(*parts, strict=True))
    coords = {
        "stimulus_id": [f"trial-{n:04d}" for n in range(len(level))],
        "level": level,
        "condition": condition,
    }
    return xr.DataArray(
        right.astype(float),
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def thresholds(**conditions):
    rows = [(c, f"h{n}", t) for c, values in conditions.items() for n, t in enumerate(values)]
    condition, subject, values = zip(*rows, strict=True)
    coords = {"stimulus_id": condition, "condition": condition, "subject": subject}
    return xr.DataArray(
        list(values),
        dims=["presentation"],
        coords={name: ("presentation", list(column)) for name, column in coords.items()},
    )


def fitted(assembly):
    right = [assembly.values[assembly["level"].values == level].sum() for level in LEVELS]
    return psychometric_threshold(LEVELS, np.array(right), np.full(20, 40.0))[0]


HUMANS = [30.0, 42.0, 50.0, 38.0, 44.0, 90.0]


def test_the_score_is_the_mean_similarity_to_the_thresholds_of_subjects():
    answers = source(test=40)
    t = fitted(answers)
    expected = [max(0, 1 - abs(h - t) / h) for h in HUMANS]
    score = Threshold(resamples=0)(answers, thresholds(test=HUMANS))
    np.testing.assert_allclose(score.samples.values, expected)
    assert score.value == pytest.approx(np.mean(expected))


def test_thresholds_beyond_twice_a_subjects_have_no_similarity():
    found = threshold_similarity(np.array([0.0, 5.0, 20.0, 50.0]), np.array(10.0))
    np.testing.assert_allclose(found, [0, 0.5, 0, 0])


def test_elevations_are_ratios_of_thresholds():
    answers = source(baseline=20, test=40)
    kind = answers["condition"].values
    ratio = fitted(answers[kind == "test"]) / fitted(answers[kind == "baseline"])
    target = thresholds(baseline=[20.0, 25.0, 10.0], test=[45.0, 50.0, 30.0])
    expected = np.mean([max(0, 1 - abs(h - ratio) / h) for h in (45 / 20, 2, 3)])
    assert ThresholdElevation(resamples=0)(answers, target).value == pytest.approx(expected)


def test_subjects_without_both_thresholds_have_no_elevation():
    target = thresholds(baseline=[20.0, 25.0], test=[45.0, 50.0, 30.0])
    score = ThresholdElevation(resamples=0)(source(baseline=20, test=40), target)
    assert list(score.samples["subject"].values) == ["h0", "h1"]
    with pytest.raises(UndefinedScore, match="No subject has thresholds in both"):
        HumanThresholdElevation()(target.isel(presentation=[0, 3]))


def test_the_ceiling_compares_each_pair_of_subjects_both_ways():
    pairs = [max(0, 1 - abs(a - b) / b) for a in HUMANS for b in HUMANS if a != b]
    estimate = HumanThreshold(resamples=0)(thresholds(test=HUMANS))
    assert estimate.value == pytest.approx(np.mean(pairs))
    assert estimate.error == pytest.approx(np.std(pairs))


def test_replicates_scatter_as_thresholds_of_new_trials_do():
    target = thresholds(test=[60.0])
    score = Threshold(resamples=500)(source(test=40), target)
    spread = np.std(score.raw.replicates[0].values)
    generator, found = np.random.default_rng(3), []
    for _ in range(30):
        chance = Psychometric(0.1, 40, 0.03, 0.5).accuracy(LEVELS)
        right = generator.binomial(40, chance).astype(float)
        t = psychometric_threshold(LEVELS, right, np.full(20, 40.0))[0]
        found.append(1 - abs(60 - t) / 60)
    assert spread == pytest.approx(np.std(found), rel=0.35)


def test_repeated_presentations_are_drawn_together():
    answers = source(test=40)
    ids = [f"s{n % 400:03d}" for n in range(800)]
    repeated = answers.assign_coords(stimulus_id=("presentation", ids))
    score = Threshold(resamples=5)(repeated, thresholds(test=HUMANS))
    assert score.raw.replicates[0].sizes == (400,)
    assert [r.scope for r in score.raw.replicates] == ["stimuli", "subjects", "stimuli×subjects"]


def test_a_source_that_guesses_has_no_threshold():
    answers = source(test=1e9)
    with pytest.raises(UndefinedScore, match="less than 60%"):
        Threshold()(answers, thresholds(test=HUMANS))


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_thresholds_of_subjects_are_positive(bad):
    with pytest.raises(AssemblyError, match="positive numbers; 1 of 2"):
        Threshold()(source(test=40), thresholds(test=[30.0, bad]))


def test_a_subject_has_one_threshold():
    with pytest.raises(AssemblyError, match="more than one threshold"):
        Threshold()(source(test=40), thresholds(baseline=[30.0], test=[40.0]))


def test_a_missing_condition_is_named():
    with pytest.raises(AssemblyError, match="conditions are test"):
        ThresholdElevation()(source(test=40), thresholds(baseline=[3.0], test=[4.0]))
