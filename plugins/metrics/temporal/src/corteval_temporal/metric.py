"""Correlation of the times at which a model and a primate solve images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, final

import numpy as np
import xarray as xr

from corteval.assembly import align, average_trials, check_neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.score import Estimate, Score
from corteval.stats.resampling import draw, mean, replicates
from corteval.stats.splits import CrossValidation, Split, groups_of, notes_on_groups, splits_digest
from corteval_temporal.ranks import spearman
from corteval_temporal.readout import converged_logits, standardize, trained_logits
from corteval_temporal.solution import i1, solution_times

#: Elements of the responses of several time bins held at a time (8 bytes each).
_BUDGET = 5_000_000


class _Data(NamedTuple):
    """What the target says of each image, in its order."""

    stimulus_ids: np.ndarray
    objects: np.ndarray
    threshold: np.ndarray
    times_ms: np.ndarray


@final
@dataclass(frozen=True, kw_only=True)
class ObjectSolutionTimes:
    """Spearman correlation of a model's object solution times with measured ones.

    For each split and time bin, a linear readout of objects is fitted to the responses to training
    images, each unit standardised by them. It gives every test image a performance I1 per bin, and
    the first time at which I1 reaches the image's threshold is the model's solution time. The
    correlation is over test images that both solve; the value is its mean over splits.

    A split has no value if fewer than `fewest_solved` images are solved by both, or all at one
    time. Such splits are left out of the mean, as in published scores; a note counts them, and
    ``samples`` shows which they are. The interval draws stimuli; readouts are kept as they are. Of
    90 images intervals of 95 % covered 97 % where half of them are tested at a time, and 99 % where
    ten are, see ``tests/test_calibration_solution_times.py``.

    Source: spec ``metrics`` 2.7; Kar et al. (2019), Kubilius et al. (2019).

    Args:
        readout: ``"trained"`` briefly, as published, or ``"converged"``: see `trained_logits` and
            `converged_logits`.
        cross_validation: see `CrossValidation`; by default ten random tenths are tested.
        normalized: subtract each object's mean from d', see `i1`. For thresholds made so.
        fewest_solved: images a split must have to be of value. Two always correlate by ±1.
        resamples: of the bootstrap.
        seed: of first weights, batches and bootstrap.
    """

    readout: Literal["trained", "converged"] = "trained"
    cross_validation: CrossValidation | Mapping[str, Any] | None = None
    normalized: bool = False
    fewest_solved: int = 2
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.readout not in ("trained", "converged"):
            raise OptionError(f"A readout is 'trained' or 'converged', not {self.readout!r}.")
        if self.fewest_solved < 2:
            raise OptionError(f"A correlation takes 2 images or more, not {self.fewest_solved}.")

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Correlation of the solution times of `source` with those of `target`.

        Args:
            source: responses (presentation, neuroid, time_bin[, trial]); trials are averaged.
            target: solution times in ms (presentation), infinite where an image is never solved,
                with presentation coordinates ``stimulus_id``, ``truth`` (the object shown) and
                ``i1`` (the threshold: performance of the primates, as d').

        Returns:
            Score whose ``samples`` are the model's solution times in ms (split, presentation):
            infinite where unsolved, NaN where the image is not tested. Its coordinates ``spearman``
            and ``solved`` (split) are the value of each split and the images behind it.

        Raises:
            UndefinedScore: without several time bins, for responses that do not change in time,
                for training images of one object, and if no split has a value.
            AssemblyError: if an array has another form or values that are not finite.
        """
        data = _data(target)
        responses = _responses(source, target)
        splits = CrossValidation.of(self.cross_validation).over(target)
        times = self._times(responses, data, splits)
        both = np.isfinite(times) & np.isfinite(data.times_ms)
        solved = both.sum(axis=1)
        rho = np.full(len(splits), np.nan)
        for row in np.flatnonzero(solved >= self.fewest_solved):
            rho[row] = spearman(times[row, both[row]], data.times_ms[both[row]])
        valued = np.isfinite(rho)
        tested = sum(len(split.test) for split in splits)
        if not valued.any():
            advice = (
                " The short training of this readout may be too short for so few images or "
                "neuroids; try the metric ost-exact (readout='converged')."
                if self.readout == "trained"
                else ""
            )
            raise UndefinedScore(
                f"{solved.sum()} of {tested} tested images are solved by model and primates; none "
                f"of {len(splits)} splits has {self.fewest_solved} of them, solved at different "
                f"times.{advice}"
            )
        raw = Estimate(
            value=float(rho[valued].mean()),
            error=float(rho[valued].std() / np.sqrt(valued.sum())),
            method=f"mean over {valued.sum()} splits, error of that mean",
            quantity="correlation",
            replicates=self._replicates(times, both & valued[:, None], data, groups_of(target)),
            splits=splits_digest(splits, data.stimulus_ids),
        )
        notes = [f"{solved.sum()} of {tested} tested images are solved by model and primates"]
        if not valued.all():
            notes.append(
                f"{(~valued).sum()} of {len(splits)} splits have no value and are left out: fewer "
                f"than {self.fewest_solved} images solved, or all at one time"
            )
        notes += notes_on_groups(target)
        samples = xr.DataArray(
            times,
            dims=["split", "presentation"],
            coords={
                "stimulus_id": ("presentation", data.stimulus_ids),
                "spearman": ("split", rho),
                "solved": ("split", solved),
            },
            name="solution_time_ms",
        )
        return Score(value=raw.value, raw=raw, samples=samples, notes=tuple(notes))

    def _times(self, responses: xr.DataArray, data: _Data, splits: Sequence[Split]) -> np.ndarray:
        """Model's solution times in ms (split, presentation), NaN where not tested."""
        start_ms = responses["time_bin_start_ms"].values
        performance = np.full((len(splits), len(start_ms), len(data.objects)), np.nan)
        step = max(1, _BUDGET // responses[0].size)
        for first in range(0, len(start_ms), step):
            part = slice(first, first + step)
            values = responses[part].values.astype(np.float64)
            for split, found in zip(splits, performance, strict=True):
                found[part, split.test] = self._performance(values, data.objects, split)
        times = np.full((len(splits), len(data.objects)), np.nan)
        for split, found, row in zip(splits, performance, times, strict=True):
            test = split.test
            row[test] = solution_times(found[:, test], data.threshold[test], start_ms)
        return times

    def _performance(self, values: np.ndarray, objects: np.ndarray, split: Split) -> np.ndarray:
        """I1 (bin, test image) of one split."""
        names, learned = np.unique(objects[split.train], return_inverse=True)
        if len(names) < 2:
            raise UndefinedScore(f"All {len(learned)} training images of a split show one object.")
        train, test = standardize(values[:, split.train], values[:, split.test])
        if self.readout == "trained":
            logits = trained_logits(train, learned, test, seed=self.seed)
        else:
            logits = converged_logits(train, learned, test)
        shown = objects[split.test]
        place = np.minimum(np.searchsorted(names, shown), len(names) - 1)
        return i1(logits, np.where(names[place] == shown, place, -1), normalized=self.normalized)

    def _replicates(
        self, times: np.ndarray, counted: np.ndarray, data: _Data, groups: np.ndarray | None
    ) -> tuple[Replicates, ...]:
        """Mean over splits of the correlation, with stimuli drawn anew."""
        found = []
        for way in draw(
            stimulus_ids=data.stimulus_ids,
            stimulus_groups=groups,
            resamples=self.resamples,
            seed=self.seed,
        ):
            assert way.stimuli is not None
            values = [
                spearman(model[rows], data.times_ms[rows], way.stimuli[:, rows])
                for model, rows in zip(times, counted, strict=True)
                if rows.any()
            ]
            found.append(replicates(way, mean(np.stack(values))))
        return tuple(found)


def _data(target: xr.DataArray) -> _Data:
    """Columns of the target.

    Raises:
        AssemblyError: if one is missing or not a number.
    """
    if target.dims != ("presentation",):
        raise AssemblyError(f"Solution times have dim presentation, not {target.dims}.")
    for name in ("stimulus_id", "truth", "i1"):
        if name not in target.coords or target[name].dims != ("presentation",):
            raise AssemblyError(f"The target has no coordinate {name!r} along presentation.")
    times, threshold = target.values.astype(np.float64), target["i1"].values.astype(np.float64)
    for what, values in (("solution time", times), ("threshold i1", threshold)):
        if np.isnan(values).any():
            raise AssemblyError(
                f"The {what} is NaN for {np.isnan(values).sum()} of {len(values)} stimuli. Leave "
                "them out, or set the time of images that are never solved to infinity."
            )
    ids, objects = (target[name].values.astype(str) for name in ("stimulus_id", "truth"))
    return _Data(ids, objects, threshold, times)


def _responses(source: xr.DataArray, target: xr.DataArray) -> xr.DataArray:
    """Responses (time_bin, presentation, neuroid): bins by time, rows as target, units by id.

    The order of units is fixed since each starts training with a weight of its own.
    """
    flat = average_trials(check_neural(align(source, target)))
    if flat.sizes.get("time_bin", 1) < 2:
        raise UndefinedScore(
            "The responses have one time bin or none; solution times take several."
        )
    start_ms = flat["time_bin_start_ms"].values
    if len(np.unique(start_ms)) < len(start_ms):
        raise AssemblyError(f"Time bins start at the same time: {start_ms.tolist()} ms.")
    flat = flat.transpose("time_bin", "presentation", "neuroid").isel(
        time_bin=np.argsort(start_ms), neuroid=np.argsort(flat["neuroid_id"].values.astype(str))
    )
    bad = ~np.isfinite(flat.values).all(axis=(0, 2))
    if bad.any():
        raise AssemblyError(
            f"Responses to {bad.sum()} of {len(bad)} stimuli are not finite, such as "
            f"{flat['stimulus_id'].values[bad][0]}."
        )
    if (flat.values == flat.values[:1]).all():
        raise UndefinedScore(
            f"The responses are the same in all {len(start_ms)} time bins, so they solve no image "
            "later than another."
        )
    return flat
