"""Packing a data set for another lab, reading it there, and comparing two versions."""

import hashlib
import json
import os
import runpy
import shutil
import site
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import DataCard
from corteval.errors import DatasetError, PluginError
from corteval.local.description import Description, Responses, read_description
from corteval.local.digests import verify
from corteval.local.exchange import comparison
from corteval.local.exchange.differences import Differences
from corteval.local.exchange.packaging import distribution_name, module_name
from corteval.local.exchange.packing import differences, export
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.package import Packaged, from_package
from corteval.local.registration import labelled
from corteval.stimuli import StimulusSet
from corteval.testing.strategies import neural_assemblies

NEUROIDS = ["n1", "n2", "n3"]


def lab(folder, count=4, seed=0, **changes):
    """A folder as a lab may have it: images below two folders, an array, a table of neuroids."""
    generator = np.random.default_rng(seed)
    (folder / "pictures" / "more").mkdir(parents=True)
    names = [f"pictures/{'more/' * (n % 2)}im {n}.png" for n in range(count)]
    for name in names:
        Image.fromarray(generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)).save(folder / name)
    table = {
        "stimulus_id": [f"{n:03d}" for n in range(count)],
        "path": names,
        "category": [["cat", "dög, brown"][n % 2] for n in range(count)],
        "size": [0.1 * n for n in range(count)],
    }
    pd.DataFrame(table).to_csv(folder / "stimuli.csv", index=False)
    neuroids = {"neuroid_id": NEUROIDS, "region": ["V4", "IT", "IT"], "depth": [0.5, 1.5, np.nan]}
    pd.DataFrame(neuroids).to_csv(folder / "neuroids.csv", index=False)
    values = generator.normal(size=(3, count, 5)).astype(np.float32)
    values[:, 1, 3:] = np.nan
    np.save(folder / "responses.npy", values)
    responses = Responses(
        file="responses.npy",
        dims=("neuroid", "presentation", "repetition"),
        neuroids="neuroids.csv",
        target="V4",
        time_bin_ms=((70.0, 170.0),),
        unit="spikes",
    )
    given = {"visual_degrees": 8.0, "visibility": "public", "licence": "CC-BY-4.0", **changes}
    return Description(
        folder=folder,
        id="MyLab2026",
        modality="image",
        stimuli="stimuli.csv",
        responses=responses,
        citation='@article{lab, title = {"Us"}}',
        species="macaque",
        **given,
    )


def reading(folder, rows, task=""):
    """Behaviour with texts: one row a trial."""
    folder.mkdir()
    texts = {"stimulus_id": ["a", "b"], "text": ["One, two\nthree.", "NA"], "condition": ["x", "y"]}
    texts |= {"context_id": ["01", "01"], "position": [2, 1]}
    pd.DataFrame(texts).to_csv(folder / "stimuli.csv", index=False)
    pd.DataFrame(rows).to_csv(folder / "trials.csv", index=False)
    return Description(
        folder=folder,
        id="Readers",
        modality="text",
        stimuli="stimuli.csv",
        responses=Responses(file="trials.csv", task=task),
        visibility="public",
    )


def loaded(description):
    stimuli = load_stimuli(description)
    return stimuli, load_assembly(description, stimuli)


def dataset(target, identifier="MyLab2026"):
    return target / "src" / module_name(identifier) / "dataset"


@pytest.fixture
def original(tmp_path):
    return lab(tmp_path / "lab")


# Packing


def test_what_is_packed_is_read_back_the_same(original, tmp_path):
    target = export(original, tmp_path / "packed")
    packed = read_description(dataset(target))
    (stimuli, array), (stimuli_again, again) = loaded(original), loaded(packed)
    assert stimuli_again.digest() == stimuli.digest()
    assert assemblies.digest(again) == assemblies.digest(array)
    xr.testing.assert_identical(again, array)
    columns = ["category", "size"]
    pd.testing.assert_frame_equal(
        stimuli_again.table[columns], stimuli.table[columns], check_dtype=True
    )
    assert packed == replace(
        original,
        folder=packed.folder,
        responses=replace(
            original.responses, file="responses.nc", dims=(), neuroids=None, variable="responses"
        ),
    )


