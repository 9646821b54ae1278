"""Recordings of one session: images, and responses of V4 neurons."""

from __future__ import annotations

from pathlib import Path
from typing import final

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import neural
from corteval.errors import StimuliError
from corteval.fetch import fetch, fetch_archive
from corteval.stimuli import StimulusSet
from corteval_cowley2023.card import PINNED
from corteval_cowley2023.clone import SessionFiles, locate, read_responses, unpacked_images
from corteval_cowley2023.recipe import listed_session


@final
class Cowley2023:
    """Recordings of one session.

    The authors number images from 1: column ``k - 1`` of the responses belongs to
    ``image000k.jpg``. Spikes were counted in one bin of 100 ms whose onset they do not state, so
    the assembly has no time bins; nor do they state the images' size on the screen, so
    ``visual_degrees`` is None and the images fill a subject's field of view.

    Args:
        session: date of the recording, yymmdd.
        folder: a clone of the authors' repository, or its folder ``data_V4_responses``, to read
            instead of downloading. Sessions that cannot be downloaded are looked for in
            ``<CORTEVAL_HOME>/provided/Cowley2023`` if it is None.
    """

    def __init__(self, session: str = "210325", folder: str | Path | None = None) -> None:
        listed_session(session)
        self.session = session
        self.folder = folder

    def stimuli(self) -> StimulusSet:
        """RGB images of 112 x 112 pixels."""
        files = self._provided()
        if files is None:
            folder = fetch_archive(PINNED[self.session].images)
            paths = self._images(folder, listed_session(self.session).images)
        else:
            paths = self._images(unpacked_images(files), read_responses(files).shape[1])
        table = pd.DataFrame(
            {"path": [str(path) for path in paths], "session": self.session},
            index=pd.Index([path.name for path in paths], name="stimulus_id"),
        )
        return StimulusSet(identifier=f"Cowley2023.{self.session}", modality="image", table=table)

    def assembly(self) -> xr.DataArray:
        """Spike counts: presentation, neuroid and, unless only their means are at hand, trial.

        Missing trials are NaN. Attributes hold the sha256 of the files.
        """
        files = self._provided()
        if files is None:
            responses = PINNED[self.session].responses
            counts = np.load(fetch(responses), allow_pickle=False)
            attrs = {f"sha256_{_holds(counts)}": responses.sha256}
        else:
            counts = read_responses(files)
            self._images(unpacked_images(files), counts.shape[1])
            attrs = files.sha256()
        neuroids, images = counts.shape[:2]  # (neuroid, image[, repeat])
        return neural(
            np.swapaxes(counts, 0, 1),
            _stimulus_ids(images),
            {
                "neuroid_id": [f"{self.session}-{number:02d}" for number in range(neuroids)],
                "region": ["V4"] * neuroids,
                "subject": [listed_session(self.session).animal] * neuroids,
            },
            presentation={"session": [self.session] * images},
            attrs={"unit": "spikes per 100 ms", **attrs},
        )

    def _provided(self) -> SessionFiles | None:
        """Files to read as they are; None if they are downloaded."""
        if self.folder is None and self.session in PINNED:
            return None
        return locate(self.session, self.folder)

    def _images(self, folder: Path, responses: int) -> list[Path]:
        """Files ``image0001.jpg`` and following, one for each of the `responses`."""
        paths = sorted(folder.rglob("image*.jpg"))
        names = [path.name for path in paths]
        if names != _stimulus_ids(responses):
            lacking = sorted(set(_stimulus_ids(responses)) - set(names))[:3]
            raise StimuliError(
                f"Session {self.session} has responses to {responses} images, and {folder} holds "
                f"{len(paths)}{', without ' if lacking else ''}{', '.join(lacking)}. Images and "
                "responses are of one session? Remove the folder to have it unpacked again."
            )
        return paths


def _stimulus_ids(count: int) -> list[str]:
    return [f"image{number:04d}.jpg" for number in range(1, count + 1)]


def _holds(counts: np.ndarray) -> str:
    return "responses_raw" if counts.ndim == 3 else "responses_averaged"
