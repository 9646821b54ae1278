"""Layers by name: which submodule, at which of its calls, and what of its output.

``"layer4.1"`` is a submodule of that dotted name, ``"IT.output-t1"`` its second call in a forward
pass, ``"encoder[1]"`` or ``"encoder[hidden]"`` an element of what it returns, and ``"output"`` (if
no submodule has that name) what the network itself returns.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from corteval.errors import OptionError, PluginError

OUTPUT = "output"

_NAME = re.compile(r"(?P<module>.*?)(?:\[(?P<element>\w+)\])?(?:-t(?P<step>\d+))?")


class Tap(NamedTuple):
    """A place in a network.

    Args:
        module: dotted name; empty for the network itself.
        step: number of the call in a forward pass; None takes the last.
        element: of what the module returns; empty takes the first tensor.
    """

    module: str
    step: int | None = None
    element: str = ""


def tap_of(layer: str, network: nn.Module) -> Tap:
    """The place that `layer` names.

    Raises:
        OptionError: if there is no such submodule, with close matches.
    """
    modules = dict(network.named_modules(remove_duplicate=False))
    if layer in modules and layer:
        return Tap(layer)
    found = _NAME.fullmatch(layer)
    assert found is not None  # the pattern takes any text
    name = found["module"]
    if name == OUTPUT and OUTPUT not in modules:
        name = ""
    elif name not in modules or not name:
        close = get_close_matches(name, list(modules), n=3, cutoff=0.4)
        some = close or [m for m in modules if m][-3:]
        raise OptionError(
            f"{type(network).__name__} has no layer {layer!r}. "
            + (f"Did you mean {', '.join(some)}? " if close else f"Some are {', '.join(some)}. ")
            + f"Its {len(modules) - 1} layers have the names of torch's named_modules()."
        )
    step = None if found["step"] is None else int(found["step"])
    return Tap(name, step, found["element"] or "")


def without_step(layer: str) -> str:
    """`layer` for all time steps: the units of a recurrent layer stay the same over time."""
    return re.sub(r"-t\d+$", "", layer)


def tensor_of(output: Any, tap: Tap, layer: str) -> Tensor:
    """The tensor of a module's output that `tap` names."""
    if tap.element:
        try:
            key: Any = int(tap.element) if tap.element.isdigit() else tap.element
            output = output[key] if not hasattr(output, str(key)) else getattr(output, str(key))
        except (KeyError, IndexError, TypeError) as error:
            raise OptionError(f"{layer}: its output has no element {tap.element!r}.") from error
    elif isinstance(output, (tuple, list)):
        output = next((o for o in output if isinstance(o, Tensor)), output)
    if not isinstance(output, Tensor):
        keys = f" with {', '.join(map(str, output))}" if isinstance(output, Mapping) else ""
        raise OptionError(
            f"Layer {layer} returns a {type(output).__name__}{keys}, not a tensor; name an element "
            f"of it, as in {layer}[{next(iter(output), 0) if isinstance(output, Mapping) else 0}]."
        )
    if output.ndim < 2 or not (output.is_floating_point() or output.dtype in _INTEGERS):
        raise OptionError(
            f"Layer {layer} returns a tensor of shape {tuple(output.shape)} and type "
            f"{output.dtype}; responses are numbers, one row a stimulus."
        )
    return output


_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class _Enough(BaseException):
    """Everything wanted is recorded; what the network would still compute is not needed."""


#: Told of every output wanted: the layer and its tensor.
Sink = Callable[[str, Tensor], None]


@contextlib.contextmanager
def recording(
    network: nn.Module, layers: Sequence[str], sink: Sink, calls_of: Mapping[str, int]
) -> Iterator[_Calls]:
    """Hooks that hand the outputs of `layers` to `sink` while the network runs.

    Args:
        network: gets a hook on every module that is needed.
        layers: names; without a step, the last call counts.
        sink: told of each; of a module whose calls are not known, of every call.
        calls_of: number of calls of modules in a forward pass, where it is known.
    """
    modules = dict(network.named_modules(remove_duplicate=False))
    by_module: dict[str, list[tuple[str, Tap]]] = {}
    for layer in layers:
        tap = tap_of(layer, network)
        by_module.setdefault(tap.module, []).append((layer, tap))
    calls = _Calls()
    handles = [
        modules[name].register_forward_hook(
            _hook(calls, name, [(n, _last(tap, calls_of)) for n, tap in taps], sink)
        )
        for name, taps in by_module.items()
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _last(tap: Tap, calls_of: Mapping[str, int]) -> Tap:
    """`tap` with the step of the last call, if that is known."""
    if tap.step is None and tap.module in calls_of:
        return tap._replace(step=calls_of[tap.module] - 1)
    return tap


class _Calls:
    """Calls of the hooked modules in the current forward pass."""

    def __init__(self) -> None:
        self.count: dict[str, int] = {}
        self.events = 0
        self.stop_after: int | None = None

    def forward(self, network: nn.Module, *inputs: Any, **named: Any) -> Any:
        """One forward pass, up to the last call wanted; what it returns, if it comes to its end."""
        self.count, self.events = {}, 0
        try:
            output = network(*inputs, **named)
        except _Enough:
            return None
        if self.stop_after is not None and self.events < self.stop_after:
            raise PluginError(
                f"{type(network).__name__} called its layers {self.events} times where it called "
                f"them {self.stop_after} times before; layers of a network whose course depends "
                "on its input cannot be recorded."
            )
        return output


def _hook(
    calls: _Calls, name: str, taps: Sequence[tuple[str, Tap]], sink: Sink
) -> Callable[[nn.Module, Any, Any], None]:
    def hook(module: nn.Module, inputs: Any, output: Any) -> None:
        del module, inputs
        step = calls.count.get(name, 0)
        calls.count[name] = step + 1
        calls.events += 1
        for layer, tap in taps:
            if tap.step is None or tap.step == step:
                sink(layer, tensor_of(output, tap, layer))
        if calls.events == calls.stop_after:
            raise _Enough

    return hook
