"""Which layer answers a target: every candidate is scored, and choosing is kept from reporting.

    import corteval.layers as layers

    search = layers.prepare("timm/resnet18", ["MajajHong2015.IT-pls"])
    scores = list(layers.scores_of(search))
    choices = layers.choose(search, scores)
    reports = list(layers.reports_of(search, choices))

A layer picked on the stimuli its score is reported for is picked for its luck there too. So
without `select_on` the layer is chosen on one part of a benchmark's stimuli, and reported for the
other; with it, on another benchmark.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import cast, final

from corteval import registry
from corteval import store as stores
from corteval.benchmark import Benchmark, Divisible
from corteval.commitment import LayerCommitment, Layered, Reducible
from corteval.errors import CortevalError, OptionError, UndefinedScore
from corteval.layer_names import blocks_of_layers, layers_named
from corteval.model import ModelCommitment
from corteval.requests import Recording
from corteval.score import Score
from corteval.scoring import build_benchmark, build_model, score_all
from corteval.stats.splits import GROUPINGS
from corteval.stimulus_part import StimulusPart
from corteval.store import Store
from corteval.units import count_units

#: How a layer is chosen, for records.
RULE = "the highest mean of the target's scores; of equal layers the one computed first"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """Which layer answers one target.

    Args:
        target: recorded.
        chosen_on: benchmarks whose mean decides.
        reported_on: benchmarks that the chosen layer is scored on.
    """

    target: str
    chosen_on: tuple[Benchmark, ...]
    reported_on: tuple[Benchmark, ...]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """Everything that is to be computed.

    Args:
        model: the subject, recording as it shall.
        original: the subject as it was given.
        name: of the model.
        candidates: layers in the order in which they are computed.
        questions: one for each target.
        features: number of random features kept of larger layers; None keeps units.
    """

    model: LayerCommitment
    original: LayerCommitment
    name: str
    candidates: tuple[str, ...]
    questions: tuple[Question, ...]
    features: int | None = None

    @cached_property
    def units(self) -> Mapping[str, int]:
        """Number of units of each candidate, or of features."""
        return {c: count_units(self.model.extractor.units(c)) for c in self.candidates}

    @property
    def cells(self) -> int:
        """Number of scores that decide."""
        return len(self.candidates) * sum(len(q.chosen_on) for q in self.questions)


@final
@dataclass(frozen=True, kw_only=True)
class LayerScore:
    """A candidate's score in a benchmark that decides."""

    target: str
    benchmark: str
    layer: str
    score: Score


@final
@dataclass(frozen=True, kw_only=True)
class Choice:
    """The layer of a target, and its mean score in the benchmarks that decided."""

    target: str
    layer: str
    mean: float


def prepare(
    model: str | ModelCommitment,
    benchmarks: Sequence[str | Benchmark],
    *,
    layers: str = "",
    every: bool = False,
    select_on: Sequence[str | Benchmark] = (),
    share: float = 0.5,
    seed: int | None = None,
    features: int | None = None,
) -> Search:
    """Check what is asked for and build it; the network is shown nothing but a grey image.

    Args:
        model: identifier or subject, whose extractor is `Layered`.
        benchmarks: to report. Those of one target choose its layer together, by their mean.
        layers: comma list of names and patterns; empty takes the last layer of each block, as
            `blocks_of_layers` finds them.
        every: take every layer.
        select_on: choose on these benchmarks instead of on a part of the stimuli.
        share: of the stimuli to choose on.
        seed: of the division of the stimuli and, if given, of the benchmarks' resampling.
        features: keep so many random projections of layers with more units.

    Raises:
        OptionError: if something cannot be chosen as asked, with what to do instead.
        UndefinedScore: if a benchmark has no ceiling on the stimuli it is computed on.
    """
    subject = build_model(model)
    how = registry.creation_of(subject)
    name = how.identifier if how else subject.identifier
    commitment = _layered(subject, name)
    names = cast("Layered", commitment.extractor).layer_names()
    if layers and every:
        raise OptionError("Name layers, or ask for all of them; not both.")
    wanted = layers_named(layers, names, commitment.extractor, name) if layers else names
    part = StimulusPart(share=share, seed=seed or 0, together=GROUPINGS)
    return Search(
        model=commitment if features is None else _reduced(commitment, name, features, seed or 0),
        original=commitment,
        name=name,
        candidates=tuple(wanted if layers or every else blocks_of_layers(names)),
        questions=_questions(
            [build_benchmark(b, seed) for b in benchmarks],
            [build_benchmark(b, seed) for b in select_on],
            part,
        ),
        features=features,
    )


