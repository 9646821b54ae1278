"""Responses to words of known origin in the archive's form."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from tests.language_recordings import Responses

#: Electrodes of each person; published: 97 of five people.
ELECTRODES = {"47": 6, "8": 4, "9": 5, "15": 4, "18": 5}


@dataclass(frozen=True, kw_only=True)
class Written(Responses):
    """What the file was made from.

    Args:
        sentence: (word), which is what a stimulus is.
        subject: (electrode).
    """

    sentence: np.ndarray
    subject: np.ndarray

    units: ClassVar = 15


def write(
    archive, *, sentences=26, electrodes=None, noise=0.7, shared=0.0, causes=3, seed=0, text=False
):
    """The file with sentences of eight words.

    Args:
        electrodes: of each person.
        shared: standard deviation of what the words of a sentence share, whatever they are.
        text: whether sentences have names instead of numbers.
    """
    rng = np.random.default_rng(seed)
    sentence = np.repeat(np.arange(1, sentences + 1), 8)
    number = np.tile(np.arange(1, 9), sentences)
    hidden = rng.standard_normal((len(sentence), causes))
    people = electrodes or ELECTRODES
    subject = np.repeat(list(people), list(people.values()))
    weights = rng.standard_normal((causes, len(subject)))
    values = hidden @ (weights / np.linalg.norm(weights, axis=0))
    values += shared * rng.standard_normal((sentences + 1, len(subject)))[sentence]
    values += noise * rng.standard_normal(values.shape)
    words = np.array([f"word{n}" for n in rng.permutation(len(sentence))])
    ids = np.array([f"sentence_{s}-word_{n}" for s, n in zip(sentence, number, strict=True)])
    named = np.array([f"S{n}" for n in sentence]) if text else sentence
    electrode = np.arange(len(subject))
    archive.add_words(
        "Fedorenko2016.language",
        values,
        ("presentation", "neuroid"),
        {
            "stimulus_id": (("presentation",), ids),
            "stimulus": (("presentation",), words),
            "word": (("presentation",), words),
            "word_num": (("presentation",), number),
            "sentence_id": (("presentation",), named),
            "electrode": (("neuroid",), electrode),
            "neuroid_id": (
                ("neuroid",),
                [f"{s}_{e}" for s, e in zip(subject, electrode, strict=True)],
            ),
            "subject_UID": (("neuroid",), subject.astype(int)),
        },
    )
    return Written(
        ids=ids, sentence=sentence, text=words, causes=hidden, values=values, subject=subject
    )
