"""`localized`: a subject whose target is answered by the units that a localizer selects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, cast, final, runtime_checkable

import numpy as np

from corteval.commitment import (
    Documented,
    Extractor,
    LayerCommitment,
    Layered,
    Perturbable,
    Stochastic,
)
from corteval.errors import OptionError
from corteval.perturbation import Perturbation
from corteval.requests import OneOf, UnitFilter
from corteval.stimuli import StimulusSet
from corteval.units import at
from corteval_localizer.contrast import contrasted, digest_of
from corteval_localizer.layers import layers_of
from corteval_localizer.localization import TARGET, Localization, localize, random_control
from corteval_localizer.localizer import Localizer
from corteval_localizer.reading import tokenizer_of

#: Follows the name of a layer of which only selected units are recorded.
MARK = "#localized"


@runtime_checkable
class _Network(Documented, Layered, Perturbable, Extractor, Protocol):
    """An extractor that can do what one around a torch module can."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Localizing:
    """Which units are selected, found when first asked for.

    Args:
        subject: in whose layers.
        layers: of them.
        localizer: that selects.
        found: what it found, if that is known already.
        stimuli: instead of the registered ones.
        target: whose layers are meant where the localizer names none.
        control: seed of random units instead of those selected.
    """

    subject: LayerCommitment
    layers: tuple[str, ...]
    localizer: Localizer
    found: Localization | None = None
    stimuli: StimulusSet | None = None
    target: str = TARGET
    control: int | None = None

    @cached_property
    def localization(self) -> Localization:
        """Of the subject; computed once."""
        if self.found is not None:
            return self.found
        found = localize(self.subject, self.localizer, stimuli=self.stimuli, target=self.target)
        return found if self.control is None else random_control(found, seed=self.control)

    def positions(self, layer: str) -> np.ndarray:
        """Of the selected units of `layer`.

        Raises:
            OptionError: if none is selected in any layer.
        """
        if not self.localization.count:
            raise OptionError(
                f"No unit of {self.subject.identifier} is selected by {self.localizer}. Choose a "
                "higher false discovery rate, or select a fraction."
            )
        return self.localization.positions(layer)

    @property
    def identity(self) -> str:
        """SHA-256 of what determines the selection, which need not be known yet."""
        if self.found is not None:
            return self.found.digest
        stimuli = digest_of(contrasted(self.localizer, self.stimuli), self.localizer)
        said = [self.localizer.identity(), self.layers, stimuli, self.control]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SelectedUnits:
    """An extractor with layers of selected units beside its own.

    Args:
        inner: computes all layers.
        chosen: which units.
    """

    inner: Extractor
    chosen: Localizing

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Coordinates of the units of `layer`, or of those selected in it."""
        return _units(self.inner, self.chosen, layer)

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """Blocks of the wanted units; only these are asked of the inner extractor."""
        return _blocks(self.inner, self.chosen, stimuli, wanted, None)

    def trials(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray], trials: int
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """The same with trials."""
        return _blocks(self.inner, self.chosen, stimuli, wanted, trials)

    @property
    def is_stochastic(self) -> bool:
        """As the inner extractor."""
        return isinstance(self.inner, Stochastic) and self.inner.is_stochastic


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SelectedUnitsOfNetwork:
    """`SelectedUnits` of an extractor that has layers by name and perturbs them while it runs.

    Args:
        inner: computes all layers.
        chosen: which units.
    """

    inner: _Network
    chosen: Localizing

    @property
    def fingerprint(self) -> str:
        """SHA-256 of that of the network, and of what determines the selection."""
        both = f"{self.inner.fingerprint}|{self.chosen.identity}"
        return hashlib.sha256(both.encode()).hexdigest()

    def described(self) -> dict[str, str]:
        """As the network, and how units are selected."""
        return {**self.inner.described(), "localizer": str(self.chosen.localizer)}

    def layer_names(self) -> list[str]:
        """Layers of the network."""
        return self.inner.layer_names()

    def recording_alongside(self, layers: Sequence[str]) -> SelectedUnitsOfNetwork:
        """See `corteval.commitment.Layered`."""
        return replace(self, inner=cast("_Network", self.inner.recording_alongside(layers)))

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Coordinates of the units of `layer`, or of those selected in it."""
        return _units(self.inner, self.chosen, layer)

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """Blocks of the wanted units; only these are asked of the network."""
        return _blocks(self.inner, self.chosen, stimuli, wanted, None)

    def trials(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray], trials: int
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """The same with trials."""
        return _blocks(self.inner, self.chosen, stimuli, wanted, trials)

    @property
    def is_stochastic(self) -> bool:
        """As the network."""
        return isinstance(self.inner, Stochastic) and self.inner.is_stochastic

    def perturbed(self, layer: str, perturbation: Perturbation) -> SelectedUnitsOfNetwork:
        """A network in which the units selected in `layer` are changed, as far as they are meant.

        The selection stays that of the intact network.
        """
        name = layer.removesuffix(MARK)
        if layer.endswith(MARK):
            kept = self.chosen.positions(name)
            if not len(kept):
                return self
            ids = at(self.inner.units(name), kept)["neuroid_id"]
            only = OneOf("neuroid_id", tuple(ids.tolist()))
            others = perturbation.units.conditions if perturbation.units else ()
            perturbation = replace(perturbation, units=UnitFilter((*others, only)))
        inner = cast("_Network", self.inner.perturbed(name, perturbation))
        return replace(self, inner=inner)


