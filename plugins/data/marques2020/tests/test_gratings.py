import hashlib

import numpy as np
import pytest

from corteval.screen import place
from corteval_marques2020.gratings import draw, stimuli, table

SETS = {
    "blank": 1,
    "receptive_field": 3528,
    "orientation": 1152,
    "spatial_frequency": 2112,
    "size": 2304,
}


@pytest.mark.parametrize(("name", "count"), SETS.items())
def test_sets_have_the_published_number_of_gratings(name, count):
    assert len(table(name)) == count


@pytest.mark.parametrize(
    ("name", "row", "total", "lit"),
    [
        ("receptive_field", 0, 57_802_475, 277),
        ("orientation", 0, 57_786_171, 16_581),
        ("size", 2303, 57_566_524, 222_404),
    ],
)
def test_images_have_the_published_sums(name, row, total, lit):
    gratings = stimuli(name)
    image = gratings.image(gratings.stimulus_ids[row])
    assert int(image.sum()) == total
    assert int((image != 128).sum()) == lit


def test_images_equal_the_reference_pixel_for_pixel(reference):
    for oracle in reference("marques2020.json")["images"].values():
        image = draw(*oracle["y_x_radius_sf_ori_phase"])
        assert int(image.sum()) == oracle["sum672"]
        assert hashlib.sha256(image.tobytes()).hexdigest()[:16] == oracle["sha256_672"]


def test_rows_stand_where_the_reference_has_them(reference):
    names = {"rf": "receptive_field", "orientation": "orientation", "sf": "spatial_frequency"}
    for key, oracle in reference("marques2020.json")["images"].items():
        name, _, row = key.rstrip("]").partition("[")
        parameters = table(names.get(name, name)).iloc[int(row)]
        columns = ["y", "x", "radius", "spatial_frequency", "orientation", "phase"]
        np.testing.assert_allclose(
            parameters[columns].to_numpy(float), oracle["y_x_radius_sf_ori_phase"]
        )


def test_an_eight_degree_screen_shows_the_middle_448_pixels():
    image = draw(0.5, 0.5, 2.0, 1.0, 30.0, 0.0)
    np.testing.assert_array_equal(place(image, 12.0, 8.0), image[112:560, 112:560])


def test_the_blank_screen_is_grey():
    blank = stimuli("blank")
    assert (blank.image(blank.stimulus_ids[0]) == 128).all()


def test_subjects_are_shown_no_parameters():
    assert list(stimuli("orientation").shown().table.columns) == []


def test_a_grating_is_digested_once_however_many_data_sets_show_it(monkeypatch):
    stimuli("orientation").contents()
    drawn = []
    monkeypatch.setattr("corteval_marques2020.gratings.draw", lambda *p: drawn.append(p))
    stimuli("blank", "orientation").where(stimulus_set="orientation").contents()
    assert not drawn
