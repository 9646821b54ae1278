"""How well infinitely many other subjects would predict a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, final, get_args

import numpy as np
import xarray as xr

from corteval.assembly import digest, responses_matrix
from corteval.ceiling_store import kept, kept_rows, source_of
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.score import Estimate
from corteval.stats.resampling import (
    FEWEST_SUBJECTS,
    Draws,
    central,
    draw,
    replicates,
    subjects_of,
)
from corteval.stats.splits import CrossValidation, Split, groups_of, splits_digest
from corteval_ceilings.collection import Collected, collect
from corteval_ceilings.pools import Fit, Recordings
from corteval_ceilings.saturation import (
    Extrapolation,
    extrapolate,
    fit_as_published,
    fit_saturation,
    slopes,
)
from corteval_ceilings.subsets import Sampling, levels

Curves = Literal["exact", "published"]
Failed = Literal["omit", "propagate"]
Aggregate = Literal["neuroids", "subjects"]

#: Elements of the largest temporary array (8 bytes each).
_BUDGET = 4_000_000


@final
@dataclass(frozen=True, kw_only=True)
class SubjectExtrapolation:
    """Score of infinitely many subjects as predictors of another, by extrapolation.

    For subsets of n = 2, 3, ... subjects each held-out member is predicted from the others'
    neuroids side by side, with the fit and the splits of the benchmark. The mean score m_n of each
    neuroid is fitted by ``v0 (1 - exp(-n / tau))`` in bootstraps over subsets and splits::

        ceiling = median over neuroids of median over bootstraps of v0

    or, subject by subject, the mean over subjects of the median over neuroids of each. ``error``
    is half of the 95 % range of the fitted curves where they end, put together in the same way; it
    is not a confidence bound. ``replicates`` draw neuroids, or subjects if there are five, and
    stimuli: the median over neuroids is taken anew in every draw, the effect of a subject on the
    pools is that of leaving it out of them, to first order, and the effect of a stimulus is that on
    correlations over test rows, to first order, fitted predictions held fixed. Intervals of 95 %
    covered 97 % over new subjects (six), 92 % over new neuroids of four subjects
    (``tests/test_calibration_across_subjects.py``). ``splits`` is the digest of the splits. Source:
    spec ``metrics``, Language 2.5.

    Args:
        cross_validation: as the metric's; options of `CrossValidation`, or one.
        fit: as the metric's: ``"linear"``, ``"ridge"`` or ``"ridgecv"``.
        alpha: penalty of ``"ridge"``.
        sampling: ``"all"`` subsets, or ``"sampled"``; see `corteval_ceilings.subsets.levels`.
        subsets, hold_outs: how many are sampled.
        bootstraps: curves fitted for each neuroid.
        curves: ``"exact"``: least squares. ``"published"``: what ``scipy.optimize.curve_fit``
            finds, slowly; see `corteval_ceilings.saturation.fit_as_published`.
        aggregate: ``"neuroids"``: the median over all; ``"subjects"``: the mean over subjects of
            the median in each. As the metric's.
        failed: ``"omit"``: curves without fit are left out, and counted in ``method``.
            ``"propagate"``: a neuroid with one has no ceiling, as published.
        kept: take it from the store in force if it was computed before, for the same data, splits,
            options and source code; it takes minutes.
        resamples: bootstrap replicates; 0 for none.
        seed: of the replicates; subsets and curves have the seed of the published code.
    """

    cross_validation: CrossValidation | Mapping[str, Any] | None = None
    fit: Fit = "linear"
    alpha: float = 1.0
    sampling: Sampling = "all"
    subsets: int = 10
    hold_outs: int = 5
    bootstraps: int = 100
    curves: Curves = "exact"
    failed: Failed = "omit"
    aggregate: Aggregate = "neuroids"
    kept: bool = False
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        choices = {"fit": Fit, "sampling": Sampling, "curves": Curves, "failed": Failed}
        choices["aggregate"] = Aggregate
        for name, kind in choices.items():
            if getattr(self, name) not in get_args(kind):
                known = ", ".join(get_args(kind))
                raise OptionError(f"The option {name} is {known}, not {getattr(self, name)!r}.")
        for name in ("subsets", "hold_outs", "bootstraps"):
            if getattr(self, name) < 1:
                raise OptionError(f"At least one of {name} is needed, not {getattr(self, name)}.")
        if not self.alpha > 0:
            raise OptionError(f"The ridge penalty is positive, not {self.alpha}.")

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Ceiling of `assembly` (presentation, neuroid) with coordinate ``subject`` of neuroids.

        Raises:
            AssemblyError: if neuroids have no subject, or a response is not finite.
            UndefinedScore: with fewer than three subjects, or if no neuroid has a ceiling.
        """
        flat, subjects = _by_subject(assembly)
        splits = CrossValidation.of(self.cross_validation).over(flat)
        if not self.kept:
            return self._estimate(flat, subjects, splits)
        return kept(self._key(flat, splits), lambda: self._estimate(flat, subjects, splits))

    def per_neuroid(self, assembly: xr.DataArray) -> xr.Dataset:
        """Fields of `Extrapolation` for each neuroid, in the order of subjects."""
        flat, subjects = _by_subject(assembly)
        splits = CrossValidation.of(self.cross_validation).over(flat)

        def compute() -> np.ndarray:
            collected = self._collected(flat, subjects, splits, derivatives=False)
            return np.stack(self._extrapolated(collected), axis=1)

        found = (
            kept_rows(self._key(flat, splits), len(subjects), compute) if self.kept else compute()
        )
        coords = {name: c for name, c in flat.coords.items() if c.dims == ("neuroid",)}
        variables = {
            name: ("neuroid", values)
            for name, values in zip(Extrapolation._fields, found.T, strict=True)
        }
        return xr.Dataset(variables, coords=coords)

    def growth(self, assembly: xr.DataArray) -> xr.Dataset:
        """``score`` (number, neuroid): mean score of each neuroid, by the number of subjects.

        It is what the curves are fitted to, in the order of subjects; the held-out subject counts.
        """
        flat, subjects = _by_subject(assembly)
        splits = CrossValidation.of(self.cross_validation).over(flat)
        collected = self._collected(flat, subjects, splits, derivatives=False)
        coords = {name: c for name, c in flat.coords.items() if c.dims == ("neuroid",)}
        return xr.Dataset(
            {"score": (("number", "neuroid"), collected.plain)},
            coords={"number": collected.subjects, **coords},
        )

    def _key(self, flat: xr.DataArray, splits: Sequence[Split]) -> dict[str, Any]:
        """What determines the estimate, as JSON types."""
        options = {name: value for name, value in asdict(self).items() if name != "kept"}
        options["cross_validation"] = asdict(CrossValidation.of(self.cross_validation))
        return {
            "estimator": "subject_extrapolation",
            "options": options,
            "assembly": digest(flat),
            "splits": splits_digest(splits, flat["stimulus_id"].values),
            "source": source_of(__name__, "corteval.stats.resampling"),
        }

    def _estimate(
        self, flat: xr.DataArray, subjects: np.ndarray, splits: Sequence[Split]
    ) -> Estimate:
        collected = self._collected(flat, subjects, splits, derivatives=self.resamples > 0)
        found = self._extrapolated(collected)
        groups = subjects if self.aggregate == "subjects" else None
        value = float(central(found.ceiling, groups=groups))
        if np.isnan(value):
            raise UndefinedScore(
                "No neuroid has a ceiling: none is predicted at two numbers of subjects."
            )
        draws = draw(
            stimulus_ids=flat["stimulus_id"].values.astype(str),
            stimulus_groups=groups_of(flat),
            neuroid_ids=flat["neuroid_id"].values.astype(str),
            subjects=subjects,
            resamples=self.resamples,
            seed=self.seed,
        )
        lost = int(np.isnan(found.ceiling).sum())
        over = "" if groups is None else ", mean over subjects"
        return Estimate(
            value=value,
            error=float(central(found.low + found.high, groups=groups) / 2),
            method=f"score of infinitely many subjects, extrapolated from 2 to "
            f"{collected.subjects.max()}; median over {len(subjects) - lost} neuroids{over}, half "
            f"of the 95 % range of curves; {int(found.failed.sum())} of "
            f"{self.bootstraps * len(subjects)} curves without fit, {lost} neuroids without "
            "ceiling",
            quantity="correlation",
            replicates=_replicates(
                collected, found.ceiling, subjects, draws, groups, resamples=self.resamples
            ),
            splits=splits_digest(splits, flat["stimulus_id"].values),
        )

    def _collected(
        self,
        flat: xr.DataArray,
        subjects: np.ndarray,
        splits: Sequence[Split],
        *,
        derivatives: bool,
    ) -> Collected:
        names, starts = np.unique(subjects, return_index=True)
        plan = levels(
            len(names), sampling=self.sampling, subsets=self.subsets, hold_outs=self.hold_outs
        )
        return collect(
            Recordings.of(np.split(flat.values, starts[1:], axis=1)),
            plan,
            splits,
            fit=self.fit,
            alpha=self.alpha,
            bootstraps=self.bootstraps,
            derivatives=derivatives,
        )

    def _extrapolated(self, collected: Collected) -> Extrapolation:
        curves = fit_saturation if self.curves == "exact" else fit_as_published
        found = extrapolate(collected.subjects, collected.bootstraps, curves)
        if self.failed == "propagate":
            found = found._replace(ceiling=np.where(found.failed > 0, np.nan, found.ceiling))
        return found


