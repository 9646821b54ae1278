import pytest

from corteval import registry
from corteval_marques2020.histograms import HISTOGRAMS
from corteval_marques2020.recorded import RECORDED


def test_histograms_equal_the_published_ones(reference):
    published = reference("marques2020_histograms.json")
    assert set(published) == set(HISTOGRAMS)
    for name, facts in published.items():
        assert list(HISTOGRAMS[name].edges) == facts["bins"]
        assert list(HISTOGRAMS[name].counts) == facts["counts"]


def test_units_with_an_undefined_property_are_counted_as_measured():
    measured = {name: h.units_measured for name, h in HISTOGRAMS.items()}
    assert measured["spatial_frequency_bandwidth"] == 87
    assert measured["grating_summation_field"] == 190
    assert all(sum(h.counts) <= h.units_measured for h in HISTOGRAMS.values())


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_every_histogram_is_a_data_set_with_its_gratings(name):
    data = registry.data.create(f"Marques2020.{name}")
    assert data.assembly().sizes["bin"] == len(HISTOGRAMS[name].counts)
    shown = set(data.stimuli().table["stimulus_set"])
    assert {"blank", "receptive_field", "orientation", HISTOGRAMS[name].stimuli} == shown


@pytest.mark.parametrize("name", RECORDED)
def test_cards_name_the_files_that_the_archive_has(name):
    member = RECORDED[name].recording.member
    known = registry.data_card(f"brainscore/{member}").resources
    own = registry.data_card(f"Marques2020.{name}").resources
    assert {(r.url, r.sha1) for r in own} <= {(r.url, r.sha1) for r in known}
    assert len(own) == (3 if RECORDED[name].recording.stimuli == "texture" else 1)


def test_no_property_is_both_published_and_recorded():
    assert not set(HISTOGRAMS) & set(RECORDED)
