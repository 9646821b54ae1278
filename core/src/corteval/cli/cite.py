"""``corteval cite``: BibTeX of plugins, of the parts they use, and of Corteval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corteval import registry
from corteval.cli.leaderboard import gathered_from
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import counted, print_json, say
from corteval.errors import OptionError

if TYPE_CHECKING:
    from corteval.report.citations import Citations

_EPILOG = """\b
Examples:
  corteval cite Cowley2023.V4-ridge >> paper.bib
  corteval cite pixels Marques2020.V1-preferred_orientation --json
  corteval cite --run 1a2b3c4d5e6f >> paper.bib

\b
JSON:
  {"schema": "corteval.cite/1",
   "citations": [{"kind": "benchmarks", "identifier": "...", "bibtex": "@article{..."}, ...,
                 {"kind": "software", "identifier": "corteval", "bibtex": "@software{..."}],
   "remarks": ["..."]}
"""


@click.command("cite", epilog=_EPILOG)
@click.argument("identifiers", nargs=-1)
@click.option(
    "--run",
    "run",
    metavar="RUN",
    help="Everything that the records of a run used: its folder or identity, or `last`.",
)
@verbose_option
@json_option
def command(identifiers: tuple[str, ...], run: str | None, as_json: bool) -> None:
    """Print BibTeX of plugins and of what they use.

    A benchmark brings along its data, metric and ceiling. Every entry is printed once; Corteval's
    own comes last.
    """
    if not identifiers and run is None:
        raise click.UsageError("Name plugins, or a run with --run.")
    if identifiers and run is not None:
        raise click.UsageError("Name plugins, or a run with --run; not both.")
    found = _of_plugins(identifiers) if run is None else _of_run(run)
    entries, differing = found.entries()
    remarks = [*found.remarks, *differing]
    if as_json:
        cited = [{"kind": k, "identifier": i, "bibtex": b} for (k, i), b in found.bibtex.items()]
        print_json("corteval.cite/1", citations=cited, remarks=remarks)
    else:
        click.echo("\n\n".join(entries))
    for remark in remarks:
        say(remark)
    for kind, identifier in found.silent:
        say(f"{identifier} ({kind}) names nothing to cite.")


def _of_plugins(identifiers: tuple[str, ...]) -> Citations:
    from corteval.report.citations import of_cards

    return of_cards(item for identifier in identifiers for item in registry.find(identifier))


def _of_run(name: str) -> Citations:
    """Of the current record of each cell of a run, but of those that failed."""
    from corteval.report.citations import Citations, of_scores
    from corteval.run.status import run_named

    plan = run_named(None if name == "last" else name).plan
    history = gathered_from(None, private=True, run=name).history
    current = [history[cell][-1].score for cell in sorted(history)]
    scores = [score for score in current if score.status != "failed"]
    if not scores:
        raise OptionError(f"No cell of the run {name} has a score; `corteval status` tells why.")
    found = of_scores(scores)
    lacking = len(plan.models) * len(plan.benchmarks) - len(scores)
    if not lacking:
        return found
    have, left = ("has", "it is") if lacking == 1 else ("have", "they are")
    remark = (
        f"{counted(lacking, 'cell')} of the run {have} no record, or one of a failure: {left} left "
        "out."
    )
    return Citations(bibtex=found.bibtex, silent=found.silent, remarks=(*found.remarks, remark))
