"""The JSON in a ``.keras`` file, read as an `Architecture`; what it does not know it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from corteval.errors import WrongContent
from corteval_v4compact.architecture import MOST_LAYERS, Architecture, Layer

#: Options that matter for training only, and those that say nothing about a layer's output.
_TRAINING = ("_initializer", "_regularizer", "_constraint")
_SILENT = frozenset({"name", "trainable", "dtype", "momentum", "synchronized"})

#: The largest size of a kernel, number of channels and image that is read.
_MOST = 4096


def architecture(text: bytes) -> Architecture:
    """Read the configuration of a functional Keras model that is a chain of known layers.

    Raises:
        WrongContent: says which layer or option is not understood.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WrongContent(f"Its configuration is no JSON: {ascii(str(error))[1:-1]}.") from error
    model = _mapping(content, "the configuration")
    if model.get("class_name") != "Functional":
        _refuse(f"it holds a {shown(model.get('class_name'))}, not a functional model")
    config = _mapping(model.get("config"), "the model")
    entries = config.get("layers")
    if not isinstance(entries, list) or not 1 < len(entries) <= MOST_LAYERS:
        _refuse(f"a model is a list of 2 to {MOST_LAYERS} layers")
    first, *rest = (_mapping(entry, "a layer") for entry in entries)
    if first.get("class_name") != "InputLayer":
        _refuse(f"it starts with a {shown(first.get('class_name'))}, not with an InputLayer")
    layers = tuple(_layer(entry) for entry in rest)
    names = [_name(first), *(layer.name for layer in layers)]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        _refuse(f"two layers are called {repeated}")
    _check_chain(config, names, rest)
    return Architecture(input_shape=_input_shape(_options(first)), layers=layers)


