import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corteval.errors import OptionError
from corteval_localizer.localizer import Selection
from corteval_localizer.selecting import adjusted_p, random_units, selected


@given(
    p=st.lists(st.floats(0, 1), min_size=1, max_size=40),
    procedure=st.sampled_from(["BH", "BY"]),
)
def test_adjusted_p_are_those_of_scipy(p, procedure):
    found = adjusted_p(np.array(p), procedure)
    expected = stats.false_discovery_control(p, method=procedure.lower())
    assert np.allclose(found, expected, rtol=1e-12)


@given(
    t=st.lists(st.sampled_from([0.0, 1.0, 2.0, np.inf, np.nan, -1.0]), min_size=1, max_size=30),
    share=st.floats(0.01, 1),
)
def test_of_equal_t_exactly_as_many_as_wanted_are_selected_the_first_ones(t, share):
    t = np.array(t)
    defined = int((~np.isnan(t)).sum())
    top = max(1, int(share * defined))
    if not defined:
        with pytest.raises(OptionError, match="respond differently"):
            selected(t, np.ones(len(t)), Selection(top=top))
        return
    mask = selected(t, np.ones(len(t)), Selection(top=top))
    assert mask.sum() == top
    ranked = sorted((-value, n) for n, value in enumerate(t.tolist()) if not np.isnan(value))
    assert set(np.flatnonzero(mask)) == {n for _, n in ranked[:top]}


def test_a_fraction_is_of_all_units_rounded_down_but_one_at_least():
    t = np.arange(100.0)
    assert selected(t, t, Selection(fraction=0.29)).sum() == 29
    assert selected(t, t, Selection(fraction=0.299)).sum() == 29
    assert selected(t, t, Selection(fraction=0.001)).sum() == 1
    assert selected(t, t, Selection(fraction=1.0)).all()


def test_a_false_discovery_rate_selects_units_of_the_positive_condition_only():
    t = np.array([9.0, -9.0, 0.1, np.nan, 8.0])
    p = np.array([1e-6, 1e-6, 0.9, np.nan, 1e-5])
    assert selected(t, p, Selection(fdr=0.05)).tolist() == [True, False, False, False, True]
    assert not selected(t, np.full(5, 0.9), Selection(fdr=0.05)).any()


def test_under_the_null_the_procedure_rarely_discovers_anything():
    rng = np.random.default_rng(0)
    t = rng.standard_normal((400, 200))
    p = stats.norm.sf(t)
    any_found = [selected(a, b, Selection(fdr=0.1)).any() for a, b in zip(t, p, strict=True)]
    assert np.mean(any_found) < 0.1 + 3 * np.sqrt(0.1 * 0.9 / 400)


@given(seed=st.integers(0, 1000))
def test_random_units_are_as_many_in_each_layer_and_none_of_the_selected(seed):
    rng = np.random.default_rng(seed)
    t = rng.standard_normal(60)
    t[:3] = np.nan
    layer = np.repeat([0, 1, 2], 20)
    mask = np.zeros(60, bool)
    mask[rng.choice(np.arange(3, 60), 15, replace=False)] = True
    if any((mask & (layer == n)).sum() > ((~mask) & (layer == n)).sum() - 3 for n in range(3)):
        return
    drawn = random_units(t, mask, layer, seed=seed)
    again = random_units(t, mask, layer, seed=seed)
    assert (drawn == again).all()
    assert not (drawn & mask).any()
    assert not drawn[:3].any()
    assert all((drawn & (layer == n)).sum() == (mask & (layer == n)).sum() for n in range(3))


def test_random_units_lie_between_the_percentiles_of_t_that_are_named():
    t = np.random.default_rng(1).permutation(100.0 * np.arange(100))
    mask = t >= 9500
    drawn = random_units(t, mask, np.zeros(100), seed=0, percentiles=(0, 25), by_layer=False)
    assert drawn.sum() == 5
    assert t[drawn].max() < 2500
    with pytest.raises(OptionError, match="wider"):
        random_units(t, mask, np.zeros(100), seed=0, percentiles=(0, 3))
    with pytest.raises(OptionError, match="percentiles"):
        random_units(t, mask, np.zeros(100), seed=0, percentiles=(50, 20))


@pytest.mark.parametrize(
    "rules",
    [{}, {"top": 3, "fdr": 0.1}, {"top": 0}, {"fraction": 0.0}, {"fraction": 1.5}, {"fdr": 1.0}],
)
def test_a_selection_has_one_rule_within_its_bounds(rules):
    with pytest.raises(OptionError):
        Selection(**rules)
