from dataclasses import replace

import numpy as np
import pytest

from corteval import registry, store
from corteval.cards import ModelCard
from corteval.errors import OptionError
from corteval.model import ablation, record
from corteval.requests import OneOf, Recording, UnitFilter
from corteval_localizer import Selection, localize, localized
from corteval_localizer.example import Letters, letters
from corteval_localizer.planted import KINDS, Planted, planted, two_kinds
from corteval_localizer.units import SelectedUnitsOfNetwork


def test_the_target_is_answered_by_the_selected_units_of_all_layers_together():
    model, shown = planted(), two_kinds()
    localizer = replace(KINDS, selection=Selection(top=9))
    chosen = localize(model, localizer, stimuli=shown)
    answer = record(localized(model, localizer, stimuli=shown), shown, "language_system")
    whole = record(model, shown, "language_system")
    mask = np.concatenate([chosen.mask["a"], chosen.mask["b"]])
    assert mask.sum() == 9
    assert 0 < chosen.mask["a"].sum() < 9
    assert (answer["neuroid_id"].values == whole["neuroid_id"].values[mask]).all()
    assert (answer.values == whole.values[:, mask]).all()


def test_other_targets_stay_as_they_were():
    model, shown = planted(), two_kinds()
    answer = record(localized(model, KINDS, stimuli=shown), shown, "V1")
    assert (answer.values == record(model, shown, "V1").values).all()


def test_only_selected_units_are_asked_of_the_extractor():
    shown = two_kinds()
    found = localize(planted(), KINDS, stimuli=shown)
    model = planted()
    record(localized(model, found), shown, "language_system")
    assert dict(model.extractor.asked) == {"b": 4 * len(shown)}


def test_one_request_may_want_selected_units_and_whole_layers():
    model, shown = planted(), two_kinds()
    both = localized(model, KINDS, stimuli=shown)
    few = UnitFilter((OneOf("neuroid_id", ("a-3", "a-1")),))
    requests = [Recording("V1", units=few), Recording("language_system"), Recording("V1")]
    answers = both.respond(shown, requests)
    whole = record(model, shown, "V1")
    assert list(answers[requests[0]]["neuroid_id"].values) == ["a-1", "a-3"]
    assert (answers[requests[0]].values == whole.values[:, [1, 3]]).all()
    assert (answers[requests[2]].values == whole.values).all()


def test_units_are_localized_when_the_subject_is_first_asked_and_once():
    model, shown = planted(), two_kinds()
    with store.using(None):
        lazy = localized(model, KINDS, stimuli=shown)
        assert lazy.supports(Recording("language_system"))
        assert not model.extractor.asked
        record(lazy, shown, "language_system")
        after = model.extractor.asked["b"]
        record(lazy, shown, "language_system")
    assert after == len(shown) * (12 + 4)
    assert model.extractor.asked["b"] == after + len(shown) * 4


def test_the_localized_subject_is_another_one_with_notes():
    model = planted()
    found = localize(model, KINDS, stimuli=two_kinds())
    assert localized(model, found).identifier == "localized/planted"
    assert localized(model, found).notes == (
        "language_system: 4 of 24 units, the 4 units of largest t, B > A of "
        "Fedorenko2010.localization",
    )
    assert "a control for" in localized(model, found, control=1).notes[0]


def test_a_control_answers_with_other_units():
    model, shown = planted(), two_kinds()
    ids = {
        control: set(
            record(
                localized(model, KINDS, stimuli=shown, control=control), shown, "language_system"
            )["neuroid_id"].values
        )
        for control in (None, 0, 1)
    }
    assert ids[None] == {"b-0", "b-1", "b-2", "b-3"}
    assert len(ids[0]) == len(ids[1]) == 4
    assert not ids[0] & ids[None]
    assert ids[0] != ids[1]


def test_nothing_selected_is_said_when_asked():
    none = replace(KINDS, selection=Selection(fdr=1e-9), positive="A", negative="B")
    model = localized(planted(), none, stimuli=two_kinds())
    with pytest.raises(OptionError, match="No unit of planted is selected"):
        record(model, two_kinds(), "language_system")


class Network(Planted):
    """As a torch network: layers by name, and perturbed while it runs."""

    def __init__(self, silenced=(), **options):
        super().__init__(**options)
        self.silenced = silenced

    def layer_names(self):
        return ["a", "b"]

    def recording_alongside(self, layers):
        return self

    def perturbed(self, layer, perturbation):
        from corteval.units import selected_units

        units = selected_units(perturbation.units, self.units(layer))
        return Network((*self.silenced, (layer, tuple(units))), fingerprint="perturbed")

    def row(self, layer, text):
        values = super().row(layer, text)
        for name, units in self.silenced:
            if name == layer:
                values[list(units)] = 0
        return values


def test_an_ablation_reaches_the_selected_units_of_a_network_and_no_others():
    model, shown = replace(planted(), extractor=Network()), two_kinds()
    whole = localized(model, KINDS, stimuli=shown)
    assert isinstance(whole.extractor, SelectedUnitsOfNetwork)
    silenced = whole.perturbed(ablation("language_system"))
    assert not record(silenced, shown, "language_system").values.any()
    assert silenced.extractor.inner.silenced == (("b", (0, 1, 2, 3)),)
    assert record(whole, shown, "language_system").values.any()
    one = UnitFilter((OneOf("neuroid_id", ("b-2", "b-7")),))
    partly = whole.perturbed(ablation("language_system", one))
    assert partly.extractor.inner.silenced == (("b", (2,)),)


def test_the_fingerprint_tells_localizers_controls_and_networks_apart():
    shown = two_kinds()

    def fingerprint(localizer=KINDS, control=None, **options):
        model = replace(planted(), extractor=Network(**options))
        made = localized(model, localizer, stimuli=shown, control=control)
        return made.extractor.fingerprint

    assert fingerprint() == fingerprint()
    other = replace(KINDS, selection=Selection(top=3))
    assert len({fingerprint(), fingerprint(other), fingerprint(control=1),
                fingerprint(fingerprint="g")}) == 4  # fmt: skip


@pytest.fixture
def registered(mirror):
    card = ModelCard(
        identifier="letters",
        factory="corteval_localizer.example:letters",
        summary="How often letters occur",
        licence="MIT",
        modalities=frozenset({"text"}),
    )
    with registry.models.temporary(card):
        yield


@pytest.mark.parametrize(
    ("member", "options", "selection"),
    [
        ("letters", {}, "10 %"),
        ("letters", {"top": 5}, "the 5 units"),
        ("topolm/letters", {}, "false discovery rate of 0.05"),
        ("llm-localization/letters", {"fraction": 0.2}, "20 %"),
        ("random4/letters", {}, "random units (seed 4)"),
    ],
)
def test_members_of_the_family_are_models_localized_by_presets(
    registered, member, options, selection
):
    model = registry.models.create(f"localized/{member}", **options)
    assert model.identifier == f"localized/{member}"
    assert selection in model.notes[0]


def test_members_that_cannot_be_localized_say_why(registered):
    with pytest.raises(OptionError, match="no option colour"):
        registry.models.create("localized/letters", colour="red")
    with pytest.raises(OptionError, match="does not say how it cuts"):
        registry.models.create("localized/brain-score/letters")
    with pytest.raises(OptionError, match="does not read"):
        registry.models.create("localized/pixels")


def test_a_perturbed_subject_is_not_localized():
    model = letters().perturbed(ablation("V1"))
    assert isinstance(model.extractor, Letters)
    with pytest.raises(OptionError, match="intact"):
        localize(model, KINDS, stimuli=two_kinds())
