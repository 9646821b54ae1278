"""The set of shapes: which object is shown how, and its images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn, final

import numpy as np
import pandas as pd

from corteval.errors import NotInData, OptionError
from corteval.stimuli import StimulusSet
from corteval_shapes.outlines import OUTLINES
from corteval_shapes.rendering import View, render

#: Extent of every image in degrees of visual angle.
VISUAL_DEGREES = 8.0


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """Draws a view when it is looked at.

    Args:
        views: by stimulus id.
        side_pixels: of the images.
    """

    views: dict[str, View]
    side_pixels: int

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """(row, column, 3) uint8."""
        return render(self.views[stimulus_id], self.side_pixels)


@final
@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Objects of eight classes, each seen several times in another place, size, pose and light.

    An object is an outline of its class, a colour and a texture. A view has a position, a size, a
    tilt and a background. Both are drawn by a generator of their own, seeded by seed, class, and
    number of object and view, so that more objects or views leave the others as they are.

    The stimulus table has ``label`` (the class), ``object_id``, and what was drawn: ``x_degrees``,
    ``y_degrees``, ``radius_degrees``, ``tilt_degrees``. Subjects are shown none of these.

    Args:
        objects: of each class.
        views: of each object.
        side_pixels: of the images.
        ground_contrast: standard deviation of the background, as a share of the range from black
            to white; 0 shows the objects on the grey screen.
        seed: of everything drawn.
    """

    objects: int = 8
    views: int = 4
    side_pixels: int = 128
    ground_contrast: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        fits = 0 <= self.ground_contrast <= 1 and self.seed >= 0
        if min(self.objects, self.views) < 1 or self.side_pixels < 16 or not fits:
            raise OptionError(
                "Shapes takes at least one object and one view, at least 16 pixels a side, a "
                "contrast from 0 to 1 and a seed from 0, not "
                f"objects={self.objects}, views={self.views}, "
                f"side_pixels={self.side_pixels}, ground_contrast={self.ground_contrast}, "
                f"seed={self.seed}."
            )

    def stimuli(self) -> StimulusSet:
        """Images of all objects, class by class."""
        return self._stimuli

    def assembly(self) -> NoReturn:
        """Never: nobody has looked at these images.

        Raises:
            NotInData
        """
        raise NotInData(
            "Shapes has images and labels but no responses, since nobody has been shown them. Use "
            "stimuli(), whose column 'label' has the right answers."
        )

    @cached_property
    def _stimuli(self) -> StimulusSet:
        rows, views = [], {}
        for label in OUTLINES:
            for number in range(self.objects):
                object_id = f"{label}-{number:02d}"
                own = _generator(self.seed, object_id)
                form, hue, texture = own.random(), own.random(), int(own.integers(4))
                phase = own.random()
                for look in range(self.views):
                    stimulus_id = f"{object_id}-{look:02d}"
                    drawn = _generator(self.seed, stimulus_id)
                    view = View(
                        label=label,
                        form=form,
                        hue=hue,
                        texture=texture,
                        phase=phase,
                        x=drawn.uniform(-0.12, 0.12),
                        y=drawn.uniform(-0.12, 0.12),
                        radius=drawn.uniform(0.22, 0.36),
                        tilt_degrees=drawn.uniform(-25, 25),
                        background=int(drawn.integers(2**31)),
                        ground_contrast=self.ground_contrast,
                    )
                    views[stimulus_id] = view
                    rows.append(
                        {
                            "stimulus_id": stimulus_id,
                            "label": label,
                            "object_id": object_id,
                            "x_degrees": view.x * VISUAL_DEGREES,
                            "y_degrees": view.y * VISUAL_DEGREES,
                            "radius_degrees": view.radius * VISUAL_DEGREES,
                            "tilt_degrees": view.tilt_degrees,
                        }
                    )
        return StimulusSet(
            identifier="Shapes",
            modality="image",
            table=pd.DataFrame(rows).set_index("stimulus_id"),
            visual_degrees=VISUAL_DEGREES,
            images=Pictures(views=views, side_pixels=self.side_pixels),
        )


def _generator(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for each name."""
    digest = hashlib.sha256(f"shapes|{seed}|{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
