"""`localize`: t of every unit, and the units that a localizer selects, kept in the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, final

import numpy as np

from corteval import hooks
from corteval import store as stores
from corteval.commitment import Documented, LayerCommitment
from corteval.errors import OptionError
from corteval.stimuli import StimulusSet
from corteval.store import Store
from corteval.units import count_units
from corteval_localizer.contrast import contrasted, digest_of, labels_of
from corteval_localizer.layers import layers_of
from corteval_localizer.localizer import Localizer
from corteval_localizer.reading import count_tokens, responses, shown
from corteval_localizer.selecting import random_units, selected
from corteval_localizer.welch import Moments, merged, moments_of, welch

KIND = "localizer"
TARGET = "language_system"
_ROWS = 65_536


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Localization:
    """What a localizer found in a subject.

    Args:
        subject: its identifier.
        localizer: that was used.
        layers: localized in, in order.
        t, p: by layer, of every unit; NaN of units that respond to everything alike.
        mask: by layer, whether a unit is selected.
        fingerprint: of the subject's weights, settings and code; None if it does not tell.
        stimuli: digest of the stimuli and of their conditions.
        pooling: how responses were pooled, in words.
        tokens: mean number of tokens (words, of a subject without) of texts, by condition.
        control: of random units, in words; empty if the units are those selected.
    """

    subject: str
    localizer: Localizer
    layers: tuple[str, ...]
    t: Mapping[str, np.ndarray]
    p: Mapping[str, np.ndarray]
    mask: Mapping[str, np.ndarray]
    fingerprint: str | None
    stimuli: str
    pooling: str
    tokens: Mapping[str, float] = field(default_factory=dict)
    control: str = ""

    @property
    def count(self) -> int:
        """Selected units."""
        return sum(int(mask.sum()) for mask in self.mask.values())

    @property
    def units(self) -> int:
        """Units among which they were selected."""
        return sum(len(mask) for mask in self.mask.values())

    def positions(self, layer: str) -> np.ndarray:
        """Of the selected units in a layer."""
        return np.flatnonzero(self.mask[layer])

    @property
    def digest(self) -> str:
        """SHA-256 of everything it says."""
        said = {
            "subject": self.subject,
            "localizer": self.localizer.identity(),
            "layers": self.layers,
            "fingerprint": self.fingerprint,
            "stimuli": self.stimuli,
            "control": self.control,
        }
        sha = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
        for part in (self.t, self.p, self.mask):
            for layer in self.layers:
                sha.update(np.ascontiguousarray(part[layer], np.float64).data)
        return sha.hexdigest()

    def overlap(self, other: Localization) -> float:
        """Units selected in both, as a share of those selected in either.

        Raises:
            OptionError: if they were localized in other layers.
        """
        if [*self.mask] != [*other.mask] or self.units != other.units:
            raise OptionError(
                f"Masks of {', '.join(self.layers)} and of {', '.join(other.layers)} have no units "
                "to compare."
            )
        a, b = (_joined(found.mask, self.layers).astype(bool) for found in (self, other))
        return float((a & b).sum() / max(1, (a | b).sum()))

    def summary(self) -> dict[str, Any]:
        """In short, as JSON types."""
        return {
            "subject": self.subject,
            "localizer": self.localizer.identity(),
            "layers": {
                layer: {"units": len(mask), "selected": int(mask.sum())}
                for layer, mask in self.mask.items()
            },
            "units": self.units,
            "selected": self.count,
            "pooling": self.pooling,
            "tokens": dict(self.tokens),
            "control": self.control,
            "fingerprint": self.fingerprint,
            "stimuli": self.stimuli,
            "digest": self.digest,
        }


def localize(
    subject: LayerCommitment,
    localizer: Localizer | None = None,
    *,
    stimuli: StimulusSet | None = None,
    target: str = TARGET,
) -> Localization:
    """Find the units of `subject` that `localizer` selects.

    Responses stream through once, and no layer is held; if the subject says what determines its
    responses (`corteval.commitment.Documented`), the result is kept in the store in force under
    that, the stimuli, the layers and all parameters.

    Args:
        subject: any that is made of layers.
        localizer: by default `Localizer()`.
        stimuli: instead of registered ones; the localizer's `data` is then a name only.
        target: whose layers are meant where `localizer` names none.

    Raises:
        OptionError: if the subject cannot be localized as asked.
        StimuliError: if a condition has fewer than two stimuli.
    """
    localizer = localizer or Localizer()
    contrast = contrasted(localizer, stimuli)
    layers = layers_of(subject, localizer, target)
    counts = {layer: count_units(subject.extractor.units(layer)) for layer in layers}
    how = shown(subject, contrast, localizer).way
    digest = digest_of(contrast, localizer)
    fingerprint = fingerprint_of(subject)

    def compute() -> tuple[np.ndarray, dict[str, Any]]:
        found = _tested(subject, contrast, localizer, counts)
        return found, {"tokens": _tokens(subject, contrast, localizer)}

    shelf = stores.active()
    if shelf is None or fingerprint is None:
        table, facts = compute()
    else:
        key = {
            "subject": fingerprint,
            "identifier": subject.identifier,
            "layers": [[layer, count] for layer, count in counts.items()],
            "stimuli": digest,
            "pooling": how,
            "localizer": localizer.identity(),
            "source": _source(),
        }
        table, facts = _kept(shelf, key, sum(counts.values()), compute)
    parts = np.split(table, np.cumsum([*counts.values()])[:-1])
    return Localization(
        subject=subject.identifier,
        localizer=localizer,
        layers=layers,
        t={layer: part[:, 0] for layer, part in zip(layers, parts, strict=True)},
        p={layer: part[:, 1] for layer, part in zip(layers, parts, strict=True)},
        mask={layer: part[:, 2] > 0 for layer, part in zip(layers, parts, strict=True)},
        fingerprint=fingerprint,
        stimuli=digest,
        pooling=how,
        tokens=facts["tokens"],
    )


def random_control(
    localization: Localization,
    *,
    seed: int,
    percentiles: tuple[float, float] = (0.0, 100.0),
    by_layer: bool = True,
) -> Localization:
    """As many random units, none of them selected: a control for `localization`.

    Args:
        localization: what is controlled for.
        seed: of the draw.
        percentiles: of t, between which a unit must lie.
        by_layer: as many units in each layer as are selected there.

    Raises:
        OptionError: if there are not so many other units.
    """
    layers = localization.layers
    lengths = [len(localization.mask[layer]) for layer in layers]
    drawn = random_units(
        _joined(localization.t, layers),
        _joined(localization.mask, layers).astype(bool),
        np.repeat(np.arange(len(layers)), lengths),
        seed=seed,
        percentiles=percentiles,
        by_layer=by_layer,
    )
    parts = np.split(drawn, np.cumsum(lengths)[:-1])
    low, high = percentiles
    return replace(
        localization,
        mask=dict(zip(layers, parts, strict=True)),
        control=f"random units, percentiles {low:g} to {high:g} of t, "
        f"{'as many in each layer, ' if by_layer else ''}seed {seed}",
    )


def fingerprint_of(subject: LayerCommitment) -> str | None:
    """What determines the subject's responses, if it tells."""
    extractor = subject.extractor
    return extractor.fingerprint if isinstance(extractor, Documented) else None


