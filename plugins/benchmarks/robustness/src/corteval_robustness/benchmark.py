"""Accuracy on corrupted images relative to that on the same images as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import OptionError, UndefinedScore
from corteval.model import ModelCommitment
from corteval.requests import Probabilities, Recording, Request
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stimuli import StimulusSet
from corteval_robustness.accuracy import accuracy, require_recognised
from corteval_robustness.answers import answers, ideal_units
from corteval_robustness.copies import CLEAN, corrupted
from corteval_robustness.corruptions import SEVERITIES
from corteval_robustness.labelled import Labelled, divided, labelled

#: Targets of cards whose subject reads probabilities itself.
PROBABILITIES = "probabilities"

#: Units recorded at most where the benchmark reads a recording.
MOST_UNITS = 16_384


@final
@dataclass(frozen=True, kw_only=True)
class RobustnessBenchmark:
    """How much of its recognition a subject keeps when images are corrupted.

    Of each label some objects are kept for testing. The subject's read-out is fitted on the images
    of the others as they are; it is tested on images of the kept objects, as they are and under
    every corruption at every severity. With accuracies a over images, and chance p = 1/labels,

        score = (a_corrupted - p) / (a_clean - p)

    where a_corrupted is the mean over corruptions and severities. The interval draws test objects,
    jointly for both accuracies. The score's ``ceiling`` is the subject's own a_clean: no data bound
    it. Its ``samples`` are accuracies by corruption and severity.

    Args:
        card: names the data. Its target is ``"probabilities"``, a task that the subject does by
            its own read-out; or a recording target, whose units a linear support vector machine
            reads (`corteval_robustness.support_vectors`), drawn if there are more than
            `most_units`.
        label: column of the stimulus table with the right answers.
        together: column that tells which images are of one object; None: each is its own.
        corruptions: keys of `corteval_robustness.CORRUPTIONS`; None takes all.
        severities: of 1 to 5.
        test_share: of the objects of each label.
        test_images: at most, over all labels.
        image_seed: of what is kept for testing, and of what is drawn in corruptions.
        most_units: see `card`.
        visual_degrees: extent of the images, if the data do not say it.
        data_options: for the data.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    label: str = "label"
    together: str | None = None
    corruptions: Sequence[str] | None = None
    severities: Sequence[int] = SEVERITIES
    test_share: float = 0.25
    test_images: int = 40
    image_seed: int = 0
    most_units: int = MOST_UNITS
    visual_degrees: float | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    resamples: int = 1000
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """Probabilities of labels, or a recording of the card's target."""
        if self.card.target == PROBABILITIES:
            return (Probabilities(fit=self._parts[0].stimuli),)
        return (Recording(self.card.target),)

    def ceiling(self) -> Estimate:
        """There is none.

        Raises:
            UndefinedScore
        """
        raise UndefinedScore(
            f"{self.card.identifier}: scores are relative to a subject's own accuracy on the "
            "images as they are; no data bound them."
        )

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            UndefinedScore: if it recognises the images no better than guessing as they are.
        """
        fit, test = self._parts
        (request,) = self.requests()
        given = answers(model, request, fit, self._shown, self.most_units)
        right = given == self._truth
        cells = self._cells
        by_cell = right.reshape(len(cells), len(test.stimuli)).T  # (image, cell)
        clean, spoilt = by_cell[:, :1].astype(float), by_cell[:, 1:].astype(float)
        require_recognised(clean, len(fit.choices))
        options: dict[str, Any] = {"resamples": self.resamples, "seed": self.seed}
        before = accuracy(clean, test.objects, what="as they are", **options)
        raw = accuracy(spoilt, test.objects, what="corrupted", **options)
        own = replace(before, method=f"the subject's own accuracy: {before.method}")
        shares = spoilt.mean(axis=0).reshape(-1, len(self.severities))
        samples = xr.DataArray(
            shares,
            dims=["corruption", "severity"],
            coords={
                "corruption": list(dict.fromkeys(c for c, _ in cells[1:])),
                "severity": [int(s) for s in self.severities],
            },
        )
        chance = 1 / len(fit.choices)
        score = normalize(Score(value=raw.value, raw=raw, samples=samples), own, chance=chance)
        by_name = samples.mean("severity")
        names, levels = by_name["corruption"].values, by_name.values
        notes = (
            f"accuracy {before.value:.3f} on {len(test.stimuli)} images as they are, "
            f"{raw.value:.3f} corrupted; chance {chance:.3g}; the ceiling shown is the "
            "subject's own accuracy on images as they are",
            f"lowest under {names[levels.argmin()]} ({levels.min():.3f}), "
            f"highest under {names[levels.argmax()]} ({levels.max():.3f})",
            "read-outs are fitted once, on images as they are; the interval does not draw them",
        )
        provenance = Provenance(
            digests={"fit": fit.stimuli.digest(), "stimuli": self._shown.digest()}, seed=self.seed
        )
        return replace(score, notes=(*score.notes, *notes), provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """The test images: as they are, then corruption by corruption."""
        return self._shown

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Units that respond to one label each, with noise that hides it from none.

        Over the images to fit on and all that are tested.
        """
        fit, _ = self._parts
        labels = np.concatenate([fit.labels, self._truth])
        ids = [*fit.stimuli.stimulus_ids, *self._shown.stimulus_ids]
        return ideal_units(labels, ids, fit.choices, seed)

    @cached_property
    def _parts(self) -> tuple[Labelled, Labelled]:
        (identifier,) = self.card.data
        source = cast("DataSource", registry.data.create(identifier, **self.data_options))
        stimuli = source.stimuli().sized(self.visual_degrees)
        images = labelled(stimuli, self.label, self.together)
        return divided(
            images,
            test_share=self.test_share,
            test_images=self.test_images,
            seed=self.image_seed,
        )

    @cached_property
    def _shown(self) -> StimulusSet:
        return corrupted(
            self._parts[1].stimuli,
            self.corruptions,
            self.severities,
            seed=self.image_seed,
            with_clean=True,
        )

    @property
    def _truth(self) -> np.ndarray:
        return np.asarray(self._shown.table["label"].to_numpy(str))

    @property
    def _cells(self) -> list[tuple[str, int]]:
        """Corruption and severity, in the order in which they are shown; `CLEAN` first."""
        table = self._shown.table
        pairs = zip(table["corruption"], table["severity"], strict=True)
        found = list(dict.fromkeys((str(c), int(s)) for c, s in pairs))
        assert found[0] == (CLEAN, 0)
        return found


