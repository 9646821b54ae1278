"""``corteval run``: a matrix of models and benchmarks, in parallel, that goes on after anything."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from corteval import settings
from corteval.cli import INTERRUPTED, SOME_FAILED
from corteval.cli.consent import declined_benchmarks, yes_option
from corteval.cli.options import (
    json_option,
    mirror_option,
    offline_option,
    quiet_option,
    verbose_option,
)
from corteval.cli.plan import planned, summary
from corteval.cli.status import name_of
from corteval.cli.tables import counted, print_json, say
from corteval.cli.weights import say_lacking

if TYPE_CHECKING:
    from corteval.run.folder import RunFolder
    from corteval.run.plan import Plan

_EPILOG = """\b
Examples:
  corteval run pixels,gabor-colour,cornet-s-untrained vision-v1
  corteval run 'cornet-*' 'Cowley2023.*' --workers 4 --timeout 3600
  corteval status --watch
  corteval run 'timm/*' vision-v1 --executor 'dask://slurm?partition=gpu&gres=gpu:1&gpu=1&jobs=8'
  corteval retry --failed

\b
The same command goes on where it stopped, whatever stopped it: what has a record is not computed
again. Models run in processes of their own, which are shown opaque stimuli and hold no responses.

\b
JSON:
  {"schema": "corteval.run/1", "run": "1a2b...", "folder": "/home/me/...", "cells": 12,
   "computed": 2, "cached": 10, "failed": 0, "unfinished": 0,
   "failures": [{"model": "...", "benchmark": "...", "failure": "crash", "reason": "..."}],
   "scores": [{"model": "...", "benchmark": "...", "status": "scored", "value": 0.31, "low": 0.28,
               "high": 0.34, "level": 0.95, "reason": "", "cached": true, "record": "9f2c..."}]}

\b
`status` is one of corteval score, or "unfinished"; `record` names a file of
CORTEVAL_HOME/records/<model>.

Exit codes: 0 all done, 3 some cells failed or are unfinished, 130 interrupted, 143 terminated.
"""


@click.command("run", epilog=_EPILOG)
@click.argument("models")
@click.argument("benchmarks")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the benchmarks.")
@click.option(
    "--executor",
    default="local",
    metavar="NAME",
    help="local; serial, in this process; dask://local, dask://slurm?jobs=8&..., "
    "dask://tcp://HOST:PORT; none, for workers that others start.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Of local; the cores by default.")
@click.option(
    "--isolate",
    "isolation",
    type=click.Choice(["process", "venv", "sandbox", "none"]),
    default="process",
    help="Where models run: in a process of their own, with an environment of its own, or in a "
    "sandbox without network (bubblewrap); none: with the responses.",
)
@click.option("--timeout", type=click.FloatRange(min=0.1), help="Seconds that one task may take.")
@click.option("--again", is_flag=True, help="Compute cells once more that failed.")
@click.option("--cells", "every", is_flag=True, help="List every cell at the end.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Of the run; by default below CORTEVAL_HOME.",
)
@yes_option
@offline_option
@mirror_option
@quiet_option
@verbose_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    models: str,
    benchmarks: str,
    seed: int,
    executor: str,
    workers: int | None,
    isolation: str,
    timeout: float | None,
    again: bool,
    every: bool,
    folder: Path | None,
    yes: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Score models on benchmarks in parallel; goes on where it stopped.

    MODELS and BENCHMARKS are as in `corteval score`.
    """
    from corteval.memory import tightest
    from corteval.run import isolation as places
    from corteval.run.fitting import is_scarce
    from corteval.run.plan import described

    places.check(isolation)
    if folder is not None:
        from corteval.run.folder import check_folder

        check_folder(folder)
    probe = executor in ("local", "serial") and is_scarce(tightest(), workers or _cores())
    plan = planned(models, benchmarks, seed=seed, again=again, isolation=isolation, probe=probe)
    plan = _agreed(plan, yes=yes)
    say(summary(plan, described(plan)))
    say_lacking(plan)
    plan, fitting = _fitting(plan, workers or _cores())
    from corteval.run.folder import RunFolder

    if not plan.tasks:
        say("Nothing is left to be computed.")
        run = RunFolder(folder or settings.home() / "runs" / plan.identity)
        if not (run.folder / "plan.json").is_file():  # it can be named all the same
            run = RunFolder.create(plan, folder)
        _report(plan, run, as_json, every=every)
        _leave(context, plan, None)
        return
    run = RunFolder.create(plan, folder)
    _forget_what_has_no_record(run)
    code = execute(run, executor, workers=fitting, timeout=timeout, quiet=quiet)
    options = {"--executor": executor, "--workers": workers, "--timeout": timeout} if code else None
    _report(plan, run, as_json, every=every, go_on=options)
    if executor == "none":
        named = shlex.quote(str(run.folder))
        say(f"Now start workers, as many as you like: `corteval worker --run {named}`.")
    if code:
        context.exit(code)
    _leave(context, plan, run)


