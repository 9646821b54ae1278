"""Reading times of known origin in the archive's form."""

import json
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.surprisal import ATTRIBUTE, SurprisalSpec
from corteval.testing.subjects import ReplaySubject


@dataclass(frozen=True, kw_only=True)
class Written:
    """What the file was made from.

    Args:
        ids, story, sentence, place, words: (word); place in the sentence, from 1.
        cause: (word) what slows reading.
        times: (word, reader); NaN of stories that a reader did not read.
    """

    ids: np.ndarray
    story: np.ndarray
    sentence: np.ndarray
    place: np.ndarray
    words: np.ndarray
    cause: np.ndarray
    times: np.ndarray

    def expecting(self, values, identifier="surprised"):
        """A subject whose surprisal at each word is `values`."""
        coords = {"stimulus_id": ("presentation", self.ids.tolist())}
        told = xr.DataArray(np.asarray(values, float), dims=["presentation"], coords=coords)
        spec = json.dumps(asdict(SurprisalSpec()))
        return ReplaySubject(responses=told.assign_attrs({ATTRIBUTE: spec}), identifier=identifier)

    def units(self, features):
        """A subject with these (word, unit) responses."""
        names = {"neuroid_id": [f"unit-{n:03d}" for n in range(features.shape[1])]}
        return ReplaySubject(responses=neural(features, self.ids.tolist(), names))


def write(
    archive, *, stories=4, sentences=10, length=7, readers=20, noise=2.0, missing=0.25, seed=0
):
    """The file; published: 10 stories, 481 sentences, 10,256 words, 180 readers.

    Args:
        noise: standard deviation of a reader's time about the mean, that of the cause being 1.
        missing: share of stories that a reader does not read.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for story in range(1, stories + 1):
        for sentence in range(sentences):
            for place in range(1, length + 1 + sentence % 3):
                rows.append((story, (story - 1) * sentences + sentence, place))
    story, sentence, place = map(np.array, zip(*rows, strict=True))
    number = np.concatenate([np.arange(1, (story == s).sum() + 1) for s in np.unique(story)])
    ids = np.array([f"story_{s}-word_{n}" for s, n in zip(story, number, strict=True)])
    words = np.array([f"word{n}" for n in rng.permutation(len(rows))])
    cause = rng.standard_normal(len(rows))
    times = 300 + 20 * (cause[:, None] + noise * rng.standard_normal((len(rows), readers)))
    for reader in range(1, readers):  # the first reads all
        unread = rng.permutation(stories)[: round(missing * stories)] + 1
        times[np.isin(story, unread), reader] = np.nan
    archive.add_words(
        "Futrell2018",
        times,
        ("presentation", "subject"),
        {
            "word": (("presentation",), words),
            "word_core": (("presentation",), words),
            "story_id": (("presentation",), story),
            "word_id": (("presentation",), number),
            "word_within_sentence_id": (("presentation",), place),
            "sentence_id": (("presentation",), sentence),
            "stimulus_id": (("presentation",), ids),
            "subject_id": (("subject",), [f"A{n:03d}" for n in rng.permutation(readers)]),
            "WorkTimeInSeconds": (("subject",), rng.uniform(900, 2000, readers)),
        },
        form="BehavioralAssembly",
    )
    return Written(
        ids=ids,
        story=story,
        sentence=sentence,
        place=place,
        words=words,
        cause=cause,
        times=times,
    )
