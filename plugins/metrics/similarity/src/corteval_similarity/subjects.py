"""Neuroids of several subjects: pooled into one RDM, or an RDM for each."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from corteval.assembly import is_rdm
from corteval.errors import AssemblyError, UndefinedScore
from corteval.stats.resampling import subjects_of

#: How neuroids of several subjects make RDMs.
Subjects = Literal["pooled", "separate"]


def of_each_subject(assembly: xr.DataArray) -> dict[str, xr.DataArray]:
    """Patterns of each subject, by name in sorted order.

    Raises:
        AssemblyError: if it is not said whose the neuroids are.
        UndefinedScore: if there is one subject only.
    """
    of_neuroid = subjects_of(assembly)
    if of_neuroid is None:
        raise AssemblyError(
            "Neuroids have no coordinate 'subject' that says whose they are. Use subjects='pooled'."
        )
    names = np.unique(of_neuroid).tolist()
    if len(names) < 2:
        raise UndefinedScore(
            f"All neuroids are of subject {names[0]}; RDMs of separate subjects need two. "
            "Use subjects='pooled'."
        )
    return {name: assembly.isel(neuroid=np.flatnonzero(of_neuroid == name)) for name in names}


def pooling_notes(assembly: xr.DataArray) -> tuple[str, ...]:
    """What a reader must know if the neuroids of `assembly` make one RDM."""
    of_neuroid = None if is_rdm(assembly) else subjects_of(assembly)
    count = 0 if of_neuroid is None else len(np.unique(of_neuroid))
    if count < 2:
        return ()
    return (
        f"neuroids of {count} subjects are pooled into one RDM; rsa_upper and rsa_lower bound "
        "RDMs of single subjects: use subjects='separate' with them",
    )
