"""Mean responses to sentences of known origin in the archive's form."""

from dataclasses import dataclass

import numpy as np

from corteval.assembly import neural
from corteval.testing.subjects import ReplaySubject


@dataclass(frozen=True, kw_only=True)
class Written:
    """What the file was made from: ids and texts, causes (sentence, cause), values (sentence)."""

    ids: np.ndarray
    text: np.ndarray
    causes: np.ndarray
    values: np.ndarray

    def replay(self, features, identifier="features"):
        """A subject with these (sentence, unit) responses."""
        names = {"neuroid_id": [f"unit-{n:03d}" for n in range(features.shape[1])]}
        return ReplaySubject(
            responses=neural(features, self.ids.tolist(), names), identifier=identifier
        )

    def generator(self):
        return self.replay(self.causes, "generator")

    def model(self, units=20, seed=3):
        """Knows the causes in part."""
        rng = np.random.default_rng(seed)
        x = np.tanh(self.causes @ rng.standard_normal((self.causes.shape[1], units)))
        return self.replay(x + 0.5 * rng.standard_normal(x.shape))


def write(archive, *, sentences=200, causes=3, noise=1.0, seed=0):
    """The file: one neuroid, rows in the order of conditions."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((sentences, causes))
    weights = rng.standard_normal(causes)
    values = hidden @ (weights / np.linalg.norm(weights)) + noise * rng.standard_normal(sentences)
    ids = np.array([f"beta-control-neural-T.{n}" for n in rng.permutation(sentences)])
    text = np.array([f"Sentence {n} is about nothing else." for n in range(sentences)])
    archive.add_words(
        "Tuckute2024.language",
        values[:, None],
        ("presentation", "neuroid"),
        {
            "stimulus_id": (("presentation",), ids),
            "stimulus": (("presentation",), text),
            "cond": (("presentation",), ["B"] * sentences),
            "cond_approach": (("presentation",), ["B"] * sentences),
            "neuroid_id": (("neuroid",), [1]),
            "subject_UID": (("neuroid",), ["848, 853, 865, 875, 876"]),
            "roi": (("neuroid",), ["lang_LH_netw"]),
        },
    )
    return Written(ids=ids, text=text, causes=hidden, values=values)
