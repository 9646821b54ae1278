"""Processes that a model starts and leaves behind, in whatever session: they end with it.

A signal to a group of processes misses those that have made a session of their own. They are found
as descendants of the model, and, where Linux lets a process adopt orphans, as its own children that
are in other sessions: what a worker itself starts is in that of the worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

#: Of ``prctl(2)``.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

#: Rounds of killing: what dies may just have started another.
_ROUNDS = 50

#: Whether this process adopts orphans.
_adopting = False


class Process(NamedTuple):
    """A process, told by its start from a later one of the same number."""

    pid: int
    born: int


@contextlib.contextmanager
def adopting_orphans() -> Iterator[None]:
    """Processes whose parents die meanwhile become children of this one, if the system can.

    Of its children in other sessions, none but the model may be its own.
    """
    global _adopting
    _adopting = _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)
        _adopting = False


def die_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends, if it can."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def descendants(pid: int) -> set[Process]:
    """What `pid` has started, and what that has, as far as their parents are alive."""
    table = _table()
    found: set[Process] = set()
    parents = {pid}
    while parents:
        children = {n: p for n, (p, parent, _) in table.items() if parent in parents}
        parents = {n for n, process in children.items() if process not in found}
        found |= set(children.values())
    return found


def kill(strays: Iterable[Process]) -> None:
    """Kill `strays` that are alive."""
    table = _table()
    for process in strays:
        if process.pid in table and table[process.pid][0] == process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)


def end(strays: Iterable[Process]) -> None:
    """Kill `strays`, orphans that this process has adopted, and what they start meanwhile.

    The model itself has ended, and was waited for.
    """
    wanted = set(strays)
    for _ in range(_ROUNDS):
        table = _table()
        alive = {p for n, (p, _, _) in table.items() if p in wanted} | _adopted(table)
        if not alive:
            return
        wanted |= alive
        for process in alive:
            wanted |= descendants(process.pid)
        kill(wanted)
        time.sleep(0.01)
        for process in alive:  # those that are children of ours are ours to be waited for
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def _adopted(table: dict[int, tuple[Process, int, int]]) -> set[Process]:
    """Children of this process in sessions that are not its own; none if it adopts nobody."""
    if not _adopting:
        return set()
    own, session = os.getpid(), os.getsid(0)
    return {p for p, parent, sid in table.values() if parent == own and sid != session}


def _table() -> dict[int, tuple[Process, int, int]]:
    """Process, parent and session of all that are alive, by number; empty without ``/proc``."""
    found = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError, ValueError, IndexError):
                text = Path(entry.path, "stat").read_text("utf-8", "replace")
                state, parent, _group, session, *rest = text.rpartition(")")[2].split()
                if state != "Z":
                    pid = int(entry.name)
                    found[pid] = (Process(pid, int(rest[15])), int(parent), int(session))
    return found


def _prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    with contextlib.suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    return False
