"""Kolmogorov-Smirnov similarity of a property over units to a histogram or to a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import Draws, replicates

#: Units below which resampling says nothing about a distribution.
_FEWEST = 10

#: Elements of the largest array of draws (8 bytes each).
_BUDGET = 5_000_000


def ks_similarity(model: np.ndarray, data: np.ndarray) -> np.ndarray:
    """1 - KS distance, scaled so that the worst possible distribution scores 0.

        s(p, q) = 1 - max_k |P_k - Q_k| / max(1 - q_1, 1 - q_K)

    P and Q are the cumulative sums of p and q. The denominator is the distance of q to a
    distribution with all its mass in the worse end bin; none is farther, so 0 <= s <= 1.
    Source: spec ``marques2020`` section 4.

    Args:
        model: counts or frequencies p, (..., bin).
        data: counts or frequencies q, (..., bin), over the same two or more bins.

    Returns:
        (...) similarities.

    Raises:
        OptionError: for counts that are negative or not finite, or over other numbers of bins.
        UndefinedScore: if all counts of a distribution are 0.
    """
    model, data = _frequencies("model", model), _frequencies("data", data)
    if model.shape[-1] != data.shape[-1]:
        raise OptionError(
            f"The model has {model.shape[-1]} bins and the data have {data.shape[-1]}; count both "
            "over the same bins."
        )
    try:
        np.broadcast_shapes(model.shape, data.shape)
    except ValueError:
        raise OptionError(
            f"Histograms of shapes {model.shape} and {data.shape} cannot be paired; one of them "
            "may be a single histogram (bin)."
        ) from None
    return _similarity(model, data)


def ks_sample_similarity(model: np.ndarray, data: np.ndarray) -> float:
    """`ks_similarity` of two samples, without bins.

        s = 1 - max_x |P(x) - Q(x)| / max(1 - Q(low), Q(high-))

    P and Q are the cumulative distributions of both samples, low and high the ends of the data's
    range; model values beyond them are moved there. Q(low) and 1 - Q(high-) are the shares of data
    at the ends. Source: spec ``metrics`` 2.7.

    Args:
        model, data: (neuroid) values; NaN is left out.

    Raises:
        UndefinedScore: if the model has no value, or the data fewer than two distinct ones.
    """
    return float(ks_similarity(*_sample_counts(model, data)))


def histogram(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Counts per bin; values outside fall into the end bins, NaN into none.

    Bins are half-open, the last one closed.
    """
    finite = values[~np.isnan(values)]
    counts, _ = np.histogram(np.clip(finite, edges[0], edges[-1]), edges)
    return np.asarray(counts)


class _Counts(NamedTuple):
    """Model and data over the same bins, and how many units there are with and without value."""

    model: np.ndarray
    model_units: int
    data: np.ndarray
    units_measured: int


