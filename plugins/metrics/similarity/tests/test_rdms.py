import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm
from scipy.spatial.distance import pdist, squareform

from corteval.errors import UndefinedScore
from corteval_similarity import correlation_distances, correlation_rdm, euclidean_rdm
from corteval_similarity.grams import gram


def patterns(stimuli=15, units=20, seed=0):
    return np.random.default_rng(seed).standard_normal((stimuli, units)) + 3


@pytest.mark.parametrize(
    ("method", "ours"), [("correlation", correlation_rdm), ("euclidean", euclidean_rdm)]
)
def test_distances_equal_rsatoolbox(method, ours):
    x = patterns()
    peer = calc_rdm(Dataset(x), method=method).dissimilarities[0]
    np.testing.assert_allclose(ours(x), peer, atol=1e-12)


def test_correlation_distances_equal_scipy_for_more_units_than_a_block_holds():
    x = patterns(8, 3000)
    np.testing.assert_allclose(correlation_rdm(x), pdist(x, "correlation"), atol=1e-12)


def test_float32_products_of_many_stimuli_are_as_good_as_float32_patterns():
    x = patterns(1000, 300).astype(np.float32)
    exact = (x.astype(float) - x.mean(axis=0, dtype=float)) @ (
        x.astype(float) - x.mean(axis=0, dtype=float)
    ).T
    np.testing.assert_allclose(gram(x), exact, atol=1e-6 * exact.max())
    np.testing.assert_allclose(gram(x, double=True), exact, atol=1e-12 * exact.max())


@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-5, 5))
def test_scale_and_shift_of_a_pattern_do_not_move_correlation_distances(seed, scale, shift):
    x = patterns(6, 9, seed)
    moved = x.copy()
    moved[2] = scale * moved[2] + shift
    np.testing.assert_allclose(correlation_rdm(moved), correlation_rdm(x), atol=1e-9)


def test_rotation_does_not_move_euclidean_distances():
    x = patterns(10, 6)
    turn, _ = np.linalg.qr(patterns(6, 6, 1))
    np.testing.assert_allclose(euclidean_rdm(x @ turn), euclidean_rdm(x), atol=1e-12)


@pytest.mark.parametrize(("units", "words"), [(1, "is 1 unit"), (2, "are 2 units")])
def test_too_few_units_have_no_correlation(units, words):
    with pytest.raises(UndefinedScore, match=words):
        correlation_rdm(patterns(10, units))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6 / 3])
def test_a_pattern_that_is_the_same_in_all_units_is_refused(constant, dtype):
    x = patterns().astype(dtype)
    x[3] = constant
    with pytest.raises(UndefinedScore, match=r"1 of 15 stimuli .* number 4"):
        correlation_rdm(x)


def test_a_pattern_that_is_the_same_in_all_units_leaves_the_other_distances():
    x = patterns()
    x[3] = 0.1
    found = squareform(correlation_distances(x))
    lacking = np.zeros((15, 15), bool)
    lacking[3] = lacking[:, 3] = True
    np.fill_diagonal(lacking, False)
    np.testing.assert_array_equal(np.isnan(found), lacking)
    rest = np.delete(x, 3, axis=0)
    without = np.delete(np.delete(found, 3, axis=0), 3, axis=1)
    np.testing.assert_allclose(squareform(without), pdist(rest, "correlation"), atol=1e-12)
