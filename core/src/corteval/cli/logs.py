"""Logging to stderr: a line a message, tracebacks only with ``-v``."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import click


class _ToStderr(logging.Handler):
    """Looks stderr up at each message: a progress bar may have put itself in front of it."""

    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.levelname.capitalize()}: {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            if self._tracebacks:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            else:
                text += f" [{type(record.exc_info[1]).__name__}; corteval -v shows the traceback]"
        click.echo(text, err=True)


@contextlib.contextmanager
def logging_to_stderr(verbosity: int) -> Iterator[None]:
    """Log warnings; everything informative from 1, everything from 2."""
    root = logging.getLogger()
    handler, level = _ToStderr(tracebacks=verbosity > 0), root.level
    root.addHandler(handler)
    root.setLevel({0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
