"""``corteval report``: records as one page that works offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from corteval.cli.files import check_writable
from corteval.cli.leaderboard import gathered_from, weights_of
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import print_json, say

_EPILOG = """\b
Examples:
  corteval report
  corteval report vision-v1 --output board.html
  corteval report --from scores.jsonl --title "Our models"

\b
The page is one file: it loads nothing, works from the disk, and its table is whole without
JavaScript. The same records give the same bytes.

\b
JSON:
  {"schema": "corteval.report/1", "file": "report.html", "bytes": 81234, "models": 12,
   "benchmarks": 30, "withheld": 0}
"""


@click.command("report", epilog=_EPILOG)
@click.argument("benchmarks", required=False)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The file.",
)
@click.option("--title", default="Brain and behaviour scores", help="Heading of the page.")
@click.option(
    "--missing",
    type=click.Choice(["not-ranked", "bounds", "pairwise", "zero"]),
    default="not-ranked",
    help="What becomes of models that lack a score; see `corteval leaderboard`.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder of records, or a file of `corteval score --output`; else those in the home.",
)
@click.option("--private", is_flag=True, help="Also scores on private data; they are marked.")
@verbose_option
@json_option
def command(
    benchmarks: str | None,
    output: Path,
    title: str,
    missing: Any,
    source: Path | None,
    private: bool,
    as_json: bool,
) -> None:
    """Write a page of all scores, with intervals, ceilings, ranks and what is missing.

    BENCHMARKS, a suite or a list, is what ranks models by its mean; all by default.
    """
    from corteval.report.page import page

    check_writable(output)
    gathered = gathered_from(source, private=private)
    name, weights = weights_of(benchmarks) if benchmarks else ("all benchmarks", None)
    text = page(gathered, title=title, name=name, weights=weights, missing=missing)
    data = text.encode("utf-8")
    output.write_bytes(data)
    board = gathered.board
    if as_json:
        print_json(
            "corteval.report/1",
            file=str(output),
            bytes=len(data),
            models=len(board.models),
            benchmarks=len(board.benchmarks),
            withheld=gathered.withheld,
        )
        return
    say(f"{output}: {len(board.models)} models, {len(board.benchmarks)} benchmarks.")
    if gathered.withheld:
        say(f"{gathered.withheld} cells are on private data and left out (--private shows them).")
