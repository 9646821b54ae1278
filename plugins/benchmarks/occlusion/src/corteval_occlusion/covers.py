"""Occluded copies of a stimulus set, made when they are looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from corteval.errors import OptionError
from corteval.stimuli import StimulusSet
from corteval_occlusion.bubbles import (
    SIDE_PIXELS,
    SIGMA_PIXELS,
    bubble_mask,
    seen_through,
    share_visible,
)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class OccludedImages:
    """Image source over the images of another set.

    Args:
        stimuli: the whole images.
        made: what each new stimulus is: id of the image and number of bubbles.
        sigma: of the bubbles, as a share of the shorter side.
        seed: of their centres.
    """

    stimuli: StimulusSet
    made: Mapping[str, tuple[str, int]]
    sigma: float
    seed: int

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """The image behind its cover."""
        image = self.stimuli.image(self.made[stimulus_id][0])
        return seen_through(image, self.mask(stimulus_id, (image.shape[0], image.shape[1])))

    def mask(self, stimulus_id: str, shape: tuple[int, int]) -> np.ndarray:
        """Mask of one stimulus whose image has this shape."""
        base, count = self.made[stimulus_id]
        digest = hashlib.sha256(f"{self.seed}|bubbles|{base}".encode()).digest()
        drawn = np.random.default_rng(int.from_bytes(digest[:16], "big")).random((count, 2))
        centres = [(row * (shape[0] - 1), column * (shape[1] - 1)) for row, column in drawn]
        return bubble_mask(shape, centres, self.sigma * min(shape))


def occluded(
    stimuli: StimulusSet,
    bubbles: Sequence[int],
    *,
    sigma: float = SIGMA_PIXELS / SIDE_PIXELS,
    seed: int = 0,
) -> StimulusSet:
    """Every image behind each number of bubbles.

    Centres are drawn evenly over the image, by `seed` and the image's id alone, one after the
    other: with more bubbles, an image shows all that it shows with fewer, and more.

    Args:
        stimuli: whole images.
        bubbles: numbers of bubbles, each at least 1.
        sigma: standard deviation as a share of the shorter side.
        seed: of the centres.

    Returns:
        a set with the columns of `stimuli` and ``base_id``, ``bubbles`` and ``visible`` (share of
        the pixels that are visible); ids are ``bubbles-<number>-<id>``.

    Raises:
        OptionError: for numbers that are none, or stimuli that are no images.
    """
    counts = list(dict.fromkeys(bubbles))
    if not counts or min(counts) < 1:
        raise OptionError(f"Numbers of bubbles are at least 1, not {list(bubbles)}.")
    if stimuli.modality != "image":
        raise OptionError(
            f"{stimuli.identifier} is a set of {stimuli.modality}; only images are occluded."
        )
    made = {
        f"bubbles-{count}-{base}": (base, count)
        for count in counts
        for base in stimuli.stimulus_ids
    }
    images = OccludedImages(stimuli=stimuli, made=made, sigma=sigma, seed=seed)
    shapes = {i: stimuli.image(i).shape for i in stimuli.stimulus_ids}
    visible = [share_visible(images.mask(i, shapes[base][:2])) for i, (base, _) in made.items()]
    table = pd.DataFrame(
        list(made.values()),
        columns=["base_id", "bubbles"],
        index=pd.Index(list(made), name="stimulus_id"),
    ).assign(visible=visible)
    kept = [c for c in stimuli.table.columns if c != "path" and c not in table.columns]
    own = stimuli.table.loc[table["base_id"], kept].set_index(table.index)
    return StimulusSet(
        identifier=f"{stimuli.identifier} occluded",
        modality="image",
        table=pd.concat([table, own], axis=1),
        visual_degrees=stimuli.visual_degrees,
        images=images,
    )
