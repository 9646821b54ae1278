"""Entry points of all installed distributions, scanned once a process."""

from __future__ import annotations

from functools import cache
from typing import Any


def entry_points(group: str) -> Any:
    """Entry points of one group, with the distribution each comes from."""
    return _all().select(group=group)


def forget() -> None:
    """Scan anew at the next use."""
    _all.cache_clear()


@cache
def _all() -> Any:
    from importlib_metadata import entry_points

    return entry_points()
