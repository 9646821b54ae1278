import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corteval.errors import OptionError, UndefinedScore
from corteval.stats.relations import (
    correlation_interval,
    correlation_replicates,
    leave_cluster_out,
    line_band,
    relate,
)

#: Models in each family, as uneven as those of the field.
SIZES = (9, 6, 5, 5, 4, 3, 3, 2, 2, 2, 1, 1)


def drawn(seed, *, between=0.6, within=0.6, shared=0.5, sizes=SIZES):
    """Two scores of models in families, and the correlation in the population they come from.

    Args:
        between, within: correlation of what families have in common, and of what they do not.
        shared: share of variance that is of families.
    """
    rng = np.random.default_rng([seed, 17])
    family = np.repeat(np.arange(len(sizes)), sizes)

    def pairs(count, r):
        return rng.multivariate_normal([0, 0], [[1, r], [r, 1]], count)

    of_families, own = pairs(len(sizes), between)[family], pairs(len(family), within)
    x, y = (np.sqrt(shared) * of_families + np.sqrt(1 - shared) * own).T
    return x, y, [f"family-{n:02d}" for n in family], shared * between + (1 - shared) * within


@pytest.fixture(scope="module")
def scores():
    x, y, families, _ = drawn(3)
    return x, y, families


def test_r_is_that_of_scipy(scores):
    x, y, families = scores
    found = relate(x, y, clusters=families, resamples=200)
    assert found.r == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert found.models == len(x)


def test_rows_that_lack_a_score_are_left_out(scores):
    x, y, families = scores
    holed = np.where(np.arange(len(x)) % 5 == 0, np.nan, x)
    kept = ~np.isnan(holed)
    found = relate(holed, y, clusters=families, resamples=300)
    expected = relate(x[kept], y[kept], clusters=np.array(families)[kept], resamples=300)
    assert found == expected


def test_replicates_are_correlations_of_drawn_rows():
    """The generator is that of draws everywhere; here each draw is laid out row by row."""
    from corteval.stats.resampling import draw_counts

    x, y, families, _ = drawn(1)
    names = np.unique(families)
    counts = draw_counts(names, 50, [9, 4])
    values = correlation_replicates(x, y, clusters=families, resamples=50, seed=9).values
    for row, value in zip(counts, values, strict=True):
        rows = [
            i
            for name, times in zip(names, row, strict=True)
            for _ in range(times)
            for i in np.flatnonzero(np.array(families) == name)
        ]
        assert value == pytest.approx(np.arctanh(np.corrcoef(x[rows], y[rows])[0, 1]), abs=1e-9)


def test_clusters_of_one_row_give_the_interval_of_rows(scores):
    """Their draws differ, so up to the error of 20,000 replicates."""
    x, y, _ = scores
    alone = [f"model-{n:02d}" for n in range(len(x))]
    rows = correlation_interval(x, y, resamples=20_000)
    clusters = correlation_interval(x, y, clusters=alone, resamples=20_000)
    assert (clusters.low, clusters.high) == pytest.approx((rows.low, rows.high), abs=0.01)
    assert (rows.scope, clusters.scope) == ("models", "clusters")


@pytest.mark.parametrize("clustered", [False, True])
def test_with_independent_rows_the_interval_is_near_scipys(clustered):
    x, y, _, _ = drawn(5, shared=0.0, sizes=(1,) * 300)
    alone = [f"model-{n:03d}" for n in range(300)] if clustered else None
    ours = correlation_interval(x, y, clusters=alone, resamples=10_000)
    fisher = stats.pearsonr(x, y).confidence_interval()
    boot = stats.bootstrap(
        (x, y),
        lambda a, b, axis: stats.pearsonr(a, b, axis=axis).statistic,
        paired=True,
        vectorized=True,
        n_resamples=3000,
        rng=0,
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((boot.low, boot.high), abs=0.012)
    assert (ours.low, ours.high) == pytest.approx((fisher.low, fisher.high), abs=0.03)


def test_copies_of_a_model_do_not_narrow_the_interval_over_clusters():
    """Each model five times over: that tells nothing new."""
    x, y, _, _ = drawn(2, shared=0.0, sizes=(1,) * 25)
    names = [f"model-{n:02d}" for n in range(25)]
    many = [np.repeat(values, 5) for values in (x, y, names)]
    once = correlation_interval(x, y, clusters=names, resamples=2000)
    copied = correlation_interval(*many[:2], clusters=many[2], resamples=2000)
    naive = correlation_interval(*many[:2], resamples=2000)
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=1e-9)
    assert naive.high - naive.low < 0.6 * (once.high - once.low)


def test_leaving_out_is_that_of_pandas(scores):
    x, y, families = scores
    table = pd.DataFrame({"x": x, "y": y, "family": families})
    found = leave_cluster_out(x, y, families)
    assert list(found) == sorted(set(families))
    for name, r in found.items():
        rest = table[table["family"] != name]
        assert r == pytest.approx(rest["x"].corr(rest["y"]), abs=1e-12)


def test_leaving_out_clusters_of_one_is_the_jackknife(scores):
    x, y, _ = scores
    names = [f"{n:02d}" for n in range(len(x))]
    found = [*leave_cluster_out(x, y, names).values()]
    rows = np.arange(len(x))
    expected = [stats.pearsonr(x[rows != n], y[rows != n]).statistic for n in rows]
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_family_that_carries_a_relation_is_named():
    x, y, families, _ = drawn(4, between=0, within=0)
    x, y = x.copy(), y.copy()
    odd = np.array(families) == "family-07"
    x[odd] += 8
    y[odd] += 8
    found = relate(x, y, clusters=families, resamples=200)
    assert found.most_influential == "family-07"
    assert found.range[0] == found.left_out["family-07"] < 0.45 < found.r
    assert found.by_cluster.low < found.interval.low


