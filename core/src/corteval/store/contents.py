"""What lies in a store: listed, verified, and removed where nobody uses it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from corteval.store import blocks, leases, manifest
from corteval.store.artifact import Artifact
from corteval.store.blocks import Damaged
from corteval.store.disk import READ_ONLY, TEMPORARY, locked, names_in, set_aside
from corteval.store.manifest import Foreign

State = Literal["complete", "unfinished", "damaged", "in use"]

#: Seconds for which an unfinished artifact is left alone, as somebody may go on with it.
A_DAY = 86_400.0

_PREFIX = re.compile(r"[0-9a-f]{2}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LEASE = re.compile(r"([0-9a-f]{64})\.lease")
_REMOVED = re.compile(r"[0-9a-f]{64}\.removed-[0-9a-f]+")
_ASIDE = re.compile(r".*\.corrupt-\d+")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An artifact as `Store.entries` lists it.

    Args:
        bytes: of all its files.
        last_used: seconds since 1970; when a process first read it, or its last block was written.
        key, facts: None unless it is complete.
    """

    kind: str
    digest: str
    bytes: int
    last_used: float
    state: State
    key: dict[str, Any] | None = None
    facts: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Something that was removed, and why."""

    kind: str
    digest: str
    bytes: int
    reason: Literal["not used for longest", "unfinished", "damaged"]


@dataclass(frozen=True, kw_only=True)
class Damage:
    """Something that is not what it was when it was written; it was set aside."""

    kind: str
    digest: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The folder of an artifact, looked at from outside.

    Args:
        aside: damaged files, and their bytes.
    """

    path: Path
    kind: str
    bytes: int
    last_used: float
    published: bool
    aside: tuple[tuple[Path, int], ...]

    @property
    def digest(self) -> str:
        """Of the key."""
        return self.path.name


def lease_of(folder: Path) -> Path:
    """Where the lease of the artifact in `folder` lies: beside it, so it outlasts removal."""
    return folder.with_name(f"{folder.name}.lease")


def folders(root: Path) -> Iterator[Folder]:
    """Folders of artifacts; whatever else lies in the store is passed over."""
    for path, kind in _places(root, _DIGEST):
        folder = _folder(path, kind)
        if folder is not None:
            yield folder


def size_of(folder: Path) -> int:
    """Bytes of the files in the folder of an artifact."""
    found = _folder(folder, "")
    return found.bytes if found else 0


def entries(root: Path) -> list[Entry]:
    """All artifacts, by kind, the last used first."""
    found = [_entry(folder) for folder in folders(root)]
    return sorted(found, key=lambda entry: (entry.kind, -entry.last_used, entry.digest))


def collect(
    root: Path, max_bytes: int | None, *, age: float = A_DAY, keep: Collection[Path] = ()
) -> tuple[list[Removal], int]:
    """Remove what nobody needs and then, until `max_bytes` are kept, what is unused for longest.

    Args:
        max_bytes: None removes leftovers only.
        age: seconds after which an unfinished artifact is a leftover.
        keep: folders to leave alone. Those with a living lease are left alone too.

    Returns:
        What was removed, and the bytes that are left.
    """
    if not root.is_dir():
        return [], 0
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(root / "collect.lock"))  # two would remove twice as much
        except OSError as error:
            if error.errno not in READ_ONLY:
                raise
        return _collect(root, max_bytes, age, keep)


def verify(root: Path, report: Callable[[int, int], None]) -> list[Damage]:
    """Hash everything; what is damaged is set aside and will be computed again when needed.

    Args:
        report: called with the bytes that are done and those of all.
    """
    blocks.forget()
    found = [*folders(root)]
    total, done = sum(folder.bytes for folder in found), 0
    damage: list[Damage] = []
    for folder in found:
        said = _verify_published(folder, root) if folder.published else []
        said += _verify_files(folder.path)
        damage += [Damage(kind=folder.kind, digest=folder.digest, message=text) for text in said]
        done += folder.bytes
        report(done, total)
    return damage


def _places(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, str]]:
    """Paths ``root/kind/prefix/name`` whose last part has `pattern`, and their kinds."""
    for kind in _names(root, manifest.KIND):
        for prefix in _names(root / kind, _PREFIX):
            for name in _names(root / kind / prefix, pattern):
                if name.lstrip(".").startswith(prefix):
                    yield root / kind / prefix / name, kind


