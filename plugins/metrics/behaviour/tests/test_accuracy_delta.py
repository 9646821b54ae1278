import numpy as np
import pytest
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_behaviour import AccuracyDelta, HumanAccuracyDelta, loss_similarity

WHOLE = np.arange(60) < 30
CHANCE = np.where(WHOLE, 0.9, 0.5)
RIGHT = (np.random.default_rng(0).random((9, 60)) < CHANCE).astype(float)
SOURCE = (np.random.default_rng(1).random(60) < CHANCE - 0.1).astype(float)


def trials(right):
    right = np.atleast_2d(right)
    coords = {
        "stimulus_id": np.tile([f"s{n:02d}" for n in range(60)], len(right)),
        "subject": np.repeat([f"h{n}" for n in range(len(right))], 60),
        "condition": np.tile(np.where(WHOLE, "whole", "fragmented"), len(right)),
    }
    return xr.DataArray(
        right.ravel().astype(float),
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def delta(right):
    return np.mean(right[..., WHOLE]) - np.mean(right[..., ~WHOLE])


def halves(count, splits=100):
    state = np.random.RandomState(0)
    return [state.choice(count, count // 2, replace=False) for _ in range(splits)]


def similarity(model, subject):
    return max(0, 1 - abs(subject - model) / subject)


def test_the_score_is_the_mean_over_random_halves_of_the_subjects():
    expected = [similarity(delta(SOURCE), delta(RIGHT[half])) for half in halves(9)]
    score = AccuracyDelta(resamples=0)(trials(SOURCE), trials(RIGHT))
    assert score.value == pytest.approx(np.mean(expected))
    assert score.raw.error == pytest.approx(np.std(expected))
    np.testing.assert_allclose(score.samples.values, expected)


def test_the_legacy_score_never_draws_the_last_subject():
    expected = [similarity(delta(SOURCE), delta(RIGHT[half])) for half in halves(8)]
    score = AccuracyDelta(resamples=0, omit_last=True)(trials(SOURCE), trials(RIGHT))
    assert score.value == pytest.approx(np.mean(expected))
    other = RIGHT.copy()
    other[8] = 1 - other[8]
    changed = AccuracyDelta(resamples=0, omit_last=True)(trials(SOURCE), trials(other))
    assert changed.value == score.value


def test_the_ceiling_compares_both_halves():
    rest = [np.setdiff1d(np.arange(9), half) for half in halves(9)]
    expected = [
        similarity(delta(RIGHT[b]), delta(RIGHT[a])) for a, b in zip(halves(9), rest, strict=True)
    ]
    assert HumanAccuracyDelta(resamples=0)(trials(RIGHT)).value == pytest.approx(np.mean(expected))
    legacy = HumanAccuracyDelta(resamples=0, aggregate="median Spearman-Brown")(trials(RIGHT))
    corrected = [2 * s / (1 + s) for s in expected]
    assert legacy.value == pytest.approx(np.median(corrected))


def test_a_loss_more_than_twice_that_of_subjects_has_no_similarity():
    found = loss_similarity(np.array([0.1, 0.3, 0.5, -0.1]), np.array(0.2))
    np.testing.assert_allclose(found, [0.5, 0.5, 0, 0])


def test_halves_that_lose_nothing_have_no_similarity():
    assert np.isnan(loss_similarity(np.array(0.1), np.array([0.0, -0.2]))).all()


def test_replicates_scatter_around_the_score():
    score = AccuracyDelta(resamples=200)(trials(SOURCE), trials(RIGHT))
    assert [r.scope for r in score.raw.replicates] == ["stimuli", "subjects", "stimuli×subjects"]
    together = np.array(score.raw.replicates[2].values)
    assert abs(np.nanmean(together) - score.value) < np.nanstd(together)


def test_subjects_who_lose_nothing_leave_the_score_undefined():
    with pytest.raises(UndefinedScore, match="lose no accuracy"):
        AccuracyDelta()(trials(SOURCE), trials(np.ones((4, 60))))


def test_whole_stimuli_must_be_named():
    with pytest.raises(AssemblyError, match="Set the option whole"):
        AccuracyDelta(whole="intact")(trials(SOURCE), trials(RIGHT))
    with pytest.raises(OptionError, match="Spearman-Brown"):
        HumanAccuracyDelta(aggregate="median")
