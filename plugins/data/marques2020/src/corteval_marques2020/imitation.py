"""Recorded units and textures as the archive stores them, drawn from a seed, for tests.

    with imitated(folder) as archive:  # of corteval_brainscore.imitation
        add_ringach2002(archive)
        registry.data.create("Marques2020.circular_variance").assembly()

Names, order and bins of properties are those of the published files; the values are made up.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from corteval_brainscore.imitation import Imitation, picture, png

RINGACH_BINS: Mapping[str, np.ndarray] = {
    "baseline": np.logspace(-4 / 3, 2, 11),
    "max_dc": np.logspace(0, 3, 10),
    "min_dc": np.logspace(-4 / 3, 2, 11),
    "max_ac": np.logspace(0, 3, 10),
    "modulation_ratio": np.linspace(0, 2, 11),
    "circular_variance": np.linspace(0, 1, 14),
    "bandwidth": np.linspace(0, 90, 18),
    "orthogonal_preferred_ratio": np.linspace(0, 1, 14),
    "orientation_selective": np.linspace(0, 1, 3),
    "circular_variance_bandwidth_ratio": np.logspace(-3, 0, 16),
    "orthogonal_preferred_ratio_circular_variance_difference": np.linspace(-1, 1, 20),
    "orthogonal_preferred_ratio_bandwidth_ratio": np.logspace(-3, 0, 16),
}
TEXTURE_BINS: Mapping[str, np.ndarray] = {
    "texture_modulation_index": np.linspace(-1, 1, 25),
    "absolute_texture_modulation_index": np.linspace(0, 1, 13),
    "texture_selectivity": np.linspace(0, 1, 11),
    "noise_selectivity": np.linspace(0, 1, 11),
    "texture_sparseness": np.linspace(0, 1, 11),
    "noise_sparseness": np.linspace(0, 1, 11),
    "variance_ratio": np.logspace(-2, 1, 13),
    "sample_variance": np.linspace(0, 1, 11),
    "family_variance": np.linspace(0, 1, 11),
    "max_texture": np.logspace(-1, 3, 13),
    "max_noise": np.logspace(-1, 3, 13),
}
_HALF_POWER = 0.707
_PHOTOGRAPHS = (60, 56, 13, 48, 71, 18, 327, 336, 402, 38, 23, 52, 99, 393, 30)


def ringach_units(units: int = 304, seed: int = 0) -> dict[str, np.ndarray]:
    """Properties by name; orientation curves are von Mises functions on a floor.

    Their half width at .707 is ½ arccos(1 + ln((.707 - b)/(1 - b))/k) for sharpness k and floor b.
    """
    rng = np.random.default_rng(seed)
    sharpness = np.clip(rng.lognormal(0.3, 0.8, units), 0.05, 4.0)
    floor = rng.beta(1.2, 4.0, units)
    angle = np.deg2rad(2 * 15.0 * np.arange(12))[:, None]
    curve = floor + (1 - floor) * np.exp(sharpness * (np.cos(angle) - 1))
    with np.errstate(invalid="ignore"):
        cosine = 1 + np.log((_HALF_POWER - floor) / (1 - floor)) / sharpness
        bandwidth = np.rad2deg(np.arccos(cosine)) / 2
    variance = 1 - np.abs((np.exp(1j * angle) * curve).sum(axis=0)) / curve.sum(axis=0)
    ratio = curve[6] / curve[0]
    baseline = rng.exponential(1.2, units)
    maximum = np.maximum(rng.lognormal(np.log(33.8), 0.8, units), baseline + 5.5)
    harmonic = rng.choice([0.35, 1.5], units) * maximum * rng.uniform(0.4, 1.3, units)
    return {
        "baseline": baseline,
        "max_dc": maximum,
        "min_dc": maximum * curve.min(axis=0),
        "max_ac": harmonic,
        "modulation_ratio": harmonic / maximum,
        "circular_variance": variance,
        "bandwidth": bandwidth,
        "orthogonal_preferred_ratio": ratio,
        "orientation_selective": np.where(np.isnan(bandwidth), 0.0, 1.0),
        "circular_variance_bandwidth_ratio": variance / bandwidth,
        "orthogonal_preferred_ratio_circular_variance_difference": ratio - variance,
        "orthogonal_preferred_ratio_bandwidth_ratio": ratio / bandwidth,
    }


def texture_units(units: int = 102, seed: int = 0) -> dict[str, np.ndarray]:
    """Properties by name; independent of each other, but for what one is of another."""
    rng = np.random.default_rng(seed)
    index = np.clip(rng.normal(0.05, 0.18, units), -0.95, 0.95)
    family = rng.beta(1.2, 4.0, units)
    return {
        "texture_modulation_index": index,
        "absolute_texture_modulation_index": np.abs(index),
        "texture_selectivity": rng.beta(1.5, 6.0, units),
        "noise_selectivity": rng.beta(1.2, 8.0, units),
        "texture_sparseness": rng.beta(2.0, 5.0, units),
        "noise_sparseness": rng.beta(2.0, 5.0, units),
        "variance_ratio": (family + 0.02) / (1 - family + 0.02),
        "sample_variance": 1 - family,
        "family_variance": family,
        "max_texture": rng.lognormal(np.log(30.0), 0.9, units),
        "max_noise": rng.lognormal(np.log(26.0), 0.9, units),
    }


def texture_images(pixels: int = 24, seed: int = 0) -> dict[tuple[int, int, int], np.ndarray]:
    """Pictures by type (1 noise, 2 texture), family and sample, each of its own pixels."""
    rng = np.random.default_rng(seed)
    return {
        (kind, family, sample): rng.integers(0, 256, (pixels, pixels), np.uint8)
        for kind in (1, 2)
        for family in range(1, 16)
        for sample in range(1, 16)
    }


def file_name(kind: int, family: int, sample: int) -> str:
    """Name that the authors gave an image."""
    photograph = _PHOTOGRAPHS[family - 1]
    return f"{('noise', 'tex')[kind - 1]}-320x320-im{photograph}-smp{sample}.png"


def add_ringach2002(
    archive: Imitation,
    values: Mapping[str, np.ndarray] | None = None,
    dim: str = "neuroid_property",
) -> None:
    """Add ``Ringach2002``; `dim` is what the archive may call the properties' dimension."""
    rows = [{"stimulus_id": "0", "filename": "grating.png", "degrees": 12}]
    archive.add_stimuli("Marques2020_orientation", rows, {"grating.png": picture(0)})
    _add(
        archive,
        "Ringach2002",
        "Marques2020_orientation",
        RINGACH_BINS,
        values or ringach_units(),
        dim,
    )


