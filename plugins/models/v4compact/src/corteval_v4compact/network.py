"""Layers with TensorFlow's meaning as torch modules, and the network they make.

Tensors are (presentation, channel, height, width), as everywhere in torch; weights are turned from
Keras's (height, width, input channel, output channel).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from corteval.errors import OptionError
from corteval_v4compact.architecture import Architecture, Layer, Padding, same_padding

#: Name of the layer of pooled features, and the side of the squares they are averaged over.
FEATURES = "features"
POOLED_SIDE = 4

#: The published architecture's read-out begins here; what lies before is the representation.
READOUT = "mixing_stage"


@final
class Convolution(nn.Module):
    """Cross-correlation with TensorFlow's padding, over all channels or channel by channel.

    With kernel w of (height a, width b), stride s and the zeros of `same_padding` around x:

        y[k, i, j] = bias[k] + Σ_{c,a,b} w[k, c, a, b] · x[c, i·s + a, j·s + b]

    A depthwise one has ``k = c · multiplier + q``, and no sum over c.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: tuple[int, int],
        strides: tuple[int, int],
        padding: Padding,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.strides, self.padding, self.groups = strides, padding, groups
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, *kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(presentation, channel, height, width)."""
        if self.padding == "same":
            kernel = self.weight.shape[2:]
            rows, columns = (
                same_padding(size, extent, stride)
                for size, extent, stride in zip(x.shape[2:], kernel, self.strides, strict=True)
            )
            x = functional.pad(x, (*columns, *rows))
        return functional.conv2d(x, self.weight, self.bias, stride=self.strides, groups=self.groups)


@final
class Separable(nn.Module):
    """A depthwise convolution without bias, then one of 1 x 1 that mixes channels."""

    def __init__(self, layer: Layer, inputs: int) -> None:
        super().__init__()
        self.depthwise = _depthwise(layer, inputs, bias=False)
        self.pointwise = Convolution(
            inputs * layer.depth_multiplier,
            layer.filters,
            kernel=(1, 1),
            strides=(1, 1),
            padding="valid",
        )

    def forward(self, x: Tensor) -> Tensor:
        """(presentation, channel, height, width)."""
        mixed: Tensor = self.pointwise(self.depthwise(x))
        return mixed


@final
class Normalisation(nn.Module):
    """Batch normalisation with stored statistics, in training and evaluation alike.

    y[c] = gain[c] · (x[c] - mean[c]) / √(variance[c] + epsilon) + offset[c]
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.gain = nn.Parameter(torch.ones(channels))
        self.offset = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(presentation, channel[, height, width])."""
        return functional.batch_norm(
            x, self.mean, self.variance, self.gain, self.offset, eps=self.epsilon
        )


@final
class Flatten(nn.Module):
    """(presentation, channel, height, width) to (presentation, unit), channels running fastest."""

    def forward(self, x: Tensor) -> Tensor:
        """Unit ``(row · width + column) · channels + k``, for TensorFlow keeps channels last."""
        return x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x


@final
class CompactNetwork(nn.Module):
    """The chain of an `Architecture`; its submodules have the names of the layers.

    One more submodule, ``features``, averages the last map before the read-out over squares of 4 x
    4 positions. Nothing depends on it: it is there to be recorded.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.features = nn.AvgPool2d(POOLED_SIDE)
        self.pooled = _pooled(architecture)
        self.names = tuple(layer.name for layer in architecture.layers)
        shapes = architecture.shapes()
        architecture.weights()  # refuses what is too large before memory is taken
        before: tuple[int, ...] = architecture.input_shape
        for layer in architecture.layers:
            if hasattr(self, layer.name):
                raise OptionError(f"A layer cannot be called {layer.name!r} here.")
            self.add_module(layer.name, _module(layer, before))
            before = shapes[layer.name]

    def forward(self, x: Tensor) -> Tensor:
        """Responses (presentation, unit) to images (presentation, channel, height, width)."""
        for name in self.names:
            x = getattr(self, name)(x)
            if name == self.pooled:
                self.features(x)
        return x


