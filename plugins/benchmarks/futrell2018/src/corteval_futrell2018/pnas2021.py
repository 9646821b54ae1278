"""Reading times of single people from model units, as Schrimpf et al. 2021 scored them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.assembly import neural
from corteval.cards import BenchmarkCard
from corteval.ceiling_store import kept, source_of
from corteval.data import DataSource
from corteval.errors import UndefinedScore
from corteval.metric import Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stimuli import StimulusSet
from corteval_ceilings import fit_saturation
from corteval_futrell2018.benchmark import times_of

#: Sizes of groups of readers, subsets of each size, and halvings of each subset.
SMALLEST, STEP, SUBSETS, HALVINGS = 2, 5, 5, 3

_FOLDS = {
    "folds": "kfold",
    "count": 5,
    "stratify_by": "sentence_id",
    "allow_leaky": True,
    "order": "rows",
}


@final
@dataclass(frozen=True, kw_only=True)
class ReadersBenchmark:
    """Median over readers of the correlation of predicted and measured reading times.

        score = med_s r_s / c,    r_s = mean over five folds of Pearson over the words s has read

    Model units are fitted to the reading times of each reader by least squares. Folds are of
    words, sentences having their share in each. The ceiling extrapolates how well the mean of half
    of n readers predicts that of the other half: for n = 2, 7, 12, ... five random subsets are
    halved three times, v0 (1 - exp(-n / tau)) is fitted to the medians, and c = v0.
    Source: spec ``metrics``, Language 2.5 and 2.6.

    Args:
        card: names the reading times, a regression metric and the target.
        metric_options, data_options: for the factories of metric and data.
        notes: what a reader must know to read the score rightly.
        seed: not used; subsets and halves are drawn by a ``RandomState(0)``.
    """

    card: BenchmarkCard
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    data_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (Recording(self.card.target),)

    def stimuli(self) -> StimulusSet:
        """The words, by story."""
        return self._data.stimuli()

    def ceiling(self) -> Estimate:
        """What half of infinitely many readers would predict of the other half."""
        key = {
            "estimator": "reading_times_of_halves",
            "metric": [self.card.metric, dict(self.metric_options)],
            "assembly": assemblies.digest(self._times),
            "source": source_of(__name__, "corteval_regression", "corteval.stats.splits"),
        }
        return kept(key, self._extrapolated)

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            UndefinedScore: if no reader has a correlation.
        """
        stimuli = self.stimuli()
        (request,) = self.requests()
        source = assemblies.align(
            assemblies.responses_matrix(record(model, stimuli, cast("Recording", request))),
            self._times,
        )
        times, names = self._times.values, self._times["subject"].values.astype(str)
        r = np.array([self._predicted(source, own) for own in times.T])
        found = r[~np.isnan(r)]
        if not len(found):
            raise UndefinedScore("No reader's times are predicted: predictions are constant.")
        value = float(np.median(found))
        raw = Estimate(
            value=value,
            error=float(np.median(np.abs(found - value))),
            method=f"{self.card.metric}, five folds of the words of each reader; median and median "
            f"absolute deviation over {len(found)} readers",
            quantity="correlation",
        )
        samples = xr.DataArray(r, dims=["subject"], coords={"subject": names})
        score = normalize(Score(value=value, raw=raw, samples=samples), self.ceiling())
        digests = {"stimuli": stimuli.digest(), "assembly": assemblies.digest(self._times)}
        notes = (*self.notes, "no interval: the published protocol has none")
        return replace(score, notes=notes, provenance=Provenance(digests=digests, seed=self.seed))

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Reading times of every reader; of words that a reader lacks, the mean of the others."""
        del seed  # they are not drawn
        times = self._times.values
        mean = np.nanmean(times, axis=1, keepdims=True)
        return neural(
            np.where(np.isnan(times), mean, times),
            self._times["stimulus_id"].values.tolist(),
            {"neuroid_id": self._times["subject"].values.astype(str)},
        )

    def _extrapolated(self) -> Estimate:
        sizes, medians = [], []
        for size, scores in self._of_halves():
            sizes.append(size)
            medians.append(float(np.median(scores)) if scores else np.nan)
        found = fit_saturation(np.array(sizes), np.array(medians))
        if not found.v0 > 0:
            raise UndefinedScore(
                f"Halves of {max(sizes)} readers and fewer do not predict each other."
            )
        return Estimate(
            value=float(found.v0),
            method=f"halves of readers that predict each other, extrapolated from {min(sizes)} to "
            f"{max(sizes)}",
            quantity="correlation",
        )

    def _of_halves(self) -> Iterator[tuple[int, list[float]]]:
        """Numbers of readers, and correlations of halves of subsets of so many."""
        rng, times = np.random.RandomState(0), self._times.values
        for size in range(SMALLEST, times.shape[1] + 1, STEP):
            scores = []
            for _ in range(SUBSETS):
                subset = rng.choice(times.shape[1], size, replace=False)
                for _ in range(HALVINGS):
                    order = rng.permutation(subset)
                    first, second = (
                        _means(times[:, part]) for part in (order[: size // 2], order[size // 2 :])
                    )
                    source = self._one(second, "half")
                    r = self._predicted(source, np.where(np.isnan(second), np.nan, first))
                    scores += [] if np.isnan(r) else [r]
            yield size, scores

    def _predicted(self, source: xr.DataArray, times: np.ndarray) -> float:
        """Mean over folds of the correlation with `times` (word), where there are any."""
        rows = np.flatnonzero(~np.isnan(times))
        if len(rows) < 3 * _FOLDS["count"]:  # type: ignore[operator]
            return np.nan
        target = self._one(times, "reader").isel(presentation=rows)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            try:
                score = self._metric(source.isel(presentation=rows), target)
            except UndefinedScore:
                return np.nan
        return float("nan") if score.raw is None else score.raw.value

    def _one(self, values: np.ndarray, name: str) -> xr.DataArray:
        return neural(
            values[:, None],
            self._times["stimulus_id"].values.tolist(),
            {"neuroid_id": [name]},
            presentation={"sentence_id": self._times["sentence_id"].values.astype(str)},
        )

    @cached_property
    def _metric(self) -> Metric:
        return cast(
            "Metric",
            registry.metrics.create(
                self.card.metric, cross_validation=_FOLDS, resamples=0, **self.metric_options
            ),
        )

    @cached_property
    def _data(self) -> DataSource:
        return cast("DataSource", registry.data.create(self.card.data[0], **self.data_options))

    @cached_property
    def _times(self) -> xr.DataArray:
        """(presentation, subject); NaN where a reader did not read a word."""
        return times_of(self._data, self.card.data[0])


def _means(times: np.ndarray) -> np.ndarray:
    """Mean over readers (word); NaN where none has read it."""
    present = ~np.isnan(times)
    count = present.sum(axis=1)
    sums = np.where(present, times, 0).sum(axis=1)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)
