"""The main path: ``score(model, benchmark) -> Score``."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

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
    if seed is not None and not isinstance(benchmark, str):
        raise OptionError("A benchmark object has its own seed; set it when you build it.")
    return _score(_subject(model), _task(benchmark, seed))


def score_all(
    models: Sequence[str], benchmarks: Sequence[str], *, seed: int | None = None
) -> Iterator[Score]:
    """Score every model on every benchmark; a failing cell has status ``failed`` and a reason.

    Models and benchmarks are built once. Nothing but an interrupt stops the rest.
    """
    tasks = {name: _attempt(_task, name, seed) for name in benchmarks}
    for model in models:
        subject = _attempt(_subject, model)
        for name, task in tasks.items():
            broken = next((b for b in (subject, task) if isinstance(b, Exception)), None)
            result = broken or _attempt(_score, subject, task)
            if isinstance(result, Exception):
                log.info("%s on %s failed", model, name, exc_info=result)
                result = Score.unscored("failed", str(result), model=model, benchmark=name)
            yield result


class _Subject(NamedTuple):
    """A subject, the name it is known by, and versions of the distributions it came from."""

    model: ModelCommitment
    name: str
    versions: dict[str, str]


class _Task(NamedTuple):
    """The same of a benchmark, and the seed it was built with, if it was built here."""

    benchmark: Benchmark
    name: str
    versions: dict[str, str]
    seed: int | None


def _score(subject: _Subject, task: _Task) -> Score:
    hooks.notify(hooks.ScoreStarted(subject.name, task.name))
    started, clock = datetime.now(UTC), time.perf_counter()
    try:
        result = _ask(subject, task.benchmark)
    except BaseException as error:
        seconds = time.perf_counter() - clock
        hooks.notify(hooks.ScoreFailed(subject.name, task.name, error, seconds))
        raise
    seconds = time.perf_counter() - clock
    provenance = replace(
        result.provenance or Provenance(seed=task.seed),
        versions={**_libraries(), **subject.versions, **task.versions},
        seconds=round(seconds, 3),
        started=started.isoformat(timespec="seconds"),
    )
    result = replace(result, model=subject.name, benchmark=task.name, provenance=provenance)
    hooks.notify(hooks.ScoreFinished(subject.name, task.name, result, seconds))
    return result


def _ask(subject: _Subject, benchmark: Benchmark) -> Score:
    refused = [r for r in benchmark.requests() if not subject.model.supports(r)]
    if refused:
        wanted = "; ".join(describe(r) for r in refused)
        return Score.unscored("not-applicable", f"{subject.name} does not support {wanted}.")
    try:
        return benchmark(subject.model)
    except UndefinedScore as reason:
        return Score.unscored("undefined", str(reason))


def _subject(model: str | ModelCommitment) -> _Subject:
    if not isinstance(model, str):
        built, name, versions = model, "", {}
    else:
        built, name = registry.models.create(model), _canonical(registry.models, model)
        versions = _distribution(registry.models, model)
    if not isinstance(built, ModelCommitment):
        raise PluginError(
            f"{name or type(built).__name__} is no model: it lacks "
            f"{', '.join(_lacking(built, ModelCommitment))}. See corteval.model.ModelCommitment."
        )
    return _Subject(built, name or built.identifier, versions)


def _task(benchmark: str | Benchmark, seed: int | None) -> _Task:
    if isinstance(benchmark, str):
        options = {} if seed is None else {"seed": seed}
        built: Any = registry.benchmarks.create(benchmark, **options)
        name = _canonical(registry.benchmarks, benchmark)
    else:
        built, name = benchmark, ""
    if not isinstance(built, Benchmark):
        raise PluginError(
            f"{name or type(built).__name__} is no benchmark: it lacks "
            f"{', '.join(_lacking(built, Benchmark))}. See corteval.benchmark.Benchmark."
        )
    card = built.card
    versions = _distribution(registry.metrics, card.metric)
    versions |= _distribution(registry.metrics, card.ceiling or "")
    for identifier in card.data:
        versions |= _distribution(registry.data, identifier)
    versions |= _distribution(registry.benchmarks, name or card.identifier)
    return _Task(built, name or card.identifier, versions, seed)


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
        wrapped = CortevalError(f"{type(error).__name__}: {error}")
        wrapped.__cause__ = error
        return wrapped


def _canonical(plugins: registry.Registry[Any], identifier: str) -> str:
    """`identifier` as its card spells it, with the distribution if one was named."""
    _, at, distribution = identifier.partition("@")
    return f"{plugins.card(identifier).identifier}{at}{distribution}"


def _libraries() -> dict[str, str]:
    from importlib_metadata import version

    installed = {name: version(name) for name in ("corteval", "numpy", "xarray")}
    return {"python": platform.python_version(), **installed}


def _distribution(plugins: registry.Registry[Any], identifier: str) -> dict[str, str]:
    try:
        source = plugins.source(identifier)
    except CortevalError:  # an object that was never registered
        return {}
    return {source.distribution: source.version} if source.version else {}
