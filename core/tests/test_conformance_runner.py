"""Running checks: expected failures, misuse, missing data, subjects and strategies."""

from dataclasses import replace

import numpy as np
import pytest
from core.tests.toy_registry import LACKING, failures
from core.tests.toy_registry import plugin_file as plugin_file
from core.tests.toy_registry import replacing as replacing
from core.tests.toy_registry import toy_plugins as toy_plugins
from core.tests.wrong_benchmarks import wrong_card
from core.tests.wrong_models import wrong_model
from hypothesis import given, settings

from corteval import registry
from corteval.assembly import check_neural, responses_matrix
from corteval.cards import ModelFamily
from corteval.errors import OptionError, PluginError, UnsupportedRequest
from corteval.requests import OneOf, Recording, TimeBin, UnitFilter
from corteval.testing import batteries, battery, run_checks, strategies, subjects, toys


def test_results_come_one_by_one():
    seen = []
    assert run_checks("ToyData", on_result=seen.append) == seen
    assert all(r.seconds >= 0 for r in seen)


def test_an_expected_failure_is_no_failure_and_keeps_its_reason(replacing):
    replacing("models", wrong_card(toys.VISION, wrong_model, "batch_size"))
    results = run_checks("toy-vision", expect_fail={"batch_size": "known, issue 7"})
    assert not failures(results)
    (expected,) = [r for r in results if r.status == "expected-failure"]
    assert expected.name == "batch_size"
    assert "issue 7" in expected.message


def test_an_expected_failure_that_passes_is_a_failure():
    results = run_checks("toy-vision", expect_fail={"batch_size": "known"})
    assert [(r.name, r.status) for r in results if not r.ok] == [("batch_size", "unexpected-pass")]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"expect_fail": {"colour": "why"}}, "colour"),
        ({"expect_fail": {"batch_size": ""}}, "Say why"),
        ({"kind": "animals"}, "animals"),
    ],
)
def test_misuse_is_an_error(options, word):
    with pytest.raises(OptionError, match=word):
        run_checks("toy-vision", **options)


def test_a_battery_without_checks_is_an_error(monkeypatch):
    monkeypatch.setattr(batteries, "checks_for", lambda card: ())
    with pytest.raises(OptionError, match="no checks"):
        run_checks("toy-vision")


def test_a_broken_plugin_raises_its_error(plugin_file):
    plugin_file("import nonexistent_library\n")
    with pytest.raises(PluginError, match="nonexistent_library"):
        run_checks("filed")


def test_an_identifier_of_several_kinds_runs_all_batteries():
    with registry.models.temporary(replace(toys.VISION, identifier="ToyData")):
        assert {plan.specimen.kind for plan in battery("ToyData")} == {"models", "data"}
        assert {plan.specimen.kind for plan in battery("ToyData", kind="data")} == {"data"}


def test_a_family_is_checked_by_its_card_alone():
    family = ModelFamily(
        identifier="fam", factory=f"{__name__}:member", summary="A family", licence="MIT"
    )
    with registry.models.temporary(family):
        assert not failures(run_checks("fam"))
        assert len(battery("fam")) == len(batteries.CARD)


def member(member):
    return toys.vision()


def test_data_that_cannot_be_had_are_skipped_with_the_reason():
    with registry.data.temporary(LACKING):
        results = run_checks("Lacking")
    assert not failures(results)
    lacking = [r for r in results if r.missing_data]
    assert {r.status for r in lacking} == {"skipped"}
    assert {r.message for r in lacking} == {"no network here"}
    assert len(lacking) == len(batteries.DATA)


@pytest.mark.parametrize("error", ["archive", "wrong"])
def test_a_damaged_archive_or_another_file_is_a_failure(error):
    with registry.data.temporary(replace(LACKING, options={"error": error})):
        assert len(failures(run_checks("Lacking"))) == len(batteries.DATA)


# Subjects and strategies


@pytest.fixture
def replay():
    return subjects.ReplaySubject(responses=responses_matrix(toys.ToyData().assembly()))


def test_a_replay_answers_by_id_with_filters_and_time_bins(replay):
    ids = ["image-007", "image-003"]
    units = UnitFilter((OneOf("neuroid_id", ("neuroid-02",)),))
    request = Recording("IT", (TimeBin(0, 10), TimeBin(10, 20)), units=units)
    answer = replay.respond(toys.ToyData().stimuli().select(ids), [request])[request]
    expected = toys.ToyData().assembly().mean("trial").values[[7, 3], 2]
    np.testing.assert_array_equal(answer.isel(neuroid=0, time_bin=1), expected)
    assert list(check_neural(answer)["stimulus_id"].values) == ids
    stored = subjects.ReplaySubject(responses=answer)
    late = Recording("V1", (TimeBin(10, 20),))
    assert stored.supports(late)
    assert not stored.supports(Recording("V1", (TimeBin(30, 40),)))
    shown = toys.ToyData().stimuli().select(ids)
    assert list(stored.respond(shown, [late])[late]["time_bin_start_ms"].values) == [10]
    with pytest.raises(UnsupportedRequest, match="image-000"):
        stored.respond(toys.ToyData().stimuli(), [late])


def test_shuffling_leaves_no_stimulus_its_own_response(replay):
    wrong = subjects.shuffled(replay, seed=1).responses
    assert set(wrong.values[:, 0]) == set(replay.responses.values[:, 0])
    assert (wrong.values[:, 0] != replay.responses.values[:, 0]).all()


@settings(max_examples=25, deadline=None)
@given(strategies.stimulus_sets() | strategies.stimulus_sets("text"))
def test_drawn_stimuli_are_valid(stimuli):
    assert len(stimuli.digest()) == 64
    assert stimuli.select(stimuli.stimulus_ids) == stimuli


@settings(max_examples=25, deadline=None)
@given(strategies.neural_assemblies())
def test_drawn_assemblies_are_valid(assembly):
    assert np.isfinite(check_neural(assembly).values).all()
