"""Computing records once more, from nothing, and comparing."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from corteval import store as stores
from corteval.errors import CortevalError
from corteval.run.cells import key_of
from corteval.run.records import Record
from corteval.run.remote import RemoteModel
from corteval.score import Provenance
from corteval.scoring import Subject, score_cell, subject_named, task_named

#: Difference of two values of one cell that rounding may make, on other processors for instance.
TOLERANCE = 1e-5

Verdict = Literal["identical", "within tolerance", "differs", "outdated", "failed"]


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A record and the same cell computed again.

    Args:
        record: name of the record.
        model, benchmark: its cell.
        verdict: ``"identical"`` in every digit; ``"outdated"`` if plugins changed since, so that
            nothing can be said; ``"failed"`` if it cannot be computed any more.
        difference: of the two values, or None.
        reason: in words.
    """

    record: str
    model: str
    benchmark: str
    verdict: Verdict
    difference: float | None = None
    reason: str = ""


def sample(records: Sequence[Record], share: float, seed: int) -> list[Record]:
    """A share of `records`, at least one, drawn without replacement; the same for a seed."""
    if not records:
        return []
    count = max(1, round(share * len(records)))
    ordered = sorted(records, key=lambda record: record.digest)
    chosen = np.random.default_rng(seed).choice(len(ordered), count, replace=False)
    return [ordered[n] for n in sorted(chosen.tolist())]


def compare(record: Record, log: Path) -> Comparison:
    """Compute the cell of `record` again, without the store, where its model ran before."""
    cell = record.cell
    found: dict[str, Any] = {
        "record": record.digest,
        "model": cell.model,
        "benchmark": cell.benchmark,
    }
    try:
        if key_of(cell) != record.key:
            reason = "a plugin, a version or the library is another since"
            return Comparison(**found, verdict="outdated", reason=reason)
        again = replace(record, score=_scored_again(record, log))
    except CortevalError as error:
        return Comparison(**found, verdict="failed", reason=str(error))
    if again.digest == record.digest:
        return Comparison(**found, verdict="identical", difference=0.0)
    difference = abs(again.score.value - record.score.value)
    same_status = again.score.status == record.score.status
    close = same_status and (difference <= TOLERANCE or math.isnan(difference))
    return Comparison(
        **found,
        verdict="within tolerance" if close else "differs",
        difference=None if math.isnan(difference) else difference,
        reason=", ".join(_changed(record.content()["score"], again.content()["score"])),
    )


def _scored_again(record: Record, log: Path) -> Any:
    cell = record.cell
    task = task_named(cell.benchmark, cell.seed)
    with stores.using(None):
        if record.isolation == "none":
            return score_cell(subject_named(cell.model), task)
        with closing(
            RemoteModel(cell.model, log=log, seed="recompute", isolation=record.isolation)
        ) as model:
            return score_cell(Subject(model, model.name, Provenance()), task)


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of the parts of a score that differ."""
    return [n for n in before if json.dumps(before[n]) != json.dumps(after.get(n))]
