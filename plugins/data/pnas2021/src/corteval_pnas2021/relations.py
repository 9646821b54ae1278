"""The relations between scores that the paper's figures show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import pandas as pd

from corteval.stats.relations import Relation, relate
from corteval_pnas2021.data import UNTRAINED
from corteval_pnas2021.families import families_of
from corteval_pnas2021.summaries import BEHAVIOURAL, LOSS, NEURAL, model_scores, neural_mean

#: Short names of columns.
NAMES: Final[Mapping[str, str]] = {
    **dict(zip(NEURAL, ("Pereira2018", "Fedorenko2016", "Blank2014"), strict=True)),
    BEHAVIOURAL: "Futrell2018",
    LOSS: "WikiText-2 loss",
}


@final
@dataclass(frozen=True, kw_only=True)
class Question:
    """Two columns of `model_table` whose relation the paper shows.

    Args:
        x, y: names of the columns.
        about: what it is asked for.
    """

    x: str
    y: str
    about: str


def _asked(about: str, x: str, *ys: str) -> tuple[Question, ...]:
    return tuple(Question(x=x, y=y, about=about) for y in ys)


#: In the order of the paper's figures.
QUESTIONS: Final[tuple[Question, ...]] = (
    *_asked(
        "next-word prediction",
        "WikiText-2 perplexity",
        *("neural mean", "Pereira2018", "Blank2014", "Futrell2018", "Fedorenko2016"),
    ),
    *_asked("next-word prediction", "WikiText-2 loss", "neural mean"),
    *_asked("other language tasks", "GLUE mean", "neural mean"),
    *_asked("reading times", "neural mean", "Futrell2018"),
    *_asked("reading times", "Pereira2018", "Futrell2018"),
    *_asked("reading times", "Blank2014", "Futrell2018"),
    *_asked("reading times", "Fedorenko2016", "Futrell2018"),
    *_asked("between recordings", "Pereira2018", "Fedorenko2016", "Blank2014"),
    *_asked("between recordings", "Fedorenko2016", "Blank2014"),
    *_asked("training", "neural mean, untrained", "neural mean"),
    *_asked("training", "mean of four, untrained", "mean of four"),
)


def model_table(table: pd.DataFrame) -> pd.DataFrame:
    """Scores of trained models, each at its best layer, beside what the figures derive of them.

    Args:
        table: of `PNAS2021.table`.

    Returns:
        A row a trained model. Columns: family; the benchmarks under `NAMES`, unclipped; the tasks
        of GLUE, and their mean where a model has all; perplexity, the exponential of the loss;
        ``neural mean`` and ``mean of four`` (with Futrell2018), clipped at 1 and NaN where a model
        lacks a benchmark; and these two ``, untrained``, of the model without training.
    """
    scores = model_scores(table)
    four = scores[[*NEURAL, BEHAVIOURAL]].clip(upper=1).mean(axis=1, skipna=False)
    means = {"neural mean": neural_mean(scores), "mean of four": four}
    bare = scores.index.str.endswith(UNTRAINED)
    found = scores[~bare].rename(columns=NAMES)
    tasks = glue_tasks(found)
    found["GLUE mean"] = found[tasks].mean(axis=1, skipna=False)
    found["WikiText-2 perplexity"] = np.exp(found["WikiText-2 loss"])
    for name, values in means.items():
        untrained = values[bare]
        untrained.index = untrained.index.str.removesuffix(UNTRAINED)
        found[name] = values
        found[f"{name}, untrained"] = untrained
    found.insert(0, "family", families_of(found.index))
    return found


def glue_tasks(scores: pd.DataFrame) -> list[str]:
    """Columns of single tasks of GLUE."""
    return [str(name) for name in scores if str(name).startswith("glue-")]


def relations(
    scores: pd.DataFrame,
    questions: Sequence[Question] = QUESTIONS,
    *,
    level: float = 0.95,
    resamples: int = 5000,
    seed: int = 0,
) -> dict[Question, Relation]:
    """Answer of each of `questions`, with intervals over models and over their families.

    Args:
        scores: of `model_table`.
        questions: about its columns.
        level, resamples, seed: of the intervals, see `relate`.
    """
    return {
        question: relate(
            scores[question.x].to_numpy(),
            scores[question.y].to_numpy(),
            clusters=scores["family"].to_numpy(str),
            level=level,
            resamples=resamples,
            seed=seed,
        )
        for question in questions
    }
