"""Subjects made of layers: each recording target is committed to layers of one extractor."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, cast, final, runtime_checkable

import numpy as np
import xarray as xr

from corteval import hooks
from corteval.assembly import neural
from corteval.cards import Modality
from corteval.errors import AssemblyError, OptionError, UnsupportedRequest
from corteval.memory import held_in_memory_bytes
from corteval.perturbation import Perturbation
from corteval.readouts import Readout, readout_for
from corteval.requests import Recording, Request, Task, TimeBin, describe
from corteval.stimuli import StimulusSet
from corteval.units import Columns, at, count_units, selected_units

#: Key of `LayerCommitment.layers` that answers every target not named otherwise.
ANY_TARGET = "*"

#: What a target is committed to: a layer; several, whose units are joined; or one a time step.
Layers = str | tuple[str, ...] | Mapping[TimeBin, str]


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


@runtime_checkable
class Stochastic(Protocol):
    """An extractor whose responses differ from trial to trial."""

    def trials(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray], trials: int
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """As `Extractor.__call__`, with arrays (presentation, trial, unit)."""

    @property
    def is_stochastic(self) -> bool:
        """Whether trials differ at all."""


@runtime_checkable
class Perturbable(Protocol):
    """An extractor that can change units while it computes, so that later layers feel it."""

    def perturbed(self, layer: str, perturbation: Perturbation) -> Extractor:
        """A new extractor with units of `layer` changed."""


@runtime_checkable
class Documented(Protocol):
    """An extractor that says what determines its responses."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of weights, settings and source code."""

    def described(self) -> dict[str, str]:
        """How it computes: ``device``, ``dtype`` and whatever else may change the last digits."""


@runtime_checkable
class Layered(Protocol):
    """An extractor that can list its layers, and record more of them than it is asked for."""

    def layer_names(self) -> list[str]:
        """Layers that can be recorded, in the order in which they are computed."""

    def recording_alongside(self, layers: Sequence[str]) -> Extractor:
        """An extractor whose passes record `layers` whole, for whoever asks next."""


@runtime_checkable
class Reducible(Protocol):
    """An extractor that can keep fewer features than its layers have units."""

    def reduced(self, features: int, seed: int = 0) -> Extractor:
        """An extractor of `features` random projections of each layer with more units."""


