import numpy as np
import pandas as pd
import pytest
import xarray as xr

import corteval
from corteval import registry
from corteval.assembly import average_trials, neural
from corteval.errors import AssemblyError, OptionError, StimuliError, UnsupportedRequest
from corteval.model import ablation, perform, record
from corteval.requests import (
    Label,
    NextWord,
    OneOf,
    Probabilities,
    Recording,
    TimeBin,
    UnitFilter,
)
from corteval.stimuli import StimulusSet
from corteval.testing import toys
from corteval_recorded import subject

PETS = Label(("cat", "dog"))


def shown(*ids, **columns):
    table = pd.DataFrame(columns, index=pd.Index(ids, name="stimulus_id"))
    return StimulusSet(
        identifier="toy",
        modality="image",
        table=table,
        images=lambda _: np.zeros((2, 2), np.uint8),
    )


def decisions(*rows):
    return pd.DataFrame(rows, columns=["stimulus_id", "choice", "subject", "session", "trial"])


def test_each_stimulus_is_answered_by_its_own_record_in_the_order_shown():
    table = pd.DataFrame({"stimulus_id": ["a", "b", "c"], "choice": ["cat", "dog", "dog"]})
    human = subject(table, identifier="human")
    answer = perform(human, shown("c", "a", label=["cat", "dog"]), PETS)
    assert answer["stimulus_id"].values.tolist() == ["c", "a"]
    assert answer.values.tolist() == ["dog", "cat"]


def test_stimuli_without_a_record_are_named_and_none_is_guessed():
    human = subject(pd.DataFrame({"stimulus_id": ["a"], "choice": ["cat"]}), identifier="human")
    stimuli = shown("a", *(f"x{n}" for n in range(7)))
    with pytest.raises(StimuliError) as caught:
        perform(human, stimuli, PETS)
    assert str(caught.value).startswith(
        "human has no record of 7 of 8 stimuli: x0, x1, x2, x3, x4, ...; it has records of 1, such "
        "as a. They are matched by the rule 'exact'"
    )


def test_a_choice_that_was_not_offered_is_an_error_with_counts():
    table = pd.DataFrame({"stimulus_id": list("abc"), "choice": ["cat", "cow", "cow"]})
    human = subject(table, identifier="human")
    with pytest.raises(AssemblyError, match=r"human chose 'cow' \(2\), .*the 2 choices asked for"):
        perform(human, shown(*"abc"), PETS)
    assert perform(human, shown("a"), PETS).values.tolist() == ["cat"]


def test_no_response_is_answered_as_it_was_recorded_if_it_is_said_what_it_is():
    table = pd.DataFrame({"stimulus_id": list("ab"), "choice": ["cat", "na"]})
    with pytest.raises(AssemblyError, match="no_response="):
        perform(subject(table, identifier="human"), shown(*"ab"), PETS)
    human = subject(table, identifier="human", no_response="na")
    assert perform(human, shown(*"ab"), PETS).values.tolist() == ["cat", "na"]
    assert human.notes[1].startswith("1 stimuli without a response are answered 'na'")


def test_choices_nobody_ever_made_are_not_supported():
    table = pd.DataFrame({"stimulus_id": ["a"], "choice": ["cat"]})
    human = subject(table, identifier="human")
    assert human.supports(PETS)
    for request in (Label(("car", "boat")), NextWord(), Recording("IT")):
        assert not human.supports(request)
        with pytest.raises(UnsupportedRequest, match="human cannot answer"):
            human.respond(shown("a"), [request])


def test_one_of_several_observers_is_to_be_chosen():
    table = decisions(("a", "cat", "s1", "1", "1"), ("a", "dog", "s2", "1", "1"))
    with pytest.raises(OptionError, match=r"2 subjects: s1, s2\. Choose one \(observer="):
        subject(table, identifier="x")
    with pytest.raises(OptionError, match=r"no subject 's3' in the table; it has s1, s2"):
        subject(table, identifier="x", observer="s3")
    answer = perform(subject(table, identifier="x", observer="s2"), shown("a"), PETS)
    assert answer.values.tolist() == ["dog"]


