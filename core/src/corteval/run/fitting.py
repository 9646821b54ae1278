"""Whether a plan fits into memory, so that it is made smaller before work starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from corteval.cards import human_size
from corteval.memory import Limit
from corteval.run.plan import Known, Plan

#: Memory a worker may have without anybody asking what its models take.
PLENTY = 4 * 2**30


@final
@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A plan that fits, as far as can be told.

    Args:
        plan: cells that would not fit alone have failed in it, and no tasks.
        workers: as many as fit beside each other.
        refused: cells that were left out, with the reason.
    """

    plan: Plan
    workers: int
    refused: tuple[Known, ...] = ()


def is_scarce(limit: Limit, workers: int) -> bool:
    """Whether there is so little memory that it matters what a model takes."""
    return limit.bytes_left < workers * PLENTY


def fitted(plan: Plan, *, workers: int, limit: Limit) -> Fitted:
    """`plan` without cells that are predicted not to fit, and with fewer workers if need be.

    Args:
        plan: whose cells say what they are predicted to take, see `prediction`.
        workers: wanted.
        limit: of memory.
    """
    missing = [k for k in plan.known if k.state == "missing" and k.peak_bytes is not None]
    refused = {
        k.cell: replace(k, state="failed", reason=_reason(k, limit))
        for k in missing
        if k.peak_bytes is not None and k.peak_bytes > limit.bytes_left
    }
    if refused:
        plan = replace(
            plan,
            tasks=tuple(t for t in plan.tasks if not refused.keys() >= set(t.cells)),
            known=tuple(refused.get(k.cell, k) for k in plan.known),
        )
    peaks = [k.peak_bytes or 0 for k in missing if k.cell not in refused]
    fitting = min(workers, limit.bytes_left // max(1, max(peaks))) if peaks else workers
    return Fitted(plan=plan, workers=max(1, fitting), refused=tuple(refused.values()))


def _reason(known: Known, limit: Limit) -> str:
    return (
        f"It is predicted to take {human_size(known.peak_bytes)} of memory; {limit.name} leaves "
        f"{human_size(limit.bytes_left)}. Run it where there is more, or raise that limit."
    )
