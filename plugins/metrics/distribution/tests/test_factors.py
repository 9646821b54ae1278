import numpy as np
import pytest

from corteval.errors import AssemblyError, UndefinedScore
from corteval_distribution import factor_dimensionality


def pairs(shape_units, texture_units, count=400, seed=0):
    """Pairs with a common shape, then with a common texture; each unit sees one of the two."""
    rng = np.random.default_rng(seed)
    factors = np.repeat(["shape", "texture"], count)
    sides = []
    shape = rng.standard_normal((2 * count, 2))
    texture = rng.standard_normal((2 * count, 2))
    shape[:count, 1] = shape[:count, 0]
    texture[count:, 1] = texture[count:, 0]
    for side in range(2):
        columns = [shape[:, side]] * shape_units + [texture[:, side]] * texture_units
        sides.append(np.stack(columns, axis=1))
    return sides[0], sides[1], factors


def by_definition(a, b, factors):
    """Unit by unit."""
    units = a.shape[1]
    variance = sum(np.var(np.r_[a[:, n], b[:, n]]) for n in range(units))
    scores = {}
    for name in sorted(set(factors)):
        chosen = [i for i, f in enumerate(factors) if f == name]
        total = 0
        for n in range(units):
            mean = (np.mean(a[chosen, n]) + np.mean(b[chosen, n])) / 2
            total += np.mean([(a[i, n] - mean) * (b[i, n] - mean) for i in chosen])
        scores[name] = total / variance
    scores["residual"] = 1.0
    exponents = {name: np.exp(score) for name, score in scores.items()}
    shares = {name: int(units * e / sum(exponents.values())) for name, e in exponents.items()}
    shares["residual"] = units - sum(n for name, n in shares.items() if name != "residual")
    return {name: count / units for name, count in shares.items()}


def test_shares_follow_the_definition_unit_by_unit():
    a, b, factors = pairs(30, 11)
    expected = by_definition(a, b, factors)
    found = factor_dimensionality(a, b, factors)
    assert found == pytest.approx(expected)
    assert found["shape"] > found["texture"]
    assert sum(found.values()) == pytest.approx(1)


def test_the_order_of_pairs_does_not_matter():
    a, b, factors = pairs(7, 20)
    order = np.random.default_rng(1).permutation(len(a))
    moved = factor_dimensionality(a[order], b[order], factors[order])
    assert moved == factor_dimensionality(a, b, factors)


def test_units_that_do_not_vary_are_no_dimension():
    with pytest.raises(UndefinedScore, match="None of 3 units varies over 4 pairs"):
        factor_dimensionality(np.ones((4, 3)), np.ones((4, 3)), np.array(["shape"] * 4))


def test_pairs_of_another_form_are_refused():
    with pytest.raises(AssemblyError, match="shapes"):
        factor_dimensionality(np.ones((4, 3)), np.ones((4, 2)), np.array(["shape"] * 4))
    with pytest.raises(AssemblyError, match="finite"):
        factor_dimensionality(np.full((1, 3), np.nan), np.ones((1, 3)), np.array(["shape"]))
