"""What a text tells without its meaning: how much there is to read, and where it stands."""

from __future__ import annotations

import numpy as np

from corteval.model import LayerCommitment
from corteval.reading import passages
from corteval.stimuli import StimulusSet
from corteval_embeddings.per_text import subject


def places(stimuli: StimulusSet) -> np.ndarray:
    """Place of each text in its passage.

    For part k = 0 ... n - 1 of a passage of n:  k,  k / (n - 1) (0 if n = 1),  and the number of
    words, between white space, of parts 0 ... k - 1. Order is that of `corteval.reading`.

    Returns:
        (presentation, 3).
    """
    row = {stimulus_id: n for n, stimulus_id in enumerate(stimuli.stimulus_ids)}
    count = counts(stimuli)[:, 0]
    found = np.empty((len(stimuli), 3))
    for passage in passages(stimuli):
        rows = [row[i] for i in passage.stimulus_ids]
        number = np.arange(len(rows))
        before = np.cumsum(count[rows]) - count[rows]
        found[rows] = np.stack([number, number / max(len(rows) - 1, 1), before], axis=1)
    return found


def counts(stimuli: StimulusSet) -> np.ndarray:
    """Words, between white space, and characters of each text, without white space around it.

    Returns:
        (presentation, 2).
    """
    texts = [str(text).strip() for text in stimuli.table["text"]]
    return np.array([(len(text.split()), len(text)) for text in texts], float).reshape(-1, 2)


def word_position() -> LayerCommitment:
    """The subject `word-position`: see `places`."""
    names = ("position", "relative_position", "words_before")
    return subject("word-position", "position", names, places)


def word_rate() -> LayerCommitment:
    """The subject `word-rate`: words per presentation."""
    return subject("word-rate", "rate", ("words",), lambda stimuli: counts(stimuli)[:, :1])


def sentence_features() -> LayerCommitment:
    """The subject `sentence-features`: words, position in the passage and characters.

    The "simple features" of spec ``language-pitfalls`` section 6.
    """
    names = ("words", "position", "characters")

    def compute(stimuli: StimulusSet) -> np.ndarray:
        how_much = counts(stimuli)
        return np.stack([how_much[:, 0], places(stimuli)[:, 0], how_much[:, 1]], axis=1)

    return subject("sentence-features", "features", names, compute)
