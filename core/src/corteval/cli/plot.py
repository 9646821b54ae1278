"""``corteval plot``: figures of scores for print, with the numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from corteval.cli.consent import ask, ask_for_benchmarks, yes_option
from corteval.cli.files import check_writable, write_whole
from corteval.cli.leaderboard import gathered_from, weights_of, withheld_words
from corteval.cli.options import (
    json_option,
    mirror_option,
    offline_option,
    run_option,
    verbose_option,
)
from corteval.cli.selection import expand
from corteval.cli.tables import print_json, say
from corteval.errors import OptionError, StoreError

if TYPE_CHECKING:
    from corteval.report.figures import Drawing
    from corteval.stats.board import Board

#: Kind -> what it names after it.
_KINDS = {
    "scores": "",
    "heatmap": "",
    "scatter": "two benchmarks",
    "ranks": "a suite or list of benchmarks; all by default",
    "differences": "two models",
    "layers": "files of `corteval layers --output`",
    "rdm": "a data set, and models to show beside it",
    "ceiling": "a benchmark",
}

#: Kinds that are not of scores on the board.
_OF_FILES = ("layers", "rdm", "ceiling")

_OF = {"model": "of the model", "benchmark": "on the benchmark"}

#: Benchmarks and rows of bars beyond which there are too many for a figure.
_MOST_PANELS, _MOST_BARS = 30, 600

_EPILOG = """\b
Examples:
  corteval plot scores --models 'cornet-*' --output scores.svg
  corteval plot heatmap --from scores.jsonl
  corteval plot scatter Pereira2018-ridge Blank2014-ridge --output scatter.pdf
  corteval plot ranks vision-v1 --missing bounds
  corteval plot differences cornet-s vonenet-v1 --json
  corteval plot layers cornet-s.json vonenet.json --output layers.pdf
  corteval plot rdm Kriegeskorte2008.monkeyIT cornet-s --target IT
  corteval plot ceiling Cowley2023.V4-ridge

\b
scores        bars with intervals, and the ceiling with its own
heatmap       models by benchmarks
scatter       a point a model, regression line and band, r with its interval over models
ranks         intervals of ranks, by the mean over a suite; groups of ties
differences   first model minus second, with paired intervals and Holm's correction
layers        scores over the layers of models, a curve for each region and benchmark
rdm           dissimilarities of pairs of stimuli, by category: of data and, beside, of models
ceiling       the noise ceiling of a benchmark against the number of subjects or trials

\b
The numbers of FILE.png, FILE.svg or FILE.pdf are in FILE.csv. Figures need matplotlib:
pip install 'corteval[figures]'.

\b
JSON:
  {"schema": "corteval.plot/1", "kind": "scatter", "files": ["scatter.png", "scatter.csv"],
   "withheld": 0, "facts": {"models": 43, "r": 0.58, "low": 0.31, "high": 0.77}}
