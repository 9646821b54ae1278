"""RDMs of single subjects over all images, those to fit on and those to test on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, final

import numpy as np
import xarray as xr

from corteval import registry
from corteval.assembly import align, responses_matrix, responses_with_rdm
from corteval.cards import BenchmarkCard
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request
from corteval.score import Estimate, Provenance, Score, normalize
from corteval_regression.recordings import Recordings
from corteval_similarity import correlation_distances, rdm_assembly


@final
@dataclass(frozen=True, kw_only=True)
class AllImages:
    """Mean over subjects of the similarity of the model's RDM to that of each subject.

        score = mean_s rho(RDM_model, RDM_s) / c,    c = mean_s rho(RDM_s, mean of all RDMs)

    Nothing is fitted, so all images of both data sets are compared. Source: spec ``metrics`` 2.3,
    2.5.

    Args:
        card: names two data sets, metric, ceiling and target.
        neuroids: which make the RDMs, see `corteval.assembly.select_neuroids`.
        lower_bound: estimator of what the noiseless responses reach at least, told in a note.
        visual_degrees: extent of the stimuli, if the data do not say it.
        train_options, test_options: of the two data sets.
        metric_options, ceiling_options: of the metric, and of the ceiling and its lower bound.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    neuroids: Mapping[str, Any] = field(default_factory=dict)
    lower_bound: str = "rsa_lower"
    visual_degrees: float | None = None
    train_options: Mapping[str, Any] = field(default_factory=dict)
    test_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (Recording(self.card.target),)

    def ceiling(self) -> Estimate:
        """Similarity of a subject's RDM to the mean of all, by the estimator the card names."""
        return self._ceiling

    def noise_bounds(self) -> tuple[Estimate, Estimate]:
        """What the noiseless responses reach at least, and the ceiling."""
        return self._estimated(self.lower_bound), self._ceiling

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`."""
        target = self._recordings.means
        source = record(model, self._recordings.stimuli, Recording(self.card.target))
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **{"subjects": "separate", **self.metric_options}
        )
        score = normalize(metric(align(responses_matrix(source), target), target), self._ceiling)
        lower, upper = self.noise_bounds()
        bounds = f"noise ceiling of raw scores: {lower.value:.4f} to {upper.value:.4f}"
        return replace(
            score,
            notes=(*score.notes, bounds, *self.notes),
            provenance=Provenance(digests=self._recordings.digests, seed=self.seed),
        )

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Responses that have the mean of the subjects' RDMs."""
        del seed  # they are not drawn
        means, columns = self._recordings.means, self._recordings.columns
        rdms = np.stack([correlation_distances(means.values[:, own]) for own in columns.values()])
        ids = means["stimulus_id"].values.tolist()
        return responses_with_rdm(rdm_assembly(rdms, ids, list(columns)))

    @cached_property
    def _recordings(self) -> Recordings:
        return Recordings(
            data=self.card.data,
            neuroids=self.neuroids,
            visual_degrees=self.visual_degrees,
            train_options=self.train_options,
            test_options=self.test_options,
        )

    @cached_property
    def _ceiling(self) -> Estimate:
        return self._estimated(str(self.card.ceiling))

    def _estimated(self, by: str) -> Estimate:
        estimator: Ceiling = registry.metrics.create(by, seed=self.seed, **self.ceiling_options)
        return estimator(self._recordings.means)
