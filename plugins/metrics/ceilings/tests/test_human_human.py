from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.stats.resampling import draw
from corteval_ceilings import HumanHuman


def values(seed=0, subjects=6, regions=3, stimuli=40, noise=1.0):
    """(subject, region, stimulus)"""
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((regions, stimuli))
    return 10 + signal + noise * rng.standard_normal((subjects, regions, stimuli))


def assembly(responses):
    subjects, regions, stimuli = responses.shape
    names = [(f"s{s}", f"r{r}") for s in range(subjects) for r in range(regions)]
    neuroids = {
        "neuroid_id": [f"{s}.{r}" for s, r in names],
        "subject": [s for s, _ in names],
        "region": [r for _, r in names],
    }
    return neural(responses.reshape(-1, stimuli).T, [f"i{n:03d}" for n in range(stimuli)], neuroids)


def plainly(responses, scheme, subject_counts=None, stimulus_counts=None):
    """Loops over the definition; a subject drawn k times is k subjects, but never its own other."""
    n = len(responses)
    c = np.ones(n, int) if subject_counts is None else subject_counts
    y = responses if stimulus_counts is None else np.repeat(responses, stimulus_counts, axis=2)
    found, weights = [], []
    if scheme == "pairs":
        for s, t in combinations(range(n), 2):
            found.append(
                np.median([np.corrcoef(a, b)[0, 1] for a, b in zip(y[s], y[t], strict=True)])
            )
            weights.append(c[s] * c[t])
    else:
        for s in range(n):
            others = sum(c[t] * y[t] for t in range(n) if t != s)
            found.append(
                np.median([np.corrcoef(a, b)[0, 1] for a, b in zip(y[s], others, strict=True)])
            )
            weights.append(c[s])
    return np.array(found), np.array(weights)


@pytest.mark.parametrize("scheme", ["one-out", "pairs"])
def test_it_equals_the_definition_computed_plainly(scheme):
    responses = values()
    found, _ = plainly(responses, scheme)
    estimate = HumanHuman(scheme=scheme, match_by="region", resamples=0)(assembly(responses))
    assert estimate.value == pytest.approx(found.mean(), abs=1e-12)
    assert estimate.error == pytest.approx(stats.sem(found), abs=1e-12)
    assert estimate.quantity == "correlation"


@pytest.mark.parametrize("scheme", ["one-out", "pairs"])
def test_replicates_equal_the_statistic_of_the_drawn_stimuli_and_subjects(scheme):
    responses = values()
    whole = assembly(responses)
    estimate = HumanHuman(scheme=scheme, match_by="region", resamples=6)(whole)
    ways = draw(
        stimulus_ids=whole["stimulus_id"].values,
        subjects=np.unique(whole["subject"].values),
        resamples=6,
        seed=0,
    )
    for way, found in zip(ways, estimate.replicates, strict=True):
        assert (found.scope, found.sizes) == (way.scope, way.sizes)
        for b, value in enumerate(found.values):
            counts = [None if c is None else c[b] for c in (way.neuroids, way.stimuli)]
            r, weights = plainly(responses, scheme, *counts)
            assert value == pytest.approx(np.average(r, weights=weights), abs=1e-6)


def test_without_regions_the_neuroids_of_a_subject_are_averaged():
    responses = values()
    found, _ = plainly(responses.mean(axis=1, keepdims=True), "one-out")
    assert HumanHuman(resamples=0)(assembly(responses)).value == pytest.approx(found.mean())


def test_pairs_have_the_reliability_of_a_single_subject():
    responses = values(subjects=5, regions=1, stimuli=20_000, noise=1.5)
    estimate = HumanHuman(scheme="pairs", resamples=0)(assembly(responses))
    assert estimate.value == pytest.approx(1 / (1 + 1.5**2), abs=0.01)


@settings(deadline=None, max_examples=10)
@given(st.permutations(list(range(40))))
def test_the_order_of_stimuli_does_not_matter(order):
    whole = assembly(values())
    metric = HumanHuman(resamples=20)
    first, second = metric(whole), metric(whole.isel(presentation=order))
    assert second.value == pytest.approx(first.value, abs=1e-12)
    for one, other in zip(first.replicates, second.replicates, strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-6)


def test_noise_lowers_agreement():
    agreement = [
        HumanHuman(resamples=0)(assembly(values(noise=noise))).value for noise in (0.3, 1, 4)
    ]
    assert agreement == sorted(agreement, reverse=True)


def test_two_subjects_agree_alike_in_both_schemes_and_have_stimuli_drawn():
    whole = assembly(values(subjects=2))
    one, pairs = (HumanHuman(scheme=s, resamples=5)(whole) for s in ("one-out", "pairs"))
    assert one.value == pytest.approx(pairs.value)
    assert pairs.error is None
    assert [r.scope for r in pairs.replicates] == ["stimuli"]


def test_a_constant_subject_is_undefined():
    responses = values()
    responses[2] = 3.7
    for scheme in ("one-out", "pairs"):
        with pytest.raises(UndefinedScore, match="do not vary"):
            HumanHuman(scheme=scheme)(assembly(responses))


def test_one_subject_or_two_stimuli_are_undefined():
    with pytest.raises(UndefinedScore, match="s0 alone"):
        HumanHuman()(assembly(values(subjects=1)))
    with pytest.raises(UndefinedScore, match="3 stimuli"):
        HumanHuman()(assembly(values(stimuli=2)))


def test_a_region_that_one_subject_lacks_is_named():
    with pytest.raises(AssemblyError, match="s0 has no neuroid of region r0"):
        HumanHuman(match_by="region")(assembly(values()).isel(neuroid=slice(1, None)))


def test_wrong_input_is_refused():
    whole = assembly(values())
    with pytest.raises(OptionError, match="'area' to match by"):
        HumanHuman(match_by="area")(whole)
    with pytest.raises(AssemblyError, match="no coordinate 'subject'"):
        HumanHuman()(whole.drop_vars("subject"))
    with pytest.raises(OptionError, match="one-out or in pairs"):
        HumanHuman(scheme="all")
