"""The process of a model: it is told requests and opaque stimuli, and holds nothing else.

``python -m corteval.run.host`` reads messages (`wire`) from its standard input and answers on what
was its standard output; what a plugin prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from corteval import hooks, settings
from corteval import store as stores
from corteval.commitment import LayerCommitment
from corteval.errors import CortevalError
from corteval.hooks import hookimpl
from corteval.requests import Recording, Request
from corteval.run import opaque, wire
from corteval.run.failures import kind_of
from corteval.run.one_batch import fitted
from corteval.run.strays import die_with_parent
from corteval.scoring import Subject, account_of, subject_named
from corteval.store import Store


class _Host:
    """One model and the sets it was shown."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._subject: Subject | None = None
        self._store: Store | None = None

    def answer(self, content: Mapping[str, Any]) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Do what a message asks for."""
        operation = content["do"]
        if operation == "build":
            return self._build(content), []
        if operation == "supports":
            request = wire.request_from_json(content["request"], self._sets(content))
            return {"value": bool(self.subject().model.supports(request))}, []
        if operation == "respond":
            return self._respond(content)
        if operation == "prepare":
            return self._prepare(content), []
        if operation == "describe":
            return {"value": asdict(account_of(self.subject()))}, []
        raise CortevalError(f"Nobody knows the operation {operation!r}.")

    def subject(self) -> Subject:
        """The model that was built; no property, for older pluggy reads all of those."""
        if self._subject is None:
            raise CortevalError("No model was built yet.")
        return self._subject

    def _build(self, content: Mapping[str, Any]) -> dict[str, Any]:
        for name, value in content["settings"].items():
            settings.set_flag(name, value)
        if content["store"] is not None:
            self._store = Store(content["store"])
        self._subject = subject_named(content["model"])
        model = self._subject.model
        return {
            "value": {
                "identifier": model.identifier,
                "modalities": sorted(model.modalities),
                "visual_degrees": model.visual_degrees,
                "name": self._subject.name,
            }
        }

    def _respond(self, content: Mapping[str, Any]) -> tuple[dict[str, Any], list[np.ndarray]]:
        stimuli = opaque.revealed_set(content["stimuli"])
        requests = self._requests(content)
        model = fitted(self.subject().model, stimuli, requests, peak_of=_peak_of)
        forget_peak()
        with stores.using(self._store):
            answers = model.respond(stimuli, requests)
        facts, arrays = wire.answers_to_message(requests, answers)
        return {"value": facts, "peak_bytes": peak_bytes()}, arrays

    def _prepare(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Record the layers that answer several requests in one pass, if the model has layers."""
        model = self.subject().model
        if not isinstance(model, LayerCommitment) or not hasattr(model.extractor, "prepare"):
            return {"value": 0}
        requests = [
            r for r in self._requests(content) if isinstance(r, Recording) and model.supports(r)
        ]
        layers = [*dict.fromkeys(name for r in requests for name in model.layers_of(r.target))]
        if layers and self._store is not None:
            stimuli = opaque.revealed_set(content["stimuli"])
            extractor: Any = fitted(model, stimuli, requests, peak_of=_peak_of).extractor
            with stores.using(self._store):
                extractor.prepare(stimuli, layers)
        return {"value": len(layers), "peak_bytes": peak_bytes()}

    def _requests(self, content: Mapping[str, Any]) -> list[Request]:
        sets = self._sets(content)
        return [wire.request_from_json(request, sets) for request in content["requests"]]

    def _sets(self, content: Mapping[str, Any]) -> list[Any]:
        return [opaque.revealed_set(part) for part in content["sets"]]

    @hookimpl
    def corteval_progress(self, event: hooks.Progress) -> None:
        """Pass progress on, for people who wait."""
        facts = [event.task, event.completed, event.total, event.unit]
        self.send({"progress": facts})

    def send(self, content: Mapping[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
        """Write a message; progress may be told by several threads."""
        with self._lock:
            wire.send(self._stream, content, arrays)


def _peak_of(do: Callable[[], None]) -> tuple[int, int]:
    """Do something; bytes held before, and the most held meanwhile."""
    forget_peak()
    held = peak_bytes()
    do()
    return held, peak_bytes()


def peak_bytes() -> int:
    """Most memory this process held since `forget_peak`, or ever where the system cannot tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return 1024 * int(next(n for n in lines if n.startswith("VmHWM:")).split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def forget_peak() -> None:
    """Measure the peak anew from what is held now, if the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer messages until there are no more."""
    host = _Host(sink)
    with hooks.observing(host):
        while True:
            try:
                content, _ = wire.receive(source)
            except wire.Broken:
                return
            try:
                said, arrays = host.answer(content)
            except (Exception, SystemExit) as error:
                said, arrays = _failure(error), []
            host.send(said, arrays)


def _failure(error: BaseException) -> dict[str, Any]:
    """An error as the worker raises it again."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" (in {Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    own = isinstance(error, CortevalError)
    message = str(error) if own else f"{type(error).__name__}: {error}{where}"
    return {"error": message, "failure": kind_of(error)}


def main() -> None:
    """Take over the two pipes, so that no print of a plugin gets between messages.

    Schedulers send signals to every process of a job; it is the worker that stops the model.
    """
    die_with_parent()  # a model that hangs would not notice
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    serve(source, sink)


if __name__ == "__main__":
    main()
