"""When each time step answers, in milliseconds after stimulus onset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from corteval.requests import TimeBin

#: Area -> time bin -> layer, as `corteval.model.LayerCommitment.layers` takes it.
TimeMap = Mapping[str, Mapping[TimeBin, str]]


class Times(NamedTuple):
    """Equal bins: step t lies in [start + t · step, start + (t + 1) · step)."""

    start_ms: float
    step_ms: float
    steps: int


def regular(**areas: Times) -> TimeMap:
    """Time map of areas whose bins are equal and adjoin."""
    return {
        area: {
            TimeBin(start + t * step, start + (t + 1) * step): _layer(area, t) for t in range(steps)
        }
        for area, (start, step, steps) in areas.items()
    }


def _listed(area: str, bins_ms: Mapping[int, tuple[float, float]]) -> Mapping[TimeBin, str]:
    return {TimeBin(*ms): _layer(area, t) for t, ms in bins_ms.items()}


def _layer(area: str, step: int) -> str:
    return f"{area}.output-t{step}"


CORNET_S = regular(
    V1=Times(50, 100, 1), V2=Times(70, 100, 2), V4=Times(90, 50, 4), IT=Times(100, 100, 2)
)

CORNET_Z = regular(
    V1=Times(50, 100, 1), V2=Times(70, 100, 1), V4=Times(90, 100, 1), IT=Times(100, 100, 1)
)

# Three readings of the specification, which gives V1's first and last bin, V2's first, and all of
# V4 and IT. V1: equal bins of 30 ms, which end where its last bin is said to end. V2 from step 2
# on: the bins of V1, which adjoin its first bin. CORnet-RT, for which nothing is given: as R.
# Step 0 of areas above V1 is left out, for nothing has reached them yet.
_LATE_MS: dict[int, tuple[float, float]] = {
    1: (70, 110),
    2: (140, 170),
    3: (170, 200),
    4: (200, 250),
}
CORNET_R: TimeMap = {
    **regular(V1=Times(50, 30, 5)),
    "V2": _listed("V2", {1: (60, 110), 2: (110, 140), 3: (140, 170), 4: (170, 200)}),
    "V4": _listed("V4", _LATE_MS),
    "IT": _listed("IT", _LATE_MS),
}


def relative_of_s(steps: tuple[int, int, int], step_ms: float) -> TimeMap:
    """S222, S444, S484, S10: V2, V4 and IT start at 70 ms, and a step takes `step_ms`.

    V1 has one step, as in CORnet-S; a reading without consequence, for it answers every bin.
    """
    areas = {area: Times(70, step_ms, n) for area, n in zip(("V2", "V4", "IT"), steps, strict=True)}
    return regular(V1=Times(50, 100, 1), **areas)
