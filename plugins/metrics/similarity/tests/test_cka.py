import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval.errors import UndefinedScore
from corteval_similarity import cka


def patterns(stimuli=20, units=(6, 9), seed=0):
    generator = np.random.default_rng(seed)
    shared = generator.standard_normal((stimuli, 4))
    return [
        shared @ generator.standard_normal((4, count))
        + generator.standard_normal((stimuli, count))
        + 5
        for count in units
    ]


def biased_by_definition(x, y):
    count = len(x)
    centring = np.eye(count) - 1 / count

    def hsic(a, b):
        return np.trace(a @ a.T @ centring @ b @ b.T @ centring)

    return hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))


def debiased_by_definition(x, y):
    count = len(x)

    def hsic(a, b):
        k, m = a @ a.T, b @ b.T
        np.fill_diagonal(k, 0)
        np.fill_diagonal(m, 0)
        one = np.ones(count)
        inner = np.trace(k @ m)
        inner += (one @ k @ one) * (one @ m @ one) / ((count - 1) * (count - 2))
        inner -= 2 * (one @ k @ m @ one) / (count - 2)
        return inner / (count * (count - 3))

    return hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))


SIZES = [(20, (6, 9)), (20, (6, 50)), (20, (50, 6)), (20, (40, 50)), (4, (2, 7)), (20, (1, 1))]


@pytest.mark.parametrize(("stimuli", "units"), SIZES)
def test_debiased_cka_is_what_song_et_al_define(stimuli, units):
    x, y = patterns(stimuli, units)
    assert cka(x, y) == pytest.approx(debiased_by_definition(x, y), abs=1e-10)


@pytest.mark.parametrize(("stimuli", "units"), SIZES)
def test_biased_cka_is_its_definition_with_centring_matrices(stimuli, units):
    x, y = patterns(stimuli, units)
    assert cka(x, y, debiased=False) == pytest.approx(biased_by_definition(x, y), abs=1e-10)


def test_units_in_several_blocks_and_single_precision_make_no_difference():
    x, y = patterns(1000, (2100, 5), seed=1)
    single = cka(x.astype(np.float32), y)
    assert single == pytest.approx(cka(x, y), abs=1e-6)
    assert single == pytest.approx(debiased_by_definition(x, y), abs=1e-6)


@pytest.mark.parametrize("debiased", [True, False])
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_rotation_scale_and_shift_do_not_matter(debiased, seed, scale):
    x, y = patterns(seed=seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((6, 6)))
    moved = scale * x @ turn + np.arange(6)
    expected = cka(x, y, debiased=debiased)
    assert cka(moved, y, debiased=debiased) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("units", [5, 100])
def test_patterns_are_most_like_themselves(debiased, units):
    x, y = patterns(units=(units, units))
    assert cka(x, x, debiased=debiased) == pytest.approx(1)
    assert cka(x, y, debiased=debiased) < 0.99


def test_many_units_of_noise_look_alike_only_to_the_biased_estimate():
    values = [
        [cka(*np.random.default_rng(seed).standard_normal((2, 20, 500)), debiased=debiased)]
        for seed in range(50)
        for debiased in (True, False)
    ]
    debiased, biased = np.reshape(values, (50, 2)).T
    assert abs(debiased.mean()) < 0.03
    assert biased.mean() > 0.9


def test_three_stimuli_are_too_few_for_the_debiased_estimate():
    x, y = patterns(3)
    with pytest.raises(UndefinedScore, match="needs at least 4 stimuli; there are 3"):
        cka(x, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("units", [5, 100])
def test_patterns_that_do_not_vary_are_refused(units, dtype):
    constant = np.tile(np.random.default_rng(0).random(units, dtype), (20, 1))
    with pytest.raises(UndefinedScore, match=f"All {units} units respond alike to all 20"):
        cka(constant, patterns()[1])


def test_patterns_at_equal_distances_leave_nothing_to_align():
    with pytest.raises(UndefinedScore, match="as far from each other"):
        cka(np.eye(20), patterns()[1])