def _forget_what_has_no_record(run: RunFolder) -> None:
    """Do again what failed without a record, or whose record is gone.

    What another process of the same run has finished since the plan was made stays.
    """
    from corteval.run import records

    there = {path.stem for path in records.default().paths()}
    for identity, task in run.tasks.items():
        outcome = run.outcome(identity)
        if outcome is None or task.kind != "score":
            continue
        if outcome.failure or outcome.record not in there:
            run.forget(identity)


def execute(
    run: RunFolder,
    executor: str,
    *,
    workers: int | None = None,
    timeout: float | None = None,
    quiet: bool = False,
) -> int:
    """Work on a run; the exit code if a signal ended it, else 0."""
    from corteval.cli.run_display import showing
    from corteval.run.executors import executor_named
    from corteval.run.worker import Limits, Stopped, stop_on

    stop_on(signal.SIGTERM)
    chosen = executor_named(executor, workers=workers or _cores())
    try:
        with _stopping(), showing(run, quiet=quiet) as look:
            chosen(run, Limits(timeout_seconds=timeout), look)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to be interrupted
        say(f"Interrupted. The same command goes on; `corteval status {name_of(run)}` tells.")
        return INTERRUPTED
    except Stopped as stopped:
        return 128 + stopped.number
    return 0


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    """Say at once that the first Ctrl-C was understood: workers take a while to stop."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, or another's
        yield
        return

    def tell(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # stderr may be closed, or in the midst of a line
        with contextlib.suppress(OSError, RuntimeError):
            say("Stopping; what is recorded stays. Ctrl-C again kills.")
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _fitting(plan: Plan, workers: int) -> tuple[Plan, int]:
    """The plan without cells that would not fit into memory, and as many workers as fit."""
    from corteval.memory import tightest
    from corteval.run.fitting import fitted

    found = fitted(plan, workers=workers, limit=tightest())
    if found.refused:
        say(f"{counted(len(found.refused), 'cell', ' are')} refused: {found.refused[0].reason}")
    if found.workers < workers:
        say(f"{found.workers} of {workers} workers are started: more would not fit into memory.")
    return found.plan, found.workers


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _agreed(plan: Plan, *, yes: bool) -> Plan:
    """The plan without cells whose data may not be downloaded."""
    wanted = [*dict.fromkeys(c.benchmark for task in plan.tasks for c in task.cells)]
    declined = declined_benchmarks(wanted, yes=yes) if wanted else {}
    if not declined:
        return plan
    tasks = tuple(t for t in plan.tasks if t.cells[0].benchmark not in declined)
    known = tuple(
        replace(k, state="failed", reason=declined[k.cell.benchmark])
        if k.state == "missing" and k.cell.benchmark in declined
        else k
        for k in plan.known
    )
    return replace(plan, tasks=tasks, known=known)


def _report(
    plan: Plan,
    run: RunFolder,
    as_json: bool,
    *,
    every: bool,
    go_on: Mapping[str, object] | None = None,
) -> None:
    """Print how a run ended; `go_on` are options to go on with, of one that a signal ended."""
    from corteval.cli import run_scores
    from corteval.run.status import status_of

    tasks = sum(task.kind == "score" for task in plan.tasks)
    status = status_of(run) if tasks else None
    computed = status.computed if status else 0
    unfinished = status.unfinished if status else 0
    failures = list(status.failures) if status else []
    cells = run_scores.ended(plan, run if tasks else None)
    if as_json:
        print_json(
            "corteval.run/1",
            run=plan.identity,
            folder=str(run.folder),
            cells=len(plan.known),
            computed=computed,
            cached=plan.counts().get("cached", 0),
            failed=len(failures),
            unfinished=unfinished,
            failures=failures,
            scores=run_scores.as_json(cells),
        )
        return
    name = name_of(run)
    run_scores.print_cells(cells, name, every=every)
    if tasks:
        say(
            f"{computed} of {counted(tasks, 'cell')} computed, {len(failures)} failed, "
            f"{unfinished} unfinished. Run {run.folder.name}: {run.folder}"
        )
    if go_on is not None and unfinished:
        given = [f" {option} {shlex.quote(str(value))}" for option, value in _given(go_on)]
        say(f"Next: `corteval retry {name}{''.join(given)}` goes on.")
        return
    say(f"Next: `corteval leaderboard --run {name}`, `corteval report --run {name}`.")


def _given(options: Mapping[str, object]) -> list[tuple[str, object]]:
    """Options that are not what they are by default."""
    return [(name, value) for name, value in options.items() if value not in (None, "local")]


def _leave(context: click.Context, plan: Plan, run: RunFolder | None) -> None:
    from corteval.run.status import status_of

    status = status_of(run) if run is not None else None
    if status is not None and (status.failures or status.unfinished):
        context.exit(SOME_FAILED)
    if any(known.state in ("failed", "broken") for known in plan.known):
        context.exit(SOME_FAILED)
