"""Layers by name: those worth comparing, and those that names and patterns stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import Protocol

import numpy as np

from corteval.errors import OptionError

FEWEST_BLOCKS = 12
MOST_BLOCKS = 64


class HasUnits(Protocol):
    """An extractor, as far as it is asked whether it has a layer."""

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Raises whatever it likes for a layer it does not have."""


def blocks_of_layers(names: Sequence[str]) -> list[str]:
    """The layer that each block of a network computes last, in the order of computing.

    A block is what shares the first two parts of its dotted name, parts that all names share not
    counted: ``layer3.1.conv2`` and ``layer3.1.act2`` are of the block ``layer3.1``. If a network
    has fewer than 12 of these, more parts count; if it has more than 64, fewer.

    >>> block = ["conv1", "act1", "conv2", "act2"]
    >>> names = ["conv1", *(f"layer{n}.{b}.{x}" for n in range(4) for b in range(3) for x in block)]
    >>> blocks_of_layers(names)[:4]
    ['conv1', 'layer0.0.act2', 'layer0.1.act2', 'layer0.2.act2']
    """
    deepest = max((name.count(".") + 1 for name in names), default=0)
    parts = _shared_parts(names) + 2
    while len(_blocks(names, parts)) < FEWEST_BLOCKS and parts < deepest:
        parts += 1
    while len(_blocks(names, parts)) > MOST_BLOCKS and parts > 1:
        parts -= 1
    last = set(_blocks(names, parts).values())
    return [name for name in names if name in last]


def layers_named(text: str, names: Sequence[str], extractor: HasUnits, model: str) -> list[str]:
    """Layers that the comma list `text` stands for, in the order in which they are computed.

    Args:
        text: names, and patterns with ``*``, ``?`` and ``[...]``. A pattern that no layer matches
            may match blocks, such as ``layer3.?``. A time step or an element of an output is named
            in full: ``IT-t1``, ``encoder[1]``.
        names: of all layers, in that order.
        extractor: is asked whether it has what is not listed.
        model: for messages.

    Raises:
        OptionError: for a name or pattern that nothing matches, with close matches.
    """
    blocks = _places(names)
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        matches = [part] if part in names else _matching(part, names)
        matches = matches or [b for b in _matching(part, list(blocks)) if _has(extractor, b)]
        matches = matches or ([part] if _has(extractor, part) else [])
        if not matches:
            raise OptionError(_unknown(part, names, blocks, model))
        for match in matches:
            found[match] = blocks.get(match, blocks.get(_bare(match), len(names)))
    if not found:
        raise OptionError("No layers are named.")
    return sorted(found, key=lambda layer: found[layer])


def _shared_parts(names: Sequence[str]) -> int:
    """How many leading parts all names share, as in a network inside another."""
    columns = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return len([*takewhile(lambda column: len(set(column)) == 1, columns)])


def _blocks(names: Sequence[str], parts: int) -> dict[str, str]:
    """By block, the layer that it computes last."""
    return {".".join(name.split(".")[:parts]): name for name in names}


def _places(names: Sequence[str]) -> dict[str, int]:
    """Of layers and of the blocks they are in, when each is done."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        pieces = name.split(".")
        for count in range(1, len(pieces) + 1):
            places[".".join(pieces[:count])] = place
    return places


def _matching(pattern: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if fnmatchcase(name, pattern)]


def _has(extractor: HasUnits, layer: str) -> bool:
    try:
        return bool(extractor.units(layer))
    except Exception:  # an extractor is a plugin's; the layer is reported as unknown
        return False


def _bare(layer: str) -> str:
    """`layer` without time step and element."""
    name, mark, step = layer.rpartition("-t")
    return (name if mark and step.isdigit() else layer).partition("[")[0]


def _unknown(part: str, names: Sequence[str], blocks: Mapping[str, int], model: str) -> str:
    close = get_close_matches(part.strip("*?"), [*names, *blocks], n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(dict.fromkeys(close))}?" if close else ""
    return (
        f"{model} has no layer {part!r}.{hint} Its {len(names)} layers are listed by "
        f"`corteval layers {model} --all`."
    )
