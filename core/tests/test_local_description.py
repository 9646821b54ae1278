"""``dataset.toml``: read back as written, wrong in every way at once, guessed from a folder."""

import os
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval.errors import DatasetError, InvalidIdentifier, OptionError
from corteval.local.description import (
    DIMS,
    Description,
    Responses,
    guessed,
    read_description,
    within,
    write_description,
)

ISSUE = """
id = "MyLab2026"
modality = "image"              # image | text | video
visual_degrees = 8.0
stimuli = "stimuli.csv"
[responses]
file = "responses.npy"
dims = ["neuroid", "presentation"]
neuroids = "neuroids.csv"
target = "V4"
time_bin_ms = [0, 100]
[access]
visibility = "private"
licence = "unpublished"
citation = "..."
"""

names = st.from_regex(r"[a-zA-Z0-9][a-z0-9_]{0,8}\.(csv|npy)", fullmatch=True)
words = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
bins = st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
descriptions = st.builds(
    Description,
    folder=st.none(),
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True),
    modality=st.sampled_from(["image", "text", "video"]),
    stimuli=names,
    visual_degrees=st.none() | st.floats(0.01, 360),
    group_by=st.none() | words,
    visibility=st.sampled_from(["private", "public"]),
    licence=words,
    citation=words,
    species=words,
    responses=st.builds(
        Responses,
        file=names,
        dims=st.lists(st.sampled_from(DIMS), unique=True).map(tuple),
        neuroids=st.none() | names,
        presentations=st.none() | names,
        variable=st.none() | words,
        value=st.none() | words,
        target=words,
        task=st.sampled_from(["", "label", "reading_time"]),
        time_bin_ms=st.lists(bins, max_size=3).map(tuple),
        unit=words,
    ),
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def test_the_form_of_a_description_is_read(folder):
    (folder / "dataset.toml").write_text(ISSUE)
    assert read_description(folder) == Description(
        folder=folder,
        id="MyLab2026",
        modality="image",
        stimuli="stimuli.csv",
        visual_degrees=8.0,
        visibility="private",
        licence="unpublished",
        citation="...",
        responses=Responses(
            file="responses.npy",
            dims=("neuroid", "presentation"),
            neuroids="neuroids.csv",
            target="V4",
            time_bin_ms=((0.0, 100.0),),
        ),
    )


@settings(max_examples=60)
@given(description=descriptions)
def test_what_is_written_is_read_back(tmp_path_factory, description):
    description = replace(description, folder=tmp_path_factory.mktemp("lab"))
    write_description(description)
    assert read_description(description.folder) == description


def test_everything_wrong_is_listed_at_once(folder):
    (folder / "dataset.toml").write_text(
        'Id = "x"\nmodality = "picture"\nvisual_degrees = "8"\ntarget = "V4"\nstimuli = "/etc/x"\n'
        '[responses]\ndims = ["neuron", "presentation"]\ntime_bin_ms = [0, "a"]\nfiles = "r"\n'
        "task = 3\n[acces]\na = 1\n[access]\nvisibility = 'secret'\n"
    )
    with pytest.raises(DatasetError) as caught:
        read_description(folder)
    for words in (
        "Id is no key of a description (did you mean 'id'?)",
        "modality is 'picture', not one of 'image', 'text', 'video'",
        "visual_degrees is '8', not a number of degrees above 0",
        "target is no key of a description here; it belongs into [responses]",
        "stimuli '/etc/x' is an absolute path",
        "responses.dims has 'neuron' (did you mean 'neuroid'?)",
        "responses.time_bin_ms is [0, 'a']",
        "responses.files is no key of a description (did you mean 'file'?)",
        "responses.task is 3, not one of",
        "acces is no key",
        "access.visibility is 'secret'",
        "id is missing",
        "responses.file is missing",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "content, words",
    [
        (b'id = "a', "is no TOML"),
        (b'id = "\xff"', "is not UTF-8 at byte 6"),
        (b"#" * (2 << 20), "a description is a page"),
        (b"a = " + b"[" * 5000, "is no TOML"),
        (b"responses = 3", "responses is 3, not a section"),
        (b'id = "../x"', "is not valid"),
        (b'stimuli = "a/../../b"', "leaves the folder by '..'"),
        (b"visual_degrees = nan", "visual_degrees is nan"),
        (b"visual_degrees = true", "visual_degrees is True"),
        (b'[responses]\ndims = ["neuroid", "neuroid"]', "names an axis twice"),
    ],
)
def test_a_file_that_is_no_description_is_refused_in_words(folder, content, words):
    (folder / "dataset.toml").write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_description(folder)
    assert words in str(caught.value)


