"""``corteval compare``: two models, benchmark by benchmark, with paired tests."""

from __future__ import annotations

from pathlib import Path

import click

from corteval.cli.leaderboard import gathered_from, withheld_words
from corteval.cli.options import json_option, run_option, verbose_option
from corteval.cli.tables import counted, print_json, print_table, say
from corteval.errors import CortevalError, OptionError

_EPILOG = """\b
Examples:
  corteval compare cornet-s vonenet-v1
  corteval compare pixels gabor-colour --from scores.jsonl --json

\b
p-values are of the paired bootstrap (both models see the same draws), then Holm's over all
benchmarks that both were scored on.

\b
JSON:
  {"schema": "corteval.compare/1", "first": "...", "second": "...",
   "benchmarks": [{"benchmark": "...", "first": 0.4, "second": 0.3, "difference": 0.1, "low": 0.02,
                   "high": 0.18, "p": 0.01, "p_holm": 0.02, "reason": ""}]}
"""


@click.command("compare", epilog=_EPILOG)
@click.argument("first")
@click.argument("second")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder of records, or a file of `corteval score --output`; else those in the home.",
)
@run_option
@click.option("--private", is_flag=True, help="Also scores on private data.")
@verbose_option
@json_option
def command(
    first: str,
    second: str,
    source: Path | None,
    run: str | None,
    private: bool,
    as_json: bool,
) -> None:
    """Compare two models on all benchmarks that both have scores on."""
    from corteval.stats.paired import compare
    from corteval.stats.ranks import holm, out_of_reach

    if first.casefold() == second.casefold():
        raise OptionError(f"{first} and {second} are the same model; name two.")
    gathered = gathered_from(source, private=private, run=run)
    board = gathered.board
    names = {model.casefold(): model for model in board.models}
    for asked in (first, second):
        if asked.casefold() not in names:
            raise OptionError(_unknown(asked, [*board.models], gathered.withheld))
    one, other = names[first.casefold()], names[second.casefold()]
    shared = [b for b in board.benchmarks if {(one, b), (other, b)} <= board.scores.keys()]
    if not shared:
        raise OptionError(f"{one} and {other} have no benchmark in common.")
    found, p_values, resamples = [], {}, 0
    for benchmark in shared:
        a, b = board.scores[one, benchmark], board.scores[other, benchmark]
        row = {"benchmark": benchmark, "first": a.value, "second": b.value}
        row |= {"difference": a.value - b.value, "low": None, "high": None, "p": None}
        row |= {"p_holm": None, "reason": ""}
        try:
            result = compare(a, b)
            bounds = result.interval
            row |= {"low": bounds.low, "high": bounds.high, "p": result.p_value}
            p_values[benchmark] = result.p_value
            resamples = max(resamples, bounds.resamples)
        except CortevalError as error:
            row["reason"] = str(error)
        found.append(row)
    adjusted = holm(p_values)
    remark = out_of_reach(len(p_values), resamples) if p_values else ""
    if remark:
        say(remark[0].upper() + remark[1:] + ".")
    for row in found:
        row["p_holm"] = adjusted.get(str(row["benchmark"]))
    if as_json:
        print_json("corteval.compare/1", first=one, second=other, benchmarks=found)
        return
    header = ("benchmark", one, other, "difference", "95 % interval", "p", "p (Holm)", "")
    print_table(header, [_row(row) for row in found])
    if not p_values:
        say("Nothing can be compared: see the last column.")
        return
    better = sum(1 for r in found if _significant(r) and float(str(r["difference"])) > 0)
    worse = sum(1 for r in found if _significant(r) and float(str(r["difference"])) < 0)
    of = counted(len(found), "benchmark")
    say(f"{one} is better on {better} and worse on {worse} of {of} (Holm, .05).")


def _unknown(asked: str, known: list[str], withheld: int) -> str:
    from difflib import get_close_matches

    close = get_close_matches(asked, known, cutoff=0.5)
    hint = f" Did you mean {' or '.join(close)}?" if close else f" There are {', '.join(known)}."
    if withheld:
        hint += f" {withheld_words(withheld)}"
    return f"There is no score of {asked!r}.{hint}"


def _significant(row: dict[str, object]) -> bool:
    return isinstance(row["p_holm"], float) and row["p_holm"] <= 0.05


def _row(row: dict[str, object]) -> tuple[str, ...]:
    def number(name: str, form: str = ".4f") -> str:
        value = row[name]
        return format(value, form) if isinstance(value, float) and value == value else "-"

    interval = "-" if row["low"] is None else f"{number('low', '+.4f')} to {number('high', '+.4f')}"
    values = (number("first"), number("second"), number("difference", "+.4f"), interval)
    return (str(row["benchmark"]), *values, number("p"), number("p_holm"), str(row["reason"]))
