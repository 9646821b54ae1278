"""How much memory this process may use, by the machine, its control groups and its own limits."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: Share of the available memory that one answer may fill before it is laid on the disk.
_SHARE = 0.25

#: Assumed of a system that tells nothing.
_UNKNOWN = 8 * 2**30


class Limit(NamedTuple):
    """A bound on memory.

    Args:
        name: who sets it, in words.
        bytes_left: what it leaves at the moment.
    """

    name: str
    bytes_left: int


def available_bytes() -> int:
    """Memory that can still be had, by the tightest of all limits."""
    return tightest().bytes_left


def held_in_memory_bytes() -> int:
    """Most bytes of responses that are held in memory rather than on the disk."""
    return int(_SHARE * available_bytes())


def tightest() -> Limit:
    """The limit that leaves least."""
    return min(limits(), key=lambda limit: limit.bytes_left)


def limits(root: Path = Path("/")) -> list[Limit]:
    """All limits that are set: of the machine, of control groups, and of this process.

    A process is bound by the control group it is in and by every one above. What the kernel has
    cached of files counts as used there, and is given back when it is needed, so it is left out.

    Args:
        root: of the file system, for tests.
    """
    found = [_machine(root), *_version_2(root), *_version_1(root), *_own(root)]
    return [Limit(name, max(0, left)) for name, left in found]


def _machine(root: Path) -> Limit:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (root / "proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return Limit("the machine", 1024 * int(line.split()[1]))
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return Limit("the machine", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return Limit("the machine", _UNKNOWN)


def _version_2(root: Path) -> Iterator[Limit]:
    for base in (root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"):
        for folder in _folders(root, base, ""):
            names = ("memory.max", "memory.current", "inactive_file")
            yield from _left(folder, *names)


def _version_1(root: Path) -> Iterator[Limit]:
    for folder in _folders(root, root / "sys/fs/cgroup/memory", "memory"):
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        yield from _left(folder, *names)


def _folders(root: Path, base: Path, controller: str) -> list[Path]:
    """The control group of this process below `base`, and those above; inner ones first.

    In a container the group may be named as the host sees it; then `base` is the group itself.
    """
    found = [base]
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(",") and ".." not in path:
                for part in Path(path.lstrip("/")).parts:
                    found.append(found[-1] / part)
    return found[::-1]


def _left(folder: Path, limit: str, used: str, cached: str) -> Iterator[Limit]:
    with contextlib.suppress(OSError, ValueError):  # not there, or "max"
        most = int((folder / limit).read_text("ascii"))
        held = int((folder / used).read_text("ascii"))
        held -= min(held, _stated(folder / "memory.stat", cached))
        yield Limit(f"the control group {folder}", most - held)


def _stated(path: Path, name: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text("ascii").splitlines():
            key, value = line.split(" ", 1)
            if key == name:
                return int(value)
    return 0


def _own(root: Path) -> Iterator[Limit]:
    """What ``ulimit -v`` leaves of the address space of this process."""
    with contextlib.suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            pages = int((root / "proc/self/statm").read_text("ascii").split()[0])
            yield Limit("ulimit -v", most - pages * resource.getpagesize())
