"""Tokenizers of transformers, with the characters of each token."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from corteval.errors import OptionError
from corteval_pytorch.text import Encoding

#: How a token says that white space comes before it: byte-level (space, newline, tab, return) and
#: SentencePiece.
_SPACES = ("Ġ", "Ċ", "ĉ", "č", "▁", " ", "\n", "\t", "\r")

#: How WordPiece says that a token goes on with a word.
_GOES_ON = "##"


@final
@dataclass(frozen=True, eq=False)
class FastTokenizer:
    """A tokenizer of the tokenizers library, as transformers wraps it.

    Raises:
        OptionError: for one written in Python, which does not tell where its tokens come from.
    """

    tokenizer: Any

    def __post_init__(self) -> None:
        if not getattr(self.tokenizer, "is_fast", False):
            raise OptionError(
                f"{type(self.tokenizer).__name__} is a tokenizer without offsets, so its tokens "
                "cannot be told from which words they come. Convert it to a tokenizer.json "
                "(transformers.convert_slow_tokenizer) and save it beside the model."
            )

    @property
    def bos_id(self) -> int | None:
        """Id of the token that marks the beginning."""
        number = self.tokenizer.bos_token_id
        return None if number is None else int(number)

    def encode(self, text: str) -> Encoding:
        """Tokens, with those that the tokenizer inserts."""
        found = self.tokenizer(
            text,
            add_special_tokens=True,
            truncation=False,
            padding=False,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            verbose=False,
        )
        return Encoding(
            list(found["input_ids"]),
            [
                _inserted(start) if special else _widened(text, start, end)
                for (start, end), special in zip(
                    found["offset_mapping"], found["special_tokens_mask"], strict=True
                )
            ],
        )

    def decode(self, ids: Sequence[int]) -> str:
        """Text, spaces as they are."""
        text: str = self.tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def identity(self) -> Mapping[str, str]:
        """Digest of everything it does, as the tokenizers library writes it."""
        return {"kind": "fast tokenizer", "sha256": self._digest}

    def word_starts(self) -> np.ndarray:
        """By id: a token with white space before it, or the end of a text."""
        tokens = self.tokenizer.convert_ids_to_tokens(range(len(self.tokenizer)))
        special = set(self.tokenizer.all_special_ids)
        pieces = any(token.startswith(_GOES_ON) for token in tokens if token)
        starts = [
            bool(token)
            and number not in special
            and (not token.startswith(_GOES_ON) if pieces else token.startswith(_SPACES))
            for number, token in enumerate(tokens)
        ]
        if self.tokenizer.eos_token_id is not None:
            starts[self.tokenizer.eos_token_id] = True
        return np.array(starts, bool)

    @cached_property
    def _digest(self) -> str:
        written: str = self.tokenizer.backend_tokenizer.to_str()
        return hashlib.sha256(written.encode()).hexdigest()


def _inserted(place: int) -> tuple[int, int]:
    return place, place


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """Offsets of a token of the text, which stands for a character at least.

    Byte-level tokenizers leave white space out of offsets, even where a token is nothing else.
    """
    if start < end or not text:
        return start, end
    if start > 0 and (start == len(text) or text[start - 1].isspace()):
        return start - 1, start
    return start, min(start + 1, len(text))
