"""Session 210325: 640 images, 50 V4 neurons, single trials."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import neural
from corteval.errors import StimuliError
from corteval.fetch import fetch, fetch_archive
from corteval.stimuli import StimulusSet
from corteval_cowley2023.card import IMAGES, RESPONSES

SESSION = "210325"
ANIMAL = "PE"


@final
class Cowley2023:
    """Recordings of one session.

    The authors number images from 1: column ``k - 1`` of the responses belongs to
    ``image000k.jpg``. Spikes were counted in one bin of 100 ms whose onset they do not state, so
    the assembly has no time bins; nor do they state the images' size on the screen, so
    ``visual_degrees`` is None and the images fill a subject's field of view.
    """

    def stimuli(self) -> StimulusSet:
        """640 RGB images of 112 x 112 pixels: rendered objects on backgrounds."""
        folder = fetch_archive(IMAGES)
        files = sorted(folder.rglob("image*.jpg"))
        if len(files) != len(_stimulus_ids()):
            raise StimuliError(f"{folder} holds {len(files)} images; expected 640.")
        table = pd.DataFrame(
            {"path": [str(file) for file in files], "session": SESSION},
            index=pd.Index([file.name for file in files], name="stimulus_id"),
        )
        return StimulusSet(identifier=f"Cowley2023.{SESSION}", modality="image", table=table)

    def assembly(self) -> xr.DataArray:
        """Spike counts: presentation 640, neuroid 50, trial 10; missing trials are NaN."""
        counts = np.load(fetch(RESPONSES), allow_pickle=False)  # (neuroid, image, repeat)
        stimulus_ids = _stimulus_ids()
        neuroids = counts.shape[0]
        return neural(
            counts.transpose(1, 0, 2),
            stimulus_ids,
            {
                "neuroid_id": [f"{SESSION}-{number:02d}" for number in range(neuroids)],
                "region": ["V4"] * neuroids,
                "subject": [ANIMAL] * neuroids,
            },
            presentation={"session": [SESSION] * len(stimulus_ids)},
            attrs={"unit": "spikes per 100 ms"},
        )


def _stimulus_ids() -> list[str]:
    return [f"image{number:04d}.jpg" for number in range(1, 641)]
