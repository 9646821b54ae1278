"""Leases: files that say which living process works on what, so that nobody else does.

A lease appears whole and only where there is none: it is written aside and linked to its name, or,
on a disk without links, created by ``O_CREAT | O_EXCL``. Its owner touches it now and then. It is
stale if its owner, a process of this machine since its last start, is dead, or if it rests for a
while that this process has watched by its own monotonic clock: no clocks are compared, so none can
be wrong.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import secrets
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

from corteval.store import canonical
from corteval.store.disk import locked, new_file, replacing, write_all

log = logging.getLogger(__name__)

#: Seconds between two signs of life.
HEARTBEAT = 10.0
#: Seconds without one after which an owner that cannot be looked at is taken to be dead.
SILENCE = 120.0
#: Seconds between two looks at another's lease, at first and at most.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 0.5
#: Seconds of rest after which cleaning up removes a lease without watching it.
FORGOTTEN = 86_400.0

_LARGEST = 4096
_WITHOUT_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK}


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who holds a lease.

    Args:
        host: name of the machine.
        boot: identity of its last start; empty if the system does not tell.
        processes: name space in which `pid` counts: containers share a kernel, not their numbers.
        pid: number of the process.
        started: when it started, as the kernel counts, for numbers are used again.
        token: of this lease alone.
        since: when it was taken, for people.
    """

    host: str
    boot: str
    processes: str
    pid: int
    started: str
    token: str
    since: str


@dataclass(frozen=True, kw_only=True)
class _Sight:
    """A lease at a moment; `signature` changes with every sign of life."""

    owner: Owner | None
    signature: tuple[int, int, bytes]
    age: float


@dataclass(frozen=True, kw_only=True)
class _Held:
    token: str
    thread: int


_held: dict[str, _Held] = {}
_lock = threading.Lock()
_beating: threading.Thread | None = None


@contextlib.contextmanager
def held(path: Path, root: Path, what: str) -> Iterator[None]:
    """Hold the lease at `path`, waiting for whoever has it; a thread that has it goes on.

    Args:
        root: folder of the store.
        what: what the lease is for, in words.
    """
    if holds(path):
        yield
        return
    token = secrets.token_hex(8)
    try:
        _wait(path, root, token, what)
        yield
    finally:
        release(path, token)