def test_several_trials_need_a_policy():
    table = decisions(
        ("a", "dog", "s", "2", "1"),
        ("a", "cat", "s", "1", "10"),
        ("a", "dog", "s", "1", "9"),
        ("b", "cat", "s", "1", "2"),
    )
    with pytest.raises(AssemblyError, match=r"1 stimuli \(a\): there are several trials"):
        subject(table, identifier="x")
    first = subject(table, identifier="x", policy="first")
    assert perform(first, shown(*"ab"), PETS).values.tolist() == ["dog", "cat"]  # trial 9, not 10
    most = subject(table, identifier="x", policy="majority")
    assert perform(most, shown(*"ab"), PETS).values.tolist() == ["dog", "cat"]
    with pytest.raises(OptionError, match="policy 'mean' does not suit these records; use single"):
        subject(table, identifier="x", policy="mean")


def test_ties_of_a_majority_are_drawn_by_seed_and_independent_of_the_order_of_rows():
    rows = [
        (f"s{n}", choice, o, "", "") for n in range(60) for o, choice in enumerate(PETS.choices)
    ]
    stimuli = shown(*(f"s{n}" for n in range(60)))
    drawn = {}
    for seed in (0, 1):
        for order in (1, -1):
            crowd = subject(decisions(*rows[::order]), identifier="x", policy="majority", seed=seed)
            drawn[seed, order] = perform(crowd, stimuli, PETS).values.tolist()
    assert drawn[0, 1] == drawn[0, -1]
    assert drawn[0, 1] != drawn[1, 1]
    assert 15 < drawn[0, 1].count("cat") < 45


def test_trials_without_a_response_do_not_vote():
    rows = [("a", c, str(n), "", "") for n, c in enumerate(["na", "na", "cat"])]
    rows += [("b", "na", "0", "", "")]
    crowd = subject(decisions(*rows), identifier="x", policy="majority", no_response="na")
    assert perform(crowd, shown(*"ab"), PETS).values.tolist() == ["cat", "na"]


def test_a_rule_finds_records_by_part_of_the_name():
    table = pd.DataFrame({"stimulus_id": ["old/a.png", "b.png"], "choice": ["cat", "dog"]})
    human = subject(table, identifier="x", match="stem")
    answer = perform(human, shown("new/b.jpg", "a"), PETS)
    assert answer.values.tolist() == ["dog", "cat"]
    assert answer["stimulus_id"].values.tolist() == ["new/b.jpg", "a"]
    with pytest.raises(StimuliError, match=r"a, x/a.png all match the record a by the rule 'stem'"):
        perform(human, shown("a", "x/a.png"), PETS)
    twice = pd.DataFrame({"stimulus_id": ["1/a.png", "2/a.png"], "choice": ["cat", "dog"]})
    with pytest.raises(AssemblyError, match="several trials"):
        subject(twice, identifier="x", match="name")


PROBABILITIES = pd.DataFrame(
    [("a", "dog", 0.7), ("a", "cat", 0.3), ("b", "cat", 1.0), ("b", "dog", 0.0)],
    columns=["stimulus_id", "choice", "probability"],
)


def test_probabilities_are_those_recorded():
    model = subject(PROBABILITIES, identifier="x")
    task = Probabilities(shown("f", "g", label=["cat", "dog"]))
    answer = perform(model, shown("b", "a"), task)
    assert answer.dims == ("presentation", "choice")
    assert answer["choice"].values.tolist() == ["cat", "dog"]
    np.testing.assert_array_equal(answer.values, [[1, 0], [0.3, 0.7]])
    for labels in (["cat", "cow"], ["cat", "cat"]):
        assert not model.supports(Probabilities(shown("f", "g", label=labels)))
    assert not model.supports(Probabilities(shown("f")))
    assert not model.supports(PETS)  # nobody recorded a decision


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[1:], r"1 stimuli \(a\): a choice has no probability"),
        (lambda t: t.assign(probability=0.7), r"probabilities sum to 1.4"),
        (lambda t: t.assign(probability=[1.2, -0.2, 1, 0]), "negative"),
        (lambda t: t.assign(probability=[np.nan, 0.3, 1, 0]), "1 rows have no probability"),
        (lambda t: t.assign(probability=[np.inf, 0.3, 1, 0]), "not finite"),
        (lambda t: pd.concat([t, t]), "several trials"),
    ],
)
def test_probabilities_that_are_none_are_refused(change, message):
    with pytest.raises(AssemblyError, match=message):
        subject(change(PROBABILITIES), identifier="x")


