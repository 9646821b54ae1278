"""Accuracy on occluded images, by the share of pixels that are visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, cast, final

import numpy as np
import xarray as xr

from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import OptionError, UndefinedScore
from corteval.intervals import interval_of
from corteval.model import ModelCommitment
from corteval.requests import Recording, Request
from corteval.score import Estimate, Provenance, Score, unnormalized
from corteval.stimuli import StimulusSet
from corteval_occlusion.bubbles import SIDE_PIXELS, SIGMA_PIXELS
from corteval_occlusion.completion import Completion, Features, completed
from corteval_occlusion.covers import occluded
from corteval_robustness.accuracy import accuracy
from corteval_robustness.answers import ideal_units
from corteval_robustness.features import recorded_features
from corteval_robustness.labelled import Labelled, labelled
from corteval_robustness.support_vectors import FOLDS, classified

#: Why there is no ceiling.
_NO_CEILING = "accuracy on images with known labels; no responses of people bound it"


@final
@dataclass(frozen=True, kw_only=True)
class OcclusionBenchmark:
    """Does a read-out that knows whole images recognise parts of new ones?

    Images are divided into five folds by object. In each, a linear support vector machine is
    fitted on whole images of the other folds, its penalty chosen by 5-fold cross-validation among
    them, and tested on occluded images of the fold. The score is the accuracy over all occluded
    images; ``samples`` has it for each number of bubbles, with the share of pixels visible. Source:
    spec ``models`` section 6 (Tang et al. 2018), with images, target and numbers of bubbles of
    our own.

    Args:
        card: names the data and, as target, what is recorded.
        label: column of the stimulus table with the right answers.
        together: column that tells which images are of one object; None: each is its own.
        completion: ``"none"``, ``"hopfield"`` or ``"rnn5"``, see `corteval_occlusion.completion`.
        bubbles: numbers of bubbles.
        sigma: of a bubble, as a share of the shorter side.
        images_each: images taken of each object, in the order of their ids.
        image_seed: of bubbles, folds and training.
        most_units: drawn at most from the units of a subject.
        data_options: for the data.
        resamples: of the bootstrap over objects.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    label: str = "label"
    together: str | None = None
    completion: Completion = "none"
    bubbles: Sequence[int] = (6, 12, 24, 48)
    sigma: float = SIGMA_PIXELS / SIDE_PIXELS
    images_each: int = 2
    image_seed: int = 0
    most_units: int = 16_384
    data_options: Mapping[str, Any] = field(default_factory=dict)
    resamples: int = 1000
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """A recording of the card's target."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """There is none.

        Raises:
            UndefinedScore
        """
        raise UndefinedScore(f"{self.card.identifier}: {_NO_CEILING}.")

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`."""
        whole, parts = (
            recorded_features(model, stimuli, self._recording, self.most_units)
            for stimuli in (self._whole.stimuli, self._occluded)
        )
        right = self._right(whole, parts, self.completion)
        raw = self._accuracy(right.parts, "occluded")
        table = self._occluded.table
        levels = [int(n) for n in dict.fromkeys(table["bubbles"])]
        samples = xr.DataArray(
            right.parts.mean(axis=0),
            dims=["condition"],
            coords={
                "bubbles": ("condition", levels),
                "visible": (
                    "condition",
                    [float(table["visible"][table["bubbles"] == n].mean()) for n in levels],
                ),
            },
        )
        by_level = ", ".join(
            f"{value:.3f} with {100 * float(share):.0f} % visible"
            for value, share in zip(samples.values, samples["visible"].values, strict=True)
        )
        notes = [
            f"accuracy {right.whole.mean():.3f} on whole images of objects not fitted on; "
            f"{by_level}; chance {1 / len(self._whole.choices):.3g}"
        ]
        if self.completion != "none":
            notes.append(self._beside_feed_forward(raw, self._right(whole, parts, "none")))
        score = unnormalized(Score(value=raw.value, raw=raw, samples=samples), _NO_CEILING)
        digests = {"whole": self._whole.stimuli.digest(), "occluded": self._occluded.digest()}
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *notes), provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """The occluded images."""
        return self._occluded

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Units that respond to one label each, over whole and occluded images."""
        labels = np.concatenate([self._whole.labels, self._occluded.table["label"].to_numpy(str)])
        ids = [*self._whole.stimuli.stimulus_ids, *self._occluded.stimulus_ids]
        return ideal_units(labels, ids, self._whole.choices, seed)

    def _right(self, whole: np.ndarray, parts: np.ndarray, completion: Completion) -> _Right:
        """Whether whole and occluded images of each fold are recognised."""
        from sklearn.model_selection import StratifiedGroupKFold

        images, count = self._whole, len(whole)
        of_image = parts.reshape(-1, count, parts.shape[1])  # (level, image, unit)
        found = _Right(np.zeros((count, 1)), np.zeros((count, len(of_image))))
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=self.image_seed)
        for train, test in folds.split(whole, images.labels, images.objects):
            tested = np.concatenate([whole[test], *of_image[:, test]])
            shown = Features(whole[train], np.concatenate([*of_image[:, train]]), tested)
            made = completed(completion, shown, seed=self.image_seed)
            labels, objects = images.labels[train], images.objects[train]
            given = classified(made.fit, labels, objects, made.test, seed=self.image_seed)
            hits = images.labels[test][:, None] == given.reshape(-1, len(test)).T
            found.whole[test], found.parts[test] = hits[:, :1], hits[:, 1:]
        return found

    def _beside_feed_forward(self, raw: Estimate, plain: _Right) -> str:
        """What completion adds, on the same images and units."""
        other = self._accuracy(plain.parts, "occluded")
        difference = raw.value - other.value
        drawn = [
            replace(a, values=tuple(x - y for x, y in zip(a.values, b.values, strict=True)))
            for a, b in zip(raw.replicates, other.replicates, strict=True)
        ]
        interval = interval_of(difference, drawn)
        limits = f" ({interval.low:+.3f} to {interval.high:+.3f})" if interval else ""
        return (
            f"without completion {other.value:.3f}: it adds {difference:+.3f}{limits}; "
            f"whole images without it {plain.whole.mean():.3f}"
        )

    def _accuracy(self, right: np.ndarray, what: str) -> Estimate:
        return accuracy(
            right, self._whole.objects, what=what, resamples=self.resamples, seed=self.seed
        )

    @property
    def _recording(self) -> Recording:
        return Recording(self.card.target)

    @cached_property
    def _whole(self) -> Labelled:
        (identifier,) = self.card.data
        source = cast("DataSource", registry.data.create(identifier, **self.data_options))
        images = labelled(source.stimuli(), self.label, self.together)
        order = np.argsort(np.array(images.stimuli.stimulus_ids, str), kind="stable")
        taken: dict[str, int] = {}
        kept = set()
        for row in order:
            name = str(images.objects[row])
            taken[name] = taken.get(name, 0) + 1
            if taken[name] <= self.images_each:
                kept.add(images.stimuli.stimulus_ids[row])
        chosen = images.select([i for i in images.stimuli.stimulus_ids if i in kept])
        for choice in chosen.choices:
            names = set(chosen.objects[chosen.labels == choice].tolist())
            if len(names) < FOLDS:
                raise OptionError(
                    f"Label {choice!r} has {len(names)} objects; {FOLDS} folds by object need as "
                    "many of each label."
                )
        return chosen

    @cached_property
    def _occluded(self) -> StimulusSet:
        return occluded(self._whole.stimuli, self.bubbles, sigma=self.sigma, seed=self.image_seed)


class _Right(NamedTuple):
    """1 where an image is recognised: (image, 1) whole, (image, level) occluded."""

    whole: np.ndarray
    parts: np.ndarray


def occlusion_of(
    data: str, label: str = "label", *, target: str = "IT", **options: Any
) -> OcclusionBenchmark:
    """The benchmark on any labelled set of images, a lab's own registered one too.

    Args:
        data: identifier of the set.
        label: column of its stimulus table with the right answers.
        target: what is recorded.
        options: see `OcclusionBenchmark`.

    Raises:
        OptionError: for an option that does not exist.
    """
    source = registry.data_card(data)
    read = {"none": "accuracy"}.get(options.get("completion", "none"), options.get("completion"))
    card = BenchmarkCard(
        identifier=f"{source.identifier.replace('/', '.')}.occlusion.{target}-{read}",
        factory="corteval_occlusion.benchmark:OcclusionBenchmark",
        summary=f"{source.identifier}: recognition behind bubbles",
        licence=source.licence,
        bibtex=source.bibtex,
        data=(source.identifier,),
        target=target,
    )
    try:
        return OcclusionBenchmark(card=card, label=label, **options)
    except TypeError as error:
        known = [n for n in OcclusionBenchmark.__dataclass_fields__ if n not in ("card", "label")]
        raise OptionError(f"{error}. Options are {', '.join(known)}.") from error
