"""The released table as scores of recorded origin, for boards and pages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Literal, get_args

import pandas as pd

from corteval.errors import OptionError
from corteval.report.origin import PUBLISHED
from corteval.score import Estimate, Provenance, Score
from corteval_pnas2021 import __version__
from corteval_pnas2021.card import PNAS2021, SCORES
from corteval_pnas2021.data import UNTRAINED
from corteval_pnas2021.summaries import BEHAVIOURAL, NEURAL, best_layers

#: Which models: all 88, or the 44 with or without training.
Which = Literal["all", "trained", "untrained"]

#: Name on a board -> benchmark of the table. GLUE and wikitext-2 are no scores over a ceiling.
BENCHMARKS: Final[Mapping[str, str]] = {
    "Pereira2018-pnas2021": NEURAL[0],
    "Fedorenko2016-pnas2021": NEURAL[1],
    "Blank2014-pnas2021": NEURAL[2],
    "Futrell2018-pnas2021": BEHAVIOURAL,
}

_SOURCE = "Schrimpf et al. 2021"
_ORIGIN = f"{PUBLISHED}: {_SOURCE}, the table in the authors' repository"


def scores(table: pd.DataFrame, which: Which = "all") -> list[Score]:
    """Published scores at the layers that the paper reports: the best of each model.

    Values are correlations over ceilings as released, unclipped. Raw correlations and ceilings
    were not released, and the spread that was is no confidence interval: scores have none, and the
    spread is among their `further` quantities.

    Args:
        table: of `PNAS2021.table`.
        which: models.

    Returns:
        By model, in the table's order, and within it by benchmark, in the order of `BENCHMARKS`; of
        status ``"undefined"`` where the table has none.

    Raises:
        OptionError: for another `which`.
    """
    if which not in get_args(Which):
        raise OptionError(f"which is one of {', '.join(get_args(Which))}, not {which!r}.")
    kept = table[table["benchmark"].isin(BENCHMARKS.values())]
    layers = kept.dropna(subset=["score"]).groupby(["model", "benchmark"]).size()
    chosen = best_layers(kept)
    cells = zip(chosen["model"], chosen["benchmark"], strict=True)
    rows = zip(chosen["score"].tolist(), chosen["error"].tolist(), chosen["layer"], strict=True)
    best = dict(zip(cells, rows, strict=True))
    found = []
    for model in dict.fromkeys(str(name) for name in table["model"]):
        if which != "all" and model.endswith(UNTRAINED) != (which == "untrained"):
            continue
        for name, benchmark in BENCHMARKS.items():
            cell = (model, benchmark)
            if cell in best:
                found.append(_score(model, name, *best[cell], int(layers[cell])))
            else:
                found.append(_missing(model, name))
    return found


def _score(model: str, name: str, value: float, spread: float, layer: str, layers: int) -> Score:
    how = f"as released, at layer {layer or 'unnamed'}"
    chosen = f"the best of {layers} layers, chosen on the score that is reported"
    notes = [_ORIGIN, chosen if layers > 1 else "of the one layer that the table has"]
    if value > 1:
        notes.append("above its ceiling in the release; it is not clipped")
    error = spread if math.isfinite(spread) else None
    return Score(
        value=value,
        raw=Estimate(value=math.nan, method="not released", quantity="correlation"),
        normalization="r/c",
        notes=tuple(notes),
        provenance=_provenance(),
        model=model,
        benchmark=name,
        further={
            "released score": Estimate(
                value=value, error=error, method=f"{how}; error as the authors give it"
            )
        },
    )


def _missing(model: str, name: str) -> Score:
    return Score.unscored(
        "undefined",
        f"The table of {_SOURCE} has no score here.",
        notes=(_ORIGIN,),
        provenance=_provenance(),
        model=model,
        benchmark=name,
    )


def _provenance() -> Provenance:
    return Provenance(
        versions={"corteval-pnas2021": __version__},
        cards={f"data/{PNAS2021.identifier}": PNAS2021.version},
        digests={f"{PNAS2021.identifier} table": SCORES.sha256},
        access={PNAS2021.identifier: "public"},
        device="not known",
    )
