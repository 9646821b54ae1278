"""Subjects: whatever answers requests about stimuli, a network, a control or a human's record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import xarray as xr

from corteval import hooks
from corteval.assembly import (
    check_behavioural,
    check_neural,
    in_order,
    neural,
    selected_units,
)
from corteval.cards import Modality
from corteval.errors import AssemblyError, UnsupportedRequest
from corteval.requests import Recording, Request, Task, UnitFilter
from corteval.stimuli import StimulusSet

#: Key of `LayerCommitment.layers` that answers every target not named otherwise.
ANY_TARGET = "*"


@final
@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """A change to the units of one recording target.

    Args:
        identifier: name that tells perturbed subjects apart.
        target: recording target whose units are changed.
        apply: maps responses (presentation, unit) to changed ones of the same shape.
        units: which units; all if None.
    """

    identifier: str
    target: str
    apply: Callable[[np.ndarray], np.ndarray]
    units: UnitFilter | None = None


def ablation(target: str, units: UnitFilter | None = None) -> Perturbation:
    """Silence units: their responses become 0."""
    return Perturbation(identifier="ablation", target=target, apply=np.zeros_like, units=units)


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


class Extractor(Protocol):
    """Computes the responses of layers. What model plugins write."""

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Neuroid coordinates of all units of `layer`, ``neuroid_id`` among them."""

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """Yield blocks of responses in the order of `stimuli`.

        Args:
            stimuli: what is shown.
            wanted: by layer, positions of the units to return, so that nothing else is held.

        Yields:
            by layer, an array (presentations of the block, wanted units).
        """


