"""``corteval retry``: go on with a run, and compute what failed once more."""

from __future__ import annotations

import click

from corteval.cli import SOME_FAILED
from corteval.cli.options import json_option, mirror_option, quiet_option, verbose_option
from corteval.cli.run import execute
from corteval.cli.status import print_status
from corteval.cli.tables import print_json, say

_EPILOG = """\b
Examples:
  corteval retry --failed
  corteval retry 1a2b3c4d5e6f --failed --workers 1

\b
JSON:
  {"schema": "corteval.run-status/1", ...}    as of `corteval status`
"""


@click.command("retry", epilog=_EPILOG)
@click.argument("run", required=False)
@click.option("--failed", is_flag=True, help="Also cells that failed; else what is unfinished.")
@click.option("--executor", default="local", metavar="NAME", help="As of `corteval run`.")
@click.option("--workers", type=click.IntRange(min=1), help="Of local; the cores by default.")
@click.option("--timeout", type=click.FloatRange(min=0.1), help="Seconds that one task may take.")
@mirror_option
@quiet_option
@verbose_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    run: str | None,
    failed: bool,
    executor: str,
    workers: int | None,
    timeout: float | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Go on with a run, also with what failed.

    RUN is its folder or identity, or `last`, which is the default.
    """
    from dataclasses import asdict

    from corteval.run.again import with_failures
    from corteval.run.status import run_named, status_of

    folder = run_named(run)
    (folder.folder / "cancelled").unlink(missing_ok=True)
    if failed:
        folder = with_failures(folder)
    status = status_of(folder)
    if failed:
        for failure in status.failures:
            folder.forget(failure["task"])
    elif not status.unfinished:
        say("Nothing is left to be done; --failed computes what failed once more.")
    code = execute(folder, executor, workers=workers, timeout=timeout, quiet=quiet)
    status = status_of(folder)
    if as_json:
        print_json("corteval.run-status/1", run=folder.folder.name, **asdict(status))
    else:
        print_status(folder, status)
    if code or status.failures or status.unfinished:
        context.exit(code or SOME_FAILED)
