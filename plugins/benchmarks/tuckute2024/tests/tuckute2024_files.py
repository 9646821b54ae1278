"""Mean responses to sentences of known origin in the archive's form."""

import numpy as np
from tests.language_recordings import Responses


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
    return Responses(ids=ids, text=text, causes=hidden, values=values)
