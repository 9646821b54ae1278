"""Behaviour, properties, spikes, sentences and ceilings, as the archive stores them."""

import numpy as np
import pytest

from corteval import registry
from corteval.assembly import check_behavioural, check_neural
from corteval.errors import AssemblyError, NotInData, OptionError, StimuliError


def behaviour(archive, formats, values, **coords):
    """Trials on two images."""
    rows = [
        {"stimulus_id": n, "filename": f"{n}.png", "truth": t, "condition": c}
        for n, t, c in (("a", "cat", "0"), ("b", "dog", "50"))
    ]
    archive.add_stimuli("shown", rows, {f"{n}.png": formats["png"](1) for n in "ab"})
    along = {name: (("presentation",), column) for name, column in coords.items()}
    archive.add_assembly(
        "Choices",
        values,
        ("presentation",),
        along,
        stimulus_set="shown",
        form="BehavioralAssembly",
        source="geirhos2021",
    )
    return registry.data.create("brainscore/Choices")


def test_choices_are_rows_with_subject_condition_and_truth(archive, formats):
    data = behaviour(
        archive,
        formats,
        ["cat", "cat", "dog"],
        image_id=["a", "b", "b"],
        subject_id=["s1", "s1", "s2"],
        rt=[0.4, 0.5, np.nan],
    )
    found = check_behavioural(data.assembly())
    assert list(found.values) == ["cat", "cat", "dog"]
    assert list(found["stimulus_id"].values) == ["a", "b", "b"]
    assert list(found["subject"].values) == list(found["subject_id"].values) == ["s1", "s1", "s2"]
    assert list(found["truth"].values) == ["cat", "dog", "dog"]
    np.testing.assert_array_equal(found["rt"].values, [0.4, 0.5, np.nan])
    assert data.stimuli().modality == "image"


def test_metrics_of_behaviour_take_the_assembly_as_it_is(archive, formats):
    """Kappa of two subjects, and by its definition."""
    rng = np.random.default_rng(0)
    right = {s: rng.random(12) < 0.6 for s in ("s1", "s2")}
    ids = [f"im{n}" for n in range(12)]
    rows = [{"stimulus_id": i, "filename": f"{i}.png", "truth": "cat"} for i in ids]
    archive.add_stimuli("shown", rows, {f"{i}.png": formats["png"](1) for i in ids})
    archive.add_assembly(
        "Choices",
        ["cat" if r else "dog" for s in right for r in right[s]],
        ("presentation",),
        {
            "stimulus_id": (("presentation",), ids * 2),
            "subject": (("presentation",), np.repeat(list(right), 12)),
        },
        stimulus_set="shown",
        form="BehavioralAssembly",
    )
    target = registry.data.create("brainscore/Choices").assembly()
    ceiling = registry.metrics.create("human_error_consistency")(target)
    observed = np.mean(right["s1"] == right["s2"])
    p, q = right["s1"].mean(), right["s2"].mean()
    expected = p * q + (1 - p) * (1 - q)
    assert ceiling.value == pytest.approx((observed - expected) / (1 - expected))


def test_what_the_file_calls_subject_and_truth_is_kept(archive, formats):
    data = behaviour(
        archive,
        formats,
        [1, 0],
        stimulus_id=["a", "b"],
        subject=["s1", "s2"],
        worker_id=["w1", "w2"],
        sample_obj=["bear", "dog"],
        dist_obj=["dog", "bear"],
        truth=["bear", "dog"],
    )
    found = data.assembly()
    assert list(found["subject"].values) == ["s1", "s2"]
    assert list(found["truth"].values) == ["bear", "dog"]
    assert list(found["distractor"].values) == ["dog", "bear"]


def test_trials_that_name_no_stimulus_are_read_without_the_table(archive):
    archive.add_recording()
    coords = {f"image_{n}": (("presentation",), ["im0", "im1"]) for n in (1, 2, 3)}
    archive.add_assembly(
        "Triplets", ["im0", "im1"], ("presentation",), coords, stimulus_set="shown"
    )
    found = registry.data.create("brainscore/Triplets").assembly()
    assert list(found["image_2"].values) == ["im0", "im1"]
    assert any("names no stimuli" in note for note in found.attrs["notes"])
    assert len(registry.data.create("brainscore/Triplets").stimuli()) == 5


