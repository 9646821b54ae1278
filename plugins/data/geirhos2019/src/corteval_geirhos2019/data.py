"""Images of one experiment and the decisions of ten people on them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import xarray as xr

from corteval.cards import Resource
from corteval.errors import NotInData, OptionError, StimuliError
from corteval.fetch import fetch_all
from corteval.stimuli import StimulusSet
from corteval_geirhos2019.card import FOLDERS, IMAGES, TRIALS
from corteval_geirhos2021.experiments import CHOICES
from corteval_geirhos2021.images import locate, subfolder
from corteval_geirhos2021.trials import read_trials, stimulus_set


@final
@dataclass(frozen=True, kw_only=True)
class Geirhos2019:
    """Decisions of ten people among 16 classes; each saw every image once.

    Args:
        experiment: ``"cue-conflict"``, ``"edge"`` or ``"silhouette"``.
        folder: a clone of texture-vs-shape, its ``stimuli`` or the folder of the images. All images
            that people saw are then read from there; else they are downloaded, which of the cue
            conflict is a quarter. The assembly holds the trials of the same images.
    """

    experiment: str
    folder: str | Path | None = None

    def __post_init__(self) -> None:
        if self.experiment not in FOLDERS:
            raise OptionError(
                f"There is no experiment {self.experiment!r}; there are {', '.join(FOLDERS)}."
            )

    @property
    def choices(self) -> tuple[str, ...]:
        """What people chose among."""
        return CHOICES

    def stimuli(self) -> StimulusSet:
        """Images of 224 x 224 pixels with their `truth`: the class of the shape.

        Those of the cue conflict have a `texture`, too, and a `content`: the image whose shape is
        shown, which several stimuli share.

        Raises:
            NotInData: if `folder` does not exist.
            StimuliError: if an image that people saw is not there, or is not as published.
        """
        identifier = f"Geirhos2019.{self.experiment.replace('-', '')}"
        trials = self._trials
        if self.folder is None:
            paths = {file.name: file for file in fetch_all(self._images)}
        else:
            ids = list(np.unique(trials["stimulus_id"].values))
            paths = locate(self._place(identifier), ids, by_category=True)
            self._require_published(paths)
        return stimulus_set(identifier, trials, paths)

    def assembly(self) -> xr.DataArray:
        """Choices, one presentation a trial; ``"na"`` where nobody answered in time.

        Coordinates: `stimulus_id`, `subject`, `condition`, `truth`, `trial_number`, `rt_ms` (NaN
        without an answer) and, of the cue conflict, `texture` and `content`.
        """
        return self._trials.copy()

    @property
    def _images(self) -> tuple[Resource, ...]:
        return IMAGES[FOLDERS[self.experiment]]

    @cached_property
    def _trials(self) -> xr.DataArray:
        trials = read_trials(self.experiment, fetch_all(TRIALS[self.experiment]))
        if self.folder is not None:
            return trials
        shown = [image.filename for image in self._images]
        return trials[np.isin(trials["stimulus_id"].values, shown)]

    def _place(self, identifier: str) -> Path:
        folder = Path(str(self.folder)).expanduser().absolute()
        if not folder.is_dir():
            raise NotInData(
                f"{identifier}: there is no folder {folder}. Name a clone of "
                "https://github.com/rgeirhos/texture-vs-shape, or leave out the option `folder`."
            )
        name = FOLDERS[self.experiment]
        return subfolder(folder, (f"stimuli/{name}", name))

    def _require_published(self, paths: dict[str, Path]) -> None:
        """Compare the images whose bytes are known with these."""
        changed = []
        for image in self._images:
            with paths[image.filename].open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != image.sha256:
                    changed.append(image.filename)
        if changed:
            raise StimuliError(
                f"{len(changed)} images are not as published, such as {paths[changed[0]]}. Name a "
                "fresh clone of https://github.com/rgeirhos/texture-vs-shape by `folder`."
            )
