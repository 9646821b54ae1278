"""Keeping stdout for data, whatever plugins print."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Redirect `sys.stdout`, and file descriptor 1, where compiled code and children write."""
    stdout = sys.stdout
    stdout.flush()
    saved = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        stdout.flush()  # of whoever holds the old `sys.stdout`
        os.dup2(saved, 1)
        os.close(saved)