def _by_subject(assembly: xr.DataArray) -> tuple[xr.DataArray, np.ndarray]:
    """`assembly` (presentation, neuroid) in the order of subjects, and these."""
    flat = responses_matrix(assembly)
    subjects = subjects_of(flat)
    if subjects is None:
        raise AssemblyError("Neuroids have no coordinate 'subject' that says whose they are.")
    count = len(np.unique(subjects))
    if count < 3:
        raise UndefinedScore(f"Extrapolation needs three subjects; there are {count}.")
    order = np.argsort(subjects, kind="stable")
    return flat.isel(neuroid=order), subjects[order]


def _replicates(
    collected: Collected,
    ceilings: np.ndarray,
    subjects: np.ndarray,
    draws: Sequence[Draws],
    groups: np.ndarray | None,
    *,
    resamples: int,
) -> tuple[Replicates, ...]:
    """See `SubjectExtrapolation`."""
    if not draws:
        return ()
    starts = np.unique(subjects, return_index=True)[1]
    of_stimuli = np.zeros(collected.moved.shape[1:])
    by_score = slopes(collected.subjects, collected.plain.T).T
    for level, moved in zip(by_score, collected.moved, strict=True):
        of_stimuli += np.where(level != 0, level * moved, 0)
    of_pools = np.zeros(len(starts))
    if len(starts) >= FEWEST_SUBJECTS:
        fits = fit_saturation(collected.subjects, np.moveaxis(collected.without, 0, -1))
        without = central(fits.v0, groups=groups)
        of_pools = (without.mean() - without) * (len(starts) - 1) / len(starts)
    step = max(1, _BUDGET // len(ceilings))
    found = []
    for way in draws:
        values = np.empty(resamples)
        for start in range(0, resamples, step):
            part = slice(start, start + step)
            moved = ceilings
            if way.stimuli is not None:
                moved = np.clip(ceilings + (way.stimuli[part] - 1) @ of_stimuli, 0, 1)
            units = None if way.neuroids is None else way.neuroids[part]
            values[part] = central(moved, units, groups)
            if units is not None:
                values[part] += (units[:, starts] - 1) @ of_pools
        found.append(replicates(way, values, median=groups is None))
    return tuple(found)
