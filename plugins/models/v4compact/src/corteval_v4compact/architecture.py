"""Networks as data: a chain of layers with TensorFlow's meaning, and the published one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, final

from corteval.errors import OptionError

Kind = Literal["conv", "separable", "depthwise", "norm", "activation", "flatten", "dense"]
Padding = Literal["same", "valid"]

#: No compact network comes near these; a file that asks for more is damaged or an attack.
MOST_LAYERS = 200
MOST_WEIGHTS = 50_000_000
MOST_UNITS = 100_000_000


@final
@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer. Fields that a kind does not have keep their defaults.

    Args:
        name: under which it is recorded.
        kind: ``"separable"`` is a depthwise convolution followed by one of 1 x 1; ``"norm"`` is
            batch normalisation with stored statistics.
        filters: output channels.
        kernel, strides: (height, width) in pixels.
        padding: TensorFlow's ``"same"`` or ``"valid"``.
        depth_multiplier: filters per input channel of a depthwise convolution.
        activation: applied to the output, ``"linear"`` or ``"relu"``.
        epsilon: added to the variance of a ``"norm"``.
    """

    name: str
    kind: Kind
    filters: int = 0
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = "valid"
    depth_multiplier: int = 1
    activation: Literal["linear", "relu"] = "linear"
    epsilon: float = 1e-3


@final
@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A chain of layers.

    Args:
        input_shape: (height, width, channel) of an image.
        layers: from the image to the responses.
    """

    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Output of each layer, (height, width, channel) or (unit,).

        Raises:
            OptionError: if layers do not fit together, or are larger than any compact network.
        """
        return {layer.name: after for layer, _, after in self._steps()}

    def weights(self) -> Mapping[str, tuple[tuple[int, ...], ...]]:
        """Shapes of the arrays of each layer, laid out and ordered as Keras stores them."""
        found = {layer.name: _arrays(layer, before) for layer, before, _ in self._steps()}
        count = sum(math.prod(shape) for shapes in found.values() for shape in shapes)
        if count > MOST_WEIGHTS:
            raise OptionError(
                f"The network has {count} weights; at most {MOST_WEIGHTS} are read for a compact "
                "network."
            )
        return found

    def _steps(self) -> Iterator[tuple[Layer, tuple[int, ...], tuple[int, ...]]]:
        shape: tuple[int, ...] = self.input_shape
        if len(self.layers) > MOST_LAYERS:
            raise OptionError(f"{len(self.layers)} layers; at most {MOST_LAYERS} are read.")
        for layer in self.layers:
            before, shape = shape, _after(layer, shape)
            if math.prod(shape) > MOST_UNITS:
                raise OptionError(f"Layer {layer.name} has an output of shape {shape}: too large.")
            yield layer, before, shape


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis for TensorFlow's padding ``"same"``.

        total = max((⌈size / stride⌉ - 1) · stride + kernel - size, 0),  before = ⌊total / 2⌋

    The odd zero goes after, unlike PyTorch's even padding: where a stride of 2 meets an even size,
    the grid lies half a stride elsewhere. Source: TensorFlow's documentation of ``tf.nn``,
    "Notes on padding".

    >>> same_padding(112, 5, 2), same_padding(112, 5, 1)
    ((1, 2), (2, 2))
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def compact(*, filters: int = 50, neurons: int = 219, linear: bool = False) -> Architecture:
    """The published architecture: five layers of 5 x 5, a mixing stage, a spatial read-out.

    Args:
        filters: of the first three layers; the other two have 100.
        neurons: outputs.
        linear: leave rectifications out.
    """
    layers: list[Layer] = []
    for number, (count, stride) in enumerate(
        [(filters, 1), (filters, 2), (filters, 2), (100, 1), (100, 1)]
    ):
        layers.append(
            Layer(
                name=f"layer{number}_conv",
                kind="separable" if number else "conv",
                filters=count,
                kernel=(5, 5),
                strides=(stride, stride),
                padding="same",
            )
        )
        layers.append(Layer(name=f"layer{number}_bn", kind="norm"))
        if not linear:
            layers.append(Layer(name=f"layer{number}_act", kind="activation", activation="relu"))
    return Architecture(
        input_shape=(112, 112, 3),
        layers=(
            *layers,
            Layer(name="mixing_stage", kind="conv", filters=neurons, padding="same"),
            Layer(name="spatial_pool_stage", kind="depthwise", kernel=(28, 28)),
            Layer(name="output_responses", kind="flatten"),
        ),
    )


def _after(layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    if layer.kind in {"norm", "activation"}:
        return shape
    if layer.kind == "flatten":
        return (math.prod(shape),)
    if layer.kind == "dense":
        if len(shape) != 1:
            raise OptionError(
                f"Layer {layer.name} is dense over an input of shape {shape}; it needs a flat one."
            )
        return (layer.filters,)
    if len(shape) != 3:
        raise OptionError(
            f"Layer {layer.name} is a convolution over an input of shape {shape}; it needs height, "
            "width and channels."
        )
    axes = zip(shape[:2], layer.kernel, layer.strides, strict=True)
    if layer.padding == "same":
        height, width = (-(-size // stride) for size, _, stride in axes)
    else:
        height, width = ((size - kernel) // stride + 1 for size, kernel, stride in axes)
    if min(height, width) < 1:
        raise OptionError(f"The kernel {layer.kernel} of {layer.name} is larger than its input.")
    channels = shape[2] * layer.depth_multiplier if layer.kind == "depthwise" else layer.filters
    return height, width, channels


def _arrays(layer: Layer, before: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Shapes as Keras stores them: kernels (height, width, input channel, output channel)."""
    channels = before[-1]
    deep = channels * layer.depth_multiplier
    by_kind: dict[Kind, tuple[tuple[int, ...], ...]] = {
        "conv": ((*layer.kernel, channels, layer.filters), (layer.filters,)),
        "separable": (
            (*layer.kernel, channels, layer.depth_multiplier),
            (1, 1, deep, layer.filters),
            (layer.filters,),
        ),
        "depthwise": ((*layer.kernel, channels, layer.depth_multiplier), (deep,)),
        "norm": ((channels,),) * 4,  # gain, offset, mean, variance
        "activation": (),
        "flatten": (),
        "dense": ((channels, layer.filters), (layer.filters,)),
    }
    return by_kind[layer.kind]
