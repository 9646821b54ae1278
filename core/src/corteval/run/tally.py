"""Two lists beside the plan of a run, that tell how far it is without opening a file a cell.

``tasks.txt`` names each task with its model and benchmark, after a line with the SHA-256 of the
plan they are of. ``ended.txt`` gets a line with the status of each task that ends. Both are copies:
the plan and the files in ``done`` are the truth. A list that is of another plan is not used, and of
a task without a line the file is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from corteval.store.disk import replacing, write_all

#: What the file of a plan says of its cells. A quote within a name has a backslash before it.
_STATES = re.compile(rb'"states": (\{[^{}]*\})')


class Listed(NamedTuple):
    """A task by name; in the list, the names stand in one line."""

    identity: str
    model: str
    benchmark: str

    @property
    def line(self) -> str:
        """As it stands in the list."""
        return "\t".join(self)

    @classmethod
    def of(cls, line: str) -> Listed:
        """Inverse of `line`."""
        return cls(*line.split("\t"))


def list_tasks(folder: Path, plan: bytes, tasks: Iterable[Listed]) -> None:
    """Write the list of tasks of the plan that is about to be written.

    Args:
        folder: of the run.
        plan: content of its file.
        tasks: in order.
    """
    lines = [task.line for task in tasks]
    text = "\n".join([hashlib.sha256(plan).hexdigest(), *lines])
    with replacing(folder / "tasks.txt") as file:
        write_all(file.descriptor, text.encode())


def listed(folder: Path) -> list[str] | None:
    """A line a task of the plan in `folder`, in order; None if the list is not of this plan."""
    with contextlib.suppress(OSError, ValueError):
        plan = hashlib.sha256((folder / "plan.json").read_bytes()).hexdigest()
        digest, *lines = (folder / "tasks.txt").read_text("utf-8").split("\n")
        if digest == plan:
            return lines
    return None


def tell_end(folder: Path, identity: str, status: str) -> None:
    """Add how a task ended; an empty status says that it is to be done again."""
    with contextlib.suppress(OSError):  # a line that lacks costs time only
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(folder / "ended.txt", flags, 0o666)
        try:
            os.write(descriptor, f"{identity}\t{status}\n".encode())
        finally:
            os.close(descriptor)


def ends(folder: Path) -> dict[str, str]:
    """The last told status of each task."""
    with contextlib.suppress(OSError):
        lines = (folder / "ended.txt").read_text("utf-8", "replace").split("\n")
        return dict(line.split("\t", 1) for line in lines if "\t" in line)
    return {}


def states(folder: Path) -> Mapping[str, int]:
    """Cells by what was known of them when the plan in `folder` was made, without reading all."""
    with contextlib.suppress(OSError, ValueError):
        found = _STATES.search((folder / "plan.json").read_bytes())
        if found is not None:
            return {str(name): int(count) for name, count in json.loads(found[1]).items()}
    return {}