def holds(path: Path) -> bool:
    """Whether this thread holds the lease."""
    with _lock:
        mine = _held.get(str(path))
    return mine is not None and mine.thread == threading.get_ident()


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A lease that was taken without waiting.

    Args:
        token: of the lease.
        left: whether it was there, left by somebody who is dead.
        owner: who that was, if the lease told.
    """

    token: str
    left: bool = False
    owner: Owner | None = None


#: Leases that a caller has seen: their signatures, and since when by the monotonic clock.
Watched = dict[Path, tuple[tuple[int, int, bytes], float]]


def take(path: Path, root: Path, watched: Watched | None = None) -> Taken | None:
    """The lease, taken without waiting; None if it may be in use.

    Args:
        path: of the lease.
        root: folder of the store.
        watched: kept by a caller who asks again and again, so that an owner on another machine who
            shows no life for `SILENCE` seconds is taken to be dead.
    """
    token = secrets.token_hex(8)
    if _create(path, token):
        return Taken(token=token)
    sight = _look(path)
    if sight is None:
        return None
    state = _state(sight.owner)
    stale = state == "dead" or (state == "unknown" and sight.age > FORGOTTEN)
    if state == "unknown" and not stale and watched is not None:
        signature, since = watched.get(path, (None, 0.0))
        if signature == sight.signature:
            stale = time.monotonic() - since >= SILENCE
        else:
            watched[path] = (sight.signature, time.monotonic())
    if not stale or not _replace(path, root, sight, token):
        return None
    return Taken(token=token, left=True, owner=sight.owner)


def release(path: Path, token: str) -> None:
    """Give a lease back if it has `token`."""
    with _lock:
        if str(path) in _held and _held[str(path)].token == token:
            del _held[str(path)]
    with contextlib.suppress(OSError):
        sight = _look(path)
        if sight is not None and sight.owner is not None and sight.owner.token == token:
            path.unlink()


def in_use(path: Path) -> bool:
    """Whether somebody may hold the lease."""
    sight = _look(path)
    return sight is not None and _state(sight.owner) != "dead" and sight.age <= FORGOTTEN


def _wait(path: Path, root: Path, token: str, what: str) -> None:
    watched: tuple[int, int, bytes] | None = None
    since, pause, said = 0.0, SHORTEST_PAUSE, False
    while not _create(path, token):
        sight = _look(path)
        if sight is None:
            continue
        state = _state(sight.owner)
        if state == "unknown" and sight.signature == watched:
            state = "dead" if time.monotonic() - since >= SILENCE else state
        else:
            watched, since = sight.signature, time.monotonic()
        if state == "dead" and _replace(path, root, sight, token):
            log.info("%s: its lease was left by %s; it is taken over.", what, _who(sight.owner))
            return
        if not said:
            log.info("%s is being computed by %s; waiting for it.", what, _who(sight.owner))
            said = True
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE)


def _create(path: Path, token: str) -> bool:
    """Create the lease; whether there was none."""
    if os.path.lexists(path):
        return False
    try:
        with new_file(path) as file:
            write_all(file.descriptor, _text(token))
        _link(file.path, path)
    except FileExistsError:
        return False
    finally:
        with contextlib.suppress(OSError, UnboundLocalError):
            file.path.unlink()
    _keep(path, token)
    return True


def _link(whole: Path, path: Path) -> None:
    """Give a written file the name of a lease; FileExistsError if there is one."""
    try:
        path.hardlink_to(whole)
    except FileExistsError:
        if whole.stat().st_nlink != 2:  # else it is ours: the answer of a network disk was lost
            raise
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        with path.open("xb", buffering=0) as file:
            file.write(whole.read_bytes())


def _replace(path: Path, root: Path, sight: _Sight, token: str) -> bool:
    """Put our lease in the place of a stale one, unless another process was quicker."""
    with locked(root / "takeover.lock"):
        now = _look(path)
        if now is None or now.signature != sight.signature:
            return False
        with replacing(path) as file:
            write_all(file.descriptor, _text(token))
        _keep(path, token)
        return True


def _look(path: Path) -> _Sight | None:
    """The lease at `path` now; None if there is none."""
    data = b""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            with path.open("rb") as file:
                data = file.read(_LARGEST)
                status = os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    signature = (status.st_ino, status.st_mtime_ns, data)
    return _Sight(owner=_parse(data), signature=signature, age=time.time() - status.st_mtime)


def _parse(data: bytes) -> Owner | None:
    try:
        content = canonical.parse(data)
        owner = Owner(**content)
    except (ValueError, TypeError):
        return None
    texts = [getattr(owner, field.name) for field in fields(owner) if field.name != "pid"]
    sane = type(owner.pid) is int and 0 < owner.pid < 2**31
    return owner if sane and all(isinstance(text, str) for text in texts) else None


def _state(owner: Owner | None) -> Literal["alive", "dead", "unknown"]:
    """What this machine knows of the owner of a lease."""
    here = _this_machine()
    if owner is None or not here[1] or (owner.host, owner.boot, owner.processes) != here:
        return "unknown"
    if owner.pid == os.getpid() and owner.started == _started(owner.pid):
        with _lock:
            tokens = {mine.token for mine in _held.values()}
        return "alive" if owner.token in tokens else "unknown"
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return "dead"
    except PermissionError:
        pass  # it is another user's
    started = _started(owner.pid)
    if started is None:  # hidden from us
        return "unknown"
    return "alive" if started and started == owner.started else "dead"


def _text(token: str) -> bytes:
    host, boot, processes = _this_machine()
    owner = Owner(
        host=host,
        boot=boot,
        processes=processes,
        pid=os.getpid(),
        started=_started(os.getpid()) or "",
        token=token,
        since=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return json.dumps(asdict(owner)).encode("ascii")


@cache
def _this_machine() -> tuple[str, str, str]:
    """Name, identity of the last start, and name space of process numbers."""
    boot = processes = ""
    with contextlib.suppress(OSError):  # not Linux: such owners are judged by their silence
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        processes = os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    return socket.gethostname(), boot if processes else "", processes


def _started(pid: int) -> str | None:
    """When a process started, in ticks; empty if it has ended, None if nobody tells."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    state, *rest = text.rpartition(b")")[2].split()
    return "" if state in {b"Z", b"X"} else rest[18].decode("ascii")


def _who(owner: Owner | None) -> str:
    return "an unknown process" if owner is None else f"process {owner.pid} on {owner.host}"


def _keep(path: Path, token: str) -> None:
    """Show signs of life until the lease is given back."""
    global _beating
    with _lock:
        _held[str(path)] = _Held(token=token, thread=threading.get_ident())
        if _beating is None or not _beating.is_alive():
            _beating = threading.Thread(target=_beat, name="corteval-leases", daemon=True)
            _beating.start()


def _beat() -> None:
    global _beating
    while True:
        time.sleep(HEARTBEAT)
        with _lock:
            leases = dict(_held)
            if not leases:
                _beating = None
                return
        for path, mine in leases.items():
            with contextlib.suppress(OSError):  # a disk that is away for a moment
                _show_life(Path(path), mine)


def _show_life(path: Path, mine: _Held) -> None:
    sight = _look(path)
    if sight is not None and sight.owner is not None and sight.owner.token == mine.token:
        os.utime(path)
        return
    with _lock:
        lost = _held.get(str(path)) == mine
        if lost:
            del _held[str(path)]
    if lost:
        thief = _who(sight.owner) if sight else "somebody who removed it"
        log.warning("Lease %s went to %s: the same may be computed twice.", path, thief)


def _forget_parent() -> None:
    """In a forked child: the leases are the parent's."""
    global _lock, _beating
    _lock, _beating = threading.Lock(), None
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
