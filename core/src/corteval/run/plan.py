"""Plans: which cells a run has, what is known of each before it is computed, and its tasks."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from corteval.errors import CortevalError, OptionError
from corteval.notebook import Rows, Tabular
from corteval.run.card_rules import Cards
from corteval.run.cells import Cell, key_of
from corteval.run.index import Index, Row
from corteval.run.prediction import Predictions

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "corteval.plan/1"

#: Factory of the benchmarks whose recordings are known before they are computed.
_RECORDING = "corteval.benchmark:NeuralBenchmark"

Kind = Literal["ceiling", "prepare", "score"]
State = Literal["cached", "failed", "missing", "needs weights", "not applicable", "broken"]


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

    @cached_property
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
class Known(Tabular):
    """What is known of a cell before it is computed.

    Args:
        cell, key: which one; the key is empty if its names cannot be resolved.
        state: ``"cached"`` has a record, ``"failed"`` one of a failure.
        reason: why it cannot be computed, or why it failed.
        seconds: as other models took on the same benchmark, or None.
        peak_bytes: predicted, see `prediction`, or None.
        record: name of its record.
    """

    cell: Cell
    key: str
    state: State
    reason: str = ""
    seconds: float | None = None
    peak_bytes: int | None = None
    record: str = ""

    words: ClassVar[Mapping[str, str]] = {"key": "not known"}

    def row(self) -> dict[str, Any]:
        """Model, benchmark, state and what is known of its cost."""
        names = ("state", "reason", "seconds", "peak_bytes", "record")
        cell = {"model": self.cell.model, "benchmark": self.cell.benchmark}
        return cell | {name: getattr(self, name) for name in names}


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

    @cached_property
    def identity(self) -> str:
        """The same for the same models, benchmarks and options, whatever is computed already."""
        content = [self.models, self.benchmarks, self.seed, self.isolation]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]

    def cells(self) -> Rows[Known]:
        """Every cell; of a plan that was read from its file, those of its tasks, as missing."""
        pairs = {c: k for t in self.tasks for c, k in zip(t.cells, t.keys, strict=True)}
        left = [Known(cell=c, key=k, state="missing") for c, k in pairs.items()]
        return Rows(self.known or left)

    def to_frame(self) -> pd.DataFrame:
        """One row a cell."""
        return self.cells().to_frame()

    def _repr_html_(self) -> str:
        return self.cells()._repr_html_()

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
    only: Callable[[Known], bool] = lambda known: True,
    probed: Mapping[str, int] | None = None,
) -> Plan:
    """Plan of all `models` on all `benchmarks`, from cards and records alone.

    Args:
        models, benchmarks: identifiers.
        index: of the records.
        seed: of the benchmarks' resampling.
        isolation: where models run.
        again: compute cells that failed once more.
        only: whether a cell that could be computed is to be.
        probed: peak bytes of models on one batch, see `probing`.
    """
    current = index.all_current()
    predictions = Predictions.of(current.values(), probed)
    cards = Cards.of(models, benchmarks)
    known = tuple(
        _known(Cell(model=model, benchmark=benchmark, seed=seed), cards, current, predictions)
        for model in models
        for benchmark in benchmarks
    )
    states = {"missing", "failed"} if again else {"missing"}
    wanted = [k for k in known if k.state in states and only(k)]
    return Plan(
        models=tuple(models),
        benchmarks=tuple(benchmarks),
        seed=seed,
        isolation=isolation,
        known=known,
        tasks=tuple(_tasks(wanted, cards)),
    )


def _known(cell: Cell, cards: Cards, current: Mapping[str, Row], predictions: Predictions) -> Known:
    reason = cards.broken.get(cell.model) or cards.broken.get(cell.benchmark)
    if reason is not None:
        return Known(cell=cell, key="", state="broken", reason=reason)
    try:
        key = key_of(cell)
    except CortevalError as error:
        return Known(cell=cell, key="", state="broken", reason=str(error))
    refused = cards.ruled_out(cell.model, cell.benchmark)
    if refused:
        return Known(cell=cell, key=key, state="not applicable", reason=refused)
    row = current.get(key)
    if row is not None:
        state: State = "failed" if row.status == "failed" else "cached"
        return Known(cell=cell, key=key, state=state, record=row.name)
    seconds = predictions.seconds.get(cell.benchmark)
    peak_bytes = predictions.peak_bytes(cell.model, cell.benchmark)
    return Known(cell=cell, key=key, state="missing", seconds=seconds, peak_bytes=peak_bytes)


def _tasks(wanted: Sequence[Known], cards: Cards) -> Iterable[Task]:
    """Tasks for cells, with what several of them share first.

    Recordings that several neural benchmarks on the same data ask of a model are made by one task
    before them. Of other benchmarks on the same data the first goes first: it makes the model
    see the stimuli, and whoever took another at the same time would wait for that.
    """
    by_benchmark: dict[str, list[Known]] = {}
    by_data: dict[tuple[str, tuple[str, ...], bool], list[Known]] = {}
    for known in wanted:
        cell = known.cell
        by_benchmark.setdefault(cell.benchmark, []).append(known)
        by_data.setdefault(_pass(cell, cards), []).append(known)
    ceilings = {
        benchmark: _shared("ceiling", several)
        for benchmark, several in by_benchmark.items()
        if len(several) > 1 and cards.benchmarks[benchmark].ceiling
    }
    prepared = {
        shared: _shared("prepare", several)
        for shared, several in by_data.items()
        if shared[1] and shared[2] and len(several) > 1
    }
    first: dict[tuple[str, tuple[str, ...], bool], Task] = {}
    yield from ceilings.values()
    told: set[str] = set()
    for known in wanted:
        cell = known.cell
        after = []
        shared = _pass(cell, cards)
        pass_ = prepared.get(shared)
        if pass_ is not None:
            after.append(pass_.identity)
            if pass_.identity not in told:
                told.add(pass_.identity)
                yield pass_
        if shared in first:
            after.append(first[shared].identity)
        if cell.benchmark in ceilings:
            after.append(ceilings[cell.benchmark].identity)
        task = Task(kind="score", cells=(cell,), keys=(known.key,), after=tuple(after))
        if shared[1] and not shared[2]:
            first.setdefault(shared, task)
        yield task


def _pass(cell: Cell, cards: Cards) -> tuple[str, tuple[str, ...], bool]:
    """Model, data, and whether a task before it can make the recordings of the cell."""
    card = cards.benchmarks[cell.benchmark]
    return cell.model, card.data, card.factory == _RECORDING


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