@contextlib.contextmanager
def shelf(*, keep: bool = True) -> Iterator[Path]:
    """Where responses lie while layers are scored: the store in force, or a temporary one."""
    active = stores.active()
    if keep and active is not None:
        yield active.folder
        return
    with tempfile.TemporaryDirectory(prefix="corteval-") as folder, stores.using(Store(folder)):
        yield Path(folder)


def bytes_to_store(search: Search) -> int:
    """Bytes of the candidates' responses, as far as benchmarks say what they show."""
    shown: dict[str, int] = {}
    for benchmark in (b for q in search.questions for b in q.chosen_on):
        if isinstance(benchmark, Divisible):
            stimuli = benchmark.stimuli()
            shown[stimuli.digest()] = len(stimuli)
    return 4 * sum(search.units.values()) * sum(shown.values())


def scores_of(search: Search) -> Iterator[LayerScore]:
    """Scores of all candidates, layer by layer, of one benchmark after the other.

    With a store in force (`shelf`) the first layer's forward pass records all others. A layer
    that cannot be recorded or scored has a score of status ``failed``, and stops no other.
    """
    for question in search.questions:
        for benchmark in question.chosen_on:
            yield from _together(search, question.target, benchmark, search.candidates)


def choose(search: Search, scores: Sequence[LayerScore]) -> list[Choice]:
    """The layer of each target; none of a target in which no layer has all its scores.

    A layer takes part if every benchmark of the target gave it a score; see `RULE`.
    """
    choices = []
    for question in search.questions:
        means = means_of(question, scores)
        if means:
            best = max(means.values())
            layer = next(c for c in search.candidates if means.get(c) == best)
            choices.append(Choice(target=question.target, layer=layer, mean=best))
    return choices


def means_of(question: Question, scores: Sequence[LayerScore]) -> dict[str, float]:
    """By layer, the mean of its scores in the benchmarks that decide, if it has all of them."""
    values: dict[str, list[float]] = {}
    for found in scores:
        if found.target == question.target and found.score.status == "scored":
            values.setdefault(found.layer, []).append(found.score.value)
    wanted = len(question.chosen_on)
    return {layer: fmean(v) for layer, v in values.items() if len(v) == wanted}


def reports_of(search: Search, choices: Sequence[Choice]) -> Iterator[Score]:
    """Scores of the chosen layers, on stimuli or benchmarks they were not chosen on."""
    chosen = {choice.target: choice.layer for choice in choices}
    for question in search.questions:
        layer = chosen.get(question.target)
        if layer is None:
            continue
        model = replace(
            search.model,
            layers={**search.original.layers, question.target: layer},
            layer_notes=(),
        )
        options = {} if search.features is None else {"features": search.features}
        registry.derive(model, search.original, layers=f"{question.target}={layer}", **options)
        for benchmark in question.reported_on:
            (result,) = score_all([model], [benchmark])
            notes = (*result.notes, *_notes(search, question, layer, benchmark))
            yield replace(result, notes=notes)


def shared_stimuli(question: Question, benchmark: Benchmark) -> int | None:
    """How many stimuli of `benchmark` the choice has seen, by content; None if it is not known."""
    if not isinstance(benchmark, Divisible):
        return None
    seen: set[str] = set()
    for other in question.chosen_on:
        if not isinstance(other, Divisible):
            return None
        seen |= set(other.stimuli().contents())
    return sum(content in seen for content in benchmark.stimuli().contents())


def _together(
    search: Search, target: str, benchmark: Benchmark, layers: Sequence[str]
) -> Iterator[LayerScore]:
    """Scores of `layers`, recorded in one pass; if that fails, in two, and so on.

    A pass fails as a whole, for one layer that responds with NaN or is too large. Halving finds it
    with few passes more.
    """
    extractor = cast("Layered", search.model.extractor).recording_alongside(layers)
    for position, layer in enumerate(layers):
        subject = replace(
            search.model,
            identifier=f"{search.name} [{layer}]",
            extractor=extractor,
            layers={target: layer},
            layer_notes=(),
        )
        (score,) = score_all([subject], [benchmark])
        if score.status == "failed" and len(layers) > 1:
            remaining = layers[position:]
            middle = (len(remaining) + 1) // 2
            for half in filter(None, (remaining[:middle], remaining[middle:])):
                yield from _together(search, target, benchmark, half)
            return
        name = benchmark.card.identifier
        yield LayerScore(target=target, benchmark=name, layer=layer, score=score)


