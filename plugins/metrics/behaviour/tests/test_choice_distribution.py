import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon

from corteval.errors import UndefinedScore
from corteval_behaviour import (
    ChoiceDistribution,
    HumanChoiceDistribution,
    distribution_similarity,
)

NAMES = np.array(list("wxyz"))
SHARES = np.random.default_rng(0).dirichlet(np.full(4, 0.7), size=20)
IDS = [f"s{n:02d}" for n in range(20)]


def probabilities(shares=SHARES, names=NAMES):
    return xr.DataArray(
        shares,
        dims=["presentation", "choice"],
        coords={"stimulus_id": ("presentation", IDS), "choice": names},
    )


def trials(subjects, seed=1, shares=SHARES):
    generator = np.random.default_rng(seed)
    choices = [generator.choice(NAMES, p=p) for _ in range(subjects) for p in shares]
    coords = {
        "stimulus_id": ("presentation", IDS * subjects),
        "subject": ("presentation", np.repeat([f"h{n:02d}" for n in range(subjects)], 20)),
    }
    return xr.DataArray(choices, dims=["presentation"], coords=coords)


# Half of the smallest number is none, of which scipy takes the logarithm.
@given(arrays(np.float64, (2, 5), elements=st.floats(0, 1, allow_subnormal=False)))
def test_similarity_is_one_minus_scipys_distance(pair):
    pair = pair + np.array([1e-3, 0, 0, 0, 0])
    p, q = pair / pair.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # for equal distributions scipy rounds below zero: no root
        expected = 1 - np.nan_to_num(jensenshannon(p, q, base=2))
    assert distribution_similarity(p, q) == pytest.approx(expected, abs=1e-6)


def test_disjoint_choices_have_no_similarity():
    assert distribution_similarity(np.array([1.0, 0]), np.array([0.0, 1])) == 0


def half_distributions(target):
    """Both halves of both halvings, in plain loops: {stimulus: distribution}."""
    state = np.random.RandomState(0)
    stimuli, choices = target["stimulus_id"].values, target.values
    for _ in range(2):
        order = list(range(len(choices)))
        state.shuffle(order)
        pair = []
        for half in (0, 1):
            found = {}
            for s in IDS:
                mine = [choices[n] for n in order if stimuli[n] == s][half::2]
                found[s] = np.array([np.mean([c == k for c in mine]) for k in NAMES])
            pair.append(found)
        yield pair


def test_scores_and_ceilings_are_those_of_plain_loops():
    target = trials(9)
    pairs = list(half_distributions(target))
    score = np.mean(
        [
            1 - jensenshannon(p, half[s], base=2)
            for pair in pairs
            for half in pair
            for s, p in zip(IDS, SHARES, strict=True)
        ]
    )
    ceiling = np.mean([1 - jensenshannon(a[s], b[s], base=2) for a, b in pairs for s in IDS])
    found = ChoiceDistribution(resamples=0)(probabilities(), target)
    assert found.value == pytest.approx(score, abs=1e-7)
    assert HumanChoiceDistribution(resamples=0)(target).value == pytest.approx(ceiling, abs=1e-7)


def test_the_true_distribution_is_above_the_ceiling_and_another_below():
    target = trials(20)
    ceiling = HumanChoiceDistribution(resamples=0)(target).value
    metric = ChoiceDistribution(resamples=0)
    assert metric(probabilities(), target).value > ceiling
    assert metric(probabilities(SHARES[::-1]), target).value < ceiling


def test_words_are_distributions_with_one_choice():
    target = trials(6)
    words = target[:20].drop_vars("subject")
    one_hot = probabilities((words.values[:, None] == NAMES).astype(float))
    metric = ChoiceDistribution(resamples=0)
    assert metric(words, target).value == pytest.approx(metric(one_hot, target).value)


def test_a_choice_that_only_one_side_makes_counts_as_never_made_by_the_other():
    target = trials(6)
    wider = probabilities(np.hstack([SHARES, np.zeros((20, 1))]), [*NAMES, "v"])
    metric = ChoiceDistribution(resamples=0)
    assert metric(wider, target).value == pytest.approx(metric(probabilities(), target).value)


def test_all_ways_of_resampling_have_replicates():
    score = ChoiceDistribution(resamples=10)(probabilities(), trials(6))
    assert [r.scope for r in score.raw.replicates] == ["stimuli", "subjects", "stimuli×subjects"]
    assert np.isfinite(score.raw.replicates[2].values).all()


def test_single_trials_tell_no_distribution():
    with pytest.raises(UndefinedScore, match="No stimulus has two trials"):
        HumanChoiceDistribution()(trials(1))
