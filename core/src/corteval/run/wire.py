"""What crosses the border between a worker and the process of a model: JSON and plain arrays.

A message is a line of JSON, then the bytes of the arrays it announces in the ``.npy`` format.
Nothing is pickled in either direction.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import IO, Any

import numpy as np
import xarray as xr

from corteval import requests as asked
from corteval.errors import CortevalError
from corteval.requests import Request

#: Bytes of a line of JSON and of an array: more is a mistake or an attack.
LONGEST_LINE = 1 << 26
LARGEST_ARRAY = 1 << 38

_KINDS = {
    kind.__name__: kind
    for kind in (
        asked.TimeBin,
        asked.Between,
        asked.OneOf,
        asked.UnitFilter,
        asked.Recording,
        asked.Label,
        asked.OddOneOut,
        asked.NextWord,
        asked.ReadingTime,
        asked.CustomTask,
        asked.Probabilities,
    )
}


class Broken(CortevalError):
    """The other side went away, or sent what is no message."""


def send(stream: IO[bytes], content: Mapping[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
    """Write a message.

    Raises:
        Broken: if nobody reads any more.
    """
    packed = []
    for array in arrays:
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
        packed.append(buffer.getbuffer())
    line = json.dumps({**content, "arrays": [len(part) for part in packed]}, allow_nan=False)
    try:
        stream.write(line.encode("ascii") + b"\n")
        for part in packed:
            stream.write(part)
        stream.flush()
    except (OSError, ValueError) as error:
        raise Broken(f"The other process reads no more: {error}.") from error


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read a message.

    Raises:
        Broken: if there is none, or it is none.
    """
    line = stream.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise Broken("The other process said no more." if not line else "A message is cut off.")
    try:
        content = json.loads(line)
        lengths = content.pop("arrays")
        if not all(isinstance(n, int) and 0 <= n <= LARGEST_ARRAY for n in lengths):
            raise ValueError(f"arrays of {lengths} bytes")
        return content, [_array(stream, length) for length in lengths]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Broken(f"What the other process sent is no message: {error}.") from error


def _array(stream: IO[bytes], length: int) -> np.ndarray:
    data = stream.read(length)
    if len(data) != length:
        raise Broken("An array is cut off.")
    array: np.ndarray = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    return array


def request_to_json(request: Any, sets: list[Any]) -> Any:
    """`request` as JSON types; stimulus sets it holds are put into `sets` and named by position."""
    if isinstance(request, asked.Probabilities):
        sets.append(request.fit)
        return {"kind": "Probabilities", "set": len(sets) - 1}
    if isinstance(request, tuple):
        return [request_to_json(item, sets) for item in request]
    if is_dataclass(request):
        content = {f.name: request_to_json(getattr(request, f.name), sets) for f in fields(request)}
        return {"kind": type(request).__name__, **content}
    if isinstance(request, float) and not math.isfinite(request):
        return {"kind": "float", "text": repr(request)}
    return request


def request_from_json(content: Any, sets: Sequence[Any]) -> Any:
    """Inverse of `request_to_json`."""
    if isinstance(content, list):
        return tuple(request_from_json(item, sets) for item in content)
    if not isinstance(content, dict):
        return content
    kind = content["kind"]
    if kind == "float":
        return float(content["text"])
    if kind == "Probabilities":
        return asked.Probabilities(fit=sets[content["set"]])
    named = {n: request_from_json(v, sets) for n, v in content.items() if n != "kind"}
    return _KINDS[kind](**named)


def answers_to_message(
    requests: Sequence[Request], answers: Mapping[Request, xr.DataArray]
) -> tuple[list[Any], list[np.ndarray]]:
    """Answers in the order of `requests`: facts as JSON, and arrays."""
    facts: list[Any] = []
    arrays: list[np.ndarray] = []
    for request in requests:
        answer = answers[request]
        coordinates: list[tuple[str, list[str], int]] = []
        for name, coordinate in answer.coords.items():
            coordinates.append((str(name), [str(d) for d in coordinate.dims], len(arrays)))
            arrays.append(_plain(coordinate.values))
        facts.append(
            {
                "dims": [str(d) for d in answer.dims],
                "coords": coordinates,
                "values": len(arrays),
                "attrs": {str(k): v for k, v in answer.attrs.items() if _is_json(v)},
            }
        )
        arrays.append(_plain(answer.values))
    return facts, arrays


def answers_from_message(
    requests: Sequence[Request], facts: Sequence[Any], arrays: Sequence[np.ndarray]
) -> dict[Request, xr.DataArray]:
    """Inverse of `answers_to_message`."""
    answers = {}
    for request, fact in zip(requests, facts, strict=True):
        coords = {name: (tuple(dims), arrays[at]) for name, dims, at in fact["coords"]}
        answers[request] = xr.DataArray(
            arrays[fact["values"]], dims=fact["dims"], coords=coords, attrs=fact["attrs"]
        )
    return answers


def _plain(values: np.ndarray) -> np.ndarray:
    """`values` without Python objects, which may only be text."""
    values = np.asarray(values)
    if values.dtype == object or values.dtype.kind not in "biufcUSM":
        return values.astype(str)
    return values


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
