"""Data of ImageNet and ImageNet-C: labelled images that a user provides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

import pandas as pd
import xarray as xr

from corteval.errors import NotInData, OptionError, StimuliError
from corteval.fetch import provided
from corteval.stimuli import StimulusSet
from corteval_imagenet.card import CORRUPTIONS
from corteval_imagenet.folders import (
    Labelled,
    images_by_synset,
    labelled_images,
    number_of,
    require_complete,
)

SEVERITIES = (1, 2, 3, 4, 5)

_LABELS_ONLY = (
    "{} has no responses of people or animals; its classes are the column 'synset' of stimuli()."
)


@final
@dataclass(frozen=True, kw_only=True)
class ImageNet:
    """The validation images of ILSVRC 2012, with their `synset`.

    Args:
        folder: where they lie: in a folder for each synset, or flat beside a table of classes; by
            default ``provided/ImageNet`` in the home of Corteval.
        partial: use what is there, if it is not all 50,000.
    """

    folder: str | Path | None = None
    partial: bool = False

    def stimuli(self) -> StimulusSet:
        """Images in the order of their file names.

        Raises:
            NotInData: if the user has provided none.
            StimuliError: if they are in no layout that is known, or incomplete.
        """
        place = provided(
            "ImageNet",
            "the validation images of ILSVRC 2012",
            "They are had at https://image-net.org/download.php under its terms. Lay them in a "
            "folder for each synset, or flat with a table of classes; the README of "
            "corteval-imagenet says which.",
            folder=self.folder,
        )
        images = labelled_images(place)
        strange = [name for name in images if not number_of(name)]
        if strange:
            raise StimuliError(
                f"{place}: {len(strange)} of {len(images)} images are not called "
                f"ILSVRC2012_val_<number>, such as {strange[0]}. Training images are not the "
                "validation set."
            )
        if not self.partial:
            require_complete(images, place)
        names = sorted(images)
        table = pd.DataFrame(
            {
                "path": [str(images[n].path) for n in names],
                "synset": [images[n].synset for n in names],
            },
            index=pd.Index(names, name="stimulus_id", dtype=object),
        )
        return StimulusSet(identifier="ImageNet", modality="image", table=table)

    def assembly(self) -> xr.DataArray:
        """There is none.

        Raises:
            NotInData: always.
        """
        raise NotInData(_LABELS_ONLY.format("ImageNet"))


@final
@dataclass(frozen=True, kw_only=True)
class ImageNetC:
    """Corrupted validation images, with `synset`, `noise_type`, `noise_level` and `image`.

    `image` names the validation image that was corrupted, which many stimuli share.

    Args:
        category: key of `corteval_imagenet.card.CORRUPTIONS`.
        folder: where they lie, as ImageNet-C lays them out: ``<corruption>/<severity>/<synset>/``,
            perhaps below the name of the category; by default ``provided/ImageNet-C`` in the home
            of Corteval.
        partial: use what is there, if a corruption or an image is missing.
    """

    category: str
    folder: str | Path | None = None
    partial: bool = False

    def __post_init__(self) -> None:
        if self.category not in CORRUPTIONS:
            raise OptionError(
                f"There is no category {self.category!r}; there are {', '.join(CORRUPTIONS)}."
            )

    def stimuli(self) -> StimulusSet:
        """Images by corruption, severity, class and number.

        Raises:
            NotInData: if the user has provided none.
            StimuliError: if the layout is another one, or images are missing.
        """
        place = provided(
            "ImageNet-C",
            f"the images of ImageNet-C ({self.category})",
            f"They are {self.category}.tar of https://zenodo.org/records/2235448; unpack it there. "
            f"brainscore/imagenet_c.{self.category} has the same, for whoever may have it.",
            folder=self.folder,
        )
        rows = []
        for corruption in CORRUPTIONS[self.category]:
            for severity in SEVERITIES:
                for name, image in self._images(place, corruption, severity).items():
                    rows.append(
                        (
                            f"{corruption}-{severity}-{name}",
                            str(image.path),
                            image.synset,
                            corruption,
                            severity,
                            number_of(name) or name,
                        )
                    )
        if not rows:
            raise StimuliError(
                f"{place} has no images as <corruption>/<severity>/<synset>/<file>; corruptions of "
                f"{self.category} are {', '.join(CORRUPTIONS[self.category])}."
            )
        columns = ["stimulus_id", "path", "synset", "noise_type", "noise_level", "image"]
        table = pd.DataFrame(rows, columns=columns).set_index("stimulus_id")
        return StimulusSet(identifier=f"ImageNet-C-{self.category}", modality="image", table=table)

    def assembly(self) -> xr.DataArray:
        """There is none.

        Raises:
            NotInData: always.
        """
        raise NotInData(_LABELS_ONLY.format(f"ImageNet-C-{self.category}"))

    def _images(self, place: Path, corruption: str, severity: int) -> dict[str, Labelled]:
        """Of one corruption at one severity, by class and number."""
        folders = [root / corruption / str(severity) for root in (place, place / self.category)]
        folder = next((f for f in folders if f.is_dir()), None)
        if folder is None:
            if self.partial:
                return {}
            raise StimuliError(
                f"ImageNet-C-{self.category}: {folders[0]} is no folder. Unpack the whole of "
                f"{self.category}.tar, or give the option partial=True to use what is there."
            )
        images = images_by_synset(folder)
        if not self.partial:
            require_complete(images, folder)
        return images
