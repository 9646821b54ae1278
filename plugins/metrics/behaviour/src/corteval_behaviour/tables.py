"""Measurements of subjects on stimuli as one table: reading times, effects, thresholds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError
from corteval_behaviour.trials import ALL, column
from corteval_behaviour.weighted import ratio


class Table(NamedTuple):
    """What subjects measured.

    Args:
        values: (subject, stimulus); NaN where a subject has no measurement.
        subjects, stimulus_ids: sorted names.
        first: (stimulus) position of the first presentation of each stimulus, where the
            coordinates of stimuli are read.
    """

    values: np.ndarray
    subjects: np.ndarray
    stimulus_ids: np.ndarray
    first: np.ndarray


def table(assembly: xr.DataArray) -> Table:
    """Measurements of `assembly`, in one of two forms.

    - dim ``presentation``: a row for each subject and stimulus, with coordinates ``stimulus_id``
      and ``subject`` (one subject if absent);
    - dims ``presentation, subject``: a row a stimulus; NaN where a subject has no measurement.

    Raises:
        AssemblyError: if it has another form, a measurement is not finite, a subject has two
            measurements of a stimulus, or a stimulus has none.
    """
    if set(assembly.dims) not in ({"presentation"}, {"presentation", "subject"}):
        raise AssemblyError(
            "Measurements have the dim presentation, and perhaps subject; found "
            f"{', '.join(map(str, assembly.dims))}."
        )
    if assembly.dtype.kind not in "fiub":
        raise AssemblyError(f"Measurements are numbers, not {assembly.dtype}.")
    ids, first, row = np.unique(
        column(assembly, "stimulus_id"), return_index=True, return_inverse=True
    )
    if "subject" in assembly.dims:
        values = np.asarray(assembly.transpose("subject", "presentation").values, np.float64)
        if len(ids) < values.shape[1]:
            raise AssemblyError("With a dim subject there is one row a stimulus; some repeat.")
        names = [str(n) for n in range(len(values))]
        if "subject" in assembly.coords:
            names = list(assembly["subject"].values.astype(str))
        order = np.argsort(names, kind="stable")
        values, subjects = values[order][:, first], np.asarray(names)[order]
        infinite = np.isinf(values)
    else:
        subjects, subject = np.unique(column(assembly, "subject", ALL), return_inverse=True)
        if len(np.unique(subject * len(ids) + row)) < len(row):
            raise AssemblyError(
                "A subject has more than one measurement of a stimulus; average them first."
            )
        values = np.full((len(subjects), len(ids)), np.nan)
        values[subject, row] = np.asarray(assembly.values, np.float64)
        infinite = ~np.isfinite(np.asarray(assembly.values, np.float64))
    if infinite.any():
        raise AssemblyError(
            f"{int(infinite.sum())} of {infinite.size} measurements are not finite."
        )
    lacking = np.isnan(values).all(axis=0)
    if lacking.any():
        raise AssemblyError(
            f"{int(lacking.sum())} of {len(ids)} stimuli have no measurement, such as "
            f"{ids[lacking][0]}."
        )
    return Table(values, subjects, ids, first)


def mean_over_subjects(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean of what subjects measured.

    Args:
        values: (subject, stimulus); NaN is left out.
        weights: (resample, subject).

    Returns:
        (resample, stimulus); NaN where no weight is left.
    """
    return ratio(*sum_over_subjects(values, weights))


def sum_over_subjects(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sum of what subjects measured, and sum of the weights of those who did.

    Args:
        values, weights: of `mean_over_subjects`.

    Returns:
        (2, resample, stimulus).
    """
    present = ~np.isnan(values)
    return np.stack(
        [weights @ np.where(present, values, 0.0), weights @ present.astype(np.float64)]
    )
