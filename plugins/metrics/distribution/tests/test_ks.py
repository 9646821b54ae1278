import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ks_2samp

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.intervals import interval_of
from corteval.score import normalize
from corteval_distribution import KSSimilarity, histogram, ks_sample_similarity, ks_similarity

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
    if model.any():
        assert 0 <= ks_similarity(model, data) <= 1
    else:
        with pytest.raises(UndefinedScore, match="All counts of model are 0"):
            ks_similarity(model, data)


@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        ([-1, 2], [1, 2], "1 of 2 of model are others, such as -1"),
        ([1, 2], [1, np.nan], "1 of 2 of data are others, such as nan"),
        ([1, 2, 3], [1, 2], "The model has 3 bins and the data have 2"),
        ([1], [1], "two or more bins"),
    ],
)
def test_counts_that_are_no_distribution_are_refused(model, data, words):
    with pytest.raises(OptionError, match=words):
        ks_similarity(model, data)


def test_a_sample_without_values_is_undefined():
    with pytest.raises(UndefinedScore, match="All counts of model are 0"):
        ks_sample_similarity(np.array([np.nan]), np.array([1.0, 2.0]))


def test_a_histogram_with_negative_counts_is_refused():
    with pytest.raises(AssemblyError, match="finite and not negative"):
        KSSimilarity()(values(*np.arange(20)), target([30, -1, 30, 41]))


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
    with pytest.raises(AssemblyError, match="coordinates bin_low"):
        KSSimilarity()(values(1.0), xr.DataArray(np.zeros(3), dims=["bin"]))
    with pytest.raises(AssemblyError, match="needs neuroid or bin"):
        KSSimilarity()(target(), values(*range(20)))
    with pytest.raises(AssemblyError, match="different bins"):
        KSSimilarity()(target(edges=(0, 1, 2, 3, 4)), target())
    with pytest.raises(AssemblyError, match="two or more adjoining bins"):
        KSSimilarity()(values(*range(20)), target((30,), (0, 1)))
    with pytest.raises(OptionError, match="at least one resample"):
        KSSimilarity(resamples=0)


unit_values = arrays(np.float64, st.integers(2, 30), elements=st.integers(-4, 9))


def worst_distance(data):
    """To a point at either end of the range, by scipy."""
    return max(ks_2samp([end], data, method="asymp").statistic for end in (data.min(), data.max()))


@given(unit_values, unit_values.filter(lambda v: len(set(v)) > 1))
def test_the_similarity_of_samples_is_scipys_distance_over_the_worst(model, data):
    inside = np.clip(model, data.min(), data.max())
    expected = 1 - ks_2samp(inside, data, method="asymp").statistic / worst_distance(data)
    assert ks_sample_similarity(model, data) == pytest.approx(expected, abs=1e-12)
    exact = KSSimilarity(exact=True, resamples=1)
    tenfold = exact(values(*np.tile(model, 10)), values(*np.tile(data, 10)))
    assert tenfold.value == pytest.approx(expected, abs=1e-12)


@given(unit_values, unit_values.filter(lambda v: len(set(v)) > 1))
def test_the_similarity_of_samples_survives_monotone_transformations(model, data):
    moved = ks_sample_similarity(np.exp(model / 3), np.exp(data / 3))
    assert moved == pytest.approx(ks_sample_similarity(model, data), abs=1e-12)


def test_samples_score_as_the_histogram_that_separates_their_values():
    model, data = np.repeat([0.0, 1, 2, 3], [7, 0, 9, 4]), np.repeat([0.0, 1, 2, 3], COUNTS)
    bins = target(edges=(-0.5, 0.5, 1.5, 2.5, 3.5))
    for exact in (False, True):
        metric = KSSimilarity(exact=exact)
        of_samples, of_bins = metric(values(*model), values(*data)), metric(values(*model), bins)
        # bins between the values hold nothing, but take part in the random stream
        assert of_samples.value == pytest.approx(of_bins.value, abs=0 if exact else 0.005)


