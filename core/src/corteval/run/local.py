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

from corteval.errors import CortevalError, StoreError
from corteval.run.failures import oom_kills
from corteval.run.folder import RunFolder
from corteval.run.placing import environment_anywhere
from corteval.run.remote import kill_group, started
from corteval.run.worker import REFUSED, Limits
from corteval.store.disk import explained, names_in

#: Seconds between two looks at the workers.
_LOOK = 0.1
#: Workers that die while no task ends, one after the other, after which none is started.
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
    before: tuple[int, int] = (0, 0)
    refused: int = 0
    refusal: StoreError | None = None
    oom_kills: int = 0


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
        StoreError: if the disk refuses to keep what is going on.
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
    refusal = next((slot.refusal for slot in slots if slot.refusal is not None), None)
    if refusal is not None and not run.tasks.keys() <= run.done():
        raise refusal


def _start(slot: _Slot, run: RunFolder, limits: Limits) -> None:
    command = [sys.executable, "-m", "corteval.run.worker", str(run.folder)]
    command += ["--name", f"w{slot.number}"]
    if limits.seconds is not None:
        command += ["--seconds", str(limits.seconds)]
    if limits.timeout_seconds is not None:
        command += ["--timeout", str(limits.timeout_seconds)]
    path = run.log(f"worker-w{slot.number}")
    with explained(f"{path.name} cannot be written", run.folder), path.open("ab") as log:
        slot.process = started(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment_anywhere()},
            start_new_session=True,  # a Ctrl-C is for us, who pass it on
        )
    slot.before, slot.oom_kills = _progress(run), oom_kills()


def _tend(slot: _Slot, run: RunFolder, limits: Limits) -> None:
    """Note the end of a worker, and start another if there is work left."""
    process = slot.process
    if process is None:
        return
    kills = oom_kills()  # before looking, so that its own is not among them
    if process.poll() is None:
        slot.oom_kills = kills
        return
    code = process.returncode
    slot.process = None
    if code == 0 or (code == REFUSED and _is_refused(slot, run)):
        return
    name = signal.Signals(-code).name if code < 0 else ""
    memory = code == -signal.SIGKILL and oom_kills() > slot.oom_kills
    run.note_end(process.pid, code=code, signal=name, memory=memory)
    run.tell("worker died", worker=f"w{slot.number}", code=code, signal=name)
    kill_group(process)
    slot.stillborn = slot.stillborn + 1 if _progress(run) == slot.before else 0
    if slot.stillborn >= _MOST_STILLBORN:
        raise CortevalError(
            f"Workers die before any task ends ({f'by {name}' if name else f'exit code {code}'}). "
            f"See {run.log(f'worker-w{slot.number}')}."
        )
    if not run.cancelled:
        _start(slot, run, limits)


def _progress(run: RunFolder) -> tuple[int, int]:
    """Number of tasks that ended, and of attempts that failed: a death costs one or the other."""
    return len(run.done()), len(names_in(run.folder / "attempts"))


def _is_refused(slot: _Slot, run: RunFolder) -> bool:
    """Whether the disk refuses to keep the run still, or again and again."""
    slot.refused += 1
    try:
        run.check()
        if slot.refused >= _MOST_STILLBORN:
            raise StoreError(
                f"The state of the run cannot be kept in {run.folder}. "
                f"See {run.log(f'worker-w{slot.number}')}."
            )
    except StoreError as error:
        slot.refusal = error
        return True
    return False


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
