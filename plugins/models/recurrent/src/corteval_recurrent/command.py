"""``corteval recurrent``: train language models, and write cells for them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from corteval.cli.options import (
    json_option,
    mirror_option,
    offline_option,
    quiet_option,
    verbose_option,
)
from corteval.cli.tables import fact_lines, one_line, print_json, print_table, say
from corteval.errors import CortevalError

_TRAIN_EPILOG = """\b
Examples:
  corteval recurrent train --text Wikitext2.validation --id wiki-lstm
  corteval recurrent train --file novel.txt --cell gru --width 300 --out models/novel
  corteval recurrent train --text Wikitext2.validation --cell bc3 --id wiki-bc3
  corteval recurrent train --file a.txt --cell "h = Tanh(Add(MM(x), MM(h_prev)))" --out elman
  corteval score recurrent/wiki-lstm NaturalStories-pearsonr

\b
JSON:
  {"schema": "corteval.recurrent-train/1", "identifier": "recurrent/wiki-lstm", "folder": "...",
   "parameters": 2289792, "vocabulary": 9999, "training": {"held_out_perplexity": 188.2, ...}}
"""

_LS_EPILOG = """\b
JSON:
  {"schema": "corteval.recurrent-ls/1", "models": [{"name": "wiki-lstm", "cell": "lstm", ...}],
   "broken": [{"name": "...", "error": "..."}]}
"""

_CELLS_EPILOG = """\b
Sources: x, x_prev, h_prev, c_prev, PosEnc. Operators: MM, Sigmoid, Tanh, ReLU, LayerNorm, SeLU,
Sin, Cos (one argument), Add, Mult, Sub, Div (two), Gate3 (three).

\b
Examples:
  corteval recurrent cells
  corteval recurrent cells --random 10 --seed 3 --depth 4

\b
JSON:
  {"schema": "corteval.recurrent-cells/1",
   "cells": [{"name": "elman", "cell": "h = Tanh(...)", "weights_of_200_units": 80400}]}
"""


@click.group("recurrent")
def command() -> None:
    """Train recurrent language models; they are the subjects recurrent/NAME."""


@command.command("train", epilog=_TRAIN_EPILOG)
@click.option("--text", "data", multiple=True, metavar="DATA", help="Text of a data set.")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A text file in UTF-8.",
)
@click.option("--id", "name", metavar="NAME", help="Keep it as recurrent/NAME.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this folder instead.")
@click.option("--cell", default="lstm", show_default=True, help="lstm, gru, a name or a text.")
@click.option("--width", type=click.IntRange(min=1), default=200, show_default=True)
@click.option("--layers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--free", is_flag=True, help="Give the decoder weights of its own.")
@click.option("--dropout", type=float, default=0.3, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--epochs", type=int, default=12, show_default=True, help="At most.")
@click.option("--patience", type=int, default=2, show_default=True, help="Epochs without progress.")
@click.option("--learning-rate", type=float, default=3e-3, show_default=True)
@click.option("--batch", type=int, default=32, show_default=True)
@click.option("--steps", type=int, default=35, show_default=True, help="Gradients flow so far.")
@click.option("--held-out", type=float, default=0.1, show_default=True, help="Share to stop by.")
@click.option("--minimum", type=int, default=2, show_default=True, help="Rarer words are <unk>.")
@click.option("--most", type=int, default=10_000, show_default=True, help="Words at most.")
@click.option("--spelling/--no-spelling", default=True, help="Spell unknown words, or do not.")
@click.option("--lower-case", is_flag=True, help="Read texts in lower case.")
@click.option("--replace", "overwrite", is_flag=True, help="Replace a model that is there.")
@offline_option
@mirror_option
@quiet_option
@verbose_option
@json_option
def train(
    data: tuple[str, ...],
    files: tuple[Path, ...],
    name: str | None,
    out: Path | None,
    cell: str,
    width: int,
    layers: int,
    free: bool,
    dropout: float,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a language model on a text, and stop when held-out text gets no better.

    Everything is drawn under --seed. A million characters take minutes on two cores.
    """
    if not data and not files:
        raise click.UsageError("Give a text to learn from: --text DATA or --file FILE.")
    from corteval.cli.progress import working
    from corteval_recurrent import folder, learning
    from corteval_recurrent.network import Architecture
    from corteval_recurrent.training import Plan

    path = folder.place(out, name)
    plan = Plan(**{f.name: options[f.name] for f in fields(Plan) if f.name in options})
    Architecture(cell=cell, vocabulary=2, width=width, layers=layers, dropout=dropout)
    with working(quiet=quiet):
        trained = learning.train(
            [*data, *files],
            path,
            cell=cell,
            width=width,
            layers=layers,
            tied=not free,
            dropout=dropout,
            plan=plan,
            overwrite=overwrite,
        )
    identifier = f"recurrent/{name if name is not None else path.name}"
    parameters = sum(weight.numel() for weight in trained.network.parameters())
    if as_json:
        print_json(
            "corteval.recurrent-train/1",
            identifier=identifier,
            folder=str(path),
            parameters=parameters,
            vocabulary=len(trained.vocabulary),
            training=folder.load(path).training,
        )
        return
    click.echo(identifier)
    seconds = sum(epoch.seconds for epoch in trained.epochs)
    facts = [
        ("cell", cell),
        ("weights", f"{parameters:,}"),
        ("words", f"{trained.words[0]:,} read, {trained.words[1]:,} held out"),
        ("vocabulary", f"{len(trained.vocabulary):,}; {trained.unknown:.1%} held out are <unk>"),
        (
            "perplexity",
            f"{trained.perplexity:.1f} held out; {trained.first_perplexity:,.0f} untrained",
        ),
        ("epochs", f"{len(trained.epochs)} in {seconds:.0f} s, the best was number {trained.best}"),
        ("place", str(path)),
    ]
    click.echo("\n".join(fact_lines(facts)))


