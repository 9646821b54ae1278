"""Textures: which images are shown, where they lie, and how responses to them are measured."""

import math

import numpy as np
import pytest
from PIL import Image

from corteval import registry
from corteval.errors import FetchError, StimuliError
from corteval.screen import place
from corteval_marques2020 import texture_tuning
from corteval_marques2020.imitation import add_freemanziemba2013, file_name, texture_images
from corteval_marques2020.textures import placed

NAME = "Marques2020.texture_modulation_index"


def originals(folder, images):
    (folder / "stim").mkdir()
    for key, pixels in images.items():
        Image.fromarray(pixels).save(folder / "stim" / file_name(*key))


def test_the_archives_450_images_are_shown_with_the_gratings_that_map_units(recorded):
    stimuli = registry.data.create(NAME).stimuli()
    counts = stimuli.table["stimulus_set"].value_counts().to_dict()
    assert counts == {"receptive_field": 3528, "orientation": 1152, "texture": 450, "blank": 1}
    rows = stimuli.where(stimulus_set="texture").table[["type", "family", "sample"]]
    assert len(rows.drop_duplicates()) == 450
    assert list(stimuli.shown().table.columns) == []


def test_each_image_goes_with_its_own_type_family_and_sample(recorded):
    images = texture_images()
    textures = registry.data.create(NAME).stimuli().where(stimulus_set="texture")
    for stimulus_id, row in textures.table.iterrows():
        key = tuple(int(row[name]) for name in ("type", "family", "sample"))
        seen = place(textures.image(stimulus_id), textures.visual_degrees, 8.0)
        np.testing.assert_array_equal(seen, images[key])


@pytest.mark.parametrize("screen_degrees", [2.0, 6.0, 8.0, 10.0, 12.0, 14.0])
def test_a_subject_sees_of_the_12_degrees_what_it_would_see_of_the_8(recorded, screen_degrees):
    image = texture_images(pixels=48)[(2, 1, 1)]
    whole = place(image, 8.0, 12.0)
    np.testing.assert_array_equal(
        place(whole, 12.0, screen_degrees), place(image, 8.0, screen_degrees)
    )


def test_gratings_are_digested_as_without_the_textures(recorded):
    with_them, without = (
        registry.data.create(f"Marques2020.{n}").stimuli().where(stimulus_set="orientation")
        for n in ("max_noise", "max_dc")
    )
    assert with_them.digest() == without.digest()


def test_an_original_is_placed_in_its_aperture_pixel_by_pixel():
    size = 32
    original = np.random.default_rng(0).integers(0, 256, (size, size), np.uint8)
    found = placed(original)
    assert found.shape == (64, 64)
    shift, radius = 4, 16.0  # half a degree, half of four degrees, of eight pixels each
    for i in range(64):
        for j in range(64):
            y, x = i - 32 - shift, j - 32 - shift
            distance = math.hypot(y, x)
            value = 128.0
            if distance < radius:
                share = 0.5 * (1 + math.cos(math.pi * distance / radius))
                value = 128 + (float(original[y + 16, x + 16]) - 128) * share
            assert found[i, j] == int(value)
    np.testing.assert_array_equal(placed(np.stack([original] * 3, axis=2)), found)


def test_originals_of_the_user_are_placed_and_told_by_their_names(tmp_path):
    images = texture_images(pixels=16)
    originals(tmp_path, images)
    textures = registry.data.create(NAME, folder=tmp_path).stimuli().where(stimulus_set="texture")
    assert len(textures) == 450
    row = textures.table.loc["tex-320x320-im13-smp4.png"]
    assert list(row[["type", "family", "sample"]]) == [2, 3, 4]
    seen = place(textures.image("tex-320x320-im13-smp4.png"), 12.0, 8.0)
    np.testing.assert_array_equal(seen, placed(images[(2, 3, 4)]))


def test_originals_of_4_degrees_in_the_archive_are_placed_too(archive):
    images = texture_images(pixels=16)
    add_freemanziemba2013(archive, images=images, degrees=4)
    textures = registry.data.create(NAME).stimuli().where(stimulus_set="texture")
    (stimulus_id,) = textures.where(type=1, family=5, sample=2).stimulus_ids
    np.testing.assert_array_equal(
        place(textures.image(stimulus_id), 12.0, 8.0), placed(images[(1, 5, 2)])
    )


def test_missing_images_are_named(tmp_path, archive):
    images = texture_images(pixels=8)
    del images[(1, 1, 7)]
    originals(tmp_path, images)
    add_freemanziemba2013(archive, images=images)
    for folder in (tmp_path, None):
        with pytest.raises(StimuliError, match=r"449 textures, and 1 .*\(1, 1, 7\)"):
            registry.data.create(NAME, folder=folder).stimuli()


def test_a_folder_of_other_images_is_refused(tmp_path):
    (tmp_path / "stim").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "stim" / "cat.png")
    with pytest.raises(StimuliError, match=r"tex-320x320-im60-smp1\.png; there is cat\.png"):
        registry.data.create(NAME, folder=tmp_path).stimuli()


def test_who_cannot_have_the_images_is_told_what_would_do(archive):
    add_freemanziemba2013(archive, images=texture_images(pixels=4))
    archive.statuses = dict.fromkeys(archive.bodies, 403)
    with pytest.raises(FetchError, match="folder called stim"):
        registry.data.create(NAME).stimuli()


def test_texture_oracles(reference):
    oracle = reference("marques2020.json")["texture"]
    noise, texture = np.random.RandomState(0).gamma(2, 3, (2, 15, 15, 1))
    index = texture_tuning.texture_modulation_index(texture, noise)
    assert index == pytest.approx([oracle["tmi"]], abs=1e-12)
    selectivity = texture_tuning.sparseness(texture.mean(axis=1))
    assert selectivity == pytest.approx([oracle["texture_selectivity"]], abs=1e-12)
    sparseness = texture_tuning.sparseness(texture)
    assert sparseness == pytest.approx([oracle["texture_sparseness"]], abs=1e-12)
    ratio = texture_tuning.variance_ratio(texture_tuning.stabilised(texture / 10))
    assert ratio == pytest.approx([oracle["variance_ratio"][0]], abs=1e-12)


def test_sparseness_is_0_for_equal_and_1_for_single_responses():
    responses = np.stack([np.full(225, 7.0), np.eye(225)[3]], axis=1)
    assert texture_tuning.sparseness(responses) == pytest.approx([0, 1])


def test_families_that_drive_a_unit_neither_way_are_left_out():
    texture, noise = np.zeros((15, 15, 2)), np.zeros((15, 15, 2))
    texture[0, :, 0], noise[0, :, 0] = 3.0, 1.0
    index = texture_tuning.texture_modulation_index(texture, noise)
    assert index[0] == pytest.approx(0.5)
    assert np.isnan(index[1])
