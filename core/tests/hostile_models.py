"""Models that do what models must not: a plugin file for tests of runs."""

import ctypes
import gc
import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from corteval import settings
from corteval.cards import ModelCard
from corteval.testing import toys
from corteval.testing.toys import BENCHMARK, DATA, PREDICTIVITY, RELIABILITY, VISION  # noqa: F401

HERE = __name__


def card(name, **options):
    return ModelCard(
        identifier=name, factory=f"{HERE}:build", summary="s", licence="MIT", options=options
    )


SEGFAULT = card("segfault", does="segfault")
KILLED = card("killed", does="killed")
LEAVES = card("leaves", does="leaves")
HANGS = card("hangs", does="hangs")
RAISES = card("raises", does="raises")
FULL = card("full", does="full")
CHATTERS = card("chatters", does="chatters")
MEDDLES = card("meddles", does="meddles")
HUNTS = card("hunts", does="hunts")
ONCE = card("once", does="once")
SLOW = card("slow", does="slow")
PROWLS = card("prowls", does="prowls")
TELLS = card("tells", does="tells")
RECORDED = replace(card("recorded-one", does="nothing"), isolated=False)


class Model:
    """The toy model of images, with something that happens first."""

    def __init__(self, does):
        self.does, self._toy = does, toys.vision()
        self.identifier = does
        self.modalities, self.visual_degrees = self._toy.modalities, self._toy.visual_degrees

    def supports(self, request):
        return self._toy.supports(request)

    def perturbed(self, *perturbations):
        return self

    def respond(self, stimuli, requests):
        getattr(self, f"_{self.does}")(stimuli)
        return self._toy.respond(stimuli, requests)

    def _segfault(self, stimuli):
        sys.stderr.write("the last words of a model\n")
        sys.stderr.flush()
        ctypes.string_at(0)

    def _killed(self, stimuli):
        os.kill(os.getpid(), signal.SIGKILL)

    def _leaves(self, stimuli):
        os._exit(7)

    def _hangs(self, stimuli):
        time.sleep(600)

    def _slow(self, stimuli):
        time.sleep(3)

    def _raises(self, stimuli):
        raise RuntimeError("the plugin is wrong")

    def _full(self, stimuli):
        raise MemoryError("Unable to allocate 80 GiB")

    def _chatters(self, stimuli):
        for _ in range(200):
            sys.stdout.write("x" * 100_000)

    def _meddles(self, stimuli):
        import locale
        import warnings

        import numpy as np

        os.chdir("/")
        os.environ["OMP_NUM_THREADS"] = "7"
        np.random.seed(0)  # noqa: NPY002 -- the meddling
        np.seterr(all="raise")
        warnings.simplefilter("error")
        locale.setlocale(locale.LC_ALL, "C")

    def _once(self, stimuli):
        mark = Path(os.environ["HOME"]) / "was-here"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def _nothing(self, stimuli):
        """Just answer."""

    def _tells(self, stimuli):
        """Say which settings are in force where the model runs."""
        said = {n: settings.setting(n).value for n in ("mirror", "offline")}
        sys.stderr.write(f"found: {json.dumps(said)}\n")
        sys.stderr.flush()

    def _prowls(self, stimuli):
        """Look for files and a network."""
        import socket

        def reached():
            try:
                socket.create_connection(("1.1.1.1", 53), timeout=2).close()
            except OSError:
                return False
            return True

        places = [Path("/tmp"), Path("/home"), Path("/root"), Path("/work"), Path("/var")]
        readable = [str(p) for place in places if place.is_dir() for p in _files(place)]
        interfaces = [n for _, n in socket.if_nameindex() if n != "lo"]
        found = {
            "network": bool(interfaces) or reached(),
            "readable": readable[:2000],
            "home": [str(p) for p in _files(Path("/home"))][:10],
        }
        sys.stderr.write(f"found: {json.dumps(found)}\n")
        sys.stderr.flush()

    def _hunts(self, stimuli):
        """Write all a model can find without leaving its process: a probe of what leaks."""
        import numpy as np
        import xarray as xr

        arrays = [
            [list(map(int, thing.shape)), str(thing.dtype)]
            for thing in gc.get_objects()
            if isinstance(thing, (np.ndarray, xr.DataArray))
        ]
        frames, frame = [], sys._getframe()
        while frame is not None:
            frames.append(sorted(map(str, frame.f_locals)))
            frame = frame.f_back
        files = []
        for number in Path("/proc/self/fd").iterdir():
            try:
                files.append(str(number.readlink()))
            except OSError:
                continue
        found = {
            "arrays": arrays,
            "frames": frames,
            "environment": dict(os.environ),
            "command": Path("/proc/self/cmdline").read_bytes().decode().split("\0"),
            "files": files,
            "folder": str(Path.cwd()),
            "siblings": sorted(
                [str(p), p.stat().st_mtime] for p in Path.cwd().rglob("*") if p.is_file()
            ),
            "modules": sorted(sys.modules),
            "ids": list(stimuli.stimulus_ids),
            "columns": list(stimuli.table.columns),
            "name": stimuli.identifier,
        }
        (Path(os.environ["HOME"]) / "found.json").write_text(json.dumps(found))


def _files(place):
    """Files below a folder that are no part of Python or its packages."""
    skipped = {"site-packages", "lib", "bin", "include", "share", "src", ".git"}
    for folder, folders, files in os.walk(place):
        folders[:] = [name for name in folders if name not in skipped]
        for name in files:
            yield Path(folder) / name


def build(does):
    return Model(does)
