"""Layers that a localizer looks for units in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from corteval.commitment import LayerCommitment, Layered
from corteval.errors import OptionError
from corteval.layer_names import blocks_of_layers, layers_named
from corteval_localizer.localizer import Localizer

#: A name up to its first number.
_NUMBERED = re.compile(r"(?:[^.]+\.)*?\d+(?=\.|$)")


def made_of_layers(subject: object) -> LayerCommitment:
    """Return `subject` if there are layers to look for units in.

    Raises:
        OptionError: if it is no `LayerCommitment`.
    """
    if not isinstance(subject, LayerCommitment):
        raise OptionError(
            f"A localizer needs a subject made of layers, not a {type(subject).__name__}."
        )
    return subject


def layers_of(subject: LayerCommitment, localizer: Localizer, target: str) -> tuple[str, ...]:
    """The layers that are localized in; see `Localizer`.

    Raises:
        OptionError: if the subject is no `LayerCommitment`, or lacks a layer.
    """
    extractor = made_of_layers(subject).extractor
    names = extractor.layer_names() if isinstance(extractor, Layered) else []
    committed = list(dict.fromkeys(_flat(subject.layers)))
    if isinstance(localizer.layers, str):
        known = names or committed
        return tuple(layers_named(localizer.layers, known, extractor, subject.identifier))
    if localizer.layers is not None:
        if not localizer.layers:
            raise OptionError("The localizer names no layers.")
        for layer in localizer.layers:
            layers_named(layer, names or committed, extractor, subject.identifier)
        return tuple(localizer.layers)
    own = subject.layers.get(target)
    if isinstance(own, tuple) and len(own) > 1:
        return own
    readouts = {readout.layer for readout in subject.readouts}
    blocks = [name for name in last_of_blocks(names) if name not in readouts]
    return tuple(blocks or committed)


def last_of_blocks(names: Sequence[str]) -> list[str]:
    """The layer that each block of a network computes last, in the order of computing.

    Blocks are numbered in names, as ``h.3`` in ``transformer.h.3.mlp.act``; a network without two
    of these has those of `corteval.layer_names.blocks_of_layers`.

    >>> last_of_blocks(["wte", "h.0.attn", "h.0.mlp", "h.0", "h.1.attn", "h.1.mlp", "h.1", "ln_f"])
    ['h.0', 'h.1']
    """
    last: dict[str, str] = {}
    for name in names:
        numbered = _NUMBERED.match(name)
        if numbered:
            last[numbered[0]] = name
    return list(last.values()) if len(last) > 1 else blocks_of_layers(names)


def _flat(layers: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for committed in layers.values():
        if isinstance(committed, str):
            found.append(committed)
        else:
            found += committed.values() if isinstance(committed, Mapping) else committed
    return found