def add_freemanziemba2013(
    archive: Imitation,
    values: Mapping[str, np.ndarray] | None = None,
    images: Mapping[tuple[int, int, int], np.ndarray] | None = None,
    degrees: float = 8,
    seed: int = 0,
) -> None:
    """Add ``FreemanZiemba2013_V1_properties`` and its stimuli, rows in shuffled order."""
    images = images or texture_images()
    keys = [list(images)[n] for n in np.random.default_rng(seed).permutation(len(images))]
    rows = [
        {
            "image_id": str(number),
            "degrees": degrees,
            "position_y": 0.5,
            "position_x": 0.5,
            "family": family,
            "sample": sample,
            "type": kind,
            "filename": f"aperture_{file_name(kind, family, sample)}",
        }
        for number, (kind, family, sample) in enumerate(keys)
    ]
    files = {f"aperture_{file_name(*key)}": png(images[key]) for key in keys}
    archive.add_stimuli("FreemanZiemba2013_properties", rows, files, source="marques2020")
    _add(
        archive,
        "FreemanZiemba2013_V1_properties",
        "FreemanZiemba2013_properties",
        TEXTURE_BINS,
        values or texture_units(),
        "neuroid_property",
    )


def _add(
    archive: Imitation,
    member: str,
    stimulus_set: str,
    bins: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    dim: str,
) -> None:
    columns = np.stack([values[name] for name in bins], axis=1)
    attrs = {f"{name}_bins": edges.tolist() for name, edges in bins.items()}
    archive.add_assembly(
        member,
        columns,
        ("neuroid", dim),
        {
            dim: ((dim,), list(bins)),
            "neuroid_id": (("neuroid",), np.arange(len(columns))),
            "region": (("neuroid",), ["V1"] * len(columns)),
        },
        attrs={"number_of_trials": 20, **attrs},
        stimulus_set=stimulus_set,
        merges=False,
        form="PropertyAssembly",
        source="marques2020",
    )