"""


@click.command("plot", epilog=_EPILOG)
@click.argument("kind", type=click.Choice([*_KINDS]))
@click.argument("names", nargs=-1)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A .png, .svg or .pdf file; KIND.png by default.",
)
@click.option("--models", help="Identifiers and patterns; all with scores by default.")
@click.option("--benchmarks", help="Identifiers and patterns; all with scores by default.")
@click.option(
    "--missing",
    type=click.Choice(["not-ranked", "bounds", "pairwise", "zero"]),
    default="not-ranked",
    help="For ranks: what becomes of models that lack a score; see `corteval leaderboard`.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder of records, or a file of `corteval score --output`; else those in the home.",
)
@run_option
@click.option("--private", is_flag=True, help="Also what is private; figures say so.")
@click.option("--target", default="", help="For rdm: what models record; that of the data else.")
@click.option("--category", default="", metavar="COLUMN", help="For rdm: of stimuli, to order by.")
@click.option("--stimuli", type=click.IntRange(min=3), metavar="N", help="For rdm: only N of them, "
              "evenly spaced.")  # fmt: skip
@yes_option
@offline_option
@mirror_option
@verbose_option
@json_option
def command(
    kind: str,
    names: tuple[str, ...],
    output: Path | None,
    models: str | None,
    benchmarks: str | None,
    missing: Any,
    source: Path | None,
    run: str | None,
    private: bool,
    target: str,
    category: str,
    stimuli: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Draw scores, layers, RDMs or ceilings as PNG, SVG or PDF, and their numbers as CSV.

    NAMES are two benchmarks for scatter, a suite for ranks, two models for differences, files of
    `corteval layers --output` for layers, a data set and models for rdm, a benchmark for ceiling.
    """
    file = output or Path(f"{kind}.png")
    beside = file.with_suffix(".csv")
    _check(kind, names, file, beside)
    withheld = 0
    if kind in _OF_FILES:
        rdm = {"target": target, "category": category, "stimuli": stimuli}
        drawing = _own_drawing(kind, names, rdm, yes=yes)
        if drawing.remark and not private:
            raise OptionError(f"This is {drawing.remark}; --private draws it, and says so.")
        picture, numbers, facts = _finished(drawing, file)
    else:
        gathered = gathered_from(source, private=private, run=run)
        board, withheld = _chosen(gathered.board, models, benchmarks), gathered.withheld
        if kind == "scores":
            picture, numbers, facts = _bars(board, file.suffix.lower())
        else:
            picture, numbers, facts = _finished(_drawing(kind, names, board, missing, run), file)
    for path, content in ((file, picture), (beside, numbers.encode("utf-8"))):
        if not write_whole(path, _writer(content)):
            raise StoreError(f"{path} was not written.")
    if as_json:
        print_json(
            "corteval.plot/1",
            kind=kind,
            files=[str(file), str(beside)],
            withheld=withheld,
            facts=facts,
        )
        return
    say(f"Wrote {file} and {beside.name}.")
    if withheld:
        say(withheld_words(withheld))


def _finished(drawing: Drawing, file: Path) -> tuple[bytes, str, dict[str, Any]]:
    return drawing.picture(file.suffix.lower()), drawing.csv(), dict(drawing.facts)


def _own_drawing(kind: str, names: Sequence[str], rdm: Mapping[str, Any], *, yes: bool) -> Drawing:
    """Of what is no board: files of layers, a data set, a benchmark."""
    if kind == "layers":
        from corteval.report.layer_curves import layer_curves, points_in

        return layer_curves([point for name in names for point in points_in(Path(name))])
    if kind == "rdm":
        from corteval import registry
        from corteval.report.rdm_map import rdm_map

        data, subjects = names[0], [n for part in names[1:] for n in expand("models", part)]
        ask([registry.data_card(data)], yes=yes)
        return rdm_map(data, subjects, **rdm)
    from corteval.report.ceiling_growth import ceiling_growth

    (benchmark,) = expand("benchmarks", names[0])
    ask_for_benchmarks([benchmark], yes=yes)
    return ceiling_growth(benchmark)


def _check(kind: str, names: Sequence[str], file: Path, beside: Path) -> None:
    """Stop before anything is read for what cannot be drawn."""
    from corteval.report.bars import FORMATS
    from corteval.report.pictures import check_drawable

    counts: Mapping[str, Sequence[int]] = {
        "scatter": (2,), "differences": (2,), "ranks": (0, 1), "ceiling": (1,),
        "layers": range(1, 100), "rdm": range(1, 100),
    }  # fmt: skip
    if len(names) not in counts.get(kind, (0,)):
        wanted = _KINDS[kind] or "no names; --models and --benchmarks choose"
        raise click.UsageError(f"{kind} takes {wanted}: given are {len(names)} names.")
    if file.suffix.lower() not in FORMATS:
        raise click.UsageError(f"--output: {file.name} does not end in {', '.join(FORMATS)}.")
    check_drawable()
    for path in (file, beside):
        check_writable(path)


