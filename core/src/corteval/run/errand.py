"""What a Dask worker does for a run: it has single tasks done by processes of its own.

A task runs in ``python -m corteval.run.errand FOLDER`` and not in the Dask worker, whose signs of
life must not wait for native code, and which holds other tasks that a crash would take along. The
process is kept for the next task, with the model and the data it has loaded; it is told identities
of tasks on its standard input and ends when that is closed, so it outlives no Dask worker.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, final, get_args

from corteval import hooks
from corteval.errors import CortevalError, StoreError
from corteval.run.failures import oom_kills
from corteval.run.folder import RunFolder
from corteval.run.remote import kill_group
from corteval.run.strays import adopting_orphans
from corteval.run.worker import REFUSED, Limits, Stopped, Worker, do, refused, stop_on
from corteval.store.disk import explained

#: How an errand ended: the task is at its end; an attempt failed; somebody else is at it; the run
#: was cancelled or the process told to stop.
Answer = Literal["done", "again", "held", "stopped"]

#: Seconds after which a process that is asked nothing ends.
_IDLE = 60.0
#: Seconds that processes get to put away what they do.
GRACE = 30.0


@final
@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is the same for all tasks of a run.

    Args:
        folder: of the run; Dask workers see it under the same name.
        session: of the executor; another one starts processes of its own.
        environment: the settings of Corteval, see `placing.environment_anywhere`.
        timeout_seconds: of one task.
    """

    folder: str
    session: str
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float | None = None


@final
class _Child:
    """A process that does one task at a time."""

    def __init__(self, terms: Terms, number: int) -> None:
        self.run = RunFolder(terms.folder)
        self.name = f"{socket.gethostname()}-{os.getpid()}.{number}"
        self.number = number
        self.oom_kills = oom_kills()
        self.log = self.run.log(f"worker-{self.name}")
        command = [sys.executable, "-m", "corteval.run.errand", terms.folder, "--name", self.name]
        if terms.timeout_seconds is not None:
            command += ["--timeout", str(terms.timeout_seconds)]
        with (
            explained(f"{self.log.name} cannot be written", self.run.folder),
            self.log.open("ab") as log,
        ):
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **terms.environment},
                text=True,
                start_new_session=True,  # a signal is for the Dask worker, which passes it on
            )

    def started(self) -> bool:
        """Whether it lives long enough to say so."""
        assert self.process.stdout is not None
        return self.process.stdout.readline() == "ready\n"

    def ask(self, identity: str) -> str:
        """Have a task done; empty if the process ended instead."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.oom_kills = oom_kills()
        with contextlib.suppress(OSError):
            self.process.stdin.write(f"{identity}\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()
        return ""

    def ended(self) -> tuple[int, str]:
        """Exit code and signal of a process that ended, noted for whoever takes over its task."""
        code = self.process.wait()
        name = signal.Signals(-code).name if code < 0 else ""
        if code not in (0, *_POLITE):
            memory = code == -signal.SIGKILL and oom_kills() > self.oom_kills
            self.run.note_end(self.process.pid, code=code, signal=name, memory=memory)
            self.run.tell("worker died", worker=self.name, code=code, signal=name)
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        return code, name


#: Exit codes of one that was told to stop: its lease is given back.
_POLITE = {128 + number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)}


@final
class _Crew:
    """The processes of a session in one Dask worker: as many as it does tasks at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._busy: dict[int, _Child] = {}
        self.stopped = False

    @contextlib.contextmanager
    def one(self, terms: Terms) -> Iterator[_Child]:
        """A process that is idle, or a new one; it is kept if it is alive at the end."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
            number = min(set(range(len(self._busy) + 1)) - self._busy.keys())
            if child is None:
                child = _Child(terms, number)
                fresh = True
            else:
                fresh = False
            self._busy[child.number] = child
        try:
            if fresh and not child.started():
                code, name = child.ended()
                if not self.stopped:
                    how = f"by {name}" if name else f"with exit code {code}"
                    raise CortevalError(
                        f"No process for tasks can be started on {socket.gethostname()}: it ended "
                        f"{how}. See {child.log}. {_last_words(child.log)}"
                    )
            yield child
        finally:
            with self._lock:
                del self._busy[child.number]
                if child.process.poll() is None:
                    self._idle.append(child)

    def members(self) -> list[_Child]:
        """All that are alive."""
        with self._lock:
            return [*self._idle, *self._busy.values()]


#: Crews of this process, by session.
_crews: dict[str, _Crew] = {}


def run_errand(terms: Terms, identity: str) -> str:
    """Have the task `identity` done; called by Dask, in one of its workers.

    Raises:
        CortevalError: if no task at all can be done here.
        StoreError: if the disk refuses to keep the state of the run.
    """
    run = RunFolder(terms.folder)
    if not (run.folder / "plan.json").is_file():
        raise CortevalError(
            f"{socket.gethostname()} does not see {run.folder}. The folder of the run and "
            "CORTEVAL_HOME must be on a disk that all workers share (--folder, CORTEVAL_HOME)."
        )
    crew = _crews.setdefault(terms.session, _Crew())
    for _ in range(3):
        if crew.stopped:
            return "stopped"
        with crew.one(terms) as child:
            answer = child.ask(identity)
            if answer in get_args(Answer):
                return answer
            code, _ = child.ended()
        if code in _POLITE:
            return "stopped"
        if code == REFUSED:
            run.check()
        if code != 0:  # else it had been idle for too long just now
            break
    return "done" if run.is_done(identity) else "again"


def _last_words(log: Path) -> str:
    """The last line that was printed."""
    with contextlib.suppress(OSError):
        lines = log.read_text("utf-8", "replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")[:1000]
    return ""


async def stop(session: str) -> None:
    """End the processes of a session in this Dask worker, politely, then at once."""
    crew = _crews.setdefault(session, _Crew())
    crew.stopped = True
    members = crew.members()
    for child in members:
        with contextlib.suppress(ProcessLookupError):
            child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while any(c.process.poll() is None for c in members) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    for child in members:
        if child.process.poll() is None:
            kill_group(child.process)  # type: ignore[arg-type] # text or bytes, it is the same


def _attend(worker: Worker, identity: str) -> Answer:
    """Do one task, unless it is done or another's."""
    run = worker.run
    if run.cancelled:
        return "stopped"
    claim = run.claim(run.tasks[identity])
    if claim is None:
        return "done" if run.is_done(identity) else "held"
    ended = do(worker, claim)
    if worker.unwritten is not None:
        raise worker.unwritten
    return "done" if ended else "again"


