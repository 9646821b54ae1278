import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from corteval_similarity.ranks import rank_in_place

numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-3, 3).map(float),
    st.sampled_from([1.0, 1.0 + 1e-15, 1.0 + 1e-9, 0.0, -0.0]),
)


@given(arrays(np.float64, st.integers(2, 60), elements=numbers))
def test_ranks_equal_those_of_scipy(values):
    ranked = rank_in_place(values.copy())
    np.testing.assert_array_equal(ranked.ranks, rankdata(values))
    assert (np.diff(values[ranked.order]) >= 0).all()
    assert ranked.tied == (len(np.unique(values)) < len(values))


@pytest.mark.parametrize("decimals", [2, 5, 17])
def test_ranks_of_many_values_equal_those_of_scipy(decimals):
    values = np.random.default_rng(0).standard_normal(200_000).round(decimals)
    np.testing.assert_array_equal(rank_in_place(values.copy()).ranks, rankdata(values))
