"""``corteval drive``: choose stimuli that are predicted to drive or suppress recorded responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from corteval import registry
from corteval.cli import ERROR
from corteval.cli.consent import ask, yes_option
from corteval.cli.files import check_writable, write_lines
from corteval.cli.options import (
    json_option,
    mirror_option,
    no_store_option,
    offline_option,
    quiet_option,
    verbose_option,
)
from corteval.cli.tables import print_json, print_table, say
from corteval.errors import AssemblyError, OptionError, UndefinedScore

if TYPE_CHECKING:
    import xarray as xr

    from corteval.intervals import Interval
    from corteval.stats.splits import Split
    from corteval.stimuli import StimulusSet
    from corteval_driving.choosing import Choices, Chosen

#: Coordinates that say which stimuli belong together, beside those of every splitter.
_CONTEXT = "context_id"

_EPILOG = """\b
Examples:
  corteval drive minilm TheirLab --candidates sentences.txt --k 250
  corteval drive minilm TheirLab --candidates pool.csv --where region=IFG --output chosen.csv
  corteval drive timm/resnet18 Cowley2023 --target V4 --candidates photographs/ --k 20 --json

\b
What is done: an encoding model (ridge regression, its penalty by leave-one-out) is fitted from what
MODEL responds to the stimuli of DATA to the mean recorded response over neuroids and trials. It
predicts every candidate; the K highest and the K lowest are printed. What was recorded, and
repetitions, are left out of the candidates.

\b
How surely: `predicted` is the mean of the chosen minus the mean recorded response; its interval is
from refits on draws of the recorded stimuli, and from how uncertain the slope of measured on
predicted responses is over held-out ones. `cross-fitted` is free of the winner's luck, and low:
half of the stimuli choose, the other half predicts. Only a new recording can tell what they do.

\b
JSON:
  {"schema": "corteval.drive/1", "model": "minilm", "data": "TheirLab", "k": 250,
   "baseline": 0.1, "spread": 0.6, "unit": "of the recorded responses",
   "effects": [{"name": "drive", "predicted": 0.5, "low": 0.4, "high": 0.6, "cross_fitted": 0.3}],
   "check": {"slope": 0.97, "r": 0.45, "splits": 5},
   "drive": [{"stimulus_id": "line-7", "stimulus": "...", "predicted": 0.9, "low": 0.7,
              "high": 1.1}], "suppress": [...], "notes": []}
"""


@click.command("drive", epilog=_EPILOG)
@click.argument("model")
@click.argument("data")
@click.option(
    "--candidates",
    required=True,
    metavar="FILE",
    help="Text file with one sentence a line, csv or tsv with a column text, folder of images, or "
    "identifier of a data set.",
)
@click.option(
    "--k",
    "count",
    type=click.IntRange(min=1),
    default=250,
    show_default=True,
    help="Candidates to choose at either end.",
)
@click.option("--target", metavar="NAME", help="What the model records; language_system for text.")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="COORDINATE=VALUE",
    help="Use the neuroids with this value only, such as region=IFG.",
)
@click.option(
    "--group-by",
    metavar="NAME",
    help="Coordinate of stimuli that belong together; by default story, passage, context_id and "
    "the like, if there is one; none to take stimuli for independent.",
)
@click.option(
    "--resamples",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="Refits behind intervals.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of draws.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write the chosen candidates here, as csv.",
)
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
    model: str,
    data: str,
    candidates: str,
    count: int,
    target: str | None,
    conditions: Sequence[str],
    group_by: str | None,
    resamples: int,
    seed: int,
    output: Path | None,
    yes: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Choose candidates that MODEL predicts to drive, or suppress, the responses of DATA."""
    from corteval.cli.progress import working

    if output is not None:
        check_writable(output)
    where = dict(_condition(text) for text in conditions)
    card = registry.data_card(data)
    ask([card], yes=yes)
    with working(quiet=quiet):
        pool, choices, notes = _chosen(
            model,
            data,
            candidates,
            count,
            target or ("language_system" if card.modality == "text" else None),
            where,
            group_by,
            resamples,
            seed,
        )
    written = output is None or write_lines(output, _lines(pool, choices))
    if as_json:
        _print_json(model, data, count, pool, choices, notes)
    else:
        _print_tables(pool, choices)
    for note in notes:
        say(f"note: {note}")
    if not written:
        context.exit(ERROR)


def _chosen(
    model: str,
    data: str,
    candidates: str,
    count: int,
    target: str | None,
    where: Mapping[str, str],
    group_by: str | None,
    resamples: int,
    seed: int,
) -> tuple[StimulusSet, Choices, tuple[str, ...]]:
    """The pool, what was chosen of it, and what a reader must know."""
    from corteval.assembly import align, responses_matrix, select_neuroids
    from corteval.data import DataSource
    from corteval.model import record
    from corteval.scoring import build_model
    from corteval_driving.candidates import RecordedPool, new_only, read_candidates
    from corteval_driving.choosing import choose

    source = cast("DataSource", registry.data.create(data))
    stimuli = source.stimuli()
    if target is None:
        raise OptionError(
            f"{data} has {stimuli.modality} stimuli: name what the model records (--target V4)."
        )
    pool, left_out = new_only(read_candidates(candidates, stimuli.modality), [stimuli])
    recorded = responses_matrix(select_neuroids(source.assembly(), where))
    groups, name = _groups(recorded, stimuli, group_by)
    subject = build_model(model)
    responses = align(responses_matrix(record(subject, stimuli, target)), recorded)
    choices = choose(
        responses.values,
        recorded.values.mean(axis=1),
        RecordedPool(model=subject, stimuli=pool, target=target),
        count,
        groups=groups,
        splits=_splits(recorded, groups),
        resamples=resamples,
        seed=seed,
    )
    about = [*left_out, *choices.notes]
    if recorded.sizes["neuroid"] > 1:
        about.append(f"responses are the mean over {recorded.sizes['neuroid']} neuroids")
    if name:
        about.append(f"stimuli of one {name} are drawn and held out together")
    return pool, choices, tuple(about)


