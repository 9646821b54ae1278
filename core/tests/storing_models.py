"""Models that store, fill disks and memory, tell secrets and draw: a plugin for tests of runs."""

import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corteval import settings
from corteval import store as stores
from corteval.cards import ModelCard
from corteval.errors import CortevalError
from corteval.testing import toys
from corteval.testing.toys import BENCHMARK, DATA, PREDICTIVITY, RELIABILITY, VISION  # noqa: F401

HERE = __name__
BLOCKS = 8


def card(name, **options):
    return ModelCard(
        identifier=name,
        factory=f"{HERE}:Model",
        summary="s",
        licence="MIT",
        options={"identifier": name, **options},
    )


LARGE = card("large", does="store", kilobytes=40_000)
SMALL = card("small", does="store", kilobytes=800)
DYING = card("dying", does="die", kilobytes=80)
STUFFS = card("stuffs", does="stuff")
LITTERS = card("litters", does="litter")
HUNGRY = card("hungry", does="want")
POLITE = card("polite", does="want_politely")
DEVOURS = card("devours", does="devour")
BLABS = card("blabs", does="blab")
DRAWS = card("draws", does="draw")


@dataclass(frozen=True)
class Model:
    """The toy model of images, with something that happens first."""

    identifier: str
    does: str
    kilobytes: int = 0

    modalities = frozenset({"image"})
    visual_degrees = 8.0

    def supports(self, request):
        return toys.vision().supports(request)

    def perturbed(self, *perturbations):
        return self

    def respond(self, stimuli, requests):
        noise = getattr(self, f"_{self.does}")() or 0
        answers = toys.vision().respond(stimuli, requests)
        return {request: answer + noise for request, answer in answers.items()}

    def _store(self, before=lambda index: None):
        """Record blocks as an extraction does: claimed, what is missing, published."""
        values = self.kilobytes * 1000 // 8 // BLOCKS
        artifact = stores.active().artifact(
            "activations", {"model": self.identifier}, rows=BLOCKS, rows_per_block=1
        )
        with stores.active().claim([artifact]):
            for index in artifact.missing():
                with (Path(os.environ["HOME"]) / f"blocks-{self.identifier}").open("a") as log:
                    log.write(f"{index}\n")
                before(index)
                artifact.write(index, np.full((1, values), index, "f8"))
            artifact.publish()

    def _die(self):
        """Computed but not stored: one death in two blocks."""
        self._store(lambda index: index % 2 and self._die_once(index))

    def _die_once(self, index=0):
        mark = Path(os.environ["HOME"]) / f"died-{self.identifier}-{index}"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def _stuff(self):
        """Fill the disk of the home to the last byte, once."""
        mark = Path(os.environ["HOME"]) / "stuffed"
        if mark.exists():
            return
        mark.touch()
        for size in (1 << 20, 1 << 12, 1):
            try:
                with (settings.home() / f"ballast-{size}").open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(size))
            except OSError:
                continue

    def _litter(self):
        """Use up the names of the disk of the home, once."""
        mark = Path(os.environ["HOME"]) / "stuffed"
        if mark.exists():
            return
        mark.touch()
        try:
            for number in range(100_000):
                (settings.home() / f"ballast-{number}").touch()
        except OSError:
            return

    def _want(self):
        """More memory than the system gives."""
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + 100_000_000, resource.RLIM_INFINITY))
        np.ones(10**9)

    def _want_politely(self):
        """As plugins say it that have tried with less."""
        try:
            self._want()
        except MemoryError as error:
            raise CortevalError("One stimulus does not fit.") from error

    def _devour(self):
        """Memory that is given, until the kernel takes the process for it."""
        kept = [np.ones(10**6) for _ in range(400)]  # 3.2 GB
        del kept

    def _blab(self):
        """All it is told, where all can read it."""
        told = [f"{name}={value}" for name, value in os.environ.items()]
        sys.stdout.write("\n".join(told))
        sys.stdout.flush()
        raise RuntimeError(f"it failed with {told} at https://me:pass-word-9@host/?token=tok-9-en")

    def _draw(self):
        """Noise that differs at each attempt; the first ends early."""
        noise = np.random.default_rng().standard_normal()
        self._die_once()
        return noise
