"""Logging to stderr: a line a message, tracebacks only with ``-v``."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import click

from corteval.cli.tables import say


class _ToStderr(logging.Handler):
    """Looks stderr up at each message: a progress bar may have put itself in front of it."""

    tracebacks = False

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.levelname.capitalize()}: {record.getMessage()}"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not self.tracebacks:
            text += f" [{type(error).__name__}; corteval -v shows the traceback]"
        say(text)
        if record.exc_info and error is not None and self.tracebacks:
            click.echo(logging.Formatter().formatException(record.exc_info), err=True)


def say_more(verbosity: int) -> None:
    """Raise what is logged to at least this."""
    root = logging.getLogger()
    if verbosity > 0:
        root.setLevel(min(root.level, logging.INFO if verbosity == 1 else logging.DEBUG))
        for handler in root.handlers:
            if isinstance(handler, _ToStderr):
                handler.tracebacks = True


@contextlib.contextmanager
def logging_to_stderr(verbosity: int) -> Iterator[None]:
    """Log warnings; everything informative from 1, everything from 2."""
    root = logging.getLogger()
    handler, level = _ToStderr(), root.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    say_more(verbosity)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
