"""A lab's folder with a defect: examination names file, row, value and next step, or copes."""

import io
import json
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import xarray as xr
from PIL import Image

from corteval.errors import DatasetError
from corteval.local import probe
from corteval.local.description import Description, Responses
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.report import examine

STIMULI, NEUROIDS, TRIALS = 24, 5, 4


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))


def png(seed=0):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def trials(seed=0):
    """(neuroid, presentation, repetition)"""
    generator = np.random.default_rng(seed)
    signal = generator.normal(size=(NEUROIDS, STIMULI, 1))
    return signal + 0.5 * generator.normal(size=(NEUROIDS, STIMULI, TRIALS))


@pytest.fixture
def sound(tmp_path):
    """A folder in which nothing is wrong."""
    folder = tmp_path / "MyLab"
    (folder / "images").mkdir(parents=True)
    names = [f"img{n:02d}" for n in range(STIMULI)]
    for n, name in enumerate(names):
        (folder / "images" / f"{name}.png").write_bytes(png(n))
    pd.DataFrame(
        {
            "stimulus_id": names,
            "path": [f"images/{name}.png" for name in names],
            "object": ["dog", "cat"] * (STIMULI // 2),
        }
    ).to_csv(folder / "stimuli.csv", index=False)
    np.save(folder / "responses.npy", trials())
    pd.DataFrame({"neuroid_id": [f"n{n}" for n in range(NEUROIDS)], "region": "V4"}).to_csv(
        folder / "neuroids.csv", index=False
    )
    return Description(
        folder=folder,
        id="MyLab2026",
        modality="image",
        stimuli="stimuli.csv",
        visual_degrees=8.0,
        responses=Responses(
            file="responses.npy",
            dims=("neuroid", "presentation", "repetition"),
            neuroids="neuroids.csv",
            target="V4",
            time_bin_ms=((0.0, 100.0),),
        ),
    )


def responding(description, **changes):
    return replace(description, responses=replace(description.responses, **changes))


def edit(path, old, new, count=1):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), "utf-8")


def long_table(folder, **columns):
    """The responses as a long table, with columns added or replaced."""
    values = trials()
    rows = [
        (f"img{p:02d}", f"n{n}", k, values[n, p, k])
        for p in range(STIMULI)
        for n in range(NEUROIDS)
        for k in range(TRIALS)
    ]
    table = pd.DataFrame(rows, columns=["stimulus_id", "neuroid_id", "repetition", "value"])
    table = table.assign(**columns)
    table.to_csv(folder / "responses.csv", index=False)
    return table


