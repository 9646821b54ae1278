"""Shapes of a network's layers, seen when it is shown a grey image once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from corteval import store as stores
from corteval.errors import OptionError
from corteval.stimuli import StimulusSet
from corteval_pytorch.passes import evaluating
from corteval_pytorch.taps import Tap, recording, tensor_of
from corteval_pytorch.weights import generators

#: What a network is shown to learn its shapes.
GREY = StimulusSet(
    identifier="grey",
    modality="image",
    table=pd.DataFrame(index=pd.Index(["grey"], name="stimulus_id")),
    images=lambda _: np.full((64, 64, 3), 128, np.uint8),
)


class Layout(NamedTuple):
    """What is known of a layer.

    Args:
        shapes: of its output at each call of a forward pass, without the presentation.
        order: in which layers are computed.
        repeats: it only passes on what another layer returned, as a container does.
    """

    shapes: tuple[tuple[int, ...], ...]
    order: int
    repeats: bool


def seen(
    network: nn.Module, layers: Sequence[str] | None, *inputs: Any, **named: Any
) -> dict[str, Layout]:
    """Layouts of `layers`, or if None of all submodules that return tensors, for some inputs."""
    found: dict[str, Layout] = {}
    outputs: list[tuple[Tensor, int]] = []  # with the number of changes made in place

    def note(layer: str, output: Tensor) -> None:
        before = found.get(layer)
        repeats = any(output is o and output._version == version for o, version in outputs)
        outputs.append((output, output._version))
        order, shapes = (before.order, before.shapes) if before else (len(found), ())
        found[layer] = Layout((*shapes, tuple(output.shape[1:])), order, repeats)

    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.no_grad())  # inference mode does not count changes in place
        stack.enter_context(evaluating(network))
        stack.enter_context(torch.random.fork_rng(devices=generators()))
        if layers is not None:
            calls = stack.enter_context(recording(network, layers, note, {}))
            calls.forward(network, *inputs, **named)
            return found
        for name, module in network.named_modules():
            stack.callback(module.register_forward_hook(_noting(name, note)).remove)
        network(*inputs, **named)
    return found


def shelved(key: Mapping[str, Any], see: Callable[[], dict[str, Layout]]) -> dict[str, Layout]:
    """Layouts of all layers as the store in force knows them, or as they are seen.

    Args:
        key: what determines them.
        see: shows the network something.
    """
    shelf = stores.active()
    if shelf is None:
        return see()
    known = shelf.artifact("layouts", key)
    facts = known.facts
    if facts is not None:
        return {
            name: Layout(tuple(map(tuple, shapes)), *rest)
            for name, (shapes, *rest) in facts["layers"]
        }
    layouts = see()
    rows = [[name, [*layout]] for name, layout in layouts.items()]
    with shelf.claim([known]):
        known.publish(layers=rows)
    return layouts


def _noting(layer: str, note: Callable[[str, Tensor], None]) -> Callable[..., None]:
    def see(module: nn.Module, inputs: Any, output: Any) -> None:
        del module, inputs
        with contextlib.suppress(OptionError):  # no tensor; it says so if it is asked for
            note(layer, tensor_of(output, Tap(layer), layer))

    return see
