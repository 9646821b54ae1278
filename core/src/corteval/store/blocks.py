"""Blocks of rows as .npy files named by their content, and whether a file is what its name says."""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
import threading
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

import numpy as np

from corteval.errors import StoreError
from corteval.store.disk import replacing, write_all

Policy = Literal["full", "size", "off"]

#: Index of a block, and the first 16 digits of its SHA-256.
NAME = re.compile(r"B(\d{5})-([0-9a-f]{16})\.npy")
#: Blocks an artifact may have: names have room for five digits.
MOST = 100_000
#: Bytes of a block; a file that claims more is a mistake or an attack.
LARGEST = 1 << 36

_MOST_AXES = 32
_MAGIC = b"\x93NUMPY\x01\x00"
_LONGEST_HEADER = 1024
_DTYPE = r"\|[bui]1|[<>](?:[ui][248]|f[248]|c8|c16)"
_HEADER = re.compile(
    rf"\{{'descr': '({_DTYPE})', 'fortran_order': False, "
    r"'shape': \((\d{1,15},|\d{1,15}(?:, \d{1,15}){1,31})\), \} *\n"
)
_CHUNK = 1 << 20
_LEVEL: dict[Policy, int] = {"off": 0, "size": 1, "full": 2}


class Damaged(Exception):
    """A file that is not what it should be; ``str(error)`` is the reason."""

    seen: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Block:
    """What is known of the file of a block."""

    index: int
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Name of the file."""
        return f"B{self.index:05d}-{self.sha256[:16]}.npy"


def write(folder: Path, index: int, array: np.ndarray) -> Block:
    """Write a block whole under the name that its bytes give it, hashing them on the way."""
    header = _header(array.dtype.str, array.shape)
    data = array.reshape(-1).view(np.uint8).data if array.nbytes else memoryview(b"")
    size = len(header) + array.nbytes
    digest = hashlib.sha256(header)
    temporary = folder / f"B{index:05d}"
    with replacing(temporary) as file:
        write_all(file.descriptor, header)
        for start in range(0, array.nbytes, _CHUNK):  # each piece is hashed while it is in a cache
            piece = data[start : start + _CHUNK]
            digest.update(piece)
            write_all(file.descriptor, piece)
        block = Block(
            index=index,
            dtype=array.dtype.str,
            shape=array.shape,
            bytes=size,
            sha256=digest.hexdigest(),
        )
        file.name = block.name
    path = folder / block.name
    _remember(path, _sight(path.stat()), block, "full")
    return block


def check_array(array: np.ndarray, rows: int, what: str) -> np.ndarray:
    """`array` in C order, if it has `rows` rows of numbers.

    Raises:
        StoreError: says which of these it is not.
    """
    if not isinstance(array, np.ndarray):
        raise StoreError(f"{what} is a {type(array).__name__}; give a numpy array.")
    if not re.fullmatch(_DTYPE, array.dtype.str):
        raise StoreError(
            f"{what} has dtype {array.dtype}; a block holds booleans, integers or floating-point "
            "numbers of 2 to 8 bytes (complex: 8 or 16). Convert it, e.g. to float32."
        )
    if array.ndim == 0 or array.shape[0] != rows:
        raise StoreError(f"{what} has shape {array.shape}; its first axis should have {rows} rows.")
    if array.nbytes > LARGEST or array.ndim > _MOST_AXES:
        raise StoreError(f"{what} has shape {array.shape}: too large for a block; use fewer rows.")
    return np.ascontiguousarray(array)


def examine(path: Path, *, rows: int | None, expected: Block | None, policy: Policy) -> Block:
    """The block in `path`, checked as `policy` demands unless this process has done so before.

    A file that no manifest speaks of (no `expected`) is hashed in any case.

    Args:
        rows: rows it should have; None if unknown.

    Raises:
        Damaged: it is not the block it should be.
        FileNotFoundError: there is none.
    """
    policy = policy if expected else "full"
    known = _recall(path, policy)
    if known is not None:
        return _agreeing(known, rows, expected)
    if not stat.S_ISREG(path.stat().st_mode):
        raise Damaged("it is no file")
    with path.open("rb") as file:
        seen = _sight(os.fstat(file.fileno()))
        try:
            block = _examine(file, path.name, policy, expected)
        except Damaged as damage:
            damage.seen = seen
            raise
        except OSError as error:
            raise Damaged(f"it cannot be read: {error.strerror}") from error
    _remember(path, seen, block, policy)
    return _agreeing(block, rows, expected)


def is_known(path: Path, policy: Policy) -> bool:
    """Whether `examine` would answer without reading the file."""
    try:
        return _recall(path, policy) is not None
    except OSError:
        return True


def is_unchanged(path: Path, damage: Damaged) -> bool:
    """Whether `path` is still the file that was found damaged, and not a new one."""
    try:
        return damage.seen is None or _sight(path.stat()) == damage.seen
    except OSError:
        return False


def size_of(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of a file that holds such an array.

    Raises:
        ValueError: there can be no such array.
    """
    plain = all(type(extent) is int for extent in shape) and len(shape) <= _MOST_AXES
    if not plain or not re.fullmatch(_DTYPE, dtype) or min(shape) < 0 or max(shape) >= 10**15:
        raise ValueError(f"there is no array of dtype {dtype[:9]!a} and its shape")
    if _bytes_of(dtype, shape) > LARGEST:
        raise ValueError("it claims to be larger than any block")
    return len(_header(dtype, shape)) + _bytes_of(dtype, shape)


