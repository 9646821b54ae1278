"""Layouts of folders that people have, and folders that are not what they should be."""

import csv
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

import corteval_imagenet
from corteval import registry
from corteval.errors import NotInData, StimuliError
from corteval_imagenet.classes import synsets
from corteval_imagenet.truth import TABLES

FISH, SHARK, CAT = "n01440764", "n01484850", "n02123045"
IMAGES = 50_000


def name(number):
    return f"ILSVRC2012_val_{number:08d}"


def lay(folder, *files):
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"jpeg")
    return folder


def stimuli(folder, **options):
    return registry.data.create("ImageNet", folder=str(folder), **options).stimuli()


def labels(folder):
    return stimuli(folder, partial=True).table["synset"].to_dict()


@pytest.fixture
def flat(tmp_path):
    return lay(tmp_path, *(f"{name(n)}.JPEG" for n in (1, 2, 3)))


KNOWN = {f"{name(1)}.JPEG": FISH, f"{name(2)}.JPEG": CAT, f"{name(3)}.JPEG": FISH}


@pytest.mark.parametrize("below", ["", "val/", "ILSVRC2012_img_val/", "ILSVRC/Data/CLS-LOC/val/"])
def test_folders_of_synsets_are_recognised_where_people_have_them(tmp_path, below):
    lay(
        tmp_path,
        f"{below}{FISH}/{name(1)}.JPEG",
        f"{below}{CAT}/{name(2)}.JPEG",
        f"{below}{FISH}/{name(3)}.JPEG",
        f"{below}{FISH}/.{name(9)}.JPEG",
        f"{below}{FISH}/Thumbs.db",
    )
    assert labels(tmp_path) == KNOWN
    shown = stimuli(tmp_path, partial=True)
    assert shown.table.at[f"{name(2)}.JPEG", "path"] == str(
        tmp_path / f"{below}{CAT}/{name(2)}.JPEG"
    )
    assert "synset" not in shown.shown().table.columns


def test_a_link_to_the_folder_will_do(tmp_path):
    lay(tmp_path / "disk", f"{FISH}/{name(1)}.JPEG")
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    assert labels(tmp_path / "link") == {f"{name(1)}.JPEG": FISH}


def test_what_lies_in_the_home_of_corteval_is_found_and_else_its_place_is_told(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path))
    data = registry.data.create("ImageNet", partial=True)
    with pytest.raises(
        NotInData, match=r"provided/ImageNet does not exist\. Put them there"
    ) as told:
        data.stimuli()
    assert "https://image-net.org/download.php" in str(told.value)
    lay(tmp_path / "provided" / "ImageNet", f"{FISH}/{name(1)}.JPEG")
    assert data.stimuli().stimulus_ids == [f"{name(1)}.JPEG"]
    with pytest.raises(NotInData, match="has no responses"):
        data.assembly()


# Tables of classes, each as its publisher lays it out


