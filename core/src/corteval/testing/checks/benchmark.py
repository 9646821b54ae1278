"""Checks of benchmarks: a perfect subject is at the ceiling, a shuffled one at chance."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import numpy as np

from corteval import registry
from corteval.benchmark import Benchmark, SelfTesting
from corteval.cards import BenchmarkCard
from corteval.errors import CortevalError, NotInData, UndefinedScore
from corteval.model import ModelCommitment, describe
from corteval.requests import Recording, Request, as_json
from corteval.score import NORMALIZATIONS, Score
from corteval.scoring import score
from corteval.testing import CheckFailure, NotApplicable, toys
from corteval.testing.checks.ceiling import require_finite
from corteval.testing.checks.metric import require_round_trip
from corteval.testing.specimen import Specimen, global_random_state, once, require
from corteval.testing.subjects import (
    InterposedSubject,
    RefusingSubject,
    ReplaySubject,
    reordered,
    shuffled,
)

#: Normalised scores this close are the same: iterative fits stop a little earlier or later.
TOLERANCE = 1e-4

#: What a perfect subject reaches at least, and how far above chance a shuffled one may come.
PERFECT, LUCK = 0.9, 0.15


def check_requests(specimen: Specimen) -> None:
    """requests() says what a subject needs, so that one that supports nothing is not asked."""
    requests = _benchmark(specimen).requests()
    require(requests, "requests() is empty. List every request the benchmark makes.")
    odd = [r for r in requests if not isinstance(r, Request)]
    require(not odd, f"{odd[:1]} is no request; see corteval.requests.")
    json.dumps([as_json(r) for r in requests])
    result = score(RefusingSubject(), _benchmark(specimen))
    require(
        result.status == "not-applicable",
        f"A subject that supports nothing gets status {result.status}, not 'not-applicable'.",
    )


def check_asks_as_declared(specimen: Specimen) -> None:
    """A subject that supports no more than what requests() lists can be scored.

    Trials and units named by id may be added freely: they narrow what is listed.
    """
    declared = {_essence(request) for request in _benchmark(specimen).requests()}
    if not declared:
        raise NotApplicable("It declares no requests, see check requests.")
    subject = InterposedSubject(
        subject=_subject(specimen), allows=lambda request: _essence(request) in declared
    )
    score(subject, _benchmark(specimen))
    require(subject.asked, "The subject was scored but asked nothing.")


def check_ceiling(specimen: Specimen) -> None:
    """The ceiling is finite, positive, and the same for two instances."""
    try:
        ceiling = _benchmark(specimen).ceiling()
    except UndefinedScore as reason:
        if _promises_ceiling(specimen):
            raise CheckFailure(f"The card names a ceiling, but there is none: {reason}") from reason
        raise NotApplicable(f"Its card names no ceiling: {reason}") from reason
    require_finite(ceiling)
    require(ceiling.value > 0, f"The ceiling is {ceiling.value:.4g}; no score can be normalised.")
    with global_random_state(7):
        again = _second(specimen).ceiling()
    require(
        repr(asdict(ceiling)) == repr(asdict(again)),  # where replicates are NaN in both
        f"Two instances have ceilings {ceiling.value:.9g} and {again.value:.9g}, or differ in "
        "error or replicates. Seed what is drawn.",
    )


def check_perfect_subject(specimen: Specimen) -> None:
    """A subject that answers with the data scores at the ceiling."""
    _replay(specimen)
    result = _score(specimen)
    require(
        result.status == "scored" and result.value >= PERFECT,
        f"Its own ideal responses score {result.value:.4g} ({result.reason or result.status}); at "
        f"least {PERFECT} is expected of a perfect subject.",
    )


def check_shuffled_subject(specimen: Specimen) -> None:
    """A subject that confuses all stimuli scores at chance, or has no score."""
    card = specimen.card
    chance = card.chance if isinstance(card, BenchmarkCard) else 0.0
    result = score(shuffled(_replay(specimen), seed=8), _benchmark(specimen))
    require(
        result.status == "undefined" or result.value <= chance + LUCK,
        f"Ideal responses, given to the wrong stimuli, score {result.value:.4g}; chance is "
        f"{chance:g}. Match responses and data by stimulus_id, and keep training data apart.",
    )


def check_row_order(specimen: Specimen) -> None:
    """The order in which a subject returns its rows does not matter."""
    _require_unmoved(specimen, "presentation", "Match rows by stimulus_id, not by position.")


def check_unit_order(specimen: Specimen) -> None:
    """The order of a subject's units does not matter."""
    _require_unmoved(specimen, "neuroid", "Match units by neuroid_id, not by position.")


def check_determinism(specimen: Specimen) -> None:
    """Two instances give the same score, bit for bit, whatever the global random state."""
    first = _defined_score(specimen)
    with global_random_state(7):
        second = score(_subject(specimen), _second(specimen))
    texts = [replace(s, provenance=None).to_json() for s in (first, second)]
    require(
        texts[0] == texts[1],
        f"Two instances give different scores, {first.value!r} and {second.value!r}, or differ in "
        "interval or samples. Seed what is drawn.",
    )


