"""The main path: ``score(model, benchmark) -> Score``."""

from __future__ import annotations

import contextlib
import logging
import math
import platform
import re
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol, final, runtime_checkable

from corteval import hooks, model_options, registry
from corteval import store as stores
from corteval.benchmark import Benchmark
from corteval.cards import BenchmarkCard, DataCard
from corteval.commitment import Documented
from corteval.errors import CortevalError, OptionError, PluginError, UndefinedScore
from corteval.model import Annotated, LayerCommitment, ModelCommitment, describe
from corteval.score import Provenance, Score
from corteval.store import Store

log = logging.getLogger(__name__)

#: Values may be beyond the bounds of a metric by so much.
_ROUNDING = 1e-6


def score(
    model: str | ModelCommitment,
    benchmark: str | Benchmark,
    *,
    store: Store | Literal["default"] | None = "default",
    seed: int | None = None,
) -> Score:
    """Score `model` on `benchmark`.

    Args:
        model: identifier or subject.
        benchmark: identifier or benchmark.
        store: where responses of models are kept for the next time; None keeps nothing.
        seed: of the benchmark's resampling, 0 if None. A benchmark object has its own.

    Returns:
        a score whose status is ``scored``, ``undefined`` (with the reason) or ``not-applicable``
        (with the request the model does not support).

    Raises:
        CortevalError: what went wrong and the next step.
    """
    if seed is not None and not isinstance(benchmark, str):
        raise OptionError("A benchmark object has its own seed; set it when you build it.")
    with contextlib.nullcontext() if store == "default" else stores.using(store):
        return score_cell(subject_named(model), task_named(benchmark, seed))


def score_all(
    models: Sequence[str | ModelCommitment],
    benchmarks: Sequence[str | Benchmark],
    *,
    seed: int | None = None,
) -> Iterator[Score]:
    """Score every model on every benchmark; a failing cell has status ``failed`` and a reason.

    Models and benchmarks are built once. Nothing but an interrupt stops the rest.
    """
    tasks = [(b, _attempt(task_named, b, seed if isinstance(b, str) else None)) for b in benchmarks]
    for model in models:
        subject = _attempt(subject_named, model)
        for benchmark, task in tasks:
            broken = next((b for b in (subject, task) if isinstance(b, Exception)), None)
            result = broken or _attempt(score_cell, subject, task)
            if isinstance(result, Exception):
                row, column = _label(model, subject), _label(benchmark, task)
                log.info("%s on %s failed", row, column, exc_info=result)
                access = _access(benchmark, task)
                result = failed(row, column, str(result), access)
            yield result


def failed(
    model: str, benchmark: str, reason: str, access: Mapping[str, str] | None = None
) -> Score:
    """A cell without a score, that says who may have the data its reason may tell of.

    Args:
        model, benchmark: their names.
        reason: why it has none.
        access: by data set; None looks at the card of `benchmark`.
    """
    if access is None:
        access = _access(benchmark, None)
    provenance = Provenance(access=access)
    return Score.unscored("failed", reason, model=model, benchmark=benchmark, provenance=provenance)


def build_model(model: str | ModelCommitment) -> ModelCommitment:
    """The subject that `model` names.

    Raises:
        CortevalError: if it cannot be built, or is no subject.
    """
    return subject_named(model).model


def build_benchmark(benchmark: str | Benchmark, seed: int | None = None) -> Benchmark:
    """The benchmark that `benchmark` names, with `seed` if there is one.

    Raises:
        CortevalError: if it cannot be built, or is no benchmark.
    """
    return task_named(benchmark, seed).benchmark


class Subject(NamedTuple):
    """A subject, the name it is known by, and where it came from."""

    model: ModelCommitment
    name: str
    origin: Provenance


@final
@dataclass(frozen=True, kw_only=True)
class Account:
    """What is said of a subject with each of its scores.

    Args:
        origin: where it came from, and how it computes its responses.
        notes: what a reader must know.
    """

    origin: Provenance
    notes: tuple[str, ...] = ()


@runtime_checkable
class Accountable(Protocol):
    """A subject that is elsewhere, in another process, and knows what is said of it there."""

    def account(self) -> Account:
        """What is said of it."""


def account_of(subject: Subject) -> Account:
    """What is said of `subject` with its scores."""
    if isinstance(subject.model, Accountable):
        return subject.model.account()
    computed = _computation(subject.model)
    origin = replace(
        subject.origin,
        options={**subject.origin.options, **computed.options},
        digests={**subject.origin.digests, **computed.digests},
        device=computed.device,
    )
    notes = subject.model.notes if isinstance(subject.model, Annotated) else ()
    if isinstance(subject.model, LayerCommitment):
        notes = (*notes, *subject.model.layer_notes)
    return Account(origin=origin, notes=notes)


