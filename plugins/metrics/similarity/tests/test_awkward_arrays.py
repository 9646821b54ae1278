import warnings

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from corteval.errors import AssemblyError, UndefinedScore
from corteval_similarity import cka, compare_rdms, correlation_rdm, euclidean_rdm, procrustes

COMPARISONS = ["spearman", "pearson", "kendall", "cosine", "whitened cosine"]


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def patterns(seed=0, units=8, stimuli=12):
    return np.random.default_rng(seed).standard_normal((stimuli, units)) + 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("compare", [cka, procrustes, lambda x, y: correlation_rdm(y)])
def test_responses_that_are_not_finite_are_counted(compare, bad):
    y = patterns(1)
    y[3, :2] = bad
    with pytest.raises(AssemblyError, match="2 of 96 responses are not finite, to 1 of 12 stimuli"):
        compare(patterns(), y)


@pytest.mark.parametrize("compare", [cka, procrustes])
def test_numbers_of_stimuli_must_agree(compare):
    with pytest.raises(AssemblyError, match="of 12 and of 11 stimuli"):
        compare(patterns(), patterns()[:-1])


@pytest.mark.parametrize("compare", [cka, procrustes, lambda x, y: correlation_rdm(y)])
def test_patterns_have_two_dimensions(compare):
    with pytest.raises(AssemblyError, match=r"not of shape \(12,\)"):
        compare(patterns(), patterns()[:, 0])


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e307])
@pytest.mark.parametrize("units", [8, 20])
@pytest.mark.parametrize("compare", [cka, procrustes])
def test_huge_and_tiny_responses_compare_as_others_do(compare, units, scale):
    x, y = patterns(0, units), patterns(1, units)
    assert compare(scale * x, y / scale) == pytest.approx(compare(x, y), abs=1e-9)


@pytest.mark.parametrize("scale", [1e25, 1e-25])
def test_large_float32_responses_to_many_stimuli_compare_as_others_do(scale):
    x, y = (patterns(seed, 5, 1000).astype(np.float32) for seed in (0, 1))
    assert cka(np.float32(scale) * x, y) == pytest.approx(cka(x, y), abs=1e-5)


@pytest.mark.parametrize("scale", [1e-300, 1e200, 1e307])
def test_huge_and_tiny_patterns_have_the_same_correlation_distances(scale):
    x = patterns()
    scaled = x.copy()
    scaled[::2] *= scale
    np.testing.assert_allclose(correlation_rdm(scaled), correlation_rdm(x), atol=1e-12)


def test_euclidean_distances_that_overflow_are_refused():
    with pytest.raises(AssemblyError, match="Squares of responses overflow"):
        euclidean_rdm(1e200 * patterns())


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("scale", [1e-300, 1e200, 1e307])
def test_huge_and_tiny_dissimilarities_compare_as_others_do(comparison, scale):
    x, y = correlation_rdm(patterns()), correlation_rdm(patterns(1))
    expected = compare_rdms(x, y, comparison)
    assert compare_rdms(scale * x, y, comparison) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_rdms_are_vectors_of_the_same_pairs_and_finite(comparison):
    x = correlation_rdm(patterns())
    with pytest.raises(AssemblyError, match="of 66 and of 55 pairs"):
        compare_rdms(x, correlation_rdm(patterns()[1:]), comparison)
    with pytest.raises(AssemblyError, match=r"not of shape \(12, 12\)"):
        compare_rdms(squareform(x), squareform(x), comparison)
    with pytest.raises(UndefinedScore, match="66 of 66 dissimilarities are not finite"):
        compare_rdms(x, x * np.nan, comparison)


def test_too_few_units_name_what_to_use():
    with pytest.raises(UndefinedScore, match="Use distance='euclidean' or the metric cka"):
        correlation_rdm(patterns()[:, :2])