def _names(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    return sorted(name for name in names_in(folder) if pattern.fullmatch(name))


def _folder(path: Path, kind: str) -> Folder | None:
    size, newest, used, aside = 0, 0.0, None, []
    try:
        with os.scandir(path) as files:
            for file in files:
                status = file.stat(follow_symlinks=False)
                size += status.st_size
                newest = max(newest, status.st_mtime)
                if file.name == manifest.NAME:
                    used = status.st_mtime
                elif _ASIDE.fullmatch(file.name):
                    aside.append((path / file.name, status.st_size))
        newest = max(newest, path.stat().st_mtime)
    except (FileNotFoundError, NotADirectoryError):  # removed meanwhile, or no folder
        return None
    return Folder(
        path=path,
        kind=kind,
        bytes=size,
        last_used=newest if used is None else used,
        published=used is not None,
        aside=tuple(aside),
    )


def _entry(folder: Folder) -> Entry:
    state: State = "complete" if folder.published else "unfinished"
    key = facts = None
    if folder.published:
        try:
            known = manifest.read(folder.path / manifest.NAME, None)
            key, facts = known.identity.key, known.facts
            if not {block.name for block in known.blocks} <= set(names_in(folder.path)):
                state = "damaged"
        except (Damaged, OSError):
            state = "damaged"
    with contextlib.suppress(OSError):
        if leases.in_use(lease_of(folder.path)):
            state = "in use"
    return Entry(
        kind=folder.kind,
        digest=folder.digest,
        bytes=folder.bytes,
        last_used=folder.last_used,
        state=state,
        key=key,
        facts=facts,
    )


def _collect(
    root: Path, max_bytes: int | None, age: float, keep: Collection[Path]
) -> tuple[list[Removal], int]:
    removed: list[Removal] = []
    kept: list[Folder] = []
    _sweep(root, age)
    for folder in folders(root):
        removed += _remove_aside(folder)
        old = time.time() - folder.last_used >= age
        if folder.published or not old or not _remove(folder, root, keep):
            kept.append(folder)
        else:
            removed.append(_removal(folder, "unfinished"))
    total = sum(folder.bytes - sum(size for _, size in folder.aside) for folder in kept)
    for folder in sorted(kept, key=lambda folder: folder.last_used):
        if max_bytes is None or total <= max_bytes:
            break
        if folder.published and _remove(folder, root, keep):
            removed.append(_removal(folder, "not used for longest"))
            total -= removed[-1].bytes
    return removed, total


def _sweep(root: Path, age: float) -> None:
    """Remove what was half removed, leases of the dead, and those that were never finished."""
    for path, _ in _places(root, _REMOVED):
        shutil.rmtree(path, ignore_errors=True)
    for path, _ in _places(root, _LEASE):
        with contextlib.suppress(OSError):
            taken = leases.take(path, root)
            if taken is not None:
                leases.release(path, taken.token)

    for path, _ in _places(root, TEMPORARY):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime >= age:
                path.unlink()


def _remove(folder: Folder, root: Path, keep: Collection[Path]) -> bool:
    """Remove an artifact unless somebody works on it, or has used it since it was looked at."""
    if folder.path in keep:
        return False
    lease = lease_of(folder.path)
    try:
        taken = leases.take(lease, root)
    except OSError:
        return False
    if taken is None:
        return False
    try:
        now = _folder(folder.path, folder.kind)
        if now is None or now.last_used != folder.last_used:
            return False
        aside = folder.path.with_name(f"{folder.path.name}.removed-{taken.token}")
        folder.path.rename(aside)  # at once, so that nobody sees half an artifact
        shutil.rmtree(aside, ignore_errors=True)
    except OSError:
        return False
    finally:
        leases.release(lease, taken.token)
    return True


def _remove_aside(folder: Folder) -> Iterator[Removal]:
    for path, size in folder.aside:
        try:
            path.unlink()
        except OSError:
            continue
        yield Removal(kind=folder.kind, digest=folder.digest, bytes=size, reason="damaged")


def _removal(folder: Folder, reason: Literal["not used for longest", "unfinished"]) -> Removal:
    size = folder.bytes - sum(size for _, size in folder.aside)
    return Removal(kind=folder.kind, digest=folder.digest, bytes=size, reason=reason)


def _verify_published(folder: Folder, root: Path) -> list[str]:
    try:
        known = manifest.read(folder.path / manifest.NAME, None)
        if known.identity.kind != folder.kind:
            raise Foreign(f"it belongs to {known.identity.kind}")
    except FileNotFoundError:
        return []
    except Foreign as error:
        names = _names(folder.path, blocks.NAME)
        return [_set_aside(folder.path / name, error) for name in [*names, manifest.NAME]]
    except Damaged as error:
        return [_set_aside(folder.path / manifest.NAME, error)]
    return [*Artifact(root, known.identity).examine("full")[1]]


def _verify_files(path: Path) -> list[str]:
    """Verify blocks that no manifest lists."""
    said = []
    for name in _names(path, blocks.NAME):
        try:
            blocks.examine(path / name, rows=None, expected=None, policy="full")
        except Damaged as error:
            said.append(_set_aside(path / name, error))
        except OSError:
            continue
    return said


def _set_aside(path: Path, error: Damaged) -> str:
    aside = set_aside(path)
    kept = f"kept as {aside.name}" if aside else "it cannot be renamed"
    return f"{path.name}: {error} ({kept})"
