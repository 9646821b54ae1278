"""Files that verbs write: checked before anything is computed, and written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import click

from corteval.cli.tables import say


def check_writable(output: Path, option: str = "--output") -> None:
    """Raises a usage error if `output` cannot become a file."""
    folder = output.absolute().parent
    if not folder.is_dir():
        raise click.UsageError(f"{option}: there is no folder {folder}; create it first.")
    if (output.exists() and not output.is_file()) or not os.access(folder, os.W_OK):
        raise click.UsageError(f"{option}: {output} cannot be written as a file.")


def write_lines(output: Path, lines: Iterable[str]) -> bool:
    """Write all `lines` or, after saying why, none: a reader never sees half a file."""

    def write(file: BinaryIO) -> None:
        file.writelines(f"{line}\n".encode() for line in lines)

    return write_whole(output, write)


def write_whole(output: Path, write: Callable[[BinaryIO], None]) -> bool:
    """Let `write` fill a file that gets its name when it is on the disk; False if it cannot."""
    output = output.resolve()  # through a link, to what it names
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(output)
        return True
    except OSError as error:
        say(f"Error: {output} cannot be written: {error}")
        return False
    finally:
        unfinished.unlink(missing_ok=True)
