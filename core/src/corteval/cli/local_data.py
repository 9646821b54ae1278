"""``corteval data register``, ``rm``, ``export`` and ``diff``: a lab's own folders."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corteval import registered, registry
from corteval.cli import ERROR
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import fact_lines, print_json, print_table, say
from corteval.errors import DatasetError

if TYPE_CHECKING:
    from corteval.local.description import Description
    from corteval.local.guessing import Question
    from corteval.local.report import Report

_REGISTER_EPILOG = """\b
Examples:
  corteval data register recordings/ --id MyLab2026
  corteval data register recordings/ --id MyLab2026 --target V4 --time-bin-ms 70 170 --dry-run
  corteval score pixels 'MyLab2026.*'

\b
JSON:
  {"schema": "corteval.data-register/1", "identifier": "MyLab2026", "registered": true,
   "digest": "...", "benchmarks": ["MyLab2026.V4-ridge"], "facts": {"neuroids": "50"},
   "problems": [{"severity": "warning", "what": "...", "where": "...", "next_step": "..."}],
   "reliability": [{"neuroid_id": "n1", "reliability": 0.8, ...}]}

Exit code 1 if the examination found an error; nothing is registered then.
"""

#: What keys of a description are called as flags, where that differs.
_FLAGS = {"file": "--responses", "columns": "--column"}

_Path = click.Path(path_type=Path)
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("register", epilog=_REGISTER_EPILOG)
@click.argument("folder", type=_Folder)
@click.option("--id", "identifier", metavar="ID", help="Identifier, e.g. MyLab2026.")
@click.option("--project", is_flag=True, help="For all who work in this project folder.")
@click.option("--description", "elsewhere", type=_Path, metavar="FILE", help="The description, "
              "if it is not dataset.toml in FOLDER; written if it is missing.")  # fmt: skip
@click.option("--modality", type=click.Choice(["image", "text", "video"]))
@click.option("--visual-degrees", type=float, help="Extent of the images.")
@click.option("--stimuli", metavar="FILE", help="Table of stimuli.")
@click.option("--responses", "file", metavar="FILE", help="Responses.")
@click.option("--dims", metavar="NAMES", help="Axes of an array: presentation,neuroid,...")
@click.option("--neuroids", metavar="FILE", help="Table of neuroids.")
@click.option(
    "--presentations", metavar="NAME", help="Table or variable with stimulus ids of rows."
)
@click.option("--variable", metavar="NAME", help="Array in the file.")
@click.option("--value", metavar="COLUMN", help="Column with the responses.")
@click.option("--column", "columns", metavar="NAME=THEIRS", multiple=True, help="What the tables "
              "call a column, e.g. text=sentence. Repeatable.")  # fmt: skip
@click.option("--target", metavar="NAME", help="What was recorded, e.g. V4.")
@click.option("--task", type=click.Choice(["label", "reading_time"]), help="Of behaviour.")
@click.option("--time-bin-ms", nargs=2, type=float, metavar="START END", multiple=True)
@click.option("--unit", help="Of the responses.")
@click.option("--group-by", metavar="COLUMN", help="Stimuli that are never divided.")
@click.option("--folds", type=click.IntRange(min=2), help="How many; ten if it is not said.")
@click.option(
    "--parts", metavar="COLUMN", help="Each of its values, such as experiments, has benchmarks."
)
@click.option("--nuisances", metavar="MODELS", help="Comma list; what models explain beyond them.")
@click.option("--species")
@click.option("--visibility", type=click.Choice(["private", "public"]))
@click.option("--licence")
@click.option("--citation")
@click.option("--replace", is_flag=True, help="The folder registered under this id.")
@click.option("--dry-run", is_flag=True, help="Examine only; write nothing.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; take what was found.")
@verbose_option
@json_option
@click.pass_context
def register(
    context: click.Context,
    /,
    folder: Path,
    identifier: str | None,
    project: bool,
    elsewhere: Path | None,
    replace: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Examine a folder and register it as a data set.

    FOLDER holds a table of stimuli, their files, and responses as .nc, .npz, .npy, .mat, .csv,
    .tsv, .parquet, .nwb or BIDS derivatives. dataset.toml in it says which is which; if it is
    missing it is written from flags, from what lies there, and from what you are asked.
    """
    from corteval.local import registration
    from corteval.local.description import write_description
    from corteval.local.report import examine

    description, is_new = _description(
        folder, elsewhere, identifier, flags, asks=not (yes or as_json)
    )
    report = examine(description)
    done = None
    if report.usable and not dry_run:
        done = registration.register(description, report, project=project, replace=replace)
        if is_new:
            try:
                say(f"Wrote {write_description(description, elsewhere)}; edit it as needed.")
            except DatasetError as error:  # the registration holds the description, too
                say(f"Warning: {error}")
    names = _benchmarks(done)
    if as_json:
        _print_json(description, report, done, names)
    else:
        _print(description, report)
        _say(description, done, names, usable=report.usable)
    if not report.usable:
        context.exit(ERROR)


