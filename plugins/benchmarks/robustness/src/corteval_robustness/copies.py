"""Corrupted copies of a stimulus set, made when they are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from corteval.errors import OptionError
from corteval.stimuli import StimulusSet
from corteval_robustness.corruptions import CORRUPTIONS, SEVERITIES, check, corrupt

#: Stands in the column ``corruption`` for an image as it was.
CLEAN = "none"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class CorruptedImages:
    """Image source over the images of another set.

    Args:
        stimuli: the images as they were.
        made: what each new stimulus is: id of the image, corruption (or `CLEAN`), severity.
        seed: of what is drawn.
    """

    stimuli: StimulusSet
    made: Mapping[str, tuple[str, str, int]]
    seed: int

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """The image, corrupted."""
        base, corruption, severity = self.made[stimulus_id]
        image = self.stimuli.image(base)
        if corruption == CLEAN:
            return image
        return corrupt(image, corruption, severity, stimulus_id=base, seed=self.seed)


def corrupted(
    stimuli: StimulusSet,
    corruptions: Sequence[str] | None = None,
    severities: Sequence[int] = SEVERITIES,
    *,
    seed: int = 0,
    with_clean: bool = False,
) -> StimulusSet:
    """Every image under every corruption at every severity.

    Args:
        stimuli: images.
        corruptions: keys of `corteval_robustness.CORRUPTIONS`; None takes all.
        severities: of 1 to 5.
        seed: of what is drawn, together with the id of each image.
        with_clean: begin with the images as they are.

    Returns:
        a set with the columns of `stimuli` and ``base_id`` (id of the image before it was
        corrupted), ``corruption`` and ``severity`` (0 for images as they are). An image as it is
        keeps its id; the others are called ``<corruption>-<severity>-<id>``.

    Raises:
        OptionError: if there is nothing to do, or for stimuli that are no images.
    """
    chosen = tuple(CORRUPTIONS if corruptions is None else corruptions)
    if stimuli.modality != "image":
        raise OptionError(
            f"{stimuli.identifier} is a set of {stimuli.modality}; only images are corrupted."
        )
    if not chosen or not severities:
        raise OptionError("Name at least one corruption and one severity.")
    for corruption in chosen:
        for severity in severities:
            check(corruption, severity)
    cells = [(CLEAN, 0)] if with_clean else []
    cells += [(c, s) for c in dict.fromkeys(chosen) for s in dict.fromkeys(severities)]
    made = {
        (base if corruption == CLEAN else f"{corruption}-{severity}-{base}"): (
            base,
            corruption,
            severity,
        )
        for corruption, severity in cells
        for base in stimuli.stimulus_ids
    }
    if len(made) < len(cells) * len(stimuli):
        raise OptionError(
            f"{stimuli.identifier} has ids that are also those of corrupted images, such as "
            "'jpeg-1-a' beside 'a'. Rename them."
        )
    table = pd.DataFrame(
        list(made.values()),
        columns=["base_id", "corruption", "severity"],
        index=pd.Index(list(made), name="stimulus_id"),
    )
    kept = [c for c in stimuli.table.columns if c != "path" and c not in table.columns]
    own = stimuli.table.loc[table["base_id"], kept].set_index(table.index)
    return StimulusSet(
        identifier=f"{stimuli.identifier} corrupted",
        modality="image",
        table=pd.concat([table, own], axis=1),
        visual_degrees=stimuli.visual_degrees,
        images=CorruptedImages(stimuli=stimuli, made=made, seed=seed),
    )
