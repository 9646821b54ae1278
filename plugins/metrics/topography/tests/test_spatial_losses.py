import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from corteval.errors import AssemblyError, OptionError
from corteval_topography import (
    SpatialLoss,
    grid_positions,
    neighbourhoods,
    sampled_spatial_loss,
    spatial_loss,
)
from corteval_topography.differentiable import spatial_loss as torch_loss


def closed_form(name, count):
    """Numbers of the reference's `_meta.conventions`."""
    k = np.arange(count, dtype=np.int64)
    k1, q, m = k % 65537, k // 65537, zlib.crc32(name.encode()) % 65537
    h = (((k1 * k1 % 65537) * 48271) + k1 * m + q * 40503 + m + 12345) % 65537
    return np.sqrt(3) * (2 * (h + 0.5) / 65537 - 1)


def toy():
    features = np.maximum(closed_form("tdann.features", 32 * 392).reshape(32, 392), 0)[:, :100]
    places = 2 * closed_form("tdann.positions", 784).reshape(392, 2)[:100]
    return features, places


def plainly(responses, x, y, kind):
    """The loss by loops over pairs."""
    r, d = [], []
    for i in range(responses.shape[1]):
        for j in range(i):
            r.append(np.corrcoef(responses[:, i], responses[:, j])[0, 1])
            d.append(1 / (1 + np.hypot(x[i] - x[j], y[i] - y[j])))
    r, d = np.array(r), np.array(d)
    return np.abs(r - d).mean() if kind == "absolute" else (1 - np.corrcoef(r, d)[0, 1]) / 2


@pytest.mark.parametrize("kind", ["relative", "absolute"])
def test_the_losses_are_those_of_the_published_code(reference, kind):
    features, places = toy()
    expected = reference("models.json")["tdann"][f"spatial_loss_{kind}"]
    assert spatial_loss(features, *places.T, kind=kind) == pytest.approx(expected, abs=1e-12)
    found = torch_loss(torch.from_numpy(features), torch.from_numpy(places), kind)
    assert float(found) == pytest.approx(expected, abs=1e-12)


def test_a_constant_unit_counts_as_in_the_published_code(reference):
    features, places = toy()
    name = "spatial_loss_relative_with_one_constant_unit"
    expected = reference("models.json")["tdann"][name]
    found = set()
    for unit in range(100):
        changed = features.copy()
        changed[:, unit] = 0.3
        value = spatial_loss(changed, *places.T)
        assert float(
            torch_loss(torch.from_numpy(changed), torch.from_numpy(places))
        ) == pytest.approx(value, abs=1e-9)
        found.add(round(value, 9))
    assert round(expected, 9) in found  # the reference does not say which unit


@given(
    seed=st.integers(0, 10**6),
    units=st.integers(3, 9),
    kind=st.sampled_from(["relative", "absolute"]),
)
def test_the_loss_is_that_of_loops_over_pairs(seed, units, kind):
    rng = np.random.default_rng(seed)
    responses, x, y = rng.standard_normal((12, units)), *rng.standard_normal((2, units))
    assert spatial_loss(responses, x, y, kind=kind) == pytest.approx(plainly(responses, x, y, kind))


@given(seed=st.integers(0, 1000), order=st.permutations(list(range(8))))
def test_neither_the_order_of_units_nor_that_of_stimuli_matters(seed, order):
    rng = np.random.default_rng(seed)
    responses, x, y = rng.standard_normal((8, 8)), *rng.standard_normal((2, 8))
    expected = spatial_loss(responses, x, y)
    assert spatial_loss(responses[:, order], x[order], y[order]) == pytest.approx(expected)
    assert spatial_loss(responses[order], x, y) == pytest.approx(expected)


def test_smooth_maps_lose_less_than_rough_ones():
    x, y = grid_positions(100)
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    kernel = np.linalg.cholesky(1 / (1 + distance) + 1e-9 * np.eye(100))
    noise = np.random.default_rng(0).standard_normal((2000, 100))
    assert spatial_loss(noise @ kernel.T, x, y) < 0.02
    assert spatial_loss(noise, x, y) == pytest.approx(0.5, abs=0.05)


