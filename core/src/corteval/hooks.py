"""Life-cycle hooks: a plugin learns of, or contributes to, what Corteval does.

Implement a hook by decorating a function with `hookimpl` and naming its module in the entry-point
group ``corteval.hooks``. Each hook has one argument, ``event``, a frozen dataclass that may gain
fields. Observers return nothing, and one that raises is logged and does not stop anything.
Providers return a value; the first one given is used.

    from corteval.hooks import ScoreFinished, hookimpl

    @hookimpl
    def corteval_score_finished(event: ScoreFinished) -> None:
        print(event.model, event.benchmark, event.score.value)
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from corteval import discovery
from corteval.cards import Resource
from corteval.errors import CortevalError

if TYPE_CHECKING:
    from corteval.score import Score

hookspec = pluggy.HookspecMarker("corteval")
hookimpl = pluggy.HookimplMarker("corteval")
log = logging.getLogger(__name__)

GROUP = "corteval.hooks"
_LOADING = threading.RLock()


@dataclass(frozen=True)
class ScoreStarted:
    """A model is about to be scored on a benchmark."""

    model: str
    benchmark: str


@dataclass(frozen=True)
class ScoreFinished:
    """A score was computed; its status may still be ``undefined`` or ``not-applicable``."""

    model: str
    benchmark: str
    score: Score
    seconds: float


@dataclass(frozen=True)
class ScoreFailed:
    """Scoring raised `error`."""

    model: str
    benchmark: str
    error: BaseException
    seconds: float


@dataclass(frozen=True)
class Progress:
    """A long task has done `completed` of `total` `unit`; `total` is None while unknown."""

    task: str
    completed: int
    total: int | None
    unit: str


@dataclass(frozen=True)
class FetchRequested:
    """A file is needed; a provider may return a path where its bytes lie (they are verified)."""

    resource: Resource


@dataclass(frozen=True)
class FetchFinished:
    """A file was verified and stands under its final name."""

    resource: Resource
    path: Path
    origin: str


@dataclass(frozen=True)
class Command:
    """A verb for the command line; `target` is ``"module:click_command"``, imported on use."""

    name: str
    target: str
    summary: str


@dataclass(frozen=True)
class CommandsWanted:
    """The command line collects verbs; an implementation calls `add`."""

    commands: list[Command] = field(default_factory=list)

    def add(self, name: str, target: str, summary: str) -> None:
        """Offer a verb."""
        self.commands.append(Command(name, target, summary))


class Specifications:
    """The hooks and their arguments."""

    @hookspec
    def corteval_score_started(self, event: ScoreStarted) -> None:
        """Observe the start of a score."""

    @hookspec
    def corteval_score_finished(self, event: ScoreFinished) -> None:
        """Observe a score."""

    @hookspec
    def corteval_score_failed(self, event: ScoreFailed) -> None:
        """Observe a failure."""

    @hookspec
    def corteval_progress(self, event: Progress) -> None:
        """Observe the progress of a long task."""

    @hookspec(firstresult=True)
    def corteval_fetch(self, event: FetchRequested) -> Path | None:
        """Provide a file from elsewhere: a lab's disk, a private bucket."""

    @hookspec
    def corteval_fetch_finished(self, event: FetchFinished) -> None:
        """Observe a download."""

    @hookspec
    def corteval_commands(self, event: CommandsWanted) -> None:
        """Add verbs to the command line."""


_HOOK_OF = {
    ScoreStarted: "corteval_score_started",
    ScoreFinished: "corteval_score_finished",
    ScoreFailed: "corteval_score_failed",
    Progress: "corteval_progress",
    FetchRequested: "corteval_fetch",
    FetchFinished: "corteval_fetch_finished",
    CommandsWanted: "corteval_commands",
}


@dataclass(frozen=True)
class HookProblem:
    """A hook plugin that could not be loaded."""

    distribution: str
    value: str
    error: BaseException


def notify(event: Any) -> None:
    """Tell every observer of `event`; one that raises is logged and the others still hear."""
    for implementation in _implementations(event):
        try:
            _call(implementation, event)
        except (Exception, SystemExit):
            log.warning("Observer %s raised; it is ignored.", _name(implementation), exc_info=True)


def provide(event: Any) -> Any:
    """First value a provider gives for `event`, or None."""
    for implementation in _implementations(event):
        try:
            value = _call(implementation, event)
        except (Exception, SystemExit) as error:
            raise CortevalError(f"Hook {_name(implementation)} failed: {error}") from error
        if value is not None:
            return value
    return None


@contextlib.contextmanager
def observing(plugin: object) -> Iterator[None]:
    """Register `plugin`'s hook implementations for the duration of the block."""
    manager, _ = _loaded()
    manager.register(plugin)
    try:
        yield
    finally:
        manager.unregister(plugin)


def problems() -> list[HookProblem]:
    """Hook plugins that could not be loaded."""
    return list(_loaded()[1])


def reload() -> None:
    """Forget what was loaded; the next use discovers hook plugins anew."""
    discovery.forget()
    _load.cache_clear()


def _loaded() -> tuple[pluggy.PluginManager, tuple[HookProblem, ...]]:
    with _LOADING:  # it redirects stdout, which two threads would not put back
        return _load()


@cache
def _load() -> tuple[pluggy.PluginManager, tuple[HookProblem, ...]]:
    manager = pluggy.PluginManager("corteval")
    manager.add_hookspecs(Specifications)
    found: list[HookProblem] = []
    for entry_point in discovery.entry_points(GROUP):
        distribution = entry_point.dist.name if entry_point.dist else "unknown"
        try:
            with contextlib.redirect_stdout(sys.stderr):
                plugin = entry_point.load()
            trial = pluggy.PluginManager("corteval")  # a half-registered plugin must leave no trace
            trial.add_hookspecs(Specifications)
            trial.register(plugin)
            trial.check_pending()
            manager.register(plugin, name=f"{distribution}:{entry_point.name}")
        except (Exception, SystemExit) as error:
            found.append(HookProblem(distribution, entry_point.value, error))
    return manager, tuple(found)


def _implementations(event: Any) -> list[pluggy.HookImpl]:
    manager, _ = _loaded()
    caller: pluggy.HookCaller = getattr(manager.hook, _HOOK_OF[type(event)])
    return list(reversed(caller.get_hookimpls()))  # pluggy's order of calling: last first


def _call(implementation: pluggy.HookImpl, event: Any) -> Any:
    return implementation.function(*(event for _ in implementation.argnames))


def _name(implementation: pluggy.HookImpl) -> str:
    return f"{implementation.plugin_name}:{implementation.function.__name__}"