def _condition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise click.UsageError(f"--where: {text!r} is not COORDINATE=VALUE.")
    return name, value


def _groups(
    recorded: xr.DataArray, stimuli: StimulusSet, group_by: str | None
) -> tuple[list[str] | None, str]:
    """Group of each stimulus, and the name of what groups them."""
    from corteval.stats.splits import GROUPINGS

    if group_by == "none":
        return None, ""
    ids = [str(i) for i in recorded["stimulus_id"].values]
    for name in (group_by,) if group_by else (*GROUPINGS, _CONTEXT):
        if name in recorded.coords and recorded[name].dims == ("presentation",):
            values = [str(v) for v in recorded[name].values]
        elif name in stimuli.table.columns:
            values = [str(v) for v in stimuli.table[name].loc[ids]]
        else:
            continue
        if len(set(values)) == len(values) and not group_by:
            continue  # everything stands alone
        return values, str(name)
    if group_by:
        known = sorted({str(n) for n in stimuli.table.columns} | {str(n) for n in recorded.coords})
        raise AssemblyError(f"Nothing is called {group_by!r} here; there are {', '.join(known)}.")
    return None, ""


def _splits(recorded: xr.DataArray, groups: list[str] | None) -> Sequence[Split]:
    """Folds for the check, none if there are too few stimuli for them."""
    from corteval.stats.splits import CrossValidation

    labelled = recorded
    if groups is not None:
        labelled = recorded.assign_coords(together=("presentation", groups))
    by = None if groups is None else "together"
    try:
        return CrossValidation(folds="kfold", count=5, group_by=by).over(labelled)
    except (OptionError, UndefinedScore):
        return ()


def _print_json(
    model: str,
    data: str,
    count: int,
    pool: StimulusSet,
    choices: Choices,
    notes: Sequence[str],
) -> None:
    print_json(
        "corteval.drive/1",
        model=model,
        data=data,
        k=count,
        candidates=len(pool),
        baseline=choices.baseline,
        spread=choices.spread,
        unit="of the recorded responses",
        effects=[
            {
                "name": e.name,
                "predicted": e.predicted,
                **_bounds(e.interval),
                "cross_fitted": e.cross_fitted,
            }
            for e in choices.effects
        ],
        check=None
        if choices.check is None
        else {
            "slope": choices.check.slope,
            "r": choices.check.r,
            "splits": choices.check.splits,
        },
        drive=[_facts(pool, chosen) for chosen in choices.drive],
        suppress=[_facts(pool, chosen) for chosen in choices.suppress],
        notes=list(notes),
    )


def _print_tables(pool: StimulusSet, choices: Choices) -> None:
    level = "95 % interval"
    rows = [
        (
            effect.name,
            f"{effect.predicted:+.4f}",
            f"{effect.predicted / choices.spread:+.2f}",
            _words(effect.interval, "+.4f"),
            "-" if effect.cross_fitted != effect.cross_fitted else f"{effect.cross_fitted:+.4f}",
        )
        for effect in choices.effects
    ]
    print_table(("effect", "predicted", "in sd", level, "cross-fitted"), rows)
    click.echo()
    check = choices.check
    if check is not None:
        click.echo(
            f"Held-out recorded stimuli: measured on predicted has slope {check.slope:.2f}, "
            f"r {check.r:.2f} ({check.splits} splits)."
        )
    click.echo(
        f"Effects are from the mean recorded response, {choices.baseline:.4f} "
        f"(sd over stimuli {choices.spread:.4f}).\n"
    )
    chosen = [
        (name, str(rank), f"{c.predicted:.4f}", _words(c.interval, ".4f"), _shown(pool, c))
        for name, part in (("drive", choices.drive), ("suppress", choices.suppress))
        for rank, c in enumerate(part, 1)
    ]
    print_table(("", "rank", "predicted", level, "stimulus"), chosen, heading=2)


def _lines(pool: StimulusSet, choices: Choices) -> list[str]:
    import csv
    import io

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = ("stimulus_id", "stimulus", "predicted", "low", "high")
    writer.writerow(("end", "rank", *names))
    for end, part in (("drive", choices.drive), ("suppress", choices.suppress)):
        for rank, chosen in enumerate(part, 1):
            facts = _facts(pool, chosen)
            writer.writerow((end, rank, *(facts[name] for name in names)))
    return [file.getvalue().removesuffix("\n")]


def _facts(pool: StimulusSet, chosen: Chosen) -> dict[str, Any]:
    return {
        "stimulus_id": pool.stimulus_ids[chosen.position],
        "stimulus": _shown(pool, chosen),
        "predicted": chosen.predicted,
        **_bounds(chosen.interval),
    }


def _shown(pool: StimulusSet, chosen: Chosen) -> str:
    """Text of a stimulus; its id if it is none."""
    stimulus_id = pool.stimulus_ids[chosen.position]
    return str(pool.table.at[stimulus_id, "text"]) if pool.modality == "text" else stimulus_id


def _bounds(interval: Interval | None) -> dict[str, float | None]:
    return {
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
    }


def _words(interval: Interval | None, form: str) -> str:
    return "-" if interval is None else f"{interval.low:{form}} to {interval.high:{form}}"
