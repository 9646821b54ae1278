"""Reductions at work: how a layer's output becomes features while a network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from corteval.stimuli import StimulusSet
from corteval.store import Store
from corteval_pytorch.artifacts import Recorded
from corteval_pytorch.reduction import PrincipalComponents, Reduction, SparseProjection

#: Presentations read at once when a basis is fitted.
_READ = 256


def features_of(reduction: Reduction | None, units: int) -> int | None:
    """Number of features a layer of `units` is reduced to; None if it is kept as it is."""
    if reduction is None:
        return None
    wanted = reduction.features if isinstance(reduction, SparseProjection) else reduction.components
    return wanted if units > wanted else None


def reducer(
    reduction: Reduction,
    shelf: Store,
    key: Mapping[str, Any],
    count: int,
    positions: np.ndarray | None,
    *,
    device: torch.device,
    record: Callable[[StimulusSet], Recorded],
) -> Callable[[Tensor], Tensor]:
    """A function from a layer's output (row, ...) to features (row, feature).

    Args:
        reduction: what is done.
        shelf: holds the basis of principal components.
        key: what determines the layer's responses.
        count: units of the layer.
        positions: of the features wanted; None for all.
        device: where outputs lie.
        record: records the layer whole for the stimuli that principal components are fitted on.
    """
    if isinstance(reduction, SparseProjection):
        matrix = reduction.matrix(count).to(device)

        def reduce(output: Tensor) -> Tensor:
            flat = output.flatten(1).float()
            return (matrix @ flat.T).T

    else:
        basis = _basis(reduction, shelf, key, record)
        mean, axes = (torch.from_numpy(a).to(device) for a in basis)

        def reduce(output: Tensor) -> Tensor:
            return (output.flatten(1).float() - mean) @ axes

    if positions is None:
        return reduce
    chosen = torch.from_numpy(positions).to(device)
    return lambda output: reduce(output)[:, chosen]


def _basis(
    reduction: PrincipalComponents,
    shelf: Store,
    key: Mapping[str, Any],
    record: Callable[[StimulusSet], Recorded],
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and principal axes of a layer over the fitting stimuli, from the store or fitted."""
    rows = reduction.components + 1
    basis = shelf.artifact(
        "bases", {**key, "fit": reduction.identity()}, rows=rows, rows_per_block=rows
    )
    if not basis.complete:
        with shelf.claim([basis]):
            if not basis.complete:
                recorded = record(reduction.fit.shown())
                parts = np.array_split(recorded.rows, max(1, len(recorded.rows) // _READ))
                mean, axes = reduction.fitted(
                    [partial(recorded.read, str(key["layer"]), part) for part in parts]
                )
                basis.write(0, np.ascontiguousarray(np.concatenate([mean[None], axes.T])))
                basis.publish(layer=key["layer"])
    block = np.array(basis.block(0))
    return block[0], np.ascontiguousarray(block[1:].T)
