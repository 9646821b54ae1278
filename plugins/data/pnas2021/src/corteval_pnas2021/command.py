"""``corteval pnas2021``: the published scores as a file that boards and pages read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from corteval import registry
from corteval.cli.files import check_writable, write_lines
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import print_json, say
from corteval.errors import StoreError
from corteval_pnas2021.scores import BENCHMARKS, Which, scores

_EPILOG = """\b
Examples:
  corteval pnas2021 --output scores.jsonl
  corteval pnas2021 --output trained.jsonl --models trained
  corteval report --from trained.jsonl --output pnas2021.html

Every score is marked as published: nothing is computed, and none has an interval. Relations
between benchmarks as in the paper are of trained models.

\b
JSON:
  {"schema": "corteval.pnas2021/1", "file": "scores.jsonl", "scores": 352, "scored": 348,
   "models": 88, "benchmarks": ["Pereira2018-pnas2021", ...]}
"""


@click.command("pnas2021", epilog=_EPILOG)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file, one JSON object a line.",
)
@click.option(
    "--models",
    "which",
    type=click.Choice(get_args(Which)),
    default="all",
    show_default=True,
    help="All, or those with or without training.",
)
@verbose_option
@json_option
def command(output: Path, which: Any, as_json: bool) -> None:
    """Write the published scores of Schrimpf et al. 2021.

    44 language models, with and without training, on Pereira2018, Fedorenko2016, Blank2014 and
    Futrell2018, each at its best layer.
    """
    check_writable(output)
    found = scores(registry.data.create("PNAS2021").table(), which)
    if not write_lines(output, (score.to_json() for score in found)):
        raise StoreError(f"{output} was not written.")
    models = len({score.model for score in found})
    scored = sum(score.status == "scored" for score in found)
    if as_json:
        print_json(
            "corteval.pnas2021/1",
            file=str(output),
            scores=len(found),
            scored=scored,
            models=models,
            benchmarks=[*BENCHMARKS],
        )
        return
    say(f"{output}: {scored} published scores of {models} models on {len(BENCHMARKS)} benchmarks.")