@final
@dataclass(frozen=True, kw_only=True)
class LayerCommitment:
    """A subject made of layers, each committed to a recording target.

    Responses do not change over time: every requested time bin holds the same values.

    Args:
        identifier: name in tables.
        extractor: computes the layers.
        layers: target -> layer; the key `ANY_TARGET` answers every other target.
        visual_degrees: field of view of a subject that sees.
        modalities: kinds of stimuli.
        perturbations: changes applied to recorded units.
    """

    identifier: str
    extractor: Extractor
    layers: Mapping[str, str]
    visual_degrees: float | None = None
    modalities: frozenset[Modality] = frozenset({"image"})
    perturbations: tuple[Perturbation, ...] = ()

    def supports(self, request: Request) -> bool:
        """True for recordings of committed targets, filtered by coordinates the units have."""
        if not isinstance(request, Recording) or self._layer(request.target) is None:
            return False
        if request.units is None:
            return True
        return request.units.coordinates <= set(self._units(request.target))

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """Record all `requests` in one pass; only the units asked for are ever held."""
        recordings = [r for r in requests if isinstance(r, Recording) and self.supports(r)]
        if len(recordings) != len(requests):
            refused = next(r for r in requests if r not in recordings)
            raise UnsupportedRequest(f"{self.identifier} cannot answer {describe(refused)}.")
        if stimuli.modality not in self.modalities:
            raise UnsupportedRequest(
                f"{self.identifier} takes {' or '.join(sorted(self.modalities))}, "
                f"not {stimuli.modality}."
            )
        columns = {r: self._units(r.target) for r in recordings}
        kept = {r: selected_units(r.units, columns[r]) for r in recordings}
        wanted = {
            layer: np.unique(
                np.concatenate([kept[r] for r in recordings if self._layer(r.target) == layer])
            )
            for layer in dict.fromkeys(str(self._layer(r.target)) for r in recordings)
        }
        blocks = self._collect(stimuli, wanted)
        answers: dict[Request, xr.DataArray] = {}
        for request in recordings:
            layer = str(self._layer(request.target))
            values = blocks[layer][:, np.searchsorted(wanted[layer], kept[request])]
            units = {name: column[kept[request]] for name, column in columns[request].items()}
            values = self._perturb(request.target, values, units)
            answers[request] = _assemble(request, values, stimuli, units)
        return answers

    def perturbed(self, *perturbations: Perturbation) -> LayerCommitment:
        """A new subject with `perturbations` applied to what is recorded.

        Only the recorded responses change: a layer computed from a perturbed one does not.
        """
        names = "+".join(p.identifier for p in perturbations)
        return replace(
            self,
            identifier=f"{self.identifier}+{names}",
            perturbations=(*self.perturbations, *perturbations),
        )

    def _layer(self, target: str) -> str | None:
        return self.layers.get(target, self.layers.get(ANY_TARGET))

    def _collect(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        held = {
            layer: np.empty((len(stimuli), len(units)), np.float32)
            for layer, units in wanted.items()
        }
        done = 0
        for block in self.extractor(stimuli.shown(), wanted):
            rows = self._check_block(block, wanted, len(stimuli) - done)
            for layer, responses in block.items():
                held[layer][done : done + rows] = responses
            done += rows
            hooks.notify(
                hooks.Progress(
                    f"{self.identifier}: {stimuli.identifier}", done, len(stimuli), "stimuli"
                )
            )
        if done != len(stimuli):
            raise AssemblyError(
                f"{self.identifier} answered {done} of {len(stimuli)} stimuli; its extractor must "
                "yield every stimulus once, in order."
            )
        return held

    def _check_block(self, block: Any, wanted: Mapping[str, np.ndarray], remaining: int) -> int:
        """Number of presentations in a block of the extractor's, if it is what was asked for."""
        if not isinstance(block, Mapping) or set(block) != set(wanted):
            layers = block if isinstance(block, Mapping) else [type(block).__name__]
            found = ", ".join(map(str, layers))
            raise AssemblyError(
                f"{self.identifier}: its extractor yields {found}; it must yield, block by block, "
                f"a mapping of the layers asked for: {', '.join(wanted)}."
            )
        shapes = {layer: np.shape(responses) for layer, responses in block.items()}
        rows = next(iter(shapes.values()))[:1]
        for layer, shape in shapes.items():
            if shape != (*rows, len(wanted[layer])) or not 0 < rows[0] <= remaining:
                raise AssemblyError(
                    f"{self.identifier}: its extractor yields {shape} for layer {layer!r}; "
                    f"{len(wanted[layer])} units of at most {remaining} stimuli were asked for."
                )
        return int(rows[0])

    def _units(self, target: str) -> Mapping[str, np.ndarray]:
        """Coordinates of the units that answer `target`."""
        layer = str(self._layer(target))
        columns = self.extractor.units(layer)
        lengths = {len(column) for column in columns.values()}
        if "neuroid_id" not in columns or len(lengths) != 1:
            raise AssemblyError(
                f"{self.identifier}: units({layer!r}) gives {', '.join(columns)} of lengths "
                f"{sorted(lengths)}; it must give 'neuroid_id', and all of one length."
            )
        return columns

    def _perturb(
        self, target: str, values: np.ndarray, units: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        for perturbation in self.perturbations:
            if perturbation.target == target:
                changed = selected_units(perturbation.units, units)
                values = values.copy()
                values[:, changed] = perturbation.apply(values[:, changed])
        return values


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


def describe(request: Request) -> str:
    """`request` in a few words, for messages."""
    if isinstance(request, Recording):
        units = ", ".join(sorted(request.units.coordinates)) if request.units else ""
        return f"a recording of {request.target}" + (f" filtered by {units}" if units else "")
    return f"the task {type(request).__name__}"


def _assemble(
    request: Recording,
    values: np.ndarray,
    stimuli: StimulusSet,
    units: Mapping[str, np.ndarray],
) -> xr.DataArray:
    if not units["neuroid_id"].size:
        raise UnsupportedRequest(f"No unit of {request.target} meets the filter of the request.")
    if request.time_bins:
        values = np.broadcast_to(values[:, :, None], (*values.shape, len(request.time_bins)))
    return neural(values, stimuli.stimulus_ids, units, time_bins=request.time_bins)
