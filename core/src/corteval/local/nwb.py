"""Spike times, or time series, of a Neurodata Without Borders file as a neural assembly.

Read are: the table of presentations (``trials``, ``epochs`` or any other table of intervals) with
``start_time`` and a column that names the stimulus; and the table ``units`` with spike times or, if
there is none, one time series (dF/F, ΔF, field potentials, rates) with a column a neuroid.
``responses.variable`` names the column (``"stimulus_id"``, ``"trials/stimulus_id"``), and
``responses.value`` the series (``"ophys/Fluorescence/dff"``), where there are several.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.errors import CortevalError, DatasetError, OptionError
from corteval.local.description import Description, within
from corteval.local.repeats import NO_STIMULUS, by_stimulus, check_all_shown, check_shown, ids_of
from corteval.requests import TimeBin
from corteval.stimuli import StimulusSet

if TYPE_CHECKING:
    import h5py

log = logging.getLogger(__name__)

#: Names under which laboratories keep the stimulus, the most telling first.
_STIMULUS_COLUMNS = (
    "stimulus_id",
    "stim_id",
    "stimulus_name",
    "stimulus",
    "image_id",
    "image_name",
    "image",
    "sentence_id",
    "video_id",
    "condition",
)
_NOT_STIMULUS = {"start_time", "stop_time", "tags", "timeseries", "id"}
_NOT_NEUROID = {"spike_times", "obs_intervals", "electrodes", "electrode_group", "waveforms"}
_REGION_COLUMNS = ("region", "brain_area", "brain_region", "location")
#: As for archives: a small file that declares so much is a mistake or an attack.
_LARGEST_RATIO, _SMALL = 1000, 64 * 2**20
#: A series up to this many bytes is read at once, a longer one window by window.
_AT_ONCE = 2**30
#: Seconds by which the time of a row of binned responses may differ from the onset.
_SAME_TIME = 1e-6


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
    with _opened(path) as content:
        shown = _presentations(content, description, stimuli)
        units = content.units
        spiking = units is not None and "spike_times" in units.colnames
        if spiking and description.responses.value is None:
            return _from_spikes(content, shown, description, stimuli)
        return _from_series(content, shown, description, stimuli)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The NWB file; whatever the libraries raise for a damaged one becomes a DatasetError."""
    try:
        import h5py
        import pynwb
    except ImportError as error:
        raise OptionError(
            f"{path.name} is an NWB file, and pynwb is not installed ({error}). "
            'Install it: pip install "corteval[nwb]"'
        ) from error
    try:
        with h5py.File(path, "r") as file:
            _check_self_contained(file, path)
            with pynwb.NWBHDF5IO(file=file, mode="r", load_namespaces=True) as reader:
                yield reader.read()
    except CortevalError:
        raise
    except Exception as error:  # h5py, hdmf and pynwb have no common base
        raise DatasetError(
            f"{path} cannot be read as an NWB file ({type(error).__name__}: {error}). "
            "Validate it with `pynwb-validate`, or write it anew."
        ) from error


def _check_self_contained(file: h5py.File, path: Path) -> None:
    """Refuse what reaches for other files, or declares far more than the file can hold."""
    import h5py

    most = max(_LARGEST_RATIO * path.stat().st_size, _SMALL)
    waiting, seen = [file["/"]], set()
    while waiting:
        group = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:  # hard links may form rings
            continue
        seen.add(address)
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            kind = group.get(name, getlink=True)
            if isinstance(kind, h5py.ExternalLink):
                raise _refused(path, where, f"is a link to another file ({kind.filename!r})")
            if isinstance(kind, h5py.SoftLink):  # its target is visited under its own name
                continue
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset):
                if item.external:
                    raise _refused(path, where, "keeps its values in another file")
                if item.is_virtual and any(s.file_name != "." for s in item.virtual_sources()):
                    raise _refused(path, where, "is composed of other files")
                if item.size is not None and item.size * item.dtype.itemsize > most:
                    raise _refused(
                        path, where, f"declares shape {item.shape}, far more than the file holds"
                    )


