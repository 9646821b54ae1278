"""Images and weights in closed form, as the reference numbers were computed with."""

import zlib
from functools import cache

import numpy as np
import pytest
import torch

_PRIME = 65_537
#: cf_base by h: uniform numbers of variance 1.
_UNIFORM = np.sqrt(3) * (2 * (np.arange(_PRIME) + 0.5) / _PRIME - 1)


def base(name, count):
    """cf_base: `count` numbers of mean 0 and variance 1 that `name` determines."""
    m = zlib.crc32(name.encode()) % _PRIME
    k = np.arange(min(count, _PRIME), dtype=np.int64)
    row = (k * k % _PRIME * 48_271 + k * m + m + 12_345) % _PRIME
    shift = np.arange(-(-count // _PRIME), dtype=np.int64) * 40_503 % _PRIME
    h = row + shift[:, None]
    h[h >= _PRIME] -= _PRIME
    return _UNIFORM[h].ravel()[:count]


@cache
def _matrix(name, shape):
    """Kept, for the models of a family share names and shapes."""
    count = int(np.prod(shape))
    values = base(name, count) * np.sqrt(2 * shape[0] / count)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def _vector(name, count):
    around_one = name.endswith(("weight", "running_var"))
    values = 1 + 0.1 * base(name, count) if around_one else 0.05 * base(name, count)
    return torch.from_numpy(values.astype(np.float32))


def _tensor(name, like):
    if like.ndim == 0:  # number of training steps
        return torch.zeros((), dtype=like.dtype)
    return _matrix(name, tuple(like.shape)) if like.ndim > 1 else _vector(name, len(like))


@pytest.fixture(scope="module")
def in_closed_form():
    """Builds a network, in evaluation mode, with weights in closed form."""

    def build(make):
        with torch.device("meta"):
            network = make()
        state = {name: _tensor(name, like) for name, like in network.state_dict().items()}
        network.load_state_dict(state, assign=True)
        return network.eval()

    yield build
    _matrix.cache_clear()


@pytest.fixture(scope="session")
def closed_images():
    """closed_input(batch, 3, size, size)."""

    def build(batch, size):
        b, c, i, j = np.ogrid[:batch, :3, :size, :size]
        values = np.sin(0.013 * (7 * b + 3 * c + 1) * (i + 1) + 0.029 * (j + 1))
        return torch.from_numpy(values.astype(np.float32))

    return build


@pytest.fixture(scope="session")
def respond():
    """Outputs of layers at every time step, and what the network returns."""

    def run(network, images, suffixes=("output", "avgpool")):
        found, handles = {}, []
        for name, module in network.named_modules():
            if name.endswith(suffixes):

                def keep(module, inputs, output, name=name):
                    step = sum(key.rpartition("-t")[0] == name for key in found)
                    found[f"{name}-t{step}"] = output.clone()

                handles.append(module.register_forward_hook(keep))
        with torch.no_grad():
            found["RETURN"] = network(images)
        for handle in handles:
            handle.remove()
        return found

    return run
