"""Options by which verbs write what they show for other programs: CSV, LaTeX, BibTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from corteval.cli.files import check_writable, write_lines
from corteval.cli.tables import say
from corteval.errors import OptionError

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = {
    "--csv": "Also write a table in full precision.",
    "--latex": "Also write a table with intervals; it needs the package booktabs.",
    "--bibtex": "Also write entries to cite for all plugins shown and what they use.",
}


def export_options(command: F) -> F:
    """Adds ``--csv``, ``--latex`` and ``--bibtex``, keyword arguments of these names."""
    for name, words in reversed(_OPTIONS.items()):
        kind = click.Path(dir_okay=False, path_type=Path)
        command = click.option(name, type=kind, metavar="FILE", help=words)(command)
    return command


def check_exports(**files: Path | None) -> None:
    """Raises a usage error if one of the `files`, by option, cannot be written."""
    for name, file in files.items():
        if file is not None:
            check_writable(file, f"--{name}")


def write_export(file: Path | None, text: Callable[[], str]) -> None:
    """Write what `text` gives to `file`, if one is named.

    Raises:
        OptionError: if it cannot be written.
    """
    if file is None:
        return
    if not write_lines(file, text().removesuffix("\n").split("\n")):
        raise OptionError(f"{file} was not written.")
    say(f"{file} is written.")


def bibtex(models: Iterable[str], benchmarks: Iterable[str]) -> str:
    """Entries for models, benchmarks and their parts, each once; Corteval's own comes last.

    What is not installed is named on stderr.
    """
    from corteval.report.citations import of_names

    found = of_names(models, benchmarks)
    entries, differing = found.entries()
    for remark in (*found.remarks, *differing):
        say(remark)
    return "\n\n".join(entries) + "\n"
