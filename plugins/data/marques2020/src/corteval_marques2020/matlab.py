"""The authors' own files: properties of recorded units, computed as the archive's were.

Source: spec ``marques2020`` sections 3 (neural side of textures) and 5 (fields of Ringach's file).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from corteval.errors import AssemblyError
from corteval_marques2020 import texture_tuning

#: Spikes per second above the spontaneous rate from which a unit of Ringach's counts.
_RESPONSE_THRESHOLD = 5.0
#: Half bandwidth in degrees beyond which a unit counts as untuned.
_WIDEST = 90.0
_RINGACH_FIELDS = ("spont", "maxdc", "maxfirst", "orivar", "bw", "po")

#: Of `freemanziemba2013`: cells, ms, repetitions, samples, types (noise, texture), families.
_SHAPE = (300, 20, 15, 2, 15)
_BIN_MS = 10
#: Bins in which the response may peak, and how far before the peak it may begin.
_PEAK_BINS = slice(7, 22)
_EARLIEST_BIN = 2
_RISE_BINS = 10
#: Share of the range up to which the response has not begun.
_ONSET = 0.15
_WINDOW_BINS = 11


def ringach2002(path: Path) -> dict[str, np.ndarray]:
    """Properties of the units that respond by more than 5 spikes per second.

    Args:
        path: MATLAB file with the fields spont, maxdc, maxfirst, orivar, bw and po, in a structure
            ``db`` or by themselves.

    Raises:
        AssemblyError: if it is no such file.
    """
    from scipy.io import loadmat

    with _readable(path):
        content = loadmat(str(path), simplify_cells=True)
    db = content.get("db", content)
    lacking = [f for f in _RINGACH_FIELDS if f not in db] if isinstance(db, dict) else ["db"]
    if lacking:
        raise AssemblyError(f"{path} has no field {', '.join(lacking)}.")
    with _readable(path):
        fields = {f: np.asarray(db[f], np.float64).ravel() for f in _RINGACH_FIELDS}
    if len({len(values) for values in fields.values()}) != 1:
        raise AssemblyError(f"{path}: fields {', '.join(_RINGACH_FIELDS)} differ in length.")
    kept = fields["maxdc"] > fields["spont"] + _RESPONSE_THRESHOLD
    maximum, harmonic, variance, width, orthogonal = (
        fields[f][kept] for f in ("maxdc", "maxfirst", "orivar", "bw", "po")
    )
    width = np.where(width > _WIDEST, np.nan, width)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_width = variance / width
    return {
        "max_dc": maximum,
        "modulation_ratio": harmonic / maximum,
        "circular_variance": variance,
        "bandwidth": width,
        "orthogonal_preferred_ratio": orthogonal,
        "orientation_selective": np.isfinite(width).astype(np.float64),
        "circular_variance_bandwidth_ratio": by_width,
        "orthogonal_preferred_ratio_circular_variance_difference": orthogonal - variance,
    }


def freemanziemba2013(path: Path) -> dict[str, np.ndarray]:
    """Properties of the V1 units, from their spikes; one unit is in memory at a time.

    A unit's response is the mean rate over 11 bins of 10 ms from its latency on, less the lowest
    rate that the mean over all images has in any bin, and not below 0.

    Args:
        path: HDF5 file with ``v1``: spikes by cell, ms, repetition, sample, type, family.

    Raises:
        AssemblyError: if it is no such file.
    """
    import h5py

    with _readable(path), h5py.File(path, "r") as file:
        if "v1" not in file or file["v1"].shape[1:] != _SHAPE:
            found = file["v1"].shape if "v1" in file else "nothing of that name"
            raise AssemblyError(
                f"{path}: 'v1' is (cells, {', '.join(map(str, _SHAPE))}); there is {found}."
            )
        units = [_unit(np.asarray(spikes, np.float64)) for spikes in file["v1"]]
    responses = np.stack([rates for rates, _ in units], axis=-1)  # (type, family, sample, unit)
    noise, texture = responses
    index = texture_tuning.texture_modulation_index(texture, noise)
    return {
        "texture_modulation_index": index,
        "absolute_texture_modulation_index": np.abs(index),
        "texture_selectivity": texture_tuning.sparseness(texture.mean(axis=1)),
        "texture_sparseness": texture_tuning.sparseness(texture),
        "variance_ratio": texture_tuning.variance_ratio(
            np.stack([counts for _, counts in units], axis=-1)
        ),
        "max_texture": texture.max(axis=(0, 1)),
        "max_noise": noise.max(axis=(0, 1)),
    }


def _unit(spikes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates (type, family, sample), and stabilised counts of textures (family, sample)."""
    bins = spikes.reshape(-1, _BIN_MS, *spikes.shape[1:]).sum(axis=1)
    rates = bins.mean(axis=1) * 1000 / _BIN_MS  # (bin, sample, type, family)
    start = latency_bin(rates.mean(axis=1))
    window = slice(start, start + _WINDOW_BINS)
    baseline = rates.mean(axis=(1, 2, 3)).min()
    response = np.maximum(rates[window].mean(axis=0) - baseline, 0)
    counts = texture_tuning.stabilised(bins[window].mean(axis=0) * _RISE_BINS).mean(axis=0)
    return response.transpose(1, 2, 0), counts[:, 1].T


def latency_bin(families: np.ndarray) -> int:
    """First bin of the response, in the trace of the image family that drives the unit most.

    The trace peaks in bins 7 to 21. The response begins after the last bin before the peak in which
    it is not above its minimum there by more than .15 of its range.

    Args:
        families: (bin, type, family) mean rates.
    """
    peaks = families[_PEAK_BINS]
    peak, kind, family = np.unravel_index(np.argmax(peaks), peaks.shape)
    trace, top = families[:, kind, family], int(peak) + _PEAK_BINS.start
    before = max(_EARLIEST_BIN, top - _RISE_BINS)
    lowest = before + int(np.argmin(trace[before:top]))
    threshold = trace[lowest] + _ONSET * (trace.max() - trace[lowest])
    return lowest + int(np.flatnonzero(trace[lowest : top + 1] <= threshold)[-1]) + 1


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever scipy and h5py raise for a file of another kind, as one error."""
    try:
        yield
    except AssemblyError:
        raise
    except Exception as error:  # they have no common base
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise AssemblyError(
            f"{path} is no readable MATLAB file of the authors: {reason}"
        ) from error