def test_without_clusters_there_is_nothing_to_leave_out(scores):
    x, y, _ = scores
    found = relate(x, y, resamples=200)
    assert (found.by_cluster, found.left_out, found.most_influential) == (None, {}, "")
    assert found.range == (found.r, found.r)


@given(seed=st.integers(0, 10**6), scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3))
def test_neither_units_nor_the_order_of_rows_matter(seed, scale, shift):
    x, y, families, _ = drawn(6)
    order = np.random.default_rng(seed).permutation(len(x))
    moved = [np.array(values)[order] for values in (x, y, families)]
    one = correlation_interval(x, y, clusters=families, resamples=100)
    other = correlation_interval(
        moved[0] * scale + shift * scale, moved[1], clusters=moved[2], resamples=100
    )
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-6)


def test_the_line_is_least_squares_and_its_band_near_the_textbooks():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(400)
    y = 2 + 0.7 * x + rng.standard_normal(400)
    at = np.array([-1.5, 0.0, 2.0])
    line, low, high = line_band(x, y, at, resamples=4000)
    fit = stats.linregress(x, y)
    np.testing.assert_allclose(line, fit.intercept + fit.slope * at, atol=1e-12)
    residual = y - fit.intercept - fit.slope * x
    error = np.sqrt(residual @ residual / 398 * (1 / 400 + (at - x.mean()) ** 2 / 400 / x.var()))
    np.testing.assert_allclose((high - low) / 2, stats.t.ppf(0.975, 398) * error, rtol=0.1)


def test_bands_over_clusters_are_wider_where_families_share_what_is_related(scores):
    x, y, _, _ = drawn(8, between=0.9, within=0.0, shared=0.8)
    _, _, families = scores
    _, low, high = line_band(x, y, [0.0], resamples=500)
    _, low_c, high_c = line_band(x, y, [0.0], clusters=families, resamples=500)
    assert high_c - low_c > 1.3 * (high - low)


def test_a_perfect_relation_has_finite_bounds():
    x = np.arange(12.0)
    found = correlation_interval(x, -x, clusters=[*"aaabbbcccddd"], resamples=200)
    assert found.low == pytest.approx(-1) and found.high == pytest.approx(-1)


@pytest.mark.parametrize(
    ("x", "y", "clusters", "error", "words"),
    [
        ([1, 2, 3], [1, 2, 3], None, UndefinedScore, "3 models have both"),
        ([1, 2, np.nan, 3], [1, 2, 3, 4], None, UndefinedScore, "3 models have both"),
        ([1, 1, 1, 1], [1, 2, 3, 4], None, UndefinedScore, "x is 1 throughout"),
        ([0.1, 0.1, 0.1, 0.1], [1, 2, 3, 4], None, UndefinedScore, "throughout"),
        ([1, 2, 3, 4], [1, 2, 3], None, OptionError, "x has 4 values, y has 3"),
        ([1, 2, 3, 4], [1, 2, 4, 3], ["a", "b"], OptionError, "2 names of clusters"),
        ([1, 2, 3, 4], [1, 2, 4, 3], [*"aabb"], UndefinedScore, "2 clusters"),
    ],
)
def test_what_allows_no_interval_is_refused(x, y, clusters, error, words):
    with pytest.raises(error, match=words):
        relate(x, y, clusters=clusters, resamples=50)


@pytest.mark.parametrize(("level", "resamples"), [(1.0, 100), (0.0, 100), (0.95, 1)])
def test_impossible_options_are_refused(level, resamples):
    with pytest.raises(OptionError, match="level between 0 and 1"):
        correlation_interval([1, 2, 3, 4], [1, 3, 2, 4], level=level, resamples=resamples)


#: How models are drawn, and whether rows may be taken for independent.
GENERATORS = {
    "independent, unrelated": ({"between": 0, "within": 0, "shared": 0}, True),
    "independent, related": ({"shared": 0}, True),
    "families, related": ({"between": 0.5, "within": 0.5}, False),
    "families, unrelated": ({"between": 0, "within": 0}, False),
    "equal families": ({"between": 0.5, "within": 0.5, "sizes": (3,) * 14}, False),
    "families nearly all": ({"between": 0.5, "within": 0.5, "shared": 0.8}, False),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERATORS)
def test_intervals_over_clusters_cover_as_they_say(name, record_testsuite_property):
    """And those over rows do not, where families share what they score."""
    options, independent = GENERATORS[name]
    covered = np.zeros(2)
    count = 1000
    for seed in range(count):
        x, y, families, truth = drawn(seed, **options)
        for n, clusters in enumerate((None, families)):
            interval = correlation_interval(x, y, clusters=clusters, resamples=400, seed=seed)
            covered[n] += interval.low <= truth <= interval.high
    rows, clusters = covered / count
    record_testsuite_property(f"coverage over clusters, {name}", clusters)
    record_testsuite_property(f"coverage over rows, {name}", rows)
    assert 0.925 <= clusters <= 0.975
    assert bool(rows >= 0.925) is independent
