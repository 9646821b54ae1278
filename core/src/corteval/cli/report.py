"""``corteval report``: records as a page, or a site of pages, that works offline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corteval.cli.exports import bibtex as entries
from corteval.cli.exports import check_exports, export_options, write_export
from corteval.cli.files import check_writable
from corteval.cli.leaderboard import gathered_from, weights_of, withheld_words
from corteval.cli.options import json_option, run_option, verbose_option
from corteval.cli.selection import suites_in
from corteval.cli.tables import counted, print_json, say

if TYPE_CHECKING:
    from corteval.stats.board import Board

_EPILOG = """\b
Examples:
  corteval report
  corteval report vision-v1 --output board.html
  corteval report --from scores.jsonl --title "Our models"
  corteval report vision-v1 --site board --latex table.tex --bibtex used.bib
  corteval report --layers map.json

\b
The page is one file: it loads nothing, works from the disk, and its table is whole without
JavaScript. The same records give the same bytes. --site makes a folder of such pages instead, with
one more for each model and benchmark: their cards, all scores, records. A folder that is a site
is brought up to date; any other one that holds files is left alone.

\b
JSON:
  {"schema": "corteval.report/1", "file": "report.html", "bytes": 81234, "pages": 1,
   "models": 12, "benchmarks": 30, "withheld": 0}
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
@click.option(
    "--site",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a site into this folder, not a file.",
)
@export_options
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
@click.option(
    "--layers",
    "maps",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    multiple=True,
    help="A map of `corteval layers --output`: its curves are shown with the model; once for each.",
)
@run_option
@click.option("--private", is_flag=True, help="Also scores on private data; they are marked.")
@verbose_option
@json_option
def command(
    benchmarks: str | None,
    output: Path,
    site: Path | None,
    csv: Path | None,
    latex: Path | None,
    bibtex: Path | None,
    title: str,
    missing: Any,
    source: Path | None,
    maps: tuple[Path, ...],
    run: str | None,
    private: bool,
    as_json: bool,
) -> None:
    """Write a page of all scores, with intervals, ceilings, ranks and what is missing.

    BENCHMARKS, a suite or a list, is what ranks models by its mean; all by default.
    """
    from corteval.report import exports
    from corteval.report.layer_charts import layer_curves_of
    from corteval.report.page import page
    from corteval.report.site import check_folder, write_site
    from corteval.report.site import site as pages_of
    from corteval.report.track import track

    check_exports(csv=csv, latex=latex, bibtex=bibtex)
    if site is None:
        check_writable(output)
    else:
        check_folder(site)
    gathered = gathered_from(source, private=private, run=run)
    board = gathered.board
    curves, left_out = layer_curves_of(maps, board, private=private)
    options: dict[str, Any] = {"title": title, "missing": missing, "layers": curves}
    for words in left_out:
        say(f"Layers are left out: {words}")
    if benchmarks:
        options["name"], options["weights"] = weights_of(benchmarks, run=run)
        suites = suites_in(benchmarks)
        if len(suites) == 1 and "," not in benchmarks:
            options["track"] = track(suites[0])
    if site is None:
        pages = {str(output): page(gathered, **options)}
        output.write_bytes(pages[str(output)].encode("utf-8"))
    else:
        pages = pages_of(gathered, **options)
        write_site(site, pages)
    write_export(csv, lambda: exports.scores_csv(board))
    write_export(latex, lambda: exports.scores_latex(board, board.benchmarks, board.models))
    write_export(bibtex, lambda: entries(board.models, board.benchmarks))
    if as_json:
        print_json(
            "corteval.report/1",
            file=str(output if site is None else site / "index.html"),
            bytes=sum(len(text.encode("utf-8")) for text in pages.values()),
            pages=len(pages),
            models=len(board.models),
            benchmarks=len(board.benchmarks),
            withheld=gathered.withheld,
        )
        return
    where = output if site is None else site / "index.html"
    models, on = counted(len(board.models), "model"), counted(len(board.benchmarks), "benchmark")
    say(f"{where}: {models}, {on}.{_ranked(board, options, missing)}")
    if gathered.withheld:
        say(withheld_words(gathered.withheld))


def _ranked(board: Board, options: Mapping[str, Any], missing: Any) -> str:
    """How many models the page ranks, if somebody said what by."""
    from corteval.stats.board import means
    from corteval.stats.ranks import ranks

    if "weights" not in options:
        return ""
    ranked = len(ranks(means(board, options["weights"], missing=missing)))
    verb = "is" if ranked == 1 else "are"
    left = (
        " `corteval leaderboard` says what the others lack." if ranked < len(board.models) else ""
    )
    return f" By {options['name']}, {ranked} {verb} ranked.{left}"
