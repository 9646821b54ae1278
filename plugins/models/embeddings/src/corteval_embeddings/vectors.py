"""Files of word vectors, read as a stream of which only the words needed are kept.

Two forms, each of them plain, in gzip, or the one file of a zip:

    text     a line a word: the word, and its numbers, parted by single spaces; word2vec and
             fastText write a first line with the number of words and of numbers
    binary   of word2vec: that first line, and for each word its UTF-8 bytes, a space, and its
             numbers as little-endian float32, then perhaps an end of line

A word of GloVe may hold spaces; its numbers are what follows the last of them.
"""

from __future__ import annotations

import contextlib
import gzip
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast, final

import numpy as np

from corteval.errors import OptionError

_CHUNK = 1 << 20
#: Longer ones are no words, but a file of another form.
_LONGEST_WORD = 10_000
_LONGEST_LINE = 1 << 20


@final
@dataclass(frozen=True, kw_only=True)
class VectorFile:
    """A file of word vectors.

    Args:
        path: in text (``.txt``, ``.vec``) or binary (``.bin``), or that in ``.gz`` or ``.zip``.
    """

    path: Path

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise OptionError(f"There is no file {self.path} with word vectors.")

    def size(self) -> int:
        """Numbers of each vector.

        Raises:
            OptionError: if the file is no file of word vectors.
        """
        with self._opened() as (file, is_binary):
            return self._header(file, is_binary)[0]

    def vectors(self, wanted: Collection[str]) -> dict[str, np.ndarray]:
        """Vectors of the words of `wanted` that the file has; of repeated words the first.

        Returns:
            by word, (number) float32.
        """
        left = {word.encode(): word for word in wanted}
        found: dict[str, np.ndarray] = {}
        size = self.size()
        for word, numbers in self._entries():
            known = left.pop(word, None)
            if known is not None:
                found[known] = self._parsed(numbers, word, size)
            if not left:
                break
        return found

    def words(self) -> list[str]:
        """All words of the file, each once, sorted by code points."""
        return sorted({word.decode("utf-8", "replace") for word, _ in self._entries()})

    def _entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Words, and their numbers as they stand in the file."""
        with self._opened() as (file, is_binary):
            size, first = self._header(file, is_binary)
            yield from _binary(file, size, self.path) if is_binary else _text(file, size, first)

    def _header(self, file: IO[bytes], is_binary: bool) -> tuple[int, bytes]:
        """Numbers of a vector, and the first line if it is a word's."""
        first = file.readline(_LONGEST_LINE)
        fields = first.split()
        if len(fields) == 2 and all(field.isdigit() for field in fields) and int(fields[1]):
            return int(fields[1]), b""
        size = 0
        for field in reversed(fields[1:]):
            if not _is_number(field):
                break
            size += 1
        if is_binary or not size:
            raise OptionError(
                f"{self.path} is no {'binary' if is_binary else 'text'} file of word vectors: it "
                f"starts {first[:40]!r}. Text has a word and its numbers on each line; binary "
                "(.bin) starts with the number of words and of numbers."
            )
        return size, first

    def _parsed(self, numbers: bytes, word: bytes, size: int) -> np.ndarray:
        try:
            if self._is_binary:
                return np.frombuffer(numbers, "<f4").astype(np.float32)
            values = np.array(numbers.split(b" "), np.float32)
            if len(values) != size:
                raise ValueError
        except ValueError as error:
            raise OptionError(
                f"{self.path}: the vector of {word.decode('utf-8', 'replace')!r} is not made of "
                f"{size} numbers: {numbers[:40]!r}."
            ) from error
        return values

    @property
    def _is_binary(self) -> bool:
        return ".bin" in self.path.suffixes[-2:]  # the last may be .gz

    @contextlib.contextmanager
    def _opened(self) -> Iterator[tuple[IO[bytes], bool]]:
        try:
            with contextlib.ExitStack() as stack:
                if self.path.suffix == ".gz":
                    opened = stack.enter_context(gzip.open(self.path))
                    yield cast("IO[bytes]", opened), self._is_binary
                elif self.path.suffix == ".zip":
                    archive = stack.enter_context(zipfile.ZipFile(self.path))
                    yield stack.enter_context(archive.open(self._only(archive))), self._is_binary
                else:
                    yield stack.enter_context(self.path.open("rb")), self._is_binary
        except (OSError, EOFError, zipfile.BadZipFile) as error:
            raise OptionError(f"{self.path} cannot be read as word vectors: {error}") from error

    def _only(self, archive: zipfile.ZipFile) -> str:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise OptionError(
                f"{self.path} holds {len(names)} files ({', '.join(names[:5])}). Unpack it, and "
                "name the one you want."
            )
        return names[0]


def _text(file: Iterable[bytes], size: int, first: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Words and numbers of the lines of a text file."""
    lines = iter(file)
    line = first or next(lines, b"")
    while line:
        line = line.rstrip(b"\r\n ")
        # the word ends `size` spaces from the end; most have none within
        word, _, numbers = line.partition(b" ")
        if numbers.count(b" ") != size - 1:
            fields = line.rsplit(b" ", size)
            word, numbers = fields[0], b" ".join(fields[1:])
        if word:
            yield word, numbers
        line = next(lines, b"")


def _binary(file: IO[bytes], size: int, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Words and numbers of a binary file of word2vec."""
    width = 4 * size
    held, start = b"", 0
    while True:
        end = held.find(b" ", start)
        if end < 0 or end + 1 + width > len(held):
            more = file.read(max(_CHUNK, width))
            if not more:
                break
            held, start = held[start:] + more, 0
            if end < 0 and held.find(b" ", 0, _LONGEST_WORD) < 0 and len(held) > _LONGEST_WORD:
                raise OptionError(f"{path} is no binary file of word vectors of {size} numbers.")
            continue
        yield held[start:end].lstrip(b"\n"), held[end + 1 : end + 1 + width]
        start = end + 1 + width
    if held[start:].strip(b"\n"):
        raise OptionError(f"{path} ends within a word. Is the file whole?")


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
