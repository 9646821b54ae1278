"""``corteval verify``: check every digest of the records, and of what they came from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from corteval.cli import ERROR
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import print_json, print_table, say
from corteval.errors import CortevalError, OptionError

_EPILOG = """\b
Examples:
  corteval verify
  corteval verify /shared/records --json

\b
JSON:
  {"schema": "corteval.verify/1", "folder": "...", "records": 120,
   "damage": [{"record": "...", "reason": "..."}]}
"""


@click.command("verify", epilog=_EPILOG)
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@verbose_option
@json_option
@click.pass_context
def command(context: click.Context, folder: Path | None, as_json: bool) -> None:
    """Check every digest of the records.

    Each is to be what its name says, unchanged, and of the model in whose folder it lies.

    FOLDER is one of records; that in CORTEVAL_HOME by default.
    """
    from corteval.run import records

    if folder is not None and not folder.is_dir():
        raise OptionError(f"There is no folder {folder}; name one of records, or none for the own.")
    kept = records.Records(folder) if folder else records.default()
    count, damage = 0, []
    for path in kept.paths():
        count += 1
        try:
            kept.read(path)
        except CortevalError as error:
            damage.append({"record": str(path), "reason": str(error)})
    if as_json:
        print_json("corteval.verify/1", folder=str(kept.folder), records=count, damage=damage)
    else:
        if damage:
            print_table(("record", "reason"), [(d["record"], d["reason"]) for d in damage])
        say(_summary(kept.folder, count, len(damage)))
    if damage:
        context.exit(ERROR)


def _summary(folder: Path, count: int, damaged: int) -> str:
    if count:
        return f"{count} records in {folder}: {damaged or 'none'} damaged or changed."
    inner = folder / "records"
    where = f" `corteval verify {shlex.quote(str(inner))}` looks there." if inner.is_dir() else ""
    return f"There are no records in {folder}: nothing was checked.{where}"
