"""Time and memory that a cell may take, by records of other cells and by probes of models.

The peak of a cell is the sum of what its worker holds (data, fits) and what the process of its
model holds; the former goes with the benchmark, the latter with the model. So the peak of model m
on benchmark b is estimated by

    peak(m, b) = median over models n with a record on b of (peak(n, b) - own(n)) + own(m),

in bytes, where own(m) is the peak of a probe (`probing`), or, where there is none, the median over
benchmarks c with records of m of peak(m, c) - typical(c), typical(c) the median over models.
Differences are between measures of one kind. This is a two-way additive model fitted by medians,
as in one step of Tukey's median polish.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import final

from corteval.run.index import Row

#: What a worker holds beside the model, where no record tells: libraries and data of medium size.
_WORKER_BYTES = 350 * 2**20


@final
@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What was measured, by benchmark and by model.

    Args:
        seconds: usual of each benchmark.
        peaks: bytes by benchmark and model.
        typical: bytes by benchmark, the median over models.
        own: two measures of what models hold, the better first: bytes by model.
        beside: for each of them, bytes by benchmark without what the model holds.
        of_model: bytes by model, the median over benchmarks.
    """

    seconds: Mapping[str, float]
    peaks: Mapping[str, Mapping[str, int]]
    typical: Mapping[str, float]
    own: tuple[Mapping[str, float], ...]
    beside: tuple[Mapping[str, float], ...]
    of_model: Mapping[str, float]

    @classmethod
    def of(cls, rows: Iterable[Row], probed: Mapping[str, int] | None = None) -> Predictions:
        """By the records of an index, and probes of models.

        Args:
            rows: the last wins where there are several of a cell.
            probed: peak bytes by model.
        """
        seconds: defaultdict[str, list[float]] = defaultdict(list)
        peaks: defaultdict[str, dict[str, int]] = defaultdict(dict)
        of_model: defaultdict[str, list[float]] = defaultdict(list)
        for row in rows:
            if row.status != "scored":
                continue
            if row.seconds is not None:
                seconds[row.benchmark].append(row.seconds)
            if row.peak_bytes is not None:
                peaks[row.benchmark][row.model] = row.peak_bytes
        typical = {name: float(median(by.values())) for name, by in peaks.items()}
        offsets: defaultdict[str, list[float]] = defaultdict(list)
        for name, by_model in peaks.items():
            for model, peak in by_model.items():
                offsets[model].append(peak - typical[name])
                of_model[model].append(peak)
        own = (dict(probed or {}), _medians(offsets))
        return cls(
            seconds=_medians(seconds),
            peaks=peaks,
            typical=typical,
            own=own,
            beside=tuple(_beside(peaks, known) for known in own),
            of_model=_medians(of_model),
        )

    def peak_bytes(self, model: str, benchmark: str) -> int | None:
        """Predicted peak of a cell; None if nothing like it was measured."""
        measured = self.peaks.get(benchmark, {}).get(model)
        if measured is not None:  # of another version of the model or the benchmark
            return measured
        for own, beside in zip(self.own, self.beside, strict=True):
            if model in own and benchmark in beside:
                return max(0, round(beside[benchmark] + own[model]))
        probed = self.own[0].get(model)
        alone = None if probed is None else probed + _WORKER_BYTES
        guesses = [self.typical.get(benchmark), self.of_model.get(model), alone]
        known = [guess for guess in guesses if guess is not None]
        return round(max(known)) if known else None


def _medians(values: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: median(found) for name, found in values.items()}


def _beside(peaks: Mapping[str, Mapping[str, int]], own: Mapping[str, float]) -> dict[str, float]:
    """What cells of each benchmark hold beside their models, as far as these are known."""
    found = {
        name: [peak - own[model] for model, peak in by_model.items() if model in own]
        for name, by_model in peaks.items()
    }
    return _medians({name: values for name, values in found.items() if values})
