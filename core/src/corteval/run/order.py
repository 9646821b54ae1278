"""Which task of a run comes next, for those who take tasks and those who hand them out."""

from __future__ import annotations

import heapq
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import final

from corteval.run.folder import RunFolder
from corteval.run.plan import Task


@final
class Order:
    """Tasks that have not ended, in the order of the plan, each after those it builds on.

    Args:
        run: the folder.
        kinds: of tasks that count; all if empty.
    """

    def __init__(self, run: RunFolder, kinds: tuple[str, ...] = ()) -> None:
        done = run.done()
        self._tasks = [
            task
            for task in run.plan.tasks
            if task.identity not in done and (not kinds or task.kind in kinds)
        ]
        self._place = {task.identity: place for place, task in enumerate(self._tasks)}
        self._left = len(self._tasks)
        self._closed = False
        self._later: list[tuple[float, int]] = []
        self._before: Counter[int] = Counter()
        self._after: defaultdict[str, list[int]] = defaultdict(list)
        for place, task in enumerate(self._tasks):
            for before in task.after:
                if before in self._place:
                    self._before[place] += 1
                    self._after[before].append(place)
        self._ready = [place for place in range(self._left) if not self._before[place]]

    def __len__(self) -> int:
        """Tasks that have not ended and are to be sent, now or later."""
        return 0 if self._closed else self._left

    def place(self, task: Task) -> int:
        """Number of a task in the plan."""
        return self._place[task.identity]

    def next(self) -> Task | None:
        """A task whose turn it is; None if none is at the moment."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            heapq.heappush(self._ready, heapq.heappop(self._later)[1])
        if self._closed or not self._ready:
            return None
        return self._tasks[heapq.heappop(self._ready)]

    def ended(self, task: Task) -> None:
        """Let those come that build on it."""
        self._left -= 1
        for place in self._after.pop(task.identity, ()):
            self._before[place] -= 1
            if not self._before[place]:
                heapq.heappush(self._ready, place)

    def again(self, task: Task, seconds: float) -> None:
        """Let a task come once more, not before some time is over."""
        heapq.heappush(self._later, (time.monotonic() + seconds, self.place(task)))

    def close(self) -> None:
        """Let none come any more."""
        self._closed = True


@final
class Waiting:
    """Tasks that a worker has not seen done yet, in the order of the plan; also by model."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks: dict[str, Task] = {}
        self._of: dict[str, dict[str, Task]] = {}
        for task in tasks:
            self.add(task)

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, task: Task) -> None:
        """Let a task come last."""
        self._tasks[task.identity] = task
        self._of.setdefault(task.model, {})[task.identity] = task

    def discard(self, identities: Iterable[str]) -> None:
        """Let these not come any more, as far as they would."""
        for identity in identities:
            task = self._tasks.pop(identity, None)
            if task is not None:
                of = self._of[task.model]
                del of[identity]
                if not of:
                    del self._of[task.model]

    def in_turn(self, model: str, is_done: Callable[[str], bool]) -> Iterator[Task]:
        """Tasks that wait for no other, first those of `model`.

        Nothing may be added or discarded before the iterator is given up.

        Args:
            model: name.
            is_done: whether a task ended; asked once at most of each.
        """
        known: dict[str, bool] = {}

        def ended(identity: str) -> bool:
            if identity not in known:
                known[identity] = identity not in self._tasks or is_done(identity)
            return known[identity]

        own = self._of.get(model, {})
        others = (task for identity, task in self._tasks.items() if identity not in own)
        for task in chain(own.values(), others):
            if all(map(ended, task.after)):
                yield task