def test_the_files_are_netcdf_a_table_images_and_their_hashes(original, tmp_path):
    folder = dataset(export(original, tmp_path / "packed"))
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    named = dict(reversed(line.split("  ")) for line in lines)
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert set(named) == set(files) - {"SHA256SUMS"}
    for name, digest in named.items():
        assert hashlib.sha256(files[name].read_bytes()).hexdigest() == digest
    with xr.open_dataset(folder / "responses.nc", engine="h5netcdf") as content:
        assert content["responses"].dims == ("presentation", "neuroid", "time_bin", "trial")
        assert content["responses"].encoding["zlib"]


@given(array=neural_assemblies(), kind=st.sampled_from(["f8", "f4", "i4"]))
@settings(max_examples=15, deadline=None)
def test_a_wide_range_of_assemblies_survives(tmp_path_factory, array, kind):
    assume(all(i.strip() for name in ("stimulus_id", "neuroid_id") for i in array[name].values))
    folder = tmp_path_factory.mktemp("drawn")
    ids = [str(i) for i in array["stimulus_id"].values]
    table = pd.DataFrame({"stimulus_id": ids, "text": [f"text of {i!r}" for i in ids]})
    table.to_csv(folder / "stimuli.csv", index=False, quoting=1)
    array = array.copy(data=np.clip(array.values, -1e6, 1e6).astype(kind))
    array.to_dataset(name="drawn").to_netcdf(folder / "drawn.nc", engine="h5netcdf")
    described = Description(
        folder=folder,
        id="Drawn",
        modality="text",
        stimuli="stimuli.csv",
        responses=Responses(file="drawn.nc", target="IT", variable="drawn"),
        visibility="public",
    )
    stimuli, before = loaded(described)
    packed = read_description(dataset(export(described, folder / "out"), "Drawn"))
    stimuli_again, after = loaded(packed)
    assert stimuli_again.digest() == stimuli.digest()
    assert assemblies.digest(after) == assemblies.digest(before)


@pytest.mark.parametrize(
    "rows",
    [
        {"choice": ["dog", "cat", "NA"], "subject": ["01", "2", "2"], "rt ms": [1.5, np.nan, 3]},
        {"correct": [1, 0, 1], "subject": ["s1", "s2", "s2"]},
        {"reading_time": [312.5, np.nan, 401], "word": ["a b", "c", ""]},
    ],
    ids=["words", "right or wrong", "times"],
)
def test_behaviour_survives_with_its_trials(tmp_path, rows):
    task = "reading_time" if "reading_time" in rows else "label"
    original = reading(tmp_path / "lab", {"stimulus_id": ["b", "a", "b"], **rows}, task)
    target = export(original, tmp_path / "packed")
    (stimuli, array), (stimuli_again, again) = (
        loaded(original),
        loaded(read_description(dataset(target, "Readers"))),
    )
    assert stimuli_again.digest() == stimuli.digest()
    assert stimuli_again.table["text"].tolist() == ["One, two\nthree.", "NA"]
    assert assemblies.digest(again) == assemblies.digest(array)
    assert not replace(differences(original, target), files=())


def test_coordinates_of_neuroids_may_have_blanks_in_their_names(original, tmp_path):
    table = pd.DataFrame({"neuroid_id": NEUROIDS, "brain area/part": ["V4", "IT", "IT"]})
    table.to_csv(original.folder / "neuroids.csv", index=False)
    folder = dataset(export(original, tmp_path / "packed"))
    again = loaded(read_description(folder))[1]
    assert again["brain area/part"].values.tolist() == ["V4", "IT", "IT"]


