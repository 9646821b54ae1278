import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rsatoolbox.rdm import RDMs, compare
from scipy.spatial.distance import squareform

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_similarity import compare_rdms, compare_rows, pair_influence
from corteval_similarity.pairs import among, row_sums, times

PEER = {
    "spearman": "spearman",
    "pearson": "corr",
    "kendall": "tau-a",
    "cosine": "cosine",
    "whitened cosine": "cosine_cov",
}


def rdms(stimuli=12, ties=False, seed=0):
    generator = np.random.default_rng(seed)
    first, noise = generator.random((2, stimuli * (stimuli - 1) // 2))
    second = first + noise
    return (np.round(4 * first), np.round(3 * second)) if ties else (first, second)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("comparison", PEER)
def test_comparisons_equal_rsatoolbox(comparison, ties):
    first, second = rdms(ties=ties)
    peer = compare(RDMs(first[None]), RDMs(second[None]), method=PEER[comparison]).item()
    assert compare_rdms(first, second, comparison) == pytest.approx(peer, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_kendall_counts_concordant_less_discordant_pairs(ties):
    first, second = rdms(8, ties)
    signs = [
        np.sign(first[a] - first[b]) * np.sign(second[a] - second[b])
        for a, b in itertools.combinations(range(len(first)), 2)
    ]
    assert compare_rdms(first, second, "kendall") == pytest.approx(np.mean(signs), abs=1e-12)


def test_whitening_is_by_the_covariance_of_distances_under_independent_noise():
    stimuli = 7
    first, second = rdms(stimuli)
    contrasts = np.zeros((len(first), stimuli))
    for row, (i, j) in zip(contrasts, itertools.combinations(range(stimuli), 2), strict=True):
        row[i], row[j] = 1, -1
    precision = np.linalg.inv((contrasts @ contrasts.T) ** 2)
    xy, xx, yy = (a @ precision @ b for a, b in ((first, second), (first, first), (second, second)))
    expected = xy / np.sqrt(xx * yy)
    assert compare_rdms(first, second, "whitened cosine") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("comparison", PEER)
def test_an_rdm_is_most_like_itself(comparison):
    first, second = rdms()
    assert compare_rdms(first, first, comparison) == pytest.approx(1)
    assert compare_rdms(first, second, comparison) < 0.99


@pytest.mark.parametrize("comparison", PEER)
@given(seed=st.integers(0, 100))
def test_the_order_of_stimuli_does_not_matter(comparison, seed):
    first, second = rdms(ties=seed % 2 == 0, seed=seed)
    order = np.random.default_rng(seed).permutation(12)
    moved = compare_rdms(among(first, order), among(second, order), comparison)
    assert moved == pytest.approx(compare_rdms(first, second, comparison), abs=1e-12)


@pytest.mark.parametrize("comparison", PEER)
def test_rdms_given_are_left_as_they_were(comparison):
    first, second = rdms()
    before = first.copy()
    compare_rdms(first, second, comparison)
    np.testing.assert_array_equal(first, before)


@pytest.mark.parametrize("comparison", ["spearman", "pearson", "kendall"])
def test_a_constant_rdm_has_no_correlation(comparison):
    first, _ = rdms()
    with pytest.raises(UndefinedScore, match=r"All 66 dissimilarities are 0\.3"):
        compare_rdms(first, np.full(66, 0.3), comparison)


@pytest.mark.parametrize("comparison", ["cosine", "whitened cosine"])
def test_an_rdm_of_zeros_has_no_cosine(comparison):
    first, _ = rdms()
    with pytest.raises(UndefinedScore, match="All 66 dissimilarities are 0"):
        compare_rdms(first, np.zeros(66), comparison)


@pytest.mark.parametrize("comparison", PEER)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_rdm_that_is_not_finite_is_refused(comparison, value):
    first, second = rdms()
    first[3] = value
    with pytest.raises(UndefinedScore, match="1 of 66 dissimilarities are not finite"):
        compare_rdms(first, second, comparison)


def test_a_constant_but_for_rounding_has_no_correlation():
    first, _ = rdms()
    second = np.where(first < 0.5, 0.3, 0.1 + 0.2)
    with pytest.raises(UndefinedScore, match="a constant has no correlation"):
        compare_rdms(first, second, "pearson")


@pytest.mark.parametrize("comparison", PEER)
def test_rows_are_compared_one_by_one(comparison):
    stack = np.stack([[rdms(seed=2 * a + b)[0] for b in range(2)] for a in range(3)])
    second = rdms()[1]
    expected = [[compare_rdms(pairs, second, comparison) for pairs in row] for row in stack]
    np.testing.assert_array_equal(compare_rows(stack, second, comparison), expected)


def test_a_row_without_a_similarity_is_nan_alone():
    first, second = rdms()
    found = compare_rows(np.stack([first, np.zeros(66), second]), second, "cosine")
    np.testing.assert_array_equal(np.isnan(found), [False, True, False])


def test_whitened_comparisons_have_no_influence_of_single_pairs():
    with pytest.raises(OptionError, match="whitened cosine"):
        pair_influence(*rdms(), "whitened cosine")


def test_integers_do_not_overflow():
    first, second = (np.round(255 * rdm / rdm.max()) for rdm in rdms())
    expected = compare_rdms(first, second, "cosine")
    assert compare_rdms(first.astype(np.uint8), second.astype(np.uint8), "cosine") == expected


def test_an_unknown_comparison_is_refused_with_the_known_ones():
    with pytest.raises(OptionError, match="spearman, pearson, kendall, cosine, whitened cosine"):
        compare_rdms(*rdms(), "covariance")


def test_a_vector_that_is_no_set_of_pairs_is_refused():
    with pytest.raises(AssemblyError, match="5 values are not the pairs"):
        compare_rdms(np.arange(5.0), np.arange(5.0), "whitened cosine")


def test_products_with_a_matrix_equal_those_with_its_square_form():
    pairs, vector = rdms()[0], np.arange(12.0)
    np.testing.assert_allclose(times(pairs, vector), squareform(pairs) @ vector)
    np.testing.assert_allclose(row_sums(pairs), squareform(pairs).sum(axis=1))
