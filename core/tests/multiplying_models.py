"""Models that start processes without end: a plugin file for tests of runs."""

import os
import time
from pathlib import Path

from corteval.cards import ModelCard
from corteval.testing import toys
from corteval.testing.toys import BENCHMARK, DATA, PREDICTIVITY, RELIABILITY, VISION  # noqa: F401

MOST = 400  # where nothing else limits them


def card(name):
    return ModelCard(
        identifier=name,
        factory=f"{__name__}:build",
        summary="s",
        licence="MIT",
        options={"does": name},
    )


MULTIPLIES = card("multiplies")
SCATTERS = card("scatters")
SLEEPS = card("sleeps")


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

    def _multiplies(self):
        """Fork, and have the children fork, until no more can be; then wait."""
        for _ in range(MOST):
            try:
                os.fork()
            except OSError:
                break
        time.sleep(600)

    def _sleeps(self):
        """Tell who it is, and hear nothing more."""
        (Path(os.environ["HOME"]) / "asleep").write_text(str(os.getpid()))
        time.sleep(600)

    def _scatters(self):
        """As many as are given, each in a session of its own; then answer as if nothing were."""
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                time.sleep(600)
                os._exit(0)


def build(does):
    return Model(does)