def test_images_of_one_name_in_two_folders_stay_two(original, tmp_path):
    table = pd.read_csv(original.folder / "stimuli.csv", dtype=str)
    names = ["pictures/a.png", "pictures/more/a.png", "pictures/b.png", "pictures/more/B.png"]
    for old, new in zip(table["path"], names, strict=True):
        (original.folder / old).rename(original.folder / new)
    table.assign(path=names).to_csv(original.folder / "stimuli.csv", index=False)
    folder = dataset(export(original, tmp_path / "packed"))
    assert len({path.name.casefold() for path in (folder / "stimuli").iterdir()}) == 4
    assert load_stimuli(read_description(folder)).digest() == load_stimuli(original).digest()


def test_images_in_a_zip_are_packed_as_files(original, tmp_path):
    before = load_stimuli(original).digest()
    with zipfile.ZipFile(original.folder / "pictures.zip", "w") as archive:
        for path in sorted((original.folder / "pictures").rglob("*.png")):
            archive.write(path, path.relative_to(original.folder))
    shutil.rmtree(original.folder / "pictures")
    folder = dataset(export(original, tmp_path / "packed"))
    assert not list(folder.rglob("*.zip"))
    assert load_stimuli(read_description(folder)).digest() == before


def test_a_private_set_is_packed_only_if_that_is_acknowledged_and_stays_private(tmp_path):
    private = lab(tmp_path / "lab", visibility="private")
    with pytest.raises(DatasetError, match=r"MyLab2026 is private.*acknowledge_private=True"):
        export(private, tmp_path / "packed")
    assert not (tmp_path / "packed").exists()
    target = export(private, tmp_path / "packed", acknowledge_private=True)
    assert read_description(dataset(target)).visibility == "private"
    project = tomllib.loads((target / "pyproject.toml").read_text())["project"]
    assert project["classifiers"] == ["Private :: Do Not Upload"]
    assert "private" in (target / "README.md").read_text()
    assert card_of(target).access == "private"


def card_of(target):
    module = runpy.run_path(str(next(target.glob("src/*/card.py"))))
    return module["DATA"]


def test_the_card_says_what_the_description_says(original, tmp_path):
    target = export(original, tmp_path / "packed")
    card = card_of(target)
    assert isinstance(card, DataCard)
    assert (card.identifier, card.access, card.licence) == ("MyLab2026", "public", "CC-BY-4.0")
    assert (card.species, card.modality) == ("macaque", "image")
    assert card.bibtex == original.citation
    assert "4 stimuli" in card.summary
    sums = hashlib.sha256((dataset(target) / "SHA256SUMS").read_bytes()).hexdigest()
    assert sums in card.notes[-1]
    assert "CC-BY-4.0" in (target / "LICENSE").read_text()


def test_the_same_data_become_the_same_package(original, tmp_path):
    first, second = (export(original, tmp_path / name / "p.zip") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"p"}


