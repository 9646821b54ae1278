"""A model in another process, as a subject: the worker's side of `host`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, final

import numpy as np
import xarray as xr

from corteval import hooks
from corteval import store as stores
from corteval.cards import Modality
from corteval.errors import CortevalError, FetchError, StorageFull, UnsupportedRequest
from corteval.perturbation import Perturbation
from corteval.requests import Request
from corteval.run import strays, wire
from corteval.run.failures import Kind, oom_kills
from corteval.run.hiding import is_secret, without_secrets
from corteval.run.isolation import command_for
from corteval.run.opaque import Disguise, disguised, granted, renamed_request
from corteval.run.placing import setting_anywhere
from corteval.score import Provenance
from corteval.scoring import Account
from corteval.settings import KNOWN
from corteval.stimuli import StimulusSet

#: Environment variables that the process of a model gets, by name or beginning.
PASSED = ("PATH", "HOME", "LANG", "TMPDIR", "TERM", "TZ", "USER", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
PASSED_BEGINNINGS = (
    "LC_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "CUDA_",
    "NVIDIA_",
    "TORCH_",
    "HF_",
    "PYTHON",
)

#: Settings that tell the process of a model where weights lie and whether it may load them.
_SETTINGS = ("home", "mirror", "offline", "store_limit", "store_verify", "plugin_path")

#: Of what a model prints, as much is kept.
TAIL_BYTES = 16_384
LOG_BYTES = 10_000_000

#: Seconds to wait for others to end where no process can be started.
_PATIENCE = 10.0

#: Sets that one process of a model is shown without being written again.
_SETS = 8


class ModelFailed(CortevalError):
    """The model's own code raised an error; it would do so again."""


class ModelDied(CortevalError):
    """The process of the model ended: by a crash of native code, or by a signal."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class ModelOutOfMemory(CortevalError):
    """The model's process had too little memory."""


#: What an error in the model's process is raised as here.
_ERRORS: Mapping[Kind, type[CortevalError]] = {
    "error": ModelFailed,
    "memory": ModelOutOfMemory,
    "network": FetchError,
    "storage": StorageFull,
}


