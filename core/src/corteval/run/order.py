"""Which task of a run comes next, for those who hand tasks out one by one."""

from __future__ import annotations

import heapq
import time
from collections import Counter, defaultdict
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