def test_a_byte_order_mark_does_no_harm(folder):
    (folder / "dataset.toml").write_text("\ufeff" + ISSUE, "utf-8")
    assert read_description(folder).id == "MyLab2026"


def test_a_folder_without_a_description_says_how_to_get_one(folder):
    with pytest.raises(DatasetError, match="corteval data register"):
        read_description(folder)
    with pytest.raises(DatasetError, match="is not a folder"):
        read_description(folder / "none")


def description_in(folder):
    return Description(
        folder=folder, id="Toy", modality="text", stimuli="s.csv", responses=Responses(file="r.csv")
    )


def test_a_description_is_never_overwritten(folder):
    (folder / "dataset.toml").write_text("mine")
    with pytest.raises(DatasetError, match="is not overwritten"):
        write_description(description_in(folder))
    assert (folder / "dataset.toml").read_text() == "mine"


def test_of_many_writers_one_writes(folder):
    written, refused = [], []

    def write():
        try:
            written.append(write_description(description_in(folder)))
        except DatasetError:
            refused.append(1)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(written), len(refused)) == (1, 7)
    assert [p.name for p in folder.iterdir()] == ["dataset.toml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_an_error_in_words(folder):
    folder.chmod(0o500)
    with pytest.raises(DatasetError, match="cannot be written"):
        write_description(description_in(folder))


# within


@pytest.mark.parametrize(
    "name, words",
    [
        ("", "no name"),
        ("/etc/passwd", "absolute path"),
        ("C:\\data\\x.npy", "absolute path"),
        ("\\\\server\\x", "absolute path"),
        ("../x", "leaves the folder"),
        ("a/../../x", "leaves the folder"),
        ("..\\x", "leaves the folder"),
        ("a\0b", "no name"),
        ("respnses.npy", "did you mean 'responses.npy'?"),
        ("Responses.npy", "did you mean 'responses.npy'?"),
        ("deep/x.npy", "does not exist"),
    ],
)
def test_names_that_are_not_within_a_folder(folder, name, words):
    (folder / "responses.npy").write_bytes(b"")
    with pytest.raises(DatasetError) as caught:
        within(folder, name, "the file of responses")
    assert words in str(caught.value)


def test_links_may_stay_within_a_folder_but_not_leave_it(folder):
    lab = folder / "lab"
    (lab / "deep").mkdir(parents=True)
    (lab / "deep" / "x.npy").write_bytes(b"x")
    (lab / "y.npy").symlink_to(lab / "deep" / "x.npy")
    (folder / "secret").write_bytes(b"s")
    (lab / "z.npy").symlink_to(folder / "secret")
    assert within(lab, "y.npy", "responses").read_bytes() == b"x"
    assert within(lab, "deep\\x.npy", "responses").read_bytes() == b"x"
    with pytest.raises(DatasetError, match="is a link that leaves"):
        within(lab, "z.npy", "responses")


# guessed


def stimuli(folder, count=6, **columns):
    table = {"stimulus_id": [f"s{n}" for n in range(count)]} | columns
    pd.DataFrame(table).to_csv(folder / "stimuli.csv", index=False)


def test_a_guess_finds_tables_arrays_and_the_only_order_of_axes(folder):
    stimuli(folder, path=[f"images/{n}.png" for n in range(6)])
    np.save(folder / "rates.npy", np.zeros((4, 6)))
    pd.DataFrame({"neuroid_id": list("abcd")}).to_csv(folder / "cells.csv", index=False)
    description, questions = guessed(folder, id="MyLab2026", target="V4", visual_degrees=8.0)
    assert questions == ()
    assert description.modality == "image"
    assert description.responses == Responses(
        file="rates.npy", neuroids="cells.csv", dims=("neuroid", "presentation"), target="V4"
    )


def test_a_guess_asks_what_it_cannot_tell(folder):
    stimuli(folder, path=[f"images/{n}.png" for n in range(6)])
    np.save(folder / "a.npy", np.zeros((6, 6)))
    np.save(folder / "b.npy", np.zeros((6, 6)))
    _, questions = guessed(folder, id="MyLab2026")
    for words in (
        "Which file has the responses? There are: a.npy; b.npy. Taken: a.npy. Flag: --responses",
        "There are: presentation,neuroid; neuroid,presentation.",
        "--visual-degrees",
        "--target",
    ):
        assert any(words in str(question) for question in questions), words


def test_a_guess_reads_the_shape_within_a_mat_file(folder):
    stimuli(folder, text=[f"text {n}" for n in range(6)])
    scipy.io.savemat(folder / "data.mat", {"betas": np.zeros((6, 9))})
    description, _ = guessed(folder, id="Toy", target="language_system")
    assert description.modality == "text"
    assert description.responses.dims == ("presentation", "neuroid")


@pytest.mark.parametrize(
    "column, task", [("choice", "label"), ("correct", "label"), ("reading_time", "reading_time")]
)
def test_a_guess_knows_behaviour_by_its_columns(folder, column, task):
    stimuli(folder, text=[f"text {n}" for n in range(6)])
    pd.DataFrame({"stimulus_id": ["s0"], "subject": ["1"], column: ["1"]}).to_csv(
        folder / "trials.csv", index=False
    )
    description, questions = guessed(folder, id="Toy")
    assert (description.responses.file, description.responses.task) == ("trials.csv", task)
    assert questions == ()


def test_a_guess_keeps_what_is_given(folder):
    stimuli(folder, text=[f"text {n}" for n in range(6)], story=list("aabbcc"))
    np.save(folder / "r.npy", np.zeros((6, 6)))
    description, questions = guessed(
        folder,
        id="Toy",
        dims=("neuroid", "presentation"),
        group_by="story",
        licence="CC0-1.0",
        target="LH",
        species=None,
    )
    assert description.responses.dims == ("neuroid", "presentation")
    assert (description.group_by, description.licence) == ("story", "CC0-1.0")
    assert questions == ()


def test_a_guess_knows_columns_by_the_names_that_are_given(folder):
    pd.DataFrame({"sentence": ["a b", "c d"], "lh": [0.5, 0.25]}).to_csv(
        folder / "z.csv", index=False
    )
    pd.DataFrame({"sentence": ["a b", "c d"], "frequency": [1, 2]}).to_csv(
        folder / "features.csv", index=False
    )
    description, _ = guessed(folder, id="Toy", columns={"text": "sentence"}, value="lh")
    assert (description.stimuli, description.modality) == ("z.csv", "text")
    assert description.responses.file == "z.csv"
    videos = {"id": ["a"], "file": ["a.mp4"], "response": [1.0]}
    (folder / "z.csv").unlink()
    (folder / "features.csv").unlink()
    pd.DataFrame(videos).to_csv(folder / "v.csv", index=False)
    description, _ = guessed(folder, id="Toy", columns={"stimulus_id": "id", "path": "file"})
    assert (description.modality, description.stimuli) == ("video", "v.csv")


def test_a_guess_refuses_what_is_no_field_and_no_identifier(folder):
    stimuli(folder, text=[f"text {n}" for n in range(6)])
    np.save(folder / "r.npy", np.zeros((6, 3)))
    with pytest.raises(OptionError, match="did you mean 'target'"):
        guessed(folder, id="Toy", targt="V4")
    with pytest.raises(InvalidIdentifier):
        guessed(folder, id="../Toy")


def test_a_folder_without_stimuli_or_responses_says_what_is_needed(folder):
    with pytest.raises(DatasetError, match=r"no table of stimuli.*Write stimuli\.csv"):
        guessed(folder, id="Toy")
    stimuli(folder, text=[f"text {n}" for n in range(6)])
    with pytest.raises(DatasetError, match=r"no file of responses.*\.npy"):
        guessed(folder, id="Toy")
