"""Artifacts of a pass: what determines them, and how they are read in the order of stimuli."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corteval.errors import PluginError
from corteval.stimuli import StimulusSet
from corteval.store import Artifact, Store
from corteval_pytorch.passes import rows_per_block


@dataclass(frozen=True)
class Shown:
    """What is shown: every different content once.

    Args:
        contents: digests of contents, sorted.
        stimulus_ids: one for each content, for messages and loading.
        rows: of each presentation, its content.
        digest: of contents and of the extent at which they are placed.
    """

    contents: list[str]
    stimulus_ids: list[str]
    rows: np.ndarray
    digest: str

    @classmethod
    def of(cls, stimuli: StimulusSet) -> Shown:
        """The different contents of `stimuli`, in an order that is theirs alone."""
        contents, first, rows = np.unique(
            np.array(stimuli.contents()), return_index=True, return_inverse=True
        )
        ids = stimuli.stimulus_ids
        digest = hashlib.sha256(f"{stimuli.visual_degrees}|{'|'.join(contents)}".encode())
        return cls(contents.tolist(), [ids[i] for i in first], rows, digest.hexdigest())


@dataclass(frozen=True)
class Asked:
    """An artifact asked for.

    Args:
        artifact: holds the units at `positions`, or whole layers.
        positions: of the units in the layer; None for all.
        inside: of the wanted units in the artifact; None for all.
    """

    artifact: Artifact
    positions: np.ndarray | None
    inside: np.ndarray | None = None


def asked(
    shelf: Store,
    key: Mapping[str, Any],
    positions: np.ndarray | None,
    width: int,
    *,
    rows: int,
    trials: int,
) -> Asked:
    """The artifact of some units of a layer, or that of the whole layer if it is there.

    Args:
        shelf: where it is or will be.
        key: what determines it, but for the units.
        positions: of the units; None for all.
        width: number of units of the whole layer.
        rows: number of contents.
        trials: of each.
    """

    def artifact(units: str, count: int) -> Artifact:
        block = rows_per_block(4 * count * trials)
        return shelf.artifact(
            "activations", {**key, "units": units}, rows=rows, rows_per_block=block
        )

    whole = artifact("all", width)
    if positions is None:
        return Asked(whole, None)
    if whole.facts is not None:
        return Asked(whole, None, inside=positions)
    digest = hashlib.sha256(np.ascontiguousarray(positions, np.int64).data).hexdigest()
    return Asked(artifact(digest, len(positions)), positions)


@dataclass(frozen=True)
class Recorded:
    """Artifacts by layer, with the positions of the wanted units, and rows of presentations."""

    artifacts: Mapping[str, tuple[Artifact, np.ndarray | None]]
    rows: np.ndarray
    _open: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)

    def read(self, layer: str, rows: np.ndarray) -> np.ndarray:
        """Responses of the wanted units at `rows`, float32."""
        artifact, inside = self.artifacts[layer]
        size = artifact.identity.rows_per_block
        blocks = rows // size
        parts: np.ndarray | None = None
        for block in np.unique(blocks):
            mapped = self._open.get((layer, int(block)))
            if mapped is None:
                mapped = self._open[layer, int(block)] = artifact.block(int(block))
            here = np.flatnonzero(blocks == block)
            chosen = mapped[rows[here] - block * size]
            chosen = chosen if inside is None else chosen[..., inside]
            if parts is None:
                parts = np.empty((len(rows), *chosen.shape[1:]), np.float32)
            parts[here] = chosen
        if parts is None:
            raise PluginError("No presentation was asked for.")
        return parts