def responses(trials=()):
    values = np.random.default_rng(0).standard_normal((3, 4, *trials))
    names = {"neuroid_id": [f"n{n}" for n in range(4)], "channel": np.arange(4)}
    return neural(values, list("abc"), names)


def test_responses_are_those_recorded_and_units_are_chosen_by_label():
    recorded = responses()
    monkey = subject(recorded, identifier="x", targets=("IT",))
    units = UnitFilter((OneOf("channel", (3, 1)),))
    found = record(monkey, shown("c", "a"), Recording("IT", units=units))
    np.testing.assert_array_equal(found.values, recorded.values[[2, 0]][:, [1, 3]])
    assert found["neuroid_id"].values.tolist() == ["n1", "n3"]
    assert not monkey.supports(Recording("V4"))
    assert not monkey.supports(Recording("IT", units=UnitFilter((OneOf("depth", (1,)),))))
    assert subject(recorded, identifier="x", targets=("*",)).supports(Recording("V4"))


def test_responses_need_a_target():
    with pytest.raises(OptionError, match=r"targets=\('V4',\), --target V4"):
        subject(responses(), identifier="x")
    with pytest.raises(OptionError, match="tuple of names"):
        subject(responses(), identifier="x", targets="V4")
    with pytest.raises(OptionError, match="belong to responses; the table holds choices"):
        subject(decisions(("a", "cat", "s", "", "")), identifier="x", targets=("V4",))


def test_trials_are_averaged_or_given_as_many_as_are_asked_for():
    recorded = responses((5,))
    mean = subject(recorded, identifier="x", targets=("IT",))
    found = record(mean, shown(*"abc"), Recording("IT", trials=2))
    np.testing.assert_allclose(found.values, recorded.values.mean(axis=2))
    each = subject(recorded, identifier="x", targets=("IT",), policy="each")
    found = record(each, shown("b"), Recording("IT", trials=2))
    np.testing.assert_array_equal(found.values, recorded.values[[1], :, :2])
    with pytest.raises(AssemblyError, match="9 trials asked, 5 recorded"):
        record(each, shown("b"), Recording("IT", trials=9))


def test_missing_trials_are_left_out_of_means_and_missing_stimuli_are_refused():
    recorded = responses((3,)).copy()
    recorded[0, :, 2] = np.nan
    found = record(subject(recorded, identifier="x", targets=("IT",)), shown("a"), "IT")
    np.testing.assert_allclose(found.values[0], recorded.values[0, :, :2].mean(axis=1))
    each = subject(recorded, identifier="x", targets=("IT",), policy="each")
    with pytest.raises(AssemblyError, match="1 stimuli have fewer than 3 trials: a"):
        record(each, shown("a"), Recording("IT", trials=3))
    recorded[1] = np.nan
    with pytest.raises(AssemblyError, match=r"1 stimuli \(b\): responses are missing"):
        subject(recorded, identifier="x", targets=("IT",))


def test_a_wide_table_is_a_matrix_of_trials():
    table = pd.DataFrame(
        [("b", "2", 4.0, 8.0), ("a", "1", 1.0, 2.0), ("b", "1", 2.0, 4.0)],
        columns=["stimulus_id", "trial", "u", "v"],
    )
    found = record(subject(table, identifier="x", targets=("V4",)), shown("a", "b"), "V4")
    np.testing.assert_array_equal(found.values, [[1, 2], [3, 6]])
    each = subject(table, identifier="x", targets=("V4",), policy="each")
    found = record(each, shown("b"), Recording("V4", trials=2))
    np.testing.assert_array_equal(found.values, [[[2, 4], [4, 8]]])  # in the order of trials


