"""A text model as an extractor: layers by name, for each stimulus after what was read before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from corteval import reading as reading_order
from corteval import store as stores
from corteval.errors import OptionError
from corteval.perturbation import Perturbation
from corteval.stimuli import StimulusSet
from corteval.store import Store
from corteval.surprisal import SurprisalSpec
from corteval_pytorch import identity, perturbing
from corteval_pytorch.artifacts import Asked, Recorded, asked
from corteval_pytorch.conditions import a_shelf, check_dtype, computing, device_of
from corteval_pytorch.coordinates import columns_of, feature_columns
from corteval_pytorch.passes import Selection, Stream
from corteval_pytorch.reducing import features_of, reducer
from corteval_pytorch.reduction import Reduction, SparseProjection
from corteval_pytorch.text.plan import Manner, Plan, Pooling, planned
from corteval_pytorch.text.reading import NEXT_WORD, SURPRISAL, USE_OF, Reading, read
from corteval_pytorch.text.shapes import Shapes
from corteval_pytorch.text.tokens import MarksWords, Tokenizer, tokenised

#: Raised when this package computes other responses from the same model and text.
TEXT_ENGINE = 1

#: Presentations of a block that is handed out.
_HANDED = 256

#: Logits of a batch are kept below this.
_LOGIT_BYTES = 512 * 2**20


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TextNetwork:
    """An extractor around a torch module that reads.

    Args:
        module: called with ``input_ids`` and ``attention_mask``, (batch, token), filled up at the
            right; is never changed, and runs in evaluation mode without gradients.
        name: for progress and messages.
        tokenizer: of the module.
        manner: how passages are read.
        bos: whether a token of the beginning stands before every passage; None leaves it to the
            tokenizer.
        surprisal: its conventions; None if the module predicts no words.
        next_tokens: most tokens of a next word; with 1 it is a token.
        batch_tokens: most tokens of a batch.
        dtype: ``"float32"`` leaves types to the module; others are those of `torch.autocast`.
        reduction: of layers with more units than it has features.
        perturbations: layers and what is done to their units.
        alongside: layers that every pass records too, if there is a store.
    """

    module: nn.Module
    name: str
    tokenizer: Tokenizer
    manner: Manner = field(default_factory=Manner)
    bos: bool | None = None
    surprisal: SurprisalSpec | None = None
    next_tokens: int = 1
    batch_tokens: int = 2048
    dtype: str = "float32"
    reduction: Reduction | None = None
    perturbations: tuple[perturbing.Placed, ...] = ()
    alongside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_dtype(self.dtype)
        if self.batch_tokens < 1:
            raise OptionError(f"A batch has at least one token, not {self.batch_tokens}.")

    @property
    def device(self) -> torch.device:
        """Where the module's parameters lie."""
        return device_of(self.module)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what determines the responses; the same in every process.

        Computed anew each time, for a module's weights may change between two calls.
        """
        content = {
            "engine": [identity.ENGINE, TEXT_ENGINE],
            "name": self.name,
            "weights": identity.weights_digest(self.module),
            "settings": identity.settings_digest(self.module),
            "source": identity.source_digest(identity.definers(self.module)),
            "tokenizer": dict(self.tokenizer.identity()),
            "manner": asdict(self.manner),
            "bos": self.bos,
            "dtype": self.dtype,
            "perturbations": [perturbing.identity(p) for p in self.perturbations],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def described(self) -> dict[str, str]:
        """How responses are computed, for the record of a score."""
        how = {"dtype": self.dtype, "device": str(self.device), "torch": str(torch.__version__)}
        how["reading"] = json.dumps(asdict(self.manner), sort_keys=True)
        if self.surprisal is not None:
            how["surprisal"] = json.dumps(asdict(self.surprisal), sort_keys=True)
        if self.reduction is not None:
            how["reduction"] = json.dumps(self.reduction.identity())
        return how

    def layer_names(self) -> list[str]:
        """Layers that can be recorded, in the order in which they are computed, each once.

        See `corteval_pytorch.text.shapes.Shapes.names`.
        """
        return self._shapes.names()

    def recording_alongside(self, layers: Sequence[str]) -> TextNetwork:
        """A network whose passes record `layers` whole too, as far as the store lacks them."""
        for layer in layers:
            self._width(layer)
        return replace(self, alongside=tuple(layers))

    def reduced(self, features: int, seed: int = 0) -> TextNetwork:
        """A network that records a sparse projection of each layer with more units."""
        return replace(self, reduction=SparseProjection(features=features, seed=seed))

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Coordinates of the units of `layer`, or of the features it is reduced to."""
        units = self._units(layer)
        features = None if layer in USE_OF else features_of(self.reduction, units)
        if features is not None:
            return feature_columns(layer, features)
        return columns_of(layer, (units,), None, {})

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """Blocks of responses in the order of `stimuli`."""
        with a_shelf() as shelf:
            whole = {
                layer: None if len(units) == self._width(layer) else units
                for layer, units in wanted.items()
            }
            recorded, plan = self._recorded(shelf, stimuli, whole)
            for start in range(0, len(stimuli), _HANDED):
                part = slice(start, start + _HANDED)
                rows, first = recorded.rows[part], plan.first[part]
                yield {
                    layer: self._handed(layer, recorded.read(layer, rows), first)
                    for layer in wanted
                }

    def pooled(self, pooling: Pooling) -> TextNetwork:
        """A network that represents a stimulus by the ``"last"``, ``"first"`` or mean token."""
        return replace(self, manner=replace(self.manner, pooling=pooling))

    def perturbed(self, layer: str, perturbation: Perturbation) -> TextNetwork:
        """A network in which units of `layer` are changed while it runs."""
        if self.reduction is not None:
            raise OptionError(
                f"{self.name} records {type(self.reduction).__name__} features; perturb it without "
                "a reduction, for single units are no longer told apart after it."
            )
        if layer in USE_OF:
            raise OptionError(f"{layer} is made of the output of {self.name}; perturb its layers.")
        return replace(self, perturbations=(*self.perturbations, (layer, perturbation)))

    def prepare(self, stimuli: StimulusSet, layers: Sequence[str]) -> None:
        """Record whole `layers` into the store in one pass, and hand nothing out."""
        with a_shelf() as shelf:
            self._recorded(shelf, stimuli, dict.fromkeys(layers))

    def planned(self, stimuli: StimulusSet) -> Plan:
        """What is read for `stimuli`; every passage is tokenised once."""
        alone = self.manner.sees == "stimulus"
        passages = reading_order.passages(stimuli, alone=alone)
        marked = [tokenised(self.tokenizer, p.text, bos=self.bos) for p in passages]
        return planned(passages, marked, stimuli.stimulus_ids, self.manner)

    def _handed(self, layer: str, values: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Stored values as the conventions of surprisal have them."""
        if layer != SURPRISAL or self.surprisal is None:
            return values
        if self.surprisal.base == "bits":
            values = values / np.float32(np.log(2))
        if self.surprisal.first_word == "nan":
            values = np.where(first[:, None], np.float32(np.nan), values)
        return values

    def _recorded(
        self, shelf: Store, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray | None]
    ) -> tuple[Recorded, Plan]:
        """Artifacts of all `wanted` layers (None: whole ones), computed as far as they lack."""
        plan = self.planned(stimuli)
        key = {
            "model": self.fingerprint,
            "identifier": self.name,
            "stimuli": plan.digest,
            "trials": 1,
            "dtype": self.dtype,
        }
        wants = {
            layer: self._asked(shelf, key, layer, positions, plan)
            for layer, positions in wanted.items()
        }
        missing = {layer: a for layer, a in wants.items() if not a.artifact.complete}
        if missing:
            kept = stores.active() is not None
            for layer in self.alongside if kept else ():
                if layer not in wants:
                    more = self._asked(shelf, key, layer, None, plan)
                    missing |= {} if more.artifact.complete else {layer: more}
            with shelf.claim(a.artifact for a in missing.values()):
                self._compute(shelf, stimuli, plan, missing)
        artifacts = {layer: (a.artifact, a.inside) for layer, a in wants.items()}
        return Recorded(artifacts, plan.rows), plan

    def _asked(
        self,
        shelf: Store,
        key: Mapping[str, Any],
        layer: str,
        positions: np.ndarray | None,
        plan: Plan,
    ) -> Asked:
        reduced = layer not in USE_OF and features_of(self.reduction, self._units(layer))
        reduction = self.reduction.identity() if self.reduction is not None and reduced else None
        tokens = {"next_tokens": self.next_tokens} if layer == NEXT_WORD else {}
        return asked(
            shelf,
            {**key, "layer": layer, "reduction": reduction, **tokens},
            positions,
            self._width(layer),
            rows=len(plan.contents),
            trials=1,
        )

    def _compute(
        self, shelf: Store, stimuli: StimulusSet, plan: Plan, wants: Mapping[str, Asked]
    ) -> None:
        """Read what is missing, and publish."""
        streams = {}
        for layer, a in wants.items():
            gaps = frozenset(a.artifact.missing())
            if gaps:
                selection = self._selection(shelf, layer, a.positions)
                streams[layer] = Stream(a.artifact, selection, (selection.width,), gaps)
        read(
            Reading(
                module=self.module,
                name=f"{self.name}: {stimuli.identifier}",
                plan=plan,
                streams=streams,
                calls_of=self._shapes.calls_of,
                batch_tokens=self._fitting_tokens(streams),
                word_starts=self._word_starts() if streams.keys() & USE_OF.keys() else None,
                word_ends=self.manner.word_boundary,
                next_tokens=self.next_tokens,
                window=self.manner.window,
                around=self._around(),
                device=self.device,
            )
        )
        shelf.publish({a.artifact: self.described() for a in wants.values()})

    def _selection(self, shelf: Store, layer: str, positions: np.ndarray | None) -> Selection:
        """What is kept of a layer, as a function of its pooled output."""
        count = self._units(layer)
        features = None if layer in USE_OF else features_of(self.reduction, count)
        width = (features or count) if positions is None else len(positions)
        if features is not None and self.reduction is not None:

            def record(fit: StimulusSet) -> Recorded:
                raw = replace(self, reduction=None, alongside=())
                return raw._recorded(shelf, fit, {layer: None})[0]

            key = {"model": self.fingerprint, "layer": layer}
            reduce = reducer(
                self.reduction, shelf, key, count, positions, device=self.device, record=record
            )
            return Selection(reduce, width)
        if positions is None:
            return Selection(lambda output: output, width)
        chosen = torch.from_numpy(np.asarray(positions)).to(self.device)
        return Selection(lambda output: output[:, chosen], width)

    def _word_starts(self) -> Tensor | None:
        if not self.manner.word_boundary and self.next_tokens == 1:
            return None
        if not isinstance(self.tokenizer, MarksWords):
            raise OptionError(
                f"{self.name}: word_boundary=True, or whole next words, but its tokenizer does not "
                "say which tokens begin a word. Give it a method word_starts()."
            )
        starts = torch.from_numpy(np.asarray(self.tokenizer.word_starts(), bool))
        padded = torch.zeros(self._shapes.vocabulary or len(starts), dtype=torch.bool)
        padded[: len(starts)] = starts[: len(padded)]
        if not padded.any():
            raise OptionError(
                f"{self.name}: no token of its tokenizer begins a word, so that the end of a word "
                "cannot be counted. Use word_boundary=False."
            )
        return padded.to(self.device)

    def _fitting_tokens(self, streams: Mapping[str, Stream]) -> int:
        """Tokens of a batch, fewer where large vocabularies are predicted."""
        if not any(layer in USE_OF for layer in streams):
            return self.batch_tokens
        return min(self.batch_tokens, max(1, _LOGIT_BYTES // (4 * (self._shapes.vocabulary or 1))))

    def _units(self, layer: str) -> int:
        """Number of units of a layer, before it is reduced.

        Raises:
            OptionError: the module predicts no words.
            AssemblyError: the layer gives no unit a token.
        """
        if layer in USE_OF:
            if self.surprisal is None:
                raise OptionError(
                    f"{self.name} was committed without surprisal, so that it has no {layer!r}. "
                    "Its module may predict no words."
                )
            return self.next_tokens if layer == NEXT_WORD else 1
        return self._shapes.units(layer)

    def _width(self, layer: str) -> int:
        """Number of units of a layer, or of features."""
        units = self._units(layer)
        return units if layer in USE_OF else features_of(self.reduction, units) or units

    @cached_property
    def _shapes(self) -> Shapes:
        return Shapes(
            module=self.module,
            name=self.name,
            dtype=self.dtype,
            key=lambda: {"model": self.fingerprint, "identifier": self.name},
        )

    def _around(self) -> Any:
        """Context of forward passes: the numerical type, and perturbations."""

        @contextmanager
        def around() -> Iterator[None]:
            shape = lambda layer: (self._units(layer),)  # noqa: E731
            with (
                computing(self.device, self.dtype),
                perturbing.perturbing(
                    self.module, self.perturbations, shape, self.units, leading=2
                ),
            ):
                yield

        return around