@click.command("rm")
@click.argument("identifier")
@verbose_option
@json_option
def rm(identifier: str, as_json: bool) -> None:
    """Forget a registered data set; its files stay."""
    from corteval.local import registration

    gone = registration.remove(identifier)
    if as_json:
        print_json("corteval.data-rm/1", identifier=gone.identifier, folder=str(gone.folder))
    else:
        click.echo(f"{gone.identifier} is forgotten; its files stay in {gone.folder}")


@click.command("export")
@click.argument("data")
@click.argument("target", type=_Path)
@click.option("--private", "acknowledged", is_flag=True, help="Agree that private data leave "
              "the lab with what is written.")  # fmt: skip
@verbose_option
@json_option
def export(data: str, target: Path, acknowledged: bool, as_json: bool) -> None:
    """Pack a registered set, or a folder, for another lab.

    TARGET becomes a package that the other lab installs by pip, or registers by its folder
    `dataset`.
    """
    from corteval.local.exchange.packing import export as pack

    written = pack(_described(data), target, acknowledge_private=acknowledged)
    if as_json:
        print_json("corteval.data-export/1", path=str(written))
    else:
        click.echo(str(written))


@click.command("diff")
@click.argument("old")
@click.argument("new")
@verbose_option
@json_option
def diff(old: str, new: str, as_json: bool) -> None:
    """Compare two versions of a data set.

    OLD and NEW are registered identifiers or folders.
    """
    from corteval.local.exchange.packing import differences

    found = differences(_version(old), _version(new))
    if as_json:
        print_json("corteval.data-diff/1", **found.as_json())
    else:
        click.echo("\n".join(found.lines()) or "No differences.")


def _version(name: str) -> Path | Description:
    return Path(name) if Path(name).is_dir() else _described(name)


def _described(name: str) -> Description:
    """The description of a registered set, or of a folder."""
    from corteval.local import registration
    from corteval.local.description import read_description

    folder = Path(name)
    if folder.is_dir():
        return read_description(folder)
    found = registration.find(name)
    return registration.description_of(found.description, found.folder)


def _description(
    folder: Path,
    elsewhere: Path | None,
    identifier: str | None,
    flags: Mapping[str, Any],
    *,
    asks: bool,
) -> tuple[Description, bool]:
    """The description of the folder, and whether it was made just now."""
    from corteval.local.description import FILE, guessed, read_description

    path = elsewhere or folder / FILE
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    if path.is_file():
        if given:
            names = ", ".join(_FLAGS.get(name, f"--{name.replace('_', '-')}") for name in given)
            raise click.UsageError(
                f"{path} describes the folder; edit it instead of giving {names}."
            )
        description = read_description(folder, file=path)
        if identifier not in {None, description.id}:
            raise click.UsageError(f"{path} says id = {description.id!r}, not {identifier!r}.")
        return description, False
    if identifier is None:
        if not asks or not _asked():
            raise click.UsageError(f"{folder} has no {FILE}: name the data set with --id.")
        identifier = click.prompt("Identifier, e.g. MyLab2026", err=True)
    if "columns" in given:
        given["columns"] = dict(_pair(text) for text in given["columns"])
    for name in {"dims", "nuisances"} & set(given):
        given[name] = tuple(part.strip() for part in given[name].split(",") if part.strip())
    description, questions = guessed(folder, id=str(identifier), **given)
    if asks and _asked():
        description = _confirmed(folder, description, given, questions)
    else:
        for question in questions:
            say(f"Open: {question}")
    return description, True


def _pair(text: str) -> tuple[str, str]:
    name, equals, theirs = text.partition("=")
    if not (name and equals and theirs):
        raise click.UsageError(f"--column {text!r} is not NAME=THEIRS, such as text=sentence.")
    return name, theirs


def _asked() -> bool:
    return bool(sys.stdin) and sys.stdin.isatty()