def check_seed(specimen: Specimen) -> None:
    """Another seed moves intervals, and the raw score within its error at most."""
    if not specimen.takes("seed"):
        raise NotApplicable("Its factory takes no seed.")
    first = _defined_score(specimen)
    other = score(_subject(specimen), specimen.create(seed=12345))
    for name in ("status", "normalization"):
        a, b = getattr(first, name), getattr(other, name)
        require(a == b, f"Another seed changes the {name} from {a!r} to {b!r}.")
    if first.raw is None or other.raw is None:
        raise NotApplicable("Its score has no raw estimate, see check score_complete.")
    moved, error = abs(first.raw.value - other.raw.value), first.raw.error or 0.0
    require(
        moved <= 3 * error + 1e-9,
        f"Another seed moves the raw score by {moved:.4g}; its error is {error:.4g}. Fix the "
        "splits, or average over more of them.",
    )


def check_score_complete(specimen: Specimen) -> None:
    """The score has raw value, ceiling, normalisation, and an interval that holds the value.

    Of a benchmark whose card names no ceiling, it may do without ceiling and normalisation.
    """
    result = _defined_score(specimen)
    require(np.isfinite(result.value), f"The score is {result.value} with status scored.")
    bare = result.ceiling is None and not _promises_ceiling(specimen)
    require(
        result.normalization in NORMALIZATIONS or (bare and not result.normalization),
        f"The normalisation is {result.normalization!r}; known are {', '.join(NORMALIZATIONS)}.",
    )
    needed = ("raw",) if bare else ("raw", "ceiling")
    lacking = [name for name in needed if getattr(result, name) is None]
    require(not lacking, f"The score has no {' and no '.join(lacking)}.")
    interval = result.interval
    explained = any("no interval" in note for note in result.notes)
    require(
        explained or (interval is not None and interval.low <= result.value <= interval.high),
        "The score has no interval, and no note says why (a note that begins 'no interval')."
        if interval is None
        else f"The interval {interval.low:.4g} to {interval.high:.4g} does not hold the value "
        f"{result.value:.4g}, and no note says why (a note that begins 'no interval').",
    )


def check_provenance(specimen: Specimen) -> None:
    """The score says by digest which stimuli and which data it was computed from."""
    provenance = _defined_score(specimen).provenance
    digests = dict(provenance.digests) if provenance else {}
    require(digests, "The score's provenance has no digests of stimuli and assembly.")
    odd = {name: text for name, text in digests.items() if not re.fullmatch("[0-9a-f]{64}", text)}
    require(not odd, f"These digests are no SHA-256: {odd}.")


def check_json_round_trip(specimen: Specimen) -> None:
    """The score survives being written as JSON."""
    require_round_trip(_defined_score(specimen))


@once
def _benchmark(specimen: Specimen) -> Benchmark:
    benchmark: Benchmark = specimen.create()
    return benchmark


@once
def _second(specimen: Specimen) -> Benchmark:
    benchmark: Benchmark = specimen.create()
    return benchmark


@once
def _replay(specimen: Specimen) -> ReplaySubject:
    benchmark = _benchmark(specimen)
    if not isinstance(benchmark, SelfTesting):
        raise NotApplicable(
            f"{type(benchmark).__name__} has no ideal_responses(seed), see "
            "corteval.benchmark.SelfTesting."
        )
    try:
        return ReplaySubject(responses=benchmark.ideal_responses(0))
    except NotInData as reason:
        raise NotApplicable(str(reason)) from reason


@once
def _subject(specimen: Specimen) -> ModelCommitment:
    """The perfect subject where there is one, else a toy of the modality of the data."""
    benchmark = _benchmark(specimen)
    if isinstance(benchmark, SelfTesting):
        return _replay(specimen)
    toy = toys.text() if "text" in _modalities(specimen) else toys.vision()
    refused = [describe(r) for r in benchmark.requests() if not toy.supports(r)]
    if refused:
        raise NotApplicable(f"{toy.identifier} cannot answer {refused[0]}.")
    return toy


def _promises_ceiling(specimen: Specimen) -> bool:
    return not (isinstance(specimen.card, BenchmarkCard) and specimen.card.ceiling is None)


def _modalities(specimen: Specimen) -> set[str]:
    names = specimen.card.data if isinstance(specimen.card, BenchmarkCard) else ()
    try:
        return {registry.data_card(name).modality for name in names}
    except CortevalError:  # data that are no plugin; images are what most benchmarks show
        return set()


@once
def _score(specimen: Specimen) -> Score:
    return score(_subject(specimen), _benchmark(specimen))


def _defined_score(specimen: Specimen) -> Score:
    result = _score(specimen)
    if result.status != "scored":
        raise NotApplicable(f"{_subject(specimen).identifier} has no score: {result.reason}")
    return result


def _essence(request: Request) -> Request:
    if not isinstance(request, Recording):
        return request
    by_id = request.units is not None and request.units.coordinates == {"neuroid_id"}
    return replace(request, trials=1, units=None if by_id else request.units)


def _require_unmoved(specimen: Specimen, dim: str, advice: str) -> None:
    straight = _defined_score(specimen)
    subject = InterposedSubject(subject=_subject(specimen), change=reordered(dim, 9))
    moved = score(subject, _benchmark(specimen))
    require(
        moved.status == "scored" and abs(moved.value - straight.value) <= TOLERANCE,
        f"With the {dim} dimension of the answers in another order the score is {moved.value:.6g} "
        f"({moved.reason or moved.status}), not {straight.value:.6g}. {advice}",
    )
