"""What the cards name. Imported only when something is created."""

import numpy as np
import pandas as pd

from corteval.assembly import neural
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.screen import luminance
from corteval.stimuli import StimulusSet

GRID = 8


class Edges:
    """Standard deviation of luminance in each cell of a grid: one unit a cell."""

    def units(self, layer):
        """Coordinates of the units; `neuroid_id` is all that is required."""
        return {"neuroid_id": np.array([f"{layer}-{n}" for n in range(GRID**2)])}

    def __call__(self, stimuli, wanted):
        """Yield the wanted units' responses, stimulus by stimulus."""
        for stimulus_id in stimuli.stimulus_ids:
            image = luminance(stimuli, stimulus_id, screen_degrees=8.0)
            cells = [c for row in np.array_split(image, GRID) for c in np.array_split(row, GRID, 1)]
            responses = np.array([cell.std() for cell in cells])
            yield {layer: responses[None, units] for layer, units in wanted.items()}


def edges():
    """The model: its one layer answers every recording target."""
    return LayerCommitment(
        identifier="lab-edges",
        extractor=Edges(),
        layers={ANY_TARGET: "contrast"},
        visual_degrees=8.0,
    )


class LabData:
    """100 noise images and 10 simulated neurons that like contrast, 4 trials each."""

    ids = tuple(f"image{n:03d}" for n in range(100))

    def stimuli(self):
        """Images made in memory; files would stand in a column `path`."""
        table = pd.DataFrame(index=pd.Index(self.ids, name="stimulus_id"))
        return StimulusSet(
            identifier="LabData2026",
            modality="image",
            table=table,
            visual_degrees=8.0,
            images=self.image,
        )

    def contrasts(self, stimulus_id):
        """What the neurons like: a contrast for every cell of a grid."""
        return np.random.default_rng(self.ids.index(stimulus_id)).random((8, 8))

    def image(self, stimulus_id):
        """Noise with these contrasts."""
        noise = np.random.default_rng([1, self.ids.index(stimulus_id)]).standard_normal((64, 64))
        contrast = np.kron(self.contrasts(stimulus_id), np.ones((8, 8)))
        return np.clip(128 + 100 * contrast * noise, 0, 255).astype(np.uint8)

    def assembly(self):
        """Trial-by-trial responses: presentation x neuroid x trial."""
        x = np.array([self.contrasts(stimulus_id).ravel() for stimulus_id in self.ids])
        rng = np.random.default_rng(0)
        signal = (x - x.mean(0)) @ rng.standard_normal((x.shape[1], 10))
        noise = rng.standard_normal((*signal.shape, 4))
        trials = signal[:, :, None] + signal.std() * noise
        return neural(trials, self.ids, {"neuroid_id": [f"neuron{n}" for n in range(10)]})
