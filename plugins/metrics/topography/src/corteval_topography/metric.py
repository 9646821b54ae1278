"""Spatial correlation: how alike units correlate at each distance, in a model and in tissue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr
from scipy.stats import ks_2samp

from corteval.assembly import in_order, neural, responses_matrix
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import require_stimuli, subjects_of

PLACES = ("tissue_x_mm", "tissue_y_mm")


@final
@dataclass(frozen=True, kw_only=True)
class SpatialCorrelation:
    """Similarity of the correlations of units at each distance.

        score = mean over bins b of 1 - KS(r of the model's pairs in b, r of the data's pairs in b)

    Pairs of units of one subject are put into bins of distance in tissue; r is their Pearson
    correlation over the same stimuli. Bins with fewer than `fewest` pairs on either side are left
    out. Source: spec ``models`` section 5 (MajajHong2015.IT-spatial_correlation).

    Args:
        bin_mm: width of a bin.
        fewest: pairs of a bin.

    Raises:
        OptionError: for a width or a number that is not above 0.
    """

    bin_mm: float = 0.1
    fewest: int = 5

    def __post_init__(self) -> None:
        if not self.bin_mm > 0 or self.fewest < 1:
            raise OptionError(
                f"Bins are wider than 0 mm and have one pair or more, not {self.bin_mm} mm and "
                f"{self.fewest}."
            )

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity; `samples` has one for each bin.

        Raises:
            AssemblyError: if stimuli differ, a response is not finite, or units have no place.
            UndefinedScore: if no bin has enough pairs on both sides.
        """
        ids = list(responses_matrix(target)["stimulus_id"].values)
        require_stimuli(len(ids), 3, "A comparison of correlations")
        ours, theirs = (
            _by_distance(responses_matrix(in_order(side, ids)), self.bin_mm, name)
            for side, name in ((source, "source"), (target, "target"))
        )
        bins = [
            b
            for b in sorted(ours.keys() & theirs.keys())
            if min(len(ours[b]), len(theirs[b])) >= self.fewest
        ]
        if not bins:
            raise UndefinedScore(
                f"No distance in steps of {self.bin_mm:g} mm has {self.fewest} pairs of units in "
                "both source and target. Use wider bins (bin_mm)."
            )
        values = np.array([1 - ks_2samp(ours[b], theirs[b]).statistic for b in bins])
        raw = Estimate(
            value=float(values.mean()),
            error=float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None,
            method="mean of 1 - KS over bins of distance; error: standard error over bins, which "
            "share units",
            quantity="similarity",
        )
        samples = xr.DataArray(
            values,
            dims=["bin"],
            coords={
                "distance_from_mm": ("bin", np.array(bins) * self.bin_mm),
                "source_pairs": ("bin", [len(ours[b]) for b in bins]),
                "target_pairs": ("bin", [len(theirs[b]) for b in bins]),
            },
        )
        return Score(value=raw.value, raw=raw, samples=samples)


def _by_distance(responses: xr.DataArray, bin_mm: float, side: str) -> Mapping[int, np.ndarray]:
    """Correlations of pairs of units, by number of the bin; constant units have none."""
    lacking = [name for name in PLACES if name not in responses.coords]
    if lacking:
        raise AssemblyError(
            f"Neuroids of the {side} have no {' and '.join(lacking)}: where they lie in tissue is "
            "not known."
        )
    places = np.column_stack([responses[name].values.astype(np.float64) for name in PLACES])
    if not np.isfinite(places).all():
        raise AssemblyError(f"Some neuroids of the {side} have no place: it is not finite.")
    values = responses.transpose("presentation", "neuroid").values.astype(np.float64)
    subjects = subjects_of(responses)
    names = np.zeros(values.shape[1], int) if subjects is None else subjects
    found: dict[int, list[np.ndarray]] = {}
    for name in np.unique(names):
        inside = np.flatnonzero(names == name)
        centred = values[:, inside] - values[:, inside].mean(axis=0)
        lengths = np.sqrt(np.einsum("ij,ij->j", centred, centred))
        varied = lengths > 1e-12 * np.sqrt(len(values)) * np.abs(values[:, inside]).max(axis=0)
        kept = np.flatnonzero(varied)
        standard = centred[:, kept] / lengths[kept]
        rows, columns = np.tril_indices(len(kept), -1)
        r = np.clip(standard.T @ standard, -1, 1)[rows, columns]
        here = places[inside[kept]]
        distance = np.linalg.norm(here[rows] - here[columns], axis=1)
        # a distance of .3 mm is in the bin from .3 mm on, though .3 / .1 is below 3
        number = np.floor(distance / bin_mm + 1e-9).astype(int)
        for b in np.unique(number):
            found.setdefault(int(b), []).append(r[number == b])
    return {b: np.concatenate(parts) for b, parts in found.items()}


def tissue(seed: int, *, reach_mm: float = 0.3, stimuli: int = 60) -> xr.DataArray:
    """Responses of 144 units 0.1 mm apart, whose correlations fall as exp(-distance / reach)."""
    x, y = (0.1 * a.ravel() for a in np.meshgrid(np.arange(12), np.arange(12)))
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    kernel = np.linalg.cholesky(np.exp(-distance / reach_mm) + 1e-9 * np.eye(len(x)))
    noise = np.random.default_rng(seed).standard_normal((stimuli, len(x)))
    return neural(
        noise @ kernel.T,
        [f"stimulus-{n:02d}" for n in range(stimuli)],
        {
            "neuroid_id": [f"unit-{n:03d}" for n in range(len(x))],
            "tissue_x_mm": x,
            "tissue_y_mm": y,
        },
    )


def example() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """For the conformance kit: the data themselves, the data, and units without any order."""
    return tissue(1), tissue(1), tissue(2, reach_mm=1e-3)