def test_nothing_is_left_of_a_packing_that_fails(original, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(xr.Dataset, "to_netcdf", full)
        with pytest.raises(DatasetError, match="No space left on device"):
            export(original, tmp_path / "out" / "packed")
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match="exists already"):
        export(original, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_loss_is_noticed_before_anything_appears(original, tmp_path, monkeypatch):
    write = xr.Dataset.to_netcdf
    monkeypatch.setattr(xr.Dataset, "to_netcdf", lambda d, *a, **o: write(d.round(1), *a, **o))
    with pytest.raises(DatasetError, match=r"cannot be packed without loss: .* values differ, by"):
        export(original, tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


# Reading what was packed


def test_a_changed_byte_is_refused_by_name(original, tmp_path):
    folder = dataset(export(original, tmp_path / "packed"))
    verify(folder)
    image = sorted((folder / "stimuli").iterdir())[0]
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    (folder / "stimuli.csv").unlink()
    for read in (lambda: Packaged(folder=folder).stimuli(), lambda: differences(folder, folder)):
        with pytest.raises(
            DatasetError, match=rf"{image.name} has other bytes; stimuli.csv is missing"
        ):
            read()


@pytest.mark.parametrize("line", ["nonsense", f"{'0' * 64}  ../../etc/passwd", f"{'0' * 64}  /etc"])
def test_sums_that_name_files_elsewhere_are_refused(original, tmp_path, line):
    folder = dataset(export(original, tmp_path / "packed"))
    with (folder / "SHA256SUMS").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DatasetError, match="is no digest"):
        verify(folder)


def test_an_importable_package_is_a_data_source(original, tmp_path, monkeypatch):
    target = export(original, tmp_path / "packed")
    monkeypatch.syspath_prepend(target / "src")
    card = card_of(target)
    with registry.data.temporary(card):
        source = registry.data.create("MyLab2026")
    stimuli, array = loaded(original)
    assert source.stimuli().digest() == stimuli.digest()
    assert source.assembly().dims == ("presentation", "neuroid", "time_bin", "trial")
    np.testing.assert_array_equal(source.assembly().values, array.values)
    assert source.assembly()["category"].values.tolist() == stimuli.table["category"].tolist()
    with pytest.raises(PluginError, match="no_such_package has no folder"):
        from_package("no_such_package")


def test_names_of_packages_are_what_pip_takes():
    assert distribution_name("My.Lab_2026-") == "corteval-data-my-lab-2026"
    assert module_name("2026") == "corteval_data_2026"


# Differences


def changed(original, folder, edit):
    """A copy of a lab's folder, edited."""
    shutil.copytree(original.folder, folder)
    edit(folder)
    return replace(original, folder=folder)


def edit_values(function):
    def edit(folder):
        values = np.load(folder / "responses.npy")  # (neuroid, presentation, repetition)
        np.save(folder / "responses.npy", function(values))

    return edit


def edit_table(name, function):
    def edit(folder):
        table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
        function(table).to_csv(folder / name, index=False)

    return edit


def test_a_set_against_itself_has_no_differences(original, tmp_path):
    for found in (
        differences(original, original),
        differences(original, changed(original, tmp_path / "copy", lambda folder: None)),
    ):
        assert not found
        assert found.lines() == []
        assert found == Differences()


def test_a_packed_set_differs_from_its_original_in_names_of_files_only(original, tmp_path):
    found = differences(original, export(original, tmp_path / "packed"))
    assert {change.name for change in found.files} >= {"responses.file", "responses.dims"}
    assert not replace(found, files=())


def test_changed_values_are_counted_and_measured(original, tmp_path):
    def edit(values):
        values[2, 0, 1] += 3
        values[2, 3, 2] -= 5
        values[0, 2, 0] += 1
        values[1, 0, 0] = np.nan
        values[1, 1, 4] = 7
        return values

    found = differences(original, changed(original, tmp_path / "new", edit_values(edit))).values
    assert (found.compared, found.count) == (4 * 3 * 5, 5)
    assert found.largest == pytest.approx(5)
    assert (found.appeared, found.vanished) == (1, 1)
    assert [(c.neuroid_id, c.count) for c in found.neuroids] == [("n3", 2), ("n1", 1), ("n2", 2)]
    assert found.neuroids[1].largest == pytest.approx(1)
    assert found.neuroids[2].largest is None


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_changed_cells_are_found_with_their_largest_difference(data):
    ids = ["a", "b", "c"]
    old = assemblies.neural(np.arange(12.0).reshape(3, 4), ids, {"neuroid_id": list("wxyz")})
    change = data.draw(
        st.lists(st.sampled_from([-2.0, 0.0, 0.5]), min_size=12, max_size=12), label="change"
    )
    order = data.draw(st.permutations(range(3)), label="order")
    new = (old + np.reshape(change, (3, 4))).isel(presentation=order)
    stimuli = [
        load_like(ids),
        load_like([ids[i] for i in order]),
    ]
    described = Description(
        folder=Path(), id="X", modality="text", stimuli="s.csv", responses=Responses(file="r.nc")
    )
    found = comparison.compare((described, stimuli[0], old), (described, stimuli[1], new))
    differing = np.abs(change)[np.nonzero(change)]
    assert bool(found.values) == bool(differing.size)
    assert found.stimuli.reordered == (list(order) != [0, 1, 2])
    if found.values:
        assert found.values.count == differing.size
        assert found.values.largest == differing.max()


def load_like(ids):
    table = pd.DataFrame({"text": ids}, index=pd.Index(ids, name="stimulus_id"))
    return StimulusSet(identifier="X", modality="text", table=table)


def test_stimuli_added_removed_and_shown_anew_are_told_apart(original, tmp_path):
    def edit(folder):
        table = pd.read_csv(folder / "stimuli.csv", dtype=str)
        kept = table.iloc[[3, 0, 1]].copy()
        kept.loc[3, "stimulus_id"] = "new"
        kept.to_csv(folder / "stimuli.csv", index=False)
        edit_values(lambda values: values[:, [3, 0, 1]])(folder)
        Image.new("RGB", (4, 4)).save(folder / kept.loc[1, "path"])

    found = differences(original, changed(original, tmp_path / "new", edit))
    assert found.stimuli.added == ("new",)
    assert found.stimuli.removed == ("002", "003")
    assert not found.stimuli.reordered
    assert found.contents == ("001",)
    assert found.values is None
    assert "stimuli that show something else: 1 (001)" in found.lines()


def test_another_order_of_the_same_stimuli_is_no_change_of_values(original, tmp_path):
    def edit(folder):
        edit_table("stimuli.csv", lambda table: table.iloc[::-1])(folder)
        edit_values(lambda values: values[:, ::-1])(folder)

    found = differences(original, changed(original, tmp_path / "new", edit))
    assert found.stimuli.reordered
    assert found.presentations.reordered
    assert found.values is None
    assert found.contents == ()


def test_neuroids_and_their_coordinates_are_compared_by_id(original, tmp_path):
    def edit(folder):
        def replaced(table):
            table.loc[0, "neuroid_id"] = "n0"
            table.loc[1, "region"] = "TEO"
            return table.iloc[::-1].assign(hemisphere="left")

        edit_table("neuroids.csv", replaced)(folder)
        edit_values(lambda values: values[::-1])(folder)

    found = differences(original, changed(original, tmp_path / "new", edit))
    assert (found.neuroids.added, found.neuroids.removed) == (("n0",), ("n1",))
    assert found.neuroids.reordered
    assert found.values is None
    columns = {c.name: (c.what, c.count, c.example) for c in found.coordinates}
    assert columns == {
        "hemisphere": ("added", 0, ""),
        "region": ("changed", 1, "IT -> TEO at n2"),
    }


def test_columns_of_stimuli_and_fields_of_the_description_are_compared(original, tmp_path):
    def edit(table):
        table.loc[2, "category"] = "cow"
        return table.drop(columns="size")

    new = changed(original, tmp_path / "new", edit_table("stimuli.csv", edit))
    new = replace(new, visual_degrees=10.0, visibility="private", licence="unpublished")
    new = replace(new, responses=replace(new.responses, unit="Hz"))
    found = differences(original, new)
    assert {(c.name, c.old, c.new) for c in found.description} == {
        ("visual_degrees", 8.0, 10.0),
        ("responses.unit", "spikes", "Hz"),
    }
    assert [c.name for c in found.access] == ["visibility", "licence"]
    assert [(c.name, c.what) for c in found.stimulus_columns] == [
        ("category", "changed"),
        ("size", "removed"),
    ]
    assert found.stimulus_columns[0].example == "cat -> cow at 002"
    assert "visibility: public -> private" in found.lines()


def test_trials_bins_and_types_are_part_of_the_form(original, tmp_path):
    new = changed(
        original,
        tmp_path / "new",
        edit_values(lambda values: np.concatenate([values, values[..., :1]], -1).astype(float)),
    )
    found = differences(original, new)
    assert [(c.name, c.old, c.new) for c in found.form] == [
        ("trials", 5, 6),
        ("type", "float32", "float64"),
    ]
    assert found.values is None
    later = replace(new, responses=replace(new.responses, time_bin_ms=((0.0, 100.0),)))
    found = differences(new, later)
    assert found.values is None  # no bin is common
    assert [c.name for c in found.description] == ["responses.time_bin_ms"]


def test_trials_of_behaviour_are_matched_by_who_and_when(tmp_path):
    rows = {
        "stimulus_id": ["a", "b", "a", "a"],
        "choice": ["dog", "cat", "dog", "cow"],
        "subject": ["s1", "s1", "s2", "s1"],
    }
    old = reading(tmp_path / "old", rows)
    rows = {
        "stimulus_id": ["b", "a", "a", "b"],
        "choice": ["cat", "hen", "cow", "dog"],
        "subject": ["s1", "s1", "s1", "s3"],
    }
    found = differences(old, reading(tmp_path / "new", rows))
    assert found.presentations.added == ("b, s3",)
    assert found.presentations.removed == ("a, s2",)
    assert (found.values.compared, found.values.count) == (3, 1)
    assert found.values.largest is None
    assert "1 of 3 values differ" in found.lines()


def test_differences_are_json(original, tmp_path):
    new = changed(original, tmp_path / "new", edit_values(lambda values: values + np.inf))
    found = differences(original, new)
    text = json.dumps(found.as_json(), allow_nan=False)
    assert json.loads(text)["values"]["largest"] == "inf"
    assert json.loads(text)["stimuli"] == {"added": [], "removed": [], "reordered": False}


# As another lab has it


@pytest.mark.slow
def test_a_wheel_of_a_packed_set_is_installed_listed_read_and_scored_on(tmp_path):
    original = lab(tmp_path / "lab", count=40)
    target = export(original, tmp_path / "packed.zip")
    run = [sys.executable, "-m"]
    subprocess.run([*run, "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    (site_packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (site_packages / "parent.pth").write_text("\n".join(lines))
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path]
    subprocess.run([*run, "pip", *build, target], check=True)
    (wheel,) = tmp_path.glob("corteval_data_mylab2026-*.whl")
    install = ["--python", python, "install", "--quiet", "--no-deps", wheel]
    subprocess.run([*run, "pip", *install], check=True)

    there = {**os.environ, "CORTEVAL_HOME": str(tmp_path / "home")}

    def corteval(*arguments):
        done = subprocess.run(
            [python, "-m", "corteval", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=there,
            check=True,
        )
        return done.stdout

    listed = json.loads(corteval("list", "data", "--json"))["plugins"]
    assert {p["identifier"]: p["status"] for p in listed}["MyLab2026"] == "ok"
    told = corteval("info", "MyLab2026")
    for fact in ("corteval-data-mylab2026", "public", "CC-BY-4.0", "macaque", "40 stimuli"):
        assert fact in told
    score = json.loads(corteval("score", "pixels", "MyLab2026.V4-ridge", "--json"))
    assert score["status"] == "scored", score
    code = (
        "from corteval import registry\n"
        "source = registry.data.create('MyLab2026')\n"
        "from corteval.assembly import digest\n"
        "print(source.stimuli().digest(), digest(source.assembly()))\n"
    )
    printed = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=there, check=True
    )
    stimuli, array = loaded(original)
    complete = labelled(array, stimuli)
    assert printed.stdout.split() == [stimuli.digest(), assemblies.digest(complete)]
