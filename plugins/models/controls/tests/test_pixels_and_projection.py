import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval import models
from corteval.errors import OptionError, UnknownIdentifier
from corteval.model import record
from corteval.stimuli import StimulusSet
from corteval_controls.grid import area_average


def shown(image):
    table = pd.DataFrame(index=pd.Index(["s"], name="stimulus_id"))
    return StimulusSet(identifier="toy", modality="image", table=table, images=lambda _: image)


def test_pixels_are_block_means_of_the_mean_over_channels():
    image = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
    blocks = image.mean(axis=2).reshape(14, 8, 14, 8).mean(axis=(1, 3)) / 255
    responses = record(models.create("pixels"), shown(image), "V4")
    np.testing.assert_allclose(responses.values[0], blocks.ravel(), atol=1e-6)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 20))
def test_area_average_keeps_the_mean_of_the_image(height, width, cells):
    image = np.random.default_rng(height * 61 + width).random((height, width))
    assert area_average(image, cells).mean() == pytest.approx(image.mean())


def test_a_larger_projection_begins_with_the_smaller_one():
    image = np.random.default_rng(1).integers(0, 256, (64, 64), np.uint8)
    small = record(models.create("random-projection/300"), shown(image), "IT")
    large = record(models.create("random-projection/700"), shown(image), "IT")
    np.testing.assert_allclose(small.values, large.values[:, :300], atol=1e-5)


def test_projections_differ_between_seeds_and_keep_distances():
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (2, 64, 64), np.uint8)
    a, b = (
        [record(models.create(name), shown(i), "IT").values[0] for i in images]
        for name in ("random-projection/5000", "random-projection/5000-seed1")
    )
    assert not np.allclose(a[0], b[0])
    distance = np.linalg.norm(images[0] / 255.0 - images[1] / 255.0) / np.sqrt(4096)
    expected = distance * np.sqrt(5000)  # Johnson and Lindenstrauss
    assert np.linalg.norm(a[0] - a[1]) == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("member", ["0", "many", "100-seed", "9999999"])
def test_members_that_are_no_projection_are_refused(member):
    with pytest.raises(OptionError, match="name a number of features"):
        models.create(f"random-projection/{member}")


def test_a_family_without_member_names_examples():
    with pytest.raises(UnknownIdentifier, match="random-projection/1000"):
        models.create("random-projection")
