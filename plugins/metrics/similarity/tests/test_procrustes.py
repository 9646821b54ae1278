import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval.errors import UndefinedScore
from corteval_similarity import procrustes


def patterns(stimuli=20, units=(6, 6), seed=0):
    generator = np.random.default_rng(seed)
    shared = generator.standard_normal((stimuli, 4))
    return [
        shared @ generator.standard_normal((4, count))
        + generator.standard_normal((stimuli, count))
        + 5
        for count in units
    ]


def nuclear(x, y):
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    singular = scipy.linalg.svdvals(x.T @ y)
    return singular.sum() / np.linalg.norm(x) / np.linalg.norm(y)


def test_similarity_is_that_of_the_best_rotation_of_scipy():
    x, y = (side - side.mean(axis=0) for side in patterns())
    rotation, _ = scipy.linalg.orthogonal_procrustes(x, y)
    expected = np.sum(x @ rotation * y) / np.linalg.norm(x) / np.linalg.norm(y)
    assert procrustes(x, y) == pytest.approx(expected, abs=1e-12)


def test_disparity_of_scipy_is_one_less_the_squared_similarity():
    x, y = patterns()
    _, _, disparity = scipy.spatial.procrustes(x, y)
    assert procrustes(x, y) == pytest.approx(np.sqrt(1 - disparity), abs=1e-12)


@pytest.mark.parametrize(
    ("stimuli", "units"),
    [(20, (6, 9)), (20, (1, 9)), (20, (60, 6)), (20, (60, 70)), (20, (25, 19)), (10, (3000, 4))],
)
def test_any_numbers_of_units_give_the_sum_of_singular_values(stimuli, units):
    x, y = patterns(stimuli, units)
    assert procrustes(x, y) == pytest.approx(nuclear(x, y), abs=1e-9)
    assert procrustes(y, x) == pytest.approx(nuclear(x, y), abs=1e-9)


def test_more_units_than_stimuli_of_few_dimensions_are_handled():
    x, y = patterns(20, (4, 60))
    x = x @ np.random.default_rng(0).standard_normal((4, 70))
    assert procrustes(x, y) == pytest.approx(nuclear(x, y), abs=1e-7)


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_rotation_scale_and_shift_do_not_matter(seed, scale):
    x, y = patterns(seed=seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((6, 6)))
    assert procrustes(x, scale * x @ turn - 3) == pytest.approx(1)
    assert procrustes(scale * x @ turn - 3, y) == pytest.approx(procrustes(x, y), abs=1e-9)


@pytest.mark.parametrize("units", [5, 100])
def test_patterns_that_do_not_vary_are_refused(units):
    constant = np.tile(np.random.default_rng(0).random(units), (20, 1))
    with pytest.raises(UndefinedScore, match=f"All {units} units respond alike"):
        procrustes(constant, patterns()[1])
