"""What a subject is shown, and what scoring several properties of it costs."""

import numpy as np
import pytest
import xarray as xr

import corteval
from corteval import registry
from corteval.testing.subjects import InterposedSubject, ReplaySubject
from corteval_marques2020.gratings import stimuli
from corteval_marques2020_v1.ideal import ideal_responses

PROPERTIES = (
    "preferred_orientation",
    "peak_spatial_frequency",
    "spatial_frequency_selective",
    "spatial_frequency_bandwidth",
    "surround_suppression_index",
    "strongly_suppressed",
    "grating_summation_field",
    "surround_diameter",
    "surround_grating_summation_field_ratio",
)


@pytest.fixture(scope="module")
def responses():
    """To all gratings, of units that differ in how much their surround suppresses."""
    gratings = stimuli("blank", "receptive_field", "orientation", "spatial_frequency", "size")
    published = registry.data.create("Marques2020.surround_suppression_index").assembly()
    return ideal_responses("surround_suppression_index", gratings, published)


class Counted:
    """Counts the gratings a subject is shown, and can scale its answers."""

    def __init__(self, subject):
        self.shown, self.gain = 0, 1.0
        self.subject = InterposedSubject(subject=subject, change=self._change)

    def _change(self, answer):
        self.shown += answer.sizes["presentation"]
        return answer * self.gain


def test_no_grating_but_those_it_is_recognised_by_is_shown_twice(responses):
    counted = Counted(ReplaySubject(responses=responses))
    new = []
    for name in PROPERTIES:
        before = counted.shown
        corteval.score(counted.subject, f"Marques2020.V1-{name}")
        new.append(counted.shown - before)
    recognised = 32
    first = 1 + 3528 + 1 + 1152 + recognised  # blank, map, blank of the central units, orientation
    assert new == [
        first,
        2112 + recognised,
        recognised,
        recognised,
        2304 + recognised,
        *[recognised] * 4,
    ]


def test_scores_do_not_depend_on_what_was_scored_before(responses):
    names = ["surround_suppression_index", "spatial_frequency_bandwidth", "surround_diameter"]
    subject = ReplaySubject(responses=responses)
    one_subject = [corteval.score(subject, f"Marques2020.V1-{name}") for name in names]
    for name, score in zip(names, one_subject, strict=True):
        alone = corteval.score(ReplaySubject(responses=responses), f"Marques2020.V1-{name}")
        assert alone.value == score.value
        np.testing.assert_array_equal(alone.samples.values, score.samples.values)


def test_a_subject_that_changed_is_measured_anew(responses):
    counted = Counted(ReplaySubject(responses=responses))
    name = "Marques2020.V1-strongly_suppressed"
    before = corteval.score(counted.subject, name)
    counted.gain, counted.shown = 0.0, 0
    after = corteval.score(counted.subject, name)
    assert before.status == "scored"
    assert after.status == "undefined"
    assert counted.shown >= 3528


def test_why_a_subject_has_no_population_is_remembered():
    counted = Counted(corteval.models.create("pixels"))
    for name in PROPERTIES[:2]:
        before, score = counted.shown, corteval.score(counted.subject, f"Marques2020.V1-{name}")
        assert "0.15 degrees" in score.reason
    assert counted.shown - before == 32


def test_units_that_hardly_respond_are_no_part_of_the_distribution(responses):
    gain = xr.DataArray(np.where(np.arange(190) % 3 == 0, 0.01, 1.0), dims=["neuroid"])
    weak = ReplaySubject(responses=responses * gain)
    score = corteval.score(weak, "Marques2020.V1-spatial_frequency_selective")
    assert score.samples.size == 126
    assert (score.samples == 1).all()  # the units left out are not counted as unselective
    assert any("190 centred on the gratings, 126 responsive" in note for note in score.notes)


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_card_of_each_property_names_controls_that_can_be_built(name):
    controls = corteval.benchmarks.card(f"Marques2020.V1-{name}").controls
    fixed = [c for c in controls if "{model}" not in c]
    assert fixed
    for control in fixed:
        assert corteval.models.card(control).identifier == control