class Task(NamedTuple):
    """The same of a benchmark."""

    benchmark: Benchmark
    name: str
    origin: Provenance


def score_cell(subject: Subject, task: Task) -> Score:
    """Score one on the other, tell observers, and say where the score came from."""
    hooks.notify(hooks.ScoreStarted(subject.name, task.name))
    started, clock = datetime.now(UTC), time.perf_counter()
    try:
        result = _ask(subject, task.benchmark)
    except BaseException as error:
        seconds = time.perf_counter() - clock
        hooks.notify(hooks.ScoreFailed(subject.name, task.name, error, seconds))
        raise
    seconds = time.perf_counter() - clock
    known = result.provenance or Provenance(seed=task.origin.seed)
    account = account_of(subject)
    origin = account.origin
    provenance = replace(
        known,
        versions={**_libraries(), **origin.versions, **task.origin.versions},
        cards={**origin.cards, **task.origin.cards},
        options={**origin.options, **task.origin.options},
        digests={**known.digests, **origin.digests},
        access={**known.access, **task.origin.access},
        device=origin.device,
        seconds=round(seconds, 3),
        started=started.isoformat(timespec="seconds"),
    )
    result = replace(
        result,
        model=subject.name,
        benchmark=task.name,
        notes=(*account.notes, *result.notes, *_beyond_bounds(result, task.benchmark.card)),
        provenance=provenance,
    )
    hooks.notify(hooks.ScoreFinished(subject.name, task.name, result, seconds))
    return result


def _ask(subject: Subject, benchmark: Benchmark) -> Score:
    refused = [r for r in benchmark.requests() if not subject.model.supports(r)]
    if refused:
        wanted = "; ".join(describe(r) for r in refused)
        return Score.unscored("not-applicable", f"{subject.name} does not support {wanted}.")
    try:
        result: Any = benchmark(subject.model)
    except UndefinedScore as reason:
        return Score.unscored("undefined", str(reason))
    if not isinstance(result, Score):
        raise PluginError(
            f"Benchmark {benchmark.card.identifier} returned a {type(result).__name__}; it must "
            "return a corteval.score.Score."
        )
    if result.status == "scored" and not math.isfinite(result.value):
        return Score.unscored(
            "undefined",
            f"{benchmark.card.identifier} gave {result.value}, which is no number, and no reason.",
        )
    return result


def _beyond_bounds(result: Score, card: BenchmarkCard) -> Iterator[str]:
    """A note if the raw value is one that the card of the metric rules out; it is kept as it is."""
    with contextlib.suppress(CortevalError):  # a benchmark may have a metric of its own
        low, high = registry.metrics.card(card.metric).bounds
        if result.raw is not None and not low - _ROUNDING <= result.raw.value <= high + _ROUNDING:
            yield (
                f"the raw value {result.raw.value:.4g} is beyond the bounds {low:g} and {high:g} "
                f"that the card of {card.metric} gives"
            )


def subject_named(model: str | ModelCommitment) -> Subject:
    """The subject that `model` names or is, with its name and where it came from.

    Raises:
        CortevalError: if it cannot be built, or is no subject.
    """
    built: Any = registry.models.create(model) if isinstance(model, str) else model
    if not isinstance(built, ModelCommitment):
        raise PluginError(
            f"{model if isinstance(model, str) else type(model).__name__} is no model: it lacks "
            f"{', '.join(_lacking(built, ModelCommitment))}. See corteval.model.ModelCommitment; "
            "corteval_pytorch.commit makes one of a torch module."
        )
    name = _named(built, model) or check_name(built.identifier)
    return Subject(built, name, _origin([built]))


def task_named(benchmark: str | Benchmark, seed: int | None) -> Task:
    """The benchmark that `benchmark` names or is, with its name and where it came from.

    Raises:
        CortevalError: if it cannot be built, or is no benchmark.
    """
    options = {} if seed is None else {"seed": seed}
    built: Any = benchmark
    if isinstance(benchmark, str):
        built = registry.benchmarks.create(benchmark, **options)
    if not isinstance(built, Benchmark):
        raise PluginError(
            f"{benchmark if isinstance(benchmark, str) else type(benchmark).__name__} is no "
            f"benchmark: it lacks {', '.join(_lacking(built, Benchmark))}. "
            "See corteval.benchmark.Benchmark."
        )
    card = built.card
    return Task(
        built,
        _named(built, benchmark) or card.identifier,
        _origin([built], _parts(card), seed=seed),
    )