def test_properties_keep_names_and_bins(archive):
    archive.add_assembly(
        "Properties",
        [[10.0, np.nan], [20.0, 2.0]],
        ("neuroid", "neuroid_property"),
        {
            "neuroid_property": (("neuroid_property",), ["orientation", "size"]),
            "neuroid_id": (("neuroid",), [3, 4]),
            "region": (("neuroid",), ["V1", "V1"]),
        },
        attrs={"orientation_bins": [0, 15, 30], "size_bins": np.array([0.5, 1.0])},
        form="PropertyAssembly",
        merges=False,
    )
    found = registry.data.create("brainscore/Properties").assembly()
    assert found.dims == ("neuroid", "neuroid_property")
    assert found.sel(neuroid_property="orientation").values.tolist() == [10.0, 20.0]
    assert found.attrs["orientation_bins"] == [0, 15, 30]
    assert found.attrs["size_bins"] == [0.5, 1.0]
    with pytest.raises(OptionError, match="takes no average"):
        registry.data.create("brainscore/Properties", average=True).assembly()


def test_thresholds_of_subjects_are_read(archive):
    coords = {"subject": (("subject",), ["A", "B", "C"])}
    archive.add_assembly("Thresholds", [60.0, 80.0, 70.0], ("subject",), coords, merges=False)
    found = registry.data.create("brainscore/Thresholds").assembly()
    assert dict(zip(found["subject"].values, found.values, strict=True)) == {
        "A": 60.0,
        "B": 80.0,
        "C": 70.0,
    }


def test_a_matrix_over_pairs_of_stimuli_has_two_dimensions(archive):
    values = np.array([[0.0, 0.3], [0.3, 0.0]])
    archive.add_assembly(
        "Matrix",
        values,
        ("presentation", "presentation"),
        {"stimulus_id": (("presentation",), ["a", "b"])},
        form="DataAssembly",
        merges=False,
    )
    found = registry.data.create("brainscore/Matrix").assembly()
    assert found.dims == ("presentation", "presentation_2")
    np.testing.assert_array_equal(found.values, values)
    assert list(found["stimulus_id_2"].values) == ["a", "b"]


def spikes(archive, unit):
    coords = {
        "stimulus_id": (("event",), ["a", "a", "a", "b", "a"]),
        "neuroid_id": (("event",), ["n1", "n1", "n0", "n0", "n1"]),
        "repetition": (("event",), [0, 0, 0, 0, 1]),
    }
    times = np.array([75.0, 169.9, 170.0, 80.0, 10.0]) / (1 if unit == "ms" else 1000)
    archive.add_assembly(
        "Spikes", times, ("event",), coords, own={"units": unit} if unit else {}, merges=False
    )


@pytest.mark.parametrize("unit", ["ms", "s"])
def test_spikes_are_counted_in_half_open_bins(archive, unit):
    spikes(archive, unit)
    assert registry.data.create("brainscore/Spikes").assembly().dims == ("event",)
    found = registry.data.create("brainscore/Spikes", time_bins=[(70, 170), (0, 20)]).assembly()
    check_neural(found)
    expected = {"a": [[[0, 0], [0, 0]], [[2, 0], [0, 1]]], "b": [[[1, np.nan], [0, np.nan]]]}
    by_id = {str(i): n for n, i in enumerate(found["stimulus_id"].values)}
    np.testing.assert_array_equal(found.values[by_id["a"]], expected["a"])
    np.testing.assert_array_equal(found.values[by_id["b"]][:1], expected["b"])


def test_spikes_without_a_unit_are_not_counted(archive):
    spikes(archive, "")
    with pytest.raises(AssemblyError, match="no unit"):
        registry.data.create("brainscore/Spikes", time_bins=[(70, 170)]).assembly()


