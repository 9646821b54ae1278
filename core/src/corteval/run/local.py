"""The executor of this machine: workers of its own, started again when they die."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from corteval import settings
from corteval.errors import CortevalError
from corteval.run.folder import RunFolder
from corteval.run.remote import kill_group
from corteval.run.worker import Limits

#: Seconds between two looks at the workers.
_LOOK = 0.1
#: Workers that die before they have taken a task, one after the other, after which none is started.
_MOST_STILLBORN = 3
#: Seconds that workers get to put away what they do.
_GRACE = 30.0


@final
@dataclass
class _Slot:
    """A place for a worker."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    stillborn: int = 0
    born: float = 0.0


def run_here(
    run: RunFolder, *, workers: int, limits: Limits, look: Callable[[], None] = lambda: None
) -> None:
    """Work on `run` with processes of this machine until it is done or cancelled.

    A worker that dies costs the task it was at; another takes its place.

    Args:
        run: the folder.
        workers: how many at a time.
        limits: of each.
        look: called again and again, to show progress.

    Raises:
        KeyboardInterrupt: after workers were told to stop; a second one kills them.
        CortevalError: if no worker can be started.
    """
    slots = [_Slot(number) for number in range(workers)]
    try:
        for slot in slots:
            _start(slot, run, limits)
        while any(slot.process is not None for slot in slots):
            time.sleep(_LOOK)
            look()
            for slot in slots:
                _tend(slot, run, limits)
    except BaseException:
        _end(slots, run)
        raise
    look()


def _start(slot: _Slot, run: RunFolder, limits: Limits) -> None:
    command = [sys.executable, "-m", "corteval.run.worker", str(run.folder)]
    command += ["--name", f"w{slot.number}"]
    if limits.seconds is not None:
        command += ["--seconds", str(limits.seconds)]
    if limits.timeout_seconds is not None:
        command += ["--timeout", str(limits.timeout_seconds)]
    with run.log(f"worker-w{slot.number}").open("ab") as log:
        slot.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings.as_environment()},
            start_new_session=True,  # a Ctrl-C is for us, who pass it on
        )
    slot.born = time.monotonic()


def _tend(slot: _Slot, run: RunFolder, limits: Limits) -> None:
    """Note the end of a worker, and start another if there is work left."""
    process = slot.process
    if process is None or process.poll() is None:
        return
    code = process.returncode
    slot.process = None
    if code == 0:
        return
    name = signal.Signals(-code).name if code < 0 else ""
    run.note_end(process.pid, code=code, signal=name)
    run.tell("worker died", worker=f"w{slot.number}", code=code, signal=name)
    kill_group(process)
    slot.stillborn = slot.stillborn + 1 if time.monotonic() - slot.born < 2 else 0
    if slot.stillborn >= _MOST_STILLBORN:
        raise CortevalError(
            f"Workers die as soon as they start (exit code {code}{' by ' + name if name else ''}). "
            f"See {run.log(f'worker-w{slot.number}')}."
        )
    if not run.cancelled:
        _start(slot, run, limits)


def _end(slots: list[_Slot], run: RunFolder) -> None:
    """Have workers stop: first politely, and on a second interrupt at once."""
    alive = [slot.process for slot in slots if slot.process is not None]
    for process in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    try:
        while any(p.poll() is None for p in alive) and time.monotonic() < deadline:
            time.sleep(_LOOK)
    finally:
        for process in alive:
            kill_group(process)
    run.tell("interrupted")
