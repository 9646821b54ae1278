"""The 17 experiments as facts: who took part, what was changed, what benchmarks leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

#: Buttons of the response screen, in alphabetical order.
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

#: Recorded where an observer pressed no button in time; it counts as a wrong answer.
NO_ANSWER = "na"

#: Where the images of an experiment come from, and so under which terms they are.
Origin = Literal["ImageNet", "texture-vs-shape", "texture-vs-shape and ImageNet", "ImageNet-Sketch"]


@final
@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One of the 17 sets.

    Args:
        change: what was done to the images, or what they are, for one line.
        subjects: observers, each of whom saw every stimulus once.
        stimuli: images shown.
        origin: of the images.
        left_out: conditions that the published benchmarks do not use, spelled as in the trials.
    """

    change: str
    subjects: int
    stimuli: int
    origin: Origin
    left_out: tuple[str, ...] = ()

    @property
    def by_category(self) -> bool:
        """Whether the image files are named as themselves, not as a trial that showed them.

        ``cue-conflict/bird/bird3-bird2.png``, but
        ``colour/dnn/session-1/0001_cl_dnn_cr_oven_40_n04111531_14126.png``.
        """
        return self.origin == "texture-vs-shape"


def _changed(
    change: str, *left_out: str, stimuli: int = 1280, origin: Origin = "ImageNet", subjects: int = 4
) -> Experiment:
    return Experiment(
        change=change, subjects=subjects, stimuli=stimuli, origin=origin, left_out=left_out
    )


def _of_shape(change: str, stimuli: int) -> Experiment:
    return _changed(change, stimuli=stimuli, origin="texture-vs-shape", subjects=10)


#: By the name the field uses. What is left out: spec ``vision-benchmarks`` 3.
EXPERIMENTS: Mapping[str, Experiment] = {
    "colour": _changed("in colour or in grey", "cr"),
    "contrast": _changed("of reduced contrast", "c100", "c03", "c01"),
    "cue-conflict": _of_shape("with the shape of one class and the texture of another", 1280),
    "edge": _of_shape("reduced to edges", 160),
    "eidolonI": _changed("as eidolons of coherence 1.0", "1-10-10", "64-10-10", "128-10-10"),
    "eidolonII": _changed(
        "as eidolons of coherence 0.3", "1-3-10", "32-3-10", "64-3-10", "128-3-10"
    ),
    "eidolonIII": _changed(
        "as eidolons of coherence 0.0", "1-0-10", "16-0-10", "32-0-10", "64-0-10", "128-0-10"
    ),
    "false-colour": _changed("in true or opponent colours", "false", stimuli=1120),
    "high-pass": _changed("high-pass filtered", "inf", "0.55", "0.45", "0.4"),
    "low-pass": _changed("low-pass filtered", "0", "15", "40"),
    "phase-scrambling": _changed("with noise in the phases", "0", "150", "180", stimuli=1120),
    "power-equalisation": _changed("with equalised power spectra", "0", stimuli=1120),
    "rotation": _changed("rotated by quarter turns", "0"),
    "silhouette": _of_shape("reduced to silhouettes", 160),
    "sketch": _changed("drawn as sketches", stimuli=800, origin="ImageNet-Sketch", subjects=7),
    "stylized": _changed(
        "in the style of paintings",
        stimuli=800,
        origin="texture-vs-shape and ImageNet",
        subjects=5,
    ),
    "uniform-noise": _changed("with added uniform noise", "0.00", "0.60", "0.90"),
}

#: Conditions that the published benchmarks do not use, by experiment.
CONDITIONS_LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    name: experiment.left_out for name, experiment in EXPERIMENTS.items()
}
