"""Responses in an NWB file: spikes counted, or a time series averaged, in windows after onsets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from corteval.assembly import NEURAL_DIMS
from corteval.errors import DatasetError
from corteval.local.description import Description
from corteval.local.formats.repeats import ids_of

_NOT_COLUMNS = {
    *NEURAL_DIMS,
    "neuroid_id",
    "stimulus_id",
    "time_bin_start_ms",
    "time_bin_end_ms",
    "spike_times",
    "obs_intervals",
    "waveform_mean",
    "waveform_sd",
    "waveforms",
    "electrodes",
    "electrode_group",
}
#: Columns of units that name the region, where they have one.
_REGIONS = ("region", "brain_area", "brain_region", "location")
_NUMBERS = "fiu"
#: A series up to this many bytes is read at once, a longer one window by window.
_AT_ONCE = 2**30
#: Seconds by which the time of a row of binned responses may differ from the onset.
_SAME_TIME = 1e-6


@final
@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Responses to single presentations.

    Args:
        values: (row, neuroid, bin), float32; rows are presentations in the order of the table.
        columns: coordinates of neuroids, ``neuroid_id`` and ``region`` among them.
        source: where in the file they lie.
        unit: of the values.
    """

    values: np.ndarray
    columns: dict[str, Any]
    source: str
    unit: str


def responses(content: Any, onsets: np.ndarray, description: Description) -> Recorded:
    """Responses after `onsets` (row; seconds): of the units, or else of a time series.

    Raises:
        DatasetError: says what the file lacks.
    """
    units = content.units
    spiking = units is not None and "spike_times" in units.colnames
    if spiking and description.responses.value is None:
        return _from_spikes(content, onsets, description)
    return _from_series(content, onsets, description)


