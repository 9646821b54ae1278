"""Subjects: whatever answers requests about stimuli, a network, a control or a human's record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import xarray as xr

from corteval.assembly import check_behavioural, check_neural, in_order
from corteval.cards import Modality
from corteval.commitment import ANY_TARGET as ANY_TARGET
from corteval.commitment import Extractor as Extractor
from corteval.commitment import LayerCommitment as LayerCommitment
from corteval.perturbation import Perturbation as Perturbation
from corteval.perturbation import ablation as ablation
from corteval.requests import Recording, Request, Task
from corteval.requests import describe as describe
from corteval.stimuli import StimulusSet


@runtime_checkable
class ModelCommitment(Protocol):
    """A subject. It is stateless: what it answers depends on the call alone."""

    @property
    def identifier(self) -> str:
        """Name in tables and records."""

    @property
    def modalities(self) -> frozenset[Modality]:
        """Kinds of stimuli it takes."""

    @property
    def visual_degrees(self) -> float | None:
        """Extent of its field of view; None for subjects that do not see."""

    def supports(self, request: Request) -> bool:
        """Whether `respond` can answer `request`; asked before any compute."""

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """Answer all `requests` about `stimuli`, in one pass.

        Raises:
            UnsupportedRequest: for a request `supports` denies.
        """

    def perturbed(self, *perturbations: Perturbation) -> ModelCommitment:
        """A new subject with units changed; this one stays as it is."""


@runtime_checkable
class Annotated(Protocol):
    """A subject with something to say with each of its scores, such as random weights."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of its scores must know."""


def record(
    model: ModelCommitment, stimuli: StimulusSet, target: str | Recording, **options: Any
) -> xr.DataArray:
    """Responses in the order of `stimuli`, whatever the order in which the model returns them.

    The model is shown the stimuli without labels or other columns of the experimenter.

    Args:
        model: asked once.
        stimuli: what is shown.
        target: what is recorded; or a whole request.
        options: fields of `Recording`, if `target` is a name.

    Raises:
        AssemblyError: if the model answers other stimuli than were shown, or in another form.
        UnsupportedRequest: if it cannot answer.
    """
    request = target if isinstance(target, Recording) else Recording(target, **options)
    answer = check_neural(model.respond(stimuli.shown(), [request])[request])
    return in_order(answer, stimuli.stimulus_ids)


def perform(model: ModelCommitment, stimuli: StimulusSet, task: Task) -> xr.DataArray:
    """Behaviour in one task."""
    return check_behavioural(model.respond(stimuli.shown(), [task])[task])
