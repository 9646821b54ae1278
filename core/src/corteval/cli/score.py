"""``corteval score``: models on benchmarks, one cell for each pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from corteval import registry
from corteval.cli import ERROR, INTERRUPTED, SOME_FAILED
from corteval.cli.consent import declined_benchmarks, yes_option
from corteval.cli.files import check_writable, write_lines, write_whole
from corteval.cli.notes import say_notes
from corteval.cli.options import (
    json_option,
    mirror_option,
    no_store_option,
    offline_option,
    quiet_option,
    verbose_option,
)
from corteval.cli.selection import expand, suites_in
from corteval.cli.tables import print_bare_json, print_table, say
from corteval.errors import CortevalError, UndefinedScore

if TYPE_CHECKING:
    from corteval.cli.progress import Display
    from corteval.controls import Margin
    from corteval.score import Estimate, Score

_EPILOG = """\b
Examples:
  corteval score pixels Cowley2023.V4-ridge
  corteval score 'pixels,gabor-*' 'Marques2020.*' --output records.jsonl
  corteval score timm/resnet18 MajajHong2015public.IT-pls --layers map.json
  corteval score pixels,pixels:cells=7 vision-v1@1.0
  corteval score gpt2,oasm 'MyLab2026.*-ridgecv_zscored*' --figure leak.png
  corteval score v4compact-ensemble Cowley2023.V4-ridge --controls
  corteval score random-projection/1000-seed3 Cowley2023.V4-pls --seed 1 --json | jq .value

