"""What is known of words without a model: how frequent they are, and the marks around them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

_PART = re.compile(r"[^\W_]+")


def parts_of(text: str) -> list[str]:
    """Runs of letters and digits, in lower case.

    >>> parts_of("The pot-bellied dog's, 1,000!")
    ['the', 'pot', 'bellied', 'dog', 's', '1', '000']
    """
    return _PART.findall(text.lower())


def log_frequencies(words: Sequence[str], texts: Iterable[str]) -> np.ndarray:
    """(word) logarithm of how often a word occurs in `texts`, of the rarest of its parts.

        ln((count + 1) / (total + 1))

    Args:
        words: with their punctuation.
        texts: to count in; their parts are those of `parts_of`, too.
    """
    counts = Counter(part for text in texts for part in parts_of(text))
    total = sum(counts.values())
    rarest = [min((counts[part] for part in parts_of(w)), default=0) for w in words]
    return np.asarray(np.log((np.array(rarest) + 1) / (total + 1)))


def count_marks(words: Sequence[str]) -> np.ndarray:
    """(word) number of its characters that are neither letters nor digits.

    >>> count_marks(["dog", "dog.'"]).tolist()
    [0, 2]
    """
    return np.array([sum(not c.isalnum() for c in word) for word in words])
