"""How much memory this process may use: what the machine has, and what its cgroup allows."""

from __future__ import annotations

import os
from pathlib import Path

#: Share of the available memory that one answer may fill before it is laid on the disk.
_SHARE = 0.25


def available_bytes() -> int:
    """Memory that can still be had, by the machine and by the limits of the cgroup."""
    found = [_machine_bytes(), *_cgroup_bytes()]
    return max(0, min(found))


def held_in_memory_bytes() -> int:
    """Most bytes of responses that are held in memory rather than on the disk."""
    return int(_SHARE * available_bytes())


def _machine_bytes() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 8 * 2**30  # a system that tells nothing


def _cgroup_bytes() -> list[int]:
    """What the limits of version 2 and of version 1 leave, where they are set."""
    places = [
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        ),
    ]
    found = []
    for limit, used in places:
        try:
            found.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return found