def test_draws_from_a_sample_follow_their_definition_in_a_loop():
    rng = np.random.default_rng(3)
    model, data = rng.normal(0.4, 1, 300), rng.normal(0, 1, 80)
    inside, worst = np.clip(model, data.min(), data.max()), worst_distance(data)
    draws = [
        1 - ks_2samp(rng.choice(inside, 80), data, method="asymp").statistic / worst
        for _ in range(2000)
    ]
    raw = KSSimilarity(resamples=2000)(values(*model), values(*data)).raw
    assert raw.value == pytest.approx(np.mean(draws), abs=5 * np.std(draws) / np.sqrt(1000))
    assert raw.error == pytest.approx(np.std(draws), rel=0.1)


def test_exact_similarity_is_that_of_all_units_to_the_data():
    source = values(*np.linspace(-20, 150, 41), np.nan)
    score = KSSimilarity(exact=True)(source, target())
    assert score.value == ks_similarity(histogram(source.values, np.array(EDGES)), COUNTS)
    assert score.value == KSSimilarity(exact=True, seed=7)(source, target()).value
    assert score.value > KSSimilarity()(source, target()).value, "draws are noisier"


@pytest.mark.parametrize("data", [target(), values(*np.arange(50) % 20)])
def test_data_score_exactly_one_against_themselves(data):
    raw = KSSimilarity(exact=True)(data, data).raw
    assert raw.value == 1 and raw.replicates == ()


@pytest.mark.parametrize("exact", [False, True])
def test_replicates_are_draws_of_as_many_units_as_were_measured(exact):
    source = values(*np.linspace(-20, 90, 40))
    raw = KSSimilarity(exact=exact, resamples=200)(source, target(measured=400)).raw
    (replicates,) = raw.replicates
    assert (replicates.scope, replicates.sizes) == ("neuroids", (400,))
    assert len(replicates.values) == 200
    assert raw.error == pytest.approx(np.std(replicates.values), abs=1e-6)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("measured", [100, 400])
def test_intervals_hold_the_value_and_shrink_with_the_units_measured(exact, measured):
    metric = KSSimilarity(exact=exact)
    source = values(*np.linspace(-20, 90, 400))

    def width(units):
        data = target([c * units // 100 for c in (30, 25, 25, 20)])
        score = normalize(metric(source, data), metric(data, data).raw)
        low, high = score.interval.low, score.interval.high
        assert low < score.value < high
        assert score.interval.scope == "neuroids"
        return high - low

    # a distance falls as one over the root of the number of units
    assert width(measured) / width(4 * measured) == pytest.approx(2, rel=0.2)


def test_an_interval_of_draws_is_their_spread():
    raw = KSSimilarity()(values(*np.linspace(-20, 90, 400)), target()).raw
    interval = interval_of(raw.value, raw.replicates)
    low, high = np.quantile(raw.replicates[0].values, [0.025, 0.975])
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.002)


def test_units_without_value_take_part_in_the_draws_of_a_sample():
    source = values(*np.arange(30))
    data = values(*np.arange(40), *([np.nan] * 60))
    score = KSSimilarity(resamples=20)(source, data)
    assert score.raw.replicates[0].sizes == (100,)


def test_a_property_without_variety_in_the_data_is_undefined():
    with pytest.raises(
        UndefinedScore, match="1 of the 2 or more distinct values of a distribution in 20"
    ):
        KSSimilarity()(values(*np.arange(20)), values(*np.ones(20)))
    with pytest.raises(UndefinedScore, match="defined in 4 of 5 measured units"):
        KSSimilarity()(values(*np.arange(20)), values(1, 2, 3, 4, np.nan))


def test_many_units_are_drawn_a_part_of_the_resamples_at_a_time(monkeypatch):
    source, data = values(*np.linspace(0, 1, 50)), values(*np.linspace(0, 2, 40))
    whole = KSSimilarity(resamples=30)(source, data).raw
    monkeypatch.setattr("corteval_distribution.ks._BUDGET", 400)
    assert KSSimilarity(resamples=30)(source, data).raw == whole
