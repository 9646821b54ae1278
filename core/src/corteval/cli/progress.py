"""Progress on stderr while plugins work: bars on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from corteval import hooks
from corteval.cards import human_size
from corteval.cli.streams import stdout_to_stderr
from corteval.cli.tables import say
from corteval.hooks import hookimpl

if TYPE_CHECKING:
    from corteval.score import Score

PATIENCE = 1.0  # seconds of work before a terminal shows bars
PAUSE = 5.0  # seconds between two lines about one task


class Display:
    """Draws progress, for which it implements hooks; this one draws nothing."""

    def start(self) -> None:
        """Work begins."""

    def cell(self, score: Score, done: int, total: int) -> None:
        """A model was scored on a benchmark: the `done`-th of `total` pairs."""

    def stop(self) -> None:
        """Work ended; nothing of the display may stay in the way."""


@contextlib.contextmanager
def working(*, quiet: bool = False) -> Iterator[Display]:
    """Draw progress, and send whatever code prints on stdout to stderr: stdout is for data."""
    display = Display() if quiet else Bars() if sys.stderr.isatty() else Lines()
    with stdout_to_stderr(), hooks.observing(display):
        display.start()
        try:
            yield display
        finally:
            display.stop()


class Lines(Display):
    """Lines for log files: one a finished cell, and one a task every few seconds."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    @hookimpl
    def corteval_progress(self, event: hooks.Progress) -> None:
        """Say how far a long task is."""
        now = time.monotonic()
        if now - self._said.setdefault(event.task, now) >= PAUSE:
            self._said[event.task] = now
            say(f"{event.task}: {_amount(event)}")
        if event.completed == event.total:
            self._said.pop(event.task, None)

    def cell(self, score: Score, done: int, total: int) -> None:
        """Say what became of a cell."""
        result = f"{score.value:.4f}" if score.status == "scored" else score.status
        say(f"[{done}/{total}] {score.model} on {score.benchmark}: {result}")


class Bars(Display):
    """Bars that appear when work takes longer than a moment, and vanish after it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[amount]}", markup=False),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}
        self._timer = threading.Timer(PATIENCE, self._bars.start)
        self._timer.daemon = True

    def start(self) -> None:
        """Wait a moment in the background, then show what there is."""
        self._timer.start()

    def stop(self) -> None:
        """Remove the bars, or see to it that they never appear."""
        self._timer.cancel()
        self._timer.join()
        self._bars.stop()

    @hookimpl
    def corteval_score_started(self, event: hooks.ScoreStarted) -> None:
        """Name what is being scored; benchmarks do not say how far they are."""
        self._draw(f"{event.model} on {event.benchmark}", 0, None, "")

    @hookimpl
    def corteval_progress(self, event: hooks.Progress) -> None:
        """Draw how far a task is."""
        if event.completed == event.total:
            self._remove(event.task)
        else:
            self._draw(event.task, event.completed, event.total, _amount(event))

    def cell(self, score: Score, done: int, total: int) -> None:
        """Draw how many cells are done, and forget what belonged to this one."""
        for name in [*self._tasks]:
            self._remove(name)
        self._draw("scores", done, total, f"{done} of {total}")

    def _draw(self, name: str, completed: int, total: int | None, amount: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, amount=amount)
        self._bars.update(self._tasks[name], completed=completed, total=total, amount=amount)

    def _remove(self, name: str) -> None:
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))


def _amount(event: hooks.Progress) -> str:
    in_bytes = event.unit in {"B", "byte", "bytes"}
    done, total = (
        "" if count is None else human_size(count) if in_bytes else f"{count:,}"
        for count in (event.completed, event.total)
    )
    unit = "" if in_bytes else f" {event.unit}"
    return f"{done} of {total}{unit}" if total else f"{done}{unit}"