def behaviour(folder, **columns):
    names = [f"img{n:02d}" for n in range(STIMULI)] * 2
    table = pd.DataFrame(
        {
            "stimulus_id": names,
            "subject": ["s1"] * STIMULI + ["s2"] * STIMULI,
            "choice": ["dog", "cat", "cat"] * (2 * STIMULI // 3),
        }
    ).assign(**columns)
    table.to_csv(folder / "behaviour.csv", index=False)
    return table


def behavioural(description, file="behaviour.csv", **changes):
    return replace(description, responses=Responses(file=file, **changes))


def only(report, severity, text):
    """The one problem of that severity whose words contain `text`."""
    found = [p for p in report.problems if p.severity == severity and text in str(p)]
    assert len(found) == 1, [str(p) for p in report.problems]
    return found[0]


# Each takes a sound folder, breaks it, and returns its description (or a changed one).


def missing_file(d):
    (d.folder / "images" / "img03.png").unlink()


def missing_responses(d):
    (d.folder / "responses.npy").rename(d.folder / "Responses.npy")


def duplicate_id(d):
    edit(d.folder / "stimuli.csv", "img07,", "img03,")


def misaligned_rows(d):
    np.save(d.folder / "responses.npy", trials()[:, :-1])


def neuroid_without_values(d):
    values = trials()
    values[2] = np.nan
    np.save(d.folder / "responses.npy", values)


def constant_neuroid(d):
    values = trials()
    values[4] = 0.7
    np.save(d.folder / "responses.npy", values)


def times_in_seconds(d):
    return responding(d, time_bin_ms=((0.07, 0.17),))


def times_in_microseconds(d):
    return responding(d, time_bin_ms=((70_000.0, 170_000.0),))


def empty_image(d):
    (d.folder / "images" / "img05.png").write_bytes(b"")


def ragged(d):
    values = trials()
    values[:, 3, 2:] = np.nan
    np.save(d.folder / "responses.npy", values)


def cell_not_a_number(d):
    long_table(d.folder)
    lines = (d.folder / "responses.csv").read_text().splitlines()
    lines[40] = lines[40].rpartition(",")[0] + ",4.2*"
    (d.folder / "responses.csv").write_text("\n".join(lines))
    return responding(d, file="responses.csv", dims=())


def ids_differ_by_case(d):
    edit(d.folder / "stimuli.csv", "img07,", "IMG03,")


def corrupt_netcdf(d):
    array = xr.DataArray(trials(), dims=["neuroid", "presentation", "repetition"], name="r")
    array.to_netcdf(d.folder / "responses.nc", engine="h5netcdf")
    content = (d.folder / "responses.nc").read_bytes()
    (d.folder / "responses.nc").write_bytes(content[: len(content) // 2])
    return responding(d, file="responses.nc", dims=())


def no_netcdf(d):
    (d.folder / "responses.nc").write_bytes(b"<html>404</html>")
    return responding(d, file="responses.nc", dims=())


def mat_struct_array(d):
    spikes = np.empty((1, NEUROIDS), [("name", object), ("spikes", object)])
    for n in range(NEUROIDS):
        spikes[0, n] = (f"n{n}", trials()[n])
    scipy.io.savemat(d.folder / "responses.mat", {"units": spikes})
    return responding(d, file="responses.mat")


def mat_struct(d):
    data = {"rate": 20.0, "responses": trials(), "names": "abc"}
    scipy.io.savemat(d.folder / "responses.mat", {"data": data})
    return responding(d, file="responses.mat")


def zip_bomb(d):
    with zipfile.ZipFile(d.folder / "images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("img00.png", "w", force_zip64=True) as member:
            for _ in range(70):
                member.write(bytes(1 << 20))
    edit(d.folder / "stimuli.csv", "images/", "images.zip/", -1)


def npz_bomb(d):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (NEUROIDS, STIMULI, 1 << 17)}
    )
    with zipfile.ZipFile(d.folder / "r.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x.npy", "w") as member:
            member.write(header.getvalue())
            for _ in range(NEUROIDS * STIMULI):
                member.write(bytes(1 << 20))
    return responding(d, file="r.npz")


def pickled_npy(d):
    ragged = np.empty(NEUROIDS, object)
    ragged[:] = [list(range(n)) for n in range(NEUROIDS)]
    np.save(d.folder / "responses.npy", ragged, allow_pickle=True)


def pickled_npz(d):
    np.savez(d.folder / "r.npz", x=np.array([{"a": 1}], object), allow_pickle=True)
    return responding(d, file="r.npz", variable="x")


def complex_values(d):
    np.save(d.folder / "responses.npy", trials() + 1j)


def infinite_value(d):
    values = trials()
    values[1, 6, 2] = -np.inf
    np.save(d.folder / "responses.npy", values)


def wrong_order_of_axes(d):
    return responding(d, dims=("presentation", "neuroid", "repetition"))


def too_few_dims(d):
    return responding(d, dims=("neuroid", "presentation"))


def no_dims_several_fit(d):
    return responding(d, dims=(), time_bin_ms=())


def longer_neuroid_table(d):
    edit(d.folder / "neuroids.csv", "n4,V4", "n4,V4\nn5,V4")


def missing_neuroid_id(d):
    edit(d.folder / "neuroids.csv", "n3,V4", ",V4")


def repeated_neuroid_id(d):
    edit(d.folder / "neuroids.csv", "n3,V4", "n1,V4")


def repeated_neuroid_id_of_a_long_table(d):
    long_table(d.folder)
    repeated_neuroid_id(d)
    return responding(d, file="responses.csv", dims=())


def path_that_leaves(d):
    edit(d.folder / "stimuli.csv", "images/img02.png", "../secret.png")


def absolute_path(d):
    edit(d.folder / "stimuli.csv", "images/img02.png", "C:\\\\data\\\\img02.png")


def link_that_leaves(d):
    outside = d.folder.parent / "outside.png"
    outside.write_bytes(png())
    (d.folder / "images" / "img02.png").unlink()
    (d.folder / "images" / "img02.png").symlink_to(outside)


def responses_link_that_leaves(d):
    (d.folder / "responses.npy").rename(d.folder.parent / "r.npy")
    (d.folder / "responses.npy").symlink_to(d.folder.parent / "r.npy")


def folder_link_that_leaves(d):
    (d.folder / "images").rename(d.folder.parent / "elsewhere")
    (d.folder / "images").symlink_to(d.folder.parent / "elsewhere")


def truncated_image(d):
    path = d.folder / "images" / "img04.png"
    path.write_bytes(path.read_bytes()[:60])


def path_of_other_case(d):
    edit(d.folder / "stimuli.csv", "images/img02.png", "images/IMG02.PNG")


def texts(d, **columns):
    ids = pd.read_csv(d.folder / "stimuli.csv")["stimulus_id"]
    table = pd.DataFrame({"stimulus_id": ids, "text": [f"word {n}" for n in range(STIMULI)]})
    table.assign(**columns).to_csv(d.folder / "stimuli.csv", index=False)
    return replace(d, modality="text")


def empty_text(d):
    edited = texts(d)
    edit(d.folder / "stimuli.csv", "word 9", "   ")
    return edited


def repeated_position(d):
    positions = [*range(12), *range(11), 3]
    return texts(d, context_id=["a"] * 12 + ["b"] * 12, position=positions)


def positions_without_context(d):
    return texts(d, position=[0, 1] * (STIMULI // 2))


def lost_character(d):
    edited = texts(d)
    edit(d.folder / "stimuli.csv", "word 9", "caf\ufffd")
    return edited


def reversed_bin(d):
    return responding(d, time_bin_ms=((170.0, 70.0),))


def more_bins_than_times(d):
    return responding(
        d,
        dims=("neuroid", "presentation", "time_bin"),
        time_bin_ms=((0.0, 50.0), (50.0, 100.0)),
    )


def missing_combination(d):
    table = long_table(d.folder)
    gone = (table["stimulus_id"] == "img02") & (table["neuroid_id"] == "n3")
    table[~gone].to_csv(d.folder / "responses.csv", index=False)
    return responding(d, file="responses.csv", dims=())


def doubled_combination(d):
    table = long_table(d.folder)
    pd.concat([table, table.iloc[[10]]]).to_csv(d.folder / "responses.csv", index=False)
    return responding(d, file="responses.csv", dims=())


def unknown_stimulus(d):
    long_table(d.folder)
    edit(d.folder / "responses.csv", "img01,", "img1,")
    return responding(d, file="responses.csv", dims=())


def no_group_column(d):
    return replace(d, group_by="objects")


def one_group(d):
    edit(d.folder / "stimuli.csv", "dog", "cat", -1)
    return replace(d, group_by="object")


def repeated_column(d):
    edit(d.folder / "stimuli.csv", "object", "path")


def long_row(d):
    edit(d.folder / "stimuli.csv", "images/img06.png,dog", "images/img06.png,dog,brown")


def latin_1(d):
    path = d.folder / "stimuli.csv"
    path.write_bytes(path.read_text().replace("img10,", "imgé,").encode("latin-1"))


def excel(d):
    (d.folder / "stimuli.csv").rename(d.folder / "stimuli.xlsx")
    return replace(d, stimuli="stimuli.xlsx")


def thousands(d):
    long_table(d.folder, value="1,234")
    return responding(d, file="responses.csv", dims=())


def pixels_for_degrees(d):
    return replace(d, visual_degrees=256.0)


def silent_stimulus(d):
    values = trials()
    values[:, 11] = np.nan
    np.save(d.folder / "responses.npy", values)


def shuffled_trials(d):
    values = trials()
    generator = np.random.default_rng(0)
    for trial in range(TRIALS):
        values[:, :, trial] = values[:, generator.permutation(STIMULI), trial]
    np.save(d.folder / "responses.npy", values)


def same_image_twice(d):
    (d.folder / "images" / "img08.png").write_bytes(png(2))


def cut_npy(d):
    path = d.folder / "responses.npy"
    path.write_bytes(path.read_bytes()[:-8])


def wrong_words(d):
    behaviour(d.folder, truth="Dog")
    return behavioural(d)


def neither_right_nor_wrong(d):
    behaviour(d.folder)
    edit(d.folder / "behaviour.csv", "choice", "correct")
    edit(d.folder / "behaviour.csv", ",cat", ",1", -1)
    edit(d.folder / "behaviour.csv", ",dog", ",0", -1)
    edit(d.folder / "behaviour.csv", "img03,s1,0", "img03,s1,dog")
    return behavioural(d)


def seconds_of_reading(d):
    behaviour(d.folder, reading_time=np.linspace(0.2, 0.6, 2 * STIMULI)).drop(
        columns="choice"
    ).to_csv(d.folder / "behaviour.csv", index=False)
    return behavioural(d)


def no_choice(d):
    behaviour(d.folder)
    edit(d.folder / "behaviour.csv", "img04,s1,cat", "img04,s1,")
    return behavioural(d)


def text_array(d):
    np.save(d.folder / "responses.npy", trials().astype(str))


def unknown_format(d):
    (d.folder / "responses.npy").rename(d.folder / "responses.xyz")
    return responding(d, file="responses.xyz")


def wide_table(d):
    pd.DataFrame(trials().mean(2).T, columns=[f"cell {n}" for n in range(NEUROIDS)]).assign(
        stimulus_id=[f"img{n:02d}" for n in range(STIMULI)]
    ).to_csv(d.folder / "responses.csv", index=False)
    return responding(d, file="responses.csv", dims=())


DEFECTS = [
    (missing_file, "error", "stimuli.csv, row 5, column path", "'images/img03.png' does not exist"),
    (missing_responses, "error", "", "did you mean 'Responses.npy'?"),
    (duplicate_id, "error", "stimuli.csv, row 9, column stimulus_id", "'img03' stands in row 5"),
    (misaligned_rows, "error", "responses.npy", "23 along presentation where there are 24 stimuli"),
    (neuroid_without_values, "error", "responses.npy, neuroid 3 (n2)", "no value for any stimulus"),
    (constant_neuroid, "warning", "responses.npy, neuroid 5 (n4)", "responses are equal"),
    (
        times_in_seconds,
        "warning",
        "dataset.toml, time_bin_ms",
        "seconds, and would be [70, 170] ms",
    ),
    (times_in_microseconds, "warning", "dataset.toml, time_bin_ms", "would be [70, 170] ms"),
    (empty_image, "error", "stimuli.csv, row 7, column path", "'images/img05.png' has 0 bytes"),
    (ragged, "warning", "responses.npy", "Stimuli have 2 to 4 repeats"),
    (cell_not_a_number, "error", "responses.csv, row 41, column value", "'4.2*' is not a number"),
    (
        ids_differ_by_case,
        "warning",
        "stimuli.csv, row 9, column stimulus_id",
        "'IMG03' differs from 'img03' in row 5",
    ),
    (corrupt_netcdf, "error", "responses.nc", "damaged"),
    (no_netcdf, "error", "responses.nc", "begins with b'<htm'"),
    (
        mat_struct_array,
        "error",
        "responses.mat, variable units",
        "1 x 5 struct array with fields name, spikes; arrays are spikes (24 x 4). Stack",
    ),
    (mat_struct, "error", "responses.mat, variable data", 'variable = "data.responses"'),
    (zip_bomb, "error", "", "images.zip is refused: member 'img00.png' takes it beyond"),
    (npz_bomb, "error", "r.npz, array x", "as a bomb would"),
    (pickled_npy, "error", "responses.npy", "Python objects (pickles)"),
    (pickled_npz, "error", "r.npz, array x", "Python objects (pickles)"),
    (complex_values, "error", "responses.npy", "complex numbers"),
    (
        infinite_value,
        "error",
        "responses.npy, presentation 7 (img06), neuroid 2 (n1)",
        "The value is -inf",
    ),
    (
        wrong_order_of_axes,
        "error",
        "responses.npy",
        'This would fit: dims = ["neuroid", "presentation", "repetition"]',
    ),
    (
        too_few_dims,
        "error",
        "responses.npy",
        "dims names 2 axes (neuroid, presentation), the array "
        'has 3: 5 x 24 x 4. This would fit: dims = ["neuroid", "presentation", "repetition"]',
    ),
    (no_dims_several_fit, "error", "responses.npy", "these fit"),
    (longer_neuroid_table, "error", "responses.npy", "5 along neuroid where there are 6 neuroids"),
    (missing_neuroid_id, "error", "neuroids.csv, row 5, column neuroid_id", "The id is empty"),
    (
        repeated_neuroid_id,
        "error",
        "neuroids.csv, row 5, column neuroid_id",
        "'n1' stands in row 3",
    ),
    (
        repeated_neuroid_id_of_a_long_table,
        "error",
        "neuroids.csv, row 5, column neuroid_id",
        "'n1' stands in row 3",
    ),
    (path_that_leaves, "error", "stimuli.csv, row 4, column path", "leaves the folder by '..'"),
    (absolute_path, "error", "stimuli.csv, row 4, column path", "is an absolute path"),
    (link_that_leaves, "error", "stimuli.csv, row 4, column path", "is a link that leaves"),
    (responses_link_that_leaves, "error", "", "'responses.npy' is a link that leaves"),
    (
        folder_link_that_leaves,
        "error",
        "stimuli.csv, row 2, column path",
        "'images/img00.png' does not exist: the folder 'images' is a link that leaves",
    ),
    (truncated_image, "error", "stimuli.csv, row 6, column path", "not a readable image"),
    (
        path_of_other_case,
        "error",
        "stimuli.csv, row 4, column path",
        "does not exist; there is 'img02.png'",
    ),
    (
        repeated_position,
        "error",
        "stimuli.csv, row 25, column position",
        "Context 'b' has position 3 already",
    ),
    (positions_without_context, "warning", "stimuli.csv, row 1", "no context_id says"),
    (lost_character, "warning", "stimuli.csv, row 11, column text", "has a lost character"),
    (empty_text, "error", "stimuli.csv, row 11, column text", "The text is empty"),
    (reversed_bin, "error", "responses.npy", "from 170 to 70 ms, backwards. Write [70, 170]"),
    (
        more_bins_than_times,
        "error",
        "responses.npy",
        "4 along time_bin where there are 2 time bins",
    ),
    (
        missing_combination,
        "warning",
        "responses.csv, presentation 3 (img02), neuroid 4 (n3)",
        "no value in any trial",
    ),
    (doubled_combination, "error", "responses.csv, row 482", "are those of row 12"),
    (
        unknown_stimulus,
        "error",
        "responses.csv, row 22, column stimulus_id",
        "has no 'img1' (it has 'img",
    ),
    (
        no_group_column,
        "error",
        "stimuli.csv, row 1",
        "no column 'objects' to group by (did you mean",
    ),
    (one_group, "error", "stimuli.csv, column object", "All stimuli are in one group, 'cat'"),
    (repeated_column, "error", "stimuli.csv, row 1", "'path' stands over columns 2 and 3"),
    (long_row, "error", "stimuli.csv, row 8", "4 cells, the header 3 ('brown' is too many)"),
    (latin_1, "error", "stimuli.csv, row 12", "b'\\xe9' is not UTF-8"),
    (excel, "error", "stimuli.xlsx", "Save it as CSV"),
    (thousands, "error", "responses.csv, row 2, column value", "'1,234' may be a decimal number"),
    (pixels_for_degrees, "warning", "dataset.toml, visual_degrees", "Are they pixels?"),
    (
        silent_stimulus,
        "error",
        "responses.npy, presentation 12 (img11)",
        "no value for any neuroid",
    ),
    (shuffled_trials, "warning", "responses.npy", "No neuroid is reliable"),
    (
        same_image_twice,
        "warning",
        "stimuli.csv, row 10",
        "'img08' shows what 'img02' in row 4 does",
    ),
    (
        cut_npy,
        "error",
        "responses.npy",
        "The header says 5 x 24 x 4 of float64, 3840 bytes; the file has 3832",
    ),
    (wrong_words, "warning", "behaviour.csv", "No choice is ever right"),
    (
        neither_right_nor_wrong,
        "error",
        "behaviour.csv, row 5, column correct",
        "'dog' is neither right",
    ),
    (seconds_of_reading, "warning", "behaviour.csv, column reading_time", "would be 400 ms"),
    (no_choice, "error", "behaviour.csv, row 6, column choice", "The cell is empty"),
    (text_array, "error", "responses.npy", "The values are <U"),
    (unknown_format, "error", "responses.xyz", "Files .xyz are not read. Formats are .npy"),
    (
        wide_table,
        "error",
        "responses.csv, row 1",
        "Its columns are not those of the table of neuroids",
    ),
]


#: Found by looking at values and pixels, which loading leaves to whoever uses them.
SEEN_IN_VALUES = (neuroid_without_values, infinite_value, silent_stimulus, truncated_image)


def test_nothing_is_found_in_a_sound_folder(sound):
    report = examine(sound)
    assert report.problems == ()
    assert report.usable
    assert report.facts["repeats"] == "4"


@pytest.mark.parametrize(
    "break_it, severity, where, words", DEFECTS, ids=[case[0].__name__ for case in DEFECTS]
)
def test_a_defect_is_named_with_its_place_and_value(sound, break_it, severity, where, words):
    description = break_it(sound) or sound
    report = examine(description)
    problem = only(report, severity, words)
    assert problem.where == where
    assert report.usable == (severity == "warning")
    if severity == "error" and break_it not in SEEN_IN_VALUES:
        with pytest.raises(DatasetError, match="MyLab2026"):
            load_assembly(description, load_stimuli(description))
    else:
        load_assembly(description, load_stimuli(description))


def test_every_defect_says_what_to_do_next(sound, tmp_path):
    for break_it in (missing_file, duplicate_id, mat_struct_array, wrong_order_of_axes, latin_1):
        folder = tmp_path / break_it.__name__
        folder.mkdir()
        _copied(sound.folder, folder)
        here = replace(sound, folder=folder)
        errors = [p for p in examine(break_it(here) or here).problems if p.severity == "error"]
        assert errors
        assert all(p.next_step for p in errors)


def _copied(source, target):
    import shutil

    shutil.copytree(source, target, dirs_exist_ok=True)


def test_all_problems_are_told_at_once(sound):
    missing_file(sound)
    empty_image(sound)
    infinite_value(sound)
    described = replace(times_in_seconds(sound), group_by="objects")
    report = examine(described)
    for words in ("does not exist", "0 bytes", "-inf", "seconds", "to group by"):
        assert any(words in str(p) for p in report.problems), words
    assert report.problems[0].severity == "error"
    assert report.problems[-1].severity == "warning"


def test_many_problems_of_one_kind_are_shown_five_and_counted(sound):
    for path in (sound.folder / "images").iterdir():
        path.unlink()
    report = examine(sound)
    assert [p.where.split(",")[1] for p in report.problems[:5]] == [
        f" row {n}" for n in range(2, 7)
    ]
    assert "19 more files that cannot be used" in report.problems[5].what
    assert "row 25" in report.problems[5].what


# Handled: nothing is wrong, or it is made right.


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


def test_digests_are_of_every_file_that_is_used(sound):
    import hashlib

    report = examine(sound)
    assert set(report.digests) == {
        "stimuli.csv",
        "responses.npy",
        "neuroids.csv",
        *(f"images/img{n:02d}.png" for n in range(STIMULI)),
    }
    for name, digest in report.digests.items():
        assert digest == hashlib.sha256((sound.folder / name).read_bytes()).hexdigest()


def test_examination_writes_nothing_into_the_folder(sound):
    def state():
        return {p: p.stat().st_mtime_ns for p in sound.folder.rglob("*")}

    before = state()
    examine(sound)
    assert state() == before


def test_bytes_broken_anywhere_never_raise(sound):
    """Any byte of any file may be wrong: the report says so, or the data are other data."""
    array = xr.DataArray(
        trials(),
        dims=["neuroid", "presentation", "repetition"],
        coords={"stimulus_id": ("presentation", [f"img{n:02d}" for n in range(STIMULI)])},
        name="r",
    )
    array.to_netcdf(sound.folder / "r.nc", engine="h5netcdf")
    array.to_netcdf(sound.folder / "classic.nc", engine="scipy")
    np.savez_compressed(sound.folder / "r.npz", r=trials())
    scipy.io.savemat(sound.folder / "r.mat", {"r": trials()}, do_compression=True)
    long_table(sound.folder)
    generator = np.random.default_rng(0)
    stimuli = load_stimuli(sound)
    told = 0
    for name in ("responses.npy", "r.nc", "classic.nc", "r.npz", "r.mat", "responses.csv"):
        dims = () if name.endswith(("nc", "csv")) else sound.responses.dims
        described = responding(sound, file=name, dims=dims, neuroids=None)
        path = sound.folder / name
        content = path.read_bytes()
        for _ in range(25):
            broken = bytearray(content)
            if name not in ("r.nc", "r.mat"):  # their libraries crash at times: see the probe
                for at in generator.integers(0, len(broken), 3):
                    broken[at] = generator.integers(256)
            path.write_bytes(bytes(broken[: generator.integers(1, len(broken) + 1)]))
            try:
                load_assembly(described, stimuli)
            except DatasetError:
                told += 1
        path.write_bytes(content)
    assert told > 75


CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


@pytest.mark.parametrize(
    "program, seconds, words",
    [
        (CRASH, 60, "Reading the file crashes (status"),
        ("import time; time.sleep(60)", 0.2, "Reading the file does not end within 0 s"),
    ],
)
def test_a_file_that_makes_its_library_crash_or_hang_is_an_error_not_the_end(
    sound, monkeypatch, program, seconds, words
):
    scipy.io.savemat(sound.folder / "r.mat", {"r": trials()})
    described = responding(sound, file="r.mat")
    assert examine(described).usable
    monkeypatch.setattr(probe, "_command", lambda *_: [sys.executable, "-c", program])
    monkeypatch.setattr(probe, "_SECONDS", seconds)
    report = examine(described)
    assert only(report, "error", words).where == "r.mat"
    assert "responses" not in report.facts


def test_the_probe_reads_the_file_that_is_meant(sound):
    scipy.io.savemat(sound.folder / "r.mat", {"r": trials()})
    command = probe._command(sound.folder / "r.mat", "r")
    assert probe.outcome(command, 60) == ""
    done = subprocess.run(
        [*command[:1], "-X", "importtime", *command[1:]], capture_output=True, check=True
    )
    assert b"scipy.io.matlab" in done.stderr


def test_a_report_is_plain_words(sound):
    facts = dict(examine(sound).facts)
    assert json.loads(json.dumps(facts)) == facts