def grouped_moments(
    subject: LayerCommitment,
    contrast: StimulusSet,
    localizer: Localizer,
    counts: Mapping[str, int],
    groups: np.ndarray,
    task: str = "localize",
) -> list[Moments]:
    """Moments of all units, layer after layer, over the stimuli of each group 0, 1, ...

    Args:
        subject, contrast, localizer: who answers to what, and how.
        counts: units by layer.
        groups: (stimulus) number of its group.
        task: what this is done for, told as progress.
    """
    number = int(groups.max()) + 1
    found: list[list[Moments | None]] = [[None] * len(counts) for _ in range(number)]
    wanted = {layer: np.arange(count) for layer, count in counts.items()}
    for rows, block in responses(subject, contrast, localizer, wanted):
        here = groups[rows]
        for place, layer in enumerate(counts):
            for group in np.unique(here):
                part = moments_of(block[layer][here == group])
                before = found[group][place]
                found[group][place] = part if before is None else merged([before, part])
        told = f"{task}: {subject.identifier}, {len(counts)} layers"
        hooks.notify(hooks.Progress(told, rows.stop, len(groups), "stimuli"))
    return [_side_by_side([m for m in layers if m is not None]) for layers in found]


def _side_by_side(parts: Sequence[Moments]) -> Moments:
    return Moments(
        parts[0].size,
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.squares for part in parts]),
    )


def _tested(
    subject: LayerCommitment,
    contrast: StimulusSet,
    localizer: Localizer,
    counts: Mapping[str, int],
) -> np.ndarray:
    """(unit, 3): t, p and whether it is selected."""
    groups = 1 - labels_of(contrast, localizer).astype(int)
    positive, negative = grouped_moments(subject, contrast, localizer, counts, groups)
    t, p = welch(positive, negative, localizer.alternative)
    return np.column_stack([t, p, selected(t, p, localizer.selection)])


def _tokens(
    subject: LayerCommitment, contrast: StimulusSet, localizer: Localizer
) -> dict[str, float]:
    if contrast.modality != "text":
        return {}
    # as they are shown: cut, but not yet word by word
    whole = replace(localizer, pooling="whole")
    number = count_tokens(subject, shown(subject, contrast, whole).stimuli)
    is_positive = labels_of(contrast, localizer)
    return {
        localizer.positive: float(number[is_positive].mean()),
        localizer.negative: float(number[~is_positive].mean()),
    }


def _kept(shelf: Store, key: Mapping[str, Any], rows: int, compute: Any) -> tuple[np.ndarray, Any]:
    """What is in the store under `key`, computed if it is not."""
    artifact = shelf.artifact(KIND, key, rows=rows, rows_per_block=_ROWS)
    if not artifact.complete:
        with shelf.claim([artifact]):
            if not artifact.complete:
                table, facts = compute()
                for index in range(artifact.blocks):
                    artifact.write(index, np.ascontiguousarray(table[artifact.rows_of(index)]))
                artifact.publish(**facts)
    facts = artifact.facts
    assert facts is not None
    blocks = [np.asarray(artifact.block(index)) for index in range(artifact.blocks)]
    return np.concatenate(blocks), facts


@cache
def _source() -> str:
    """SHA-256 of this package's code, so that an edited localizer finds anew."""
    sha = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        sha.update(file.read_bytes())
    return sha.hexdigest()


def _joined(parts: Mapping[str, np.ndarray], layers: Sequence[str]) -> np.ndarray:
    return np.concatenate([parts[layer] for layer in layers])
