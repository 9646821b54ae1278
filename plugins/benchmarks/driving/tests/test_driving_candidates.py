"""Pools of candidates from files, folders and data sets."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from corteval import registry
from corteval.errors import StimuliError, UnknownIdentifier
from corteval.stimuli import StimulusSet
from corteval.testing import toys
from corteval_driving.candidates import RecordedPool, new_only, read_candidates


def texts(*sentences, **columns):
    ids = pd.Index([f"s{n}" for n in range(len(sentences))], name="stimulus_id")
    table = pd.DataFrame({"text": sentences, **columns}, index=ids)
    return StimulusSet(identifier="sentences", modality="text", table=table)


def test_a_text_file_has_a_sentence_a_line(tmp_path):
    file = tmp_path / "pool.txt"
    file.write_text("\ufeffThe cat sat.\n\n  Très bien!  \r\nNo end", "utf-8")
    found = read_candidates(str(file), "text")
    assert found.table["text"].to_dict() == {
        "line-1": "The cat sat.",
        "line-3": "Très bien!",
        "line-4": "No end",
    }


@pytest.mark.parametrize(("name", "separator"), [("pool.csv", ","), ("pool.tsv", "\t")])
def test_a_table_has_texts_and_perhaps_ids(tmp_path, name, separator):
    file = tmp_path / name
    file.write_text(
        separator.join(["stimulus_id", "sentence"]) + f"\na{separator}NA\nb{separator}Two"
    )
    assert read_candidates(str(file), "text").table["text"].to_dict() == {"a": "NA", "b": "Two"}
    file.write_text("text\nOne\n")
    assert read_candidates(str(file), "text").stimulus_ids == ["row-1"]


def test_a_folder_has_images(tmp_path):
    for name in ("b.png", "a.PNG"):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / name, "png")
    (tmp_path / "notes.txt").write_text("not one of them")
    found = read_candidates(str(tmp_path), "image")
    assert found.stimulus_ids == ["a.PNG", "b.png"]
    assert found.image("b.png").shape == (4, 4)


def test_a_data_set_gives_its_stimuli():
    with toys.registered():
        assert read_candidates("ToyData", "image") == registry.data.create("ToyData").stimuli()
        with pytest.raises(StimuliError, match="image stimuli; the data have text"):
            read_candidates("ToyData", "text")


def test_what_is_neither_a_file_nor_a_data_set_is_told(tmp_path):
    with pytest.raises(UnknownIdentifier, match=r"no file '.*pool\.txt'"):
        read_candidates("pool.txt", "text")


@pytest.mark.parametrize(
    ("name", "content", "modality", "words"),
    [
        ("pool.txt", b"\n \n", "text", "has no text"),
        ("pool.txt", b"\xff\xfe\x00", "text", "UTF-8"),
        ("pool.txt", b"A sentence", "image", "lie in a folder"),
        ("pool.csv", b"a,b\n1,2\n", "text", "has the columns a, b"),
        ("pool.csv", b"text\n \n", "text", "no text in its column"),
        ("pool.csv", b"", "text", "no readable text"),
    ],
)
def test_files_without_candidates_are_refused(tmp_path, name, content, modality, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StimuliError, match=words):
        read_candidates(str(tmp_path / name), modality)


@pytest.mark.parametrize(("modality", "words"), [("text", "is a folder"), ("image", "no images")])
def test_folders_without_candidates_are_refused(tmp_path, modality, words):
    with pytest.raises(StimuliError, match=words):
        read_candidates(str(tmp_path), modality)


def test_repetitions_and_what_was_recorded_are_left_out_by_content():
    pool = texts("One", "Two", "One", "Three", "Three", "Three")
    found, notes = new_only(pool, [texts("Three", "Four")])
    assert found.table["text"].tolist() == ["One", "Two"]
    assert notes == (
        "1 candidates repeat an earlier one and are left out",
        "3 candidates were recorded and are left out",
    )
    same, none = new_only(texts("One", "Two"))
    assert (len(same), none) == (2, ())
    with pytest.raises(StimuliError, match="None of the 2 candidates is new"):
        new_only(texts("One", "Two"), [texts("Two", "One")])


def test_features_do_not_depend_on_blocks():
    pool = texts(*[f"Sentence {n} of many" for n in range(11)])
    whole = RecordedPool(model=toys.text(), stimuli=pool, target="IT")
    (expected,) = whole.blocks()
    parts = [*RecordedPool(model=toys.text(), stimuli=pool, target="IT", block=4).blocks()]
    assert [len(part) for part in parts] == [4, 4, 3]
    np.testing.assert_allclose(np.concatenate(parts), expected)
    np.testing.assert_allclose(whole.rows(np.array([9, 2])), expected[[9, 2]])


def test_candidates_in_context_are_read_in_it():
    """The toy averages over the context so far: alone, a later sentence would differ."""
    stories = {"context_id": [*"aabb"], "position": [0, 1, 0, 1]}
    pool = texts("One dog", "two cats", "three birds", "four fish", **stories)
    inside = RecordedPool(model=toys.text(), stimuli=pool, target="IT", block=1)
    (features,) = inside.blocks()
    np.testing.assert_allclose(inside.rows(np.array([3])), features[[3]])
    alone = RecordedPool(model=toys.text(), stimuli=texts("four fish"), target="IT")
    assert np.abs(next(alone.blocks())[0] - features[3]).max() > 1e-6
