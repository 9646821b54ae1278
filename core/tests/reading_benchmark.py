"""A benchmark of reading, and texts to localize units by: a plugin file for tests of runs."""

from dataclasses import replace

import numpy as np
import pandas as pd

from corteval.assembly import neural
from corteval.cards import DataCard
from corteval.errors import NotInData
from corteval.stimuli import StimulusSet
from corteval.testing import toys
from corteval.testing.toys import PREDICTIVITY, RELIABILITY  # noqa: F401

HERE = __name__
WORDS = ("dog", "car", "old", "house", "runs", "river", "waits", "people", "stood", "cup")


def card(name, factory):
    return DataCard(
        identifier=name,
        factory=f"{HERE}:{factory}",
        summary="s",
        licence="MIT",
        bibtex="@misc{toy, title = {Toy}}",
        modality="text",
    )


READ = card("ToyReading", "Reading")
CONTRAST = card("ToyContrast", "Contrast")
BENCHMARK = replace(
    toys.BENCHMARK,
    identifier="ToyReading.language-predictivity",
    data=("ToyReading",),
    target="language_system",
)


def texts(name, count):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"text": [" ".join(rng.choice(WORDS, 4)) for _ in range(count)]},
        index=pd.Index([f"text-{n:02d}" for n in range(count)], name="stimulus_id"),
    )
    return StimulusSet(identifier=name, modality="text", table=table)


class Reading:
    """Neuroids that tell texts apart, in trials."""

    def stimuli(self):
        return texts("toy reading", 40)

    def assembly(self):
        rng = np.random.default_rng(1)
        signal = rng.standard_normal((40, 6, 1))
        trials = signal + 0.5 * rng.standard_normal((40, 6, 4))
        names = {"neuroid_id": [f"n{n}" for n in range(6)]}
        return neural(trials, self.stimuli().stimulus_ids, names)


class Contrast:
    """Texts of two conditions."""

    def __init__(self, case="lower"):
        del case

    def stimuli(self):
        plain = texts("toy contrast", 12)
        return replace(plain, table=plain.table.assign(condition=6 * ["sentence", "nonword"]))

    def assembly(self):
        raise NotInData("Nobody was recorded.")
