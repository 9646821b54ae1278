import pytest


@pytest.mark.conformance(
    "Marques2020.preferred_orientation",
    "Marques2020.peak_spatial_frequency",
    "Marques2020.spatial_frequency_selective",
    "Marques2020.spatial_frequency_bandwidth",
    "Marques2020.surround_suppression_index",
    "Marques2020.strongly_suppressed",
    "Marques2020.grating_summation_field",
    "Marques2020.surround_diameter",
    "Marques2020.surround_grating_summation_field_ratio",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.usefixtures("recorded")
@pytest.mark.conformance(
    "Marques2020.circular_variance",
    "Marques2020.or_bandwidth",
    "Marques2020.orth_pref_ratio",
    "Marques2020.or_selective",
    "Marques2020.cv_bandwidth_ratio",
    "Marques2020.opr_cv_diff",
    "Marques2020.max_dc",
    "Marques2020.modulation_ratio",
    "Marques2020.texture_modulation_index",
    "Marques2020.abs_texture_modulation_index",
    "Marques2020.texture_selectivity",
    "Marques2020.texture_sparseness",
    "Marques2020.texture_variance_ratio",
    "Marques2020.max_texture",
    "Marques2020.max_noise",
)
def test_conformance_on_files_of_the_archive(identifier, check):
    check(identifier)
