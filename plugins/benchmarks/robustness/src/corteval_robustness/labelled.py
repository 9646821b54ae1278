"""Labelled images, divided into some to fit on and some to test on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from corteval.errors import OptionError
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Images with a label each, and what belongs together.

    Args:
        stimuli: with the columns ``label`` and ``object_id`` only, next to what is shown.
    """

    stimuli: StimulusSet

    @property
    def labels(self) -> np.ndarray:
        """Of each image, in order."""
        return self.stimuli.table["label"].to_numpy(str)

    @property
    def objects(self) -> np.ndarray:
        """Of each image, in order: images of one object stay on one side of a split."""
        return self.stimuli.table["object_id"].to_numpy(str)

    @property
    def choices(self) -> tuple[str, ...]:
        """Labels that occur, in alphabetical order."""
        return tuple(sorted(set(self.labels.tolist())))

    def select(self, stimulus_ids: list[str]) -> Labelled:
        """Of these images."""
        return Labelled(stimuli=self.stimuli.select(stimulus_ids))


def labelled(stimuli: StimulusSet, label: str, together: str | None) -> Labelled:
    """Images with labels from a column of their table.

    Args:
        stimuli: images.
        label: column of the right answers.
        together: column that tells which images are of one object; None: each is its own.

    Raises:
        OptionError: if a column is missing or has gaps, there are fewer than two labels, or the
            stimuli are no images.
    """
    if stimuli.modality != "image":
        raise OptionError(f"{stimuli.identifier} is a set of {stimuli.modality}, not of images.")
    table = stimuli.table
    for name in (label, together):
        if name is not None and name not in table.columns:
            raise OptionError(
                f"{stimuli.identifier} has no column {name!r}; its stimulus table has "
                f"{', '.join(map(str, table.columns)) or 'no columns'}."
            )
        if name is not None and table[name].isna().any():
            raise OptionError(
                f"{stimuli.identifier}: {int(table[name].isna().sum())} images have no {name!r}."
            )
    objects = table.index if together is None else table[together].astype(str)
    columns = {"label": table[label].astype(str), "object_id": np.asarray(objects, str)}
    shown = [c for c in ("path",) if c in table.columns]
    kept = pd.concat([table[shown], pd.DataFrame(columns, index=table.index)], axis=1)
    found = Labelled(
        stimuli=StimulusSet(
            identifier=stimuli.identifier,
            modality="image",
            table=kept,
            visual_degrees=stimuli.visual_degrees,
            images=stimuli.images,
        )
    )
    if len(found.choices) < 2:
        raise OptionError(
            f"Column {label!r} of {stimuli.identifier} has the one value {found.choices[0]!r}; "
            "there is nothing to tell apart."
        )
    return found


def divided(
    images: Labelled, *, test_share: float, test_images: int, seed: int
) -> tuple[Labelled, Labelled]:
    """Images to fit on, and images of other objects to test on.

    Of each label, objects are put in order by the SHA-256 of seed and name; the first `test_share`
    of them, at least one, are kept for testing. Of their images as many are taken, in turn from
    each object, as the label's share of `test_images` allows, at least one.

    Args:
        images: all.
        test_share: of the objects of each label.
        test_images: at most, if there are not more labels than that.
        seed: of the order.

    Raises:
        OptionError: if a label has one object only, or one object several labels.
    """
    if not 0 < test_share < 1 or test_images < 1:
        raise OptionError(
            f"A test set is a share between 0 and 1 of the objects and has at least one image, not "
            f"test_share={test_share} and test_images={test_images}."
        )
    labels, objects = images.labels, images.objects
    ids = np.array(images.stimuli.stimulus_ids, dtype=object)
    several = pd.Series(labels).groupby(objects).nunique()
    if (several > 1).any():
        raise OptionError(f"The object {several.idxmax()!r} has several labels.")
    fit: list[str] = []
    test: list[str] = []
    each = max(1, test_images // len(images.choices))
    for label in images.choices:
        names = sorted(set(objects[labels == label].tolist()), key=lambda n: _place(seed, n))
        count = max(1, round(test_share * len(names)))
        if count >= len(names):
            raise OptionError(
                f"Label {label!r} has {len(names)} object(s) in {images.stimuli.identifier}: none "
                f"would be left to fit on with test_share={test_share}."
            )
        for name in names[count:]:
            fit += ids[objects == name].tolist()
        looks = [sorted(ids[objects == n].tolist(), key=lambda i: _place(seed, i))
                 for n in names[:count]]  # fmt: skip
        turns = [views[k] for k in range(max(map(len, looks))) for views in looks if k < len(views)]
        test += turns[:each]
    chosen = [set(fit), set(test)]
    fitted, tested = ([i for i in ids.tolist() if i in kept] for kept in chosen)
    return images.select(fitted), images.select(tested)


def _place(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}|{name}".encode()).hexdigest()
