"""Which class a contour is of, across discontinuities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import UndefinedScore
from corteval.model import ModelCommitment
from corteval.requests import Probabilities, Recording, Request
from corteval.score import Estimate, Provenance, Score, unnormalized
from corteval.stimuli import StimulusSet
from corteval_contour_integration.thresholds import half_loss_level
from corteval_robustness.accuracy import accuracy
from corteval_robustness.answers import answers, ideal_units
from corteval_robustness.labelled import Labelled, labelled

_NO_CEILING = "accuracy on displays with known labels; no person has done the task on them"


@final
@dataclass(frozen=True, kw_only=True)
class ContourBenchmark:
    """Does a read-out that knows undisturbed contours recognise them across discontinuities?

    A read-out is fitted on undisturbed contours of four classes among distractors and tested on
    other contours, undisturbed and with gaps, orientation jitter, reversed contrast or shifts as in
    depth, at three levels each. The score is the accuracy over all disturbed displays; ``samples``
    has it by disturbance and level, and the notes the level of each disturbance at which half of
    the advantage over chance is lost (`corteval_contour_integration.thresholds`). Chance is 1/4.

    The displays are our own (`corteval_gabor_contours`), in the manner of experiments on people;
    no responses of people to them exist.

    Args:
        card: names the data. Its target is ``"probabilities"``, a task that the subject does by
            its own read-out; or a recording target, which a linear support vector machine reads.
        most_units: drawn at most from the units of a recording.
        data_options: for the data.
        resamples: of the bootstrap over contours.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    most_units: int = 16_384
    data_options: Mapping[str, Any] = field(default_factory=dict)
    resamples: int = 1000
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """Probabilities of classes, or a recording of the card's target."""
        if self.card.target == "probabilities":
            return (Probabilities(fit=self._fit.stimuli),)
        return (Recording(self.card.target),)

    def ceiling(self) -> Estimate:
        """There is none.

        Raises:
            UndefinedScore
        """
        raise UndefinedScore(f"{self.card.identifier}: {_NO_CEILING}.")

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`."""
        (request,) = self.requests()
        test = self._test
        given = answers(model, request, self._fit, test.stimuli, self.most_units)
        cells = self._cells
        right = (given == test.labels).reshape(len(cells), -1).T.astype(float)  # (contour, cell)
        contours = test.objects[: len(right)]
        options: dict[str, Any] = {"resamples": self.resamples, "seed": self.seed}
        raw = accuracy(right[:, 1:], contours, what="disturbed", **options)
        before = accuracy(right[:, :1], contours, what="undisturbed", **options)
        kinds = list(dict.fromkeys(kind for kind, _ in cells[1:]))
        samples = xr.DataArray(
            right.mean(axis=0),
            dims=["condition"],
            coords={
                "disturbance": ("condition", [kind for kind, _ in cells]),
                "level": ("condition", [level for _, level in cells]),
            },
        )
        chance = 1 / len(self._fit.choices)
        found = ", ".join(f"{kind} {self._threshold(samples, kind, chance)}" for kind in kinds)
        notes = (
            f"accuracy {before.value:.3f} on undisturbed contours, {raw.value:.3f} on disturbed "
            f"ones; chance {chance:.3g}",
            f"half of the advantage over chance is lost at {found}",
            "the displays are Corteval's own; there are no data of people to compare with",
        )
        score = unnormalized(Score(value=raw.value, raw=raw, samples=samples), _NO_CEILING)
        digests = {"fit": self._fit.stimuli.digest(), "stimuli": test.stimuli.digest()}
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *notes), provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """The displays to test on."""
        return self._test.stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Units that respond to one class each, over all displays."""
        both = (self._fit, self._test)
        labels = np.concatenate([part.labels for part in both])
        ids = [i for part in both for i in part.stimuli.stimulus_ids]
        return ideal_units(labels, ids, self._fit.choices, seed)

    def _threshold(self, samples: xr.DataArray, kind: str, chance: float) -> str:
        kinds, levels = samples["disturbance"].values, samples["level"].values
        rows = np.concatenate([[0], np.flatnonzero(kinds == kind)])
        found = half_loss_level(levels[rows], samples.values[rows], chance)
        if np.isnan(found):
            return "(never above chance)"
        return f"beyond {levels[rows[-1]]:g}" if np.isinf(found) else f"{found:.3g}"

    @cached_property
    def _stimuli(self) -> StimulusSet:
        (identifier,) = self.card.data
        source = cast("DataSource", registry.data.create(identifier, **self.data_options))
        return source.stimuli()

    @cached_property
    def _fit(self) -> Labelled:
        return labelled(self._stimuli.where(split="fit"), "label", "contour_id")

    @cached_property
    def _test(self) -> Labelled:
        return labelled(self._stimuli.where(split="test"), "label", "contour_id")

    @property
    def _cells(self) -> list[tuple[str, float]]:
        """Disturbance and level, in the order in which they are shown; undisturbed first."""
        table = self._stimuli.where(split="test").table
        pairs = zip(table["disturbance"], table["level"], strict=True)
        return list(dict.fromkeys((str(kind), float(level)) for kind, level in pairs))
