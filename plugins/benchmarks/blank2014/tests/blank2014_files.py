"""Responses to stories of known origin in the archive's form."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from tests.language_recordings import Responses


@dataclass(frozen=True, kw_only=True)
class Written(Responses):
    """What the file was made from.

    Args:
        story: (part of a story), which is what a stimulus is.
        subject: (region).
        stretch: (part) of eight that follow each other in a story.
    """

    story: np.ndarray
    subject: np.ndarray
    stretch: np.ndarray

    units: ClassVar = 15


def write(archive, *, parts=160, people=5, regions=4, noise=0.7, drift=0.0, causes=3, seed=0):
    """The file with eight stories of unequal length; published: 1,317 parts, 12 regions each.

    Args:
        drift: standard deviation of what parts of a story share that follow each other, whatever
            is said.
    """
    rng = np.random.default_rng(seed)
    lengths = np.diff(np.linspace(0, 1, 9) ** 1.2)
    story = np.repeat(
        [f"story{n}" for n in range(8)], np.maximum(1, np.rint(lengths * parts)).astype(int)
    )
    count = len(story)
    number = np.concatenate([np.arange((story == s).sum()) for s in dict.fromkeys(story)])
    hidden = rng.standard_normal((count, causes))
    subject = np.repeat([f"{n}" for n in range(3, 3 + people)], regions)
    weights = rng.standard_normal((causes, len(subject)))
    values = hidden @ (weights / np.linalg.norm(weights, axis=0))
    stretch = np.unique(np.char.add(story, (number // 8).astype(str)), return_inverse=True)[1]
    slow = rng.standard_normal((stretch.max() + 1, len(subject)))
    values += drift * slow[stretch] + noise * rng.standard_normal(values.shape)
    ids = np.array([f"{s}.{n}" for s, n in zip(story, number, strict=True)])
    text = np.array([f"so {s} went on for part {n}" for s, n in zip(story, number, strict=True)])
    area = np.tile([f"{'LH' if n % 2 else 'RH'}_{n // 2}" for n in range(regions)], people)
    archive.add_words(
        "Blank2014.fROI",
        values,
        ("presentation", "neuroid"),
        {
            "stimulus_id": (("presentation",), ids),
            "stimulus": (("presentation",), text),
            "meta_sentence": (("presentation",), text),
            "story": (("presentation",), story),
            "sentence_number_in_story": (("presentation",), number // 3),
            "part_number_in_sentence": (("presentation",), number % 3),
            "fROI_area": (("neuroid",), area),
            "subject_id": (("neuroid",), subject),
            "neuroid_id": (
                ("neuroid",),
                [f"{s}.{a}" for s, a in zip(subject, area, strict=True)],
            ),
        },
    )
    return Written(
        ids=ids,
        story=story,
        text=text,
        causes=hidden,
        values=values,
        subject=subject,
        stretch=stretch,
    )
