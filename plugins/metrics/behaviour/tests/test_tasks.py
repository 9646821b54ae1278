import numpy as np
import pytest
import xarray as xr
from scipy.stats import pearsonr

from corteval.errors import OptionError, UndefinedScore
from corteval_behaviour import HumanTasksConsistency, TasksConsistency

TASK = np.arange(120) % 6
CHANCE = np.linspace(0.3, 0.95, 6)[TASK]
RIGHT = (np.random.default_rng(0).random((6, 120)) < CHANCE).astype(float)
SOURCE = (np.random.default_rng(1).random(120) < CHANCE**2).astype(float)


def trials(right, task=TASK):
    right = np.atleast_2d(right)
    coords = {
        "stimulus_id": np.tile([f"s{n:03d}" for n in range(right.shape[1])], len(right)),
        "subject": np.repeat([f"h{n}" for n in range(len(right))], right.shape[1]),
        "task": np.tile(task, len(right)),
    }
    return xr.DataArray(
        right.ravel(),
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def accuracies(right, task):
    return [right[task == t].mean() for t in range(6)]


def test_the_score_correlates_accuracies_over_tasks():
    score = TasksConsistency(resamples=0)(trials(SOURCE), trials(RIGHT))
    human = accuracies(RIGHT.ravel(), np.tile(TASK, 6))
    assert score.value == pytest.approx(pearsonr(accuracies(SOURCE, TASK), human)[0], abs=1e-12)
    np.testing.assert_allclose(score.samples.sel(who="target"), human)


def test_the_ceiling_is_the_corrected_correlation_of_disjoint_halves():
    flat, task = RIGHT.ravel(), np.tile(TASK, 6)
    state, found = np.random.RandomState(0), []
    for _ in range(10):
        order = np.arange(len(flat))
        state.shuffle(order)
        parts = order[: len(flat) // 2], order[len(flat) // 2 :]
        r = pearsonr(*(accuracies(flat[p], task[p]) for p in parts))[0]
        found.append(2 * r / (1 + r))
    estimate = HumanTasksConsistency(resamples=0)(trials(RIGHT))
    assert estimate.value == pytest.approx(np.mean(found), abs=1e-12)
    assert estimate.quantity == "reliability"


def test_the_legacy_ceiling_indexes_rows_by_their_bitwise_complement():
    flat, task = RIGHT.ravel(), np.tile(TASK, 6)
    state, found = np.random.RandomState(0), []
    for _ in range(10):
        half = state.choice(len(flat), len(flat) // 2)
        parts = half, ~half
        found.append(pearsonr(*(accuracies(flat[p], task[p]) for p in parts))[0])
    estimate = HumanTasksConsistency(halves="overlapping", resamples=0)(trials(RIGHT))
    assert estimate.value == pytest.approx(np.mean(found), abs=1e-12)
    assert estimate.quantity == "correlation"


def test_the_legacy_ceiling_is_above_the_correlation_of_disjoint_halves():
    noise = (np.random.default_rng(2).random((6, 120)) < 0.5).astype(float)
    legacy = HumanTasksConsistency(halves="overlapping", resamples=0, splits=200)(trials(noise))
    disjoint = HumanTasksConsistency(resamples=0, splits=200)(trials(noise))
    assert legacy.value > disjoint.value / (2 - disjoint.value)


def test_all_ways_of_resampling_have_replicates():
    score = TasksConsistency(resamples=20)(trials(SOURCE), trials(RIGHT))
    assert [r.scope for r in score.raw.replicates] == ["stimuli", "subjects", "stimuli×subjects"]
    assert np.isfinite(score.raw.replicates[2].values).all()


def test_two_tasks_are_too_few():
    task = TASK % 2
    with pytest.raises(UndefinedScore, match="at least three; there are 2"):
        TasksConsistency()(trials(SOURCE, task), trials(RIGHT, task))


def test_equal_accuracies_do_not_correlate():
    with pytest.raises(UndefinedScore, match="do not vary"):
        TasksConsistency()(trials(np.ones(120)), trials(RIGHT))


def test_halves_have_two_kinds():
    with pytest.raises(OptionError, match="disjoint or overlapping"):
        HumanTasksConsistency(halves="both")
