"""Which distribution provides which identifier, so that an unknown one answers with `pip install`.

A test compares this table with the packages of the repository.
"""

from __future__ import annotations

INSTALL: dict[str, dict[str, str]] = {
    "models": {
        "pixels": "corteval-controls",
        "gabor-filterbank": "corteval-controls",
        "gabor-45-degrees": "corteval-controls",
        "gabor-2.4-cpd": "corteval-controls",
        "random-projection": "corteval-controls",
    },
    "benchmarks": {
        "Cowley2023.V4-pls": "corteval-cowley2023-v4",
        "Cowley2023.V4-ridge": "corteval-cowley2023-v4",
        "Marques2020.V1-preferred_orientation": "corteval-marques2020-v1",
        "Marques2020.V1-peak_spatial_frequency": "corteval-marques2020-v1",
    },
    "metrics": {
        "pls": "corteval-regression",
        "ridge": "corteval-regression",
        "internal_consistency": "corteval-ceilings",
        "ks_similarity": "corteval-distribution",
    },
    "data": {
        "Cowley2023": "corteval-cowley2023",
        "Marques2020.grating_summation_field": "corteval-marques2020",
        "Marques2020.peak_spatial_frequency": "corteval-marques2020",
        "Marques2020.preferred_orientation": "corteval-marques2020",
        "Marques2020.spatial_frequency_bandwidth": "corteval-marques2020",
        "Marques2020.spatial_frequency_selective": "corteval-marques2020",
        "Marques2020.strongly_suppressed": "corteval-marques2020",
        "Marques2020.surround_diameter": "corteval-marques2020",
        "Marques2020.surround_grating_summation_field_ratio": "corteval-marques2020",
        "Marques2020.surround_suppression_index": "corteval-marques2020",
    },
}
