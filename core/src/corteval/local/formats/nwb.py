"""Spike times, or time series, of a Neurodata Without Borders file as a neural assembly.

Read are: the table of presentations (``trials``, ``epochs`` or any other table of intervals) with
``start_time`` and a column that names the stimulus; and the table ``units`` with spike times or, if
there is none, one time series (dF/F, field potentials, rates) with a column a neuroid.
``responses.variable`` names the column (``"stimulus_id"``, ``"trials/stimulus_id"``), and
``responses.value`` the series (``"ophys/Fluorescence/dff"``), where there are several.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.errors import CortevalError, DatasetError, OptionError
from corteval.local.description import Description, within
from corteval.local.formats import hdf5
from corteval.local.formats.arrays import MAX_RATIO
from corteval.local.formats.nwb_responses import Recorded, is_flat, responses
from corteval.local.formats.repeats import (
    by_stimulus,
    check_all_shown,
    ids_of,
    named_rows,
    stimulus_column,
)
from corteval.requests import TimeBin
from corteval.stimuli import StimulusSet

_NOT_STIMULUS = {"start_time", "stop_time", "tags", "timeseries", "id"}
#: Bytes up to which an array may be filled with one value.
_SMALL = 64 * 2**20


@final
@dataclass(frozen=True, kw_only=True)
class _Shown:
    """Presentations: `source` is ``table/column``; onsets in seconds, one stimulus id each."""

    source: str
    onsets: np.ndarray
    stimulus_ids: list[str]
    left_out: int


def read(description: Description, stimuli: StimulusSet) -> xr.DataArray:
    """Responses in windows relative to the onset of each presentation.

    The count of spikes of neuroid n in bin b of a presentation with onset t is the number of
    spike times s with ``t + start_b <= s < t + end_b``. A time series gives the mean of its samples
    with such times; a series with one row a presentation is taken as it is. A bin is NaN where
    the file says that the unit was not observed throughout (``obs_intervals``), that the time is
    invalid (``invalid_times``), or where the series has no sample. Presentations of one stimulus
    are its trials, in the order of the table; ragged repeats end in NaN.

    Args:
        description: its `responses` name the file, the bins and, if need be, column and series.
        stimuli: fixes the order of presentations. All must have been shown.

    Returns:
        presentation x neuroid [x time_bin] x trial, float32. ``attrs["stimulus_column"]`` and
        ``attrs["responses_from"]`` say what was read.

    Raises:
        OptionError: if pynwb is not installed.
        DatasetError: says what the file lacks.
    """
    path = within(description.folder, description.responses.file, "responses.file")
    with _opened(path, description.responses.file) as content:
        shown = _presentations(content, description, stimuli)
        recorded = responses(content, shown.onsets, description)
        subject = getattr(content.subject, "subject_id", None)
    return _assembled(recorded, shown, description, stimuli, subject)


@contextlib.contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    """The NWB file; whatever the libraries raise for a damaged one becomes a DatasetError."""
    try:
        import pynwb
    except ImportError as error:
        raise OptionError(
            f"{name} is an NWB file, and pynwb is not installed ({error}). "
            'Install it: pip install "corteval[nwb]"'
        ) from error
    with hdf5.opened(path, name) as file:
        file.visititems(partial(_check_size, name))
        try:
            with pynwb.NWBHDF5IO(file=file, mode="r", load_namespaces=True) as reader:
                yield reader.read()
        except CortevalError:
            raise
        except Exception as error:  # h5py, hdmf and pynwb have no common base
            raise DatasetError(
                f"{name} cannot be read as an NWB file ({type(error).__name__}: {error}). "
                "Check it with `pynwb-validate`, or write it anew."
            ) from error


def _check_size(name: str, where: str, item: Any) -> None:
    """Refuse an array that declares far more than was written."""
    shape = getattr(item, "shape", None)
    if shape is None:
        return
    declared = int(np.prod(shape, dtype=object)) * item.dtype.itemsize
    stored = item.id.get_storage_size()
    if declared > max(MAX_RATIO * stored, _SMALL):
        raise DatasetError(
            f"{name} is refused: {where} declares shape {shape} and holds {stored} bytes, as a "
            "bomb would. Write the file anew."
        )


# Presentations


def _presentations(content: Any, description: Description, stimuli: StimulusSet) -> _Shown:
    name = description.responses.file
    tables = _interval_tables(content)
    if not tables:
        raise DatasetError(
            f"{name} has no table of presentations. Expected: `trials`, or another table of "
            "intervals with start_time and a column that names the stimulus."
        )
    columns = {
        f"{table}/{column}": (rows, column)
        for table, rows in tables.items()
        for column in rows.colnames
        if column not in _NOT_STIMULUS and is_flat(rows, column)
    }
    texts = {key: ids_of(rows[column].data[:]) for key, (rows, column) in columns.items()}
    key = stimulus_column(texts, description.responses.variable, stimuli, name)
    onsets = np.asarray(columns[key][0]["start_time"].data[:], dtype=float)
    kept = named_rows(texts[key], stimuli, f"{name}: {key}", 1)
    timeless = np.flatnonzero(kept & ~np.isfinite(onsets))
    if len(timeless):
        raise DatasetError(
            f"{name}: start_time is {onsets[timeless[0]]} in row {timeless[0] + 1} of "
            f"{key.partition('/')[0]}. Correct it, or leave the row out."
        )
    ids = [text for text, keep in zip(texts[key], kept, strict=True) if keep]
    check_all_shown(ids, stimuli, f"{name}: {key}")
    return _Shown(source=key, onsets=onsets[kept], stimulus_ids=ids, left_out=int((~kept).sum()))


def _interval_tables(content: Any) -> dict[str, Any]:
    tables = {"trials": content.trials, "epochs": content.epochs, **(content.intervals or {})}
    return {
        name: table
        for name, table in tables.items()
        if table is not None and name != "invalid_times" and len(table)
    }


def _assembled(
    recorded: Recorded,
    shown: _Shown,
    description: Description,
    stimuli: StimulusSet,
    subject: str | None,
) -> xr.DataArray:
    ids = recorded.columns["neuroid_id"]
    repeated = sorted(name for name, count in Counter(ids).items() if count > 1)
    if repeated or len(ids) != recorded.values.shape[1]:
        raise DatasetError(
            f"{description.responses.file}: {recorded.source} has {recorded.values.shape[1]} "
            f"columns and {len(set(ids))} different ids of neuroids"
            f"{f', {repeated[0]!r} being one of several' if repeated else ''}. Number them."
        )
    columns = dict(recorded.columns)
    if subject:
        columns.setdefault("subject", [str(subject)] * len(ids))
    laid_out = by_stimulus(recorded.values, shown.stimulus_ids, stimuli)
    bins = [TimeBin(start_ms=a, end_ms=b) for a, b in description.responses.time_bin_ms]
    return neural(
        laid_out if bins else laid_out[:, :, 0],
        stimuli.stimulus_ids,
        columns,
        time_bins=bins,
        attrs={
            "unit": description.responses.unit or recorded.unit,
            "stimulus_column": shown.source,
            "responses_from": recorded.source,
            "presentations_left_out": shown.left_out,
        },
    )
