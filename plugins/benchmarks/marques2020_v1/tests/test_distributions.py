"""Distributions that a property has by construction: neurons', filters', shuffled responses'."""

import numpy as np
import pytest

import corteval
from corteval import registry
from corteval.testing.subjects import ReplaySubject
from corteval_marques2020.histograms import HISTOGRAMS
from corteval_marques2020_v1.properties import PROPERTIES

#: Lowest frequencies whose units still lie within the field of view.
COARSE = {"spatial_frequencies_cpd": (0.3, 0.4, 0.5), "orientations_degrees": (0.0, 45.0, 90.0)}
FINE = {"spatial_frequencies_cpd": (2.0, 4.0), "orientations_degrees": (0.0, 45.0, 90.0)}


def bins(values, assembly):
    edges = np.append(assembly["bin_low"].values, assembly["bin_high"].values[-1])
    kept = values[np.isfinite(values)]
    return list(np.histogram(np.clip(kept, edges[0], edges[-1]), edges)[0])


@pytest.fixture(scope="module")
def coarse():
    return corteval.models.create("gabor-filterbank", **COARSE)


@pytest.fixture(scope="module")
def fine():
    return corteval.models.create("gabor-filterbank", **FINE)


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_ideal_units_have_the_published_distribution_and_score_at_the_ceiling(name):
    benchmark = registry.benchmarks.create(f"Marques2020.V1-{name}")
    published = registry.data.create(f"Marques2020.{name}").assembly()
    score = corteval.score(ReplaySubject(responses=benchmark.ideal_responses(0)), benchmark)
    wanted = list(published.values)
    if name == "peak_spatial_frequency":
        wanted[-2:] = [wanted[-2] + wanted[-1], 0]  # no grating is as fine as the last bin
    assert bins(score.samples.values, published) == wanted
    assert score.samples.size == published.attrs["units_measured"]
    assert score.value == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_ideal_responses_to_the_wrong_gratings_of_a_set_score_at_chance(name):
    benchmark = registry.benchmarks.create(f"Marques2020.V1-{name}")
    responses = benchmark.ideal_responses(0)
    stimuli = registry.data.create(f"Marques2020.{name}").stimuli()
    own = np.flatnonzero(stimuli.table["stimulus_set"] == PROPERTIES[name].stimulus_set)
    rows = np.arange(len(stimuli))
    rows[own] = np.random.default_rng(1).permutation(own)
    wrong = responses.isel(presentation=rows).assign_coords(
        stimulus_id=("presentation", responses["stimulus_id"].values)
    )
    score = corteval.score(ReplaySubject(responses=wrong), benchmark)
    assert score.value <= benchmark.card.chance + 0.01


@pytest.mark.parametrize(
    ("name", "bin_"),
    [("surround_suppression_index", 0), ("strongly_suppressed", 0)],
)
def test_filters_without_a_surround_score_as_all_in_the_lowest_bin(name, bin_, fine, reference):
    score = corteval.score(fine, f"Marques2020.V1-{name}")
    oracle = reference("marques2020.json")["ks"][name]
    assert score.raw.value == pytest.approx(oracle["one_bin"][bin_], abs=1e-9)


@pytest.mark.parametrize(
    "name",
    ["grating_summation_field", "surround_diameter", "surround_grating_summation_field_ratio"],
)
def test_filters_without_a_surround_have_no_size_of_one(name, fine):
    score = corteval.score(fine, f"Marques2020.V1-{name}")
    assert score.status == "undefined"
    assert "defined in 0 of" in score.reason


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("spatial_frequency_selective", 0.0),  # the gratings do not reach below their peak
        ("grating_summation_field", 0.45),
        ("surround_diameter", 0.40),
        ("surround_grating_summation_field_ratio", 0.60),
    ],
)
def test_filters_that_are_too_coarse_score_below_a_flat_distribution(name, most, coarse):
    score = corteval.score(coarse, f"Marques2020.V1-{name}")
    assert score.value <= most < corteval.benchmarks.card(f"Marques2020.V1-{name}").chance


def test_filters_of_one_bandwidth_score_the_closed_form_of_its_bin(fine, reference):
    score = corteval.score(fine, "Marques2020.V1-spatial_frequency_bandwidth")
    oracle = reference("marques2020.json")["ks"]["spatial_frequency_bandwidth"]
    assert score.raw.value == pytest.approx(oracle["one_bin"][4], abs=1e-9)
    # a Gaussian of 1.5 octaves full width at half height is .707 of its peak this far apart
    octaves = 1.5 * np.sqrt(np.log2(1 / 0.707))
    assert 40 < 100 * 2**-octaves < 50


@pytest.mark.slow
def test_vonenet_without_noise_has_the_distributions_of_an_independent_prototype(reference):
    """Spec ``marques2020`` section 7: the prototype equals the published code on activations."""
    prototype = reference("marques2020.json")["prototype_scores"]["VOneBlock seed0 sfmax9"]
    model = corteval.models.create("vonenet-v1", noise=None)
    assert len(prototype["scores"]) == 7
    for name, oracle in prototype["scores"].items():
        score = corteval.score(model, f"Marques2020.V1-{name}")
        published = registry.data.create(f"Marques2020.{name}").assembly()
        counts = np.array(bins(score.samples.values, published))
        assert score.samples.size == oracle["n"]
        np.testing.assert_allclose(counts / counts.sum(), oracle["model_hist"], atol=6e-5)
        exact = registry.metrics.create("ks_similarity-exact")(score.samples, published)
        assert exact.value == pytest.approx(oracle["det"], abs=1e-9)
        # means of 1,000 draws each, from another stream
        assert score.raw.value == pytest.approx(
            oracle["raw"], abs=5 * oracle["raw_sd"] / np.sqrt(1000)
        )
