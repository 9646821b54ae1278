"""``corteval recorded``: keep recorded decisions and responses as subjects."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from corteval.cards import human_size
from corteval.cli.options import json_option
from corteval.cli.tables import fact_lines, one_line, print_json, print_table, say
from corteval.errors import CortevalError
from corteval_recorded import shelf
from corteval_recorded.matching import RULES
from corteval_recorded.options import Options, Policy

_ADD_EPILOG = """\b
Examples:
  corteval recorded add edge_subject-01_session_1.csv --id human-01 --match model-vs-human-image
  corteval recorded add decisions.csv --id resnet50-published --licence CC-BY-4.0
  corteval recorded add monkey-IT.npz --id monkey-b --target IT --time-bin 70 170
  corteval score recorded/human-01 BENCHMARK

\b
Tables are csv or tsv: stimulus_id, choice[, subject, session, trial], with a column probability if
there is one; or stimulus_id and a column of numbers a unit. Arrays are npz: responses, stimulus_id,
neuroid_id. Tables of model-vs-human are known by their header.

\b
JSON:
  {"schema": "corteval.recorded-add/1",
   "recording": {"name": "human-01", "kind": "choices", "rows": 1280, "stimuli": 1280,
                 "subjects": ["subject-01"], "choices": ["airplane", ...], "sha256": "...", ...}}
"""

_LS_EPILOG = """\b
JSON:
  {"schema": "corteval.recorded-ls/1", "recordings": [{"name": "human-01", ...}],
   "broken": [{"name": "...", "error": "..."}]}
"""

_RM_EPILOG = """\b
JSON:
  {"schema": "corteval.recorded-rm/1", "removed": ["human-01"]}
"""


@click.group("recorded", epilog=_ADD_EPILOG)
def command() -> None:
    """Keep recorded decisions and responses, and use them as the subjects recorded/NAME.

    Files are copied below CORTEVAL_HOME and never leave it.
    """


@command.command("add", epilog=_ADD_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--id", "name", required=True, metavar="NAME", help="Call it recorded/NAME.")
@click.option("--subject", "observer", help="Read the rows of this subject only.")
@click.option(
    "--policy",
    type=click.Choice(get_args(Policy)),
    help="What becomes of several trials of one stimulus; by default, choices may have one, and "
    "responses are averaged.",
)
@click.option(
    "--match",
    type=click.Choice([*RULES]),
    default="exact",
    show_default=True,
    help="How stimulus ids find their record.",
)
@click.option("--no-response", metavar="CHOICE", help="Choice that means that none was made.")
@click.option("--target", "targets", multiple=True, help="What responses are of, such as V4.")
@click.option(
    "--time-bin",
    "time_bins",
    type=(float, float),
    multiple=True,
    metavar="START END",
    help="Milliseconds after onset of the responses.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Breaks ties of a majority.")
@click.option("--licence", default="", help="Under which the file may be used.")
@click.option("--source", default="", help="Where it comes from, for the manifest.")
@click.option("--replace", "overwrite", is_flag=True, help="Replace a recording of this name.")
@json_option
def add(
    file: Path,
    name: str,
    licence: str,
    source: str,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Check FILE and keep a copy of it as the subject recorded/NAME."""
    manifest = shelf.add(
        file, name, Options(**options), licence=licence, source=source, overwrite=overwrite
    )
    if as_json:
        print_json("corteval.recorded-add/1", recording=asdict(manifest))
        return
    click.echo(f"recorded/{manifest.name}")
    click.echo("\n".join(fact_lines(_facts(manifest))))


@command.command("ls", epilog=_LS_EPILOG)
@json_option
def ls(as_json: bool) -> None:
    """Show what is kept."""
    found, broken = [], []
    for name in shelf.names():
        try:
            found.append(shelf.manifest(name))
        except CortevalError as error:
            broken.append({"name": name, "error": one_line(error)})
    if as_json:
        recordings = [asdict(manifest) for manifest in found]
        print_json("corteval.recorded-ls/1", recordings=recordings, broken=broken)
        return
    header = ("identifier", "kind", "stimuli", "rows", "subject", "licence", "added")
    print_table(header, [_row(manifest) for manifest in found])
    for entry in broken:
        say(f"recorded/{entry['name']} is broken: {entry['error']}")


@command.command("rm", epilog=_RM_EPILOG)
@click.argument("names", nargs=-1, required=True)
@json_option
def rm(names: tuple[str, ...], as_json: bool) -> None:
    """Delete recordings."""
    removed = []
    for name in dict.fromkeys(n.removeprefix("recorded/") for n in names):
        shelf.remove(name)
        removed.append(name)
        if not as_json:
            click.echo(f"recorded/{name} is removed")
    if as_json:
        print_json("corteval.recorded-rm/1", removed=removed)


def _facts(manifest: shelf.Manifest) -> list[tuple[str, str]]:
    options = manifest.options
    facts = [
        ("kind", f"{manifest.kind} ({manifest.format})"),
        ("rows", str(manifest.rows)),
        ("stimuli", f"{manifest.stimuli}, matched by {options['match']}"),
        ("subjects", _listed(manifest.subjects)),
        ("read", _whose(manifest)),
        ("choices", _listed(manifest.choices)),
        ("no response", f"to {manifest.silent} stimuli" if manifest.silent else ""),
        ("targets", _listed(manifest.targets)),
        ("licence", manifest.licence or "not given"),
        ("size", human_size(manifest.size)),
        ("sha256", manifest.sha256),
        ("place", str(shelf.folder() / manifest.name)),
    ]
    return [(name, value) for name, value in facts if value]


def _row(manifest: shelf.Manifest) -> tuple[str, ...]:
    return (
        f"recorded/{manifest.name}",
        manifest.kind,
        str(manifest.stimuli),
        str(manifest.rows),
        _whose(manifest) or "-",
        manifest.licence or "-",
        manifest.added[:10],
    )


def _whose(manifest: shelf.Manifest) -> str:
    """Whose trials are replayed, and how."""
    observer, policy = manifest.options.get("observer"), manifest.options.get("policy")
    alone = manifest.subjects[0] if len(manifest.subjects) == 1 else ""
    whose = observer or alone
    return f"{policy} of {whose or 'all'}" if policy else str(whose)


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:16]) + (", ..." if len(names) > 16 else "")
    return f"{len(names)}: {shown}" if names else ""
