"""Which axis of an array is which, from sizes that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np

from corteval.local.description import DIMS
from corteval.local.problems import Findings, refuse


def orders_that_fit(shape: Sequence[int], sizes: Mapping[str, int | None]) -> list[tuple[str, ...]]:
    """Every order of axes that agrees with the sizes that are known.

    Args:
        shape: of the array.
        sizes: of each dim; None if any size will do. "presentation" is always among the axes, as
            is every dim that is known to have several entries; "neuroid" is if there are two axes.
    """
    needed = {"presentation"} | {
        dim for dim, size in sizes.items() if size is not None and size > 1
    }
    if len(shape) > 1:
        needed.add("neuroid")
    return [
        order
        for order in permutations(DIMS, len(shape))
        if needed <= set(order)
        and all(sizes.get(dim) in (None, size) for dim, size in zip(order, shape, strict=True))
    ]


def named_axes(
    values: np.ndarray,
    dims: tuple[str, ...],
    sizes: Mapping[str, int | None],
    where: str,
    findings: Findings,
    *,
    squeezable: bool = False,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The array, and names of its axes.

    Args:
        values: as the file has them.
        dims: that the description gives; () if it gives none.
        sizes: that are known, by dim.
        where: for messages.
        findings: told of a guess.
        squeezable: axes of length 1 may be added or left out, as MATLAB does.

    Raises:
        DatasetError: if the axes do not fit; says which order would.
    """
    if squeezable and dims and values.ndim != len(dims):
        values = _fitted(values, len(dims))
    fitting = orders_that_fit(values.shape, sizes)
    if not dims:
        return values, _guess(values, fitting, sizes, where, findings)
    if len(dims) != values.ndim:
        refuse(
            f"dims names {len(dims)} axes ({', '.join(dims)}), the array has {values.ndim}: "
            f"{_shape(values)}.",
            where,
            _advice(fitting),
        )
    if "presentation" not in dims or ("neuroid" not in dims and values.ndim > 1):
        refuse(f"dims {list(dims)} lack presentation or neuroid.", where, _advice(fitting))
    wrong = [
        f"{size} along {dim} where there are {sizes[dim]} {_WHAT[dim]}"
        for dim, size in zip(dims, values.shape, strict=True)
        if sizes.get(dim) not in (None, size)
    ]
    if wrong:
        refuse(
            f"The array is {_shape(values)}: {', and '.join(wrong)}.",
            where,
            _advice([order for order in fitting if set(order) == set(dims)] or fitting),
        )
    return values, dims


_WHAT = {
    "presentation": "stimuli",
    "neuroid": "neuroids",
    "time_bin": "time bins",
    "repetition": "repetitions",
}


def _guess(
    values: np.ndarray,
    fitting: list[tuple[str, ...]],
    sizes: Mapping[str, int | None],
    where: str,
    findings: Findings,
) -> tuple[str, ...]:
    if len(fitting) == 1:
        findings.warning(
            f"The array is {_shape(values)}; only {_listed(fitting[0])} fits and is taken.",
            where,
            "Give it as --dims (dims in [responses]) if it is another one.",
        )
        return fitting[0]
    known = ", ".join(f"{size} {_WHAT[dim]}" for dim, size in sizes.items() if size is not None)
    if not fitting:
        refuse(
            f"The array is {_shape(values)}, which does not fit {known}.",
            where,
            "One axis has one entry a stimulus, in the order of the stimulus table; or name the "
            "stimulus of each by --presentations (presentations in [responses]).",
        )
    refuse(
        f"The array is {_shape(values)}; with {known}, these fit: "
        f"{'; '.join(map(_listed, fitting[:6]))}.",
        where,
        "Name the right one: --dims NAMES (dims in [responses]).",
    )


def _fitted(values: np.ndarray, count: int) -> np.ndarray:
    """Axes of length 1 dropped from the end, then elsewhere, or appended."""
    while values.ndim < count:
        values = values[..., None]
    for axis in reversed(range(values.ndim)):
        if values.ndim > count and values.shape[axis] == 1:
            values = values.squeeze(axis)
    return values


def _advice(fitting: list[tuple[str, ...]]) -> str:
    if not fitting:
        return (
            "No order of axes would fit. Have stimuli been left out of one of the files? Name the "
            "stimulus of each row by --presentations (presentations in [responses])."
        )
    return f"This would fit: dims = {' or '.join(map(_listed, fitting[:3]))}."


def _listed(order: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{dim}"' for dim in order) + "]"


def _shape(values: np.ndarray) -> str:
    return " x ".join(map(str, values.shape))
