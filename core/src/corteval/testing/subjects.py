"""Subjects that conformance checks put in front of benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
import xarray as xr

from corteval.assembly import is_neural
from corteval.cards import Modality
from corteval.errors import UnsupportedRequest
from corteval.model import ModelCommitment, Perturbation, describe
from corteval.requests import OddOneOut, Recording, Request, TimeBin
from corteval.stimuli import StimulusSet
from corteval.testing import CheckFailure
from corteval.units import selected_units

_EVERY_MODALITY: frozenset[Modality] = frozenset({"image", "text", "video"})


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ReplaySubject:
    """Plays stored responses back, whatever target is recorded or task is done.

    Args:
        responses: assembly over every stimulus that may be shown: neural, or behavioural. Answers
            to triplets have them as coordinates ``first``, ``second`` and ``third``.
        identifier, modalities, visual_degrees: see `ModelCommitment`.
    """

    responses: xr.DataArray
    identifier: str = "replay"
    modalities: frozenset[Modality] = _EVERY_MODALITY
    visual_degrees: float | None = None

    def supports(self, request: Request) -> bool:
        """True for recordings of stored time bins, filtered by stored coordinates; or for tasks."""
        if not is_neural(self.responses) or not isinstance(request, Recording):
            return not is_neural(self.responses) and not isinstance(request, Recording)
        known = "time_bin" not in self.responses.dims or set(request.time_bins) <= set(self._bins)
        return known and (request.units is None or request.units.coordinates <= set(self._columns))

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """Stored rows of `stimuli`, in their order."""
        answers: dict[Request, xr.DataArray] = {}
        for request in requests:
            if not self.supports(request):
                raise UnsupportedRequest(f"{self.identifier} cannot answer {describe(request)}.")
            if isinstance(request, OddOneOut):
                return dict.fromkeys(requests, self.responses)
            answers[request] = self.responses
            if isinstance(request, Recording):
                units = selected_units(request.units, self._columns)
                answers[request] = self._in_time(request).isel(neuroid=units)
        rows = {stimulus: row for row, stimulus in enumerate(self.responses["stimulus_id"].values)}
        missing = [stimulus for stimulus in stimuli.stimulus_ids if stimulus not in rows]
        if missing:
            raise UnsupportedRequest(
                f"{self.identifier} has no response to {len(missing)} stimuli, such as "
                f"{missing[0]}. Ideal responses cover every stimulus the benchmark shows."
            )
        shown = [rows[stimulus] for stimulus in stimuli.stimulus_ids]
        return {request: answer.isel(presentation=shown) for request, answer in answers.items()}

    def perturbed(self, *perturbations: Perturbation) -> ReplaySubject:
        """Not possible: stored responses have no units to change."""
        raise UnsupportedRequest(f"{self.identifier} cannot be perturbed; it is a recording.")

    @property
    def _columns(self) -> dict[str, np.ndarray]:
        coordinates = self.responses.coords.items()
        return {str(name): c.values for name, c in coordinates if c.dims == ("neuroid",)}

    @property
    def _bins(self) -> list[TimeBin]:
        ends = (self.responses[f"time_bin_{end}_ms"].values for end in ("start", "end"))
        return [TimeBin(float(start), float(end)) for start, end in zip(*ends, strict=True)]

    def _in_time(self, request: Recording) -> xr.DataArray:
        if not request.time_bins:
            return self.responses
        if "time_bin" in self.responses.dims:
            stored = self._bins
            return self.responses.isel(time_bin=[stored.index(b) for b in request.time_bins])
        timed = self.responses.expand_dims(time_bin=len(request.time_bins), axis=-1)
        return timed.assign_coords(
            time_bin_start_ms=("time_bin", [b.start_ms for b in request.time_bins]),
            time_bin_end_ms=("time_bin", [b.end_ms for b in request.time_bins]),
        )


def shuffled(subject: ReplaySubject, seed: int) -> ReplaySubject:
    """`subject`, giving each stimulus the stored response of another one."""
    responses = subject.responses
    circle = np.random.default_rng(seed).permutation(responses.sizes["presentation"])
    other = np.empty_like(circle)
    other[circle] = np.roll(circle, 1)  # one cycle through all, so none keeps its own
    wrong = responses.copy(data=responses.isel(presentation=other).values)
    return replace(subject, responses=wrong, identifier=f"{subject.identifier}-shuffled")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class InterposedSubject:
    """Another subject, heard through `allows` and `change`.

    Args:
        subject: who answers.
        allows: supports nothing else, and fails the check that asks for it nevertheless.
        change: applied to each answer.
        asked: filled with the requests, in order.
    """

    subject: ModelCommitment
    allows: Callable[[Request], bool] = lambda request: True
    change: Callable[[xr.DataArray], xr.DataArray] = lambda answer: answer
    asked: list[Request] = field(default_factory=list)

    @property
    def identifier(self) -> str:
        """That of the subject."""
        return self.subject.identifier

    @property
    def modalities(self) -> frozenset[Modality]:
        """Those of the subject."""
        return self.subject.modalities

    @property
    def visual_degrees(self) -> float | None:
        """Those of the subject."""
        return self.subject.visual_degrees

    def supports(self, request: Request) -> bool:
        """As the subject does, where allowed."""
        return self.allows(request) and self.subject.supports(request)

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """The subject's answers, changed."""
        for request in requests:
            if not self.allows(request):
                raise CheckFailure(
                    f"A subject that supports no more than requests() lists was asked for "
                    f"{describe(request)}. List it there, or ask supports() before."
                )
        self.asked.extend(requests)
        answers = self.subject.respond(stimuli, requests)
        return {request: self.change(answer) for request, answer in answers.items()}

    def perturbed(self, *perturbations: Perturbation) -> InterposedSubject:
        """The subject perturbed, with its answers changed."""
        return replace(self, subject=self.subject.perturbed(*perturbations))


@final
@dataclass(frozen=True, kw_only=True)
class RefusingSubject:
    """Supports nothing, and fails the check that asks it nevertheless."""

    identifier: str = "refusing"
    modalities: frozenset[Modality] = _EVERY_MODALITY
    visual_degrees: float | None = None

    def supports(self, request: Request) -> bool:
        """False."""
        return False

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """Fail: a subject that supports nothing is not asked."""
        raise CheckFailure(
            "A subject that supports nothing was asked to respond. List in requests() all that "
            "the benchmark asks."
        )

    def perturbed(self, *perturbations: Perturbation) -> RefusingSubject:
        """Itself: it answers nothing either way."""
        return self


def reordered(dim: str, seed: int) -> Callable[[xr.DataArray], xr.DataArray]:
    """A change of answers that lists `dim` in another order; labels move along."""

    def reorder(answer: xr.DataArray) -> xr.DataArray:
        if dim not in answer.dims:
            return answer
        order = np.random.default_rng(seed).permutation(answer.sizes[dim])
        return answer.isel({dim: order})

    return reorder
