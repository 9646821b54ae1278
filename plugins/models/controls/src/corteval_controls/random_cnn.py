"""A convolutional network that has learnt nothing: what the architecture alone brings.

Images are squashed to 112 x 112 pixels and mapped to [-1, 1]. Four convolutions follow, each padded
by half its kernel and rectified:

    7 x 7, stride 2, 64 -> 5 x 5, stride 2, 128 -> 3 x 3, stride 2, 256 -> 3 x 3, stride 1, 256

Weights are drawn from N(0, 2/fan-in) (He et al. 2015), biases are zero. The last map, 14 x 14, is
averaged over a 5 x 5 grid.
"""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from corteval.errors import OptionError
from corteval.model import ANY_TARGET, LayerCommitment
from corteval_controls.readouts import fitted_to
from corteval_pytorch import Preprocessing, commit, default_device, initialised

PIXELS = 112
CELLS = 5

_CHANNELS = (3, 64, 128, 256, 256)
_KERNELS = (7, 5, 3, 3)
_STRIDES = (2, 2, 2, 1)


def network() -> nn.Sequential:
    """The network, with weights from torch's generator."""
    found = nn.Sequential()
    sizes = zip(pairwise(_CHANNELS), _KERNELS, _STRIDES, strict=True)
    for number, ((inputs, outputs), kernel, stride) in enumerate(sizes, start=1):
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        found.add_module(f"conv{number}", convolution)
        found.add_module(f"relu{number}", nn.ReLU())
    found.add_module("grid", nn.AdaptiveAvgPool2d(CELLS))
    return found


def build(
    seed: int = 0,
    visual_degrees: float = 8.0,
    device: str | None = None,
    batch_size: int | None = None,
) -> LayerCommitment:
    """The subject `random-cnn`; every recording target sees the averaged last layer.

    Args:
        seed: of the weights.
        visual_degrees: field of view.
        device: the first GPU if None, else the CPU.
        batch_size: see `corteval_pytorch.commit`.
    """
    if not 0 <= seed < 2**63:
        raise OptionError(f"The seed of random-cnn is a number from 0, not {seed}.")
    with initialised(seed):
        drawn = network()
    half = (0.5, 0.5, 0.5)
    return commit(
        drawn,
        Preprocessing(size=PIXELS, mean=half, std=half),
        {ANY_TARGET: "grid"},
        identifier="random-cnn",
        visual_degrees=visual_degrees,
        readouts=fitted_to("grid"),
        notes=(f"random weights (seed {seed})",),
        device=device or default_device(),
        batch_size=batch_size,
    )
