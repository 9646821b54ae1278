"""The folder of a run: its plan, what is finished, who works on what, and what happened."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

from corteval import settings
from corteval import store as stores
from corteval.cards import human_size
from corteval.errors import CortevalError, OptionError
from corteval.run import records, tally
from corteval.run.hiding import without_secrets
from corteval.run.plan import SCHEMA, Plan, Task
from corteval.store import leases
from corteval.store.disk import TEMPORARY, check_writable, explained, replacing, sweep, write_all

log = logging.getLogger(__name__)

#: Bytes of a disk below which it is said that there is little left.
_LITTLE = 256 * 2**20

#: Folders of a run.
_PARTS = ("done", "attempts", "leases", "logs", "workers")

#: How a task may go wrong. Those of `TRANSIENT` may go better another time.
Failure = Literal["error", "crash", "killed", "memory", "timeout", "network", "storage", "lost", ""]
TRANSIENT: Mapping[str, int] = {"killed": 3, "memory": 2, "network": 3, "lost": 3}

#: Signals of native code that went wrong, which it would again.
CRASHES = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"}


@final
@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an attempt at a task ended.

    Args:
        status: of the score; ``"done"`` of a task without one.
        failure: kind of failure, empty if it succeeded.
        reason: in words.
        record: name of the record of the score.
        seconds: wall-clock time.
        worker: who did it.
    """

    status: str
    failure: Failure = ""
    reason: str = ""
    record: str = ""
    seconds: float = 0.0
    worker: str = ""


@final
@dataclass(frozen=True)
class Claim:
    """A task that is ours until `RunFolder.release`."""

    task: Task
    path: Path
    token: str


