"""``corteval localize``: units of a model that prefer one condition to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corteval.cli.options import (
    json_option,
    mirror_option,
    offline_option,
    quiet_option,
    verbose_option,
)
from corteval.cli.tables import fact_lines, print_json, print_table, say
from corteval_localizer.localizer import PRESETS, Localizer, Selection, preset

if TYPE_CHECKING:
    from corteval_localizer.localization import Localization
    from corteval_localizer.validation import Effect, Validation

_EPILOG = """\b
Examples:
  corteval localize gpt2
  corteval localize gpt2 --top 4096 --layers "transformer.h.*" --folds 5
  corteval localize minilm --preset llm-localization --output mask.npz
  corteval score localized/gpt2 BENCHMARK

\b
JSON:
  {"schema": "corteval.localize/1",
   "localization": {"subject": "gpt2", "units": 9984, "selected": 998, "digest": "...",
                    "layers": {"transformer.h.0": {"units": 768, "selected": 12}, ...}, ...},
   "validation": {"whole": {"difference": 0.4, "low": 0.3, "high": 0.5, ...}, "folds": [...], ...}}
"""


@click.command("localize", epilog=_EPILOG)
@click.argument("model")
@click.option(
    "--preset",
    "name",
    type=click.Choice([*PRESETS]),
    default="default",
    show_default=True,
    help="Localizer that the other options change.",
)
@click.option("--data", metavar="ID", help="Registered stimuli.")
@click.option("--column", help="Of the stimuli that says their condition.")
@click.option("--positive", metavar="CONDITION", help="Whose responses shall be larger.")
@click.option("--negative", metavar="CONDITION", help="Whose responses shall be smaller.")
@click.option("--layers", metavar="NAMES", help="A comma list of names and patterns.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Select N units.")
@click.option("--fraction", type=float, metavar="SHARE", help="Select a share of the units.")
@click.option("--fdr", type=float, metavar="RATE", help="Select by a false discovery rate.")
@click.option("--folds", metavar="COLUMN|N", help="How stimuli are divided for validation.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of that.")
@click.option("--no-validation", is_flag=True, help="Only select.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.npz",
    help="Write mask, t and p of every layer here.",
)
@offline_option
@mirror_option
@quiet_option
@verbose_option
@json_option
def command(
    model: str,
    name: str,
    top: int | None,
    fraction: float | None,
    fdr: float | None,
    folds: str | None,
    seed: int,
    no_validation: bool,
    output: Path | None,
    quiet: bool,
    as_json: bool,
    **options: str | None,
) -> None:
    """Find the units of MODEL that prefer one condition to another, and test them held out."""
    rules = {"top": top, "fraction": fraction, "fdr": fdr}
    localizer = _changed(preset(name), options, rules)
    from corteval.cli.progress import working
    from corteval.scoring import build_model
    from corteval_localizer.layers import made_of_layers
    from corteval_localizer.localization import localize
    from corteval_localizer.reading import Tokenised
    from corteval_localizer.validation import validate

    def tell(step: str) -> None:
        if not quiet:
            say(step)

    with working(quiet=quiet):
        tell(f"Building {model}.")
        subject = made_of_layers(build_model(model))
        tell(f"Localizing: {localizer}.")
        found = localize(subject, localizer)
        tested = None
        if not no_validation:
            parts = int(folds) if folds and folds.isdigit() else folds
            tell("Testing held out: units are selected without a part and contrasted in it.")
            tested = validate(subject, localizer, folds=parts, seed=seed)
    if output:
        _write(output, found)
    if as_json:
        print_json(
            "corteval.localize/1",
            localization=found.summary(),
            validation=tested.summary() if tested else None,
        )
        return
    _print(found, tested, "tokens" if isinstance(subject.extractor, Tokenised) else "words")


def _changed(
    localizer: Localizer, options: dict[str, str | None], rules: dict[str, Any]
) -> Localizer:
    given = {name: value for name, value in options.items() if value is not None}
    if "data" in given and given["data"] != localizer.data:
        given["data_options"] = ()  # type: ignore[assignment]
    chosen = {rule: value for rule, value in rules.items() if value is not None}
    if chosen:
        procedure = localizer.selection.procedure
        given["selection"] = Selection(**chosen, procedure=procedure)  # type: ignore[assignment]
    return replace(localizer, **given)  # type: ignore[arg-type]


def _print(found: Localization, tested: Validation | None, counted: str) -> None:
    rows = [
        (layer, str(len(mask)), str(int(mask.sum())), f"{100 * mask.mean():.1f} %")
        for layer, mask in found.mask.items()
    ]
    print_table(("layer", "units", "selected", "share"), rows)
    facts = [
        ("selected", f"{found.count} of {found.units}: {found.localizer}"),
        ("pooling", found.pooling),
        ("mask", found.digest[:12]),
    ]
    if found.tokens:
        facts.insert(2, (f"{counted} a text", _length(found.tokens, counted)))
    if tested is not None:
        facts += [("held out", _words(tested.whole))]
        facts += [(effect.fold, _words(effect)) for effect in tested.folds]
        facts += [("in every fold", f"{100 * tested.overlap:.0f} % of the units of any fold")]
    click.echo("\n".join(fact_lines(facts)))


def _length(means: Mapping[str, float], counted: str) -> str:
    """Mean lengths of the conditions, and a warning if they differ."""
    told = ", ".join(f"{mean:.1f} of {name}" for name, mean in means.items())
    short, long = sorted(means, key=lambda name: means[name])
    if means[long] <= 1.1 * means[short]:
        return f"{told}, on average"
    return (
        f"{told}, on average: {long} texts have {means[long] / means[short]:.1f} times as many "
        f"{counted}, so that what is found may be length"
    )


def _words(effect: Effect) -> str:
    return (
        f"{effect.difference:+.2f} SD ({100 * effect.level:g} %: {effect.low:+.2f} to "
        f"{effect.high:+.2f}), t = {effect.t:.1f}, {effect.units} units, {effect.stimuli} stimuli"
    )


def _write(output: Path, found: Localization) -> None:
    import numpy as np

    arrays: dict[str, Any] = {
        f"{layer}/{name}": part[layer]
        for name, part in (("mask", found.mask), ("t", found.t), ("p", found.p))
        for layer in found.layers
    }
    with output.open("wb") as file:
        np.savez(file, **arrays)
