"""Images that a user provides are found by their names, wherever they lie."""

import shutil

import numpy as np
import pytest
from PIL import Image

from corteval import registry, settings
from corteval.errors import StimuliError
from corteval_geirhos2021.images import locate

TEXTURE_VS_SHAPE = (
    "raw.githubusercontent.com/rgeirhos/texture-vs-shape/ccd0c01d42c0a8a834e90ec141e7f24fa915dc23"
)
IDS = ["bw_cat_40_n02124075_1.png", "cr_oven_40_n04111531_14126.png"]


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(folder, ids=IDS, by_category=False):
    paths = locate(folder, ids, by_category=by_category)
    return {i: str(path.relative_to(folder)) for i, path in paths.items()}


def test_names_of_trials_of_models_and_people_are_matched(tmp_path):
    names = (
        "dnn/session-1/0007_cl_dnn_bw_cat_40_n02124075_1.png",
        "dnn/session-2/1280_cl_s01_cr_oven_40_n04111531_14126.png",
    )
    put(tmp_path, *names)
    assert found(tmp_path) == dict(zip(IDS, names, strict=True))


def test_names_without_a_trial_and_of_another_format_are_matched(tmp_path):
    names = ("a/bw_cat_40_n02124075_1.JPEG", "cr_oven_40_n04111531_14126.jpg")
    put(tmp_path, *names)
    assert found(tmp_path) == dict(zip(IDS, names, strict=True))


def test_images_published_by_category_are_matched_by_their_own_name(tmp_path):
    ids = ["bird3-bird2.png", "cat1-oven1.png"]
    names = ("bird/bird3-bird2.png", "0001_s5n_s01_0_cat_00_cat1-oven1.png")
    put(tmp_path, *names)
    assert found(tmp_path, ids, by_category=True) == dict(zip(ids, names, strict=True))


def test_other_files_are_ignored(tmp_path):
    put(tmp_path, *IDS, f"._{IDS[0]}", "readme.txt", "bw_cat_40_n02124075_2.png", f"{IDS[0]}.zip")
    assert found(tmp_path) == {name: name for name in IDS}


def test_missing_images_are_named(tmp_path):
    put(tmp_path, IDS[0])
    with pytest.raises(
        StimuliError, match=r"lacks 1 of 2 images: cr_oven_40_n04111531_14126\.png\."
    ):
        found(tmp_path)


def test_two_files_of_one_stimulus_are_named(tmp_path):
    put(tmp_path, *IDS, "dnn/0001_cl_dnn_bw_cat_40_n02124075_1.png")
    with pytest.raises(StimuliError, match=r"two files of stimulus bw_cat_40_n02124075_1\.png"):
        found(tmp_path)


def test_silhouettes_in_the_home_are_found_without_an_option(mirror):
    place = settings.home() / "provided" / "Geirhos2021.silhouette"
    shutil.copytree(mirror / TEXTURE_VS_SHAPE / "stimuli/filled-silhouettes", place / "silhouette")
    try:
        stimuli = registry.data.create("Geirhos2021.silhouette").stimuli()
        assert len(stimuli) == 160
        assert stimuli.visual_degrees == 3.0
        assert stimuli.image("cat1.png").shape[:2] == (224, 224)
        assert stimuli.table.at["cat1.png", "truth"] == "cat"
    finally:
        shutil.rmtree(place)


@pytest.mark.parametrize("below", ["", "datasets/colour/dnn/session-1", "colour/dnn/session-1"])
def test_the_images_of_the_colour_experiment_are_found_where_they_are_unpacked(
    mirror, tmp_path, below
):
    trials = registry.data.create("Geirhos2021.colour").assembly()
    ids = np.unique(trials["stimulus_id"].values)
    session = tmp_path / below
    session.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (2, 2), (255, 0, 0)).save(session / f"0001_cl_dnn_{ids[0]}")
    for number, stimulus_id in enumerate(ids[1:], start=2):
        (session / f"{number:04d}_cl_dnn_{stimulus_id}").touch()
    data = registry.data.create("Geirhos2021.colour", folder=tmp_path)
    stimuli = data.stimuli()
    assert stimuli.stimulus_ids == sorted(ids)
    assert stimuli.image(ids[0]).shape == (2, 2, 3)
    assert list(stimuli.table.columns) == ["path", "truth", "condition"]
    grey = registry.data.create("Geirhos2021.colour", folder=tmp_path, conditions="benchmark")
    assert set(grey.stimuli().table["condition"]) == {"bw"}
    assert set(grey.stimuli().stimulus_ids) == set(grey.assembly()["stimulus_id"].values)
