"""``corteval leaderboard``: models in order of their means, with what is not known about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corteval.cli.exports import bibtex as entries
from corteval.cli.exports import check_exports, export_options, write_export
from corteval.cli.options import json_option, run_option, verbose_option
from corteval.cli.selection import expand, suites_in
from corteval.cli.tables import counted, print_json, print_table, say
from corteval.errors import OptionError

if TYPE_CHECKING:
    from corteval.report.gathering import Gathered
    from corteval.run.cells import Cell
    from corteval.run.folder import RunFolder
    from corteval.stats.board import Board, Mean
    from corteval.stats.ranks import Rank

#: What makes a name a pattern.
_OF_PATTERNS = {"*", "?", "["}

_EPILOG = """\b
Examples:
  corteval leaderboard vision-v1
  corteval leaderboard 'Cowley2023.V4-ridge,Cowley2023.V4-rdm' --missing bounds
  corteval leaderboard vision-neural@1.0 --from scores.jsonl --json
  corteval leaderboard vision-v1 --run last
  corteval leaderboard --run last
  corteval leaderboard vision-v1 --csv ranks.csv --latex ranks.tex --bibtex used.bib

\b
Without BENCHMARKS, models of a run are ranked on the benchmarks of that run, and patterns stand for
those alone.

\b
A model that lacks a score on one of the benchmarks is not ranked, unless --missing says otherwise:
bounds (its interval holds whatever it may score), pairwise (mean share of models beaten), zero
(lacking scores are 0 and all are clipped to 0-1, as the field's leaderboard does).
The interval of a rank leaves out the places that paired tests (Holm) rule out.
Models of one group cannot be told from the best of it (paired test, Holm, alpha .05).

\b
JSON:
  {"schema": "corteval.leaderboard/1", "name": "vision-v1@1.0", "weights": {"...": 0.5},
   "missing": "not-ranked", "withheld": 0,
   "ranked": [{"model": "...", "mean": 0.4, "low": 0.3, "high": 0.5, "rank": 1, "rank_low": 1,
               "rank_high": 2, "probability_best": 0.8, "group": 1, "without_interval": []}],
   "not_ranked": [{"model": "...", "lacking": ["..."]}]}
"""


@click.command("leaderboard", epilog=_EPILOG)
@click.argument("benchmarks", required=False)
@click.option("--models", help="Identifiers and patterns; all with records by default.")
@click.option(
    "--missing",
    type=click.Choice(["not-ranked", "bounds", "pairwise", "zero"]),
    default="not-ranked",
    help="What becomes of models that lack a score.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder of records, or a file of `corteval score --output`; else those in the home.",
)
@run_option
@click.option("--private", is_flag=True, help="Also scores on private data; they are marked.")
@export_options
@verbose_option
@json_option
def command(
    benchmarks: str | None,
    models: str | None,
    missing: Any,
    source: Path | None,
    run: str | None,
    private: bool,
    csv: Path | None,
    latex: Path | None,
    bibtex: Path | None,
    as_json: bool,
) -> None:
    """Rank models by their mean over a suite or list of benchmarks.

    Means, ranks and ties come with their uncertainty. Nothing is computed anew.
    """
    from corteval.report import exports
    from corteval.report.ruled_out import with_ruled_out
    from corteval.stats.board import means
    from corteval.stats.ranks import ranks

    check_exports(csv=csv, latex=latex, bibtex=bibtex)
    if benchmarks is None and run is None:
        raise click.UsageError(
            "Name a suite or benchmarks to rank by, such as vision-v1, or a run with --run."
        )
    name, weights = weights_of(benchmarks, run=run)
    gathered = gathered_from(source, private=private, run=run)
    board = with_ruled_out(gathered.board, weights)
    if models is not None:
        chosen = _chosen(models, board.models)
        board = board.only(chosen)
    found = means(board, weights, missing=missing)
    ranked = ranks(found)
    write_export(csv, lambda: exports.ranks_csv(found, ranked))
    write_export(latex, lambda: exports.ranks_latex(found, ranked))
    write_export(bibtex, lambda: entries(board.models, weights))
    if as_json:
        _print_json(name, weights, missing, gathered, found, ranked)
        return
    of = {mean.model: mean for mean in found}
    rows = [_row(rank, of[rank.model]) for rank in ranked]
    placed = {rank.model for rank in ranked}
    left = [m for m in found if m.model not in placed]
    rows += [(m.model, "-", "-", _interval(m), "-", "-", _lacks(m, weights, board)) for m in left]
    header = ("model", "rank", "mean", "95 % interval", "ranks", "best", "")
    print_table(header, rows)
    say(
        f"{name}: {len(ranked)} of {counted(len(found), 'model')} {_are(len(ranked))} ranked on "
        f"{counted(len(weights), 'benchmark')}."
    )
    if len(weights) > 1 and not ranked:
        say("Name one benchmark or a suite, or say what lacking scores count for (--missing).")
    if gathered.stale:
        say(f"{counted(gathered.stale, 'cell', ' are')} on earlier versions of the data, left out.")
    if gathered.withheld:
        say(withheld_words(gathered.withheld))


def withheld_words(number: int) -> str:
    """What is said of cells on private data that are not shown."""
    return f"{counted(number, 'cell', ' are')} on private data, left out (--private shows them)."


def weights_of(
    benchmarks: str | None, *, run: str | None = None
) -> tuple[str, Mapping[str, float]]:
    """Name and weights of a suite, or of a list, whose benchmarks weigh the same.

    Args:
        benchmarks: as they were typed; None means those of the run.
        run: if there is one, patterns stand for its benchmarks alone.

    Raises:
        UnknownIdentifier, OptionError: for a name or pattern that nothing matches.
    """
    if run is not None and (benchmarks is None or set(benchmarks) & _OF_PATTERNS):
        folder = _run_named(run)
        own = folder.plan.benchmarks
        names = [*own] if benchmarks is None else [*dict.fromkeys(_among(own, benchmarks))]
        label = f"run {folder.folder.name}" if benchmarks is None else benchmarks
        return label, dict.fromkeys(names, 1 / len(names))
    suites = suites_in(str(benchmarks))
    if len(suites) == 1 and "," not in str(benchmarks):
        return suites[0].name, suites[0].weights
    names = expand("benchmarks", str(benchmarks))
    return str(benchmarks), dict.fromkeys(names, 1 / len(names))


def _among(own: Sequence[str], text: str) -> Iterator[str]:
    """Names that `text` holds, patterns in it standing for benchmarks of a run."""
    from fnmatch import fnmatchcase

    for part in (part.strip() for part in text.split(",") if part.strip()):
        if not set(part) & _OF_PATTERNS:
            yield from expand("benchmarks", part)
            continue
        found = [name for name in own if fnmatchcase(name.casefold(), part.casefold())]
        if not found:
            there = ", ".join(own[:8]) + (", ..." if len(own) > 8 else "")
            raise OptionError(f"No benchmark of the run matches {part!r}; it has {there}.")
        yield from found


def gathered_from(source: Path | None, *, private: bool, run: str | None = None) -> Gathered:
    """Scores of a folder of records, of a file, or of the home.

    Args:
        source: the folder or file; None means the home.
        private: also scores on private data.
        run: identity or folder of the run whose cells alone are wanted, or ``"last"``.

    Raises:
        OptionError: if there are none.
    """
    from corteval.report import gathering
    from corteval.run import records

    if source is not None and source.is_file():
        if run is not None:
            raise OptionError("--run chooses among records; a file of scores knows no runs.")
        return gathering.from_file(source, private=private)
    if source is not None and not source.is_dir():
        raise OptionError(f"There is neither a folder of records nor a file at {source}.")
    kept = records.Records(source) if source else records.default()
    cells = None if run is None else _cells_of(run)
    found = gathering.from_records(kept, private=private, cells=cells)
    if not found.board.scores and not found.withheld:
        if run is not None:
            raise OptionError(
                f"There are no records of the run {run!r} in {kept.folder}; `corteval status` "
                "tells how far a run is."
            )
        raise OptionError(
            f"There are no records in {kept.folder}; `corteval run` makes them, and --from names "
            "a file of `corteval score --output`."
        )
    return found


def _cells_of(run: str) -> set[Cell]:
    """Every cell of a run, computed or not."""
    from corteval.run.cells import Cell

    plan = _run_named(run).plan
    pairs = [(model, benchmark) for model in plan.models for benchmark in plan.benchmarks]
    return {Cell(model=m, benchmark=b, seed=plan.seed) for m, b in pairs}


def _run_named(run: str) -> RunFolder:
    from corteval.run.status import run_named

    return run_named(None if run == "last" else run)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _chosen(text: str, known: tuple[str, ...]) -> set[str]:
    from fnmatch import fnmatchcase

    parts = [part.strip().casefold() for part in text.split(",") if part.strip()]
    chosen = {m for m in known if any(fnmatchcase(m.casefold(), part) for part in parts)}
    if not chosen:
        raise OptionError(f"No model with records matches {text!r}; there are {', '.join(known)}.")
    return chosen


def _row(rank: Rank, mean: Mean) -> tuple[str, ...]:
    places = f"{rank.low}-{rank.high}" if rank.low < rank.high else str(rank.low)
    best = f"{100 * rank.probability_best:.0f} %"
    ties = f"group {rank.group}"
    if mean.exact:
        places, best = "unknown", "-"
        ties = f"no interval of {', '.join(mean.exact[:2])}"
    return rank.model, str(rank.rank), f"{mean.value:.4f}", _interval(mean), places, best, ties


def _interval(mean: Mean) -> str:
    known = mean.low == mean.low and mean.high == mean.high
    return f"{mean.low:.4f} to {mean.high:.4f}" if known else "-"


def _lacks(mean: Mean, weights: Mapping[str, float], board: Board) -> str:
    said = []
    for name in mean.lacking:
        score = board.cell(mean.model, name)
        word = "not run" if score is None else score.status.replace("-", " ")
        said.append(f"{name}: {word}")
    shown = ", ".join(said[:2]) + (", ..." if len(said) > 2 else "")
    return f"not ranked: lacks {len(mean.lacking)} of {len(weights)} ({shown})"


def _print_json(
    name: str,
    weights: Mapping[str, float],
    missing: str,
    gathered: Gathered,
    found: list[Mean],
    ranked: list[Rank],
) -> None:
    of = {mean.model: mean for mean in found}
    placed = {rank.model for rank in ranked}
    print_json(
        "corteval.leaderboard/1",
        name=name,
        weights=weights,
        missing=missing,
        withheld=gathered.withheld,
        ranked=[
            {
                "model": r.model,
                "mean": of[r.model].value,
                "low": of[r.model].low,
                "high": of[r.model].high,
                "rank": r.rank,
                "rank_low": r.low,
                "rank_high": r.high,
                "probability_best": r.probability_best,
                "without_interval": of[r.model].exact,
                "group": r.group,
                "lacking": of[r.model].lacking,
            }
            for r in ranked
        ],
        not_ranked=[
            {"model": m.model, "lacking": m.lacking, "low": m.low, "high": m.high}
            for m in found
            if m.model not in placed
        ],
    )
