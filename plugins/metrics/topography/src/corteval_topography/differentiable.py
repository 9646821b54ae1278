"""The spatial loss of TopoLM in torch, to train a topographic network with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from corteval_topography.losses import Kind, Neighbourhoods

if TYPE_CHECKING:
    from torch import Tensor

#: Weight of the spatial loss beside the task's, in TopoLM.
ALPHA = 2.5


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SpatialLoss:
    """Mean spatial loss over neighbourhoods drawn anew for every batch, differentiable.

        loss = cross_entropy + ALPHA * sum(spatial(h, seed=step) for h in layers)

    See `corteval_topography.spatial_loss`. It has no parameters, and computes where activations
    are.

    Args:
        x, y: (unit) places.
        groups: neighbourhoods, see `corteval_topography.neighbourhoods`.
        number: of them in a batch.
        kind: of the loss.
    """

    x: np.ndarray
    y: np.ndarray
    groups: Neighbourhoods
    number: int = 5
    kind: Kind = "relative"

    def __call__(self, activations: Tensor, seed: int) -> Tensor:
        """Loss, a scalar.

        Args:
            activations: (..., unit); all dimensions but the last are samples, as (batch, token).
            seed: of the neighbourhoods, such as the number of the step.
        """
        import torch

        responses = activations.flatten(0, -2)
        places = torch.as_tensor(np.column_stack([self.x, self.y]), device=responses.device)
        values = []
        for members in self.groups.sampled(self.number, seed):
            index = torch.as_tensor(members, device=responses.device)
            values.append(spatial_loss(responses[:, index], places[index], self.kind))
        return torch.stack(values).mean()


def spatial_loss(responses: Tensor, places: Tensor, kind: Kind = "relative") -> Tensor:
    """As `corteval_topography.spatial_loss`, differentiable.

    Args:
        responses: (stimulus, unit).
        places: (unit, 2).
        kind: of the loss.
    """
    import torch

    centred = responses - responses.mean(dim=0)
    squares = centred.square().sum(dim=0)
    # a root has no gradient at 0
    lengths = torch.where(squares > 0, squares, torch.ones_like(squares)).sqrt()
    standard = centred / lengths
    rows, columns = torch.tril_indices(len(places), len(places), -1, device=places.device)
    r = (standard.T @ standard).clamp(-1, 1)[rows, columns]
    d = 1 / (1 + (places[rows] - places[columns]).norm(dim=1).to(r.dtype))
    if kind == "absolute":
        return (r - d).abs().mean()
    a, b = r - r.mean(), d - d.mean()
    product = a.square().sum() * b.square().sum()
    scale = torch.where(product > 0, product, torch.ones_like(product)).sqrt()
    return (1 - (a * b).sum() / scale) / 2
