"""``corteval status``: how far a run is."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from corteval.cli import SOME_FAILED
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import counted, print_json, print_table, say

if TYPE_CHECKING:
    from corteval.run.folder import RunFolder
    from corteval.run.status import Status

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
@click.option("--watch", is_flag=True, help="Say it again every two seconds until it is done.")
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
    while watch and status.unfinished and not status.cancelled:
        say(_line(status))
        time.sleep(2)
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
    if status.unscored:
        click.echo()
        rows = [
            (u["model"], u["benchmark"], f"{u['status']}: {u['reason']}") for u in status.unscored
        ]
        print_table(("no score: model", "benchmark", "why"), rows, heading=2)
    if status.failures:
        click.echo()
        rows = [
            (f["model"], f["benchmark"], f"{f['failure']}: {f['reason']}") for f in status.failures
        ]
        print_table(("failed: model", "benchmark", "why"), rows, heading=2)
        say(f"`corteval retry {run.folder.name} --failed` computes them once more.")
    say(f"Run {run.folder.name}: {run.folder}" + (" (cancelled)" if status.cancelled else ""))


def _line(status: Status) -> str:
    at = ", ".join(f"{t['model']} on {t['benchmark']}" for t in status.at_work[:4])
    ended = status.cells - status.unfinished
    return f"{ended} of {counted(status.cells, 'cell')}, {len(status.failures)} failed. {at}"
