"""What the disk says no to, in words, and how bytes get there whole."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corteval.cards import human_size
from corteval.errors import StorageFull, StoreError

#: What says that there is no room.
FULL = {
    errno.ENOSPC: "there is no space left on the disk",
    errno.EDQUOT: "your disk quota is used up",
    errno.EFBIG: "a file may not become that large here (see `ulimit -f`)",
}
#: Names of files that are being written.
TEMPORARY = re.compile(r"\..{1,6}\.[0-9a-f]{12}\.tmp")
#: Seconds after which nobody is still writing such a file.
_LEFT = 86_400.0
#: Files that are synchronised at once: a journal writes what several wait for in one go.
_SYNCING = 8
#: What says that nothing can be written, whatever is written.
READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextlib.contextmanager
def explained(what: str, folder: Path) -> Iterator[None]:
    """Raise what the disk refuses as a StoreError that says what to do.

    Args:
        what: what was to be done, e.g. ``"block 3 of activations 12ab34 cannot be written"``.
        folder: the store.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull(
                f"{what}: {FULL[error.errno]} ({_free(folder)} free at {folder}). Free some: "
                "`corteval cache gc --max-size SIZE` removes what was not used for longest. Or "
                "set CORTEVAL_HOME to a folder on another disk, or store nothing (`--no-store`)."
            ) from error
        raise StoreError(
            f"{what}: {error.strerror or error}. Check the permissions of {folder}, set "
            "CORTEVAL_HOME to a folder you may write to, or store nothing (`--no-store`)."
        ) from error


def check_writable(what: str, folder: Path) -> None:
    """Whether files can be made in `folder`, by making one.

    Raises:
        StorageFull, StoreError
    """
    with explained(what, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with new_file(folder / "probe") as file:
            write_all(file.descriptor, bytes(4096))
        file.path.unlink()


def sweep(folder: Path) -> None:
    """Remove what processes that were killed left half-written in `folder`, a day later."""
    for name in names_in(folder):
        if TEMPORARY.fullmatch(name):
            with contextlib.suppress(OSError):
                path = folder / name
                if time.time() - path.stat().st_mtime > _LEFT:
                    path.unlink()


@dataclass
class NewFile:
    """A file that is being written, and the name it gets at the end."""

    path: Path
    descriptor: int
    name: str


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[NewFile]:
    """A new file beside `path`, closed at the end; on any error it vanishes."""
    temporary = path.with_name(f".{path.name[:6]}.{secrets.token_hex(6)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    file = NewFile(temporary, os.open(temporary, flags, 0o666), path.name)
    try:
        try:
            yield file
        finally:
            os.close(file.descriptor)  # here network disks say that they are full
    except BaseException:
        _unlink(temporary)
        raise


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[NewFile]:
    """As `new_file`, and at the end it becomes `path`, or what it is named meanwhile."""
    with new_file(path) as file:
        yield file
    try:
        file.path.replace(path.with_name(file.name))
    except BaseException:
        _unlink(file.path)
        raise


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Exclude others who lock `path`, for a moment; the kernel frees the lock of one that dies."""
    from filelock import FileLock

    with contextlib.ExitStack() as stack:
        with contextlib.suppress(NotImplementedError):  # no locks: it is done twice at worst
            stack.enter_context(FileLock(path, mode=0o666))  # of any user of a shared store
        yield


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync(paths: Iterable[Path]) -> None:
    """Make files and folders outlast a power cut; all at once, for that is how disks are fast."""
    if os.name == "posix":
        for _ in _pool().map(_sync, paths):
            pass


def names_in(folder: Path) -> list[str]:
    """Names of what lies in a folder; none if there is no folder."""
    try:
        return [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def set_aside(path: Path) -> Path | None:
    """Rename `path` to ``*.corrupt-<n>``; None if that is not possible."""
    for number in itertools.count(1):
        aside = path.with_name(f"{path.name}.corrupt-{number}")
        if os.path.lexists(aside):
            continue
        try:
            path.rename(aside)
        except OSError:  # another process was quicker, or the store is read-only
            return None
        return aside
    return None


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_SYNCING, thread_name_prefix="corteval-sync")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of these threads


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _free(folder: Path) -> str:
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return human_size(shutil.disk_usage(place).free)
    return "an unknown amount"
