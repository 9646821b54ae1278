"""Measuring what models hold in memory, on one batch in a process of their own."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from corteval import store as stores
from corteval.cards import Modality
from corteval.errors import CortevalError, UnsupportedRequest
from corteval.requests import Recording
from corteval.run import probes
from corteval.run.cells import key_of_model
from corteval.run.probes import Probe
from corteval.run.remote import RemoteModel
from corteval.stimuli import StimulusSet

log = logging.getLogger(__name__)

#: Stimuli of the batch that is measured.
ROWS = 32
#: Seconds after which a probe is given up.
TIMEOUT = 120.0

#: What models are asked of, in this order, as far as they know it.
_TARGETS = ("V1", "V2", "V4", "IT", "language_system")
_PIXELS = 224
_WORDS = ("the", "old", "house", "near", "a", "river", "stood", "still", "while", "people", "left")


def measured(models: Sequence[str], *, isolation: str, at_once: int = 1) -> dict[str, Probe]:
    """Probe models in processes of their own, and keep what is found.

    A model that cannot be probed is left out: its cells will say why.

    Args:
        models: identifiers.
        isolation: where they run.
        at_once: how many at a time.
    """

    def one(model: str) -> Probe | None:
        try:
            return probe(model, isolation=isolation)
        except CortevalError as error:
            log.info("%s cannot be probed: %s", model, error)
            return None

    with ThreadPoolExecutor(max(1, at_once), "corteval-probe") as pool:
        found = [each for each in pool.map(one, models) if each is not None]
    for each in found:
        with contextlib.suppress(CortevalError):
            probes.keep(each)
    return {each.model: each for each in found}


def probe(model: str, *, isolation: str = "process") -> Probe:
    """What `model` holds while it answers one batch.

    Raises:
        CortevalError: if it answers nothing that is known, takes too long, or fails.
    """
    with tempfile.TemporaryDirectory(prefix="corteval-") as folder, stores.using(None):
        remote = RemoteModel(model, log=Path(folder) / "log", seed="probe", isolation=isolation)
        timer = threading.Timer(TIMEOUT, remote.kill)
        timer.start()
        try:
            stimuli = _shown(remote.modalities)
            requests = [r for r in _requests() if remote.supports(r)][:1]
            if not requests:
                raise UnsupportedRequest(f"{model} supports none of {', '.join(_TARGETS)}.")
            peaks = []
            for part in (stimuli.select(stimuli.stimulus_ids[:1]), stimuli):
                remote.peak_bytes = 0
                remote.respond(part, requests)
                peaks.append(remote.peak_bytes)
        finally:
            timer.cancel()
            remote.close()
    one_bytes, batch_bytes = peaks
    return Probe(
        model=model,
        key=key_of_model(model),
        one_bytes=one_bytes,
        batch_bytes=batch_bytes,
        rows=len(stimuli),
    )


def _requests() -> list[Recording]:
    return [Recording(target) for target in _TARGETS]


def _shown(modalities: frozenset[Modality]) -> StimulusSet:
    """Noise, or words in a row: what is seen hardly matters for what is held."""
    rng = np.random.default_rng(0)
    ids = pd.Index([f"probe-{n:02d}" for n in range(ROWS)], name="stimulus_id")
    if "image" in modalities:
        shape = (ROWS, _PIXELS, _PIXELS, 3)
        pixels = dict(zip(ids, rng.integers(0, 256, shape, dtype=np.uint8), strict=True))
        return StimulusSet(
            identifier="probe",
            modality="image",
            table=pd.DataFrame(index=ids),
            visual_degrees=8.0,
            images=lambda stimulus_id: pixels[stimulus_id],
        )
    if "text" in modalities:
        texts = [" ".join(rng.choice(_WORDS, 20)) for _ in ids]
        table = pd.DataFrame({"text": texts}, index=ids)
        return StimulusSet(identifier="probe", modality="text", table=table)
    raise UnsupportedRequest(f"There is no probe of {' or '.join(sorted(modalities))}.")
