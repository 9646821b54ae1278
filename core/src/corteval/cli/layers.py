"""``corteval layers``: scores of the layers of a model, and the layer of each target."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corteval.cards import human_size
from corteval.cli import ERROR, INTERRUPTED, SOME_FAILED
from corteval.cli.consent import ask_for_benchmarks, yes_option
from corteval.cli.files import check_writable, write_lines, write_whole
from corteval.cli.options import (
    json_option,
    mirror_option,
    offline_option,
    quiet_option,
    verbose_option,
)
from corteval.cli.score import interval_cell, interval_heading, print_scores, value_cell
from corteval.cli.selection import expand
from corteval.cli.tables import print_json, print_table, say

if TYPE_CHECKING:
    from corteval.cli.progress import Display
    from corteval.layers import Choice, LayerScore, Question, Search
    from corteval.score import Score

#: What is stored without a word.
_LARGE_BYTES = 10**9

_EPILOG = """\b
Examples:
  corteval layers timm/resnet18
  corteval layers timm/resnet18 Cowley2023.V4-ridge --output map.json --plot layers.svg
  corteval layers timm/resnet18 MajajHong2015.V4-pls,MajajHong2015.IT-pls --layers 'layer3*,layer4*'
  corteval score timm/resnet18 MajajHong2015.IT-pls --layers map.json
  corteval plot layers map.json --output layers.pdf

\b
How a layer is chosen:
  Which layers are compared: the last of each block, where a block is what shares the first two
  parts of its dotted name (layer3.1 of layer3.1.conv2); more parts where that gives fewer than 12
  blocks, fewer where it gives more than 64. --layers and --all take others.
  On which stimuli: on a part of each benchmark's stimuli (--share, --seed), and the score of the
  chosen layer is reported for the other part, which the choice has not seen. Stimuli that belong
  together (of one story, passage, context, ... or of the same content) are not divided. With
  --select-on the layer is chosen on all stimuli of another benchmark of the same target, and
  reported for all of BENCHMARKS. A benchmark that cannot be divided needs --select-on.
  By what: the highest score; of several benchmarks of one target, the highest mean of their scores.
  Of equal layers the one computed first.

\b
JSON: {"schema": "corteval.layers/1", "interrupted": false, ...} and what is in a map:
  {"model": "...", "layers": {"V4": "layer3.1"}, "fingerprint": "...", "candidates": [...],
   "selection": {"V4": {"benchmarks": [...], "scores": [...]}}, "reported": [...], ...}

