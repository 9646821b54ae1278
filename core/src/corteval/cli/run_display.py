"""Progress of a run, read from its events: bars on a terminal, elsewhere a line on a change."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from corteval.cli.tables import counted, say

if TYPE_CHECKING:
    from corteval.run.folder import RunFolder

_PAUSE = 10.0  # seconds between two lines where there is no terminal
_LOOK = 0.25


@contextlib.contextmanager
def showing(run: RunFolder, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Show how far a run is; the function given looks again."""
    if quiet:
        yield lambda: None
        return
    view = _View(run)
    with contextlib.closing(view):
        yield from _drawn(view)


def _drawn(view: _View) -> Iterator[Callable[[], None]]:
    if not sys.stderr.isatty():
        yield lambda: view.lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        total = bars.add_task("cells", total=view.total)
        rows: dict[str, Any] = {}

        def look() -> None:
            if not view.update():
                return
            bars.update(total, completed=view.done)
            for worker, (what, done, of) in view.at_work.items():
                if worker not in rows:
                    rows[worker] = bars.add_task(worker)
                text = f"{worker}: {what}"[:70]
                bars.update(rows[worker], description=text, completed=done, total=of)
            for worker in [*rows]:
                if worker not in view.at_work:
                    bars.remove_task(rows.pop(worker))

        yield look


class _View:
    """What the events of a run say."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.total = sum(task.kind == "score" for task in run.plan.tasks)
        self.done = 0
        self.failed = 0
        self.at_work: dict[str, tuple[str, int, int | None]] = {}
        self._file: TextIO | None = None
        self._looked = 0.0
        self._said = time.monotonic()
        self._line = ""
        self._begin()

    def close(self) -> None:
        """Read no more."""
        if self._file is not None:
            self._file.close()

    def update(self) -> bool:
        """Read what is new; whether it was time to look."""
        if time.monotonic() - self._looked < _LOOK:
            return False
        self._looked = time.monotonic()
        self._begin()
        while self._file is not None and (line := self._file.readline()):
            with contextlib.suppress(ValueError, KeyError):
                self._take(json.loads(line))
        return True

    def lines(self) -> None:
        """Say how far it is, if that changed and was not said just now."""
        if not self.update() or time.monotonic() - self._said < _PAUSE:
            return
        at = "; ".join(
            f"{worker}: {what}{_amount(done, total)}"
            for worker, (what, done, total) in self.at_work.items()
        )
        line = f"{self.done} of {counted(self.total, 'cell')}, {self.failed} failed. {at}".strip()
        if line != self._line:
            self._said, self._line = time.monotonic(), line
            say(line)

    def _begin(self) -> None:
        """Open the events, from their present end: what went before is an earlier run's."""
        if self._file is None:
            path = self._run.folder / "events.ndjson"
            path.touch()
            self._file = path.open(encoding="utf-8")
            self._file.seek(0, 2)

    def _take(self, event: dict[str, Any]) -> None:
        worker, happened = event.get("worker", ""), event["event"]
        if happened == "started":
            names = [event.get("model", ""), event.get("benchmark", "")]
            self.at_work[worker] = (" on ".join(n for n in names if n), 0, None)
        elif happened == "progress" and worker in self.at_work:
            what, _, _ = self.at_work[worker]
            self.at_work[worker] = (what, event["done"], event["total"])
        elif happened in ("finished", "failed"):
            self.at_work.pop(worker, None)
            self.done += event.get("kind") == "score"
            self.failed += happened == "failed"
        elif happened in ("retry", "stopped", "unwritten", "worker died"):
            self.at_work.pop(worker, None)


def _amount(done: int, total: int | None) -> str:
    """How far a task is; empty of one that has not said it."""
    return f" ({done} of {total})" if total else ""
