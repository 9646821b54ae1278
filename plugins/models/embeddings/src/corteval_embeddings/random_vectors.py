"""Random embedding: a vector per word that says which word it is, and nothing of its meaning."""

from __future__ import annotations

import hashlib
import re

import numpy as np

from corteval.errors import OptionError
from corteval.model import LayerCommitment
from corteval.stimuli import StimulusSet
from corteval_embeddings.per_text import numbered, subject
from corteval_embeddings.words import words

_MOST = 1_000_000


def vector(word: str, size: int, seed: int = 0) -> np.ndarray:
    """Numbers drawn from U[0, 1) by a generator seeded by SHA-256 of seed and word.

    The vector depends on nothing else, so neither on other words nor on their order, and the
    first n numbers are the vector of size n.

    Source: spec ``language`` sections 1.3 and 3, where order of arrival mattered.

    Returns:
        (size).
    """
    digest = hashlib.sha256(f"{seed}\0{word}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest)).random(size)


def means(stimuli: StimulusSet, size: int, seed: int) -> np.ndarray:
    """Mean vector over the words of each text, in lower case; zeros if there is none.

    Returns:
        (presentation, size).
    """
    read = [words(str(text).lower()) for text in stimuli.table["text"]]
    known = {word: vector(word, size, seed) for text in read for word in text}
    found = np.zeros((len(read), size))
    for row, text in enumerate(read):
        if text:
            found[row] = np.mean([known[word] for word in text], axis=0)
    return found


def build(size: int, seed: int = 0, *, identifier: str = "") -> LayerCommitment:
    """The subject ``randomembedding-<size>``.

    Args:
        size: numbers of each vector.
        seed: of the vectors.
        identifier: another name of the subject.
    """
    named = identifier or f"randomembedding-{size}"
    if not 1 <= size <= _MOST or not 0 <= seed < 2**63:
        raise OptionError(
            f"{named}: a size from 1 to {_MOST:,} and a seed from 0 are needed, not {size} and "
            f"{seed}."
        )
    return subject(
        named,
        "embedding",
        numbered(size),
        lambda stimuli: means(stimuli, size, seed),
        notes=(f"random vectors (seed {seed})",),
    )


def family(member: str) -> LayerCommitment:
    """The subject ``randomembedding/<member>``.

    Args:
        member: size, and a seed other than 0 as ``-seedN``: ``"300-seed3"``.
    """
    parsed = re.fullmatch(r"(\d{1,7})(?:-seed(\d{1,9}))?", member)
    if parsed is None:
        raise OptionError(
            f"randomembedding/{member}: name a size and, if you like, a seed, as in "
            "randomembedding/300-seed3."
        )
    return build(int(parsed[1]), int(parsed[2] or 0), identifier=f"randomembedding/{member}")
