"""Plans: which cells a run has, what is known of each before it is computed, and its tasks."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, final

from corteval import registry
from corteval.errors import CortevalError, OptionError
from corteval.run.cells import Cell, key_of
from corteval.run.index import Index, Row

SCHEMA = "corteval.plan/1"

Kind = Literal["ceiling", "prepare", "score"]
State = Literal["cached", "failed", "missing", "not applicable", "broken"]


@final
@dataclass(frozen=True, kw_only=True)
class Task:
    """A piece of work that one worker does.

    Args:
        kind: ``"score"`` computes a cell; ``"prepare"`` records what several benchmarks on the same
            data need of a model, in one pass; ``"ceiling"`` computes that of a benchmark.
        cells: whose work it is; one of ``"score"``, those it is shared by of the others.
        keys: of the cells.
        after: identities of tasks that come before, if they can be done.
    """

    kind: Kind
    cells: tuple[Cell, ...]
    keys: tuple[str, ...]
    after: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """The same for the same work; the name of its files."""
        text = json.dumps([self.kind, self.cells[0].benchmark, *self.keys])
        return f"{self.kind}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"

    @property
    def model(self) -> str:
        """The model that does it; empty for one that needs none."""
        return "" if self.kind == "ceiling" else self.cells[0].model


@final
@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a cell before it is computed.

    Args:
        cell, key: which one; the key is empty if its names cannot be resolved.
        state: ``"cached"`` has a record, ``"failed"`` one of a failure.
        reason: why it cannot be computed, or why it failed.
        seconds, peak_bytes: as other models took on the same benchmark, or None.
        record: name of its record.
    """

    cell: Cell
    key: str
    state: State
    reason: str = ""
    seconds: float | None = None
    peak_bytes: int | None = None
    record: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Plan:
    """Cells and tasks of a run.

    Args:
        models, benchmarks: identifiers, in order.
        seed: of the benchmarks' resampling.
        isolation: where models run.
        known: every cell.
        tasks: what is to be done, in order.
    """

    models: tuple[str, ...]
    benchmarks: tuple[str, ...]
    seed: int
    isolation: str
    known: tuple[Known, ...]
    tasks: tuple[Task, ...]

    @property
    def identity(self) -> str:
        """The same for the same models, benchmarks and options, whatever is computed already."""
        content = [self.models, self.benchmarks, self.seed, self.isolation]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]

    def counts(self) -> Mapping[str, int]:
        """Number of cells in each state."""
        return Counter(known.state for known in self.known)

    def to_json(self) -> str:
        """The file of a run folder."""
        cells = [*dict.fromkeys(cell for task in self.tasks for cell in task.cells)]
        place = {cell: number for number, cell in enumerate(cells)}
        keys = {c: k for task in self.tasks for c, k in zip(task.cells, task.keys, strict=True)}
        content = {
            "schema": SCHEMA,
            "identity": self.identity,
            "models": self.models,
            "benchmarks": self.benchmarks,
            "seed": self.seed,
            "isolation": self.isolation,
            "states": dict(self.counts()),
            "cells": [[c.model, c.benchmark, c.seed, keys[c]] for c in cells],
            "tasks": [[t.kind, [place[c] for c in t.cells], t.after] for t in self.tasks],
        }
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """A plan as far as workers need it: without what is known of single cells.

        Raises:
            OptionError: if it is no plan.
        """
        try:
            content = json.loads(text)
            if content["schema"] != SCHEMA:
                raise OptionError(f"The plan is of schema {content['schema']!r}, not {SCHEMA!r}.")
            cells = [(Cell(model=m, benchmark=b, seed=s), k) for m, b, s, k in content["cells"]]
            tasks = tuple(
                Task(
                    kind=kind,
                    cells=tuple(cells[n][0] for n in places),
                    keys=tuple(cells[n][1] for n in places),
                    after=tuple(after),
                )
                for kind, places, after in content["tasks"]
            )
            return cls(
                models=tuple(content["models"]),
                benchmarks=tuple(content["benchmarks"]),
                seed=content["seed"],
                isolation=content["isolation"],
                known=(),
                tasks=tasks,
            )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise OptionError(f"This is no plan of a run: {error!r}") from error


def make_plan(
    models: Sequence[str],
    benchmarks: Sequence[str],
    index: Index,
    *,
    seed: int = 0,
    isolation: str = "process",
    again: bool = False,
) -> Plan:
    """Plan of all `models` on all `benchmarks`, from cards and records alone.

    Args:
        models, benchmarks: identifiers.
        index: of the records.
        seed: of the benchmarks' resampling.
        isolation: where models run.
        again: compute cells that failed once more.
    """
    current = index.all_current()
    usual = _usual(current.values())
    known = []
    for model in models:
        for benchmark in benchmarks:
            cell = Cell(model=model, benchmark=benchmark, seed=seed)
            known.append(_known(cell, current, usual))
    wanted = [k for k in known if k.state == "missing" or (again and k.state == "failed")]
    return Plan(
        models=tuple(models),
        benchmarks=tuple(benchmarks),
        seed=seed,
        isolation=isolation,
        known=tuple(known),
        tasks=tuple(_tasks(wanted)),
    )