@final
class RemoteModel:
    """A subject that lives in a process of its own.

    Args:
        model: identifier.
        log: file for what it prints.
        seed: of the order in which it is shown stimuli.
        isolation: where it runs, see `isolation`.
    """

    def __init__(self, model: str, *, log: Path, seed: str, isolation: str = "process") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="corteval-model-"))
        self._seed = seed
        self._sets: dict[str, tuple[dict[str, Any], Disguise]] = {}
        self.peak_bytes = 0
        self._oom_kills = 0
        self._printed = _Printed(log)
        self._process = started(
            [*command_for(isolation, model, self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._folder,
            env=environment(isolation),
            start_new_session=True,
        )
        assert self._process.stderr is not None
        self._printed.follow(self._process.stderr)
        try:
            facts = self._ask({"do": "build", "model": model, **_store_and_settings()})[0]
        except BaseException:
            self.close()
            raise
        self._identifier: str = facts["identifier"]
        self.name: str = facts["name"]
        self._modalities: frozenset[Modality] = frozenset(facts["modalities"])
        self._visual_degrees: float | None = facts["visual_degrees"]

    @property
    def identifier(self) -> str:
        """Name in tables and records."""
        return self._identifier

    @property
    def modalities(self) -> frozenset[Modality]:
        """Kinds of stimuli it takes."""
        return self._modalities

    @property
    def visual_degrees(self) -> float | None:
        """Extent of its field of view."""
        return self._visual_degrees

    def supports(self, request: Request) -> bool:
        """Whether the model can answer `request`; what it would be shown is not shown yet."""
        sets: list[StimulusSet] = []
        content = wire.request_to_json(request, sets)
        described = [self._shown(_first_of(part))[0] for part in sets]
        return bool(self._ask({"do": "supports", "request": content, "sets": described})[0])

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """Answer `requests`, under the experimenter's ids."""
        description, disguise = self._shown(stimuli.shown())
        asked = [renamed_request(request, disguise.names()) for request in requests]
        content = self._content("respond", description, asked)
        facts, arrays = self._ask(content)
        answers = wire.answers_from_message(asked, facts, arrays)
        return {
            request: disguise.reveal(answers[opaque])
            for request, opaque in zip(requests, asked, strict=True)
        }

    def prepare(self, stimuli: StimulusSet, requests: Sequence[Request]) -> None:
        """Record, in one pass, what answers all `requests`, for whoever asks next."""
        description, _ = self._shown(stimuli.shown())
        self._ask(self._content("prepare", description, requests))

    def perturbed(self, *perturbations: Perturbation) -> RemoteModel:
        """Not yet possible across the border."""
        raise UnsupportedRequest(
            f"{self.identifier} runs in a process of its own, where it cannot be perturbed yet; "
            "score perturbed subjects with corteval.score."
        )

    def account(self) -> Account:
        """What is said of the model with its scores."""
        said = self._ask({"do": "describe"})[0]
        return Account(origin=Provenance(**said["origin"]), notes=tuple(said["notes"]))

    def kill(self) -> None:
        """End the process at once, from any thread."""
        left = strays.descendants(self._process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        strays.kill(left)  # whoever waits for the model ends what is left

    def close(self) -> None:
        """End the process, what it has started, and remove what it was shown."""
        left = strays.descendants(self._process.pid)
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        kill_group(self._process)
        strays.end(left)
        self._printed.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _content(
        self, do: str, stimuli: Mapping[str, Any], requests: Sequence[Request]
    ) -> dict[str, Any]:
        sets: list[StimulusSet] = []
        asked = [wire.request_to_json(request, sets) for request in requests]
        fits = [granted(r) for r in requests if granted(r) is not None]
        described = [self._shown(part)[0] for part in fits if part is not None]
        return {"do": do, "stimuli": stimuli, "requests": asked, "sets": described}

    def _shown(self, stimuli: StimulusSet) -> tuple[dict[str, Any], Disguise]:
        labelled = "label" in stimuli.table.columns
        key = f"{stimuli.digest()}-{labelled}"
        if key not in self._sets:
            while len(self._sets) >= _SETS:
                oldest = next(iter(self._sets))
                shutil.rmtree(self._sets.pop(oldest)[0]["folder"], ignore_errors=True)
            folder = self._folder / f"stimuli-{len(self._sets)}-{os.urandom(4).hex()}"
            self._sets[key] = disguised(stimuli, folder, self._seed)
        return self._sets[key]

    def _ask(self, content: Mapping[str, Any]) -> tuple[Any, list[np.ndarray]]:
        """Send a message, pass on progress, and return the answer.

        Raises:
            ModelFailed, ModelOutOfMemory, ModelDied
            FetchError: if the model needs a file that cannot be had.
            StorageFull: if the disk refused what it had to keep.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._oom_kills = oom_kills()
        try:
            wire.send(self._process.stdin, content)
            said, arrays = wire.receive(self._process.stdout)
            while "progress" in said:
                hooks.notify(hooks.Progress(*said["progress"]))
                said, arrays = wire.receive(self._process.stdout)
        except wire.Broken as error:
            raise self._died(error) from error
        self.peak_bytes = max(self.peak_bytes, said.get("peak_bytes", 0))
        if "error" in said:
            raise _ERRORS.get(said["failure"], ModelFailed)(said["error"])
        return said["value"], arrays

    def _died(self, error: Exception) -> CortevalError:
        kill_group(self._process)
        code = self._process.wait()
        self._printed.close()
        if code == -signal.SIGKILL and oom_kills() > self._oom_kills:
            return ModelOutOfMemory(
                "The kernel ended the model's process: the memory of this machine, or of this job, "
                "was used up. Use fewer workers, a smaller model or a larger machine."
            )
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        last = self._printed.tail.strip()
        said = f" It said last: {last[-1000:]}" if last else ""
        return ModelDied(f"The model's process ended {how} ({error}).{said}", code)


def environment(isolation: str) -> dict[str, str]:
    """What of this process's environment a model gets; tokens only where there is a network."""
    return {
        name: value
        for name, value in os.environ.items()
        if (name in PASSED or name.startswith(PASSED_BEGINNINGS))
        and not (isolation == "sandbox" and is_secret(name))
    }


def started(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A process, as `subprocess.Popen` starts it; where too many are running, it waits a while.

    Raises:
        CortevalError: if none can be started.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return subprocess.Popen(command, **options)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise CortevalError(
                    f"No process can be started on {socket.gethostname()}: {error.strerror}. There "
                    "are too many for the limits of the user (`ulimit -u`) or of the control group "
                    "(pids.max). End some, raise the limit, or use fewer workers."
                ) from error
            time.sleep(0.5)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it started."""
    left = strays.descendants(process.pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    strays.end(left)


def _store_and_settings() -> dict[str, Any]:
    active = stores.active()
    values = {n: setting_anywhere(n) for n in _SETTINGS if n in KNOWN}
    return {
        "store": None if active is None else str(active.folder),
        "settings": {name: value for name, value in values.items() if value},
    }


def _first_of(stimuli: StimulusSet) -> StimulusSet:
    """One stimulus of each label: enough to say whether a task can be done."""
    if "label" not in stimuli.table.columns:
        return stimuli.select(stimuli.stimulus_ids[:1]).shown()
    kept = stimuli.table.drop_duplicates("label").index
    return stimuli.select([str(name) for name in kept]).shown()


class _Printed:
    """What a model prints, without secrets: the end in memory, and the beginning in a file."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._tail = b""
        self._thread: threading.Thread | None = None
        self._stream: IO[bytes] | None = None

    @property
    def tail(self) -> str:
        """The end."""
        return self._tail[-TAIL_BYTES:].decode("utf-8", "replace")

    def follow(self, stream: IO[bytes]) -> None:
        """Read until the end, in the background."""
        self._stream = stream
        self._thread = threading.Thread(target=self._read, args=[stream], daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join(2)
        if self._stream is not None and not (self._thread and self._thread.is_alive()):
            self._stream.close()

    def _read(self, stream: IO[bytes]) -> None:
        """Read whatever happens to the file: a pipe that nobody empties stops the model."""
        with contextlib.ExitStack() as stack:
            file: IO[bytes] | None = None
            written = LOG_BYTES
            with contextlib.suppress(OSError):
                file = stack.enter_context(self._log.open("ab", buffering=0))
                written = file.tell()
            for text in _lines(stream):
                shown = without_secrets(text.decode("utf-8", "surrogateescape"))
                kept = shown.encode("utf-8", "surrogateescape")
                self._tail = (self._tail + kept)[-TAIL_BYTES:]
                if file is not None and written < LOG_BYTES:
                    with contextlib.suppress(OSError):  # the disk is full: the end is kept
                        written += file.write(kept[: LOG_BYTES - written])


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """What is printed in whole lines, several at a time, however slowly it comes."""
    begun = b""
    while chunk := stream.read1(4096):  # type: ignore[attr-defined]
        whole, newline, begun = (begun + chunk).rpartition(b"\n")
        if len(begun) > TAIL_BYTES:
            whole, newline, begun = whole + newline + begun, b"", b""
        if whole or newline:
            yield whole + newline
    if begun:
        yield begun