def robustness_of(
    data: str, label: str = "label", *, target: str = PROBABILITIES, **options: Any
) -> RobustnessBenchmark:
    """The benchmark on any labelled set of images, a lab's own registered one too.

        import corteval
        from corteval_robustness import robustness_of

        corteval.score("cornet-s-untrained", robustness_of("MyObjects", "category"))

    Args:
        data: identifier of the set.
        label: column of its stimulus table with the right answers.
        target: ``"probabilities"``, or a recording target such as ``"V1"``.
        options: see `RobustnessBenchmark`; ``together`` names the column that tells which images
            are of one object.

    Raises:
        OptionError: for an option that does not exist.
    """
    source = registry.data_card(data)
    middle = "" if target == PROBABILITIES else f".{target}"
    name = source.identifier.replace("/", ".")
    card = BenchmarkCard(
        identifier=f"{name}.robustness{middle}-accuracy",
        factory="corteval_robustness.benchmark:RobustnessBenchmark",
        summary=f"{source.identifier}: recognition that is kept under corruptions",
        licence=source.licence,
        bibtex=source.bibtex,
        data=(source.identifier,),
        target=target,
    )
    try:
        return RobustnessBenchmark(card=card, label=label, **options)
    except TypeError as error:
        known = [n for n in RobustnessBenchmark.__dataclass_fields__ if n not in ("card", "label")]
        raise OptionError(f"{error}. Options are {', '.join(known)}.") from error
