"""Benchmarks that share what a card says, and the controls that benchmarks on recordings name."""

from dataclasses import fields

import pytest

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard
from corteval.errors import InvalidIdentifier
from corteval.known_plugins import INSTALL

BASE = BenchmarkCard(
    identifier="Lab2026.V4",
    factory="a.b:c",
    summary="Macaque V4",
    licence="MIT",
    data=("Lab2026",),
    target="V4",
    options={"notes": ("two animals",), "visual_degrees": 8.0},
)


def test_a_form_says_all_that_its_card_says_but_for_what_is_changed():
    made = BASE.form(
        "ridge",
        "ridge, alpha 1",
        metric="ridge",
        ceiling="internal_consistency",
        options={"visual_degrees": 4.0, "notes": ("legacy: images are too small",)},
    )
    assert made.identifier == "Lab2026.V4-ridge"
    assert made.summary == "Macaque V4: ridge, alpha 1"
    assert (made.metric, made.ceiling) == ("ridge", "internal_consistency")
    assert made.options == {
        "notes": ("two animals", "legacy: images are too small"),
        "visual_degrees": 4.0,
    }
    changed = {"identifier", "summary", "metric", "ceiling", "options"}
    same = {field.name for field in fields(BASE)} - changed
    assert all(getattr(made, name) == getattr(BASE, name) for name in same)


def test_a_form_leaves_the_card_that_it_comes_from_as_it_is():
    before = dict(BASE.options)
    BASE.form("cka", "CKA", options={"notes": ("more",)})
    assert BASE.options == before
    assert BASE.form("rdm", "RDM").options == before


def test_a_form_without_notes_has_no_option_of_that_name():
    plain = BenchmarkCard(identifier="X", factory="a:b", summary="s", licence="MIT")
    assert plain.form("cka", "CKA").options == {}


def test_the_name_of_a_form_is_part_of_an_identifier():
    with pytest.raises(InvalidIdentifier):
        BASE.form("ridge alpha 1", "ridge")


@pytest.mark.parametrize("modality", RECORDING_CONTROLS)
def test_controls_of_recordings_are_models_that_are_known(modality):
    named = {name.partition("/")[0] for name in RECORDING_CONTROLS[modality]}
    assert named - {"{model}-untrained"} <= set(INSTALL["models"])
