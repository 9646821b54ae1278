"""Cards of the benchmarks: two questions about each of 17 sets of images."""

from __future__ import annotations

from typing import Any, NamedTuple

from corteval.cards import BenchmarkCard

#: Buttons of the response screen, which is what a subject may answer.
CHOICES = (
    "airplane",
    "bear",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "car",
    "cat",
    "chair",
    "clock",
    "dog",
    "elephant",
    "keyboard",
    "knife",
    "oven",
    "truck",
)

_BIBTEX = """@inproceedings{geirhos2021partial,
  title = {Partial success in closing the gap between human and machine vision},
  author = {Geirhos, Robert and Narayanappa, Kantharaju and Mitzkus, Benjamin and
            Thieringer, Tizian and Bethge, Matthias and Wichmann, Felix A. and Brendel, Wieland},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {34},
  year = {2021}
}"""
_GEIRHOS2020 = """@inproceedings{geirhos2020beyond,
  title = {Beyond accuracy: quantifying trial-by-trial behaviour of {CNNs} and humans by measuring
           error consistency},
  author = {Geirhos, Robert and Meding, Kristof and Wichmann, Felix A.},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {33},
  year = {2020}
}"""

_BY_CONDITION = {"by_condition": True}
_SAME_TRIALS = "the trials are those of Geirhos2019.{}: a suite that has both counts them twice"


class Questions(NamedTuple):
    """The two benchmarks of a set.

    Args:
        error_consistency: does the subject err on the images on which people err?
        accuracy_distance: is it right as often as people are, in each condition?
    """

    error_consistency: BenchmarkCard
    accuracy_distance: BenchmarkCard


def _questions(
    name: str, people: int, images: str, *left_out: str, guessing: float, also: str = ""
) -> Questions:
    """Cards of a set.

    Args:
        name: of the set.
        people: who took part.
        images: what they saw.
        left_out: conditions that the published benchmarks do not use.
        guessing: normalised accuracy distance of who is right in one of 16 trials.
        also: data set of the same trials.
    """
    notes = []
    if left_out:
        notes.append(f"without the conditions {', '.join(left_out)}, as the published benchmarks")
    if also:
        notes.append(_SAME_TRIALS.format(also))

    def card(
        metric: str, question: str, bibtex: str, chance: float, **options: Any
    ) -> BenchmarkCard:
        return BenchmarkCard(
            identifier=f"Geirhos2021.{name}-{metric}",
            factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
            summary=f"{people} people, images {images}: {question}",
            licence="MIT",
            bibtex=bibtex,
            data=(f"Geirhos2021.{name}",),
            metric=metric,
            ceiling=f"human_{metric}",
            target="label",
            species="human",
            parent=f"Geirhos2021-{metric}",
            controls=("{model}-untrained",),
            chance=chance,
            options={
                "choices": CHOICES,
                "data_options": {"conditions": "benchmark"},
                "notes": tuple(notes),
                **options,
            },
        )

    return Questions(
        card("error_consistency", "consistency of errors", f"{_BIBTEX}\n{_GEIRHOS2020}", 0.0),
        card(
            "accuracy_distance",
            "similarity of accuracy, by condition",
            _BIBTEX,
            guessing,
            metric_options=_BY_CONDITION,
            ceiling_options=_BY_CONDITION,
        ),
    )


COLOUR = _questions("colour", 4, "in grey", "cr", guessing=0.07)
CONTRAST = _questions("contrast", 4, "of reduced contrast", "c100", "c03", "c01", guessing=0.20)
CUE_CONFLICT = _questions(
    "cue-conflict", 10, "with shape and texture of two classes", guessing=0.09
)
EDGE = _questions("edge", 10, "reduced to edges", guessing=0.08, also="edge")
EIDOLON_I = _questions(
    "eidolonI", 4, "as eidolons of coherence 1.0", "1-10-10", "64-10-10", "128-10-10",
    guessing=0.30,
)  # fmt: skip
EIDOLON_II = _questions(
    "eidolonII", 4, "as eidolons of coherence 0.3", "1-3-10", "32-3-10", "64-3-10", "128-3-10",
    guessing=0.29,
)  # fmt: skip
EIDOLON_III = _questions(
    "eidolonIII", 4, "as eidolons of coherence 0.0", "1-0-10", "16-0-10", "32-0-10", "64-0-10",
    "128-0-10", guessing=0.21,
)  # fmt: skip
FALSE_COLOUR = _questions("false-colour", 4, "in true or opponent colours", "false", guessing=0.07)
HIGH_PASS = _questions(
    "high-pass", 4, "high-pass filtered", "inf", "0.55", "0.45", "0.4", guessing=0.24
)
LOW_PASS = _questions("low-pass", 4, "low-pass filtered", "0", "15", "40", guessing=0.18)
PHASE_SCRAMBLING = _questions(
    "phase-scrambling", 4, "with noise in the phases", "0", "150", "180", guessing=0.18
)
POWER_EQUALISATION = _questions(
    "power-equalisation", 4, "with equalised power spectra", "0", guessing=0.09
)
ROTATION = _questions("rotation", 4, "rotated by quarter turns", "0", guessing=0.08)
SILHOUETTE = _questions(
    "silhouette", 10, "reduced to silhouettes", guessing=0.09, also="silhouette"
)
SKETCH = _questions("sketch", 7, "drawn as sketches", guessing=0.07)
STYLIZED = _questions("stylized", 5, "in the style of paintings", guessing=0.29)
UNIFORM_NOISE = _questions(
    "uniform-noise", 4, "with added uniform noise", "0.00", "0.60", "0.90", guessing=0.16
)
