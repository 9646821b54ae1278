"""A torch module as an extractor: layers by name, recorded in one pass through the store."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from corteval import store as stores
from corteval.errors import AssemblyError, OptionError
from corteval.memory import Limit
from corteval.perturbation import Perturbation
from corteval.stimuli import StimulusSet
from corteval.store import Store
from corteval_pytorch import identity, perturbing
from corteval_pytorch.artifacts import Asked, Recorded, Shown, asked
from corteval_pytorch.conditions import (
    a_shelf,
    check_dtype,
    computing,
    device_limit,
    device_of,
    device_peak_of,
)
from corteval_pytorch.coordinates import columns_of, feature_columns
from corteval_pytorch.layouts import GREY, Layout, seen, shelved
from corteval_pytorch.noise import seed_of
from corteval_pytorch.passes import Pass, Selection, Stream, run
from corteval_pytorch.preprocessing import Preprocess, batched, prepared
from corteval_pytorch.reducing import features_of, reducer
from corteval_pytorch.reduction import Reduction, SparseProjection
from corteval_pytorch.taps import tap_of, without_step

log = logging.getLogger(__name__)

#: The largest output of a batch is kept below this, so that a batch stays near the caches.
_BATCH_BYTES = 128 * 2**20
_MOST_ROWS = 64

#: Presentations of a block that is handed out.
_HANDED = 256


@runtime_checkable
class Windowed(Protocol):
    """A network that can compute a part of a layer's map alone, at less cost."""

    def windowed(self, layer: str, rows: slice, columns: slice) -> nn.Module | None:
        """A network whose `layer` is only that part of its map; None if it cannot."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """An extractor around a torch module.

    Args:
        module: is never changed; it runs in evaluation mode without gradients.
        name: for progress and messages.
        preprocess: from an RGB image to input.
        visual_degrees: extent of the screen on which stimuli are placed; None shows them as they
            are.
        dtype: ``"float32"`` leaves types to the module; others are those of `torch.autocast`.
        batch_rows: rows of a batch; None lets the size of the layers decide.
        coordinates: layer -> further coordinates of its units.
        reduction: of layers with more units than it has features.
        stochastic: whether trials differ.
        seed: of the noise.
        perturbations: layers and what is done to their units.
        alongside: layers that every pass records too, if there is a store.
    """

    module: nn.Module
    name: str
    preprocess: Preprocess
    visual_degrees: float | None
    dtype: str = "float32"
    batch_rows: int | None = None
    coordinates: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    reduction: Reduction | None = None
    stochastic: bool = False
    seed: int = 0
    perturbations: tuple[perturbing.Placed, ...] = ()
    alongside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_dtype(self.dtype)
        if self.batch_rows is not None and self.batch_rows < 1:
            raise OptionError(f"A batch has at least one stimulus, not {self.batch_rows}.")

    @property
    def is_stochastic(self) -> bool:
        """Whether trials differ."""
        return self.stochastic

    @property
    def device(self) -> torch.device:
        """Where the module's parameters lie."""
        return device_of(self.module)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what determines the responses; the same in every process.

        Computed anew each time, for a module's weights may change between two calls.
        """
        sources = [*identity.definers(self.module), *identity.definers_of(self.preprocess)]
        content = {
            "engine": identity.ENGINE,
            "name": self.name,
            "weights": identity.weights_digest(self.module),
            "settings": identity.settings_digest(self.module),
            "source": identity.source_digest(sources),
            "preprocess": identity.described(self.preprocess),
            "visual_degrees": self.visual_degrees,
            "dtype": self.dtype,
            "seed": self.seed if self.stochastic else None,
            "perturbations": [perturbing.identity(p) for p in self.perturbations],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def described(self) -> dict[str, str]:
        """How responses are computed, for the record of a score."""
        how = {"dtype": self.dtype, "device": str(self.device), "torch": str(torch.__version__)}
        if self.reduction is not None:
            how["reduction"] = json.dumps(self.reduction.identity())
        return how

    def layer_names(self) -> list[str]:
        """Layers that can be recorded, in the order in which they are computed, each once.

        Layers that only pass on what another computed, such as a container, are left out.
        """
        order = sorted(self._layouts.items(), key=lambda item: item[1].order)
        return [name for name, layout in order if not layout.repeats]

    def recording_alongside(self, layers: Sequence[str]) -> Network:
        """A network whose passes record `layers` whole too, as far as the store lacks them."""
        for layer in layers:
            tap_of(layer, self.module)
        return replace(self, alongside=tuple(layers))

    def reduced(self, features: int, seed: int = 0) -> Network:
        """A network that records a sparse projection of each layer with more units."""
        return replace(self, reduction=SparseProjection(features=features, seed=seed))

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Coordinates of the units of `layer`, or of the features it is reduced to."""
        shape = self._shape(layer)
        features = self._features(int(np.prod(shape)))
        if features is not None:
            return feature_columns(layer, features)
        further = self.coordinates.get(without_step(layer), {})
        return columns_of(layer, shape, self.visual_degrees, further)

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """Blocks of responses in the order of `stimuli`."""
        with a_shelf() as shelf:
            yield from self._handed_out(shelf, stimuli, wanted, 1)

    def trials(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray], trials: int
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """The same with an axis of trials: (presentation, trial, unit)."""
        with a_shelf() as shelf:
            yield from self._handed_out(shelf, stimuli, wanted, trials)

    def perturbed(self, layer: str, perturbation: Perturbation) -> Network:
        """A network in which units of `layer` are changed while it runs."""
        if self.reduction is not None:
            raise OptionError(
                f"{self.name} records {type(self.reduction).__name__} features; perturb it without "
                "a reduction, for single units are no longer told apart after it."
            )
        return replace(self, perturbations=(*self.perturbations, (layer, perturbation)))

    def prepare(self, stimuli: StimulusSet, layers: Sequence[str]) -> None:
        """Record whole `layers` into the store in one pass, and hand nothing out."""
        with a_shelf() as shelf:
            self._recorded(shelf, stimuli, dict.fromkeys(layers), 1)

    def rows_of_batch(self, trials: int) -> int:
        """Presentations of a batch; if not set, by the largest output of any layer of the network.

        A run that finds little memory measures what a batch takes, and sets fewer.
        """
        if self.batch_rows is not None:
            return self.batch_rows
        shapes = [shape for layout in self._layouts.values() for shape in layout.shapes]
        largest = max((4 * int(np.prod(shape)) for shape in shapes), default=1)
        fitting = max(1, min(_MOST_ROWS * trials, _BATCH_BYTES // max(1, largest)))
        return int(1 << (fitting.bit_length() - 1))

    def device_limit(self) -> Limit | None:
        """What is left of the GPU's memory; None where the module computes in the machine's."""
        return device_limit(self.device)

    def device_peak_of(self, do: Callable[[], None]) -> tuple[int, int]:
        """Do something; bytes of the GPU held before, and the most held meanwhile."""
        return device_peak_of(self.device, do)

    def _handed_out(
        self, shelf: Store, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray], trials: int
    ) -> Iterator[Mapping[str, np.ndarray]]:
        whole = {
            layer: None if len(units) == self._width(layer) else units
            for layer, units in wanted.items()
        }
        recorded = self._recorded(shelf, stimuli, whole, trials)
        for start in range(0, len(stimuli), _HANDED):
            part = recorded.rows[start : start + _HANDED]
            yield {layer: recorded.read(layer, part) for layer in wanted}

    def _recorded(
        self,
        shelf: Store,
        stimuli: StimulusSet,
        wanted: Mapping[str, np.ndarray | None],
        trials: int,
    ) -> Recorded:
        """Artifacts of all `wanted` layers (None: whole ones), computed as far as they lack."""
        shown = Shown.of(stimuli)
        trials = trials if self.stochastic else 1
        key = {
            "model": self.fingerprint,
            "identifier": self.name,
            "stimuli": shown.digest,
            "trials": trials,
            "dtype": self.dtype,
        }
        wants = {
            layer: self._asked(shelf, key, layer, positions, shown, trials)
            for layer, positions in wanted.items()
        }
        missing = {layer: a for layer, a in wants.items() if not a.artifact.complete}
        if missing:
            kept = stores.active() is not None
            for layer in self.alongside if kept else ():
                if layer not in wants:
                    more = self._asked(shelf, key, layer, None, shown, trials)
                    missing |= {} if more.artifact.complete else {layer: more}
            with shelf.claim(a.artifact for a in missing.values()):
                self._compute(shelf, stimuli, shown, missing, trials)
        artifacts = {layer: (a.artifact, a.inside) for layer, a in wants.items()}
        return Recorded(artifacts, shown.rows)

    def _asked(
        self,
        shelf: Store,
        key: Mapping[str, Any],
        layer: str,
        positions: np.ndarray | None,
        shown: Shown,
        trials: int,
    ) -> Asked:
        reduced = self._features(int(np.prod(self._shape(layer)))) is not None
        reduction = self.reduction.identity() if self.reduction is not None and reduced else None
        return asked(
            shelf,
            {**key, "layer": layer, "reduction": reduction},
            positions,
            self._width(layer),
            rows=len(shown.contents),
            trials=trials,
        )

    def _compute(
        self,
        shelf: Store,
        stimuli: StimulusSet,
        shown: Shown,
        wants: Mapping[str, Asked],
        trials: int,
    ) -> None:
        """Run the network for the blocks that are missing, and publish."""
        module, renamed = self._windowed(wants)
        streams = {}
        for layer, a in wants.items():
            gaps = frozenset(a.artifact.missing())
            if gaps:
                positions, shape = renamed.get(layer, (a.positions, self._shape(layer)))
                selection = self._selection(shelf, layer, positions, shape)
                row_shape = (trials, selection.width) if self.stochastic else (selection.width,)
                streams[layer] = Stream(a.artifact, selection, row_shape, gaps)

        def seeds(row: int) -> list[int]:
            return [seed_of(self.seed, shown.contents[row], trial) for trial in range(trials)]

        run(
            Pass(
                network=module,
                name=f"{self.name}: {stimuli.identifier}",
                load=lambda row: prepared(
                    self.preprocess, stimuli, shown.stimulus_ids[row], self.visual_degrees
                ),
                batch=self._input,
                stimulus_ids=shown.stimulus_ids,
                streams=streams,
                calls_of={name: len(lay.shapes) for name, lay in self._layouts.items()},
                batch_rows=self.rows_of_batch(trials),
                trials=trials,
                seeds=seeds if self.stochastic else None,
                around=self._around(module),
                workers=_workers(),
            )
        )
        shelf.publish({a.artifact: self.described() for a in wants.values()})

    def _windowed(
        self, wants: Mapping[str, Asked]
    ) -> tuple[nn.Module, dict[str, tuple[np.ndarray, tuple[int, ...]]]]:
        """The module, or a part of it if that is enough; then the positions in its smaller map."""
        if len(wants) == 1 and isinstance(self.module, Windowed) and not self.perturbations:
            ((layer, a),) = wants.items()
            shape = self._shape(layer)
            if a.positions is not None and len(shape) == 3:
                channel, y, x = np.unravel_index(a.positions, shape)
                rows = slice(int(y.min()), int(y.max()) + 1)
                columns = slice(int(x.min()), int(x.max()) + 1)
                part = self.module.windowed(layer, rows, columns)
                if part is not None:
                    small = (shape[0], rows.stop - rows.start, columns.stop - columns.start)
                    inside = (channel, y - rows.start, x - columns.start)
                    return part, {layer: (np.ravel_multi_index(inside, small), small)}
        return self.module, {}

    def _selection(
        self, shelf: Store, layer: str, positions: np.ndarray | None, shape: tuple[int, ...]
    ) -> Selection:
        """What is kept of a layer, as a function of its output."""
        count = int(np.prod(shape))
        features = self._features(count)
        if features is not None:
            reduce = self._reducer(shelf, layer, count, positions)
            return Selection(reduce, features if positions is None else len(positions))
        if positions is None:
            return Selection(lambda output: output, count)
        places = np.unravel_index(positions, shape)
        axes = [torch.from_numpy(np.asarray(i)).to(self.device) for i in places]
        index: tuple[slice | Tensor, ...] = (slice(None), *axes)
        return Selection(lambda output: output[index], len(positions))

    def _reducer(self, shelf: Store, layer: str, count: int, positions: np.ndarray | None) -> Any:
        def record(fit: StimulusSet) -> Recorded:
            raw = replace(self, reduction=None, alongside=())
            return raw._recorded(shelf, fit, {layer: None}, 1)

        assert self.reduction is not None
        return reducer(
            self.reduction,
            shelf,
            {"model": self.fingerprint, "layer": layer},
            count,
            positions,
            device=self.device,
            record=record,
        )

    def _features(self, units: int) -> int | None:
        """Number of features a layer is reduced to; None if it is kept as it is."""
        return features_of(self.reduction, units)

    def _width(self, layer: str) -> int:
        """Number of units of a layer, or of features."""
        units = int(np.prod(self._shape(layer)))
        return self._features(units) or units

    def _shape(self, layer: str) -> tuple[int, ...]:
        """Shape of a layer's output without the presentation.

        Raises:
            AssemblyError: the layer does not run, or not so often.
        """
        tap = tap_of(layer, self.module)
        known = self._elements.get(layer)
        if known is None and not tap.element:
            known = self._layouts.get(tap.module)
        if known is None:
            known = self._seen([layer]).get(layer, Layout((), 0, False))
            self._elements[layer] = known
        # an element of one step was seen at that step only
        step = -1 if tap.step is None or tap.element else tap.step
        if step >= len(known.shapes) or not known.shapes:
            raise AssemblyError(
                f"{self.name}: {without_step(layer)} runs {len(known.shapes)} times in a forward "
                f"pass, so there is no {layer}. Name a layer that the network calls, and count its "
                "calls from -t0."
            )
        return known.shapes[step]

    @cached_property
    def _elements(self) -> dict[str, Layout]:
        return {}

    @cached_property
    def _layouts(self) -> dict[str, Layout]:
        """Shapes of all layers: known to the store, or seen when a grey image is shown."""
        key = {"model": self.fingerprint, "identifier": self.name}
        return shelved(key, lambda: self._seen(None))

    def _seen(self, layers: Sequence[str] | None) -> dict[str, Layout]:
        """Shapes of layers (None: of all that return tensors) for a grey image."""
        inputs = self._input([prepared(self.preprocess, GREY, "grey", self.visual_degrees)])
        with self._around(self.module, perturbed=False)():
            return seen(self.module, layers, inputs)

    def _input(self, rows: list[Any]) -> Tensor:
        inputs = batched(self.preprocess, rows, self.device)
        own = next((p.dtype for p in self.module.parameters() if p.is_floating_point()), None)
        plain = self.dtype == "float32"
        return inputs.to(own) if plain and own is not None and own != inputs.dtype else inputs

    def _around(self, module: nn.Module, *, perturbed: bool = True) -> Any:
        """Context of forward passes: the numerical type, and perturbations."""

        @contextmanager
        def around() -> Iterator[None]:
            placed = self.perturbations if perturbed else ()
            with (
                computing(self.device, self.dtype),
                perturbing.perturbing(module, placed, self._shape, self.units),
            ):
                yield

        return around


def _workers() -> int:
    count = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return min(8, count)
