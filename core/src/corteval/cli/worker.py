"""``corteval worker``: take tasks of a run, wherever this is started."""

from __future__ import annotations

import os
import socket

import click

from corteval.cli.options import json_option, mirror_option, offline_option, verbose_option
from corteval.cli.tables import print_json, say

_EPILOG = """\b
Examples:
  corteval worker --run /shared/runs/vision
  corteval worker --run 1a2b3c4d5e6f --max-seconds 3000 --kinds prepare,score

\b
JSON:
  {"schema": "corteval.worker/1", "run": "1a2b...", "worker": "node7-4711", "exit_code": 0}

Exit codes: 0 nothing is left or the time is over, 130 and 143 after a signal.
"""


@click.command("worker", epilog=_EPILOG)
@click.option(
    "--run", "run", required=True, metavar="RUN", help="Folder or identity of the run, or last."
)
@click.option("--name", help="In events; host and process by default.")
@click.option(
    "--kinds", default="", help="Of tasks to take: ceiling,prepare,score; all by default."
)
@click.option("--max-seconds", type=float, help="After which no more tasks are taken.")
@click.option("--timeout", type=click.FloatRange(min=0.1), help="Seconds that one task may take.")
@offline_option
@mirror_option
@verbose_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    run: str,
    name: str | None,
    kinds: str,
    max_seconds: float | None,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Take tasks of a run until none is left.

    Start as many as you like, on any machine that shares the folder of the run and CORTEVAL_HOME.
    Tasks are cells, and what several cells share: ceilings, and passes over the stimuli.
    """
    from corteval.run.status import run_named
    from corteval.run.worker import Limits, run_worker

    limits = Limits(
        kinds=tuple(kind.strip() for kind in kinds.split(",") if kind.strip()),
        seconds=max_seconds,
        timeout_seconds=timeout,
    )
    called = name or f"{socket.gethostname()}-{os.getpid()}"
    folder = run_named(run)
    before = folder.done()
    waiting = len(folder.tasks.keys() - before)
    say(
        f"{called} takes tasks of {folder.folder}: {waiting} of {len(folder.tasks)} are to be done."
    )
    code = run_worker(folder, called, limits)
    since = len((folder.done() - before) & folder.tasks.keys())
    left = len(folder.tasks.keys() - folder.done())
    more = " The run is cancelled; `corteval retry` goes on." if folder.cancelled else ""
    own = sum(
        (outcome := folder.outcome(task)) is not None and outcome.worker == called
        for task in (folder.done() - before) & folder.tasks.keys()
    )
    say(
        f"{called} did {own} tasks; {since - own} were done by others meanwhile, {left} are left."
        f"{more}"
    )
    if as_json:
        print_json("corteval.worker/1", run=folder.folder.name, worker=called, exit_code=code)
    context.exit(code)