@command.command("ls", epilog=_LS_EPILOG)
@json_option
def ls(as_json: bool) -> None:
    """Show the models that have a name."""
    from corteval_recurrent import folder

    found, broken = [], []
    for name in folder.names():
        try:
            kept = folder.load(folder.home() / name)
        except CortevalError as error:
            broken.append({"name": name, "error": one_line(error)})
            continue
        found.append(
            {
                "name": name,
                "cell": kept.architecture.cell,
                "layers": kept.architecture.layers,
                "width": kept.architecture.width,
                "vocabulary": len(kept.vocabulary),
                "texts": [text.get("name") for text in kept.training.get("texts", [])],
                "held_out_perplexity": kept.training.get("held_out_perplexity"),
            }
        )
    if as_json:
        print_json("corteval.recurrent-ls/1", models=found, broken=broken)
        return
    header = ("identifier", "cell", "layers", "vocabulary", "perplexity", "text")
    print_table(header, [_row(model) for model in found])
    for entry in broken:
        say(f"recurrent/{entry['name']} is broken: {entry['error']}")


@command.command("cells", epilog=_CELLS_EPILOG)
@click.option("--random", "count", type=click.IntRange(min=1), help="Draw so many instead.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--depth", type=click.IntRange(min=2), default=5, show_default=True)
@json_option
def cells(count: int | None, seed: int, depth: int, as_json: bool) -> None:
    """Show the cells that have a name, or draw random ones."""
    from corteval_recurrent.expressions import count_parameters
    from corteval_recurrent.known_cells import CELLS
    from corteval_recurrent.parsing import parse
    from corteval_recurrent.search import candidates

    if count is None:
        shown = {name: parse(text) for name, text in CELLS.items()}
    else:
        drawn = candidates(count, seed=seed, depth=depth)
        shown = {f"candidate {number}": cell for number, cell in enumerate(drawn)}
    if as_json:
        found = [
            {"name": name, "cell": str(cell), "weights_of_200_units": count_parameters(cell, 200)}
            for name, cell in shown.items()
        ]
        print_json("corteval.recurrent-cells/1", cells=found)
        return
    for name, cell in shown.items():
        click.echo(f"# {name}\n{cell}\n")


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    perplexity = model["held_out_perplexity"]
    cell = model["cell"]
    return (
        f"recurrent/{model['name']}",
        cell if len(cell) <= 12 else "own",
        f"{model['layers']} x {model['width']}",
        str(model["vocabulary"]),
        "-" if perplexity is None else f"{perplexity:.1f}",
        ", ".join(filter(None, model["texts"])) or "-",
    )
