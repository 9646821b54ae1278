"""``corteval score``: models on benchmarks, one cell for each pair."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corteval.cli import ERROR, INTERRUPTED, SOME_FAILED
from corteval.cli.options import (
    json_option,
    mirror_option,
    offline_option,
    quiet_option,
    verbose_option,
)
from corteval.cli.selection import expand
from corteval.cli.tables import print_bare_json, print_table, say

if TYPE_CHECKING:
    from corteval.cli.progress import Display
    from corteval.score import Estimate, Score

_EPILOG = """\b
Examples:
  corteval score pixels Cowley2023.V4-ridge
  corteval score 'pixels,gabor-*' 'Marques2020.*' --output records.jsonl
  corteval score random-projection/1000-seed3 Cowley2023.V4-pls --seed 1 --json | jq .value

\b
JSON (a list of these if there are several pairs):
  {"schema": "corteval.score/1", "model": "pixels", "benchmark": "Cowley2023.V4-ridge",
   "status": "scored" | "undefined" | "not-applicable" | "failed", "value": 0.31,
   "interval": {"low": 0.28, "high": 0.34, "level": 0.95, ...}, "normalization": "r^2/c",
   "raw": {"value": 0.44, ...}, "ceiling": {"value": 0.63, ...},
   "reason": null, "notes": [], "provenance": {"versions": {}, "seconds": 2.1, ...}}

Exit code 3 if a pair failed; `undefined` and `not-applicable` are answers. Ctrl-C keeps the pairs
that are done.
"""


@click.command("score", epilog=_EPILOG)
@click.argument("models")
@click.argument("benchmarks")
@click.option("--seed", type=click.IntRange(min=0), help="Of the benchmarks' resampling.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write the full records here, one JSON object a line.",
)
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
    seed: int | None,
    output: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Score models on benchmarks.

    MODELS and BENCHMARKS are comma lists of identifiers and patterns with `*`, `?` and `[...]`;
    case is ignored. A member of a family is named in full. Quote patterns, or your shell may
    expand them.
    """
    from corteval.cli.progress import working

    if output is not None:
        _check_writable(output)
    order = "The order is MODELS BENCHMARKS."
    rows = expand("models", models, hint=order)
    columns = expand("benchmarks", benchmarks, hint=order)
    asked = len(rows) * len(columns)
    with working(quiet=quiet) as display:
        scores, interrupted = _compute(rows, columns, seed, display)
    written = output is None or _write_records(output, scores)
    _print_scores(scores, as_json, one=asked == 1)  # a full disk must not cost what was computed
    if interrupted:
        say(f"Interrupted: {len(scores)} of {asked} cells are done.")
        context.exit(INTERRUPTED)
    if not written:
        context.exit(ERROR)
    if any(score.status == "failed" for score in scores):
        context.exit(SOME_FAILED)


def _compute(
    rows: Sequence[str], columns: Sequence[str], seed: int | None, display: Display
) -> tuple[list[Score], bool]:
    """The scores, and whether an interrupt cut them short; one before the first goes on."""
    from corteval.scoring import score_all  # numerical libraries, once it is clear what to do

    scores: list[Score] = []
    try:
        for score in score_all(rows, columns, seed=seed):
            scores.append(score)
            display.cell(score, len(scores), len(rows) * len(columns))
    except KeyboardInterrupt:
        if not scores:
            raise
        return scores, True
    return scores, False


def _check_writable(output: Path) -> None:
    folder = output.absolute().parent
    if not folder.is_dir():
        raise click.UsageError(f"--output: there is no folder {folder}; create it first.")
    if (output.exists() and not output.is_file()) or not os.access(folder, os.W_OK):
        raise click.UsageError(f"--output: {output} cannot be written as a file.")


def _write_records(output: Path, scores: Sequence[Score]) -> bool:
    """Write all records or, after saying why, none: a reader never sees half a file."""
    output = output.resolve()  # through a link, to what it names
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("x", encoding="utf-8") as file:
            file.writelines(f"{score.to_json()}\n" for score in scores)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(output)
        return True
    except OSError as error:
        say(f"Error: {output} cannot be written: {error}")
        return False
    finally:
        unfinished.unlink(missing_ok=True)


def _print_scores(scores: Sequence[Score], as_json: bool, *, one: bool) -> None:
    if as_json:
        summaries = [score.summary() for score in scores]
        print_bare_json(summaries[0] if one else summaries)
    else:
        levels = {score.interval.level for score in scores if score.interval} or {0.95}
        interval = " or ".join(f"{100 * level:g} %" for level in sorted(levels)) + " interval"
        header = ("model", "benchmark", "score", interval, "raw", "ceiling", "normalization")
        print_table((*header, "status"), [_row(score) for score in scores], heading=2)
    said: dict[str, list[str]] = {}  # what holds for several cells is said once
    for score in scores:
        for text in [score.reason] * bool(score.reason) + [f"note: {n}" for n in score.notes]:
            said.setdefault(text, []).append(f"{score.model} on {score.benchmark}")
    for text, cells in said.items():
        others = f" (and {len(cells) - 1} more)" if len(cells) > 1 else ""
        say(f"{cells[0]}{others}: {text}")


def _row(score: Score) -> tuple[str, ...]:
    interval = score.interval
    return (
        score.model,
        score.benchmark,
        f"{score.value:.4f}" if score.status == "scored" else "-",
        f"{interval.low:.4f} to {interval.high:.4f}" if interval else "-",
        _number(score.raw),
        _number(score.ceiling),
        score.normalization or "-",
        score.status,
    )


def _number(estimate: Estimate | None) -> str:
    return "-" if estimate is None else f"{estimate.value:.4f}"