def test_time_bins_are_answered_if_they_were_recorded():
    early, late = TimeBin(70, 170), TimeBin(170, 270)
    untimed = subject(responses(), identifier="x", targets=("IT",))
    assert not untimed.supports(Recording("IT", (early,)))
    timed = subject(responses(), identifier="x", targets=("IT",), time_bins=[(70, 170)])
    found = record(timed, shown("a"), Recording("IT", (early,)))
    np.testing.assert_array_equal(found.values[:, :, 0], responses().values[:1])
    assert not timed.supports(Recording("IT", (early, late)))
    two = neural(
        np.arange(12.0).reshape(3, 2, 2),
        list("abc"),
        {"neuroid_id": ["x", "y"]},
        time_bins=[early, late],
    )
    both = subject(two, identifier="x", targets=("IT",))
    found = record(both, shown("b"), Recording("IT", (late, early)))
    np.testing.assert_array_equal(found.values, two.values[[1]][:, :, ::-1])
    assert found["time_bin_start_ms"].values.tolist() == [170, 70]
    with pytest.raises(OptionError, match="would overrule"):
        subject(two, identifier="x", targets=("IT",), time_bins=[(0, 1)])
    with pytest.raises(OptionError, match=r"2 time bins are given .* give one"):
        subject(responses(), identifier="x", targets=("IT",), time_bins=[(0, 1), (1, 2)])
    with pytest.raises(OptionError, match="does not end after it starts"):
        subject(responses(), identifier="x", targets=("IT",), time_bins=[(1, 0)])


def test_recorded_units_can_be_silenced_and_decisions_cannot():
    monkey = subject(responses((2,)), identifier="x", targets=("IT",), policy="each")
    lesioned = monkey.perturbed(ablation("IT", UnitFilter((OneOf("channel", (0, 2)),))))
    asked = Recording("IT", trials=2)
    before, after = (record(m, shown(*"abc"), asked) for m in (monkey, lesioned))
    assert (after.values[:, [0, 2]] == 0).all()
    np.testing.assert_array_equal(after.values[:, [1, 3]], before.values[:, [1, 3]])
    assert lesioned.identifier == "x+ablation"
    human = subject(decisions(("a", "cat", "s", "", "")), identifier="human")
    with pytest.raises(UnsupportedRequest, match="human has no recorded units of IT"):
        human.perturbed(ablation("IT"))


def test_fingerprints_tell_contents_apart():
    def fingerprint(choice, **options):
        return subject(
            pd.DataFrame({"stimulus_id": ["a"], "choice": [choice]}), identifier="x", **options
        ).fingerprint

    assert fingerprint("cat") == fingerprint("cat")
    assert len({fingerprint("cat"), fingerprint("dog"), fingerprint("cat", match="stem")}) == 3


def test_a_recorded_model_scores_what_the_model_scores(tmp_path):
    with toys.registered():
        data = registry.data.create("ToyData")
        recorded = record(registry.models.create("toy-vision"), data.stimuli(), "IT")
        replayed = subject(recorded, identifier="replayed", targets=("IT",))
        own = corteval.score("toy-vision", "ToyData.IT-predictivity")
        again = corteval.score(replayed, "ToyData.IT-predictivity")
        assert again.value == own.value
        shuffled = recorded.isel(presentation=np.random.default_rng(0).permutation(60))
        ids = ("presentation", recorded["stimulus_id"].values)
        wrong = subject(
            shuffled.assign_coords(stimulus_id=ids), identifier="wrong", targets=("IT",)
        )
        assert corteval.score(wrong, "ToyData.IT-predictivity").value < 0.3 * own.value


def test_an_animal_recorded_twice_reaches_the_ceiling_of_its_own_data():
    with toys.registered():
        trials = registry.data.create("ToyData").assembly()
        half = subject(
            average_trials(trials.isel(trial=slice(0, 4))), identifier="half", targets=("IT",)
        )
        assert corteval.score(half, "ToyData.IT-predictivity").value > 0.8


def test_things_that_are_no_records_are_refused():
    with pytest.raises(OptionError, match="not a list"):
        subject([1, 2], identifier="x")
    with pytest.raises(OptionError, match="give an identifier"):
        subject(PROBABILITIES)
    with pytest.raises(OptionError, match="Unknown option polcy; known are observer, policy"):
        subject(PROBABILITIES, identifier="x", polcy="mean")
    with pytest.raises(OptionError, match="no policy 'median'; known are single"):
        subject(PROBABILITIES, identifier="x", policy="median")
    with pytest.raises(AssemblyError, match="neuroid"):
        subject(xr.DataArray([1.0], dims="presentation"), identifier="x", targets=("IT",))
