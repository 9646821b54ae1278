"""Layer maps: which layer of a model answers which target, and how that was chosen, as JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

from corteval import registry
from corteval.benchmark import Benchmark, Divisible
from corteval.commitment import Documented, LayerCommitment, Layers
from corteval.errors import CortevalError, OptionError
from corteval.layers import RULE, Choice, LayerScore, Question, Search
from corteval.model import ModelCommitment
from corteval.score import Provenance, Score
from corteval.scoring import build_model, score_all

SCHEMA = "corteval.layer-map/1"


@final
@dataclass(frozen=True, kw_only=True)
class LayerMap:
    """Layers of one model by target.

    Args:
        model: identifier.
        layers: target -> layer.
        fingerprint: of the network they were chosen in, if it has one.
        data: by target, data sets that chose.
        digest: SHA-256 of the file.
    """

    model: str
    layers: Mapping[str, str]
    fingerprint: str | None = None
    data: Mapping[str, tuple[str, ...]]
    digest: str


def read_map(path: Path) -> LayerMap:
    """The map in a file that `text_of` wrote.

    Raises:
        OptionError: if the file cannot be read or is no map.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            found = content.get("schema") if isinstance(content, dict) else None
            raise ValueError(f"its schema is {found!r}, not {SCHEMA!r}")
        layers = content["layers"]
        if not layers or not all(isinstance(v, str) for pair in layers.items() for v in pair):
            raise ValueError("its layers are not target: layer")
        return LayerMap(
            model=str(content["model"]),
            layers=layers,
            fingerprint=content["fingerprint"],
            data={
                target: tuple(name for b in how["benchmarks"] for name in b["data"])
                for target, how in content["selection"].items()
            },
            digest=hashlib.sha256(text.encode()).hexdigest(),
        )
    except OSError as error:
        raise OptionError(
            f"The layer map {path} cannot be read: {error.strerror or error}. "
            f"`corteval layers MODEL BENCHMARK --output {path}` writes one."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OptionError(
            f"{path} is no layer map: {error}. `corteval layers MODEL BENCHMARK --output {path}` "
            "writes one."
        ) from error


def with_map(model: str | ModelCommitment, layer_map: LayerMap) -> LayerCommitment:
    """`model` with the layers of `layer_map`; targets that it does not name stay as they are.

    Raises:
        OptionError: if the map is another model's, or names a layer that the model lacks.
    """
    subject = build_model(model)
    how = registry.creation_of(subject)
    name = how.identifier if how else subject.identifier
    if name != layer_map.model or not isinstance(subject, LayerCommitment):
        raise OptionError(
            f"The layer map is of {layer_map.model}, not of {name}. Choose layers of {name} with "
            "`corteval layers`."
        )
    for target, layer in layer_map.layers.items():
        try:
            subject.extractor.units(layer)
        except Exception as error:  # a plugin's
            raise OptionError(f"{name} has no layer {layer!r} for {target}: {error}") from error
    changed = replace(
        subject,
        layers=dict[str, Layers]({**subject.layers, **layer_map.layers}),
        notes=(*subject.notes, *_notes_on_fingerprint(subject, layer_map)),
        layer_notes=(f"layers of the map: {_listed(layer_map)}",),
    )
    listed = f"{_listed(layer_map)} (map {layer_map.digest})"
    return registry.derive(changed, subject, layers=listed)


def _listed(layer_map: LayerMap) -> str:
    return ", ".join(f"{target}={layer}" for target, layer in layer_map.layers.items())


def score_with_map(
    model: str | ModelCommitment,
    layer_map: LayerMap,
    benchmarks: Sequence[str],
    *,
    seed: int | None = None,
) -> Iterator[Score]:
    """As `score_all`, with the layers of `layer_map`; notes say what the choice has seen."""
    subject = with_map(model, layer_map)
    for benchmark in benchmarks:
        (score,) = score_all([subject], [benchmark], seed=seed)
        notes = _notes_on(benchmark, layer_map) if score.status == "scored" else ()
        yield replace(score, notes=(*score.notes, *notes))


def text_of(
    search: Search,
    scores: Sequence[LayerScore],
    choices: Sequence[Choice],
    reports: Sequence[Score],
) -> str:
    """The file of a map: layers, and everything that led to them."""
    content = {"schema": SCHEMA, **content_of(search, scores, choices, reports)}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def content_of(
    search: Search,
    scores: Sequence[LayerScore],
    choices: Sequence[Choice],
    reports: Sequence[Score],
) -> dict[str, Any]:
    """What a map holds, as JSON types."""
    how = registry.creation_of(search.original)
    extractor = search.original.extractor
    known = [s.score.provenance for s in scores if s.score.provenance]
    return {
        "model": search.name,
        "layers": {choice.target: choice.layer for choice in choices},
        "fingerprint": extractor.fingerprint if isinstance(extractor, Documented) else None,
        "card_version": how.version if how else None,
        "options": {name: repr(value) for name, value in how.options.items()} if how else {},
        "features": search.features,
        "rule": RULE,
        "candidates": [{"layer": c, "units": search.units[c]} for c in search.candidates],
        "selection": {
            q.target: _selection(q, [s for s in scores if s.target == q.target])
            for q in search.questions
        },
        "reported": [score.summary() for score in reports],
        "versions": dict(known[0].versions) if known else {},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _selection(question: Question, scores: Sequence[LayerScore]) -> dict[str, Any]:
    return {
        "benchmarks": [_benchmark(b, scores) for b in question.chosen_on],
        "scores": [
            {
                "layer": found.layer,
                "benchmark": found.benchmark,
                "status": found.score.status,
                "value": _finite(found.score.value),
                "interval": None if found.score.interval is None else asdict(found.score.interval),
                "reason": found.score.reason or None,
            }
            for found in scores
        ],
    }


def _benchmark(benchmark: Benchmark, scores: Sequence[LayerScore]) -> dict[str, Any]:
    """What decided, and on which stimuli."""
    card = benchmark.card
    mine = [s.score.provenance for s in scores if s.benchmark == card.identifier]
    known = next((p for p in mine if p is not None), Provenance())
    divided = benchmark if isinstance(benchmark, Divisible) else None
    return {
        "identifier": card.identifier,
        "version": card.version,
        "data": list(card.data),
        "cards": dict(known.cards),
        "digests": dict(known.digests),
        "seed": known.seed,
        "part": asdict(divided.part) if divided and divided.part else None,
        "stimuli": len(divided.stimuli()) if divided else None,
    }


def _notes_on_fingerprint(subject: LayerCommitment, layer_map: LayerMap) -> tuple[str, ...]:
    extractor = subject.extractor
    if layer_map.fingerprint is None or not isinstance(extractor, Documented):
        return ()
    if extractor.fingerprint == layer_map.fingerprint:
        return ()
    return (
        "the layer map was made for other weights, options or code of "
        f"{layer_map.model} ({layer_map.fingerprint[:12]}, not {extractor.fingerprint[:12]})",
    )


def _notes_on(benchmark: str, layer_map: LayerMap) -> tuple[str, ...]:
    """What the map has to do with a benchmark."""
    try:
        card = registry.benchmarks.card(benchmark)
    except CortevalError:  # the score says so
        return ()
    if card.target and card.target not in layer_map.layers:
        return (f"the layer map names no layer for {card.target}: the model's own is used",)
    shared = [name for name in card.data if name in layer_map.data.get(card.target, ())]
    if not shared:
        return ()
    return (
        f"the layer of {card.target} was chosen on data of {', '.join(shared)}, so that this score "
        "may be too high; `corteval layers` reports one on stimuli kept from choosing",
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
