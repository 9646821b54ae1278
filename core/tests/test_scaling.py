"""Scaling laws: recovered from synthetic truth, against closed forms, scipy and numbers printed."""

import itertools

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize_scalar
from scipy.special import huber

from corteval.errors import OptionError, UndefinedScore
from corteval.stats import scaling
from corteval.stats.scaling import (
    DELTA,
    PARAMETERS,
    SCALERS,
    ScalingLaw,
    _objective,
    fit_scaling,
    optimal_allocation,
    training_flops,
)

SIZES = np.logspace(0, 4, 25)
LOSS = 0.4 + 0.5 * SIZES**-0.3
NEAR = {
    "plain": [[-0.5, 0, 0.5]],
    "shifted": [[-0.5, 0, 0.5, 0]],
    "two": [[-0.5, 0, 0.5, 0, 0.5]],
}


def two_sizes(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    n, d = 10 ** rng.uniform(0, 4, rows), 10 ** rng.uniform(0, 4, rows)
    return n, d, 0.3 + 0.6 * n**-0.5 + 0.4 * d**-0.25


def test_the_grid_finds_the_law_that_made_the_losses():
    """Spec `models` 7: E = .4, A = .5, alpha = .3 to 1e-6."""
    law = fit_scaling(LOSS, SIZES)
    assert law.asymptote == pytest.approx(0.4, abs=1e-6)
    assert np.exp(law["a"]) == pytest.approx(0.5, abs=1e-6)
    assert law["alpha"] == pytest.approx(0.3, abs=1e-6)
    np.testing.assert_allclose(law.loss(SIZES), LOSS, rtol=1e-7)
    assert law.rows == 25


@pytest.mark.parametrize(
    "values",
    [(-0.576526, -1.823829, 0.387956), (-0.6488, -0.5994, 0.1569), (-0.2989, -1.7809, 0.2016)],
    ids=["parameters", "compute", "V1"],
)
def test_laws_as_the_field_found_them_are_recovered(values):
    """Losses made from fits printed in spec `models` 7, without noise."""
    e, a, alpha = values
    law = fit_scaling(np.exp(e) + np.exp(a) * SIZES**-alpha, SIZES, starts=NEAR["plain"])
    assert law.values == pytest.approx(values, abs=1e-5)


def test_a_scale_moves_a_and_nothing_else():
    plain = fit_scaling(LOSS, SIZES, starts=NEAR["plain"])
    size = SIZES * SCALERS["parameters"]
    scaled = fit_scaling(LOSS, size, scales=[SCALERS["parameters"]], starts=NEAR["plain"])
    assert scaled.values == pytest.approx(plain.values, abs=1e-9)
    np.testing.assert_allclose(scaled.loss(size), plain.loss(SIZES))


def test_a_shift_is_recovered():
    law = fit_scaling(
        0.4 + 0.5 * (SIZES + 10**0.7) ** -0.3, SIZES, form="shifted", starts=NEAR["shifted"]
    )
    assert [law.asymptote, law["alpha"], law["lambda"]] == pytest.approx([0.4, 0.3, 0.7], abs=1e-3)


def test_two_sizes_are_told_apart():
    n, d, loss = two_sizes()
    law = fit_scaling(loss, n, d, form="two", starts=NEAR["two"])
    expected = [np.log(0.3), np.log(0.6), 0.5, np.log(0.4), 0.25]
    assert law.values == pytest.approx(expected, abs=1e-4)


def test_fits_start_from_the_grid_of_the_spec(monkeypatch):
    """e in -1, ..., 1 by .5; a, b in 0, ..., 25 by 5; alpha, beta in 0, ..., 2 by .5."""
    seen = {}

    def kept(form, target, logs, starts):
        seen[form] = {tuple(start) for start in starts.tolist()}
        return starts[0], 0.0

    monkeypatch.setattr(scaling, "_best", kept)
    n, d, loss = two_sizes()
    fit_scaling(loss, n)
    fit_scaling(loss, n, d, form="two")
    e, a, alpha = (-1, -0.5, 0, 0.5, 1), (0, 5, 10, 15, 20, 25), (0, 0.5, 1, 1.5, 2)
    assert seen["plain"] == set(itertools.product(e, a, alpha))
    assert seen["two"] == set(itertools.product(e, a, alpha, a, alpha))


@pytest.mark.parametrize("form", PARAMETERS)
def test_what_is_minimised_is_scipys_huber_of_log_residuals(form):
    rng = np.random.default_rng(1)
    n, d, loss = two_sizes(30)
    target = np.log(loss) + 0.002 * rng.standard_normal(30)
    values = rng.uniform(0.1, 0.6, len(PARAMETERS[form]))
    values[0] = -1
    e, a, alpha, *rest = values
    law = np.exp(e) + np.exp(a) * (n + (10 ** rest[0] if form == "shifted" else 0)) ** -alpha
    if form == "two":
        law = law + np.exp(rest[0]) * d ** -rest[1]
    objective = _objective(form, target, [np.log(n), np.log(d)])
    value, gradient = objective(values)
    assert value == pytest.approx(huber(DELTA, target - np.log(law)).sum(), rel=1e-9)
    numeric = approx_fprime(values, lambda v: objective(v)[0], 1e-7)
    np.testing.assert_allclose(gradient, numeric, atol=1e-6)


def test_a_few_wild_rows_do_not_carry_the_fit():
    loss = LOSS.copy()
    loss[[3, 17]] *= [2.0, 0.5]
    law = fit_scaling(loss, SIZES, starts=NEAR["plain"])
    assert [law.asymptote, law["alpha"]] == pytest.approx([0.4, 0.3], abs=0.01)


def noisy(seed=0):
    return LOSS * np.exp(0.01 * np.random.default_rng(seed).standard_normal(len(LOSS)))


def test_bootstrap_draws_are_those_of_the_seed():
    first, again = (fit_scaling(noisy(), SIZES, starts=NEAR["plain"], resamples=3) for _ in "ab")
    np.testing.assert_array_equal(first.replicates, again.replicates)
    rows = np.random.default_rng(42).integers(0, len(LOSS), len(LOSS))
    alone = fit_scaling(noisy()[rows], SIZES[rows], starts=[first.values])
    assert first.replicates[0] == pytest.approx(alone.values)
    other = fit_scaling(noisy(), SIZES, starts=NEAR["plain"], resamples=3, seed=1)
    assert not np.array_equal(first.replicates, other.replicates)


def test_the_order_of_rows_changes_no_fit():
    order = np.random.default_rng(2).permutation(len(LOSS))
    first = fit_scaling(noisy(), SIZES, starts=NEAR["plain"])
    assert fit_scaling(noisy()[order], SIZES[order], starts=NEAR["plain"]).values == pytest.approx(
        first.values, abs=1e-4
    )


def test_intervals_and_bands_hold_the_fit():
    law = fit_scaling(noisy(), SIZES, starts=NEAR["plain"], resamples=60)
    for name, (low, high) in law.intervals().items():
        assert low < law[name] < high
    low, high = law.band(SIZES)
    assert (low < high).all()
    assert (low <= law.loss(SIZES)).mean() > 0.9
    with pytest.raises(UndefinedScore, match="0 of 0 bootstrap fits"):
        fit_scaling(LOSS, SIZES, starts=NEAR["plain"]).intervals()


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Percentile intervals of 25 independent rows: somewhat fewer than 95 %."""
    held = 0
    for seed in range(40):
        law = fit_scaling(noisy(seed), SIZES, starts=[[-0.9, -0.7, 0.3]], resamples=100)
        low, high = law.intervals()["alpha"]
        held += low <= 0.3 <= high
    assert held / 40 >= 0.85


def law_of_two(e, a, alpha, b, beta):
    return ScalingLaw(
        form="two", values=(e, a, alpha, b, beta), scales=(1.0, 1.0), objective=0.0, rows=9
    )


@pytest.mark.parametrize("product", [10.0, 1e6])
def test_the_best_division_is_where_the_loss_is_lowest(product):
    """With the two-size fit that was released (spec `models` 7)."""
    law = law_of_two(-0.6594, -1.7074, 0.5797, -0.6949, 0.2225)
    n, d = optimal_allocation(law).at(product)
    assert n * d == pytest.approx(product)
    found = minimize_scalar(
        lambda log_n: float(law.loss([np.exp(log_n)], [product / np.exp(log_n)])[0]),
        bounds=(np.log(n) - 5, np.log(n) + 5),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert np.log(n) == pytest.approx(found.x, abs=1e-5)


def test_exponents_of_the_best_division_are_the_closed_form():
    best = optimal_allocation(law_of_two(-1, np.log(2), 0.6, np.log(3), 0.2))
    assert (best.model_exponent, best.data_exponent) == pytest.approx((0.25, 0.75))
    assert best.factor == pytest.approx((0.6 * 2 / (0.2 * 3)) ** (1 / 0.8))


def test_there_is_no_best_division_where_more_is_never_better():
    with pytest.raises(UndefinedScore, match="both above 0"):
        optimal_allocation(law_of_two(-1, 0, -0.1, 0, 0.2))
    with pytest.raises(OptionError, match="between two sizes"):
        optimal_allocation(fit_scaling(LOSS, SIZES, starts=NEAR["plain"]))


def test_operations_of_training_are_three_times_those_of_a_pass():
    assert training_flops(4.1e9, 1.2e6) == pytest.approx(3 * 8.2e9 * 1.2e6)


@pytest.mark.parametrize(
    ("loss", "sizes", "options", "error", "words"),
    [
        (LOSS, [SIZES], {"form": "cubic"}, OptionError, "plain, shifted, two"),
        (LOSS, [SIZES], {"form": "two"}, OptionError, "has 2 sizes"),
        (LOSS, [SIZES[1:]], {}, OptionError, "25 losses, but 24 sizes"),
        (np.where(SIZES > 10, LOSS, 0), [SIZES], {}, OptionError, "in row 0 it is 0"),
        (LOSS, [np.where(SIZES > 1, SIZES, np.nan)], {}, OptionError, "size .* it is nan"),
        (LOSS[:3], [SIZES[:3]], {}, UndefinedScore, "3 rows: a law of 3 parameters"),
        (LOSS, [np.ones(25)], {}, UndefinedScore, "same in all rows"),
        (LOSS, [SIZES], {"starts": [[0, 0]]}, OptionError, r"rows of e, a, alpha.*\(1, 2\)"),
    ],
)
def test_what_cannot_be_fitted_is_said(loss, sizes, options, error, words):
    with pytest.raises(error, match=words):
        fit_scaling(loss, *sizes, **options)
