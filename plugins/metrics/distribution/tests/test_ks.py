import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from corteval.errors import AssemblyError, UndefinedScore
from corteval_distribution.ks import KSSimilarity, histogram, ks_similarity

COUNTS = (110, 83, 100, 92)
EDGES = (-22.5, 22.5, 67.5, 112.5, 157.5)


def target(counts=COUNTS, edges=EDGES, measured=None):
    return xr.DataArray(
        np.array(counts),
        dims=["bin"],
        coords={"bin_low": ("bin", list(edges[:-1])), "bin_high": ("bin", list(edges[1:]))},
        attrs={"units_measured": measured or sum(counts)},
    )


def values(*numbers):
    return xr.DataArray(np.array(numbers, float), dims=["neuroid"])


def test_one_bin_distributions_have_their_closed_form(reference):
    histograms = reference("marques2020_histograms.json")
    for name, oracle in reference("marques2020.json")["ks"].items():
        counts = histograms[name]["counts"]
        one_bin = ks_similarity(np.eye(len(counts)), counts)
        np.testing.assert_allclose(one_bin, oracle["one_bin"], atol=1e-12)
        assert ks_similarity(np.ones(len(counts)), counts) == pytest.approx(oracle["flat"])


def test_ceilings_equal_long_simulations(reference):
    histograms = reference("marques2020_histograms.json")
    for name, oracle in reference("marques2020.json")["ks"].items():
        data = target(histograms[name]["counts"], histograms[name]["bins"], oracle["n_drawn"])
        estimate = KSSimilarity(resamples=4000)(data, data).raw
        tolerance = 5 * oracle["ceiling_sd"] / np.sqrt(4000)
        assert estimate.value == pytest.approx(oracle["ceiling_20000_draws"], abs=tolerance)


def test_the_published_data_score_one_against_themselves():
    assert ks_similarity(COUNTS, COUNTS) == 1


@given(
    arrays(np.int64, 6, elements=st.integers(0, 50)),
    arrays(np.int64, 6, elements=st.integers(1, 50)),
)
def test_similarity_lies_between_zero_and_one(model, data):
    similarity = ks_similarity(model, data)
    assert np.isnan(similarity) if model.sum() == 0 else -1e-12 <= similarity <= 1


@given(st.permutations(list(range(14))))
def test_the_order_of_units_does_not_matter(order):
    units = np.array([0.0, 10, 50, 100, np.nan, 130, 140] * 2)
    first = KSSimilarity(resamples=50)(values(*units), target())
    second = KSSimilarity(resamples=50)(values(*units[order]), target())
    assert first.raw == second.raw


def test_values_outside_fall_into_the_end_bins_and_nan_into_none():
    counts = histogram(np.array([-90.0, 22.5, 157.5, 400.0, np.nan]), np.array(EDGES))
    assert list(counts) == [1, 1, 0, 2]


def test_draws_are_seeded():
    source = values(*np.linspace(-20, 150, 40))
    assert KSSimilarity(seed=1)(source, target()).raw == KSSimilarity(seed=1)(source, target()).raw
    assert KSSimilarity(seed=1)(source, target()).raw != KSSimilarity(seed=2)(source, target()).raw


@pytest.mark.parametrize("defined", [0, 1, 9])
def test_a_handful_of_units_is_no_distribution(defined):
    with pytest.raises(UndefinedScore, match=f"defined in {defined} of {defined + 2} units"):
        KSSimilarity()(values(np.nan, np.nan, *([1.0] * defined)), target())


def test_a_property_that_most_draws_miss_is_undefined():
    rare = values(*([np.nan] * 20_000), *([10.0] * 10))
    with pytest.raises(UndefinedScore, match="hold none"):
        KSSimilarity()(rare, target())


def test_arrays_of_another_form_are_refused():
    with pytest.raises(AssemblyError, match="needs neuroid or bin"):
        KSSimilarity()(xr.DataArray(np.zeros((2, 2)), dims=["a", "b"]), target())
    with pytest.raises(AssemblyError, match="histogram"):
        KSSimilarity()(values(1.0), values(1.0))