\b
JSON (a list of these if there are several pairs):
  {"schema": "corteval.score/1", "model": "pixels", "benchmark": "Cowley2023.V4-ridge",
   "status": "scored" | "undefined" | "not-applicable" | "failed", "value": 0.31,
   "interval": {"low": 0.28, "high": 0.34, "level": 0.95, ...}, "normalization": "r^2/c",
   "raw": {"value": 0.44, ...}, "ceiling": {"value": 0.63, ...},
   "over_control": {"control": "gabor-colour", "difference": 0.05, "low": 0.01, "high": 0.09,
                    "percentile": 100.0, "controls": 3},
   "further": {"pooled R2": {"value": 0.18, "interval": null, ...}, ...},
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
    help="Also write the full records here, one JSON object a line; of private data without "
    "anything about single neuroids, stimuli or subjects.",
)
@click.option(
    "--layers",
    "map_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Use the layers of a map that `corteval layers --output` wrote for the one model; targets "
    "it does not name stay as the model has them.",
)
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the scores (.png, .svg or .pdf), and write their numbers beside it (.csv).",
)
@click.option("--controls", is_flag=True, help="Score the controls that the benchmarks name, too.")
@click.option("--shareable", is_flag=True, help="Leave out what was scored on private data.")
@no_store_option
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
    seed: int | None,
    output: Path | None,
    map_file: Path | None,
    figure: Path | None,
    controls: bool,
    shareable: bool,
    yes: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Score models on benchmarks.

    MODELS and BENCHMARKS are comma lists of identifiers and patterns with `*`, `?` and `[...]`;
    case is ignored. A member of a family is named in full. A suite such as `vision-v1` or
    `vision-v1@1.0` stands for its benchmarks, and its mean is told after the table. Quote
    patterns, or your shell may expand them. Options stand behind a model: `pixels:cells=7`.

    Nothing is recorded: `corteval run` keeps records, --output writes a file.
    """
    from corteval.cli.progress import working

    if output is not None:
        check_writable(output)
    if figure is not None:
        _check_figure(figure)
    order = "The order is MODELS BENCHMARKS."
    rows = expand("models", models, hint=order)
    columns = expand("benchmarks", benchmarks, hint=order)
    one = len(rows) * len(columns) == 1 and not controls
    if shareable:
        columns = _shareable(columns)
    if controls:
        from corteval.controls import absent_controls, with_controls

        for name in absent_controls(columns):
            say(f"The control {name} is named by a benchmark and not installed: it is left out.")
        rows = with_controls(rows, columns)
    asked = len(rows) * len(columns)
    declined = declined_benchmarks(columns, yes=yes)
    kept = [name for name in columns if name not in declined]
    with working(quiet=quiet) as display:
        scores, interrupted = _compute(rows, kept, seed, map_file, display)
    scores += _declined(rows, declined)
    told = _told(scores) if shareable else scores
    written = output is None or write_lines(output, _records(told))
    drawn = figure is None or _draw(told, figure)
    # after the file, for a full disk must not cost what was computed
    print_scores(told, as_json, one=one and len(told) == 1)
    if not as_json:
        _print_means(told, benchmarks)
        _print_untrained(told)
    if interrupted:
        say(f"Interrupted: {len(scores)} of {asked} cells are done.")
        context.exit(INTERRUPTED)
    if not (written and drawn):
        context.exit(ERROR)
    if any(score.status == "failed" for score in scores):
        context.exit(SOME_FAILED)


def _compute(
    rows: Sequence[str],
    columns: Sequence[str],
    seed: int | None,
    map_file: Path | None,
    display: Display,
) -> tuple[list[Score], bool]:
    """The scores, and whether an interrupt cut them short; one before the first goes on."""
    scores: list[Score] = []
    try:
        for score in _cells(rows, columns, seed, map_file):
            scores.append(score)
            display.cell(score, len(scores), len(rows) * len(columns))
    except KeyboardInterrupt:
        if not scores:
            raise
        return scores, True
    return scores, False


def _declined(rows: Sequence[str], reasons: Mapping[str, str]) -> list[Score]:
    """Cells of benchmarks whose data may not be downloaded."""
    if not reasons:
        return []
    from corteval.scoring import failed

    return [failed(row, column, reason) for row in rows for column, reason in reasons.items()]


def _cells(
    rows: Sequence[str], columns: Sequence[str], seed: int | None, map_file: Path | None
) -> Iterator[Score]:
    from corteval.scoring import score_all  # numerical libraries, once it is clear what to do

    if map_file is None:
        return score_all(rows, columns, seed=seed)
    if len(rows) > 1:
        raise click.UsageError(f"--layers: a map is of one model; {len(rows)} are named.")
    from corteval.layer_map import read_map, score_with_map

    return score_with_map(rows[0], read_map(map_file), columns, seed=seed)


def _shareable(benchmarks: Sequence[str]) -> list[str]:
    """Benchmarks that are on no private data, as far as their cards tell."""
    kept = []
    for name in benchmarks:
        try:
            data = registry.benchmarks.card(name).data
            private = any(registry.data_card(part).access == "private" for part in data)
        except CortevalError:  # its use tells what is wrong
            private = False
        if not private:
            kept.append(name)
    if len(kept) < len(benchmarks):
        left, all_of = len(benchmarks) - len(kept), len(benchmarks)
        words = "benchmark is" if all_of == 1 else "benchmarks are"
        say(f"{left} of {all_of} {words} on private data and left out.")
    return kept


def _told(scores: Sequence[Score]) -> list[Score]:
    """Scores that are on no private data: those of benchmarks whose cards did not tell, too."""
    from corteval.sharing import shareable

    kept = shareable(scores)
    if len(kept) < len(scores):
        say(f"{len(scores) - len(kept)} of {len(scores)} cells are on private data and left out.")
    return kept


def _check_figure(file: Path) -> None:
    """Stop before anything is computed for a figure that cannot be drawn."""
    from importlib.util import find_spec

    from corteval.report.bars import FORMATS

    if file.suffix.lower() not in FORMATS:
        raise click.UsageError(f"--figure: {file.name} does not end in {', '.join(FORMATS)}.")
    if find_spec("matplotlib") is None:
        raise click.UsageError("--figure needs matplotlib: pip install 'corteval[figures]'.")
    for path in (file, file.with_suffix(".csv")):
        check_writable(path, "--figure")


def _draw(scores: Sequence[Score], file: Path) -> bool:
    """Write figure and numbers; whether that worked."""
    from corteval.report.bars import as_csv, bars_of, draw

    if not scores:
        say("There are no scores to draw.")
        return True
    picture, numbers = draw(scores, file.suffix.lower()), as_csv(bars_of(scores)).encode()
    beside = file.with_suffix(".csv")
    written = write_whole(file, lambda stream: _write(stream, picture)) and write_whole(
        beside, lambda stream: _write(stream, numbers)
    )
    if written:
        say(f"Wrote {file} and {beside.name}.")
    return written


def _write(stream: BinaryIO, content: bytes) -> None:
    stream.write(content)


def _records(scores: Iterable[Score]) -> Iterator[str]:
    from corteval.sharing import redacted

    return (redacted(score).to_json() for score in scores)


def print_scores(scores: Sequence[Score], as_json: bool, *, one: bool) -> None:
    """Print scores, and on stderr why some have no value and what a reader must know."""
    if not scores and not as_json:
        return
    from corteval.controls import margins

    above = margins(scores)
    found = [above.get((score.model, score.benchmark)) for score in scores]
    if as_json:
        pairs = zip(scores, found, strict=True)
        summaries = [{**score.summary(), "over_control": _facts(over)} for score, over in pairs]
        print_bare_json(summaries[0] if one else summaries)
    else:
        interval = interval_heading(scores)
        header = ["model", "benchmark", "score", interval, "raw", "ceiling", "normalization"]
        rows = [_row(score) for score in scores]
        if above:
            header.append("over the best control")
            rows = [
                (*row[:-1], _margin_cell(over), row[-1])
                for row, over in zip(rows, found, strict=True)
            ]
        print_table([*header, "status"], rows, heading=2)
    say_notes(scores)


def _print_means(scores: Sequence[Score], benchmarks: str) -> None:
    """Mean of each model over the suites that were named, or why it has none."""
    rows = []
    for suite in suites_in(benchmarks):
        for model in dict.fromkeys(score.model for score in scores):
            try:
                mean = f"{suite.mean(s for s in scores if s.model == model):.4f}"
                rows.append((model, suite.name, mean, f"of {len(suite.weights)} benchmarks"))
            except UndefinedScore as reason:
                rows.append((model, suite.name, "-", f"not ranked: {reason}"))
    if rows:
        click.echo()
        print_table(("model", "suite", "weighted mean", ""), rows, heading=2)


def _print_untrained(scores: Sequence[Score]) -> None:
    """Mean and spread over untrained twins, where several were scored."""
    from corteval.controls import untrained

    rows = [
        (
            f"{found.model}-untrained",
            found.benchmark,
            f"{found.mean:.4f} +- {found.sd:.4f}",
            f"{found.twins}",
            "-" if found.trained is None else f"{found.trained - found.mean:+.4f}",
        )
        for found in untrained(scores)
    ]
    if rows:
        header = ("untrained twins", "benchmark", "mean +- SD", "seeds", "trained minus mean")
        click.echo()
        print_table(header, rows, heading=2)


def interval_heading(scores: Iterable[Score]) -> str:
    """Heading of a column of intervals."""
    levels = {score.interval.level for score in scores if score.interval} or {0.95}
    return " or ".join(f"{100 * level:g} %" for level in sorted(levels)) + " interval"


def value_cell(score: Score) -> str:
    """The value, if there is one."""
    return f"{score.value:.4f}" if score.status == "scored" else "-"


def interval_cell(score: Score) -> str:
    """The interval, if there is one."""
    interval = score.interval
    return f"{interval.low:.4f} to {interval.high:.4f}" if interval else "-"


def _row(score: Score) -> tuple[str, ...]:
    return (
        score.model,
        score.benchmark,
        value_cell(score),
        interval_cell(score),
        _number(score.raw),
        _number(score.ceiling),
        score.normalization or "-",
        score.status,
    )


def _margin_cell(margin: Margin | None) -> str:
    if margin is None:
        return "-"
    bounds = margin.interval
    between = f" ({bounds.low:+.4f} to {bounds.high:+.4f})" if bounds else ""
    rank = f"; above {margin.beaten} of {margin.of}" if margin.of > 1 else ""
    return f"{margin.difference:+.4f}{between}, {margin.control}{rank}"


def _facts(margin: Margin | None) -> dict[str, Any] | None:
    if margin is None:
        return None
    bounds = margin.interval
    return {
        "control": margin.control,
        "difference": margin.difference,
        "low": bounds.low if bounds else None,
        "high": bounds.high if bounds else None,
        "percentile": margin.percentile,
        "controls": margin.of,
    }


def _number(estimate: Estimate | None) -> str:
    return "-" if estimate is None else f"{estimate.value:.4f}"
