"""Data sources: a stimulus set and the assembly recorded with it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import xarray as xr

from corteval.stimuli import StimulusSet


@runtime_checkable
class DataSource(Protocol):
    """A data set. Nothing is downloaded before one of its methods is called."""

    def stimuli(self) -> StimulusSet:
        """What was shown."""

    def assembly(self) -> xr.DataArray:
        """What was recorded, trial by trial where the publisher gives trials."""
