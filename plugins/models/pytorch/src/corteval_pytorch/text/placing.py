r"""Which tokens are a stimulus's: by the characters they stand for.

A token stands for characters of the passage, white space at its ends left out, so that ``" dog"``
is of the stimulus ``"dog"`` though it begins with the separator.

- **Counted.** Each token is counted with one stimulus, the one its first character lies in; a token
  that begins between two stimuli, or is white space there, with the second. So surprisals of a
  passage's stimuli sum to that of the passage.
- **Read.** The tokens that share a character with a stimulus represent it. A token that was merged
  across the border of two stimuli represents both, and then the first is represented by a token
  that knows the beginning of the second. A stimulus that no token touches (empty text, characters
  that the tokenizer drops) is represented by the last token before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Placed(NamedTuple):
    """The tokens of a stimulus, as numbers of the text's tokens.

    Args:
        counted: whose surprisal is its surprisal.
        read: whose responses are its responses; ``range(-1, 0)`` if none had been read.
        word_before: white space comes before it, so that its first token begins a word.
        word_after: a word ends with it: white space or the end of the passage follows.
    """

    counted: range
    read: range
    word_before: bool
    word_after: bool


def placed(
    text: str, spans: Sequence[tuple[int, int]], offsets: Sequence[tuple[int, int]]
) -> list[Placed]:
    """The tokens of each stimulus of a passage.

    Args:
        text: of the passage.
        spans: of its stimuli, in reading order.
        offsets: of its tokens, none of them inserted.
    """
    if not spans:
        return []
    stops = np.array([end for _, end in spans])
    bounds = np.array([_trimmed(text, *pair) for pair in offsets]).reshape(-1, 2)
    # normalisation may swap characters; what has been read is what counts
    starts, ends = np.maximum.accumulate(bounds, axis=0).T
    owner = np.minimum(np.searchsorted(stops, starts, side="right"), len(spans) - 1)
    owner = np.maximum.accumulate(owner) if len(owner) else owner
    counted = [
        range(*np.searchsorted(owner, [k, k + 1], side="left").tolist()) for k in range(len(spans))
    ]
    trimmed = [_trimmed(text, *span) for span in spans]
    before = [
        bool(counted[k]) and start > 0 and text[start - 1].isspace()
        for k, (start, _) in enumerate(trimmed)
    ]
    found = []
    follows = True  # the end of the passage ends a word
    for k in reversed(range(len(spans))):
        start, end = trimmed[k]
        first = int(np.searchsorted(ends, start, side="right"))
        stop = int(np.searchsorted(starts, end, side="left"))
        read = range(first, stop)
        if not read:
            read = counted[k] or range(stop - 1, stop)
        found.append(Placed(counted[k], read, before[k], bool(counted[k]) and follows))
        follows = before[k] if counted[k] else follows
    return found[::-1]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """`start` and `end` without white space at both ends; as they are if there is nothing else."""
    inside = text[start:end]
    if not inside or inside.isspace():
        return start, end
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())