def _listen(source: IO[str], asked: queue.SimpleQueue[str], worker: Worker) -> None:
    """Take identities; when nobody is left to send any, have the process stop."""
    for line in source:
        asked.put(line.strip())
    if worker.now is not None:
        worker.run.tell("abandoned", worker.now, worker=worker.name)
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: list[str] | None = None) -> int:
    """Do tasks as told."""
    parser = argparse.ArgumentParser(prog="corteval.run.errand")
    parser.add_argument("folder")
    parser.add_argument("--name", required=True)
    parser.add_argument("--timeout", type=float)
    given = parser.parse_args(arguments)
    source, sink = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # what a benchmark prints is no answer
    sys.stdout = sys.stderr
    run = RunFolder(given.folder)
    known = len(run.tasks)
    run.forget_end(os.getpid())
    worker = Worker(run=run, name=given.name, limits=Limits(timeout_seconds=given.timeout))
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    try:
        stop_on(signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
        threading.Thread(target=_listen, args=[source, asked, worker], daemon=True).start()
        print("ready", file=sink, flush=True)
        with adopting_orphans(), worker, hooks.observing(worker):
            while known:
                answer = _attend(worker, asked.get(timeout=_IDLE))
                print(answer, file=sink, flush=True)
    except Stopped as stopped:
        return 128 + stopped.number
    except StoreError as error:
        return refused(error)
    except queue.Empty:
        return 0
    except BrokenPipeError:
        return 128 + signal.SIGTERM
    return 0


if __name__ == "__main__":
    sys.exit(main())
