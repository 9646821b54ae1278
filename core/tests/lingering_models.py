"""Models that outstay or kill whoever asks them: a plugin file for tests of runs."""

import os
import signal
import time
from pathlib import Path

from corteval.cards import ModelCard
from corteval.testing import toys

HERE = __name__


def card(name):
    return ModelCard(
        identifier=name, factory=f"{HERE}:build", summary="s", licence="MIT", options={"does": name}
    )


LINGERS = card("lingers")
POISON = card("poison")


class Model:
    """The toy model of images, with something that happens first."""

    def __init__(self, does):
        self.identifier, self._toy = does, toys.vision()
        self.modalities, self.visual_degrees = self._toy.modalities, self._toy.visual_degrees

    def supports(self, request):
        return self._toy.supports(request)

    def perturbed(self, *perturbations):
        return self

    def respond(self, stimuli, requests):
        getattr(self, f"_{self.identifier}")()
        return self._toy.respond(stimuli, requests)

    def _lingers(self):
        """Stay for longer than any test, but only the first time."""
        mark = Path(os.environ["HOME"]) / "lingered"
        if not mark.exists():
            mark.touch()
            time.sleep(600)

    def _poison(self):
        """Kill whoever started the process that started this one."""
        stat = Path(f"/proc/{os.getppid()}/stat").read_text()
        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)
        time.sleep(600)


def build(does):
    return Model(does)
