"""Responses to sentences of known origin in the archive's form."""

from dataclasses import dataclass

import numpy as np
from tests.language_recordings import Responses

#: Passages of each topic and sentences of each passage; topics are 24 in the published files.
EXPERIMENTS = {"243sentences": (3, (3, 4, 3)), "384sentences": (4, (4, 4, 4, 4))}


@dataclass(frozen=True, kw_only=True)
class Written(Responses):
    """What the file was made from; values are NaN of people who did not take part.

    Args:
        experiment, story, passage: (sentence).
        subject, atlas: (voxel).
    """

    experiment: np.ndarray
    story: np.ndarray
    passage: np.ndarray
    subject: np.ndarray
    atlas: np.ndarray

    def rows(self, experiment):
        return np.flatnonzero(self.experiment == experiment)

    def target(self, experiment):
        """(sentence, voxel) of language voxels without missing responses, and their subjects."""
        y = self.values[self.rows(experiment)]
        kept = (self.atlas == "language") & ~np.isnan(y).any(axis=0)
        return y[:, kept], self.subject[kept]


def write(
    archive, *, topics=12, people=6, voxels=5, causes=3, noise=0.7, passage_noise=0.0, seed=0
):
    """The file of the language voxels with both experiments, rows as published by stimulus number.

    A third of the voxels is of another atlas. The first person took part in the 243 sentences
    only, the last one in the 384 only.

    Args:
        passage_noise: standard deviation of what the sentences of a passage share in each voxel,
            whatever they say.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for experiment, (passages, lengths) in EXPERIMENTS.items():
        number = 0
        for topic in range(topics):
            for passage in range(passages):
                for sentence in range(lengths[passage % len(lengths)]):
                    number += 1
                    rows.append(
                        {
                            "experiment": experiment,
                            "stimulus_num": number,
                            "passage_index": passage + 1,
                            "passage_label": f"topic{topic:02d}_{passage}",
                            "passage_category": f"topic{topic:02d}",
                            "story": f"{experiment}.topic{topic:02d}",
                            "stimulus_id": f"{experiment}.{number}",
                            "sentence": f"Sentence {sentence} of {passage} about {topic}.",
                        }
                    )
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    subject = np.repeat([f"{100 + n}" for n in range(people)], voxels + voxels // 2)
    atlas = np.tile(["language"] * voxels + ["auditory"] * (voxels // 2), people)
    hidden = rng.standard_normal((len(rows), causes))
    weights = rng.standard_normal((causes, len(subject)))
    values = hidden @ (weights / np.linalg.norm(weights, axis=0))
    labels = np.char.add(columns["experiment"], columns["passage_label"])
    _, passage = np.unique(labels, return_inverse=True)
    shared = rng.standard_normal((passage.max() + 1, len(subject)))
    values += passage_noise * shared[passage] + noise * rng.standard_normal(values.shape)
    for absent, experiment in (("100", "384sentences"), (f"{99 + people}", "243sentences")):
        mine = np.flatnonzero(columns["experiment"] == experiment)
        values[np.ix_(mine, np.flatnonzero(subject == absent))] = np.nan
    voxel = np.arange(len(subject))
    archive.add_words(
        "Pereira2018.language",
        values,
        ("presentation", "neuroid"),
        {
            **{name: (("presentation",), column) for name, column in columns.items()},
            "stimulus": (("presentation",), columns["sentence"]),
            "subject": (("neuroid",), subject),
            "atlas": (("neuroid",), atlas),
            "voxel_num": (("neuroid",), voxel),
            "filter_strategy": (("neuroid",), ["HminusE"] * len(subject)),
            "atlas_selection_lower": (("neuroid",), np.full(len(subject), 90.0)),
            "roi": (("neuroid",), [f"LH_{n % 5}" for n in voxel]),
            "neuroid_id": (("neuroid",), [f"{s}.{n}" for s, n in zip(subject, voxel, strict=True)]),
        },
    )
    return Written(
        ids=columns["stimulus_id"],
        experiment=columns["experiment"],
        story=columns["story"],
        passage=passage,
        text=columns["sentence"],
        causes=hidden,
        values=values,
        subject=subject,
        atlas=atlas,
    )
