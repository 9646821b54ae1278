import numpy as np
import pandas as pd
import pytest

from corteval.errors import OptionError
from corteval.model import ablation
from corteval.requests import OneOf, Recording, UnitFilter
from corteval.stimuli import StimulusSet
from corteval_controls.gabor import build

GREY = 128 / 255


def shown(*images, visual_degrees=8.0):
    table = pd.DataFrame(index=pd.Index([f"s{i}" for i in range(len(images))], name="stimulus_id"))
    return StimulusSet(
        identifier="toy",
        modality="image",
        table=table,
        visual_degrees=visual_degrees,
        images=lambda stimulus_id: images[int(stimulus_id[1:])],
    )


def respond(model, stimuli, target="V1", **coordinates):
    units = UnitFilter(tuple(OneOf(name, values) for name, values in coordinates.items()))
    request = Recording(target, units=units if coordinates else None)
    return model.respond(stimuli, [request])[request]


def grating(orientation, frequency, phase=0.0, pixels=448, degrees=8.0):
    axis = (np.arange(pixels) + 0.5) * degrees / pixels - degrees / 2
    x, y = axis[None], axis[:, None]
    theta = np.deg2rad(orientation)
    wave = np.cos(2 * np.pi * frequency * (x * np.cos(theta) + y * np.sin(theta)) + phase)
    return np.round(127.5 * (1 + wave)).astype(np.uint8)


def integral(image, unit, bandwidth=1.5, degrees=8.0):
    """The equation of the module by brute force: a sum over all pixels in two dimensions."""
    frequency = float(unit["spatial_frequency_cpd"])
    theta = np.deg2rad(float(unit["orientation_degrees"]))
    axis = (np.arange(image.shape[0]) + 0.5) * degrees / image.shape[0] - degrees / 2
    dx = axis[None] - float(unit["receptive_field_x_degrees"])
    dy = axis[:, None] - float(unit["receptive_field_y_degrees"])
    ratio = 2**bandwidth
    sigma = np.sqrt(np.log(2) / 2) / np.pi * (ratio + 1) / (ratio - 1) / frequency
    kappa = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    wave = np.exp(2j * np.pi * frequency * (dx * np.cos(theta) + dy * np.sin(theta))) - kappa
    envelope = np.exp(-(dx**2 + dy**2) / (2 * sigma**2))
    z = ((image / 255 - GREY) * envelope * wave).sum() * (degrees / image.shape[0]) ** 2
    return z / (np.pi * sigma**2 / 2)


def test_units_equal_the_two_dimensional_integral_of_their_equation():
    image = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    model = build(spatial_frequencies_cpd=(0.6, 1.2), orientations_degrees=(0.0, 30.0, 135.0))
    responses = respond(model, shown(image), unit_type=("complex", "odd-on"))
    for number in np.random.default_rng(1).integers(responses.sizes["neuroid"], size=12):
        unit = responses.isel(neuroid=number)
        z = integral(image, unit)
        wanted = abs(z) if str(unit["unit_type"].values) == "complex" else max(z.imag, 0)
        # pixels are averaged over, not sampled: a difference of second order in their size
        assert float(unit.values[0]) == pytest.approx(wanted, abs=2e-4)


def test_a_full_contrast_grating_of_its_own_kind_drives_a_complex_unit_to_one():
    model = build(spatial_frequencies_cpd=(2.0,), orientations_degrees=(30.0,))
    images = [grating(30.0, 2.0, phase) for phase in (0.0, 1.0, 2.5)]
    responses = respond(
        model, shown(*images), unit_type=("complex",), channel_x=(7,), channel_y=(7,)
    )
    np.testing.assert_allclose(responses.values, 1.0, atol=0.02)


def test_orthogonal_gratings_and_even_light_drive_hardly_anything():
    model = build(spatial_frequencies_cpd=(2.0,), orientations_degrees=(30.0,))
    stimuli = shown(grating(120.0, 2.0), np.full((448, 448), 255, np.uint8))
    responses = respond(model, stimuli, unit_type=("complex",), channel_x=(7,), channel_y=(7,))
    np.testing.assert_allclose(responses.values, 0.0, atol=0.02)


def test_simple_units_are_rectified_and_add_up_to_the_energy():
    image = np.random.default_rng(2).integers(0, 256, (224, 224), np.uint8)
    model = build(spatial_frequencies_cpd=(1.0,), orientations_degrees=(45.0,))
    responses = respond(model, shown(image))
    kind = responses["unit_type"].values
    even = responses.values[:, kind == "even-on"] - responses.values[:, kind == "even-off"]
    odd = responses.values[:, kind == "odd-on"] - responses.values[:, kind == "odd-off"]
    assert (responses.values >= 0).all()
    np.testing.assert_allclose(
        np.hypot(even, odd), responses.values[:, kind == "complex"], atol=1e-5
    )


def test_resolution_of_the_image_hardly_matters():
    model = build(spatial_frequencies_cpd=(1.0,), orientations_degrees=(0.0, 90.0))
    coarse, fine = grating(0.0, 1.0, pixels=224), grating(0.0, 1.0, pixels=672)
    a, b = (respond(model, shown(image)).values for image in (coarse, fine))
    np.testing.assert_allclose(a, b, atol=0.02)


def test_a_filter_gives_the_same_responses_as_the_full_layer():
    image = np.random.default_rng(3).integers(0, 256, (112, 112, 3), np.uint8)
    model = build(spatial_frequencies_cpd=(0.6, 1.7))
    full = respond(model, shown(image))
    part = respond(model, shown(image), channel_x=(3, 9), unit_type=("complex",))
    chosen = full.isel(neuroid=np.isin(full["neuroid_id"], part["neuroid_id"]))
    np.testing.assert_allclose(part.values, chosen.values, atol=1e-6)


def test_other_targets_are_answered_by_pooled_energy():
    image = np.random.default_rng(4).integers(0, 256, (112, 112), np.uint8)
    model = build(spatial_frequencies_cpd=(1.0,), orientations_degrees=(0.0,))
    pooled = respond(model, shown(image), target="V4")
    units = respond(model, shown(image), unit_type=("complex",)).values.reshape(15, 15)
    np.testing.assert_allclose(
        pooled.values.ravel(), units.reshape(3, 5, 3, 5).mean((1, 3)).ravel(), rtol=1e-5
    )


def test_ablated_units_are_silent_and_the_original_is_unchanged():
    image = np.random.default_rng(5).integers(0, 256, (112, 112), np.uint8)
    model = build(spatial_frequencies_cpd=(1.0,))
    quiet = model.perturbed(ablation("V1", UnitFilter((OneOf("unit_type", ("complex",)),))))
    before, after = respond(model, shown(image)), respond(quiet, shown(image))
    silenced = after["unit_type"].values == "complex"
    assert (after.values[:, silenced] == 0).all()
    np.testing.assert_array_equal(after.values[:, ~silenced], before.values[:, ~silenced])


def test_impossible_parameters_are_refused():
    with pytest.raises(OptionError, match="needs an orientation"):
        build(orientations_degrees=())
    with pytest.raises(OptionError, match="positive"):
        build(spatial_frequencies_cpd=(-1.0,))
