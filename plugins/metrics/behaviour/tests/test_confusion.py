import numpy as np
import pytest
import xarray as xr
from scipy.stats import pearsonr
from sklearn.metrics import confusion_matrix

from corteval.errors import UndefinedScore
from corteval.stats.resampling import draw
from corteval_behaviour import ConfusionSimilarity, HumanConfusionSimilarity, off_diagonal

KINDS = np.array(list("abcd"))
TRUTH = np.arange(80) % 4
PLAN = np.array([[6, 2, 1, 1], [3, 5, 1, 1], [1, 1, 7, 1], [1, 4, 2, 3]]) / 10


def answers(seed, subjects=6):
    generator = np.random.default_rng(seed)
    return np.array([[generator.choice(4, p=PLAN[t]) for t in TRUTH] for _ in range(subjects)])


def trials(choices):
    choices = np.atleast_2d(choices)
    coords = {
        "stimulus_id": np.tile([f"s{n:02d}" for n in range(80)], len(choices)),
        "subject": np.repeat([f"h{n}" for n in range(len(choices))], 80),
        "truth": np.tile(KINDS[TRUTH], len(choices)),
    }
    return xr.DataArray(
        KINDS[choices.ravel()],
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def cells(choices, truth=None):
    """Off-diagonal shares, by scikit-learn."""
    truth = np.tile(TRUTH, len(choices)) if truth is None else truth
    shares = confusion_matrix(truth, choices.ravel(), labels=range(4), normalize="true")
    return shares[~np.eye(4, dtype=bool)]


HUMANS = answers(0)
SOURCE = answers(1, 1)


def test_the_score_correlates_shares_of_wrong_choices():
    score = ConfusionSimilarity(resamples=0)(trials(SOURCE), trials(HUMANS))
    assert score.value == pytest.approx(pearsonr(cells(SOURCE), cells(HUMANS))[0], abs=1e-12)
    np.testing.assert_allclose(score.samples.sel(who="target"), cells(HUMANS))


def test_the_same_choices_are_perfectly_similar():
    score = ConfusionSimilarity(resamples=0)(trials(SOURCE), trials(SOURCE))
    assert score.value == pytest.approx(1)


def test_ceilings_are_corrected_halves_of_the_trials():
    state, found = np.random.RandomState(0), []
    flat, truth = HUMANS.ravel(), np.tile(TRUTH, 6)
    for _ in range(10):
        order = list(range(len(flat)))
        state.shuffle(order)
        parts = order[: len(order) // 2], order[len(order) // 2 :]
        r = pearsonr(*(cells(flat[p], truth[p]) for p in parts))[0]
        found.append(2 * r / (1 + r))
    estimate = HumanConfusionSimilarity(resamples=0)(trials(HUMANS))
    assert estimate.value == pytest.approx(np.mean(found), abs=1e-12)
    assert estimate.quantity == "reliability"


def test_replicates_are_the_score_of_the_drawn_trials():
    score = ConfusionSimilarity(resamples=4, seed=5)(trials(SOURCE), trials(HUMANS))
    way = draw(
        stimulus_ids=[f"s{n:02d}" for n in range(80)],
        subjects=[f"h{n}" for n in range(6)],
        resamples=4,
        seed=5,
    )[2]
    for b in range(4):
        s = np.repeat(np.arange(80), way.stimuli[b])
        h = np.repeat(np.arange(6), way.neuroids[b])
        truth = np.tile(TRUTH[s], 6)
        pair = cells(np.tile(SOURCE[0, s], 6), truth), cells(HUMANS[np.ix_(h, s)], truth)
        assert score.raw.replicates[2].values[b] == pytest.approx(pearsonr(*pair)[0], rel=1e-6)


def test_choices_that_are_never_right_are_columns_without_rows():
    shares = off_diagonal(np.array([[2, 1, 1], [0, 4, 0], [0, 0, 0]]))
    np.testing.assert_array_equal(shares, [0.25, 0.25, 0, 0, np.nan, np.nan])


def test_a_source_without_errors_is_undefined():
    with pytest.raises(UndefinedScore, match="confuse nothing"):
        ConfusionSimilarity()(trials(TRUTH), trials(HUMANS))


def test_one_truth_cannot_be_confused():
    one = trials(SOURCE)[TRUTH == 0]
    with pytest.raises(UndefinedScore, match="There is one truth, 'a'"):
        ConfusionSimilarity()(one, one)
