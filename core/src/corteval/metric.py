"""Metrics: compare two assemblies, or estimate how reliable one is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import xarray as xr

from corteval.score import Estimate, Score


@runtime_checkable
class Metric(Protocol):
    """Compares a model's assembly with the data's."""

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Score of `source` against `target`, unnormalised: ``raw`` and ``samples`` are set.

        Raises:
            UndefinedScore: if the comparison has no value, with the reason.
        """


@runtime_checkable
class Ceiling(Protocol):
    """Estimates from repeated measurements how well any model could do."""

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Ceiling of a single-trial `assembly`; its ``quantity`` decides the normalisation.

        Raises:
            UndefinedScore: if the data do not allow an estimate, with the reason.
        """
