"""Cells that failed before a run was last started, among its tasks once more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from corteval.run import index, records, tally
from corteval.run.cells import Cell
from corteval.run.folder import RunFolder
from corteval.run.plan import Known, Plan, make_plan


def with_failures(run: RunFolder) -> RunFolder:
    """`run` with what failed in an earlier part of it among its tasks; as it was if nothing did.

    The command that goes on with a run does not plan cells that have a record, be it of a failure.
    Cells that were left out otherwise, such as those whose data nobody wanted to download, stay so.

    Raises:
        OptionError: if there is no plan.
        StorageFull, StoreError
    """
    if not tally.states(run.folder).get("failed"):
        return run
    before = run.plan
    own = {cell for task in before.tasks for cell in task.cells}

    def is_wanted(known: Known) -> bool:
        return known.cell in own or known.state == "failed"

    with index.opened(records.default()) as found:
        plan = make_plan(
            before.models,
            before.benchmarks,
            found,
            seed=before.seed,
            isolation=before.isolation,
            again=True,
            only=is_wanted,
        )
    return RunFolder.create(_as_before(plan, own), run.folder)


def _as_before(plan: Plan, own: Collection[Cell]) -> Plan:
    """`plan` with cells that are not to be computed said to have failed, as they were."""
    known = tuple(
        replace(k, state="failed") if k.state == "missing" and k.cell not in own else k
        for k in plan.known
    )
    return replace(plan, known=known)