Exit code 3 if a layer failed, 1 if a target has no layer. Ctrl-C keeps the layers that are done.
"""


@click.command("layers", epilog=_EPILOG)
@click.argument("model")
@click.argument("benchmarks", nargs=-1)
@click.option("--layers", "named", default="", metavar="NAMES", help="Compare these: a comma list "
              "of names and patterns.")  # fmt: skip
@click.option("--all", "every", is_flag=True, help="Compare every layer.")
@click.option("--select-on", metavar="BENCHMARKS", default="", help="Choose on these instead.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.5,
              show_default=True, help="Share of the stimuli to choose on.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="Of the division of stimuli, and of the "
              "benchmarks' resampling.")  # fmt: skip
@click.option("--features", type=click.IntRange(min=1), metavar="N", help="Keep N random "
              "projections of layers with more units: less to store, other scores.")  # fmt: skip
@click.option("--no-store", is_flag=True, help="Keep responses in a temporary folder only.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write the map of layers here, as JSON.")  # fmt: skip
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Draw scores over layers: .svg, .png or .pdf.")  # fmt: skip
@yes_option
@offline_option
@mirror_option
@quiet_option
@verbose_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    model: str,
    benchmarks: tuple[str, ...],
    named: str,
    every: bool,
    select_on: str,
    share: float,
    seed: int | None,
    features: int | None,
    no_store: bool,
    output: Path | None,
    plot: Path | None,
    yes: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Score the layers of a model, and choose one for each target.

    MODEL is an identifier, BENCHMARKS are identifiers and patterns. All layers are recorded in one
    pass over the stimuli. Without BENCHMARKS the layers are listed.
    """
    _check_files(output, plot)
    (identifier,) = _one(expand("models", model, hint="The order is MODEL BENCHMARKS."))
    asked = expand("benchmarks", ",".join(benchmarks)) if benchmarks else []
    deciding = expand("benchmarks", select_on) if select_on else []
    if not asked and (deciding or output or plot):
        raise click.UsageError("Name benchmarks to score the layers on.")
    ask_for_benchmarks([*asked, *deciding], yes=yes)
    from corteval.cli.progress import working
    from corteval.layers import prepare, shelf

    with working(quiet=quiet) as display, shelf(keep=not no_store) as folder:
        search = prepare(
            identifier,
            asked,
            layers=named,
            every=every,
            select_on=deciding,
            share=share,
            seed=seed,
            features=features,
        )
        _announce(search, folder, quiet=quiet)
        results = _compute(search, display)
    if not asked:
        _print_layers(search, as_json)
        return
    written = _write(results, output, plot)
    _print(results, as_json)
    lacking = {q.target for q in search.questions} - {c.target for c in results.choices}
    if results.interrupted:
        say(f"Interrupted: {len(results.scores)} of {search.cells} layers are done.")
        context.exit(INTERRUPTED)
    for target in sorted(lacking):
        say(f"Error: no layer of {search.name} has a score for {target}.")
    if lacking or not written:
        context.exit(ERROR)
    reports = [score.status for score in results.reports]
    if "failed" in [*(found.score.status for found in results.scores), *reports]:
        context.exit(SOME_FAILED)


