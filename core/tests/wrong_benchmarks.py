"""Toy benchmarks and cards that are right but for one thing, and all wrong toys together."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from core.tests.wrong_measures import (
    WRONG_CEILINGS,
    WRONG_DATA,
    WRONG_METRICS,
    with_dates,
    wrong_ceiling,
    wrong_data,
    wrong_metric,
)
from core.tests.wrong_models import WRONG_MODELS, jitter, unit_bias, wrong_model

from corteval.benchmark import NeuralBenchmark
from corteval.cards import Resource
from corteval.errors import UndefinedScore
from corteval.requests import Recording
from corteval.score import Estimate
from corteval.testing import subjects, toys


@dataclass
class WrongBenchmark:
    card: Any
    requests: Any
    ceiling: Any
    ideal_responses: Any
    call: Any

    def __call__(self, model):
        return self.call(model)


def scoring(change):
    """A benchmark whose score is changed by `change(score, model, right)`."""
    return lambda right: {"call": lambda model: change(right(model), model, right)}


def halved(score, model, right):
    interval = replace(score.interval, low=score.interval.low / 2, high=score.interval.high / 2)
    return replace(score, value=score.value / 2, interval=interval)


def generous(score, model, right):
    return right(subjects.ReplaySubject(responses=right.ideal_responses(0)))


def biased(score, model, right):
    (answer,) = model.respond(toys.ToyData().stimuli(), right.requests()).values()
    bias = unit_bias(answer)
    return replace(score, value=score.value - bias, notes=("the interval is elsewhere",))


def matching_rows_by_position(right):
    ids = ("presentation", toys.ToyData().stimuli().stimulus_ids)

    def call(model):
        relabelled = subjects.InterposedSubject(
            subject=model, change=lambda answer: answer.assign_coords(stimulus_id=ids)
        )
        return right(relabelled)

    return {"call": call}


def seed_dependent(score, model, right):
    return replace(score, raw=replace(score.raw, value=score.raw.value - 0.5 * (right.seed > 0)))


WRONG_BENCHMARKS = {
    "requests": lambda right: {"requests": lambda: ()},
    "asks_as_declared": lambda right: {"requests": lambda: (Recording("V1"),)},
    "ceiling": lambda right: {"ceiling": lambda: Estimate(value=np.nan)},
    "ceiling/random": lambda right: {
        "ceiling": lambda: replace(right.ceiling(), value=1 + jitter())
    },
    "perfect_subject": scoring(halved),
    "shuffled_subject": scoring(generous),
    "row_order": matching_rows_by_position,
    "unit_order": scoring(biased),
    "determinism": scoring(lambda score, *_: replace(score, value=score.value + jitter())),
    "seed": scoring(seed_dependent),
    "score_complete": scoring(lambda score, *_: replace(score, interval=None)),
    "score_complete/ceiling": scoring(
        lambda score, *_: replace(score, ceiling=None, normalization="")
    ),
    "ceiling/lost": lambda right: {"ceiling": lambda: lost()},
    "provenance": scoring(lambda score, *_: replace(score, provenance=None)),
    "json_round_trip": scoring(lambda score, *_: with_dates(score)),
}


def lost():
    raise UndefinedScore("it was here yesterday")


def wrong_benchmark(card, how, seed=0):
    right = NeuralBenchmark(card=card, seed=seed)
    members = ("requests", "ceiling", "ideal_responses")
    parts = {name: getattr(right, name) for name in members} | {"call": right}
    return WrongBenchmark(card=card, **parts | WRONG_BENCHMARKS[how](right))


def wrong_card(right, factory, how, **changes):
    made_by = f"{factory.__module__}:{factory.__name__}"
    return replace(right, factory=made_by, options={"how": how}, **changes)


UNPINNED = Resource(url="https://example.org/data.zip", sha256="0" * 64, size=0, licence="MIT")
BAD_CARDS = [
    {"summary": ""},
    {"summary": "two\nlines"},
    {"summary": "long " * 30},
    {"licence": " "},
    {"version": 0},
    {"bibtex": ""},
    {"bibtex": "@misc{key, title = {open}"},
    {"bibtex": "Author (2020)"},
    {"resources": (UNPINNED,)},
]


#: (kind, check that must fail, card)
WRONG = [
    *(
        (kind, how.partition("/")[0], wrong_card(right, factory, how))
        for kind, right, factory, table in (
            ("models", toys.VISION, wrong_model, WRONG_MODELS),
            ("metrics", toys.PREDICTIVITY, wrong_metric, WRONG_METRICS),
            ("metrics", toys.RELIABILITY, wrong_ceiling, WRONG_CEILINGS),
            ("data", toys.DATA, wrong_data, WRONG_DATA),
            ("benchmarks", toys.BENCHMARK, wrong_benchmark, WRONG_BENCHMARKS),
        )
        for how in table
    ),
    *(("data", "card", replace(toys.DATA, **change)) for change in BAD_CARDS),
    ("data", "factory", replace(toys.DATA, factory="corteval.testing.toys:missing")),
    ("data", "factory", replace(toys.DATA, factory="corteval.testing.toys:_BIBTEX")),
    ("data", "factory", replace(toys.DATA, options={"colour": "red"})),
    ("data", "modality", replace(toys.DATA, modality="text")),
    ("metrics", "symmetry", replace(toys.PREDICTIVITY, symmetric=True)),
]
