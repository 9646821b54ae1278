import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corteval_localizer.welch import merged, moments_of, welch


@given(
    seed=st.integers(0, 10**6),
    sizes=st.tuples(st.integers(2, 30), st.integers(2, 30)),
    offset=st.sampled_from([0.0, 1e4, -3.0]),
    alternative=st.sampled_from(["greater", "two-sided"]),
)
def test_t_and_p_of_every_unit_are_those_of_scipy(seed, sizes, offset, alternative):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((sizes[0], 7)) * rng.gamma(1, 1, 7) + offset
    b = rng.standard_normal((sizes[1], 7)) + offset + rng.standard_normal(7)
    t, p = welch(moments_of(a), moments_of(b), alternative)
    expected = stats.ttest_ind(a, b, equal_var=False, alternative=alternative)
    assert np.allclose(t, expected.statistic, rtol=1e-7)
    assert np.allclose(p, expected.pvalue, rtol=1e-6)


@given(cuts=st.lists(st.integers(0, 40), max_size=4), offset=st.sampled_from([0.0, 1e6]))
def test_moments_do_not_depend_on_how_stimuli_are_divided_into_blocks(cuts, offset):
    values = np.random.default_rng(0).standard_normal((40, 3)) + offset
    parts = [moments_of(part) for part in np.split(values, sorted(cuts))]
    whole = merged(parts)
    assert whole.size == 40
    assert np.allclose(whole.mean, values.mean(axis=0), rtol=1e-12)
    assert np.allclose(whole.variance, values.var(axis=0, ddof=1), rtol=1e-7)


def test_units_that_respond_to_everything_alike_have_no_t():
    a, b = np.full((5, 2), 0.1), np.full((7, 2), 0.1)
    b[:, 1] = 0.3
    t, p = welch(moments_of(a), moments_of(b), "greater")
    assert np.isnan(t[0])
    assert np.isnan(p[0])
    assert t[1] == -np.inf
    assert p[1] == 1
    t, p = welch(moments_of(b), moments_of(a), "greater")
    assert (t[1], p[1]) == (np.inf, 0)
    assert welch(moments_of(a), moments_of(b), "two-sided").p[1] == 0


def test_rounding_of_a_constant_in_blocks_is_no_response():
    values = np.full((9, 1), 0.1, np.float32).astype(np.float64) * 3
    blocks = merged([moments_of(values[:4]), moments_of(values[4:5]), moments_of(values[5:])])
    assert np.isnan(welch(blocks, moments_of(values[:3]), "greater").t).all()
