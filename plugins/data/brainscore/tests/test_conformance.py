import pytest

from corteval.testing import run_checks


@pytest.mark.conformance("brainscore")
def test_conformance(identifier, check):
    check(identifier)


def ran(identifier, expected=()):
    """Names of the checks that passed, after none failed."""
    results = {result.name: result for result in run_checks(identifier, kind="data")}
    wrong = {name: result.message for name, result in results.items() if not result.ok}
    assert not wrong
    skipped = {name for name, result in results.items() if result.status == "skipped"}
    assert skipped == set(expected), {name: results[name].message for name in skipped}
    return results


def test_a_recording_with_its_stimuli_keeps_the_contract(archive):
    archive.add_recording()
    ran("brainscore/Set.public")


def test_a_stimulus_set_keeps_the_contract(archive):
    archive.add_recording()
    ran("brainscore/shown", {"assembly_digest", "schema", "stimuli_match"})


def test_behaviour_keeps_the_contract(archive):
    archive.add_recording(stimuli=3)
    coords = {
        "stimulus_id": (("presentation",), ["im0", "im1", "im2", "im0", "im1", "im2"]),
        "subject": (("presentation",), ["a", "a", "a", "b", "b", "b"]),
        "truth": (("presentation",), ["cat", "dog", "cat"] * 2),
    }
    chosen = ["cat", "cat", "dog", "cat", "dog", "dog"]
    archive.add_assembly("Choices", chosen, ("presentation",), coords, stimulus_set="shown")
    ran("brainscore/Choices")


def test_properties_keep_the_contract(archive):
    archive.add_assembly(
        "Properties",
        [[1.0, 2.0], [3.0, 4.0]],
        ("neuroid", "neuroid_property"),
        {
            "neuroid_id": (("neuroid",), [7, 9]),
            "neuroid_property": (("neuroid_property",), ["orientation", "size"]),
        },
        form="PropertyAssembly",
        merges=False,
    )
    skipped = {"stimuli_digest", "modality", "stimuli_match", "stimuli_load", "portable_ids"}
    ran("brainscore/Properties", {*skipped, "hidden_columns"})


def test_recordings_of_sentences_keep_the_contract(archive):
    archive.add_words(
        "Words.language",
        [[1.0, 2.0], [3.0, 4.0]],
        ("presentation", "neuroid"),
        {
            "stimulus_id": (("presentation",), ["s.0", "s.1"]),
            "stimulus": (("presentation",), ["A bird sings.", "It stops."]),
            "neuroid_id": (("neuroid",), ["a.1", "a.2"]),
        },
    )
    ran("brainscore/Words.language")


def test_reading_times_keep_the_contract(archive):
    archive.add_words(
        "Times",
        [[300.0, float("nan")], [310.0, 290.0]],
        ("presentation", "subject"),
        {
            "stimulus_id": (("presentation",), ["w0", "w1"]),
            "word": (("presentation",), ["If", "you"]),
            "subject_id": (("subject",), ["a", "b"]),
        },
        form="BehavioralAssembly",
    )
    ran("brainscore/Times")