def spike_counts(spike_times: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Number of spikes s in each window, ``start <= s < end``.

    Args:
        spike_times: ascending, in seconds; as long as there are spikes.
        starts, ends: windows of one shape, in seconds.

    Returns:
        Whole numbers of the shape of the windows.
    """
    return np.searchsorted(spike_times, ends) - np.searchsorted(spike_times, starts)


# Units


def _from_spikes(content: Any, onsets: np.ndarray, description: Description) -> Recorded:
    starts, ends = _windows(onsets, description, "spike times")
    units, name = content.units, description.responses.file
    count = len(units)
    if not count:
        raise DatasetError(f"{name}: the table of units is empty.")
    spikes = _by_row(units, "spike_times")
    observed = _by_row(units, "obs_intervals") if "obs_intervals" in units.colnames else None
    counts = np.empty((len(starts), count, starts.shape[1]), np.float32)
    for unit in range(count):
        times = np.asarray(spikes(unit), dtype=float)
        if np.isnan(times).any():
            raise DatasetError(
                f"{name}: spike_times of unit {units.id.data[unit]} (row {unit + 1}) has NaN. "
                "Remove them from the file."
            )
        counts[:, unit] = spike_counts(np.sort(times), starts, ends)
        if observed is not None:
            whole = _covered(starts, ends, np.asarray(observed(unit), dtype=float))
            counts[:, unit][~whole] = np.nan
    return Recorded(
        values=_without_invalid(counts, content, starts, ends),
        columns=_unit_columns(content, description),
        source="units",
        unit="spikes",
    )


def _by_row(table: Any, name: str) -> Callable[[int], Any]:
    """Reader of a column that has a list a row; only the row asked for is read."""
    column = table[name]
    values, ends = column.target.data, np.asarray(column.data[:], dtype=np.int64)
    starts = np.concatenate([[0], ends[:-1]])
    if (ends < starts).any() or ends[-1] > len(values):
        raise DatasetError(f"{name}_index does not fit {name}: the file is damaged.")
    return lambda row: values[starts[row] : ends[row]]


def _unit_columns(content: Any, description: Description) -> dict[str, Any]:
    units = content.units
    columns: dict[str, Any] = {"neuroid_id": ids_of(units.id.data[:])}
    for name in units.colnames:
        if name not in _NOT_COLUMNS and is_flat(units, name):
            values = np.asarray(units[name].data[:])
            if values.dtype.kind in "fiub":
                columns[name] = values
            elif values.dtype.kind in "OSU":
                columns[name] = ids_of(values)
    region = next((columns[name] for name in _REGIONS if name in columns), None)
    if region is None and "electrodes" in units.colnames:
        region = _regions_of_units(units)
    if region is None:
        region = [description.responses.target] * len(units)
    return {**columns, "region": region}


def is_flat(table: Any, column: str) -> bool:
    """Whether a table has one value a row there, rather than a list or a reference."""
    data = table[column]
    return type(data).__name__ == "VectorData" and np.ndim(data.data) == 1


def _regions_of_units(units: Any) -> list[str]:
    """Where the electrodes of each unit lie; several places are joined by a plus."""
    column = units["electrodes"]
    indexed = type(column).__name__ == "VectorIndex"
    rows = column.target if indexed else column
    locations = _locations(rows.table)
    if not indexed:
        return [locations[int(row)] for row in np.ravel(rows.data[:])]
    of_unit = _by_row(units, "electrodes")
    return [
        " + ".join(dict.fromkeys(locations[int(row)] for row in of_unit(unit)))
        for unit in range(len(units))
    ]


def _locations(electrodes: Any) -> list[str]:
    if "location" not in electrodes.colnames:
        return [""] * len(electrodes)
    return ids_of(electrodes["location"].data[:])


# Time series


def _from_series(content: Any, onsets: np.ndarray, description: Description) -> Recorded:
    path, series = _chosen_series(content, description)
    where = f"{description.responses.file}: {path}"
    times = _timestamps(series)
    if len(times) != len(series.data):
        raise DatasetError(f"{where} has {len(series.data)} samples and {len(times)} times.")
    if len(times) == len(onsets) and (np.abs(times - onsets) <= _SAME_TIME).all():
        values = _binned_before(series, description, where)
    elif series.data.ndim == 3:
        raise DatasetError(
            f"{where} has shape {series.data.shape}; a series with bins has one row for each of "
            f"the {len(onsets)} presentations, with their onsets as timestamps."
        )
    else:
        starts, ends = _windows(onsets, description, "a time series")
        values = _without_invalid(_means(series, times, starts, ends), content, starts, ends)
    columns = _series_columns(series, description)
    return Recorded(values=values, columns=columns, source=path, unit=str(series.unit))


def _chosen_series(content: Any, description: Description) -> tuple[str, Any]:
    """The series that `responses.value` names, or the only one that can be responses."""
    asked, candidates = description.responses.value, dict(_all_series(content))
    found = [p for p in candidates if not asked or asked in (p, p.rpartition("/")[2])]
    if len(found) == 1:
        return found[0], candidates[found[0]]
    if asked:
        problem = f"{len(found)} time series named {asked!r} with a column a neuroid"
    else:
        problem = f"no spike times, and {len(found)} time series with a column a neuroid"
    raise DatasetError(
        f"{description.responses.file} has {problem}; there are: {', '.join(candidates) or 'none'}."
        ' Name the one to read, e.g. responses.value = "ophys/Fluorescence/dff".'
    )


def _all_series(content: Any) -> Iterator[tuple[str, Any]]:
    """Paths and series that have time along the first axis and further axes."""
    import pynwb
    from pynwb.behavior import SpatialSeries
    from pynwb.image import ImageSeries

    shown = {id(s) for s in (*content.stimulus.values(), *content.stimulus_template.values())}
    for item in content.objects.values():
        if not isinstance(item, pynwb.TimeSeries) or isinstance(item, ImageSeries | SpatialSeries):
            continue
        data = item.data
        if id(item) in shown or getattr(data, "ndim", 0) not in (2, 3):
            continue
        if data.dtype.kind in _NUMBERS:
            names, parent = [item.name], item.parent
            while parent is not None and parent is not content:
                names, parent = [parent.name, *names], parent.parent
            yield "/".join(names), item


def _timestamps(series: Any) -> np.ndarray:
    if series.timestamps is not None:
        return np.asarray(series.timestamps[:], dtype=float)
    return float(series.starting_time) + np.arange(len(series.data)) / float(series.rate)


def _binned_before(series: Any, description: Description, where: str) -> np.ndarray:
    """Values of a series with a row a presentation, at its onset."""
    values = _scaled(series, series.data[:])
    values = values[:, :, None] if values.ndim == 2 else values
    bins = len(description.responses.time_bin_ms) or 1
    if values.shape[2] != bins:
        raise DatasetError(
            f"{where} has {values.shape[2]} time bins; responses.time_bin_ms has {bins}."
        )
    return values


def _means(series: Any, times: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Mean of the samples in each window: (row, neuroid, bin), NaN where nothing was recorded."""
    if (np.diff(times) < 0).any():
        raise DatasetError(f"The times of {series.name} do not ascend.")
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    outside = (starts < times[0] - _SAME_TIME) | (ends > times[-1] + step + _SAME_TIME)
    first, last = np.searchsorted(times, starts), np.searchsorted(times, ends)
    data = series.data
    if data.size * data.dtype.itemsize <= _AT_ONCE:
        data = data[:]
    means = np.full((len(starts), data.shape[1], starts.shape[1]), np.nan, np.float32)
    for row, place in zip(*np.nonzero((last > first) & ~outside), strict=True):
        window = np.asarray(data[first[row, place] : last[row, place]], dtype=float)
        means[row, :, place] = _scaled(series, window.mean(axis=0)[None])[0]
    return means


def _scaled(series: Any, values: np.ndarray) -> np.ndarray:
    """Values (row, channel, ...) in the unit of the series."""
    factor = np.full(values.shape[1], series.conversion, dtype=float)
    channels = getattr(series, "channel_conversion", None)
    if channels is not None:
        factor = factor * np.asarray(channels[:], dtype=float)
    factor = factor.reshape(-1, *[1] * (values.ndim - 2))
    return (values * factor + series.offset).astype(np.float32)


def _series_columns(series: Any, description: Description) -> dict[str, Any]:
    count = series.data.shape[1]
    columns: dict[str, Any] = {
        "neuroid_id": [str(number) for number in range(count)],
        "region": [description.responses.target] * count,
    }
    electrodes, rois = getattr(series, "electrodes", None), getattr(series, "rois", None)
    chosen = electrodes if electrodes is not None else rois
    if chosen is None:
        return columns
    ids, rows = ids_of(chosen.table.id.data[:]), [int(row) for row in chosen.data[:]]
    columns["neuroid_id"] = [ids[row] for row in rows]
    if electrodes is not None:
        locations = _locations(chosen.table)
        columns["region"] = [locations[row] for row in rows]
    else:
        columns["region"] = [str(chosen.table.imaging_plane.location)] * len(rows)
    return columns


# Windows


def _windows(
    onsets: np.ndarray, description: Description, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends in seconds: (row, bin)."""
    bins, name = description.responses.time_bin_ms, description.responses.file
    if not bins:
        raise DatasetError(
            f"{name} holds {what}: say which part after the onset is the response, e.g. "
            "responses.time_bin_ms = [[70, 170]]."
        )
    for start, end in bins:
        if not end > start:
            raise DatasetError(f"responses.time_bin_ms: {[start, end]} ends before it starts.")
    seconds = onsets[:, None, None] + np.asarray(bins) / 1000
    return seconds[..., 0], seconds[..., 1]


def _covered(starts: np.ndarray, ends: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Whether each window lies within one of the intervals; those that touch are one."""
    joined: list[list[float]] = []
    for start, end in sorted(intervals.reshape(-1, 2).tolist()):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    if not joined:
        return np.zeros(starts.shape, bool)
    lows, highs = np.array(joined).T
    index = np.searchsorted(lows, starts, side="right") - 1
    return (index >= 0) & (ends <= highs[np.maximum(index, 0)])


def _without_invalid(
    values: np.ndarray, content: Any, starts: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """NaN in every window that touches a time which the file calls invalid."""
    table = content.invalid_times
    if table is None:
        return values
    touched = np.zeros(starts.shape, bool)
    for low, high in zip(table["start_time"].data[:], table["stop_time"].data[:], strict=True):
        touched |= (starts < high) & (ends > low)
    return np.where(touched[:, None], np.float32(np.nan), values)
