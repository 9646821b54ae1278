"""The main path: ``score(model, benchmark) -> Score``."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from corteval import hooks, registry
from corteval.benchmark import Benchmark
from corteval.errors import CortevalError, OptionError, PluginError, UndefinedScore
from corteval.model import ModelCommitment, describe
from corteval.score import Provenance, Score

log = logging.getLogger(__name__)


def score(
    model: str | ModelCommitment, benchmark: str | Benchmark, *, seed: int | None = None
) -> Score:
    """Score `model` on `benchmark`.

    Args:
        model: identifier or subject.
        benchmark: identifier or benchmark.
        seed: of the benchmark's resampling, 0 if None. A benchmark object has its own.

    Returns:
        a score whose status is ``scored``, ``undefined`` (with the reason) or ``not-applicable``
        (with the request the model does not support).

    Raises:
        CortevalError: what went wrong and the next step.
    """
    subject, task = _subject(model), _benchmark(benchmark, seed)
    who, what = subject.identifier, task.card.identifier
    hooks.notify(hooks.ScoreStarted(who, what))
    started, clock = datetime.now(UTC), time.perf_counter()
    try:
        result = _ask(subject, task)
    except BaseException as error:
        hooks.notify(hooks.ScoreFailed(who, what, error, time.perf_counter() - clock))
        raise
    seconds = time.perf_counter() - clock
    provenance = replace(
        result.provenance or Provenance(seed=seed or 0),
        versions=_versions(model, task),
        seconds=round(seconds, 3),
        started=started.isoformat(timespec="seconds"),
    )
    result = replace(result, model=who, benchmark=what, provenance=provenance)
    hooks.notify(hooks.ScoreFinished(who, what, result, seconds))
    return result


def score_all(
    models: Sequence[str], benchmarks: Sequence[str], *, seed: int | None = None
) -> Iterator[Score]:
    """Score every model on every benchmark; a failing cell has status ``failed`` and a reason.

    Models and benchmarks are built once. Nothing but an interrupt stops the rest.
    """
    tasks = {name: _attempt(_benchmark, name, seed) for name in benchmarks}
    for model in models:
        subject = _attempt(_subject, model)
        for name, task in tasks.items():
            broken = next((b for b in (subject, task) if isinstance(b, Exception)), None)
            if broken is None:
                result = _attempt(score, subject, task)
                broken = result if isinstance(result, Exception) else None
            if broken is None:
                yield replace(result, model=model, provenance=_with_model(result, model))
            else:
                yield Score.unscored("failed", str(broken), model=model, benchmark=name)


def _ask(subject: ModelCommitment, task: Benchmark) -> Score:
    refused = [r for r in task.requests() if not subject.supports(r)]
    if refused:
        wanted = "; ".join(describe(r) for r in refused)
        return Score.unscored("not-applicable", f"{subject.identifier} does not support {wanted}.")
    try:
        return task(subject)
    except UndefinedScore as reason:
        return Score.unscored("undefined", str(reason))


def _subject(model: str | ModelCommitment) -> ModelCommitment:
    subject: Any = registry.models.create(model) if isinstance(model, str) else model
    if not isinstance(subject, ModelCommitment):
        raise PluginError(
            f"{model if isinstance(model, str) else type(model).__name__} is no model: it lacks "
            f"{', '.join(_lacking(subject, ModelCommitment))}. See corteval.model.ModelCommitment."
        )
    return subject


def _benchmark(benchmark: str | Benchmark, seed: int | None) -> Benchmark:
    if not isinstance(benchmark, str):
        if seed is not None:
            raise OptionError("A benchmark object has its own seed; set it when you build it.")
        return _checked_benchmark(benchmark, type(benchmark).__name__)
    built = registry.benchmarks.create(benchmark, **({} if seed is None else {"seed": seed}))
    return _checked_benchmark(built, benchmark)


def _checked_benchmark(benchmark: Any, name: str) -> Benchmark:
    if not isinstance(benchmark, Benchmark):
        raise PluginError(
            f"{name} is no benchmark: it lacks {', '.join(_lacking(benchmark, Benchmark))}. "
            "See corteval.benchmark.Benchmark."
        )
    return benchmark


def _lacking(thing: object, protocol: type) -> list[str]:
    """Members of `protocol` that `thing` does not have."""
    members = [n for n in vars(protocol) if n == "__call__" or not n.startswith("_")]
    return sorted(name for name in members if not hasattr(thing, name))


def _attempt(function: Any, *arguments: Any) -> Any:
    """`function`'s result, or the exception it raised; plugins may raise anything."""
    try:
        return function(*arguments)
    except CortevalError as error:
        return error
    except (Exception, SystemExit) as error:
        log.warning("%s", error, exc_info=True)
        return CortevalError(f"{type(error).__name__}: {error}")


def _with_model(result: Score, model: str) -> Provenance | None:
    if result.provenance is None:
        return None
    return replace(
        result.provenance, versions={**result.provenance.versions, **_distribution("models", model)}
    )


def _versions(model: str | ModelCommitment, task: Benchmark) -> dict[str, str]:
    from importlib_metadata import version

    libraries = {name: version(name) for name in ("corteval", "numpy", "xarray")}
    used = _distribution("models", model) if isinstance(model, str) else {}
    used |= _distribution("benchmarks", task.card.identifier)
    used |= _distribution("metrics", task.card.metric)
    for identifier in task.card.data:
        used |= _distribution("data", identifier)
    return {"python": platform.python_version(), **libraries, **used}


def _distribution(kind: str, identifier: str) -> dict[str, str]:
    try:
        source = registry.KINDS[kind].source(identifier)
    except CortevalError:  # an object that was never registered
        return {}
    return {source.distribution: source.version} if source.version else {}
