import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import normalize
from corteval.stats.resampling import draw
from corteval_behaviour import (
    Accuracy,
    AccuracyDistance,
    HumanAccuracy,
    HumanAccuracyDistance,
    relative_similarity,
)

SHARES = st.floats(0, 1)


def trials(right, conditions=None):
    right = np.atleast_2d(np.asarray(right, float))
    subjects, stimuli = right.shape
    coords = {
        "stimulus_id": np.tile([f"s{n:03d}" for n in range(stimuli)], subjects),
        "subject": np.repeat([f"h{n}" for n in range(subjects)], stimuli),
        "condition": np.tile(conditions or ["0"] * stimuli, subjects),
    }
    return xr.DataArray(
        right.ravel(),
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def distance(model, subject):
    """The definition, for one subject."""
    a, b = np.mean(model), np.mean(subject)
    return 1 - abs(a - b) / max(b, 1 - b)


RIGHT = (np.random.default_rng(0).random((6, 40)) < np.linspace(0.3, 0.9, 6)[:, None]).astype(float)
SOURCE = (np.random.default_rng(1).random(40) < 0.7).astype(float)


def test_accuracy_of_words_is_scikit_learns():
    generator = np.random.default_rng(2)
    truth, choice = generator.choice(list("abc"), size=(2, 50))
    coords = {
        "stimulus_id": ("presentation", [f"s{n}" for n in range(50)]),
        "truth": ("presentation", truth),
    }
    target = xr.DataArray(truth, dims=["presentation"], coords=coords)
    source = target.copy(data=choice).drop_vars("truth")
    score = Accuracy()(source[::-1], target)
    expected = accuracy_score(truth, choice)
    assert score.raw.value == pytest.approx(expected)
    assert score.raw.error == pytest.approx(np.sqrt(expected * (1 - expected) / 49))
    assert score.raw.quantity == "accuracy"
    assert [r.scope for r in score.raw.replicates] == ["stimuli"]


def test_each_stimulus_counts_once_however_many_subjects_saw_it():
    target = trials(RIGHT).isel(presentation=slice(0, 45))
    assert Accuracy(resamples=0)(trials(SOURCE), target).value == pytest.approx(SOURCE.mean())


def test_two_truths_of_a_stimulus_are_refused():
    coords = {"stimulus_id": ("presentation", ["s", "s"]), "truth": ("presentation", ["a", "b"])}
    target = xr.DataArray(["a", "a"], dims=["presentation"], coords=coords)
    with pytest.raises(AssemblyError, match="two truths"):
        Accuracy()(target[:1], target)


def test_the_spread_of_replicates_is_the_standard_error():
    score = Accuracy(resamples=4000)(trials(SOURCE), trials(SOURCE))
    spread = np.std(score.raw.replicates[0].values)
    assert spread == pytest.approx(score.raw.error, rel=0.08)


def test_accuracy_is_normalised_above_chance():
    score = Accuracy(resamples=50)(trials(SOURCE), trials(RIGHT))
    ceiling = HumanAccuracy(resamples=50)(trials(RIGHT))
    expected = (SOURCE.mean() - 0.25) / (RIGHT.mean() - 0.25)
    assert normalize(score, ceiling, chance=0.25).value == pytest.approx(expected)


def test_human_accuracy_is_the_mean_of_subjects():
    kept = np.random.default_rng(3).random(RIGHT.shape) < 0.8
    part = trials(RIGHT).isel(presentation=np.flatnonzero(kept.ravel()))
    each = [r[k].mean() for r, k in zip(RIGHT, kept, strict=True)]
    estimate = HumanAccuracy(resamples=0)(part)
    assert estimate.value == pytest.approx(np.mean(each))
    assert estimate.error == pytest.approx(np.std(each, ddof=1) / np.sqrt(6))


def test_one_subject_is_no_sample_of_subjects():
    for ceiling in (HumanAccuracy(), HumanAccuracyDistance()):
        with pytest.raises(UndefinedScore, match="two"):
            ceiling(trials(RIGHT[0]))


@given(SHARES, SHARES)
def test_similarity_of_shares_lies_between_zero_and_one(model, subject):
    similarity = relative_similarity(np.array(model), np.array(subject))
    assert -1e-12 <= similarity <= 1
    assert relative_similarity(np.array(subject), np.array(subject)) == 1


def test_the_farthest_share_has_no_similarity():
    assert relative_similarity(np.array([1.0, 0.0]), np.array([0.2, 0.7])) == pytest.approx([0, 0])


def test_the_distance_is_averaged_over_subjects():
    score = AccuracyDistance(resamples=0)(trials(SOURCE), trials(RIGHT))
    assert score.value == pytest.approx(np.mean([distance(SOURCE, h) for h in RIGHT]))


def test_the_distance_may_be_taken_within_conditions():
    conditions = ["a"] * 10 + ["b"] * 30
    score = AccuracyDistance(by_condition=True, resamples=0)(
        trials(SOURCE), trials(RIGHT, conditions)
    )
    parts = slice(0, 10), slice(10, 40)
    expected = np.mean([distance(SOURCE[p], h[p]) for h in RIGHT for p in parts])
    assert score.value == pytest.approx(expected)
    assert score.samples.sizes == {"group": 12}


def test_a_source_is_judged_on_the_stimuli_a_subject_saw():
    seen = np.random.default_rng(4).random(RIGHT.shape) < 0.6
    target = trials(RIGHT).isel(presentation=np.flatnonzero(seen.ravel()))
    score = AccuracyDistance(resamples=0)(trials(SOURCE), target)
    expected = [distance(SOURCE[s], h[s]) for h, s in zip(RIGHT, seen, strict=True)]
    assert score.value == pytest.approx(np.mean(expected))


def test_the_ceiling_compares_each_pair_both_ways():
    pairs = [distance(RIGHT[i], RIGHT[j]) for i in range(6) for j in range(6) if i != j]
    estimate = HumanAccuracyDistance(resamples=0)(trials(RIGHT))
    assert estimate.value == pytest.approx(np.mean(pairs))
    assert estimate.error == pytest.approx(np.std(pairs))


def test_replicates_are_the_distance_of_the_drawn_stimuli_and_subjects():
    score = AccuracyDistance(resamples=5, seed=2)(trials(SOURCE), trials(RIGHT))
    way = draw(
        stimulus_ids=[f"s{n:03d}" for n in range(40)],
        subjects=[f"h{n}" for n in range(6)],
        resamples=5,
        seed=2,
    )[2]
    for b in range(5):
        stimuli = np.repeat(np.arange(40), way.stimuli[b])
        drawn = np.repeat(np.arange(6), way.neuroids[b])
        expected = np.mean([distance(SOURCE[stimuli], RIGHT[h, stimuli]) for h in drawn])
        assert score.raw.replicates[2].values[b] == pytest.approx(expected, rel=1e-6)
