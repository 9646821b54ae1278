import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from corteval_ceilings import extrapolate, fit_as_published, fit_saturation
from corteval_ceilings.saturation import slopes

X = np.arange(2.0, 11)


def curves(seed=0, count=40, noise=0.01, x=X):
    rng = np.random.default_rng(seed)
    v0, tau = rng.uniform(0.1, 0.9, (count, 1)), rng.uniform(0.5, 6, (count, 1))
    return v0 * (1 - np.exp(-x / tau)) + noise * rng.standard_normal((count, len(x)))


def squared_error(x, y, v0, tau):
    return ((y - v0[:, None] * (1 - np.exp(-x / tau[:, None]))) ** 2).sum(axis=1)


@pytest.fixture
def unit(reference):
    """Bootstrapped means of the published scores, drawn as the specification says."""
    case = reference("ceiling.json")["unit"]
    generator = np.random.RandomState(0)
    means = [
        [generator.choice(pool, len(pool), replace=True).mean() for _, pool in case["groups"]]
        for _ in range(100)
    ]
    x = np.array([size for size, _ in case["groups"]])
    return x, np.array(means).T[:, :, None], case["expected"]


@pytest.mark.parametrize("fit", [fit_saturation, fit_as_published])
def test_published_scores_have_the_published_ceiling(unit, fit):
    x, means, expected = unit
    found = extrapolate(x, means, fit)
    assert found.ceiling[0] == pytest.approx(expected["center"], abs=1e-6)
    assert found.tau[0] == pytest.approx(expected["tau_median"], abs=1e-6)
    assert found.endpoint[0] == expected["endpoint_x"]
    assert found.low[0] == pytest.approx(expected["error_low"], abs=1e-6)
    assert found.high[0] == pytest.approx(expected["error_high"], abs=1e-6)


def test_medians_equal_those_of_scipy():
    """Of 25 bootstraps of each of 8 neuroids with a usual amount of noise."""
    y = np.stack([curves(seed=n, count=1, noise=0) for n in range(8)])
    y = y + 0.01 * np.random.default_rng(0).standard_normal((8, 25, 9))
    ours, theirs = fit_saturation(X, y), fit_as_published(X, y)
    np.testing.assert_allclose(np.median(ours.v0, axis=1), np.median(theirs.v0, axis=1), atol=1e-6)


@pytest.mark.parametrize("noise", [0.003, 0.05])
def test_no_general_optimiser_finds_a_smaller_error(noise):
    y = curves(noise=noise)
    ours = squared_error(X, y, *fit_saturation(X, y))
    for row, error in zip(y, ours, strict=True):
        for start in ((0.5, 0.0), (0.5, 3.0), (0.9, -3.0)):
            other = least_squares(
                lambda p, row=row: row - p[0] * -np.expm1(-X * np.exp(-p[1])),
                start,
                bounds=([0, -3.5], [1, 16]),
                xtol=1e-14,
                ftol=1e-14,
                gtol=1e-14,
            )
            assert error <= 2 * other.cost + 1e-12


@settings(deadline=None)
@given(st.floats(0.01, 1), st.floats(0.6, 50))
def test_exact_curves_are_recovered(v0, tau):
    found = fit_saturation(X, v0 * (1 - np.exp(-X / tau)))
    assert found.v0 == pytest.approx(v0, abs=1e-6)
    assert found.tau == pytest.approx(tau, rel=1e-5)


def test_scores_that_do_not_rise_above_zero_have_a_ceiling_of_zero():
    assert fit_saturation(X, -0.1 + 0.01 * np.sin(X)).v0 == 0


def test_falling_scores_have_their_mean_as_ceiling():
    y = np.linspace(0.5, 0.4, 9)
    assert fit_saturation(X, y).v0 == pytest.approx(y.mean(), abs=1e-9)


def test_the_asymptote_never_exceeds_one():
    found = fit_saturation(X, 0.05 * X)
    assert found.v0 == 1
    assert found.tau == pytest.approx(fit_as_published(X, 0.05 * X).tau, rel=1e-3)


def test_missing_points_are_left_out():
    y = curves()
    gap = y.copy()
    gap[:, 3] = np.nan
    kept = np.delete(np.arange(9), 3)
    expected = fit_saturation(X[kept], y[:, kept])
    np.testing.assert_allclose(fit_saturation(X, gap), expected, rtol=1e-6)


def test_one_point_has_no_fit():
    y = np.full((2, 9), np.nan)
    y[0, 0] = 0.3
    assert np.isnan(fit_saturation(X, y)).all()


def test_curves_without_fit_are_left_out_and_counted():
    y = curves(count=30).reshape(30, 1, 9)
    scores = np.moveaxis(y, 2, 0).copy()
    scores[:, :4] = np.nan
    found = extrapolate(X, scores)
    np.testing.assert_allclose(found.ceiling, np.median(fit_saturation(X, y[4:]).v0))
    assert found.failed.tolist() == [4]


def test_a_neuroid_without_any_fit_has_no_ceiling():
    scores = np.full((9, 5, 2), np.nan)
    scores[:, :, 0] = curves(count=5).T
    found = extrapolate(X, scores)
    assert np.isnan(found.ceiling[1]) and np.isnan(found.endpoint[1])
    assert np.isfinite(found.ceiling[0])


def test_the_end_of_the_curve_follows_its_definition():
    scores = np.moveaxis(curves(count=30, noise=0.02).reshape(30, 1, 9), 2, 0)
    found, fits = extrapolate(X, scores), fit_saturation(X, scores[:, :, 0].T)
    along = np.arange(1000)
    lines = fits.v0[:, None] * (1 - np.exp(-along / fits.tau[:, None]))
    end = np.flatnonzero(np.diff(np.median(lines, axis=0)) < 5e-4)[0]
    assert found.endpoint[0] == end
    low, high = np.percentile(lines[:, end], [2.5, 97.5])
    assert found.low[0] == pytest.approx(found.ceiling[0] - low)
    assert found.high[0] == pytest.approx(high - found.ceiling[0])


def test_slopes_agree_with_finite_differences():
    y = curves(count=10, noise=0.001)
    found = slopes(X, y)
    for point in range(9):
        step = np.zeros(9)
        step[point] = 1e-5
        change = fit_saturation(X, y + step).v0 - fit_saturation(X, y - step).v0
        np.testing.assert_allclose(found[:, point], change / 2e-5, rtol=0.05, atol=0.01)