@final
class RunFolder:
    """A run on the disk. Several processes and machines may work on it."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self._watched: leases.Watched = {}

    def __repr__(self) -> str:
        return f"RunFolder({str(self.folder)!r})"

    @classmethod
    def create(cls, plan: Plan, folder: Path | None = None) -> RunFolder:
        """The folder of `plan`: a new one, or that of an earlier run of the same, to go on with.

        Raises:
            OptionError: see `check_folder`.
            StorageFull, StoreError
        """
        if folder is not None:
            check_folder(folder)
        run = cls(folder or settings.home() / "runs" / plan.identity)
        with explained(f"The run cannot be kept in {run.folder}", run.folder):
            for part in _PARTS:
                (run.folder / part).mkdir(parents=True, exist_ok=True)
            content = plan.to_json().encode()
            named = (tally.Listed(t.identity, t.model, t.cells[0].benchmark) for t in plan.tasks)
            tally.list_tasks(run.folder, content, named)
            with replacing(run.folder / "plan.json") as file:
                write_all(file.descriptor, content)
            (run.folder / "cancelled").unlink(missing_ok=True)
        for part in ("", "done", "attempts", "leases", "workers"):
            sweep(run.folder / part)
        records.default().sweep()
        run.check()
        return run

    def check(self) -> None:
        """Whether what a run makes can be kept, so that it is said before anything is computed.

        Raises:
            StorageFull, StoreError
        """
        active = stores.active()
        places = {"State of the run": self.folder, "Records": records.default().folder}
        if active is not None:
            places["Responses of models"] = active.folder
        for what, folder in places.items():
            check_writable(f"{what} cannot be kept in {folder}", folder)
            free = shutil.disk_usage(folder).free
            if free < _LITTLE:
                log.warning(
                    "%s lie on a disk with %s left. Should it become full, cells fail and can be "
                    "computed when there is room: `corteval cache gc --max-size SIZE` makes some.",
                    what,
                    human_size(free),
                )
                return

    @cached_property
    def plan(self) -> Plan:
        """What is to be done.

        Raises:
            OptionError: if this is no folder of a run.
        """
        try:
            text = (self.folder / "plan.json").read_text("utf-8")
        except OSError as error:
            raise OptionError(
                f"{self.folder} is no folder of a run: it has no plan.json. "
                "`corteval run` makes one."
            ) from error
        return Plan.from_json(text)

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """Tasks by identity, in order."""
        return {task.identity: task for task in self.plan.tasks}

    def outcome(self, identity: str) -> Outcome | None:
        """How a task ended; None if it has not."""
        return _read(self.folder / "done" / f"{identity}.json")

    def is_done(self, identity: str) -> bool:
        """Whether a task ended."""
        return (self.folder / "done" / f"{identity}.json").exists()

    def done(self) -> set[str]:
        """Identities of the tasks that ended, whichever plan they are of."""
        with os.scandir(self.folder / "done") as entries:
            return {entry.name.removesuffix(".json") for entry in entries}

    def attempts(self, identity: str) -> list[Outcome]:
        """Attempts that failed and were, or will be, tried again."""
        paths = sorted((self.folder / "attempts").glob(f"{identity}.*.json"))
        return [found for path in paths if (found := _read(path)) is not None]

    def claim(self, task: Task) -> Claim | None:
        """Take a task, unless it is done or another's. One whose worker died is an attempt lost.

        Raises:
            StorageFull, StoreError: if the disk refuses what says that it is taken.
        """
        path = self.folder / "leases" / task.identity
        if self.is_done(task.identity):
            return None
        with explained(f"The task {task.identity} cannot be taken", self.folder):
            taken = leases.take(path, self.folder, self._watched)
        if taken is None:
            return None
        claim = Claim(task, path, taken.token)
        try:
            over = self.is_done(task.identity)
            if over or (taken.left and not self._still_to_do(task, taken.owner)):
                self.release(claim)
                return None
        except BaseException:
            self.release(claim)
            raise
        return claim

    def release(self, claim: Claim) -> None:
        """Give a task back."""
        leases.release(claim.path, claim.token)

    def finish(self, task: Task, outcome: Outcome) -> bool:
        """Keep how an attempt ended; whether the task is at its end, or is to be tried again."""
        earlier = [a for a in self.attempts(task.identity) if a.failure == outcome.failure]
        final = not outcome.failure or len(earlier) + 1 >= TRANSIENT.get(outcome.failure, 1)
        if final:
            self._write(f"done/{task.identity}.json", asdict(outcome))
            tally.tell_end(self.folder, task.identity, outcome.status)
        else:
            number = len(self.attempts(task.identity)) + 1
            self._write(f"attempts/{task.identity}.{number}.json", asdict(outcome))
        happened = ("failed" if outcome.failure else "finished") if final else "retry"
        self.tell(happened, task, **asdict(outcome))
        return final

    def forget(self, identity: str) -> None:
        """Make a task that ended one to be done again, its earlier attempts forgotten."""
        for path in [*(self.folder / "attempts").glob(f"{identity}.*.json")]:
            path.unlink(missing_ok=True)
        tally.tell_end(self.folder, identity, "")
        (self.folder / "done" / f"{identity}.json").unlink(missing_ok=True)

    @property
    def cancelled(self) -> bool:
        """Whether workers are to stop."""
        return (self.folder / "cancelled").exists()

    def cancel(self) -> None:
        """Have workers stop, wherever they are."""
        with explained("The run cannot be cancelled", self.folder):
            (self.folder / "cancelled").touch()

    def tell(self, happened: str, task: Task | None = None, **facts: Any) -> None:
        """Add a line to the events; a disk that is full costs the line only."""
        content = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": happened,
            **({} if task is None else _facts(task)),
            **facts,
        }
        line = without_secrets(json.dumps(content, default=str))[:8000] + "\n"
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            descriptor = os.open(self.folder / "events.ndjson", flags, 0o666)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)

    def events(self) -> Iterator[dict[str, Any]]:
        """What happened, in the order in which it was told; ends where nothing more is told yet."""
        with contextlib.suppress(FileNotFoundError), (self.folder / "events.ndjson").open() as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def note_end(self, pid: int, **facts: Any) -> None:
        """Keep how a worker ended, for whoever takes over its task."""
        with contextlib.suppress(CortevalError):
            name = f"workers/{socket.gethostname()}-{pid}.json"
            self._write(name, {"pid": pid, "time": time.time(), **facts})

    def forget_end(self, pid: int) -> None:
        """Forget how an earlier process of the number of this one ended: numbers are used again."""
        with contextlib.suppress(OSError):
            (self.folder / "workers" / f"{socket.gethostname()}-{pid}.json").unlink()

    def log(self, name: str) -> Path:
        """File for what is printed."""
        return self.folder / "logs" / f"{name}.log"

    def _still_to_do(self, task: Task, owner: leases.Owner | None) -> bool:
        """Count an attempt whose worker died; whether there may be another."""
        how = {}
        if owner is not None:
            how = _json(self.folder / "workers" / f"{owner.host}-{owner.pid}.json")
        name = str(how.get("signal", ""))
        who = f"process {owner.pid} on {owner.host}" if owner else "an unknown process"
        end = f" by {name}" if name else ""
        failure: Failure = "crash" if name in CRASHES else "lost"
        if how.get("memory"):
            failure, end = "memory", " for want of memory, by the kernel"
        reason = f"Its worker ({who}) died{end} while it was working on this."
        return not self.finish(task, Outcome(status="failed", failure=failure, reason=reason))

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        path = self.folder / name
        with explained(f"{path.name} cannot be written", self.folder), replacing(path) as file:
            write_all(file.descriptor, json.dumps(content).encode())


def check_folder(folder: Path) -> None:
    """Whether a run may be kept in `folder`: it is one of a run, is empty, or is not there yet.

    Raises:
        OptionError: if not.
    """
    folder = folder.expanduser()
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file; name a folder for the run.")
    if not folder.is_dir():
        return
    with explained(f"The run cannot be kept in {folder}", folder):
        names = {path.name for path in folder.iterdir()}
    # without a plan it may be that of a run that was cut off as it began
    others = {n for n in names if TEMPORARY.fullmatch(n) is None} - {*_PARTS, "tasks.txt"}
    if others and _json(folder / "plan.json").get("schema") != SCHEMA:
        raise OptionError(
            f"{folder} holds other things, such as {min(others)}, and is no folder of a run. Name "
            "an empty folder, or one that is not there yet."
        )


def _facts(task: Task) -> dict[str, Any]:
    cell = task.cells[0]
    facts = {"task": task.identity, "kind": task.kind, "model": task.model}
    return facts | ({} if task.kind == "prepare" else {"benchmark": cell.benchmark})


def _json(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def _read(path: Path) -> Outcome | None:
    content = _json(path)
    with contextlib.suppress(TypeError):
        return Outcome(**content) if content else None
    return None
