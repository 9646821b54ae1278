"""``corteval check``: the conformance checks of core, run on an installed plugin."""

from __future__ import annotations

from collections import Counter

import click

from corteval import registry
from corteval.cli.options import json_option, quiet_option
from corteval.cli.tables import print_json, print_table

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

Exit code 1 if a check failed, passed against expectation, or if none ran.
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
@click.option("--kind", type=click.Choice(tuple(registry.KINDS)), help="If there are several.")
@click.option(
    "--expect-fail",
    metavar="NAME=REASON",
    multiple=True,
    callback=_expected,
    help="A check known to fail, and why. Repeatable.",
)
@quiet_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    identifier: str,
    kind: str | None,
    expect_fail: dict[str, str],
    quiet: bool,
    as_json: bool,
) -> None:
    """Check that a plugin keeps its contract."""
    from corteval.cli.progress import working

    with working(quiet=quiet):
        from corteval.testing import run_checks

        results = run_checks(identifier, kind=kind, expect_fail=expect_fail)
    if as_json:
        names = ("name", "kind", "identifier", "status", "message", "seconds")
        checks = [{name: getattr(result, name) for name in names} for result in results]
        print_json("corteval.check/1", checks=checks)
    else:
        header = ("check", "kind", "status", "seconds", "message")
        rows = [(r.name, r.kind, r.status, f"{r.seconds:.2f}", r.message) for r in results]
        print_table(header, rows)
    counts = Counter(result.status for result in results)
    said = ", ".join(f"{n} {status}" for status, n in counts.items()) or "no check applies"
    click.echo(f"{identifier}: {said}.", err=True)
    ran = counts["passed"] + counts["failed"]
    if counts["failed"] or counts["unexpected-pass"] or not ran:
        context.exit(1)
