import numpy as np
import pandas as pd
import pytest

from corteval import models
from corteval.errors import OptionError
from corteval.model import record
from corteval.requests import OneOf, Recording, UnitFilter
from corteval.stimuli import StimulusSet
from corteval.testing.toys import Pictures
from corteval_controls.gabor_colour import build, colours


def shown(*images):
    pixels = {f"s{k}": image for k, image in enumerate(images)}
    table = pd.DataFrame(index=pd.Index(list(pixels), name="stimulus_id"))
    return StimulusSet(
        identifier="toy", modality="image", table=table, images=Pictures(pixels=pixels)
    )


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_colours_are_mean_and_deviation_of_opponent_channels_in_each_cell():
    image = noise(0, 60, 40, 3)
    r, g, b = np.moveaxis(image / 255, 2, 0)
    channels = [(r + g + b) / 3, r - g, b - (r + g) / 2]
    expected = []
    for channel in channels:
        cells = channel.reshape(5, 12, 5, 8).transpose(0, 2, 1, 3).reshape(5, 5, -1)
        expected += [cells.mean(axis=2), cells.std(axis=2)]
    np.testing.assert_allclose(colours(image, 5), expected, atol=1e-6)


def test_grey_images_have_no_colour():
    image = noise(1, 50, 50)
    found = colours(image, 5)
    np.testing.assert_allclose(found[2:], 0, atol=1e-6)
    np.testing.assert_allclose(found, colours(np.stack([image] * 3, axis=2), 5), atol=1e-6)


def test_energy_is_that_of_complex_units_averaged_over_the_cells():
    image = noise(2, 112, 112, 3)
    full = record(models.create("gabor-filterbank"), shown(image), "V1")
    units = full.isel(neuroid=full["unit_type"].values == "complex")
    grid = units.values.reshape(-1, 5, 3, 5, 3).mean(axis=(2, 4))  # 15 positions in 5 blocks
    model = record(build(), shown(image), "V4")
    energy = np.char.startswith(model["feature"].values.astype(str), "energy")
    np.testing.assert_allclose(model.values[0, energy], grid.ravel(), atol=1e-5)
    assert (~energy).sum() == 6 * 25


def test_a_filter_gives_the_same_responses_as_the_full_layer():
    stimuli = shown(noise(3, 56, 56, 3), noise(4, 40, 64, 3))
    model = build(cells=3)
    full = record(model, stimuli, "V4")
    for chosen in (["mean red-green"], ["energy 30 degrees 1.19 cpd", "sd luminance"]):
        units = UnitFilter((OneOf("feature", tuple(chosen)),))
        part = record(model, stimuli, Recording("V4", units=units))
        same = full.isel(neuroid=np.isin(full["feature"].values, chosen))
        assert part.sizes["neuroid"] == 9 * len(chosen)
        np.testing.assert_allclose(part.values, same.values, atol=1e-6)


def test_cells_of_colours_lie_where_they_are_computed():
    image = np.full((80, 80, 3), 128, np.uint8)
    image[:16, 64:] = (255, 0, 0)  # top right
    answer = record(build(), shown(image), "V4")
    redness = answer.isel(neuroid=answer["feature"].values == "mean red-green")
    seen = redness.isel(neuroid=int(redness.values[0].argmax()))
    assert float(seen["receptive_field_x_degrees"]) == pytest.approx(3.2)
    assert float(seen["receptive_field_y_degrees"]) == pytest.approx(-3.2)


def test_impossible_parameters_are_refused():
    with pytest.raises(OptionError, match="takes 1 to 15 cells"):
        build(cells=16)
    with pytest.raises(OptionError, match="takes 1 to 15 cells"):
        build(cells=0)
    with pytest.raises(OptionError, match="positive bandwidth"):
        build(bandwidth_octaves=-1.0)
