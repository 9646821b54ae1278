"""Coordinates of a layer's units, computed when asked for, and the choice of units by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import final

import numpy as np

from corteval.errors import UnsupportedRequest
from corteval.requests import Between, UnitFilter

#: Values of a coordinate at the given positions of the layer.
Column = Callable[[np.ndarray], np.ndarray]


@final
class Columns(Mapping[str, np.ndarray]):
    """Columns over all units of a layer of which only those asked for are ever made.

    A layer of a network has millions of units, and their names alone can outweigh their responses.

    Args:
        count: number of units.
        columns: by name, values at given positions.
        find_ids: positions of the units of given ids; ids the layer does not have are left out.
    """

    def __init__(
        self,
        count: int,
        columns: Mapping[str, Column],
        find_ids: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self.count = count
        self._columns = dict(columns)
        self._find_ids = find_ids

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name](np.arange(self.count))

    def __contains__(self, name: object) -> bool:
        return name in self._columns  # the default of Mapping would make the column

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def at(self, positions: np.ndarray) -> dict[str, np.ndarray]:
        """All columns at `positions`."""
        return {name: column(positions) for name, column in self._columns.items()}

    def holding(self, name: str, values: tuple[str | int | float, ...]) -> np.ndarray:
        """Mask of the units whose coordinate `name` is one of `values`."""
        if name == "neuroid_id" and self._find_ids is not None:
            mask = np.zeros(self.count, bool)
            mask[self._find_ids(np.asarray(values, str))] = True
            return mask
        return np.isin(self[name], np.asarray(values))


def count_units(columns: Mapping[str, np.ndarray]) -> int:
    """Number of units that `columns` describe."""
    return columns.count if isinstance(columns, Columns) else len(next(iter(columns.values())))


def at(columns: Mapping[str, np.ndarray], positions: np.ndarray) -> dict[str, np.ndarray]:
    """`columns` at `positions`."""
    if isinstance(columns, Columns):
        return columns.at(positions)
    return {name: column[positions] for name, column in columns.items()}


def selected_units(units: UnitFilter | None, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Positions of the units that meet every condition of `units`.

    Args:
        units: None keeps all.
        columns: over the units of a layer.

    Raises:
        UnsupportedRequest: if a coordinate is not known.
    """
    count = count_units(columns)
    if units is None:
        return np.arange(count)
    kept = np.ones(count, bool)
    for condition in units.conditions:
        name = condition.coordinate
        if name not in columns:
            raise UnsupportedRequest(
                f"Units have no coordinate {name!r}; known are {', '.join(sorted(columns))}."
            )
        if isinstance(condition, Between):
            column = columns[name]
            kept &= (column >= condition.low) & (column <= condition.high)
        elif isinstance(columns, Columns):
            kept &= columns.holding(name, condition.values)
        else:
            kept &= np.isin(columns[name], np.asarray(condition.values))
    return np.flatnonzero(kept)