def _drawing(
    kind: str, names: Sequence[str], board: Board, missing: Any, run: str | None
) -> Drawing:
    from corteval.report import figures
    from corteval.stats.board import means
    from corteval.stats.ranks import ranks

    if kind == "heatmap":
        return figures.heatmap(board)
    if kind == "scatter":
        first, second = (_known(name, board.benchmarks, "benchmark") for name in names)
        return figures.scatter(board, first, second)
    if kind == "differences":
        first, second = (_known(name, board.models, "model") for name in names)
        return figures.differences(board, first, second)
    name, weights = "all benchmarks", dict.fromkeys(board.benchmarks, 1 / len(board.benchmarks))
    if names:
        name, weights = _suite(names[0], board, run)
    found = means(board, weights, missing=missing)
    shown = type(board)(scores={k: s for k, s in board.scores.items() if k[1] in weights})
    return figures.rank_intervals(shown, name, found, ranks(found))


def _bars(board: Board, suffix: str) -> tuple[bytes, str, dict[str, Any]]:
    from corteval.report.bars import as_csv, bars_of, draw

    models, benchmarks = len(board.models), len(board.benchmarks)
    rows = models * -(-benchmarks // 3)
    if benchmarks > _MOST_PANELS or rows > _MOST_BARS:
        raise OptionError(
            f"{models} models on {benchmarks} benchmarks do not fit a figure of bars: choose with "
            "--models and --benchmarks, or draw a heatmap."
        )
    scores = [
        board.scores[m, b] for b in board.benchmarks for m in board.models if _has(board, m, b)
    ]
    picture = draw(scores, suffix)
    facts = {"models": models, "benchmarks": benchmarks, "scores": len(scores)}
    return picture, as_csv(bars_of(scores)), facts


def _has(board: Board, model: str, benchmark: str) -> bool:
    return (model, benchmark) in board.scores


def _suite(text: str, board: Board, run: str | None) -> tuple[str, dict[str, float]]:
    """Name and weights of benchmarks on the board, installed or not, or of a suite."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    on_board = {name.casefold(): name for name in board.benchmarks}
    if parts and all(part.casefold() in on_board for part in parts):
        names = [*dict.fromkeys(on_board[part.casefold()] for part in parts)]
        return text, dict.fromkeys(names, 1 / len(names))
    name, weights = weights_of(text, run=run)
    return name, dict(weights)


def _chosen(board: Board, models: str | None, benchmarks: str | None) -> Board:
    """The part of the board that is asked for."""
    kept_models = _matching(models, board.models, "model")
    kept_benchmarks = _matching(benchmarks, board.benchmarks, "benchmark")
    kept = {
        (model, name): score
        for (model, name), score in board.scores.items()
        if model in kept_models and name in kept_benchmarks
    }
    if not kept:
        raise OptionError("There are no scores to draw.")
    return type(board)(scores=kept)


def _matching(text: str | None, known: Sequence[str], what: str) -> set[str]:
    if text is None:
        return set(known)
    found: set[str] = set()
    for part in (part.strip() for part in text.split(",") if part.strip()):
        pattern = part.casefold()
        matching = {
            n for n in known if n.casefold() == pattern or fnmatchcase(n.casefold(), pattern)
        }
        if not matching:
            _known(part, known, what)  # raises
        found |= matching
    return found


def _known(name: str, known: Sequence[str], what: str) -> str:
    """The name on the board, whatever its case.

    Raises:
        OptionError: if it is not there; says what comes close.
    """
    by_folded = {k.casefold(): k for k in known}
    if name.casefold() in by_folded:
        return by_folded[name.casefold()]
    close = [by_folded[k] for k in get_close_matches(name.casefold(), by_folded, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    if not hint and known:
        hint = f" There are {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}."
    raise OptionError(f"There is no score {_OF[what]} {name!r}.{hint}")


def _writer(content: bytes) -> Any:
    def write(file: BinaryIO) -> None:
        file.write(content)

    return write
