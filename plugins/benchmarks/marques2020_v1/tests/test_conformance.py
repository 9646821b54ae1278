import pytest


@pytest.mark.conformance(
    "Marques2020.V1-preferred_orientation",
    "Marques2020.V1-peak_spatial_frequency",
    "Marques2020.V1-spatial_frequency_selective",
    "Marques2020.V1-spatial_frequency_bandwidth",
    "Marques2020.V1-surround_suppression_index",
    "Marques2020.V1-strongly_suppressed",
    "Marques2020.V1-grating_summation_field",
    "Marques2020.V1-surround_diameter",
    "Marques2020.V1-surround_grating_summation_field_ratio",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.usefixtures("recorded")
@pytest.mark.conformance(
    "Marques2020.V1-circular_variance",
    "Marques2020.V1-or_bandwidth",
    "Marques2020.V1-orth_pref_ratio",
    "Marques2020.V1-or_selective",
    "Marques2020.V1-cv_bandwidth_ratio",
    "Marques2020.V1-opr_cv_diff",
    "Marques2020.V1-max_dc",
    "Marques2020.V1-modulation_ratio",
    "Marques2020.V1-texture_modulation_index",
    "Marques2020.V1-abs_texture_modulation_index",
    "Marques2020.V1-texture_selectivity",
    "Marques2020.V1-texture_sparseness",
    "Marques2020.V1-texture_variance_ratio",
    "Marques2020.V1-max_texture",
    "Marques2020.V1-max_noise",
)
def test_conformance_on_files_of_the_archive(identifier, check):
    check(identifier)