def _questions(
    benchmarks: Sequence[Benchmark], select_on: Sequence[Benchmark], part: StimulusPart
) -> tuple[Question, ...]:
    """Benchmarks by target, each with what decides."""
    reported, deciding = _by_target(benchmarks), _by_target(select_on)
    if select_on:
        _check_select_on(reported, deciding)
    questions = []
    for target, asked in reported.items():
        if select_on:
            question = Question(
                target=target, chosen_on=tuple(deciding[target]), reported_on=tuple(asked)
            )
        else:
            question = Question(
                target=target,
                chosen_on=tuple(_on(b, part) for b in asked),
                reported_on=tuple(_on(b, replace(part, which="report")) for b in asked),
            )
        for benchmark in (*question.chosen_on, *question.reported_on):
            _check_ceiling(benchmark)
        questions.append(question)
    return tuple(questions)


def _by_target(benchmarks: Sequence[Benchmark]) -> dict[str, list[Benchmark]]:
    found: dict[str, list[Benchmark]] = {}
    for benchmark in benchmarks:
        targets = {r.target for r in benchmark.requests() if isinstance(r, Recording)}
        if len(targets) != 1:
            raise OptionError(
                f"{benchmark.card.identifier} records {' and '.join(sorted(targets)) or 'nothing'};"
                " a layer is chosen for benchmarks that record one target."
            )
        found.setdefault(targets.pop(), []).append(benchmark)
    return found


def _check_select_on(
    reported: Mapping[str, Sequence[Benchmark]], deciding: Mapping[str, Sequence[Benchmark]]
) -> None:
    for target in reported:
        if target not in deciding:
            raise OptionError(
                f"{target} is reported, but no benchmark to choose on records it. Add one: "
                "select_on, --select-on."
            )
    for target, benchmarks in deciding.items():
        if target not in reported:
            names = ", ".join(b.card.identifier for b in benchmarks)
            raise OptionError(f"{names} would choose a layer of {target}, which is not reported.")
    for target in reported:
        choosing = {b.card.identifier for b in deciding[target]}
        for benchmark in reported[target]:
            if benchmark.card.identifier in choosing:
                raise OptionError(
                    f"{benchmark.card.identifier} cannot both choose and be reported. Choose on "
                    "another data set, or leave select_on out to divide its stimuli."
                )


def _on(benchmark: Benchmark, part: StimulusPart) -> Benchmark:
    if not isinstance(benchmark, Divisible):
        raise OptionError(
            f"{benchmark.card.identifier} cannot be computed on a part of its stimuli, so that a "
            "layer chosen on it has no score of its own. Choose on another benchmark of "
            f"{benchmark.card.target}: select_on, --select-on."
        )
    return registry.derive(benchmark.on(part), benchmark, part=part)


def _check_ceiling(benchmark: Benchmark) -> None:
    """Fail before any layer does, if none can have a score; and have the data at hand."""
    try:
        benchmark.ceiling()
    except UndefinedScore as error:
        if benchmark.card.ceiling is None:  # its scores are not normalised
            return
        raise UndefinedScore(f"{benchmark.card.identifier}: {error}") from error


def _layered(subject: ModelCommitment, name: str) -> LayerCommitment:
    """`subject`, if its layers can be listed."""
    if isinstance(subject, LayerCommitment) and isinstance(subject.extractor, Layered):
        return subject
    inner = subject.extractor if isinstance(subject, LayerCommitment) else subject
    raise OptionError(
        f"The layers of {name} cannot be listed: its {type(inner).__name__} has no layer_names() "
        "and recording_alongside() (corteval.commitment.Layered). Networks of corteval-pytorch "
        "have."
    )


def _reduced(model: LayerCommitment, name: str, features: int, seed: int) -> LayerCommitment:
    if not isinstance(model.extractor, Reducible):
        raise OptionError(
            f"{name} keeps all units: its {type(model.extractor).__name__} has no reduced() "
            "(corteval.commitment.Reducible). Leave the number of features out."
        )
    return replace(model, extractor=model.extractor.reduced(features, seed))


def _notes(search: Search, question: Question, layer: str, benchmark: Benchmark) -> tuple[str, ...]:
    """What a reader of a chosen layer's score must know."""
    names = ", ".join(b.card.identifier for b in question.chosen_on)
    count = len(search.candidates)
    notes = [f"{question.target} is {layer}, chosen among {count} layers on {names}"]
    if search.features is not None:
        notes.append(f"of layers with more units, {search.features} random projections are used")
    try:
        shared = shared_stimuli(question, benchmark)
    except CortevalError as error:
        return (*notes, f"whether the choice has seen these stimuli is not known: {error}")
    if shared is None:
        notes.append(
            f"whether {names} shows stimuli of {benchmark.card.identifier} is not known; as far as "
            "it does, the choice has seen them"
        )
    elif shared:
        notes.append(
            f"the choice has seen {shared} of these stimuli, so that this score may be too high"
        )
    return tuple(notes)