class _Results:
    """What has been computed so far."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.scores: list[LayerScore] = []
        self.choices: list[Choice] = []
        self.reports: list[Score] = []
        self.interrupted = False


def _compute(search: Search, display: Display) -> _Results:
    """Everything, or what there was when an interrupt came; one before the first goes on."""
    from corteval.layers import choose, reports_of, scores_of

    results = _Results(search)
    total = search.cells + sum(len(q.reported_on) for q in search.questions)
    try:
        for found in scores_of(search):
            results.scores.append(found)
            display.cell(found.score, len(results.scores), total)
        results.choices = choose(search, results.scores)
        for report in reports_of(search, results.choices):
            results.reports.append(report)
            display.cell(report, len(results.scores) + len(results.reports), total)
    except KeyboardInterrupt:
        if not results.scores:
            raise
        results.interrupted = True
    return results


def _announce(search: Search, folder: Path, *, quiet: bool) -> None:
    """Say what will be stored if that is much."""
    from corteval.layers import bytes_to_store

    needed = bytes_to_store(search) if search.questions else 0
    if needed <= _LARGE_BYTES or quiet:
        return
    text = (
        f"Up to {human_size(needed)} of responses of {len(search.candidates)} layers will be "
        f"stored in {folder}."
    )
    free = _free_bytes(folder)
    if needed > free:
        text += f" Only {human_size(free)} are free there."
    if search.features is None:
        text += " --features N keeps N random projections of each larger layer instead."
    say(text)


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _one(identifiers: Sequence[str]) -> Sequence[str]:
    if len(identifiers) != 1:
        raise click.UsageError(
            f"Layers are chosen of one model; {', '.join(identifiers)} are named."
        )
    return identifiers


def _check_files(output: Path | None, plot: Path | None) -> None:
    if output is not None:
        check_writable(output)
    if plot is not None:
        from corteval.layer_curve import FORMATS, check_drawable

        if plot.suffix.removeprefix(".").lower() not in FORMATS:
            raise click.UsageError(f"--plot: {plot.name} ends in none of {', '.join(FORMATS)}.")
        check_writable(plot, "--plot")
        check_drawable()


def _write(results: _Results, output: Path | None, plot: Path | None) -> bool:
    """Write what was asked for; a map only if it has a layer for every target."""
    from corteval.layer_map import text_of

    search, written = results.search, True
    if output is not None:
        if results.interrupted or len(results.choices) < len(search.questions):
            say(f"{output} is not written: not every target has a layer yet.")
        else:
            text = text_of(search, results.scores, results.choices, results.reports)
            written = write_lines(output, [text.rstrip("\n")])
    if plot is not None:
        from corteval.layer_curve import layer_curve, save

        figure = layer_curve(search, results.scores, results.choices, results.reports)
        kind = plot.suffix.removeprefix(".").lower()
        written &= write_whole(plot, lambda file: save(figure, file, kind))
    return written


def _print_layers(search: Search, as_json: bool) -> None:
    rows = [(layer, search.units[layer]) for layer in search.candidates]
    if as_json:
        layers = [{"layer": layer, "units": units} for layer, units in rows]
        print_json("corteval.layers/1", model=search.name, candidates=layers)
    else:
        print_table(("layer", "units"), [(layer, f"{units:,}") for layer, units in rows])


def _print(results: _Results, as_json: bool) -> None:
    from corteval.layer_map import content_of

    search = results.search
    if as_json:
        content = content_of(search, results.scores, results.choices, results.reports)
        print_json("corteval.layers/1", interrupted=results.interrupted, **content)
    else:
        for question in search.questions:
            _print_question(results, question)
        if results.reports:
            print_scores(results.reports, as_json=False, one=False)
    said: dict[str, list[str]] = {}
    for found in results.scores:
        if found.score.status != "scored":
            said.setdefault(found.score.reason, []).append(f"{found.layer} on {found.benchmark}")
    for reason, cells in said.items():
        others = f" (and {len(cells) - 1} more)" if len(cells) > 1 else ""
        say(f"{cells[0]}{others}: {reason}")


def _print_question(results: _Results, question: Question) -> None:
    """One table a target: layers, and their scores on what decides."""
    from corteval.layers import means_of

    search = results.search
    mine = [found for found in results.scores if found.target == question.target]
    scores = {(found.layer, found.benchmark): found.score for found in mine}
    names = [benchmark.card.identifier for benchmark in question.chosen_on]
    means = means_of(question, mine)
    chosen = [choice.layer for choice in results.choices if choice.target == question.target]
    rows = []
    for number, layer in enumerate(search.candidates, start=1):
        cells = [scores.get((layer, name)) for name in names]
        shown = ["" if cell is None else value_cell(cell) for cell in cells]
        if len(names) > 1:
            shown.append(f"{means[layer]:.4f}" if layer in means else "-")
        elif cells[0] is not None:
            shown.append(interval_cell(cells[0]))
        if any(cells):
            status = "chosen" if layer in chosen else _status(cells)
            rows.append((str(number), layer, f"{search.units[layer]:,}", *shown, status))
    heading = ["score", interval_heading(scores.values())]
    if len(names) > 1:
        heading = [*names, "mean"]
    click.echo(f"{question.target}, chosen on {_where(question)}")
    print_table(("#", "layer", "units", *heading, "status"), rows, heading=2)
    click.echo()


def _status(cells: Sequence[Score | None]) -> str:
    """What stands in the way of a layer, if anything does."""
    statuses = [cell.status for cell in cells if cell is not None]
    return next((status for status in statuses if status != "scored"), "scored")


def _where(question: Question) -> str:
    """Which benchmarks decide, and on how many of their stimuli."""
    from corteval.benchmark import Divisible

    words = []
    for benchmark in question.chosen_on:
        size = f" ({len(benchmark.stimuli())} stimuli)" if isinstance(benchmark, Divisible) else ""
        words.append(f"{benchmark.card.identifier}{size}")
    return " and ".join(words)
