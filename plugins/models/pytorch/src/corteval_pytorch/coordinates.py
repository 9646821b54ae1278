"""Coordinates of a layer's units from the shape of its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from corteval.errors import OptionError
from corteval.units import Column, Columns
from corteval_pytorch.taps import without_step


def columns_of(
    layer: str,
    shape: Sequence[int],
    visual_degrees: float | None,
    further: Mapping[str, np.ndarray],
) -> Columns:
    """Columns over the units of `layer`, in the order of its flattened output.

    A map (channel, y, x), or (y, x, channel) where the first two are equal and the last two are
    not, has a grid of positions that tile the screen:

        receptive_field_x_degrees = ((x + ½) / width - ½) · visual_degrees,    y likewise, downwards

    which is where units look in a network padded evenly. (token, channel) has tokens, and one
    dimension channels. All have ``neuroid_id`` (layer and number) and ``layer``.

    Args:
        layer: name; its time step is left out, for units stay the same over time.
        shape: of the output without the presentation.
        visual_degrees: of the screen.
        further: more columns, one value a unit.
    """
    name = without_step(layer)
    count = int(np.prod(shape))
    columns: dict[str, Column] = {
        "neuroid_id": lambda at: np.char.add(f"{name}-", at.astype(str)),
        "layer": lambda at: np.full(len(at), name),
    }
    for axis, label in enumerate(_axes(shape)):
        columns[label] = _along(shape, axis)
        if label in {"channel_x", "channel_y"} and visual_degrees is not None:
            place = f"receptive_field_{label[-1]}_degrees"
            columns[place] = _centre(shape, axis, visual_degrees)
    for label, values in further.items():
        if len(values) != count:
            raise OptionError(
                f"Coordinate {label!r} of layer {layer} has {len(values)} values for {count} units."
            )
        columns[label] = np.asarray(values).__getitem__
    return Columns(count, columns, lambda ids: _numbers(ids, name, count))


def feature_columns(layer: str, features: int) -> Columns:
    """Columns over the features that `layer` is reduced to."""
    name = f"{without_step(layer)}-feature"
    return Columns(
        features,
        {
            "neuroid_id": lambda number: np.char.add(f"{name}-", number.astype(str)),
            "layer": lambda number: np.full(len(number), without_step(layer)),
            "feature": lambda number: number,
        },
    )


def _axes(shape: Sequence[int]) -> tuple[str, ...]:
    if len(shape) == 1:
        return ("channel",)
    if len(shape) == 2:
        return ("token", "channel")
    if len(shape) == 3:
        last = shape[0] == shape[1] != shape[2]
        return (
            ("channel_y", "channel_x", "channel") if last else ("channel", "channel_y", "channel_x")
        )
    return tuple(f"index_{axis}" for axis in range(len(shape)))


def _along(shape: Sequence[int], axis: int) -> Column:
    after = int(np.prod(shape[axis + 1 :]))
    size = shape[axis]
    return lambda at: at // after % size


def _centre(shape: Sequence[int], axis: int, visual_degrees: float) -> Column:
    index, size = _along(shape, axis), shape[axis]
    return lambda at: ((index(at) + 0.5) / size - 0.5) * visual_degrees


def _numbers(ids: np.ndarray, name: str, count: int) -> np.ndarray:
    """Positions of the units that `ids` name."""
    found = []
    for text in ids.tolist():
        head, mark, number = text.rpartition("-")
        known = mark and head == name and number.isdecimal() and str(int(number)) == number
        if known and int(number) < count:
            found.append(int(number))
    return np.array(found, dtype=int)