def own_table(folder):
    with (folder / "synsets.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("filename", "synset"), *KNOWN.items()])


def kaggle(folder):
    place = folder / "LOC"
    place.mkdir()
    rows = [(name(1), f"{FISH} 111 108 441 193 {FISH} 1 2 3 4"), (name(2), f"{CAT} 1 2 3 4")]
    with (place / "LOC_val_solution.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("ImageId", "PredictionString"), *rows, (name(3), f"{FISH} 5 5 5 5")]
        )


def synset_a_line(folder):
    lines = [FISH, CAT, FISH, *([SHARK] * (IMAGES - 3))]
    (folder / "imagenet_2012_validation_synset_labels.txt").write_text("\n".join(lines) + "\n")


def numbered(folder):
    number = {FISH: 0, CAT: 281}  # the field's numbers of tench and tabby
    lines = [f"{file} {number[synset]}" for file, synset in KNOWN.items()]
    (folder / "val.txt").write_text("\n".join(lines))


def devkit(folder, lines=IMAGES, beside=True):
    """As ILSVRC2012_devkit_t12: its numbers follow its own table, not the order of synsets."""
    place = folder / "ILSVRC2012_devkit_t12" / "data"
    place.mkdir(parents=True)
    order = np.random.default_rng(0).permutation(1000)
    names = np.array(synsets(), dtype=object)[order]
    table = np.zeros((1003, 1), dtype=[("ILSVRC2012_ID", object), ("WNID", object)])
    inner = ["n00001740", "n00001930", "n00002684"]  # groups of classes have numbers above 1000
    for row, (number, synset) in enumerate(zip(range(1, 1004), [*names, *inner], strict=True)):
        table[row, 0] = (number, synset)
    if beside:
        savemat(place / "meta.mat", {"synsets": table})
    number = {synset: n for n, synset in enumerate(names.tolist(), 1)}
    truth = [FISH, CAT, FISH, *([SHARK] * (lines - 3))]
    (place / "ILSVRC2012_validation_ground_truth.txt").write_text(
        "".join(f"{number[synset]}\n" for synset in truth)
    )


@pytest.mark.parametrize("write", [own_table, kaggle, synset_a_line, numbered, devkit])
def test_flat_images_are_labelled_by_the_tables_in_circulation(flat, write):
    write(flat)
    assert labels(flat) == KNOWN


def test_tables_are_those_that_the_readme_and_the_advice_name(tmp_path):
    with pytest.raises(StimuliError) as told:
        stimuli(lay(tmp_path, f"{name(1)}.JPEG"))
    assert all(table in str(told.value) for table in TABLES)
    readme = (Path(corteval_imagenet.__file__).parents[2] / "README.md").read_text()
    assert all(f"`{table}`" in readme for table in TABLES)


# Folders that are not what they should be


def refused(folder, **options):
    with pytest.raises(StimuliError) as told:
        stimuli(folder, **options)
    return str(told.value)


def test_a_part_of_the_images_is_refused_unless_that_is_wanted(tmp_path):
    lay(tmp_path, *(f"{FISH}/{name(n)}.JPEG" for n in range(1, 50)))
    told = refused(tmp_path)
    assert (
        "holds 49 of 50000 images: 1000 of 1000 classes have not 50, such as n01440764 (49)" in told
    )
    assert "partial=True" in told
    assert len(stimuli(tmp_path, partial=True)) == 49


def test_a_folder_without_images_says_how_to_lay_them(tmp_path):
    lay(tmp_path, "notes.txt")
    assert "has neither folders of synsets nor ILSVRC2012_val_*.JPEG" in refused(tmp_path)
    (tmp_path / FISH).mkdir()
    assert "the folders of synsets hold no images" in refused(tmp_path)


def test_training_images_and_other_imagenets_are_refused(tmp_path):
    lay(tmp_path / "train", f"{FISH}/n01440764_10026.JPEG")
    told = refused(tmp_path / "train", partial=True)
    assert "1 of 1 images are not called ILSVRC2012_val_<number>, such as n01440764_10026" in told
    lay(tmp_path / "other", "n00007846/x.JPEG", f"{FISH}/{name(1)}.JPEG")
    assert "1 folders are no classes of ILSVRC 2012, such as n00007846" in refused(
        tmp_path / "other"
    )


def test_an_image_of_two_classes_is_refused(tmp_path):
    lay(tmp_path, f"{FISH}/{name(1)}.JPEG", f"{CAT}/{name(1)}.JPEG")
    assert f"{name(1)}.JPEG is in {FISH} and in {CAT}" in refused(tmp_path, partial=True)


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("synsets.csv", "file,class\na,b\n", "is no table of classes: 'filename'"),
        ("synsets.csv", f"filename,synset\n{name(1)}.JPEG,{FISH}\n", "class of 2 of 3 images"),
        ("synsets.csv", "filename,synset\n" + "".join(f"{k},n9\n" for k in KNOWN), "such as 'n9'"),
        (
            "LOC_val_solution.csv",
            f"ImageId,PredictionString\n{name(1)},\n",
            "is no table of classes",
        ),
        (
            "imagenet_2012_validation_synset_labels.txt",
            f"{FISH}\n",
            "it has 1 lines, one for each of",
        ),
        ("val.txt", f"{name(1)}.JPEG 1000\n", "there is no class 1000"),
        ("val.txt", f"{name(1)}.JPEG -1\n", "there is no class -1"),
        ("val.txt", f"{name(1)}.JPEG tench\n", "is no table of classes"),
        ("val.txt", "\x00\x01", "is no table of classes"),
    ],
)
def test_tables_that_are_cut_off_or_something_else_are_refused(flat, file, content, told):
    (flat / file).write_text(content)
    assert told in refused(flat, partial=True)


def test_a_devkit_without_its_own_numbers_or_cut_off_is_refused(tmp_path):
    devkit(lay(tmp_path / "a", f"{name(1)}.JPEG"), beside=False)
    assert "numbers are those of meta.mat of the same devkit" in refused(tmp_path / "a")
    devkit(lay(tmp_path / "b", f"{name(1)}.JPEG"), lines=400)
    assert "it has 400 lines, one for each of 50000 images is needed" in refused(tmp_path / "b")
    devkit(lay(tmp_path / "c", f"{name(1)}.JPEG"))
    (tmp_path / "c/ILSVRC2012_devkit_t12/data/meta.mat").write_bytes(b"MATLAB 5.0 but not really")
    assert "meta.mat beside it is no readable MATLAB file" in refused(tmp_path / "c")


def test_a_table_in_no_encoding_is_refused(flat):
    (flat / "synsets.csv").write_bytes(b"\xff\xfe\x00n")
    assert "is no table of classes" in refused(flat)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read_is_refused(tmp_path):
    lay(tmp_path, f"{FISH}/{name(1)}.JPEG")
    (tmp_path / FISH).chmod(0)
    try:
        assert "cannot be read" in refused(tmp_path, partial=True)
    finally:
        (tmp_path / FISH).chmod(0o700)


@pytest.mark.slow
def test_the_whole_set_is_recognised_in_both_layouts(tmp_path):
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(1000), 50))
    truth = [synsets()[n] for n in order]
    for synset in synsets():
        (tmp_path / "a" / synset).mkdir(parents=True)
    (tmp_path / "b").mkdir()
    for number, synset in enumerate(truth, 1):
        for path in (tmp_path / "a" / synset, tmp_path / "b"):
            os.close(os.open(path / f"{name(number)}.JPEG", os.O_CREAT))
    (tmp_path / "b" / "imagenet_2012_validation_synset_labels.txt").write_text("\n".join(truth))
    first, second = (stimuli(tmp_path / layout).table["synset"] for layout in ("a", "b"))
    assert first.tolist() == second.tolist() == truth
    (tmp_path / "a" / truth[0] / f"{name(1)}.JPEG").unlink()
    assert f"49999 of 50000 images: 1 of 1000 classes have not 50, such as {truth[0]} (49)" in (
        refused(tmp_path / "a")
    )


def test_classes_are_those_of_networks_in_the_same_order():
    found = importlib.util.find_spec("corteval_pytorch")  # torch is not imported
    table = Path(found.origin).with_name("imagenet_classes.csv").read_text().splitlines()
    assert synsets() == tuple(row["synset"] for row in csv.DictReader(table))
    assert list(synsets()) == sorted(synsets()) and len(synsets()) == 1000