def test_neighbourhoods_are_squares_around_different_centres():
    x, y = grid_positions(784, seed=3)
    groups = neighbourhoods(x, y, seed=1)
    assert len(groups.members) == 400
    sizes = [len(m) for m in groups.members]
    assert max(sizes) == 121  # 11 x 11
    assert min(sizes) >= 36  # 6 x 6 in a corner
    for members in groups.members:
        assert np.ptp(x[members]) <= 10
        assert np.ptp(y[members]) <= 10
        inside = (
            (x >= x[members].min()) & (x <= x[members].max())
            & (y >= y[members].min()) & (y <= y[members].max())
        )  # fmt: skip
        assert inside.sum() == len(members)
    assert len({tuple(m) for m in groups.members}) == 400
    again = neighbourhoods(x, y, seed=1)
    assert all((a == b).all() for a, b in zip(groups.members, again.members, strict=True))
    assert len(neighbourhoods(*grid_positions(9), centres=400).members) == 9


def test_the_sampled_loss_is_the_mean_over_its_neighbourhoods():
    x, y = grid_positions(64)
    responses = np.random.default_rng(2).standard_normal((30, 64))
    groups = neighbourhoods(x, y, radius=2, centres=20, seed=0)
    each = [spatial_loss(responses[:, m], x[m], y[m]) for m in groups.members]
    assert sampled_spatial_loss(responses, x, y, groups) == pytest.approx(np.mean(each))
    drawn = [sampled_spatial_loss(responses, x, y, groups, number=5, seed=s) for s in range(300)]
    assert np.mean(drawn) == pytest.approx(np.mean(each), abs=4 * np.std(drawn) / np.sqrt(300))
    assert drawn[0] == sampled_spatial_loss(responses, x, y, groups, number=5, seed=0)


def test_the_torch_function_is_the_same_loss_over_batches_of_tokens():
    x, y = grid_positions(64, seed=5)
    groups = neighbourhoods(x, y, radius=2, centres=20, seed=0)
    activations = np.random.default_rng(2).standard_normal((4, 6, 64))
    loss = SpatialLoss(x=x, y=y, groups=groups, number=5)
    for step in (0, 1):
        expected = sampled_spatial_loss(
            activations.reshape(24, 64), x, y, groups, number=5, seed=step
        )
        found = loss(torch.from_numpy(activations), seed=step)
        assert float(found) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["relative", "absolute"])
def test_gradients_are_those_of_finite_differences(kind):
    generator = torch.Generator().manual_seed(0)
    responses = torch.randn(7, 5, dtype=torch.float64, generator=generator, requires_grad=True)
    places = torch.randn(5, 2, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(lambda r: torch_loss(r, places, kind), (responses,))


def test_gradients_are_finite_where_a_unit_is_constant_or_all_are_the_same():
    places = torch.tensor(np.column_stack(grid_positions(9)))
    constant = torch.randn(6, 9, generator=torch.Generator().manual_seed(1)).double()
    constant[:, 2] = 0.5
    for responses in (constant, torch.zeros(6, 9).double()):
        responses.requires_grad_()
        torch_loss(responses, places).backward()
        assert torch.isfinite(responses.grad).all()


def test_training_on_the_loss_makes_responses_topographic():
    x, y = grid_positions(36)
    loss = SpatialLoss(x=x, y=y, groups=neighbourhoods(x, y, radius=3, centres=10))
    torch.manual_seed(0)
    weights = torch.randn(20, 36, requires_grad=True)
    inputs = torch.randn(200, 20)
    optimiser = torch.optim.Adam([weights], lr=0.05)
    values = []
    for step in range(60):
        optimiser.zero_grad()
        value = loss(inputs @ weights, seed=step)
        value.backward()
        optimiser.step()
        values.append(float(value.detach()))
    assert np.mean(values[:5]) > 0.4
    assert np.mean(values[-5:]) < 0.2


def test_what_has_no_loss_is_refused():
    x, y = grid_positions(9)
    with pytest.raises(AssemblyError, match="of 9 units"):
        spatial_loss(np.ones((3, 8)), x, y)
    with pytest.raises(AssemblyError, match="three units"):
        spatial_loss(np.ones((3, 2)), x[:2], y[:2])
    with pytest.raises(AssemblyError, match="not finite"):
        spatial_loss(np.full((3, 9), np.nan), x, y)
    with pytest.raises(OptionError, match="relative or absolute"):
        spatial_loss(np.ones((3, 9)), x, y, kind="other")
    with pytest.raises(OptionError, match="radius"):
        neighbourhoods(x, y, radius=0)
