"""Neuroids predicted from model units, subject by subject: the mean over subjects is the score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, final, get_args

import numpy as np
import xarray as xr

from corteval import registry
from corteval.assembly import align, responses_matrix
from corteval.cards import BenchmarkCard
from corteval.errors import OptionError
from corteval.intervals import GROUPS, Replicates
from corteval.metric import Ceiling
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin, as_time_bins
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stats.resampling import FEWEST_SUBJECTS, draw, replicates
from corteval_regression.metric import Fit, Fitted, Problem, RegressionCorrelation
from corteval_regression.recordings import Recordings

#: What is averaged over subjects.
Share = Literal["r^2/c", "(r/c)^2"]

#: Of r and c of one subject. The former keeps the sign of r; the latter is as it was published.
_SHARES: dict[str, Callable[[Any, Any], Any]] = {
    "r^2/c": lambda r, c: r * abs(r) / c,
    "(r/c)^2": lambda r, c: (r / c) ** 2,
}

#: Mean over subjects, (resample), from (estimate, resample) and (subject, resample) counts.
Joint = Callable[[np.ndarray, np.ndarray], np.ndarray]


@final
@dataclass(frozen=True, kw_only=True)
class SubjectsBenchmark:
    """Mean over subjects of the explained variance that reliability allows.

        score = mean_s r_s |r_s| / c_s,    r_s = median_n r_sn,    c_s = mean_h median_n c_shn

    r_sn correlates predicted and recorded responses of neuroid n of subject s over test stimuli,
    c_shn is the Spearman-Brown corrected reliability of that neuroid by halving h of the trials.
    Each subject counts once, however many neuroids were recorded, and is divided by its own
    reliability. The raw score is shown on the scale of the mean reliability c = mean_s c_s, that
    is as score times c, so that raw over ceiling is the score. Model units are fitted to all
    subjects at once, from one recording of the model. Source: spec ``metrics`` 2.4.

    Args:
        card: names two data sets (fitted on the first, tested on the second), a regression metric
            with a fixed split, a ceiling of single neuroids, and the target.
        neuroids: which are predicted, see `corteval.assembly.select_neuroids`.
        bins_as_neuroids: see `Recordings`.
        share: ``"r^2/c"``, of the sign of r; or ``"(r/c)^2"``, never negative, as scores were
            published before December 2025.
        model_trials: times each stimulus is shown to the subject, whose responses are averaged.
        visual_degrees: extent of the stimuli, if the data do not say it.
        time_bins: asked of the subject; empty leaves time to it.
        train_options, test_options: of the two data sets.
        metric_options, ceiling_options: of the metric and the ceiling.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    neuroids: Mapping[str, Any] = field(default_factory=dict)
    bins_as_neuroids: bool = False
    share: Share = "r^2/c"
    model_trials: int = 1
    visual_degrees: float | None = None
    time_bins: tuple[TimeBin, ...] = ()
    train_options: Mapping[str, Any] = field(default_factory=dict)
    test_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))
        if self.share not in get_args(Share):
            known = " or ".join(get_args(Share))
            raise OptionError(f"share is {known}, not {self.share!r}.")
        if not self.card.ceiling:
            raise OptionError(f"{self.card.identifier} names no ceiling to divide subjects by.")

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """Mean over subjects of the reliability of each one's neuroids."""
        found = list(self._reliabilities.values())
        value = float(np.mean([c.value for c in found]))
        return Estimate(
            value=value,
            method=f"{found[0].method}; mean over {len(found)} subjects",
            quantity="reliability",
            replicates=self._combined(found, _average),
        )

    def reliabilities(self) -> dict[str, Estimate]:
        """Ceiling of each subject."""
        return dict(self._reliabilities)

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            UndefinedScore: if a subject has no correlation or no reliability.
        """
        source = record(model, self._recordings.stimuli, self._recording)
        pooled, scores = self._predicted(source)
        ceiling = self.ceiling()
        raw = self._raw({name: s.raw for name, s in scores.items() if s.raw}, ceiling)
        score = normalize(replace(pooled, value=raw.value, raw=raw), ceiling)
        provenance = Provenance(digests=self._recordings.digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The recorded responses themselves."""
        del seed  # they are not drawn
        return self._recordings.means

    def _raw(self, found: Mapping[str, Estimate], ceiling: Estimate) -> Estimate:
        """Mean share of the subjects, times the mean ceiling."""
        names = list(found)
        limits = [self._reliabilities[name] for name in names]
        share = _SHARES[self.share]
        values = [share(r.value, c.value) for r, c in zip(found.values(), limits, strict=True)]

        def joint(rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
            r, c = rows[: len(names)], rows[len(names) :]
            with np.errstate(divide="ignore", invalid="ignore"):
                shares = np.where(c > 0, share(r, c), np.nan)
            return _average(shares, counts) * _average(c, counts)

        told = ", ".join(
            f"{name} r {r.value:.3f}, c {c.value:.3f}"
            for (name, r), c in zip(found.items(), limits, strict=True)
        )
        return Estimate(
            value=float(np.mean(values)) * ceiling.value,
            method=f"{next(iter(found.values())).method}; {self.share} of each subject, mean over "
            f"{len(names)} subjects, times the mean c ({told})",
            quantity="variance",
            replicates=self._combined([*found.values(), *limits], joint),
            splits=next(iter(found.values())).splits,
        )

    def _predicted(self, source: xr.DataArray) -> tuple[Score, dict[str, Score]]:
        """Of all subjects together, and of each; fitted once."""
        target = self._recordings.means
        source = align(responses_matrix(source), target)
        metric = registry.metrics.create(self.card.metric, seed=self.seed, **self.metric_options)
        if not isinstance(metric, RegressionCorrelation):
            raise OptionError(
                f"{self.card.identifier}: metric {self.card.metric} is no regression."
            )
        fitted: list[Fitted] = []

        def once(problem: Problem) -> Fitted:
            fitted.append(metric.fit(problem))
            return fitted[0]

        whole = replace(metric, fit=once, aggregate="subjects", resamples=0)(source, target)
        scores = {
            name: replace(metric, fit=_part_of(fitted[0], columns), aggregate="neuroids")(
                source, target.isel(neuroid=columns)
            )
            for name, columns in self._recordings.columns.items()
        }
        return whole, scores

    def _combined(self, own: Sequence[Estimate], joint: Joint) -> tuple[Replicates, ...]:
        """Replicates of a mean over subjects from those of each subject.

        Stimuli are drawn for all subjects alike. With few subjects their neuroids are drawn, else
        the subjects themselves.

        Args:
            own: estimates of each subject; several estimates may follow each other.
            joint: mean over subjects from (estimate, resample) and (subject, resample) counts.
        """
        subjects = list(self._reliabilities)
        scopes = {r.scope: r for r in own[0].replicates}
        rows = {
            scope: np.array([r.values for one in own for r in one.replicates if r.scope == scope])
            for scope in scopes
            if all(_resamples(one, scope) == len(scopes[scope].values) for one in own)
        }
        of_stimuli = next((scope for scope in ("stimuli", GROUPS) if scope in rows), None)
        if of_stimuli is None:
            return ()
        stimuli, resamples = scopes[of_stimuli], rows[of_stimuli].shape[1]
        once = np.ones((len(subjects), resamples))
        if len(subjects) < FEWEST_SUBJECTS:
            return tuple(
                replace(scopes[scope], values=_rounded(joint(values, once)))
                for scope, values in rows.items()
            )
        (drawn,) = draw(subjects=subjects, resamples=resamples, seed=self.seed)
        counts = np.asarray(drawn.neuroids, np.float64).T
        points = np.repeat([[one.value] for one in own], resamples, axis=1)
        both = drawn._replace(
            scope=f"{stimuli.scope}×{drawn.scope}",
            sizes=(*stimuli.sizes, *drawn.sizes),
            digest=f"{stimuli.draw}×{drawn.digest}",
        )
        return (
            replace(stimuli, values=_rounded(joint(rows[of_stimuli], once))),
            replicates(drawn, joint(points, counts)),
            replicates(both, joint(rows[of_stimuli], counts)),
        )

    @cached_property
    def _recordings(self) -> Recordings:
        return Recordings(
            data=self.card.data,
            neuroids=self.neuroids,
            bins_as_neuroids=self.bins_as_neuroids,
            visual_degrees=self.visual_degrees,
            train_options=self.train_options,
            test_options=self.test_options,
        )

    @cached_property
    def _recording(self) -> Recording:
        return Recording(self.card.target, self.time_bins, trials=self.model_trials)

    @cached_property
    def _reliabilities(self) -> dict[str, Estimate]:
        estimator: Ceiling = registry.metrics.create(
            str(self.card.ceiling), seed=self.seed, **self.ceiling_options
        )
        parts = self._recordings.trials_of_subjects
        return {name: estimator(part) for name, part in parts.items()}


def _part_of(fitted: Fitted, columns: np.ndarray) -> Fit:
    """A fit that was done already, of some of its neuroids."""

    def part(problem: Problem) -> Fitted:
        del problem
        return Fitted([predicted[:, columns] for predicted in fitted.predictions])

    return part


def _average(rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(resample) mean of (subject, resample), each subject counted as often as it was drawn."""
    return np.asarray(np.average(rows, axis=0, weights=counts))


def _resamples(estimate: Estimate, scope: str) -> int:
    return next((len(r.values) for r in estimate.replicates if r.scope == scope), 0)


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(f"{v:.7g}") for v in np.asarray(values, np.float64).tolist())
