"""Columns under a laboratory's own names, wide tables, ids that spreadsheets have changed."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image

from corteval.errors import DatasetError
from corteval.local.description import guessed, read_description, write_description
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.report import examine

COUNT = 6
IDS = [f"im{n}" for n in range(COUNT)]
FILES = [f"{name}.png" for name in IDS]
CATEGORIES = ["cat", "dog"] * 3


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in FILES:
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(tmp_path / name)
    return tmp_path


def table(folder, name, **columns):
    pd.DataFrame(columns).to_csv(folder / name, index=False)


def described(folder, **given):
    return guessed(folder, id="Toy", **given)[0]


def said(description, severity):
    return [str(p) for p in examine(description).problems if p.severity == severity]


def assembly_of(description):
    return load_assembly(description, load_stimuli(description))


def trials(folder, **columns):
    table(folder, "stimuli.csv", image_id=IDS, filename=FILES, category=CATEGORIES)
    table(folder, "trials.csv", image_id=IDS, **columns)


def test_well_known_names_of_columns_are_written_into_the_description(folder):
    table(folder, "stimuli.csv", image_id=IDS, filename=FILES)
    values = np.random.default_rng(1).normal(size=(COUNT, 2))
    rows = [(IDS[n], f"n{k}", values[n, k]) for n in range(COUNT) for k in range(2)]
    frame = pd.DataFrame(rows, columns=["image_id", "neuron", "firing_rate"])
    frame.to_csv(folder / "rates.csv", index=False)
    table(folder, "cells.csv", neuron=["n0", "n1"], participant=["m1", "m2"])
    description = described(folder, target="V4")
    write_description(description)
    description = read_description(folder)
    assert description.columns == {
        "path": "filename",
        "stimulus_id": "image_id",
        "neuroid_id": "neuron",
        "subject": "participant",
    }
    found = assembly_of(description)
    np.testing.assert_allclose(found.values, values, rtol=1e-15)
    assert list(found["subject"].values) == ["m1", "m2"]
    assert "path is 'filename'" in examine(description).facts["columns called"]


def test_two_names_for_one_thing_are_asked_about_and_none_is_taken(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, filename=FILES, image_path=FILES)
    np.save(folder / "r.npy", np.zeros((COUNT, 2)))
    description, questions = guessed(folder, id="Toy")
    assert "path" not in description.columns
    asked = next(q for q in questions if q.field == "columns.path")
    assert asked.choices == ("filename", "image_path")


def test_a_name_is_left_alone_beside_the_standard_one(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, image_id=range(COUNT), path=FILES)
    np.save(folder / "r.npy", np.zeros((COUNT, 2)))
    assert described(folder).columns == {}


def test_words_beside_subjects_that_name_categories_are_choices(folder):
    trials(folder, observer=list("aabbcc"), response=["cat", "cat", "dog"] * 2)
    description = described(folder)
    assert (description.responses.task, description.responses.value) == ("label", "choice")
    assert description.columns["subject"] == "observer"
    assert list(assembly_of(description).values) == ["cat", "cat", "dog"] * 2


def test_answers_beside_subjects_are_choices_whatever_their_words(folder):
    trials(folder, observer=list("aabbcc"), answer=["Katze", "Hund"] * 3)
    assert described(folder).columns["choice"] == "answer"


def test_other_words_are_asked_about_and_said_not_to_be_numbers(folder):
    trials(folder, observer=list("aabbcc"), response=["Katze", "Hund"] * 3)
    description, questions = guessed(folder, id="Toy")
    assert description.responses.task == ""
    assert next(q for q in questions if q.field == "columns.choice").choices == ("response",)
    (error,) = said(description, "error")
    assert "'Katze' are words, not numbers" in error
    assert "--column choice=response and --task label" in error


def test_numbers_called_response_are_not_choices(folder):
    trials(folder, neuron=["n0"] * COUNT, response=range(COUNT))
    description = described(folder, target="V4")
    assert description.responses.task == ""
    np.testing.assert_array_equal(assembly_of(description).values[:, 0], range(COUNT))


def test_reading_times_keep_the_unit_of_their_file(folder):
    words = ["the", "cat", "sat", "on", "the", "mat"]
    table(folder, "words.csv", word_id=range(COUNT), word=words)
    table(folder, "t.csv", word_id=range(COUNT), reader=list("ababab"), RT=range(300, 306))
    description = described(folder)
    assert description.responses.task == "reading_time"
    np.testing.assert_array_equal(assembly_of(description).values, range(300, 306))
    warnings = [text for text in said(description, "warning") if "'RT'" in text]
    assert len(warnings) == 1
    assert "as the file has them, as milliseconds" in warnings[0]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_wide_table_has_a_neuroid_a_column_and_repetitions_in_rows(folder, suffix):
    table(folder, "stimuli.csv", stimulus_id=IDS, path=FILES, luminance=range(COUNT))
    values = np.random.default_rng(1).normal(size=(COUNT, 2, 3))
    wide = pd.DataFrame(
        {
            "stimulus_id": IDS * 3,
            "luminance": list(range(COUNT)) * 3,
            "session": 1,
            **{f"u{k}": values[:, k].T.ravel() for k in range(2)},
        }
    )
    if suffix == "csv":
        wide.to_csv(folder / "wide.csv", index=False)
    else:
        wide.to_parquet(folder / "wide.parquet")
    description = described(folder, target="V4", visual_degrees=8.0)
    assert description.responses.file == f"wide.{suffix}"
    found = assembly_of(description)
    assert found.dims == ("presentation", "neuroid", "trial")
    assert list(found["neuroid_id"].values) == ["u0", "u1"]
    np.testing.assert_allclose(found.values, values, rtol=1e-15)
    assert any("every column of numbers is taken" in text for text in said(description, "warning"))


def test_a_slip_in_a_wide_table_is_told_and_hides_no_neuroid(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, path=FILES)
    table(folder, "wide.csv", stimulus_id=IDS, u0=range(COUNT), u1=[1, 2, "x", 4, 5, 6])
    (error,) = said(described(folder, target="V4"), "error")
    assert "row 4, column u1: 'x' is not a number" in error


@pytest.mark.parametrize(
    "known, cells", [("{:03d}", "{:d}"), ("{:d}", "{:03d}"), ("im{:02d}", "im{:d}")]
)
@pytest.mark.parametrize("behaviour", [False, True])
def test_leading_zeros_that_were_lost_are_one_error(folder, known, cells, behaviour):
    ids = [cells.format(n) for n in range(COUNT)]
    table(folder, "stimuli.csv", stimulus_id=[known.format(n) for n in range(COUNT)], path=FILES)
    if behaviour:
        table(folder, "r.csv", stimulus_id=ids, subject=list("aabbcc"), choice=CATEGORIES)
    else:
        table(folder, "r.csv", stimulus_id=ids, neuroid_id=["a"] * COUNT, value=range(COUNT))
    (error,) = said(described(folder, visual_degrees=8.0), "error")
    assert "leading zeros" in error
    assert repr(known.format(0)) in error


def test_leading_zeros_that_tell_ids_apart_are_not_ignored(folder):
    ids = ["1", "01", "2", "3", "4", "5"]
    table(folder, "stimuli.csv", stimulus_id=ids, path=FILES)
    cells = ["001", *ids[1:]]
    table(folder, "r.csv", stimulus_id=cells, neuroid_id=["a"] * COUNT, value=range(COUNT))
    errors = said(described(folder), "error")
    assert any("has no '001'" in text for text in errors)


def test_ids_of_which_none_is_known_are_one_error(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, path=FILES)
    other = [f"question {n}" for n in range(COUNT)]
    table(folder, "r.csv", stimulus_id=other, neuroid_id=["a"] * COUNT, value=range(COUNT))
    (error,) = said(described(folder), "error")
    assert "None of 6 ids is known: this has 'question 0'" in error
    assert "the stimulus table has 'im0'" in error


def test_values_of_unknown_ids_are_not_told_as_missing_too(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, path=FILES)
    cells = ["im0x", *IDS[1:]]
    table(folder, "r.csv", stimulus_id=cells, neuroid_id=["a"] * COUNT, value=range(COUNT))
    (error,) = said(described(folder), "error")
    assert "has no 'im0x'" in error


def test_areas_of_neuroids_are_said_not_to_be_regions(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, path=FILES)
    np.save(folder / "r.npy", np.random.default_rng(0).normal(size=(COUNT, 3)))
    table(folder, "neuroids.csv", neuroid_id=list("abc"), area=["V4", "IT", "IT"])
    for given in ({}, {"target": "V4"}):
        told = [text for text in said(described(folder, **given), "warning") if "'area'" in text]
        assert len(told) == 1
        assert "V4, IT" in told[0]
        assert "--column region=area" in told[0]
    mapped = described(folder, columns={"region": "area"})
    assert not [text for text in said(mapped, "warning") if "'area'" in text]


def test_neuroids_without_a_region_are_said_to_belong_to_no_target(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, path=FILES)
    np.save(folder / "r.npy", np.random.default_rng(0).normal(size=(COUNT, 3)))
    table(folder, "neuroids.csv", neuroid_id=list("abc"), region=["V4", "", "IT"])
    told = said(described(folder), "warning")
    assert any("belong to no target, 1 in all: 'b'" in text for text in told)
    told = said(described(folder, target="V4"), "warning")
    assert not any("no target" in text for text in told)


def test_words_that_occur_again_are_one_warning_and_none_within_contexts(folder):
    words = ["the", "cat", "and", "the", "dog", "and", "the", "cow"]
    columns = {"stimulus_id": range(8), "text": words}
    table(folder, "stimuli.csv", **columns)
    np.save(folder / "r.npy", np.random.default_rng(0).normal(size=(8, 3)))
    told = [t for t in said(described(folder, target="LH"), "warning") if "another one" in t]
    assert len(told) == 1
    assert "5 texts" in told[0]
    assert "'the' in rows 2, 5 and 8" in told[0]
    table(folder, "stimuli.csv", **columns, context_id=["story"] * 8, position=range(8))
    assert said(described(folder, target="LH"), "warning") == []


def test_a_file_that_is_no_image_is_quoted_once(folder):
    (folder / FILES[2]).write_text("no image")
    table(folder, "stimuli.csv", stimulus_id=IDS, path=FILES)
    np.save(folder / "r.npy", np.random.default_rng(0).normal(size=(COUNT, 3)))
    (error,) = said(described(folder), "error")
    assert "'im2.png'" in error
    assert "''" not in error


def test_coordinates_of_a_netcdf_file_have_the_names_of_the_description(folder):
    table(folder, "stimuli.csv", image_id=IDS, path=FILES)
    values = np.random.default_rng(1).normal(size=(COUNT, 2))
    xr.DataArray(
        values[::-1],
        dims=("image", "electrode"),
        coords={"image_id": ("image", IDS[::-1])},
        name="rates",
    ).to_netcdf(folder / "r.nc", engine="scipy")
    found = assembly_of(described(folder, target="V4"))
    np.testing.assert_allclose(found.values, values)


def test_a_folder_without_responses_names_the_flags(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, path=FILES)
    with pytest.raises(DatasetError, match=r"--responses FILE, and the column by --value"):
        described(folder)


def test_a_column_that_was_made_up_is_not_listed(folder):
    table(folder, "stimuli.csv", picture=FILES, score=range(COUNT))
    errors = said(described(folder), "error")
    assert any("there are 'picture', 'score'. If 'picture' is meant" in text for text in errors)