def _known(
    cell: Cell, current: Mapping[str, Row], usual: Mapping[str, tuple[float | None, int | None]]
) -> Known:
    try:
        key = key_of(cell)
        refused = _refused(cell)
    except CortevalError as error:
        return Known(cell=cell, key="", state="broken", reason=str(error))
    if refused:
        return Known(cell=cell, key=key, state="not applicable", reason=refused)
    row = current.get(key)
    if row is not None:
        state: State = "failed" if row.status == "failed" else "cached"
        return Known(cell=cell, key=key, state=state, record=row.name)
    seconds, peak_bytes = usual.get(cell.benchmark, (None, None))
    return Known(cell=cell, key=key, state="missing", seconds=seconds, peak_bytes=peak_bytes)


def _usual(rows: Iterable[Row]) -> dict[str, tuple[float | None, int | None]]:
    """Usual seconds and memory of each benchmark, by the records of all models."""
    by_benchmark: dict[str, list[Row]] = {}
    for row in rows:
        if row.status == "scored":
            by_benchmark.setdefault(row.benchmark, []).append(row)
    usual: dict[str, tuple[float | None, int | None]] = {}
    for benchmark, found in by_benchmark.items():
        seconds = [row.seconds for row in found if row.seconds is not None]
        peaks = [row.peak_bytes for row in found if row.peak_bytes is not None]
        usual[benchmark] = (
            median(seconds) if seconds else None,
            max(peaks) if peaks else None,
        )
    return usual


def _refused(cell: Cell) -> str:
    """Why the cards alone say that the model cannot do the benchmark."""
    model = registry.models.member_card(cell.model)
    takes: frozenset[str] = getattr(model, "modalities", frozenset())
    shown = _modalities(cell.benchmark)
    if shown and takes and not shown & takes:
        return (
            f"{cell.model} takes {' or '.join(sorted(takes))}; the stimuli of {cell.benchmark} "
            f"are {' and '.join(sorted(shown))}."
        )
    return ""


def _modalities(benchmark: str) -> frozenset[str]:
    card = registry.benchmarks.member_card(benchmark)
    found = set()
    for name in card.data:
        try:
            found.add(registry.data_card(name).modality)
        except CortevalError:  # its use tells
            return frozenset()
    return frozenset(found)


def _tasks(wanted: Sequence[Known]) -> Iterable[Task]:
    """Tasks for cells, with what several of them share first."""
    by_benchmark: dict[str, list[Known]] = {}
    by_data: dict[tuple[str, tuple[str, ...]], list[Known]] = {}
    for known in wanted:
        cell = known.cell
        by_benchmark.setdefault(cell.benchmark, []).append(known)
        data = registry.benchmarks.member_card(cell.benchmark).data
        by_data.setdefault((cell.model, data), []).append(known)
    ceilings = {
        benchmark: _shared("ceiling", several)
        for benchmark, several in by_benchmark.items()
        if len(several) > 1 and registry.benchmarks.member_card(benchmark).ceiling
    }
    prepared = {
        shared: _shared("prepare", several)
        for shared, several in by_data.items()
        if shared[1] and len(several) > 1
    }
    yield from ceilings.values()
    told: set[str] = set()
    for known in wanted:
        cell = known.cell
        after = []
        data = registry.benchmarks.member_card(cell.benchmark).data
        pass_ = prepared.get((cell.model, data))
        if pass_ is not None:
            after.append(pass_.identity)
            if pass_.identity not in told:
                told.add(pass_.identity)
                yield pass_
        if cell.benchmark in ceilings:
            after.append(ceilings[cell.benchmark].identity)
        yield Task(kind="score", cells=(cell,), keys=(known.key,), after=tuple(after))


def _shared(kind: Kind, several: Sequence[Known]) -> Task:
    return Task(
        kind=kind,
        cells=tuple(known.cell for known in several),
        keys=tuple(known.key for known in several),
    )


def described(plan: Plan) -> dict[str, Any]:
    """A plan in numbers: cells by state, and what the missing ones may take."""
    missing = [k for k in plan.known if k.state == "missing"]
    told = [k.seconds for k in missing if k.seconds is not None]
    peaks = [k.peak_bytes for k in missing if k.peak_bytes is not None]
    return {
        "cells": len(plan.known),
        **dict(sorted(plan.counts().items())),
        "tasks": len(plan.tasks),
        "predicted_seconds": round(sum(told), 1) if told else None,
        "cells_without_prediction": len(missing) - len(told),
        "largest_peak_bytes": max(peaks) if peaks else None,
    }