@final
@dataclass(frozen=True, kw_only=True)
class LayerCommitment:
    """A subject made of layers, each committed to a recording target.

    Layers without time steps do not change over time: every requested time bin holds the same
    values. Where a target is committed to time steps, a requested bin is answered by the step whose
    start is nearest to its own (of two, the earlier), under the requested bin's name; without
    requested bins the answer is the mean over steps.

    Args:
        identifier: name in tables.
        extractor: computes the layers.
        layers: target -> layers; the key `ANY_TARGET` answers every other target.
        visual_degrees: field of view of a subject that sees.
        modalities: kinds of stimuli.
        readouts: compute behaviour from layers; the first that knows a task does it.
        perturbations: changes applied to recorded units, where the extractor knows none.
        notes: what a reader of its scores must know, such as random weights.
        layer_notes: what must be known of `layers`; whoever replaces these leaves it out.
    """

    identifier: str
    extractor: Extractor
    layers: Mapping[str, Layers]
    visual_degrees: float | None = None
    modalities: frozenset[Modality] = frozenset({"image"})
    readouts: tuple[Readout, ...] = ()
    perturbations: tuple[Perturbation, ...] = ()
    notes: tuple[str, ...] = ()
    layer_notes: tuple[str, ...] = ()

    def supports(self, request: Request) -> bool:
        """True for recordings of committed targets and for tasks of a read-out.

        A filter of units must be by coordinates they have.
        """
        if not isinstance(request, Recording):
            return any(readout.supports(request) for readout in self.readouts)
        if self._committed(request.target) is None:
            return False
        if request.units is None:
            return True
        return request.units.coordinates <= set(self._columns(request.target))

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """Answer all `requests` in one pass; only the units asked for are ever held."""
        for request in requests:
            if not self.supports(request):
                raise UnsupportedRequest(f"{self.identifier} cannot answer {describe(request)}.")
        if stimuli.modality not in self.modalities:
            raise UnsupportedRequest(
                f"{self.identifier} takes {' or '.join(sorted(self.modalities))}, "
                f"not {stimuli.modality}."
            )
        recordings = {r: self._plan(r) for r in requests if isinstance(r, Recording)}
        tasks = [r for r in requests if not isinstance(r, Recording)]
        readouts = {task: readout_for(self.readouts, task) for task in tasks}
        wanted: dict[str, np.ndarray] = {}
        for plan in recordings.values():
            for layer, positions in plan.wanted().items():
                wanted[layer] = np.union1d(wanted.get(layer, positions), positions)
        for readout in readouts.values():
            wanted[readout.layer] = np.arange(count_units(self.extractor.units(readout.layer)))
        trials = max((r.trials for r in recordings), default=1)
        held = self._collect(stimuli, wanted, trials)
        answers: dict[Request, xr.DataArray] = {}
        for request in requests:
            if isinstance(request, Recording):
                answers[request] = self._recorded(request, recordings[request], stimuli, held)
            else:
                answers[request] = self._behaviour(request, readouts[request], stimuli, held)
        return answers

    def count_units(self, target: str) -> int:
        """Units that answer recordings of `target`; 0 if it is committed to none."""
        if self._committed(target) is None:
            return 0
        return count_units(self._columns(target))

    def layers_of(self, target: str) -> tuple[str, ...]:
        """Layers that answer recordings of `target`, in order; none if it is committed to none."""
        return _flat(self._committed(target))

    def perturbed(self, *perturbations: Perturbation) -> LayerCommitment:
        """A new subject with units of the perturbations' targets changed.

        If the extractor can, units change while it computes and later layers feel it; otherwise
        only what is recorded changes.

        Raises:
            UnsupportedRequest: for a target the subject is not committed to, or units it lacks.
        """
        extractor: Extractor = self.extractor
        kept = list(self.perturbations)
        for perturbation in perturbations:
            committed = self._committed(perturbation.target)
            if committed is None:
                raise UnsupportedRequest(
                    f"{self.identifier} is not committed to {perturbation.target!r}, so that "
                    f"{perturbation.identifier} has nothing to change; it is to "
                    f"{', '.join(sorted(self.layers))}."
                )
            if not selected_units(perturbation.units, self._columns(perturbation.target)).size:
                raise UnsupportedRequest(
                    f"No unit of {perturbation.target} meets the filter of "
                    f"{perturbation.identifier}, so that nothing would change."
                )
            if isinstance(extractor, Perturbable):
                for layer in _once_a_module(_flat(committed)):
                    extractor = cast("Perturbable", extractor).perturbed(layer, perturbation)
            else:
                kept.append(perturbation)
        names = "+".join(p.identifier for p in perturbations)
        return replace(
            self,
            identifier=f"{self.identifier}+{names}",
            extractor=extractor,
            perturbations=tuple(kept),
        )

    def _committed(self, target: str) -> Layers | None:
        return self.layers.get(target, self.layers.get(ANY_TARGET))

    def _columns(self, target: str) -> Mapping[str, np.ndarray]:
        """Coordinates of the units that answer `target`."""
        committed = self._committed(target)
        if isinstance(committed, Mapping):
            return self._units(next(iter(committed.values())))
        return _joined([self._units(layer) for layer in _flat(committed)])

    def _units(self, layer: str) -> Mapping[str, np.ndarray]:
        columns = self.extractor.units(layer)
        lengths = set() if isinstance(columns, Columns) else {len(c) for c in columns.values()}
        if "neuroid_id" not in columns or len(lengths) > 1:
            raise AssemblyError(
                f"{self.identifier}: units({layer!r}) gives {', '.join(columns)} of lengths "
                f"{sorted(lengths)}; it must give 'neuroid_id', and all of one length."
            )
        return columns

    def _plan(self, request: Recording) -> _Plan:
        """Which units of which layers answer `request`."""
        committed = self._committed(request.target)
        columns = self._columns(request.target)
        kept = selected_units(request.units, columns)
        if not kept.size:
            raise UnsupportedRequest(
                f"No unit of {request.target} meets the filter of the request."
            )
        coordinates = at(columns, kept)
        if isinstance(committed, Mapping):
            steps = _steps(committed, request.time_bins)
            moments = tuple(((layer, kept),) for layer in steps)
            return _Plan(moments, coordinates, averaged=not request.time_bins)
        parts, start = [], 0
        for layer in _flat(committed):
            count = count_units(self._units(layer))
            inside = kept[(kept >= start) & (kept < start + count)] - start
            parts += [(layer, inside)] if inside.size else []
            start += count
        return _Plan((tuple(parts),), coordinates)

    def _recorded(
        self,
        request: Recording,
        plan: _Plan,
        stimuli: StimulusSet,
        held: Mapping[str, tuple[np.ndarray, np.ndarray]],
    ) -> xr.DataArray:
        moments = [
            _side_by_side([_picked(held[layer], positions) for layer, positions in moment])
            for moment in plan.moments
        ]
        if plan.averaged:
            moments = [np.asarray(sum(moments[1:], moments[0]) / np.float32(len(moments)))]
        moments = [self._perturb(request.target, m, plan.coordinates) for m in moments]
        stochastic = moments[0].ndim == 3  # (presentation, trial, unit)
        if stochastic:
            moments = [m[:, : request.trials].swapaxes(1, 2) for m in moments]
        values = moments[0]
        if request.time_bins:
            shape = (*values.shape[:2], len(request.time_bins), *values.shape[2:])
            values = (
                np.stack(moments, axis=2)
                if len(moments) > 1
                else np.broadcast_to(values[:, :, None], shape)
            )
        return neural(values, stimuli.stimulus_ids, plan.coordinates, time_bins=request.time_bins)

    def _behaviour(
        self,
        task: Task,
        readout: Readout,
        stimuli: StimulusSet,
        held: Mapping[str, tuple[np.ndarray, np.ndarray]],
    ) -> xr.DataArray:
        def features(shown: StimulusSet) -> np.ndarray:
            if shown is stimuli:
                values, _ = held[readout.layer]
            else:
                units = np.arange(count_units(self.extractor.units(readout.layer)))
                values, _ = self._collect(shown, {readout.layer: units}, 1)[readout.layer]
            return values[:, 0] if values.ndim == 3 else values

        return readout(task, stimuli, features)

    def _collect(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray], trials: int
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By layer, the responses to all stimuli and the positions of their units."""
        between = (trials,) if self._is_stochastic else ()
        held = _allocate(
            {layer: (len(stimuli), *between, len(units)) for layer, units in wanted.items()}
        )
        done = 0
        for block in self._blocks(stimuli.shown(), wanted, trials):
            rows = self._check_block(block, held, done)
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
        return {layer: (held[layer], units) for layer, units in wanted.items()}

    @property
    def _is_stochastic(self) -> bool:
        return isinstance(self.extractor, Stochastic) and self.extractor.is_stochastic

    def _blocks(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray], trials: int
    ) -> Iterator[Mapping[str, np.ndarray]]:
        if isinstance(self.extractor, Stochastic) and self.extractor.is_stochastic:
            return self.extractor.trials(stimuli, wanted, trials)
        return self.extractor(stimuli, wanted)

    def _check_block(self, block: Any, held: Mapping[str, np.ndarray], done: int) -> int:
        """Number of presentations in a block of the extractor's, if it is what was asked for."""
        if not isinstance(block, Mapping) or set(block) != set(held):
            layers = block if isinstance(block, Mapping) else [type(block).__name__]
            found = ", ".join(map(str, layers))
            raise AssemblyError(
                f"{self.identifier}: its extractor yields {found}; it must yield, block by block, "
                f"a mapping of the layers asked for: {', '.join(held)}."
            )
        shapes = {layer: np.shape(responses) for layer, responses in block.items()}
        rows = next(iter(shapes.values()))[:1]
        for layer, shape in shapes.items():
            remaining = len(held[layer]) - done
            if shape != (*rows, *held[layer].shape[1:]) or not 0 < rows[0] <= remaining:
                raise AssemblyError(
                    f"{self.identifier}: its extractor yields {shape} for layer {layer!r}; "
                    f"{held[layer].shape[-1]} units of at most {remaining} stimuli were asked for."
                )
        return int(rows[0])

    def _perturb(
        self, target: str, values: np.ndarray, units: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        for perturbation in self.perturbations:
            if perturbation.target == target:
                changed = selected_units(perturbation.units, units)
                values = values.copy()
                values[..., changed] = perturbation.apply(
                    values[..., changed], {n: c[changed] for n, c in units.items()}
                )
        return values


class _Plan(NamedTuple):
    """How a recording is answered.

    Args:
        moments: for each time bin (or once), layers with the positions of the units used.
        coordinates: of the units in the answer.
        averaged: the moments are time steps, and their mean is wanted.
    """

    moments: tuple[tuple[tuple[str, np.ndarray], ...], ...]
    coordinates: Mapping[str, np.ndarray]
    averaged: bool = False

    def wanted(self) -> dict[str, np.ndarray]:
        """Positions needed, by layer."""
        return {layer: positions for moment in self.moments for layer, positions in moment}


def _flat(committed: Layers | None) -> tuple[str, ...]:
    """All layers of a commitment, in order."""
    if committed is None:
        return ()
    if isinstance(committed, str):
        return (committed,)
    return tuple(dict.fromkeys(committed.values() if isinstance(committed, Mapping) else committed))


def _once_a_module(layers: Sequence[str]) -> list[str]:
    """The first of all time steps of a layer: its perturbation lasts through all of them."""
    first: dict[str, str] = {}
    for layer in layers:
        first.setdefault(layer.removesuffix(_step_of(layer)), layer)
    return [*first.values()]


def _step_of(layer: str) -> str:
    head, mark, number = layer.rpartition("-t")
    return f"-t{number}" if mark and head and number.isdigit() else ""


def _steps(committed: Mapping[TimeBin, str], bins: Sequence[TimeBin]) -> list[str]:
    """The layer that answers each of `bins`; without bins, every step."""
    if not committed:
        raise OptionError("A target is committed to no time step.")
    order = sorted(committed)
    if not bins:
        return [committed[b] for b in order]
    nearest = (min(order, key=lambda step: abs(step.start_ms - b.start_ms)) for b in bins)
    return [committed[step] for step in nearest]


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> Mapping[str, np.ndarray]:
    """Columns over the units of several layers, as far as all of them have them."""
    if len(parts) == 1:
        return parts[0]
    names = [n for n in parts[0] if all(n in part for part in parts)]
    return {n: np.concatenate([part[n] for part in parts]) for n in names}


def _picked(held: tuple[np.ndarray, np.ndarray], positions: np.ndarray) -> np.ndarray:
    """Responses of the units at `positions`, without a copy if they are all."""
    values, units = held
    if len(units) == len(positions):
        return values
    return np.asarray(values[..., np.searchsorted(units, positions)])


def _side_by_side(parts: Sequence[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def _allocate(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Arrays of the given shapes: in memory, or if they are too large for it in unnamed files.

    Such a file has no name any more when it is used, so it vanishes with the last array on it, even
    if the process is killed.
    """
    wanted_bytes = 4 * sum(int(np.prod(shape)) for shape in shapes.values())
    if wanted_bytes <= held_in_memory_bytes():
        return {layer: np.empty(shape, np.float32) for layer, shape in shapes.items()}
    held: dict[str, np.ndarray] = {}
    for layer, shape in shapes.items():
        with tempfile.TemporaryFile(prefix="corteval-") as file:
            held[layer] = np.memmap(file, np.float32, "w+", shape=shape)
    return held