def forget() -> None:
    """Examine every file anew."""
    with _lock:
        _examined.clear()


#: path -> the file as it was when examined, the block in it, and how closely it was looked at.
_examined: dict[str, tuple[tuple[int, ...], Block, int]] = {}
_lock = threading.Lock()


def _recall(path: Path, policy: Policy) -> Block | None:
    with _lock:
        seen, block, level = _examined.get(str(path), ((), None, 0))
    if block is None or level < _LEVEL[policy] or _sight(path.stat()) != seen:
        return None
    return block


def _remember(path: Path, seen: tuple[int, ...], block: Block, policy: Policy) -> None:
    with _lock:
        _examined[str(path)] = (seen, block, _LEVEL[policy])


def _sight(status: os.stat_result) -> tuple[int, ...]:
    """What changes when a file is changed or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _agreeing(block: Block, rows: int | None, expected: Block | None) -> Block:
    if expected is not None and block != expected:
        raise Damaged("its dtype, shape or bytes are not those in the manifest")
    if rows is not None and block.shape[0] != rows:
        raise Damaged(f"it has {block.shape[0]} rows instead of {rows}")
    return block


def _examine(file: BufferedReader, name: str, policy: Policy, expected: Block | None) -> Block:
    if policy == "off" and expected is not None:
        return expected
    dtype, shape, start = _read_header(file)
    size = os.fstat(file.fileno()).st_size
    if size != start + _bytes_of(dtype, shape):
        raise Damaged(f"it has {size} bytes, which is not the size of {dtype} {shape}")
    index, prefix = _parts(name)
    if policy == "size" and expected is not None:
        sha256 = expected.sha256
    else:
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256[:16] != prefix:
        raise Damaged("its bytes have changed since it was written")
    return Block(index=index, dtype=dtype, shape=shape, bytes=size, sha256=sha256)


def _parts(name: str) -> tuple[int, str]:
    match = NAME.fullmatch(name)
    if match is None:
        raise Damaged("its name is not that of a block")
    return int(match[1]), match[2]


def _header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """The header of version 1.0 of the .npy format, as numpy writes it."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    padding = -(len(_MAGIC) + 2 + len(text) + 1) % 64
    text = f"{text}{' ' * padding}\n"
    return _MAGIC + len(text).to_bytes(2, "little") + text.encode("ascii")


def _read_header(file: BufferedReader) -> tuple[str, tuple[int, ...], int]:
    """Dtype, shape, and where the numbers begin; only what `write` writes is understood."""
    magic, length = file.read(len(_MAGIC)), int.from_bytes(file.read(2), "little")
    text = file.read(min(length, _LONGEST_HEADER)).decode("latin-1")
    match = _HEADER.fullmatch(text)
    if magic != _MAGIC or length > _LONGEST_HEADER or match is None:
        raise Damaged("it does not begin as an array of numbers")
    shape = tuple(int(part) for part in match[2].rstrip(",").split(", "))
    if _bytes_of(match[1], shape) > LARGEST:
        raise Damaged("it claims to be larger than any block")
    return match[1], shape, len(_MAGIC) + 2 + length


def _bytes_of(dtype: str, shape: tuple[int, ...]) -> int:
    return math.prod(shape) * int(dtype[2:])