def _refused(path: Path, where: str, problem: str) -> DatasetError:
    return DatasetError(
        f"{path} is refused: {where} {problem}. Copy what belongs to the data set into one file."
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
    table, column = _stimulus_column(tables, description, stimuli)
    onsets = np.asarray(tables[table]["start_time"].data[:], dtype=float)
    shown = ids_of(tables[table][column].data[:])
    kept = np.array([text not in NO_STIMULUS or text in stimuli.table.index for text in shown])
    where = f"{name}: {table}/{column}"
    if not kept.any():
        raise DatasetError(f"{where} names no stimulus in any of its {len(shown)} rows.")
    if not np.isfinite(onsets[kept]).all():
        row = int(np.flatnonzero(kept & ~np.isfinite(onsets))[0])
        raise DatasetError(f"{name}: {table}/start_time is {onsets[row]} in row {row + 1}.")
    check_shown(
        [s if k else stimuli.stimulus_ids[0] for s, k in zip(shown, kept, strict=True)],
        stimuli,
        where,
        1,
    )
    ids = [text for text, keep in zip(shown, kept, strict=True) if keep]
    check_all_shown(ids, stimuli, where)
    left_out = len(shown) - len(ids)
    if left_out:
        log.info("%s: %d rows name no stimulus and are left out.", where, left_out)
    return _Shown(
        source=f"{table}/{column}", onsets=onsets[kept], stimulus_ids=ids, left_out=left_out
    )


def _interval_tables(content: Any) -> dict[str, Any]:
    tables = {"trials": content.trials, "epochs": content.epochs, **(content.intervals or {})}
    return {
        name: table
        for name, table in tables.items()
        if table is not None and name != "invalid_times" and len(table)
    }


def _stimulus_column(
    tables: Mapping[str, Any], description: Description, stimuli: StimulusSet
) -> tuple[str, str]:
    """Table and column that name the stimulus: those asked for, or the one that fits the set."""
    name, asked = description.responses.file, description.responses.variable
    columns = [
        (table, column)
        for table, rows in tables.items()
        for column in rows.colnames
        if column not in _NOT_STIMULUS and _is_flat(rows, column)
    ]
    if asked:
        found = [pair for pair in columns if asked in ("/".join(pair), pair[1])]
    else:
        known = set(stimuli.stimulus_ids)
        fitting = {
            pair: rank
            for rank, pair in enumerate(columns)
            if (named := set(ids_of(tables[pair[0]][pair[1]].data[:])) - (NO_STIMULUS - known))
            and named <= known
        }
        ranks = {c: r for r, c in enumerate(_STIMULUS_COLUMNS)}
        best = min((ranks.get(pair[1], len(ranks)) for pair in fitting), default=None)
        found = [pair for pair in fitting if ranks.get(pair[1], len(ranks)) == best]
        if len(found) == 1:
            log.info("%s: stimuli are named by %s.", name, "/".join(found[0]))
    if len(found) == 1:
        return found[0]
    examples = "; ".join(f"{t}/{c} has {_example(tables[t][c])!r}" for t, c in columns[:8])
    what = f"{asked!r} names {len(found)}" if asked else f"{len(found) or 'none'} fit"
    raise DatasetError(
        f"{name}: which column names the stimulus is not clear: of {len(columns)} columns "
        f"({examples or 'none'}), {what}; the stimulus table has {stimuli.stimulus_ids[0]!r}. "
        'Give it as responses.variable = "table/column", with the ids of the stimulus table.'
    )


def _is_flat(table: Any, column: str) -> bool:
    """Whether there is one value a row, rather than a list or a reference."""
    data = table[column]
    return type(data).__name__ == "VectorData" and np.ndim(data.data) == 1


def _example(column: Any) -> str:
    return ids_of(column.data[:1])[0] if len(column.data) else ""


# Spikes


def _from_spikes(
    content: Any, shown: _Shown, description: Description, stimuli: StimulusSet
) -> xr.DataArray:
    starts, ends = _windows(shown.onsets, description, "spike times")
    units = content.units
    invalid = _invalid_windows(content, starts, ends)
    counts = np.empty((len(starts), len(units), starts.shape[1]), np.float32)
    times, observed = _ragged(units, "spike_times"), _ragged(units, "obs_intervals")
    for unit in range(len(units)):
        spikes = np.asarray(times[unit], dtype=float)
        if (np.diff(spikes) < 0).any():
            spikes = np.sort(spikes)
        counts[:, unit] = np.searchsorted(spikes, ends) - np.searchsorted(spikes, starts)
        if observed:
            counts[:, unit][~_within_one(starts, ends, np.asarray(observed[unit]))] = np.nan
    counts[np.broadcast_to(invalid[:, None], counts.shape)] = np.nan
    return _assembled(
        counts, shown, description, stimuli, _unit_columns(content, description), "units", "spikes"
    )


def spike_counts(spike_times: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Number of spikes in each half-open window ``[start, end)``.

    Args:
        spike_times: ascending, seconds.
        starts, ends: windows of any shape, seconds.
    """
    return np.searchsorted(spike_times, ends) - np.searchsorted(spike_times, starts)