def _confirmed(
    folder: Path,
    description: Description,
    given: dict[str, Any],
    questions: tuple[Question, ...],
) -> Description:
    """Ask for what a lab knows and files do not say, one question after another."""
    from corteval.local.description import guessed
    from corteval.local.guessing import Question

    asked: set[str] = set()
    while question := next((q for q in questions if q.field not in asked), None):
        asked.add(question.field)  # what an answer settles may open another question
        _give(given, question.field, _answer(question))
        description, questions = guessed(folder, id=description.id, **given)
    for field, words, choices in (
        ("licence", "Licence?", ()),
        ("citation", "Citation, BibTeX or words?", ()),
        ("visibility", "Who may see the data?", ("private", "public")),
    ):
        if field not in given:
            default = getattr(description, field)
            own = Question(field=field, words=words, choices=choices, default=default)
            _give(given, field, _answer(own))
    return guessed(folder, id=description.id, **given)[0]


def _answer(question: Question) -> str:
    """An answer that fits; "" if none is given."""
    text = question.words
    if question.choices:
        numbered = (f"  {n}  {choice}" for n, choice in enumerate(question.choices, start=1))
        text = "\n".join([text, *numbered, "Name or number"])
    if question.empty:
        text += f" (empty: {question.empty})"

    def checked(answer: str) -> str:
        return _fitting(question, answer.strip())

    # an empty default is one: click would ask again for ever
    return str(click.prompt(text, default=question.default, value_proc=checked, err=True,
                            show_default=bool(question.default)))  # fmt: skip


def _fitting(question: Question, answer: str) -> str:
    """`answer`, or the choice of that number.

    Raises:
        click.UsageError: if it does not fit; the question is asked again.
    """
    from corteval.local.description import MAX_DEGREES

    choices = question.choices
    if question.field == "visual_degrees" and answer:
        try:
            fits = 0 < float(answer) <= MAX_DEGREES
        except ValueError:
            fits = False
        if not fits:
            raise click.UsageError(f"{answer!r} is not a number of degrees above 0.")
    if not choices or answer in choices:
        return answer
    if not answer and (question.empty or question.default):
        return question.default
    if answer.isdecimal() and 1 <= int(answer) <= len(choices):
        return choices[int(answer) - 1]
    raise click.UsageError(f"{answer!r} is none of {', '.join(choices)}.")


def _give(given: dict[str, Any], field: str, answer: str) -> None:
    """Add an answer to what is known."""
    if not answer:
        return
    head, _, column = field.partition(".")
    if column:
        given[head] = {**given.get(head, {}), column: answer}
    elif field == "dims":
        given[field] = tuple(answer.split(","))
    else:
        given[field] = float(answer) if field == "visual_degrees" else answer


def _benchmarks(done: registered.Registration | None) -> list[str]:
    if done is None:
        return []
    data = (f"{done.identifier}@{registry.REGISTERED}",)
    return [card.identifier for card in registry.benchmarks.where(data=data)]


def _print(description: Description, report: Report) -> None:
    click.echo(
        "\n".join([f"{description.id} ({description.folder})", *fact_lines(report.facts.items())])
    )
    if report.problems:
        rows = [(p.severity, p.where or "-", p.what, p.next_step) for p in report.problems]
        click.echo()
        print_table(("severity", "where", "what", "next step"), rows)


def _say(
    description: Description,
    done: registered.Registration | None,
    names: list[str],
    *,
    usable: bool,
) -> None:
    if not usable:
        say(f"{description.id} is not registered: the errors above stand in the way.")
    elif done is None:
        say(f"{description.id} can be registered; nothing was written.")
    else:
        say(f"{done.identifier} is registered ({done.digest[:12]}) in {done.file}.")
        _say_what_fits(done, names)


def _say_what_fits(done: registered.Registration, names: list[str]) -> None:
    from corteval.local.registration import unfit

    if done.facts.group:
        say(f"Training and test sets never share a {done.facts.group}.")
    if names:
        s = "s" * (len(names) > 1)
        say(f"{len(names)} benchmark{s}: {', '.join(names[:4])}{', ...' * (len(names) > 4)}")
        say(f"Try: corteval score MODELS '{done.identifier}.*'")
    else:
        say("No installed metric fits it.")
    for metric, missing in unfit(done).items():
        say(f"{metric} would fit with the column{'s' * (len(missing) > 1)} {', '.join(missing)}.")


def _print_json(
    description: Description,
    report: Report,
    done: registered.Registration | None,
    names: list[str],
) -> None:
    table = report.reliability
    reliability = [] if table is None else table.reset_index().to_dict("records")
    print_json(
        "corteval.data-register/1",
        identifier=description.id,
        registered=done is not None,
        digest=None if done is None else done.digest,
        benchmarks=names,
        facts=dict(report.facts),
        problems=[asdict(problem) for problem in report.problems],
        reliability=reliability,
    )
