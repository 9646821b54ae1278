"""``corteval cancel``: have the workers of a run stop, wherever they are."""

from __future__ import annotations

import click

from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import print_json, say

_EPILOG = """\b
Examples:
  corteval cancel
  corteval cancel 1a2b3c4d5e6f

\b
JSON:
  {"schema": "corteval.run-cancel/1", "run": "1a2b...", "cancelled": true}
"""


@click.command("cancel", epilog=_EPILOG)
@click.argument("run", required=False)
@verbose_option
@json_option
def command(run: str | None, as_json: bool) -> None:
    """Have the workers of a run stop, wherever they are.

    None takes another task; what is finished stays. RUN is the folder or identity of the run, or
    `last`, which is the default. `corteval retry`, or the command that started it, goes on.
    """
    from corteval.run.status import run_named

    folder = run_named(run)
    folder.cancel()
    if as_json:
        print_json("corteval.run-cancel/1", run=folder.folder.name, cancelled=True)
    else:
        say(f"Run {folder.folder.name} is cancelled; workers stop after the task they are at.")
