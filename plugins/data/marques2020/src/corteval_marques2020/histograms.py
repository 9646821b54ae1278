"""Published histograms of macaque V1 single-unit properties, as facts with their sources.

Counts are those of the figures in the cited papers, as packaged by Marques, Schrimpf and DiCarlo
(2021), "Multi-scale hierarchical neural network models that bridge from single neurons in the
primate primary visual cortex to object recognition behavior". Bins are half-open, the last closed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of recorded units by value of a property.

    Args:
        edges: bin edges, one more than counts.
        counts: units in each bin.
        units_measured: units recorded, with those in which the property is undefined.
        unit: of the edges.
        stimuli: name of the grating set that measures it.
        source: key of the citation.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    units_measured: int
    unit: str
    stimuli: str
    source: str


_OCTAVES = tuple(0.0625 * 2.0**k for k in range(9))

HISTOGRAMS: dict[str, Histogram] = {
    "preferred_orientation": Histogram(
        edges=(-22.5, 22.5, 67.5, 112.5, 157.5),
        counts=(110, 83, 100, 92),
        units_measured=385,
        unit="degrees",
        stimuli="orientation",
        source="devalois1982a",
    ),
    "peak_spatial_frequency": Histogram(
        edges=(0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.2, 16.0, 22.4),
        counts=(3, 10, 15, 31, 57, 62, 67, 63, 31, 15, 5, 4),
        units_measured=363,
        unit="cycles/degree",
        stimuli="spatial_frequency",
        source="devalois1982b",
    ),
    "spatial_frequency_selective": Histogram(
        edges=(0.0, 0.5, 1.0),
        counts=(14, 73),
        units_measured=87,
        unit="0 or 1",
        stimuli="spatial_frequency",
        source="schiller1976",
    ),
    "spatial_frequency_bandwidth": Histogram(
        edges=tuple(10.0 * k for k in range(11)),
        counts=(0, 3, 4, 16, 22, 16, 9, 3, 0, 0),
        units_measured=87,
        unit="100 low/high frequency",
        stimuli="spatial_frequency",
        source="schiller1976",
    ),
    "surround_suppression_index": Histogram(
        edges=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0),
        counts=(66, 44, 38, 23, 16, 3, 0, 0, 0, 0),
        units_measured=190,
        unit="fraction",
        stimuli="size",
        source="cavanaugh2002",
    ),
    "strongly_suppressed": Histogram(
        edges=(0.0, 0.5, 1.0),
        counts=(42, 148),
        units_measured=190,
        unit="0 or 1",
        stimuli="size",
        source="cavanaugh2002",
    ),
    "grating_summation_field": Histogram(
        edges=_OCTAVES,
        counts=(0, 9, 30, 55, 42, 10, 2, 0),
        units_measured=190,
        unit="degrees",
        stimuli="size",
        source="cavanaugh2002",
    ),
    "surround_diameter": Histogram(
        edges=_OCTAVES,
        counts=(0, 0, 2, 20, 33, 49, 40, 4),
        units_measured=190,
        unit="degrees",
        stimuli="size",
        source="cavanaugh2002",
    ),
    "surround_grating_summation_field_ratio": Histogram(
        edges=(1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
        counts=(69, 38, 31, 10, 0),
        units_measured=190,
        unit="ratio",
        stimuli="size",
        source="cavanaugh2002",
    ),
}