def shown(value: Any) -> str:
    """A value of a file as text for a message, shortened and escaped."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _layer(entry: Mapping[str, Any]) -> Layer:
    kind, name = entry.get("class_name"), _name(entry)
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        _refuse(f"layer {name} is a {shown(kind)}; known are {', '.join(_READERS)}")
    options = _Options(name, _options(entry))
    if options.take("dtype", "float32") != "float32":
        options.refuse("dtype")
    layer = reader(options)
    options.finish()
    return layer


class _Options:
    """Options of a layer, each to be taken, so that one nobody knows is not overlooked."""

    def __init__(self, name: str, given: Mapping[str, Any]) -> None:
        self.name = name
        self._given = given
        self._taken: set[str] = set()

    def take(self, option: str, default: Any = None) -> Any:
        self._taken.add(option)
        return self._given.get(option, default)

    def whole(self, option: str, default: int | None = None) -> int:
        value = self.take(option, default)
        if type(value) is not int or not 1 <= value <= _MOST:
            self.refuse(option)
        return int(value)

    def pair(self, option: str) -> tuple[int, int]:
        value = self.take(option)
        sizes = [value, value] if type(value) is int else value
        if not isinstance(sizes, list) or len(sizes) != 2:
            self.refuse(option)
        if any(type(n) is not int or not 1 <= n <= _MOST for n in sizes):
            self.refuse(option)
        return sizes[0], sizes[1]

    def one_of(self, option: str, *values: Any) -> Any:
        """The value, the first of `values` if it is not given."""
        value = self.take(option, values[0])
        if not any(value == known and type(value) is type(known) for known in values):
            self.refuse(option)
        return value

    def refuse(self, option: str) -> NoReturn:
        _refuse(f"layer {self.name} has {option} = {shown(self._given.get(option))}")

    def finish(self) -> None:
        """Refuse options that nobody took."""
        for option, value in self._given.items():
            known = option in self._taken or option in _SILENT or option.endswith(_TRAINING)
            if not known and value is not None:
                self.refuse(shown(option).strip("'"))


def _convolution(options: _Options) -> dict[str, Any]:
    """What convolutions of all kinds have in common."""
    options.one_of("data_format", "channels_last")
    options.one_of("use_bias", True)
    options.one_of("groups", 1)
    if options.take("dilation_rate", [1, 1]) not in ([1, 1], 1):
        options.refuse("dilation_rate")
    return {
        "name": options.name,
        "kernel": options.pair("kernel_size"),
        "strides": options.pair("strides"),
        "padding": options.one_of("padding", "valid", "same"),
        "activation": options.one_of("activation", "linear", "relu"),
    }


def _conv(options: _Options) -> Layer:
    return Layer(kind="conv", filters=options.whole("filters"), **_convolution(options))


def _separable(options: _Options) -> Layer:
    return Layer(
        kind="separable",
        filters=options.whole("filters"),
        depth_multiplier=options.whole("depth_multiplier", 1),
        **_convolution(options),
    )


def _depthwise(options: _Options) -> Layer:
    multiplier = options.whole("depth_multiplier", 1)
    return Layer(kind="depthwise", depth_multiplier=multiplier, **_convolution(options))


def _norm(options: _Options) -> Layer:
    options.one_of("axis", -1)
    options.one_of("center", True)
    options.one_of("scale", True)
    epsilon = options.take("epsilon", 1e-3)
    if type(epsilon) is not float or not 0 < epsilon < 1:
        options.refuse("epsilon")
    return Layer(name=options.name, kind="norm", epsilon=epsilon)


def _activation(options: _Options) -> Layer:
    chosen = options.one_of("activation", "linear", "relu")
    return Layer(name=options.name, kind="activation", activation=chosen)


def _flatten(options: _Options) -> Layer:
    options.one_of("data_format", "channels_last")
    return Layer(name=options.name, kind="flatten")


def _dense(options: _Options) -> Layer:
    options.one_of("use_bias", True)
    chosen = options.one_of("activation", "linear", "relu")
    return Layer(name=options.name, kind="dense", filters=options.whole("units"), activation=chosen)


_READERS: dict[str, Callable[[_Options], Layer]] = {
    "Conv2D": _conv,
    "SeparableConv2D": _separable,
    "DepthwiseConv2D": _depthwise,
    "BatchNormalization": _norm,
    "Activation": _activation,
    "Flatten": _flatten,
    "Dense": _dense,
}


def _check_chain(
    config: Mapping[str, Any], names: list[str], entries: list[Mapping[str, Any]]
) -> None:
    """Every layer takes the output of the one before it, and nothing else."""
    for before, entry in zip(names, entries, strict=False):
        if _sources(entry) != [before]:
            _refuse(
                f"layer {_name(entry)} takes {', '.join(_sources(entry)) or 'nothing'} where a "
                f"chain has {before}; networks that branch are not read"
            )
    for role, name in (("input", names[0]), ("output", names[-1])):
        ends = config.get(f"{role}_layers")
        if ends not in ([[name, 0, 0]], [name, 0, 0]):
            _refuse(f"its {role} is {shown(ends)}, not {name}")


def _sources(entry: Mapping[str, Any]) -> list[str]:
    """Names of the layers whose outputs a layer takes."""
    nodes = entry.get("inbound_nodes")
    found: list[str] = []
    for node in nodes if isinstance(nodes, list) else []:
        node = _mapping(node, "an inbound node")
        kwargs = _mapping(node.get("kwargs", {}), "an inbound node")
        if any(value is not None for value in kwargs.values()):
            _refuse(f"layer {_name(entry)} is called with {shown(kwargs)}")
        for given in node.get("args") or []:
            tensor = _mapping(given, "an inbound node")
            history = _mapping(tensor.get("config"), "an inbound node").get("keras_history")
            if not isinstance(history, list) or len(history) != 3 or history[1:] != [0, 0]:
                _refuse(f"layer {_name(entry)} takes {shown(history)}")
            found.append(shown(history[0]).strip("'"))
    return found


def _input_shape(options: Mapping[str, Any]) -> tuple[int, int, int]:
    shape = options.get("batch_shape")
    sizes = shape[1:] if isinstance(shape, list) and len(shape) == 4 and shape[0] is None else []
    if len(sizes) != 3 or any(type(n) is not int or not 1 <= n <= _MOST for n in sizes):
        _refuse(f"its input has the shape {shown(shape)}; known is (presentation, y, x, channel)")
    return sizes[0], sizes[1], sizes[2]


def _name(entry: Mapping[str, Any]) -> str:
    name = _options(entry).get("name")
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 100:
        _refuse(f"a layer is called {shown(name)}; names are letters, digits and '_'")
    return name


def _options(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(entry.get("config"), "a layer")


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _refuse(f"{what} is {shown(value)}, not an object")
    return value


def _refuse(reason: str) -> NoReturn:
    raise WrongContent(f"The network is not understood: {reason}.")
