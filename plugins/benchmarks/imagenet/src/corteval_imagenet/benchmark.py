"""Share of images whose class a subject names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.benchmark import NO_CEILING
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import OptionError, StimuliError, UndefinedScore
from corteval.intervals import Replicates
from corteval.model import ModelCommitment, perform
from corteval.requests import Label, Request
from corteval.score import Estimate, Provenance, Score, unnormalized
from corteval.stats.resampling import draw
from corteval.stimuli import StimulusSet
from corteval_imagenet.classes import synsets
from corteval_imagenet.folders import number_of

#: With more images than these, draws of the bootstrap are not kept image by image.
_LISTED = 20_000


@final
@dataclass(frozen=True, kw_only=True)
class TopOne:
    """Accuracy of a subject among the thousand classes of ILSVRC 2012.

        Σ_i [answer_i = class_i] / N

    Where stimuli are versions of one photograph, photographs are resampled, not versions. The
    samples are the accuracies in each condition.

    Args:
        card: names the data.
        label: column of the stimuli with their synsets.
        conditions: columns that together name a condition.
        every: use every so manieth stimulus, in the order of the data.
        resamples: bootstrap replicates over photographs; 0 for none.
        data_options: for the factory of the data, such as ``folder``.
        notes: what a reader must know to read the score rightly.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    label: str = "synset"
    conditions: tuple[str, ...] = ()
    every: int = 1
    resamples: int = 1000
    data_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.every < 1 or self.resamples < 0:
            raise OptionError(
                f"{self.card.identifier}: every={self.every} and resamples={self.resamples}; one "
                "is at least 1, the other not negative."
            )

    def requests(self) -> tuple[Request, ...]:
        """A class of each image."""
        return (Label(synsets()),)

    def ceiling(self) -> Estimate:
        """There is none.

        Raises:
            UndefinedScore: always.
        """
        raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")

    def __call__(self, model: ModelCommitment) -> Score:
        """Accuracy of `model`."""
        stimuli = self.stimuli()
        answers = perform(model, stimuli, Label(synsets()))
        answers = assemblies.in_order(answers, stimuli.stimulus_ids)
        right = answers.values.astype(str) == self._truth
        photographs, of_photograph = np.unique(self._photographs, return_inverse=True)
        count = len(photographs)
        share = float(right.mean())
        raw = Estimate(
            value=share,
            error=self._error(right, of_photograph, count),
            method=f"share of {len(right)} stimuli, standard error over {count} photographs",
            quantity="accuracy",
            replicates=self._replicates(right, of_photograph, photographs),
        )
        score = Score(value=share, raw=raw, samples=self._by_condition(right))
        score = unnormalized(score, NO_CEILING)
        digests = {
            "stimuli": stimuli.digest(),
            "assembly": assemblies.digest(self.ideal_responses(self.seed)),
        }
        provenance = Provenance(digests=digests, seed=self.seed)
        shown = f"{len(right):,} stimuli of {len(np.unique(self._truth)):,} classes"
        return replace(score, notes=(*score.notes, *self.notes, shown), provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """What is shown."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The classes themselves."""
        del seed  # nothing is drawn
        ids = self.stimuli().stimulus_ids
        return xr.DataArray(
            self._truth, dims=["presentation"], coords={"stimulus_id": ("presentation", ids)}
        )

    @cached_property
    def _stimuli(self) -> StimulusSet:
        data = cast("DataSource", registry.data.create(self.card.data[0], **self.data_options))
        stimuli = data.stimuli()
        stimuli = replace(stimuli, table=stimuli.table.iloc[:: self.every])
        for name in (self.label, *self.conditions):
            if name not in stimuli.table.columns:
                known = ", ".join(map(str, stimuli.table.columns))
                raise StimuliError(f"{stimuli.identifier} has no column {name!r}; it has {known}.")
        strange = sorted(set(stimuli.table[self.label].astype(str)) - set(synsets()))
        if strange:
            raise StimuliError(
                f"{stimuli.identifier}: {len(strange)} labels are no classes of ILSVRC 2012, such "
                f"as {strange[0]!r}."
            )
        return stimuli

    @cached_property
    def _truth(self) -> np.ndarray:
        return np.asarray(self.stimuli().table[self.label].to_numpy(str))

    @cached_property
    def _photographs(self) -> np.ndarray:
        """Of each stimulus, what it is a version of; itself, if that is not known."""
        table = self.stimuli().table
        if "image" in table.columns:
            return np.asarray(table["image"].to_numpy(str))
        named = table["filename"] if "filename" in table.columns else table.index
        numbers = [number_of(str(name)) for name in named]
        return np.array([n or str(i) for n, i in zip(numbers, table.index, strict=True)])

    def _error(self, right: np.ndarray, of_photograph: np.ndarray, count: int) -> float | None:
        """Standard error of the ratio Σ right / N, photographs drawn whole."""
        if count < 2:
            return None
        residual = np.bincount(of_photograph, right - right.mean(), minlength=count)
        return float(np.sqrt(count / (count - 1) * (residual**2).sum()) / len(right))

    def _replicates(
        self, right: np.ndarray, of_photograph: np.ndarray, photographs: np.ndarray
    ) -> tuple[Replicates, ...]:
        if not self.resamples:
            return ()
        count = len(photographs)
        hits = np.bincount(of_photograph, right, minlength=count)
        versions = np.bincount(of_photograph, minlength=count)
        if count <= _LISTED:
            (way,) = draw(stimulus_ids=photographs, resamples=self.resamples, seed=self.seed)
            assert way.stimuli is not None
            values, about = way.stimuli @ hits / (way.stimuli @ versions), way.digest
        else:
            # photographs alike in hits and versions are drawn together: the same distribution, in
            # a thousandth of the memory. Draws of two subjects do not belong together then.
            kinds, counts = np.unique(np.stack([hits, versions]), axis=1, return_counts=True)
            generator = np.random.default_rng([self.seed, 0])
            drawn = generator.multinomial(count, counts / count, size=self.resamples)
            values = drawn @ kinds[0] / (drawn @ kinds[1])
            about = hashlib.sha256(np.packbits(right).tobytes()).hexdigest()[:16]
        return (
            Replicates(
                scope="stimuli",
                sizes=(count,),
                values=tuple(float(f"{v:.7g}") for v in values.tolist()),
                seed=self.seed,
                draw=about,
            ),
        )

    def _by_condition(self, right: np.ndarray) -> xr.DataArray:
        """Accuracy in each condition, in alphabetical order."""
        table = self.stimuli().table
        columns = [table[name].astype(str).to_numpy() for name in self.conditions]
        names = ["all"] * len(right)
        if columns:
            names = ["-".join(parts) for parts in zip(*columns, strict=True)]
        conditions, first, of_stimulus = np.unique(names, return_index=True, return_inverse=True)
        shares = np.bincount(of_stimulus, right) / np.bincount(of_stimulus)
        coords: dict[str, Any] = {"condition": conditions}
        if len(columns) > 1:
            for name, column in zip(self.conditions, columns, strict=True):
                coords[name] = "condition", column[first]
        return xr.DataArray(shares, dims=["condition"], coords=coords)
