"""Best layers and means over benchmarks, as the paper's figures take them."""

from __future__ import annotations

import pandas as pd

from corteval.errors import OptionError

#: Benchmarks of brains, whose mean the paper relates to everything else.
NEURAL = ("Pereira2018-encoding", "Fedorenko2016v3-encoding", "Blank2014fROI-encoding")
BEHAVIOURAL = "Futrell2018-encoding"
#: A loss: the best layer of it is not the highest.
LOSS = "wikitext-2"


def best_layers(table: pd.DataFrame) -> pd.DataFrame:
    """The row with the highest score for each model and benchmark; the first among equals.

    The layer is chosen on the scores that are reported, so these are too high by what the choice
    makes of noise. Rows without score are left out; so are models without any.

    Args:
        table: of `PNAS2021.table`, or some of its rows.

    Returns:
        Rows of `table`, in its order.

    Raises:
        OptionError: if a model has several rows for wikitext-2, a loss.
    """
    scored = table.dropna(subset=["score"])
    losses = scored[scored["benchmark"] == LOSS]
    if losses["model"].duplicated().any():
        twice = losses["model"][losses["model"].duplicated()].iloc[0]
        raise OptionError(
            f"{twice} has several rows for {LOSS}. It is a loss, so the highest is not the best: "
            "leave these rows out, or keep the lowest of each model."
        )
    best = scored.groupby(["model", "benchmark"], sort=False)["score"].idxmax()
    return scored.loc[sorted(best)]


def model_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Scores of the best layers: a row a model, a column a benchmark, NaN where there is none."""
    return best_layers(table).pivot(index="model", columns="benchmark", values="score")


def neural_mean(scores: pd.DataFrame, *, clip: float | None = 1.0) -> pd.Series:
    """Mean over the three benchmarks of brains, by model.

    Args:
        scores: of `model_scores`.
        clip: scores above it count as it, as the paper has them; None leaves them.

    Returns:
        NaN for models that lack one of the three.
    """
    brains = scores[list(NEURAL)]
    clipped = brains if clip is None else brains.clip(upper=clip)
    return clipped.mean(axis=1, skipna=False).rename("neural_mean")