def sentences(archive):
    along = ("presentation",)
    archive.add_words(
        "Pereira.language",
        np.arange(8.0).reshape(4, 2),
        ("presentation", "neuroid"),
        {
            "stimulus_id": (along, ["2.0", "2.1", "1.0", "1.1"]),
            "stimulus": (along, ["C.", "D.", "A.", "B."]),
            "experiment": (along, ["243", "243", "384", "384"]),
            "passage_label": (along, ["bear", "bear", "bear", "bear"]),
            "story": (along, ["x", "x", "y", "y"]),
            "stimulus_num": (along, [1, 0, 10, 11]),
            "neuroid_id": (("neuroid",), ["s1.5", "s1.6"]),
            "subject": (("neuroid",), ["s1", "s1"]),
        },
    )
    return registry.data.create("brainscore/Pereira.language")


def test_sentences_are_texts_in_the_order_of_their_passage(archive):
    stimuli = sentences(archive).stimuli()
    assert stimuli.modality == "text"
    assert stimuli.table["text"].tolist() == ["C.", "D.", "A.", "B."]
    assert stimuli.table["context_id"].tolist() == ["243.bear", "243.bear", "384.bear", "384.bear"]
    assert stimuli.table["position"].tolist() == [1, 0, 0, 1]
    shown = stimuli.shown().table
    assert set(shown.columns) == {"text", "context_id", "position"}


def test_recordings_of_sentences_keep_their_coordinates(archive):
    found = check_neural(sentences(archive).assembly())
    assert found["story"].values.tolist() == ["x", "x", "y", "y"]
    assert found["subject"].values.tolist() == ["s1", "s1"]
    np.testing.assert_array_equal(found.values, np.arange(8.0).reshape(4, 2))


def test_one_id_with_two_texts_is_an_error(archive):
    along = ("presentation",)
    coords = {"stimulus_id": (along, ["0", "0"]), "word": (along, ["If", "you"])}
    archive.add_words("Twice", np.ones((2, 1)), ("presentation", "neuroid"), coords)
    with pytest.raises(StimuliError, match="two texts: 0"):
        registry.data.create("brainscore/Twice").stimuli()


def test_reading_times_are_by_word_and_subject(archive):
    along = ("presentation",)
    archive.add_words(
        "Times",
        [[300.0, np.nan], [310.0, 290.0]],
        ("presentation", "subject"),
        {
            "stimulus_id": (along, [1, 2]),
            "word": (along, ["If", "you"]),
            "story_id": (along, [1, 1]),
            "word_within_sentence_id": (along, [1, 2]),
            "subject_id": (("subject",), ["A1", "B2"]),
        },
        form="BehavioralAssembly",
    )
    data = registry.data.create("brainscore/Times")
    found = data.assembly()
    assert found.dims == ("presentation", "subject")
    assert found["subject"].values.tolist() == ["A1", "B2"]
    assert found["story"].values.tolist() == [1, 1]
    assert found["stimulus_id"].values.tolist() == ["1", "2"]
    np.testing.assert_array_equal(found.values, [[300.0, np.nan], [310.0, 290.0]])
    assert data.stimuli().table["position"].tolist() == [0, 1]


def test_a_ceiling_is_an_array_without_stimuli(archive):
    archive.add_words(
        "Words-ridge.ceiling",
        [0.32, 0.01],
        ("aggregation",),
        {"aggregation": (("aggregation",), ["center", "error"])},
        kind="ceiling",
        form="Score",
        name="__xarray_dataarray_variable__",
    )
    data = registry.data.create("brainscore/Words-ridge.ceiling")
    found = data.assembly()
    assert float(found.sel(aggregation="center")) == 0.32
    with pytest.raises(NotInData, match="is a ceiling"):
        data.stimuli()


def test_a_single_number_is_an_array_too(archive):
    archive.add_words("Words-ridge.ceiling", 0.32, (), {}, kind="ceiling", form="Score")
    assert float(registry.data.create("brainscore/Words-ridge.ceiling").assembly()) == 0.32