def localized(
    subject: LayerCommitment,
    how: Localizer | Localization | None = None,
    *,
    stimuli: StimulusSet | None = None,
    target: str = TARGET,
    control: int | None = None,
    identifier: str | None = None,
) -> LayerCommitment:
    """`subject` with `target` answered by the units that a localizer selects.

    All selected units answer together, whatever their layers; other targets and tasks are as they
    were. Units are localized when the subject is first asked, or before if `how` is what
    `localize` returned.

    Args:
        subject: made of layers.
        how: a localizer, `Localizer()` if None; or what it found.
        stimuli: instead of registered ones.
        target: that the selected units answer.
        control: seed of random units instead, as many in each layer as would be selected.
        identifier: name in tables; ``localized/`` and that of the subject if None.

    Raises:
        OptionError: if the subject cannot be localized as asked.
    """
    found = how if isinstance(how, Localization) else None
    localizer = found.localizer if found else how if isinstance(how, Localizer) else Localizer()
    if found is not None and control is not None:
        found, control = random_control(found, seed=control), None
    layers = found.layers if found else layers_of(subject, localizer, target)
    if localizer.tokens is not None and found is None:
        tokenizer_of(subject)  # better said now than when it is asked
    chosen = Localizing(
        subject=subject,
        layers=layers,
        localizer=localizer,
        found=found,
        stimuli=stimuli,
        target=target,
        control=control,
    )
    extractor: Extractor = subject.extractor
    extractor = (
        SelectedUnitsOfNetwork(inner=extractor, chosen=chosen)
        if isinstance(extractor, _Network)
        else SelectedUnits(inner=extractor, chosen=chosen)
    )
    return replace(
        subject,
        identifier=identifier or f"localized/{subject.identifier}",
        extractor=extractor,
        layers={**subject.layers, target: tuple(f"{layer}{MARK}" for layer in layers)},
        notes=(*subject.notes, *_notes(chosen, target)),
        layer_notes=(),
    )


def _notes(chosen: Localizing, target: str) -> list[str]:
    if chosen.found is None and chosen.control is None:
        return [f"{target}: {chosen.localizer}"]
    if chosen.found is None:
        return [f"{target}: random units (seed {chosen.control}), a control for {chosen.localizer}"]
    found = chosen.found
    counted = f"{found.count} of {found.units} units"
    if found.control:
        return [f"{target}: {counted}, {found.control}; a control for {chosen.localizer}"]
    return [f"{target}: {counted}, {chosen.localizer}"]


def _units(inner: Extractor, chosen: Localizing, layer: str) -> Mapping[str, np.ndarray]:
    if not layer.endswith(MARK):
        return inner.units(layer)
    name = layer.removesuffix(MARK)
    return at(inner.units(name), chosen.positions(name))


def _blocks(
    inner: Extractor,
    chosen: Localizing,
    stimuli: StimulusSet,
    wanted: Mapping[str, np.ndarray],
    trials: int | None,
) -> Iterator[Mapping[str, np.ndarray]]:
    """Blocks of `wanted`, each layer of the inner extractor asked once."""
    original = {
        layer: chosen.positions(layer.removesuffix(MARK))[units] if layer.endswith(MARK) else units
        for layer, units in wanted.items()
    }
    asked: dict[str, np.ndarray] = {}
    for layer, units in original.items():
        name = layer.removesuffix(MARK)
        asked[name] = np.union1d(asked.get(name, units), units)
    places = {
        layer: np.searchsorted(asked[layer.removesuffix(MARK)], units)
        for layer, units in original.items()
    }
    if trials is not None and isinstance(inner, Stochastic):
        blocks = inner.trials(stimuli, asked, trials)
    else:
        blocks = inner(stimuli, asked)
    for block in blocks:
        yield {
            layer: np.asarray(block[layer.removesuffix(MARK)])[..., where]
            for layer, where in places.items()
        }
