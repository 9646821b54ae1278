"""``corteval check``: the conformance checks of core, run on an installed plugin."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from corteval import registry
from corteval.cards import DataCard
from corteval.cli import ERROR
from corteval.cli.consent import ask, ask_for_benchmarks, yes_option
from corteval.cli.options import Kind, json_option, quiet_option, verbose_option
from corteval.cli.tables import print_json, print_table, say
from corteval.errors import CortevalError

if TYPE_CHECKING:
    from corteval.testing import CheckResult

_EPILOG = """\b
Examples:
  corteval check pixels
  corteval check Cowley2023 --kind data --json
  corteval check my-model --expect-fail statelessness='adapts to what it has seen'

\b
JSON:
  {"schema": "corteval.check/1",
   "checks": [{"name": "...", "kind": "models", "identifier": "pixels", "message": "",
               "status": "passed" | "failed" | "skipped" | "expected-failure" | "unexpected-pass",
               "seconds": 0.1}]}

Exit code 1 if a check failed, passed against expectation or lacked its data, or if none ran.
"""


def _expected(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    expected = {}
    for value in values:
        name, equals, reason = (part.strip() for part in value.partition("="))
        if not (name and equals and reason):
            raise click.BadParameter(f"{value!r} is not NAME=REASON; the reason is for the reader.")
        expected[name] = reason
    return expected


@click.command("check", epilog=_EPILOG)
@click.argument("identifier")
@click.option("--kind", type=Kind(), help="If there are several.")
@click.option(
    "--expect-fail",
    metavar="NAME=REASON",
    multiple=True,
    callback=_expected,
    help="A check known to fail, and why. Repeatable.",
)
@yes_option
@quiet_option
@verbose_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    identifier: str,
    kind: str | None,
    expect_fail: dict[str, str],
    yes: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Check that a plugin keeps its contract."""
    from corteval.cli.progress import working

    _ask(identifier, kind, yes=yes)
    with working(quiet=quiet):
        from corteval.testing import run_checks

        results = run_checks(identifier, kind=kind, expect_fail=expect_fail)
    if as_json:
        names = ("name", "kind", "identifier", "status", "message", "seconds")
        checks = [{name: getattr(result, name) for name in names} for result in results]
        print_json("corteval.check/1", checks=checks)
    else:
        header = ("check", "kind", "status", "seconds", "message")
        print_table(header, [_row(result) for result in results])
    counts = Counter(result.status for result in results)
    said = ", ".join(f"{n} {status}" for status, n in counts.items()) or "no check applies"
    say(f"{identifier}: {said}.")
    lacking = [result.message for result in results if result.missing_data]
    if lacking:
        _tell_what_lacks(lacking)
    ran = counts["passed"] + counts["failed"]
    if counts["failed"] or counts["unexpected-pass"] or lacking or not ran:
        context.exit(ERROR)


def _ask(identifier: str, kind: str | None, *, yes: bool) -> None:
    """Before the data that are checked, or used by what is checked, are downloaded."""
    try:
        found = [(k, card) for k, card in registry.find(identifier) if kind in (None, k)]
    except CortevalError:  # the checks report it
        return
    ask([card for _, card in found if isinstance(card, DataCard)], yes=yes)
    ask_for_benchmarks([card.identifier for k, card in found if k == "benchmarks"], yes=yes)


def _row(result: CheckResult) -> tuple[str, ...]:
    message = "files could not be had, see below" if result.missing_data else result.message
    return result.name, result.kind, result.status, f"{result.seconds:.2f}", message


def _tell_what_lacks(messages: list[str]) -> None:
    one = len(messages) == 1
    checks, them = ("1 check needs", "it") if one else (f"{len(messages)} checks need", "them")
    say(f"{checks} files that could not be had, so nothing is known about {them}.")
    for message in dict.fromkeys(messages):
        say(message)