def initialise(network: CompactNetwork) -> None:
    """Draw kernels as Keras would, biases 0, from torch's global generator.

    Glorot and Bengio 2010: uniform on ±√(6 / (fan_in + fan_out)), with fans counted from Keras's
    layout, in which a depthwise kernel has ``multiplier`` output channels.
    """
    for module in network.modules():
        if isinstance(module, Convolution):
            outputs, inputs, height, width = module.weight.shape
            extent = height * width
            if module.groups > 1:
                inputs, outputs = module.groups, outputs // module.groups
            limit = math.sqrt(6 / (extent * (inputs + outputs)))
        elif isinstance(module, nn.Linear):
            limit = math.sqrt(6 / (module.in_features + module.out_features))
            nn.init.zeros_(module.bias)
        else:
            continue
        nn.init.uniform_(module.weight, -limit, limit)


def load(network: CompactNetwork, weights: Mapping[str, Sequence[np.ndarray]]) -> None:
    """Take over arrays as Keras lays them out."""
    with torch.no_grad():
        for name in network.names:
            for tensor, array in zip(_tensors(getattr(network, name)), weights[name], strict=True):
                tensor.copy_(torch.from_numpy(_as_in_torch(array, tensor)))


def _module(layer: Layer, before: tuple[int, ...]) -> nn.Module:
    module = _linear_part(layer, before)
    if layer.activation == "relu":
        return nn.Sequential(module, nn.ReLU()) if layer.kind != "activation" else nn.ReLU()
    return module


def _linear_part(layer: Layer, before: tuple[int, ...]) -> nn.Module:
    match layer.kind:
        case "conv":
            return Convolution(
                before[-1],
                layer.filters,
                kernel=layer.kernel,
                strides=layer.strides,
                padding=layer.padding,
            )
        case "separable":
            return Separable(layer, before[-1])
        case "depthwise":
            return _depthwise(layer, before[-1], bias=True)
        case "norm":
            return Normalisation(before[-1], layer.epsilon)
        case "activation":
            return nn.Identity()
        case "flatten":
            return Flatten()
        case "dense":
            return nn.Linear(before[-1], layer.filters)


def _depthwise(layer: Layer, inputs: int, *, bias: bool) -> Convolution:
    return Convolution(
        inputs,
        inputs * layer.depth_multiplier,
        kernel=layer.kernel,
        strides=layer.strides,
        padding=layer.padding,
        groups=inputs,
        bias=bias,
    )


def _pooled(architecture: Architecture) -> str | None:
    """The last map before the read-out, if it can be averaged over squares."""
    names = [layer.name for layer in architecture.layers]
    if READOUT not in names[1:]:
        return None
    last = names[names.index(READOUT) - 1]
    shape = architecture.shapes()[last]
    return last if len(shape) == 3 and not any(n % POOLED_SIDE for n in shape[:2]) else None


def _tensors(module: nn.Module) -> list[Tensor]:
    """Tensors of a layer in Keras's order."""
    if isinstance(module, nn.Sequential):
        return _tensors(module[0])
    if isinstance(module, Separable):
        return [module.depthwise.weight, *_tensors(module.pointwise)]
    if isinstance(module, Normalisation):
        return [module.gain, module.offset, module.mean, module.variance]
    return list(module.parameters())


def _as_in_torch(array: np.ndarray, tensor: Tensor) -> np.ndarray:
    if array.ndim == 2:  # dense: (input, output)
        return np.ascontiguousarray(array.T)
    if array.ndim != 4:
        return array
    # with one input per output, a depthwise kernel (height, width, channel, multiplier)
    order = (2, 3, 0, 1) if tensor.shape[1] == 1 else (3, 2, 0, 1)
    return np.ascontiguousarray(array.transpose(order)).reshape(tuple(tensor.shape))