def _parts(card: BenchmarkCard) -> list[tuple[str, str]]:
    """Kind and identifier of what a benchmark is made of."""
    parts = [("metrics", card.metric), ("metrics", card.ceiling or "")]
    return parts + [("data", identifier) for identifier in card.data]


def _access(benchmark: str | Benchmark, task: Task | Exception | None) -> dict[str, str]:
    """Who may have the data behind a cell that failed: its reason may tell of them."""
    if isinstance(task, Task):
        return {**task.origin.access}
    with contextlib.suppress(CortevalError):
        if isinstance(benchmark, str):
            return {**_origin([], _parts(registry.benchmarks.card(benchmark))).access}
    return {}


def _label(asked: object, built: object) -> str:
    """What a cell that failed is called: as it was asked for, else by its own name."""
    if isinstance(asked, str):
        return asked
    return built.name if isinstance(built, Subject | Task) else type(asked).__name__


def _named(built: object, asked: object) -> str:
    """The identifier `built` was created from: as its card spells it, and what was changed."""
    how = registry.creation_of(built)
    if how is None:
        return ""
    name, options = model_options.parse(asked) if isinstance(asked, str) else ("", {})
    _, at, distribution = name.partition("@")
    changed = " (modified)" if set(how.options) - {"seed", *options} else ""
    return model_options.named(f"{how.identifier}{at}{distribution}", options) + changed


def check_name(identifier: object) -> str:
    """Return the name of an unregistered subject, if tables and records can show it."""
    if isinstance(identifier, str) and identifier.isprintable() and 0 < len(identifier) <= 200:
        return identifier
    raise OptionError(
        f"A subject is called {ascii(identifier)[:60]}; its identifier must be printable text of 1 "
        "to 200 characters."
    )


def _origin(
    built: Sequence[object], parts: Sequence[tuple[str, str]] = (), seed: int | None = None
) -> Provenance:
    """Versions of all plugins behind what was built and behind its parts, by kind and name."""
    used = [how for thing in built if (how := registry.creation_of(thing)) is not None]
    sources = [how.source for how in used]
    cards = {f"{how.kind}/{how.identifier}": how.version for how in used}
    options = {
        f"{how.kind}/{how.identifier}": ", ".join(f"{n}={v!r}" for n, v in how.options.items())
        for how in used
        if how.options
    }
    access: dict[str, str] = {}
    for kind, identifier in parts:
        with contextlib.suppress(CortevalError):  # reported when the part is used
            card = registry.KINDS[kind].card(identifier)
            sources.append(registry.KINDS[kind].source(identifier))
            cards[f"{kind}/{card.identifier}"] = card.version
            if isinstance(card, DataCard):
                access[card.identifier] = card.access
    versions: dict[str, str] = {}
    for source in sources:
        versions |= _versions(source)
    return Provenance(versions=versions, cards=cards, options=options, access=access, seed=seed)


def _computation(model: ModelCommitment) -> Provenance:
    """What a network says of how it computes its responses."""
    if not (isinstance(model, LayerCommitment) and isinstance(model.extractor, Documented)):
        return Provenance()
    how = model.extractor.described()
    device = how.pop("device", "cpu")
    words = ", ".join(f"{name}={value}" for name, value in how.items())
    return Provenance(
        options={"extraction": words},
        digests={"model": model.extractor.fingerprint},
        device=device,
    )


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
        wrapped = CortevalError(f"{type(error).__name__}: {error}{_place(error)}")
        wrapped.__cause__ = error
        return wrapped


def _place(error: BaseException) -> str:
    """Where a plugin's own error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" (in {frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


@cache
def _libraries() -> Mapping[str, str]:
    from importlib_metadata import version

    installed = {name: version(name) for name in ("corteval", "numpy", "xarray")}
    return {"python": platform.python_version(), **installed}


@cache
def _versions(source: registry.Source) -> Mapping[str, str]:
    """Versions of a distribution and of what it declares to need."""
    from importlib_metadata import PackageNotFoundError, requires, version

    if not source.version:  # a card of this process, or a file
        return {}
    found = {source.distribution: source.version}
    for requirement in requires(source.distribution) or []:
        name = re.split(r"[ ;<>=!~\[(]", requirement, maxsplit=1)[0]
        if "extra ==" not in requirement:
            with contextlib.suppress(PackageNotFoundError):
                found[name] = version(name)
    return found