@final
@dataclass(frozen=True, kw_only=True)
class KSSimilarity:
    """Similarity of a property's distribution over model units to that over measured units.

    By default, as published scores do, the mean over draws of as many model units as units were
    measured: each of `resamples` draws takes ``units_measured`` units of the model with
    replacement, those with an undefined property included, and compares them with the data. The
    data drawn from themselves are the ceiling. The replicates are these draws, so an interval
    tells how far a recording of so many units pins the score down.

    With `exact`, the similarity of all model units to the data: nothing random, the data score 1
    against themselves, and replicates draw the measured units. Both forms differ by the sampling
    bias, so score and ceiling must be of one form. A sample of the very distribution that the model
    has still scores below 1, so exact intervals miss 1 where they should reach it.
    Source: spec ``marques2020`` section 4.

    Args:
        seed: of the draws. Whether the source is the data is part of the stream, so the draws of a
            model and of the ceiling are independent.
        resamples: number of draws.
        exact: compare all model units instead of draws from them.
    """

    seed: int = 0
    resamples: int = 1000
    exact: bool = False

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise OptionError(f"ks_similarity needs at least one resample, not {self.resamples}.")

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`'s distribution to `target`'s.

        Args:
            source: property values with dim ``neuroid``, NaN where undefined; or `target` itself.
            target: property values of measured units with dim ``neuroid``; or a histogram: counts
                with dim ``bin``, coordinates ``bin_low``, ``bin_high`` and attribute
                ``units_measured``.

        Raises:
            UndefinedScore: if the property is defined in fewer than 10 units, or in so few of
                them that over a tenth of the draws are empty, or is the same in all measured ones.
            AssemblyError: if an array has another form.
        """
        counts = _counts(source, target)
        for whose, found, units in (
            ("", counts.model, counts.model_units),
            ("measured ", counts.data, counts.units_measured),
        ):
            if found.sum() < _FEWEST:
                raise UndefinedScore(
                    f"The property is defined in {int(found.sum())} of {units} {whose}units; a "
                    f"distribution takes at least {_FEWEST}."
                )
        itself = source.equals(target)
        raw = self._exact(counts, itself) if self.exact else self._drawn(counts, itself)
        samples = source.reset_coords(drop=True).rename("property")
        return Score(value=raw.value, raw=raw, samples=None if itself else samples)

    def _drawn(self, counts: _Counts, itself: bool) -> Estimate:
        measured, units = counts.units_measured, counts.model_units
        draws = self._draws(counts.model, units, measured, [self.seed, int(itself)])
        values = np.concatenate([_similarity(drawn, counts.data) for drawn in draws])
        empty = int(np.isnan(values).sum())
        if empty > self.resamples / 10:
            raise UndefinedScore(
                f"The property is defined in {int(counts.model.sum())} of {units} units; {empty} "
                f"of {self.resamples} draws of {measured} units hold none."
            )
        return Estimate(
            value=float(np.nanmean(values)),
            error=float(np.nanstd(values)),
            method=f"mean and sd over {self.resamples} draws of {measured} units",
            quantity="similarity",
            replicates=(replicates(Draws("neuroids", (measured,), None, None, self.seed), values),),
        )

    def _exact(self, counts: _Counts, itself: bool) -> Estimate:
        value = float(_similarity(counts.model, counts.data))
        if itself:  # 1 whatever the data: no draw could change this ceiling
            return Estimate(value=value, method="all units", quantity="similarity")
        measured = counts.units_measured
        draws = self._draws(counts.data, measured, measured, [self.seed])
        values = np.concatenate([_similarity(counts.model, drawn) for drawn in draws])
        return Estimate(
            value=value,
            error=float(np.nanstd(values)),
            method=f"all units; sd over {self.resamples} draws of the {measured} measured units",
            quantity="similarity",
            replicates=(replicates(Draws("neuroids", (measured,), None, None, self.seed), values),),
        )

    def _draws(
        self, counts: np.ndarray, units: int, size: int, stream: list[int]
    ) -> Iterator[np.ndarray]:
        """Counts in draws of `size` out of `units`, those without value included.

        Yields:
            (resample, bin), a part of the resamples at a time.
        """
        chances = np.append(counts, units - counts.sum()) / units
        generator = np.random.default_rng(stream)
        step = max(1, _BUDGET // len(chances))
        for start in range(0, self.resamples, step):
            part = min(step, self.resamples - start)
            yield generator.multinomial(size, chances, part)[:, :-1]


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


def _counts(source: xr.DataArray, target: xr.DataArray) -> _Counts:
    if source.dims not in (("neuroid",), target.dims):
        raise AssemblyError(f"The source has dims {source.dims}; it needs neuroid or bin.")
    if target.dims == ("neuroid",):
        sides = (a.values.astype(np.float64) for a in (source, target))
        model, data = _sample_counts(*sides)
        return _Counts(model, source.sizes["neuroid"], data, target.sizes["neuroid"])
    edges, measured = _edges(target), int(target.attrs["units_measured"])
    if source.dims == ("neuroid",):
        model = histogram(source.values.astype(np.float64), edges)
        return _Counts(model, source.sizes["neuroid"], target.values, measured)
    if not np.array_equal(_edges(source), edges):
        raise AssemblyError("The histograms of source and target have different bins.")
    return _Counts(source.values, int(source.attrs["units_measured"]), target.values, measured)


def _frequencies(whose: str, counts: np.ndarray) -> np.ndarray:
    """Checked counts of `ks_similarity`."""
    counts = np.asarray(counts, np.float64)
    if not counts.ndim or counts.shape[-1] < 2:
        raise OptionError(
            f"A distribution takes two or more bins; {whose} has shape {counts.shape}."
        )
    odd = ~(np.isfinite(counts) & (counts >= 0))
    if odd.any():
        raise OptionError(
            f"Counts are finite and not negative; {int(odd.sum())} of {counts.size} of {whose} are "
            f"others, such as {counts[odd][0]:g}."
        )
    if not counts.any(axis=-1).all():
        raise UndefinedScore(f"All counts of {whose} are 0: there is no distribution to compare.")
    return counts


def _similarity(model: np.ndarray, data: np.ndarray) -> np.ndarray:
    """`ks_similarity` of counts that are right; NaN where one side, such as a draw, is empty."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p = model / model.sum(axis=-1, keepdims=True)
        q = data / data.sum(axis=-1, keepdims=True)
        distance = np.abs(np.cumsum(p, axis=-1) - np.cumsum(q, axis=-1)).max(axis=-1)
        # rounding must not take the worst distribution below 0
        return np.asarray(np.maximum(0, 1 - distance / np.maximum(1 - q[..., 0], 1 - q[..., -1])))


def _sample_counts(model: np.ndarray, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts at the data's distinct values and, in between, in the gaps of their range.

    The distance of two cumulative distributions is largest at an end of such a gap, so these bins
    lose nothing.
    """
    sides = [np.asarray(side, np.float64) for side in (model, data)]
    model, data = (side[~np.isnan(side)] for side in sides)
    points = np.unique(data)
    if len(points) < 2:
        raise UndefinedScore(
            f"The property takes {len(points)} of the 2 or more distinct values of a distribution "
            f"in {len(data)} measured units."
        )
    found = []
    for values in (model, data):
        inside = np.clip(values, points[0], points[-1])
        place = points.searchsorted(inside, "left") + points.searchsorted(inside, "right") - 1
        found.append(np.bincount(place, minlength=2 * len(points) - 1))
    return found[0], found[1]


def _edges(histogram: xr.DataArray) -> np.ndarray:
    if histogram.dims != ("bin",) or not {"bin_low", "bin_high"} <= set(histogram.coords):
        raise AssemblyError(
            f"The target has dims {histogram.dims}; it needs neuroid, or bin with coordinates "
            "bin_low and bin_high."
        )
    low, high = histogram["bin_low"].values, histogram["bin_high"].values
    adjoining = len(low) > 1 and np.array_equal(low[1:], high[:-1])
    if "units_measured" not in histogram.attrs or not adjoining:
        raise AssemblyError(
            "A histogram has two or more adjoining bins and an attribute units_measured."
        )
    if not (np.isfinite(histogram.values) & (histogram.values >= 0)).all():
        raise AssemblyError("Counts of a histogram are finite and not negative.")
    return np.append(low, high[-1])
