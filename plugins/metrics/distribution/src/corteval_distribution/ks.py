"""Kolmogorov-Smirnov similarity between samples or a histogram and a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score

#: Units below which resampling says nothing about a distribution.
_FEWEST = 10


def ks_similarity(model: np.ndarray, data: np.ndarray) -> np.ndarray:
    """1 - KS distance, scaled so that the worst possible distribution scores 0.

        s(p, q) = 1 - max_k |P_k - Q_k| / max(1 - q_1, 1 - q_K)

    P and Q are the cumulative sums of p and q. The denominator is the distance of q to a
    distribution with all its mass in the worse end bin; none is farther, so 0 <= s <= 1.
    Source: spec ``marques2020`` section 4.

    Args:
        model: counts or frequencies p, (..., bin).
        data: counts or frequencies q, (bin).

    Returns:
        (...) similarities; NaN where `model` is empty.
    """
    q = np.asarray(data, np.float64) / np.sum(data)
    model = np.asarray(model, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = model / model.sum(axis=-1, keepdims=True)
    distance = np.abs(np.cumsum(p, axis=-1) - np.cumsum(q)).max(axis=-1)
    return np.asarray(1 - distance / max(1 - q[0], 1 - q[-1]))


def histogram(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Counts per bin; values outside fall into the end bins, NaN into none.

    Bins are half-open, the last one closed.
    """
    finite = values[~np.isnan(values)]
    counts, _ = np.histogram(np.clip(finite, edges[0], edges[-1]), edges)
    return np.asarray(counts)


@final
@dataclass(frozen=True, kw_only=True)
class KSSimilarity:
    """Mean similarity over draws of as many model units as units were measured.

    Each of `resamples` draws takes ``units_measured`` units of the model with replacement, those
    with an undefined property included, bins them and compares with the data. A histogram as
    source is drawn from in the same way; the data drawn from themselves are the ceiling.

    Args:
        seed: of the draws. The source's kind is part of the stream, so the draws of a model and
            of the ceiling are independent.
        resamples: number of draws.
    """

    seed: int = 0
    resamples: int = 1000

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise OptionError(f"ks_similarity needs at least one resample, not {self.resamples}.")

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`'s distribution to `target`'s.

        Args:
            source: property values with dim ``neuroid``, NaN where undefined; or a histogram.
            target: a histogram: counts with dim ``bin``, coordinates ``bin_low``, ``bin_high`` and
                attribute ``units_measured``.

        Raises:
            UndefinedScore: if the property is defined in fewer than 10 units, or in so few of
                them that over a tenth of the draws are empty.
            AssemblyError: if an array has another form.
        """
        edges = _edges(target)
        drawn_from_data = source.dims == ("bin",)
        measured = int(target.attrs["units_measured"])
        if drawn_from_data:
            counts = source.values
            total = int(source.attrs["units_measured"])
        elif source.dims == ("neuroid",):
            counts = histogram(source.values.astype(np.float64), edges)
            total = source.sizes["neuroid"]
        else:
            raise AssemblyError(f"The source has dims {source.dims}; it needs neuroid or bin.")
        if counts.sum() < _FEWEST:
            raise UndefinedScore(
                f"The property is defined in {int(counts.sum())} of {total} units; a distribution "
                f"takes at least {_FEWEST}."
            )
        chances = np.append(counts, total - counts.sum()) / total
        generator = np.random.default_rng([self.seed, int(drawn_from_data)])
        draws = generator.multinomial(measured, chances, size=self.resamples)[:, :-1]
        replicates = ks_similarity(draws, target.values)
        empty = int(np.isnan(replicates).sum())
        if empty > self.resamples / 10:
            raise UndefinedScore(
                f"The property is defined in {int(counts.sum())} of {total} units; {empty} of "
                f"{self.resamples} draws of {measured} units hold none."
            )
        raw = Estimate(
            value=float(np.nanmean(replicates)),
            error=float(np.nanstd(replicates)),
            method=f"mean and sd over {self.resamples} draws of {measured} units",
            quantity="similarity",
            replicates=tuple(replicates.tolist()),
        )
        samples = None if drawn_from_data else source.reset_coords(drop=True).rename("property")
        return Score(value=raw.value, raw=raw, samples=samples)


def example() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Units with the distribution of a histogram, the histogram, and units all in one bin."""
    edges, counts = np.arange(6.0), np.array([10, 20, 40, 20, 10])
    target = xr.DataArray(
        counts,
        dims=["bin"],
        coords={"bin_low": ("bin", edges[:-1]), "bin_high": ("bin", edges[1:])},
        attrs={"units_measured": int(counts.sum())},
    )
    alike, elsewhere = np.repeat(edges[:-1] + 0.5, 5 * counts), np.full(500, 0.5)
    ids = [f"unit-{number:03d}" for number in range(500)]
    source, noise = (
        xr.DataArray(values, dims=["neuroid"], coords={"neuroid_id": ("neuroid", ids)})
        for values in (alike, elsewhere)
    )
    return source, target, noise


def _edges(target: xr.DataArray) -> np.ndarray:
    if target.dims != ("bin",) or not {"bin_low", "bin_high"} <= set(target.coords):
        raise AssemblyError(
            f"The target has dims {target.dims}; a histogram has dim bin with coordinates "
            "bin_low and bin_high."
        )
    low, high = target["bin_low"].values, target["bin_high"].values
    if "units_measured" not in target.attrs or not np.array_equal(low[1:], high[:-1]):
        raise AssemblyError("A histogram has adjoining bins and an attribute units_measured.")
    return np.append(low, high[-1])
