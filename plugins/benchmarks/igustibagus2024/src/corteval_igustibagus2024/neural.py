"""IT neurons predicted for image domains whose backgrounds were not used to fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, cast, final, get_args

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin, as_time_bins
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stats.resampling import (
    Held,
    central,
    correlation,
    draw,
    median_correlation_replicates,
)
from corteval.stats.splits import Split, splits_digest
from corteval.stimuli import StimulusSet
from corteval_ceilings.halves import split_half_reliability, trials_of
from corteval_regression import Features, ridge_cv

#: How stimuli are divided.
Splits = Literal["groups", "published"]

#: Sources and styles that are compared, of those in the archive's file.
SOURCES = ("COCOColor", "Art", "COCOGray", "TDW", "Silhouette")
STYLES = (
    *("silhouettes", "edges", "original", "sketch", "textures", "painting", "mosaic"),
    *("grayscale", "convex_hull", "outline", "silhouette", "line_drawing", "cartoon"),
)
#: Coordinate made here: background, or the stimulus itself if it has none.
GROUP = "background_group"

_FOLDS = {"folds": "kfold", "count": 10, "group_by": GROUP}


@final
@dataclass(frozen=True, kw_only=True)
class DomainTransfer:
    """Explained variance over reliability, with no background both fitted and tested.

    Training and test sets share no background, of which 0 stands for none:

    - ``"groups"``: ten folds over backgrounds, a stimulus without one being a group of its own;
      objects keep their shares in every fold.
    - ``"published"``: ten stratified random splits with a tenth to test on, of whose training
      stimuli those with a tested background are left out; over rows in the order of the assembly.

    Source: spec ``vision-benchmarks`` 3, ``metrics`` 2.1 to 2.4.

    Args:
        card: names data, metric, ceiling and target.
        splits: see above.
        reliable: neuroids whose reliability (Spearman-Brown corrected halves, mean over halvings)
            over all stimuli is above it are predicted.
        alpha: penalty of ridge regression, for ``"published"``.
        sources, styles: which stimuli are compared, by the next two.
        source, style, label, background: names of the coordinates of stimuli.
        model_trials: times each stimulus is shown to the subject, whose responses are averaged.
        visual_degrees: extent of the stimuli, if the data do not say it.
        time_bins: asked of the subject.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    splits: Splits = "groups"
    reliable: float = 0.7
    alpha: float = 1.0
    sources: tuple[str, ...] = SOURCES
    styles: tuple[str, ...] = STYLES
    source: str = "stimulus_source"
    style: str = "object_style"
    label: str = "object_label"
    background: str = "background_id"
    model_trials: int = 1
    visual_degrees: float | None = None
    time_bins: tuple[TimeBin, ...] = ()
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))
        if self.splits not in get_args(Splits):
            known = " or ".join(get_args(Splits))
            raise OptionError(f"splits are {known}, not {self.splits!r}.")

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """Reliability of the neuroids over the stimuli that are compared."""
        estimator: Ceiling = registry.metrics.create(
            str(self.card.ceiling), seed=self.seed, **self.ceiling_options
        )
        return estimator(self._trials)

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`."""
        target = self._means
        source = record(model, self._stimuli, self._recording)
        source = assemblies.align(assemblies.responses_matrix(source), target)
        raw = self._published(source) if self.splits == "published" else self._grouped(source)
        score = normalize(raw, self.ceiling())
        digests = {
            "stimuli": self._stimuli.digest(),
            "assembly": assemblies.digest(self._trials),
        }
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The recorded responses themselves."""
        del seed  # they are not drawn
        return self._means

    def _grouped(self, source: xr.DataArray) -> Score:
        folds = {**_FOLDS, "stratify_by": self.label}
        metric: Metric = registry.metrics.create(
            self.card.metric,
            seed=self.seed,
            **{"cross_validation": folds, **self.metric_options},
        )
        return metric(source, self._means)

    def _published(self, source: xr.DataArray) -> Score:
        target = self._means
        splits = published_splits(target[self.label].values, target[self.background].values)
        observed = np.asarray(target.values, np.float64)
        predictions = ridge_cv(Features.of(source.values), observed, splits, alpha=self.alpha)
        held = [Held(p, observed[s.test], s.test) for p, s in zip(predictions, splits, strict=True)]
        r = np.stack([correlation(h.predicted, h.observed) for h in held])
        per_split = central(r)
        if np.isnan(per_split).any():
            raise UndefinedScore("No neuroid has a correlation in some split: it is constant.")
        ways = draw(
            stimulus_ids=target["stimulus_id"].values.astype(str),
            neuroid_ids=target["neuroid_id"].values.astype(str),
            resamples=self.metric_options.get("resamples", 1000),
            seed=self.seed,
        )
        raw = Estimate(
            value=float(per_split.mean()),
            error=float(per_split.std() / np.sqrt(len(splits))),
            method=f"ridge, alpha {self.alpha:g}; median r over neuroids, mean and standard error "
            f"over {len(splits)} splits",
            quantity="correlation",
            replicates=median_correlation_replicates(held, ways) if ways else (),
            splits=splits_digest(splits, target["stimulus_id"].values),
        )
        return Score(value=raw.value, raw=raw, samples=xr.DataArray(r, dims=["split", "neuroid"]))

    @cached_property
    def _recording(self) -> Recording:
        return Recording(self.card.target, self.time_bins, trials=self.model_trials)

    @cached_property
    def _data(self) -> DataSource:
        (identifier,) = self.card.data
        return cast("DataSource", registry.data.create(identifier, **self.data_options))

    @cached_property
    def _stimuli(self) -> StimulusSet:
        whole = self._data.stimuli()
        recorded = set(self._trials["stimulus_id"].values.tolist())
        stimuli = whole.select([i for i in whole.stimulus_ids if i in recorded])
        return stimuli.sized(self.visual_degrees)

    @cached_property
    def _trials(self) -> xr.DataArray:
        """(presentation, neuroid, trial) of reliable neuroids and compared stimuli."""
        assembly = assemblies.check_neural(self._data.assembly())
        for name in (self.source, self.style, self.label, self.background):
            if name not in assembly.coords or assembly[name].dims != ("presentation",):
                known = [str(n) for n, c in assembly.coords.items() if c.dims == ("presentation",)]
                raise AssemblyError(
                    f"Stimuli have no coordinate {name!r}; they have {', '.join(known)}."
                )
        reliability = split_half_reliability(trials_of(assembly, "The choice of neuroids"))
        with np.errstate(invalid="ignore"):
            reliable = np.nanmean(reliability, axis=0) > self.reliable
        rows = np.isin(assembly[self.source].values.astype(str), self.sources)
        rows &= np.isin(assembly[self.style].values.astype(str), self.styles)
        if not reliable.any() or not rows.any():
            raise AssemblyError(
                f"{int(reliable.sum())} neuroids have a reliability above {self.reliable}, and "
                f"{int(rows.sum())} stimuli are of the sources and styles compared."
            )
        kept = assembly.isel(neuroid=np.flatnonzero(reliable), presentation=np.flatnonzero(rows))
        return kept.assign_coords({GROUP: ("presentation", self._groups(kept))})

    @cached_property
    def _means(self) -> xr.DataArray:
        return assemblies.responses_matrix(self._trials)

    def _groups(self, assembly: xr.DataArray) -> list[str]:
        ids, background = assembly["stimulus_id"].values, assembly[self.background].values
        known = [f"background {b}" for b in background]
        return [k if b != 0 else f"{i}" for k, b, i in zip(known, background, ids, strict=True)]


def published_splits(labels: np.ndarray, background: np.ndarray) -> Sequence[Split]:
    """Ten stratified random splits; training rows whose background is tested are left out.

    They are scikit-learn's ``StratifiedShuffleSplit(10, train_size=.9, test_size=.1,
    random_state=1)`` over rows as they stand. Background 0 is none.

    Args:
        labels: (row) object of each stimulus.
        background: (row).
    """
    from sklearn.model_selection import StratifiedShuffleSplit

    shuffle = StratifiedShuffleSplit(10, train_size=0.9, test_size=0.1, random_state=1)
    found = []
    for train, test in shuffle.split(np.zeros(len(labels)), labels.astype(str)):
        shared = np.isin(background[train], background[test]) & (background[train] != 0)
        found.append(Split(train[~shared], test))
    return found
