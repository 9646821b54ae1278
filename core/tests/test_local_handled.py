"""A lab's folder that is not as it should be, but from which the right data are read."""

import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from core.tests.defects_of_arrays import ragged
from core.tests.lab_folder import (
    STIMULI,
    behaviour,
    behavioural,
    edit,
    long_table,
    only,
    responding,
    trials,
)
from core.tests.lab_folder import sound as sound

from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.report import examine


def test_unicode_names_are_read_composed_or_decomposed(sound):
    (sound.folder / "images" / "img02.png").rename(sound.folder / "images" / "o\u0308l 猫.png")
    edit(sound.folder / "stimuli.csv", "img02,images/img02.png", "öl 猫,images/öl 猫.png")
    report = examine(sound)
    assert report.problems == ()
    assert load_stimuli(sound).stimulus_ids[2] == "öl 猫"
    assert load_stimuli(sound).image("öl 猫").shape == (6, 6, 3)


def test_ragged_repeats_are_averaged_over_the_trials_there_are(sound):
    ragged(sound)
    assembly = load_assembly(sound, load_stimuli(sound))
    mean = assembly.mean("trial").isel(presentation=3, time_bin=0).values
    np.testing.assert_allclose(mean, trials()[:, 3, :2].mean(axis=1))


def test_a_table_of_100000_rows_is_examined_in_seconds(sound):
    count = 100_000
    generator = np.random.default_rng(0)
    ids = np.repeat([f"img{n:02d}" for n in range(STIMULI)], count // STIMULI + 1)[:count]
    pd.DataFrame(
        {
            "stimulus_id": ids,
            "neuroid_id": "n0",
            "repetition": np.arange(count),
            "value": generator.normal(size=count),
        }
    ).to_csv(sound.folder / "responses.csv", index=False)
    started = time.perf_counter()
    report = examine(responding(sound, file="responses.csv", dims=(), neuroids=None))
    assert time.perf_counter() - started < 10  # 0.4 s where it was written
    assert report.usable
    assert "4167 trial" in report.facts["responses"]


def test_a_stimulus_table_of_100000_rows_is_read_in_seconds(sound):
    count = 100_000
    pd.DataFrame(
        {
            "stimulus_id": [f"w{n}" for n in range(count)],
            "text": [f"word {n}" for n in range(count)],
        }
    ).to_csv(sound.folder / "stimuli.csv", index=False)
    started = time.perf_counter()
    stimuli = load_stimuli(replace(sound, modality="text"))
    assert time.perf_counter() - started < 10
    assert len(stimuli) == count


@pytest.mark.parametrize("ids", [["001", "1e5", "NA"], ["1", "1.0", "01"], ["True", "null", "-"]])
def test_ids_that_look_like_numbers_stay_as_they_are(sound, ids):
    for n, name in enumerate(ids):
        edit(sound.folder / "stimuli.csv", f"img{n:02d},", f"{name},")
    assert load_stimuli(sound).stimulus_ids[:3] == ids
    assert examine(sound).problems == ()


@pytest.mark.parametrize("how", ["bom", "semicolons", "tabs", "windows lines", "blank lines"])
def test_tables_are_read_however_they_were_saved(sound, how):
    before = load_stimuli(sound)
    path = sound.folder / "stimuli.csv"
    text = path.read_text()
    changed = {
        "bom": "\ufeff" + text,
        "semicolons": text.replace(",", ";"),
        "tabs": text.replace(",", "\t"),
        "windows lines": text.replace("\n", "\r\n"),
        "blank lines": text.replace("\nimg05", "\n\nimg05") + "\n\n",
    }[how]
    path.write_bytes(changed.encode())
    assert load_stimuli(sound).table.equals(before.table)
    assert examine(sound).problems == ()


def test_rows_are_counted_as_an_editor_does_past_blank_lines_and_line_breaks_in_cells(sound):
    edit(sound.folder / "stimuli.csv", "img05", "\nimg05")
    edit(sound.folder / "stimuli.csv", "img08.png,dog", 'img08.png,"a\nb"')
    (sound.folder / "images" / "img10.png").unlink()
    lines = (sound.folder / "stimuli.csv").read_text().splitlines()
    row = 1 + next(n for n, line in enumerate(lines) if line.startswith("img10"))
    assert only(examine(sound), "error", "img10").where == f"stimuli.csv, row {row}, column path"


def test_decimal_commas_are_read_and_told(sound):
    table = long_table(sound.folder)
    table.to_csv(sound.folder / "responses.csv", index=False, sep=";", decimal=",")
    described = responding(sound, file="responses.csv", dims=())
    assert "decimal comma" in only(examine(described), "warning", "decimal comma").what
    assembly = load_assembly(described, load_stimuli(described))
    np.testing.assert_allclose(assembly.isel(time_bin=0).values, trials().transpose(1, 0, 2))


def test_backslashes_of_windows_are_read_as_slashes_and_told(sound):
    edit(sound.folder / "stimuli.csv", "images/", "images\\", -1)
    report = examine(sound)
    assert report.usable
    assert only(report, "warning", "backslashes").where == "stimuli.csv, row 2, column path"


def test_the_only_order_of_axes_that_fits_is_taken_and_told(sound):
    described = responding(sound, dims=())
    problem = only(examine(described), "warning", "only")
    assert '["neuroid", "presentation", "repetition"] fits' in problem.what
    expected = load_assembly(sound, load_stimuli(sound))
    assert load_assembly(described, load_stimuli(described)).equals(expected)


def test_an_array_in_fortran_order_is_read_alike(sound):
    expected = load_assembly(sound, load_stimuli(sound)).copy(deep=True)
    np.save(sound.folder / "responses.npy", np.asfortranarray(trials()))
    assert load_assembly(sound, load_stimuli(sound)).equals(expected)


def test_images_in_a_zip_are_unpacked_and_those_of_the_folder_are_not_needed(sound):
    before = load_stimuli(sound).digest()
    with zipfile.ZipFile(sound.folder / "images.zip", "w") as archive:
        for path in sorted((sound.folder / "images").iterdir()):
            archive.write(path, f"images/{path.name}")
            path.unlink()
    report = examine(sound)
    assert report.problems == ()
    assert "images.zip" in report.digests
    assert load_stimuli(sound).digest() == before
    edit(sound.folder / "stimuli.csv", "images/", "images.zip/images/", -1)
    assert load_stimuli(sound).digest() == before


def test_unpacked_images_that_were_lost_are_unpacked_again(sound):
    with zipfile.ZipFile(sound.folder / "images.zip", "w") as archive:
        for path in sorted((sound.folder / "images").iterdir()):
            archive.write(path, f"images/{path.name}")
            path.unlink()
    first = load_stimuli(sound)
    Path(first.table["path"].iloc[4]).unlink()
    assert load_stimuli(sound).image("img04").shape == (6, 6, 3)


def test_right_and_wrong_answers_are_ones_and_zeros(sound):
    behaviour(sound.folder, correct=["TRUE", "False"] * STIMULI)
    described = behavioural(sound, value="correct", task="label")
    assembly = load_assembly(described, load_stimuli(described))
    assert list(assembly.values) == [1, 0] * STIMULI
    assert set(assembly["subject"].values) == {"s1", "s2"}


def test_an_index_that_was_saved_along_is_left_out_and_told(sound):
    table = pd.read_csv(sound.folder / "stimuli.csv")
    table.to_csv(sound.folder / "stimuli.csv")
    report = examine(sound)
    assert report.usable
    assert only(report, "warning", "no name").where == "stimuli.csv, row 1"
    assert list(load_stimuli(sound).table.columns) == ["path", "object"]
