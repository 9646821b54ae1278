"""Influence against derivatives of plainly weighted statistics, leave-one-out and new samples."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from corteval_similarity import cka, correlation_rdm
from corteval_similarity.comparisons import comparison_named
from corteval_similarity.kernels import Kernel, compare_kernels
from corteval_similarity.rotation import compare_patterns

STIMULI = 9


def rdms(ties):
    generator = np.random.default_rng(3)
    first, noise = generator.random((2, STIMULI * (STIMULI - 1) // 2))
    second = first + noise
    return (np.round(4 * first), np.round(3 * second)) if ties else (first, second)


def patterns(units=(4, 5), stimuli=STIMULI):
    generator = np.random.default_rng(0)
    shared = generator.standard_normal((stimuli, 2))
    return [
        shared @ generator.standard_normal((2, count)) + generator.standard_normal((stimuli, count))
        for count in units
    ]


def moments(x, y, chances):
    x, y = x - chances @ x, y - chances @ y
    return chances @ (x * y) / np.sqrt(chances @ x**2 * (chances @ y**2))


def below(x, chances):
    """Share of values below each, and half of those equal to it."""
    return ((x[None] < x[:, None]) + (x[None] == x[:, None]) / 2) @ chances


def signs(x):
    return np.sign(x[:, None] - x[None])


def weighted_pairs(weights):
    pairs = squareform(np.outer(weights, weights) * (1 - np.eye(len(weights))))
    return pairs / pairs.sum()


def centring(weights):
    chances = weights / weights.sum()
    return np.diag(chances) - np.outer(chances, chances)


def kernel_cosine(k, m, weights):
    c = centring(weights)
    inner = [np.trace(a @ c @ b @ c) for a, b in ((k, m), (k, k), (m, m))]
    return inner[0] / np.sqrt(inner[1] * inner[2])


def spearman(x, y, w):
    return moments(below(x, weighted_pairs(w)), below(y, weighted_pairs(w)), weighted_pairs(w))


def kendall(x, y, w):
    pairs = weighted_pairs(w)
    return pairs @ (signs(x) * signs(y)) @ pairs  # pairs of a value with itself make no difference


def cosine(x, y, w):
    pairs = weighted_pairs(w)
    return pairs @ (x * y) / np.sqrt(pairs @ x**2 * (pairs @ y**2))


WEIGHTED = {
    "spearman": spearman,
    "kendall": kendall,
    "pearson": lambda x, y, w: moments(x, y, weighted_pairs(w)),
    "cosine": cosine,
    "whitened cosine": lambda x, y, w: kernel_cosine(squareform(x), squareform(y), w),
}


def derivative(statistic, count=STIMULI, step=1e-5):
    """n times the derivative in the weight of each stimulus."""
    moved = [
        [statistic(np.ones(count) + sign * step * one) for one in np.eye(count)] for sign in (1, -1)
    ]
    return count * (np.array(moved[0]) - np.array(moved[1])) / (2 * step)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("comparison", WEIGHTED)
def test_influence_on_a_comparison_of_rdms_is_its_derivative(comparison, ties):
    x, y = rdms(ties)
    chosen = comparison_named(comparison)
    compared = chosen.compare(chosen.prepare(x.copy()), chosen.prepare(y.copy()), influence=True)
    statistic = WEIGHTED[comparison]
    expected = derivative(lambda weights: statistic(x, y, weights))
    np.testing.assert_allclose(compared.influence, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("units", [(4, 5), (4, 12), (11, 12)])
def test_influence_on_biased_cka_is_its_derivative(units):
    x, y = patterns(units)
    expected = derivative(lambda weights: kernel_cosine(x @ x.T, y @ y.T, weights))
    ours = compare_kernels(Kernel.of(x), Kernel.of(y), debiased=False, influence=True)
    np.testing.assert_allclose(ours.influence, expected, atol=1e-6)


@pytest.mark.parametrize("units", [(4, 5), (4, 12), (11, 12)])
def test_influence_on_debiased_hsic_is_the_change_without_a_stimulus(units):
    def hsic(x, y):
        k, m = (side @ side.T * (1 - np.eye(len(side))) for side in (x, y))
        n, rows = len(k), k.sum(axis=0) @ m.sum(axis=0)
        inner = (k * m).sum() + k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)
        return inner / (n * (n - 3))

    x, y = patterns(units)
    parts = []
    for a, b in ((x, y), (x, x), (y, y)):
        without = [hsic(np.delete(a, i, 0), np.delete(b, i, 0)) for i in range(STIMULI)]
        parts.append((hsic(a, b), (STIMULI - 1) * (hsic(a, b) - np.array(without))))
    (xy, u), (xx, v), (yy, w) = parts
    expected = (u - xy / 2 * (v / xx + w / yy)) / np.sqrt(xx * yy)
    ours = compare_kernels(Kernel.of(x), Kernel.of(y), debiased=True, influence=True)
    np.testing.assert_allclose(ours.influence, expected, atol=1e-10)


@pytest.mark.parametrize("units", [(4, 5), (3, 12), (14, 5), (11, 12)])
def test_influence_on_procrustes_similarity_is_its_derivative(units):
    x, y = patterns(units)

    def similarity(weights):
        c = centring(weights)
        singular = np.linalg.svd(x.T @ c @ y, compute_uv=False)
        return singular.sum() / np.sqrt(np.trace(x.T @ c @ x) * np.trace(y.T @ c @ y))

    ours = compare_patterns(x, y, influence=True)
    np.testing.assert_allclose(ours.influence, derivative(similarity), atol=1e-5)


def brute_force(statistic, stimuli, resamples=1500):
    generator = np.random.default_rng(8)
    counts = generator.multinomial(stimuli, np.full(stimuli, 1 / stimuli), size=resamples)
    return np.std([statistic(row) for row in counts])


def spread(influence):
    """Of first-order replicates, sd of Σ_i (c_i - 1) u_i / n."""
    return np.std(influence) / np.sqrt(len(influence))


@pytest.mark.parametrize("comparison", WEIGHTED)
def test_first_order_spread_is_close_to_that_of_a_full_bootstrap(comparison):
    x, y = (correlation_rdm(side) for side in patterns((12, 15), 40))
    chosen = comparison_named(comparison)
    sides = [chosen.prepare(side.copy()) for side in (x, y)]
    ours = spread(chosen.compare(*sides, influence=True).influence)
    resamples = 100 if comparison == "kendall" else 400
    full = brute_force(lambda counts: WEIGHTED[comparison](x, y, counts), 40, resamples)
    assert ours == pytest.approx(full, rel=0.25)


def test_first_order_spread_of_biased_cka_is_close_to_that_of_a_full_bootstrap():
    x, y = patterns((12, 15), 60)
    ours = compare_kernels(Kernel.of(x), Kernel.of(y), debiased=False, influence=True)

    def resampled(counts):
        rows = np.repeat(np.arange(60), counts)
        return cka(x[rows], y[rows], debiased=False)

    assert spread(ours.influence) == pytest.approx(brute_force(resampled, 60), rel=0.2)


def test_first_order_spread_of_debiased_cka_is_that_over_new_stimuli():
    generator = np.random.default_rng(1)
    maps = generator.standard_normal((4, 90)), generator.standard_normal((4, 20))
    values, spreads = [], []
    for _ in range(300):
        shared = generator.standard_normal((50, 4))
        x, y = (shared @ m + 2 * generator.standard_normal((50, m.shape[1])) for m in maps)
        compared = compare_kernels(Kernel.of(x), Kernel.of(y), debiased=True, influence=True)
        values.append(compared.value)
        spreads.append(spread(compared.influence))
    assert np.mean(spreads) == pytest.approx(np.std(values), rel=0.15)


@pytest.mark.parametrize("comparison", ["spearman", "pearson", "whitened cosine"])
def test_first_order_spread_of_rdm_comparisons_is_that_over_new_stimuli(comparison):
    generator = np.random.default_rng(1)
    maps = generator.standard_normal((4, 90)), generator.standard_normal((4, 20))
    chosen, values, spreads = comparison_named(comparison), [], []
    for _ in range(200):
        shared = generator.standard_normal((50, 4))
        sides = [
            correlation_rdm(shared @ m + 2 * generator.standard_normal((50, m.shape[1])))
            for m in maps
        ]
        compared = chosen.compare(*(chosen.prepare(side) for side in sides), influence=True)
        values.append(compared.value)
        spreads.append(spread(compared.influence))
    assert np.mean(spreads) == pytest.approx(np.std(values), rel=0.25)
