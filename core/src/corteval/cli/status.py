"""``corteval status``: how far a run is."""

from __future__ import annotations

import shlex
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from corteval.cli import SOME_FAILED, notes
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import counted, print_json, print_table, say

if TYPE_CHECKING:
    from corteval.run.folder import RunFolder
    from corteval.run.status import Status

_PAUSE = 2.0  # seconds between two looks

_EPILOG = """\b
Examples:
  corteval status
  corteval status 1a2b3c4d5e6f --watch
  corteval status /shared/runs/vision --json

\b
JSON:
  {"schema": "corteval.run-status/1", "run": "...", "folder": "...", "cells": 12, "finished": 9,
   "by_status": {"scored": 5}, "failures": [...], "unscored": [...], "unfinished": 3,
   "at_work": [...], "cancelled": false, "before": {"cached": 4}}

\b
`before` counts cells that were not to be computed when the run was last started: "cached" had a
record. The others are those of `by_status` and `unfinished`.
"""


@click.command("status", epilog=_EPILOG)
@click.argument("run", required=False)
@click.option("--watch", is_flag=True, help="Say it again at every change until it is done.")
@verbose_option
@json_option
@click.pass_context
def command(context: click.Context, run: str | None, watch: bool, as_json: bool) -> None:
    """Show how far a run is.

    RUN is its folder or identity, or `last`, which is the default.
    """
    from corteval.run.status import run_named, status_of

    folder = run_named(run)
    status = status_of(folder)
    said = ""
    while watch and status.unfinished and not status.cancelled:
        if _line(status) != said:
            said = _line(status)
            say(said)
        time.sleep(_PAUSE)
        status = status_of(folder)
    if as_json:
        facts = asdict(status)
        print_json(
            "corteval.run-status/1", run=folder.folder.name, folder=str(folder.folder), **facts
        )
    else:
        print_status(folder, status)
    if status.failures:
        context.exit(SOME_FAILED)


def print_status(run: RunFolder, status: Status) -> None:
    """Print a status for people."""
    print_table(("cells", "count"), [(name, str(count)) for name, count in status.counts()])
    if status.at_work:
        click.echo()
        rows = [(t["model"], t["benchmark"], t["task"]) for t in status.at_work]
        print_table(("at work: model", "benchmark", "task"), rows, heading=2)
    for title, of, kind in (
        ("no score", status.unscored, "status"),
        ("failed", status.failures, "failure"),
    ):
        said = (
            (cell["model"], cell["benchmark"], f"{cell[kind]}: {cell['reason']}") for cell in of
        )
        notes.print_reasons(title, said)
    if status.failures or status.before.get("failed"):
        say(f"`corteval retry {name_of(run)} --failed` computes them once more.")
    say(f"Run {run.folder.name}: {run.folder}" + (" (cancelled)" if status.cancelled else ""))


def name_of(run: RunFolder) -> str:
    """What a shell takes for `run`: its identity, or the folder of one that lies elsewhere."""
    from corteval import settings

    usual = run.folder.parent == settings.home() / "runs"
    return run.folder.name if usual else shlex.quote(str(run.folder))


def _line(status: Status) -> str:
    at = ", ".join(f"{t['model']} on {t['benchmark']}" for t in status.at_work[:4])
    ended = status.cells - status.unfinished
    return f"{ended} of {counted(status.cells, 'cell')}, {len(status.failures)} failed. {at}"
