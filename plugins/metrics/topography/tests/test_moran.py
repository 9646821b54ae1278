import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_topography import grid_positions, moran_test, morans_i, queen_neighbours


def plainly(values, x, y, row_standardised):
    """Moran's I by a double loop."""
    n = len(values)
    weights = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            if i != j and max(abs(x[i] - x[j]), abs(y[i] - y[j])) <= 1:
                weights[i][j] = 1.0
        total = sum(weights[i])
        if row_standardised and total:
            weights[i] = [w / total for w in weights[i]]
    mean = sum(values) / n
    z = [v - mean for v in values]
    above = sum(weights[i][j] * z[i] * z[j] for i in range(n) for j in range(n))
    return n / sum(map(sum, weights)) * above / sum(a * a for a in z)


@given(
    seed=st.integers(0, 10**6),
    width=st.integers(2, 6),
    height=st.integers(2, 6),
    gaps=st.integers(0, 2),
    row_standardised=st.booleans(),
)
def test_morans_i_is_that_of_a_double_loop(seed, width, height, gaps, row_standardised):
    rng = np.random.default_rng(seed)
    x, y = grid_positions(width * height, width, seed=seed)
    kept = rng.permutation(len(x))[gaps if len(x) > 5 else 0 :]
    x, y = x[kept], y[kept]
    values = rng.standard_normal(len(x))
    found = morans_i(values, x, y, row_standardised=row_standardised)
    assert found == pytest.approx(plainly(values, x, y, row_standardised), rel=1e-9, abs=1e-12)


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_neither_the_scale_of_the_map_nor_of_the_tissue_matters(seed, scale, shift):
    values = np.random.default_rng(seed).standard_normal(20)
    x, y = grid_positions(20, 5)
    found = morans_i(scale * values + shift, scale * x + shift, scale * y - shift)
    assert found == pytest.approx(morans_i(values, x, y), abs=1e-7)


@given(order=st.permutations(list(range(16))))
def test_the_order_of_units_does_not_matter(order):
    values = np.random.default_rng(0).standard_normal(16)
    x, y = grid_positions(16)
    assert morans_i(values[order], x[order], y[order]) == pytest.approx(morans_i(values, x, y))


def test_smooth_maps_are_near_one_and_stripes_of_single_units_are_negative():
    x, y = grid_positions(28 * 28)
    assert morans_i(np.sin(x / 6) + y / 14, x, y) > 0.95
    assert morans_i((-1.0) ** (x + y), x, y) == pytest.approx(
        plainly((-1.0) ** (x + y), x, y, True)
    )
    assert morans_i((-1.0) ** x, x, y) < -0.2


def test_many_maps_are_computed_at_once_and_constant_ones_have_none():
    maps = np.random.default_rng(1).standard_normal((4, 25))
    maps[2] = 0.1
    x, y = grid_positions(25)
    found = morans_i(maps, x, y)
    assert found.shape == (4,)
    assert np.isnan(found[2])
    assert found[3] == pytest.approx(float(morans_i(maps[3], x, y)))


def test_without_order_the_mean_is_minus_one_over_n_minus_one():
    maps = np.random.default_rng(0).standard_normal((20_000, 16))
    found = morans_i(maps, *grid_positions(16))
    assert found.mean() == pytest.approx(-1 / 15, abs=4 * found.std() / np.sqrt(20_000))


def test_p_of_maps_without_order_is_uniform():
    x, y = grid_positions(25)
    rng = np.random.default_rng(5)
    p = [moran_test(rng.standard_normal(25), x, y, permutations=99, seed=n).p for n in range(200)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_an_ordered_map_exceeds_every_permutation():
    x, y = grid_positions(49)
    found = moran_test(x + y, x, y, permutations=199, seed=3)
    assert found.p == 1 / 200
    assert found.expected == -1 / 48
    assert found.value == pytest.approx(float(morans_i(x + y, x, y)))
    assert found == moran_test(x + y, x, y, permutations=199, seed=3)
    assert found.deviation != moran_test(x + y, x, y, permutations=199, seed=4).deviation


def test_a_queen_moves_along_sides_and_corners():
    x, y = grid_positions(9)
    pairs = queen_neighbours(0.25 * x, 0.25 * y)
    assert len(pairs) == 20  # 12 sides and 8 corners
    assert [list(p) for p in pairs if 4 in p] == [[0, 4], [1, 4], [2, 4], [3, 4], [4, 5], [4, 6],
                                                 [4, 7], [4, 8]]  # fmt: skip


def test_neighbours_may_be_given():
    values = np.array([1.0, 2.0, 4.0])
    x = y = np.array([0.0, 0.3, 1.7])
    found = morans_i(values, x, y, neighbours=np.array([[0, 1], [1, 2]]), row_standardised=False)
    z = values - values.mean()
    assert found == pytest.approx(3 / 4 * 2 * (z[0] * z[1] + z[1] * z[2]) / (z @ z))


def test_permuted_positions_are_the_same_grid():
    x, y = grid_positions(784, seed=7)
    assert sorted(zip(x, y, strict=True)) == sorted(zip(*grid_positions(784), strict=True))
    assert (x != grid_positions(784)[0]).any()


@pytest.mark.parametrize(
    ("places", "error", "words"),
    [
        (([0, 1, 2.5], [0, 0, 0]), AssemblyError, "square grid"),
        (([0, 0, 1], [0, 0, 0]), AssemblyError, "one place"),
        (([0, 0, 0], [0, 0, 0]), AssemblyError, "no grid"),
        (([0, 1, np.nan], [0, 0, 0]), AssemblyError, "no place"),
        (([0, 1], [0, 0]), AssemblyError, "for each of 2 units"),
    ],
)
def test_places_that_are_no_grid_are_refused(places, error, words):
    x, y = (np.array(p, float) for p in places)
    with pytest.raises(error, match=words):
        morans_i(np.arange(3.0), x, y)


def test_maps_without_a_value_say_why():
    x, y = grid_positions(9)
    with pytest.raises(AssemblyError, match="1 values are not finite"):
        morans_i(np.r_[np.nan, np.arange(8.0)], x, y)
    with pytest.raises(UndefinedScore, match="constant"):
        moran_test(np.ones(9), x, y)
    with pytest.raises(UndefinedScore, match="neighbour"):
        morans_i(
            np.arange(2.0), np.array([0.0, 1]), np.array([0.0, 1]), neighbours=np.empty((0, 2), int)
        )
    with pytest.raises(OptionError, match="permutation"):
        moran_test(np.arange(9.0), x, y, permutations=0)
    with pytest.raises(OptionError, match="no square"):
        grid_positions(10)
    with pytest.raises(OptionError, match="rows of 3"):
        grid_positions(10, 3)
