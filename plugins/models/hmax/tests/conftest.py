"""Closed-form inputs and patches, and comparison with recorded summaries of tensors."""

import zlib

import numpy as np
import pytest
import torch

PRIME = 65537


def _closed_input(batch, channels, height, width):
    b, c, i, j = np.indices((batch, channels, height, width)).astype(float)
    return torch.from_numpy(np.sin(0.013 * (7 * b + 3 * c + 1) * (i + 1) + 0.029 * (j + 1))).float()


def _closed_patches(count):
    """Patches by size, around .2: a hash of the position and the name, spread evenly."""
    patches = {}
    for number, size in enumerate(range(2, 17, 2)):
        k = np.arange(count * 4 * size * size, dtype=np.int64)
        k1, q, m = k % PRIME, k // PRIME, zlib.crc32(f"patch{number}".encode()) % PRIME
        h = (k1 * k1 % PRIME * 48271 + k1 * m + q * 40503 + m + 12345) % PRIME
        values = 0.2 + 0.1 * np.sqrt(3) * (2 * (h + 0.5) / PRIME - 1)
        patches[size] = torch.from_numpy(values.reshape(count, 4, size, size)).float()
    return patches


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
def image():
    return 128 + 100 * _closed_input(1, 1, 128, 128)


@pytest.fixture(scope="session")
def patches():
    return _closed_patches(10)


@pytest.fixture
def deviation():
    return _deviation


@pytest.fixture
def recorded(reference):
    return reference("models.json")["hmax"]


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield
