"""A worker: takes tasks of a run one after the other until none is left.

``python -m corteval.run.worker FOLDER``. It holds benchmarks and responses; models live in
processes of their own (`remote`), except those whose cards say that they are data. Any number of
workers on any number of machines may work on one folder.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import final

from corteval import hooks, registry
from corteval.cards import ModelCard
from corteval.errors import StoreError
from corteval.hooks import hookimpl
from corteval.run import records
from corteval.run.attempt import attempted
from corteval.run.folder import Claim, Failure, Outcome, RunFolder
from corteval.run.order import Waiting
from corteval.run.plan import Task
from corteval.run.remote import RemoteModel
from corteval.run.strays import adopting_orphans
from corteval.score import Provenance
from corteval.scoring import Subject, subject_named, task_named
from corteval.scoring import Task as Benchmarking

#: Benchmarks that a worker keeps, with their data, for the next model.
_BENCHMARKS = 32

#: Seconds between two looks at the folder while all that is left is others' work, at most.
_PAUSE = 1.0

#: Seconds between two signs of progress of one task in the events.
_TELLING = 2.0


#: Exit code of a worker that the disk refused to write the state of the run.
REFUSED = 74


class Stopped(BaseException):
    """A signal asked the worker to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@final
@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a worker keeps to.

    Args:
        kinds: of tasks it takes; all if empty.
        seconds: after which it takes no more tasks.
        timeout_seconds: of one task; None lets it take what it takes.
    """

    kinds: tuple[str, ...] = ()
    seconds: float | None = None
    timeout_seconds: float | None = None


@final
@dataclass
class Worker:
    """What a worker has open."""

    run: RunFolder
    name: str
    limits: Limits = Limits()
    records: records.Records = field(default_factory=records.default)
    model: RemoteModel | None = None
    model_name: str = ""
    benchmarks: dict[str, Benchmarking] = field(default_factory=dict)
    now: Task | None = None
    told: float = 0.0
    unwritten: StoreError | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_model()

    def close_model(self) -> None:
        """End the process of the model."""
        if self.model is not None:
            self.model.close()
        self.model, self.model_name = None, ""

    def isolation(self, name: str) -> str:
        """Where the model `name` runs."""
        return self.run.plan.isolation if _is_isolated(name) else "none"

    def subject(self, name: str) -> Subject:
        """The model `name`, in a process of its own if it is one to be isolated."""
        if self.isolation(name) == "none":
            return subject_named(name)
        if self.model is None or self.model_name != name:
            self.close_model()
            self.model = RemoteModel(
                name,
                log=self.run.log(f"model-{self.name}"),
                seed=self.run.plan.identity,
                isolation=self.isolation(name),
            )
            self.model_name = name
        return Subject(self.model, self.model.name, Provenance())

    def benchmark(self, name: str, seed: int) -> Benchmarking:
        """The benchmark `name`, with what it has read of its data."""
        found = self.benchmarks.pop(name, None) or task_named(name, seed)
        self.benchmarks[name] = found
        while len(self.benchmarks) > _BENCHMARKS:
            self.benchmarks.pop(next(iter(self.benchmarks)))
        return found

    @hookimpl
    def corteval_progress(self, event: hooks.Progress) -> None:
        """Put progress among the events, now and then."""
        moment = time.monotonic()
        if self.now is not None and moment - self.told > _TELLING:
            self.told = moment
            facts = {"done": event.completed, "total": event.total, "unit": event.unit}
            self.run.tell("progress", self.now, worker=self.name, what=event.task, **facts)


def work(worker: Worker) -> bool:
    """Do tasks until none is left that this worker may do; whether all of the run is done.

    Raises:
        StoreError: if the disk refuses what says that a task is taken, or how it ended.
    """
    run, limits = worker.run, worker.limits
    started = time.monotonic()
    mine = (t for t in run.tasks.values() if not limits.kinds or t.kind in limits.kinds)
    waiting = Waiting(mine)
    pause = 0.01
    while waiting:
        late = limits.seconds is not None and time.monotonic() - started > limits.seconds
        if run.cancelled or late:
            return False
        waiting.discard(run.done())
        claim = _claimed(worker, waiting)
        if claim is None:
            time.sleep(pause)
            pause = min(_PAUSE, 1.5 * pause)
            continue
        pause = 0.01
        while claim is not None:  # without looking at the folder again, as long as it goes well
            waiting.discard([claim.task.identity])
            if not do(worker, claim):
                waiting.add(claim.task)
            late = limits.seconds is not None and time.monotonic() - started > limits.seconds
            claim = None if run.cancelled or late else _claimed(worker, waiting)
    if worker.unwritten is not None:
        raise worker.unwritten
    return True


def _claimed(worker: Worker, waiting: Waiting) -> Claim | None:
    """A task whose turn it is; first of the model that is loaded. None if there is none now."""
    over = []
    claim = None
    for task in waiting.in_turn(worker.model_name, worker.run.is_done):
        claim = worker.run.claim(task)
        if claim is not None:
            break
        if worker.run.is_done(task.identity):  # by another worker
            over.append(task.identity)
    waiting.discard(over)
    return claim


def do(worker: Worker, claim: Claim) -> bool:
    """Do a task that is ours, and give it back; whether it came to an end."""
    task, run = claim.task, worker.run
    run.tell("started", task, worker=worker.name)
    clock = time.perf_counter()
    worker.now = task
    try:
        with _deadline(worker, claim):
            outcome = attempted(worker, task)
    except Stopped:
        run.tell("stopped", task, worker=worker.name)
        raise
    finally:
        worker.now = None
        if sys.exc_info()[0] is not None:
            run.release(claim)
    seconds = round(time.perf_counter() - clock, 3)
    outcome = Outcome(**{**vars(outcome), "seconds": seconds, "worker": worker.name})
    try:
        # a deadline that has passed has told the end already
        ended = run.is_done(task.identity) or run.finish(task, outcome)
    except StoreError as error:  # the disk is full: it stays to be done
        run.tell("unwritten", task, reason=str(error), worker=worker.name)
        worker.unwritten, ended = error, True
    finally:
        run.release(claim)
    if not ended:
        time.sleep(_backoff(run, task, outcome.failure))
    return ended


def _backoff(run: RunFolder, task: Task, failure: Failure) -> float:
    return 4.0 ** (len(run.attempts(task.identity)) - 1) if failure == "network" else 0.0


def _is_isolated(name: str) -> bool:
    card = registry.models.member_card(name)
    return not isinstance(card, ModelCard) or card.isolated


@contextlib.contextmanager
def _deadline(worker: Worker, claim: Claim) -> Iterator[None]:
    """End the model, and if that does not help the worker, when a task takes too long."""
    seconds = worker.limits.timeout_seconds
    if seconds is None:
        yield
        return
    run, task = worker.run, claim.task
    ended = threading.Event()

    def watch() -> None:
        if ended.wait(seconds):
            return
        outcome = Outcome(
            status="failed",
            failure="timeout",
            reason=f"It took longer than {seconds:g} seconds (--timeout).",
            seconds=seconds,
            worker=worker.name,
        )
        with contextlib.suppress(StoreError):  # the disk is full: it is told by its end
            run.finish(task, outcome)
        run.release(claim)
        if worker.model is not None:
            worker.model.kill()
        if ended.wait(5):
            return
        os._exit(75)  # whoever started it starts another

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def stop_on(*numbers: int) -> None:
    """Raise `Stopped` when one of these signals comes."""
    for number in numbers:
        signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    raise Stopped(number)


def main(arguments: list[str] | None = None) -> int:
    """Work on a folder as its arguments say."""
    parser = argparse.ArgumentParser(prog="corteval.run.worker")
    parser.add_argument("folder")
    parser.add_argument("--name", default=f"{socket.gethostname()}-{os.getpid()}")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--timeout", type=float)
    given = parser.parse_args(arguments)
    limits = Limits(
        kinds=tuple(k for k in given.kinds.split(",") if k),
        seconds=given.seconds,
        timeout_seconds=given.timeout,
    )
    return run_worker(RunFolder(given.folder), given.name, limits)


def run_worker(run: RunFolder, name: str, limits: Limits) -> int:
    """Work until nothing is left, a signal comes or the disk refuses; the exit code."""
    stop_on(signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
    run.forget_end(os.getpid())
    worker = Worker(run=run, name=name, limits=limits)
    try:
        with adopting_orphans(), worker, hooks.observing(worker):
            work(worker)
    except Stopped as stopped:
        return 128 + stopped.number
    except StoreError as error:
        return refused(error)
    return 0


def refused(error: StoreError) -> int:
    """Say what the disk refused, if it takes even that; the exit code.

    Past Python's own buffer, whose rest would be another failure at the end.
    """
    with contextlib.suppress(OSError):
        os.write(2, f"{error}\n".encode("utf-8", "backslashreplace"))
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
