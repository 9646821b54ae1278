"""Layers of a text model and how many units each has, seen when it is shown a few tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import torch
from torch import nn

from corteval.errors import AssemblyError, OptionError
from corteval_pytorch.conditions import computing, device_of
from corteval_pytorch.layouts import Layout, seen, shelved
from corteval_pytorch.taps import tap_of, without_step

#: Tokens that are shown.
_TOKENS = 3


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Shapes:
    """What the layers of a module return.

    Args:
        module: is shown tokens at most once for all layers, and once for each that has no name of
            its own, such as an element of an output.
        name: for messages.
        dtype: in which it computes.
        key: what determines the layers, for the store.
    """

    module: nn.Module
    name: str
    dtype: str
    key: Callable[[], Mapping[str, str]]
    _elements: dict[str, Layout] = field(default_factory=dict, repr=False)

    @property
    def calls_of(self) -> dict[str, int]:
        """Number of calls of each submodule in a forward pass."""
        return {name: len(layout.shapes) for name, layout in self._layouts.items()}

    def names(self) -> list[str]:
        """Layers that return (batch, token, unit), in the order in which they are computed.

        Those that only pass on what another computed are left out, but for blocks, which stand for
        their last part; and so are the logits.
        """
        order = sorted(self._layouts.items(), key=lambda item: item[1].order)
        names: list[str] = []
        for name, layout in order:
            if not name or not all(_is_text(shape) for shape in layout.shapes):
                continue
            if not layout.repeats:
                names.append(name)
            elif name.rpartition(".")[2].isdigit() and names and names[-1].startswith(f"{name}."):
                names[-1] = name  # a block is known by its own name, not by that of its last part
        predicts = names and self._layouts[names[-1]].shapes[-1][-1] == self.vocabulary
        return names[:-1] if predicts else names

    def units(self, layer: str) -> int:
        """Number of units of a layer.

        Raises:
            AssemblyError: the layer does not run, not so often, or gives no unit a token.
        """
        tap = tap_of(layer, self.module)
        known = None if tap.element else self._layouts.get(tap.module)
        known = known or self._element(layer)
        step = -1 if tap.step is None or tap.element else tap.step
        if step >= len(known.shapes) or not known.shapes:
            raise AssemblyError(
                f"{self.name}: {without_step(layer)} runs {len(known.shapes)} times in a forward "
                f"pass, so there is no {layer}. Name a layer that the network calls, and count its "
                "calls from -t0."
            )
        shape = known.shapes[step]
        if not _is_text(shape):
            raise AssemblyError(
                f"{self.name}: {layer} returns (batch, {', '.join(map(str, shape))}) for {_TOKENS} "
                "tokens; a layer that is recorded returns (batch, token, unit)."
            )
        return shape[1]

    @property
    def vocabulary(self) -> int | None:
        """Number of tokens that are predicted; None if there are no logits."""
        whole = self._layouts.get("")
        try:
            shapes = (whole or self._element("output[logits]")).shapes
        except OptionError:
            return None
        return shapes[-1][-1] if shapes and _is_text(shapes[-1]) else None

    def _element(self, layer: str) -> Layout:
        if layer not in self._elements:
            self._elements[layer] = self._seen([layer]).get(layer, Layout((), 0, False))
        return self._elements[layer]

    @cached_property
    def _layouts(self) -> dict[str, Layout]:
        return shelved(self.key(), lambda: self._seen(None))

    def _seen(self, layers: Sequence[str] | None) -> dict[str, Layout]:
        """Layouts of layers (None: of all that return tensors) for a few tokens."""
        device = device_of(self.module)
        ids = torch.zeros((1, _TOKENS), dtype=torch.long, device=device)
        with computing(device, self.dtype):
            return seen(self.module, layers, input_ids=ids, attention_mask=torch.ones_like(ids))


def _is_text(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] == _TOKENS
