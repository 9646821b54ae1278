"""The set of contours: some undisturbed to learn from, others disturbed in several ways."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn, final

import numpy as np
import pandas as pd

from corteval.errors import NotInData, OptionError
from corteval.stimuli import StimulusSet
from corteval_gabor_contours.elements import (
    DISTURBANCES,
    VISUAL_DEGREES,
    Display,
    display,
    disturbed,
    render,
)
from corteval_gabor_contours.paths import CORNERS

#: Stands in the column ``disturbance`` for contours as they are.
UNDISTURBED = "none"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Displays:
    """Draws a display when it is looked at.

    Args:
        displays: by stimulus id.
        side_pixels: of the images.
    """

    displays: dict[str, Display]
    side_pixels: int

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """(row, column) uint8."""
        return render(self.displays[stimulus_id], self.side_pixels)


@final
@dataclass(frozen=True, kw_only=True)
class GaborContours:
    """Contours of four classes, some undisturbed to learn from and others to test on.

    The stimulus table has ``label`` (the class), ``contour_id``, ``split`` (``fit`` or ``test``),
    ``disturbance`` and ``level`` (0 where there is none). Each contour to test on is shown
    undisturbed and under every disturbance at every level, with the same distractors. Subjects are
    shown none of these columns. What is drawn follows from seed, class and number of the contour.

    Args:
        fit_contours: of each class.
        test_contours: of each class.
        side_pixels: of the images.
        seed: of everything drawn.
    """

    fit_contours: int = 40
    test_contours: int = 8
    side_pixels: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.fit_contours, self.test_contours)
        if min(counts) < 1 or self.side_pixels < 64 or self.seed < 0:
            raise OptionError(
                "GaborContours takes at least one contour to fit and one to test, at least 64 "
                f"pixels a side and a seed from 0, not fit_contours={self.fit_contours}, "
                f"test_contours={self.test_contours}, side_pixels={self.side_pixels}, "
                f"seed={self.seed}."
            )

    def stimuli(self) -> StimulusSet:
        """Contours to fit, then those to test: undisturbed, then by disturbance and level."""
        return self._stimuli

    def assembly(self) -> NoReturn:
        """Never: nobody has looked at these images.

        Raises:
            NotInData
        """
        raise NotInData(
            "GaborContours has images and labels but no responses, since nobody has been shown "
            "them. Use stimuli(), whose column 'label' has the right answers."
        )

    @cached_property
    def _stimuli(self) -> StimulusSet:
        shown: dict[str, Display] = {}
        rows = []

        def add(stimulus_id: str, made: Display, **columns: object) -> None:
            shown[stimulus_id] = made
            rows.append({"stimulus_id": stimulus_id, **columns})

        splits = (("fit", self.fit_contours), ("test", self.test_contours))
        whole = {
            (split, label, number): display(label, self._generator(split, label, number))
            for split, count in splits
            for label in CORNERS
            for number in range(count)
        }
        cells = [(UNDISTURBED, 0.0)]
        cells += [(kind, level) for kind, levels in DISTURBANCES.items() for level in levels]
        for kind, level in cells:
            for (split, label, number), made in whole.items():
                if split == "fit" and kind != UNDISTURBED:
                    continue
                contour_id = f"{split}-{label}-{number:03d}"
                name, changed = contour_id, made
                if kind != UNDISTURBED:
                    name = f"{kind}-{level:g}-{contour_id}"
                    drawn = self._generator(split, label, number, kind)
                    changed = disturbed(made, kind, level, drawn)
                add(
                    name,
                    changed,
                    label=label,
                    contour_id=contour_id,
                    split=split,
                    disturbance=kind,
                    level=level,
                )
        return StimulusSet(
            identifier="GaborContours",
            modality="image",
            table=pd.DataFrame(rows).set_index("stimulus_id"),
            visual_degrees=VISUAL_DEGREES,
            images=Displays(displays=shown, side_pixels=self.side_pixels),
        )

    def _generator(self, *names: object) -> np.random.Generator:
        """A generator of its own for each contour, and for each way to disturb it."""
        text = "|".join(map(str, ("contours", self.seed, *names)))
        digest = hashlib.sha256(text.encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:16], "big"))
