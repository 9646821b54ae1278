"""What comes of one attempt at a task: a record, or what went wrong, in kind and words."""

from __future__ import annotations

import contextlib
import signal
import socket
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from corteval import store as stores
from corteval.benchmark import NeuralBenchmark
from corteval.errors import CortevalError, StoreError
from corteval.run.failures import kind_of
from corteval.run.folder import CRASHES, Failure, Outcome
from corteval.run.hiding import without_secrets
from corteval.run.host import forget_peak, peak_bytes
from corteval.run.records import Measured, Record
from corteval.run.remote import ModelDied, ModelOutOfMemory, RemoteModel
from corteval.score import Score
from corteval.scoring import failed, score_cell

if TYPE_CHECKING:
    from corteval.run.plan import Task
    from corteval.run.worker import Worker


def attempted(worker: Worker, task: Task) -> Outcome:
    """What comes of a task; never raises but to stop."""
    try:
        if task.kind == "ceiling":
            return _ceiling(worker, task)
        if task.kind == "prepare":
            return _prepare(worker, task)
        return _scored(worker, task)
    except (Exception, SystemExit) as error:
        failure, reason = _classified(error)
        if isinstance(error, ModelDied | ModelOutOfMemory):
            worker.close_model()
        if task.kind != "score":  # what it was for goes wrong by itself, or does not
            return Outcome(status="done", reason=f"{failure}: {reason}")
        name = ""
        if failure in ("error", "crash"):  # others may go better another time
            cell = task.cells[0]
            with contextlib.suppress(StoreError):
                name = _kept(worker, task, failed(cell.model, cell.benchmark, reason), None)
        return Outcome(status="failed", failure=failure, reason=reason, record=name)


def _classified(error: BaseException) -> tuple[Failure, str]:
    """Kind of failure, and the reason in words."""
    said = without_secrets(str(error))
    if isinstance(error, ModelDied):
        by = signal.Signals(-error.code).name if error.code < 0 else ""
        return ("crash" if by in CRASHES or error.code >= 0 else "killed"), said
    if isinstance(error, ModelOutOfMemory):
        return "memory", said
    kind = kind_of(error)
    if isinstance(error, CortevalError):
        return kind, said
    if kind == "memory":
        return kind, said or "There is not enough memory."
    return kind, f"{type(error).__name__}: {said}"


def _scored(worker: Worker, task: Task) -> Outcome:
    cell = task.cells[0]
    benchmark = worker.benchmark(cell.benchmark, cell.seed)
    subject = worker.subject(cell.model)
    forget_peak()
    if isinstance(subject.model, RemoteModel):
        subject.model.peak_bytes = 0
    score = score_cell(subject, benchmark)
    peak = peak_bytes()
    if isinstance(subject.model, RemoteModel):
        peak += subject.model.peak_bytes
    record = _kept(worker, task, score, peak)
    return Outcome(status=score.status, reason=score.reason, record=record)


def _kept(worker: Worker, task: Task, score: Score, peak: int | None) -> str:
    """Name of the record of `score`, which is written now."""
    origin = score.provenance
    record = Record(
        cell=task.cells[0],
        key=task.keys[0],
        score=_tellable(score),
        isolation=worker.isolation(task.cells[0].model),
        parents={} if origin is None else dict(origin.digests),
        measured=Measured(
            host=socket.gethostname(),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=None if origin is None else origin.seconds,
            peak_bytes=peak,
            retries=len(worker.run.attempts(task.identity)),
            run=worker.run.plan.identity,
        ),
    )
    return worker.records.add(record).stem


def _tellable(score: Score) -> Score:
    """`score` without secrets in what plugins say in words."""
    notes = tuple(map(without_secrets, score.notes))
    return replace(score, reason=without_secrets(score.reason), notes=notes)


def _ceiling(worker: Worker, task: Task) -> Outcome:
    """Compute a ceiling, which the store keeps for all models."""
    cell = task.cells[0]
    worker.benchmark(cell.benchmark, cell.seed).benchmark.ceiling()
    return Outcome(status="done")


def _prepare(worker: Worker, task: Task) -> Outcome:
    """Record what several benchmarks on the same stimuli ask of a model, in one pass."""
    subject = worker.subject(task.model)
    if not isinstance(subject.model, RemoteModel) or stores.active() is None:
        return Outcome(status="done")
    asked: dict[str, tuple[Any, list[Any]]] = {}
    for cell in task.cells:
        benchmark = worker.benchmark(cell.benchmark, cell.seed).benchmark
        if not isinstance(benchmark, NeuralBenchmark):
            continue
        stimuli = benchmark.stimuli()
        wanted = [r for r in benchmark.requests() if subject.model.supports(r)]
        asked.setdefault(stimuli.digest(), (stimuli, []))[1].extend(wanted)
    for stimuli, requests in asked.values():
        if len(requests) > 1:
            subject.model.prepare(stimuli, [*dict.fromkeys(requests)])
    return Outcome(status="done")
