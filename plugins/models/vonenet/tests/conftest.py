"""Closed-form inputs and weights, and comparison with recorded summaries of tensors."""

import zlib

import numpy as np
import pytest
import torch


def _closed_input(batch, channels, height, width):
    b, c, i, j = np.indices((batch, channels, height, width)).astype(float)
    return torch.from_numpy(np.sin(0.013 * (7 * b + 3 * c + 1) * (i + 1) + 0.029 * (j + 1))).float()


def _closed_values(name, count):
    """Evenly spread on (-√3, √3), by a hash of the position and the name."""
    prime = 65537
    k, m = np.arange(prime, dtype=np.int64), zlib.crc32(name.encode()) % prime
    by_position = (k * k % prime * 48271 + k * m + m + 12345) % prime
    by_turn = np.arange(-(-count // prime), dtype=np.int64) * 40503 % prime
    h = (by_turn[:, None] + by_position[None]) % prime
    return np.sqrt(3) * (2 * (h.ravel()[:count] + 0.5) / prime - 1)


def _fill(network, keep="vone_block."):
    """Closed-form weights for all but the tensors whose name starts with `keep`."""
    for name, tensor in network.state_dict().items():
        if name.startswith(keep) or name.endswith("num_batches_tracked"):
            continue
        values = _closed_values(name, tensor.numel()).reshape(tensor.shape)
        if name.endswith("running_var") or (name.endswith("weight") and tensor.ndim == 1):
            values = 1 + 0.1 * values
        elif name.endswith("running_mean") or tensor.ndim == 1:
            values = 0.05 * values
        else:
            values = values * np.sqrt(2 * tensor.shape[0] / tensor.numel())
        tensor.copy_(torch.from_numpy(values))
    return network


def _deviation(values, recorded):
    """Largest deviation from a recorded summary, in its standard deviations."""
    x = np.asarray(values, float)
    assert list(x.shape) == recorded["shape"]
    flat = x.ravel()
    found = {
        "mean": x.mean(),
        "std": x.std(),
        "min": x.min(),
        "max": x.max(),
        "first": flat[: len(recorded["first"])],
        "last": flat[-len(recorded["last"]) :],
        "abs_sum": np.abs(x).sum() / x.size,
    }
    wanted = {**recorded, "abs_sum": recorded["abs_sum"] / x.size}
    gaps = [np.abs(np.subtract(v, wanted[name])).max() for name, v in found.items()]
    return max(gaps) / recorded["std"]


@pytest.fixture
def closed_input():
    return _closed_input


@pytest.fixture
def filled():
    return _fill


@pytest.fixture
def deviation():
    return _deviation


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield
