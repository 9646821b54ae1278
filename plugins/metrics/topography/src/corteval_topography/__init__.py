"""Topography of units in tissue: Moran's I, spatial losses, correlation by distance."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_topography.differentiable import SpatialLoss
    from corteval_topography.grids import grid_positions, queen_neighbours
    from corteval_topography.losses import (
        Neighbourhoods,
        neighbourhoods,
        sampled_spatial_loss,
        spatial_loss,
    )
    from corteval_topography.moran import MoranTest, moran_test, morans_i

__version__ = "0.1.0"

__all__ = [
    "morans_i",
    "moran_test",
    "MoranTest",
    "queen_neighbours",
    "grid_positions",
    "spatial_loss",
    "sampled_spatial_loss",
    "neighbourhoods",
    "Neighbourhoods",
    "SpatialLoss",
]

#: Imported on use: `corteval list` loads this package and needs none of it, least of all torch.
_MODULES = {
    "morans_i": "moran",
    "moran_test": "moran",
    "MoranTest": "moran",
    "queen_neighbours": "grids",
    "grid_positions": "grids",
    "spatial_loss": "losses",
    "sampled_spatial_loss": "losses",
    "neighbourhoods": "losses",
    "Neighbourhoods": "losses",
    "SpatialLoss": "differentiable",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
