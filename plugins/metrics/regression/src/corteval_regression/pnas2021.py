"""Neural predictivity as Schrimpf et al. 2021 scored language models: a legacy protocol by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol, cast, final, get_args, runtime_checkable

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stats.resampling import subjects_of
from corteval.stimuli import StimulusSet, joined
from corteval_regression.metric import RegressionCorrelation

#: What is divided by its ceiling.
CeilingOf = Literal["score", "neuroid"]

_NOTES = (
    "legacy: five random folds that divide passages, stories or sentences between training and "
    "test, and medians over neuroids and subjects; only to compare with the published table",
    "no interval: the published protocol has none; the error is the median absolute deviation "
    "over subjects",
)


@runtime_checkable
class PerNeuroid(Protocol):
    """A ceiling that can be asked for single neuroids."""

    def per_neuroid(self, assembly: xr.DataArray) -> xr.Dataset:
        """Variable ``ceiling`` along neuroid, with ``neuroid_id``."""


@final
@dataclass(frozen=True, kw_only=True)
class PNAS2021Benchmark:
    """Protocol of Schrimpf et al. 2021, to compare with its table of scores.

    Five shuffled folds; r of neuroid n in each; mean over folds, then over experiments::

        ceiling_of="score":    score = med_s med_n r_sn / med_s med_n c_sn
        ceiling_of="neuroid":  score = med_s med_n (r_sn / c_sn)

    c_sn is the extrapolated ceiling of a neuroid, computed in each experiment with the same folds
    and averaged over experiments. In the second form the raw score is shown on the scale of
    c = med_s med_n c_sn, as score times c. ``raw.error`` is the median absolute deviation over
    subjects, on the same scale. Nothing is clipped. Neuroids whose ceiling is 0 are left out.
    Source: spec ``metrics``, Language 2.6.

    Args:
        card: names one data set or several (experiments), a regression metric, a ceiling of single
            neuroids, and the target.
        neuroids: which are predicted, see `corteval.assembly.select_neuroids`.
        stratify_by: presentation coordinate whose values keep their shares in both sets.
        ceiling_of: see above.
        folds, fold_seed: of the cross-validation.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: not used; nothing is resampled.
    """

    card: BenchmarkCard
    neuroids: Mapping[str, Any] = field(default_factory=dict)
    stratify_by: str | None = None
    ceiling_of: CeilingOf = "neuroid"
    folds: int = 5
    fold_seed: int = 1
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.ceiling_of not in get_args(CeilingOf):
            known = " or ".join(get_args(CeilingOf))
            raise OptionError(f"ceiling_of is {known}, not {self.ceiling_of!r}.")
        if not self.card.ceiling:
            raise OptionError(f"{self.card.identifier} names no ceiling to divide by.")

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (Recording(self.card.target),)

    def stimuli(self) -> StimulusSet:
        """What is shown: the stimuli of all experiments."""
        return joined([data.stimuli() for data in self._data])

    def ceiling(self) -> Estimate:
        """Median over subjects of the median ceiling of each one's neuroids."""
        ids, subjects, ceilings = self._ceilings
        medians = _medians(ceilings, subjects)
        return Estimate(
            value=float(np.median(medians)),
            error=_deviation(medians),
            method=f"{self.card.ceiling} of {len(ids)} neuroids; median over neuroids of each of "
            f"{len(medians)} subjects, median and median absolute deviation over subjects",
            quantity="correlation",
        )

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            UndefinedScore: if some neuroid has no correlation, or a ceiling is 0.
        """
        stimuli = self.stimuli()
        (request,) = self.requests()
        source = record(model, stimuli, cast("Recording", request))
        r = _mean_by_id([self._correlations(source, target) for target in self._targets])
        ids, subjects, ceilings = self._ceilings
        values = np.array([r.get(i, np.nan) for i in ids.tolist()])
        ceiling = self.ceiling()
        scale = 1.0
        if self.ceiling_of == "neuroid":
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.where(ceilings > 0, values / ceilings, np.nan)
            scale = ceiling.value
        medians = _medians(values, subjects) * scale
        raw = Estimate(
            value=float(np.median(medians)),
            error=_deviation(medians),
            method=f"{self.card.metric}, {self.folds} shuffled folds; "
            + ("r" if self.ceiling_of == "score" else "r over its ceiling")
            + f", median over neuroids of each of {len(medians)} subjects, median over subjects"
            + ("" if scale == 1 else ", times the ceiling"),
            quantity="correlation",
        )
        samples = xr.DataArray(
            values,
            dims=["neuroid"],
            coords={"neuroid_id": ("neuroid", ids), "subject": ("neuroid", subjects)},
        )
        score = normalize(Score(value=raw.value, raw=raw, samples=samples), ceiling)
        digests = {
            f"assembly{number or ''}": assemblies.digest(target)
            for number, target in enumerate(self._targets)
        }
        provenance = Provenance(digests={"stimuli": stimuli.digest(), **digests}, seed=self.seed)
        notes = dict.fromkeys((*_NOTES, *self.notes))
        return replace(score, notes=tuple(notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The recorded responses themselves; 0 of neuroids that an experiment did not record."""
        del seed  # they are not drawn
        ids = sorted({i for target in self._targets for i in target["neuroid_id"].values.tolist()})
        place = {name: number for number, name in enumerate(ids)}
        parts = []
        for target in self._targets:
            values = np.zeros((target.sizes["presentation"], len(ids)))
            values[:, [place[i] for i in target["neuroid_id"].values.tolist()]] = target.values
            shown = target["stimulus_id"].values.tolist()
            parts.append(assemblies.neural(values, shown, {"neuroid_id": ids}))
        return assemblies.joined(parts)

    def _correlations(self, source: xr.DataArray, target: xr.DataArray) -> dict[str, float]:
        """Mean over folds of the correlation of each neuroid of one experiment."""
        metric = registry.metrics.create(
            self.card.metric, cross_validation=self._folds, resamples=0, **self.metric_options
        )
        if not isinstance(metric, RegressionCorrelation):
            raise OptionError(f"{self.card.identifier}: {self.card.metric} is no regression.")
        shown = set(target["stimulus_id"].values.tolist())
        rows = np.flatnonzero([i in shown for i in source["stimulus_id"].values.tolist()])
        samples = metric(source.isel(presentation=rows), target).samples
        assert samples is not None
        means = samples.mean("split", skipna=True)
        named = zip(means["neuroid_id"].values.tolist(), means.values.tolist(), strict=True)
        return {str(name): value for name, value in named if not np.isnan(value)}

    @property
    def _folds(self) -> dict[str, Any]:
        return {
            "folds": "kfold",
            "count": self.folds,
            "seed": self.fold_seed,
            "stratify_by": self.stratify_by,
            "order": "rows",
            "allow_leaky": True,
        }

    @cached_property
    def _data(self) -> Sequence[DataSource]:
        return [
            cast("DataSource", registry.data.create(name, **self.data_options))
            for name in self.card.data
        ]

    @cached_property
    def _targets(self) -> Sequence[xr.DataArray]:
        """Responses of each experiment, (presentation, neuroid)."""
        selected = [
            assemblies.select_neuroids(data.assembly(), self.neuroids) for data in self._data
        ]
        return [assemblies.responses_matrix(assembly) for assembly in selected]

    @cached_property
    def _ceilings(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids, subjects and ceilings of all neuroids, (neuroid)."""
        estimator = registry.metrics.create(
            str(self.card.ceiling), cross_validation=self._folds, **self.ceiling_options
        )
        if not isinstance(estimator, PerNeuroid):
            raise OptionError(
                f"{self.card.identifier}: {self.card.ceiling} has no ceilings of single neuroids; "
                "subject_extrapolation has."
            )
        found: list[dict[str, float]] = []
        subject_of: dict[str, str] = {}
        for target in self._targets:
            subjects = subjects_of(target)
            if subjects is None:
                raise AssemblyError(
                    "Neuroids have no coordinate 'subject' that says whose they are."
                )
            subject_of |= dict(zip(target["neuroid_id"].values.tolist(), subjects, strict=True))
            each = estimator.per_neuroid(target)
            found.append(
                dict(zip(each["neuroid_id"].values.tolist(), each["ceiling"].values, strict=True))
            )
        means = _mean_by_id([{i: c for i, c in one.items() if not np.isnan(c)} for one in found])
        ids = sorted(means)
        if not ids:
            raise UndefinedScore("No neuroid has a ceiling.")
        values = np.array([means[i] for i in ids])
        return np.array(ids), np.array([subject_of[i] for i in ids]), values


def _mean_by_id(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean over the parts that have a name."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {n: float(np.mean([part[n] for part in parts if n in part])) for n in names}


def _medians(values: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Median over the neuroids of each subject that has any; NaN is left out.

    Raises:
        UndefinedScore: if none has.
    """
    kept = ~np.isnan(values)
    names = np.unique(subjects[kept])
    if not len(names):
        raise UndefinedScore("No neuroid has a correlation and a ceiling.")
    return np.array([np.median(values[kept & (subjects == name)]) for name in names])


def _deviation(values: np.ndarray) -> float:
    """Median absolute deviation."""
    return float(np.median(np.abs(values - np.median(values))))
