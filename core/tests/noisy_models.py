"""A model that draws noise under a seed, and dies when told to: a plugin file for tests of runs."""

import os
import signal
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corteval.cards import ModelCard
from corteval.testing import toys
from corteval.testing.toys import BENCHMARK, DATA, PREDICTIVITY, RELIABILITY, VISION  # noqa: F401

NOISY = ModelCard(identifier="noisy", factory=f"{__name__}:build", summary="s", licence="MIT")


@dataclass(frozen=True)
class Model:
    """The toy model of images with noise of its own for each image, whenever it is shown."""

    identifier: str
    seed: int

    modalities = frozenset({"image"})
    visual_degrees = 8.0

    def supports(self, request):
        return toys.vision().supports(request)

    def perturbed(self, *perturbations):
        return self

    def respond(self, stimuli, requests):
        self._die_once()
        answers = toys.vision().respond(stimuli, requests)
        return {
            request: answer + self._noise(stimuli, answer) for request, answer in answers.items()
        }

    def _noise(self, stimuli, answer):
        rows = []
        for stimulus_id in answer["stimulus_id"].values:
            content = zlib.crc32(np.ascontiguousarray(stimuli.image(stimulus_id)).tobytes())
            rng = np.random.default_rng([self.seed, content])
            rows.append(rng.standard_normal(answer.sizes["neuroid"]))
        return 0.2 * np.array(rows)

    def _die_once(self):
        """Where a file says so, the first time."""
        mark = Path(os.environ["HOME"]) / f"die-{self.seed}"
        if mark.exists():
            mark.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def build(seed=0):
    return Model("noisy", seed)
