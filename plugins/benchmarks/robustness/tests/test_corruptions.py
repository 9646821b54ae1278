import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from scipy.stats import poisson

from corteval.errors import OptionError
from corteval.testing.strategies import stimulus_sets
from corteval_robustness import CORRUPTIONS, corrupt, corrupted
from corteval_robustness.corruptions import SEVERITIES, disc, line


@pytest.fixture(scope="module")
def photograph():
    generator = np.random.default_rng(3)
    smooth = ndimage.gaussian_filter(generator.standard_normal((96, 128, 3)), (6, 6, 0))
    return np.round(128 + 60 * smooth / smooth.std()).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def grey():
    return np.full((400, 400), 128, np.uint8)


def change(image, corruption, severity, **options):
    after = corrupt(image, corruption, severity, stimulus_id="a", **options).astype(float)
    return after - image


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_severity_moves_an_image_farther_from_itself(corruption, photograph):
    errors = [np.mean(change(photograph, corruption, s) ** 2) for s in SEVERITIES]
    assert errors == sorted(errors)
    assert errors[0] > 0


@pytest.mark.parametrize("severity", SEVERITIES)
def test_gaussian_noise_has_its_standard_deviation(severity, grey):
    sigma = CORRUPTIONS["gaussian_noise"].levels[severity - 1]
    assert change(grey, "gaussian_noise", severity).std() / 255 == pytest.approx(sigma, rel=0.06)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_shot_noise_has_the_variance_of_counted_photons(severity, grey):
    photons = CORRUPTIONS["shot_noise"].levels[severity - 1]
    after = corrupt(grey, "shot_noise", severity, stimulus_id="a") / 255
    counts = np.arange(300)
    chances = poisson(photons * 128 / 255).pmf(counts)
    values = np.minimum(counts / photons, 1)
    mean = chances @ values
    assert after.mean() == pytest.approx(mean, abs=0.005)
    assert after.var() == pytest.approx(chances @ (values - mean) ** 2, rel=0.05)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_impulse_noise_blackens_and_whitens_its_share_of_pixels(severity, grey):
    share = CORRUPTIONS["impulse_noise"].levels[severity - 1]
    after = corrupt(grey, "impulse_noise", severity, stimulus_id="a")
    for level in (0, 255):
        assert (after == level).mean() == pytest.approx(share / 2, abs=0.005)


def test_gaussian_blur_of_a_point_is_a_gaussian():
    point = np.zeros((101, 101))
    point[50, 50] = 1
    x = np.arange(101) - 50
    sigma = CORRUPTIONS["gaussian_blur"].levels[4] * 101
    kernel = np.exp(-(x[:, None] ** 2 + x[None] ** 2) / 2 / sigma**2)
    formula = CORRUPTIONS["gaussian_blur"].formula
    found = formula(point[..., None], 0.045, np.random.default_rng(0))[..., 0]
    np.testing.assert_allclose(found, kernel / kernel.sum(), atol=2e-5)


@pytest.mark.parametrize("radius", [0.5, 1.28, 3.0, 7.7])
def test_a_disc_covers_its_area_and_weighs_one(radius):
    kernel = disc(radius)
    assert kernel.sum() == pytest.approx(1)
    assert 1 / kernel.max() == pytest.approx(max(np.pi * radius**2, 1), rel=0.15)
    np.testing.assert_allclose(kernel, kernel.T)


def test_a_horizontal_line_blurs_along_its_row_only():
    kernel = line(5.0, 0.0)
    middle = kernel.shape[0] // 2
    assert kernel[middle].sum() == pytest.approx(1)
    assert (kernel[middle] > 0).sum() == 5


@pytest.mark.parametrize("corruption", ["defocus_blur", "motion_blur", "gaussian_blur", "pixelate"])
def test_an_even_image_stays_as_it_is_when_it_is_averaged(corruption, grey):
    assert not change(grey, corruption, 5).any()


def test_contrast_and_brightness_are_their_formulas(photograph):
    x = photograph / 255
    expected = {
        "contrast": x.mean() + 0.25 * (x - x.mean()),
        "brightness": (x + 0.3).clip(0, 1),
    }
    for corruption, wanted in expected.items():
        found = corrupt(photograph, corruption, 3, stimulus_id="a")
        np.testing.assert_array_equal(found, np.round(255 * wanted))


def test_pixelate_takes_means_over_cells(photograph):
    found = corrupt(photograph, "pixelate", 3, stimulus_id="a")  # 24 cells along 96 pixels
    cells = (photograph / 255).reshape(24, 4, 32, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(found[::4, ::4], 255 * cells, atol=0.5 + 1e-9)
    assert (found[1::4, 2::4] == found[::4, ::4]).all()


def test_jpeg_is_pillows(photograph):
    file = io.BytesIO()
    Image.fromarray(photograph).save(file, "JPEG", quality=10, subsampling=0)
    found = corrupt(photograph, "jpeg", 3, stimulus_id="a")
    np.testing.assert_array_equal(found, np.asarray(Image.open(file)))


def test_fog_adds_the_same_cloud_in_its_share(photograph):
    thin, thick = (
        corrupt(photograph, "fog", s, stimulus_id="a") / 255 - (1 - a) * photograph / 255
        for s, a in ((1, 0.2), (5, 0.8))
    )
    np.testing.assert_allclose(thick / 0.8, thin / 0.2, atol=0.02)


def test_what_does_not_exist_is_refused(photograph):
    with pytest.raises(OptionError, match="no corruption 'snow'"):
        corrupt(photograph, "snow", 1, stimulus_id="a")
    with pytest.raises(OptionError, match="Severities are"):
        corrupt(photograph, "fog", 6, stimulus_id="a")


@settings(max_examples=15, deadline=None)
@given(stimulus_sets(max_size=4), st.sampled_from(sorted(CORRUPTIONS)), st.randoms())
def test_a_corrupted_image_depends_on_seed_and_id_alone(stimuli, corruption, random):
    order = stimuli.stimulus_ids
    random.shuffle(order)
    made = corrupted(stimuli, [corruption], (2, 5), seed=4)
    again = corrupted(stimuli.select(order[:1]), [corruption, "fog"], (5, 2), seed=4)
    for stimulus_id in again.where(corruption=corruption).stimulus_ids:
        np.testing.assert_array_equal(made.image(stimulus_id), again.image(stimulus_id))
        base = stimuli.image(again.table.at[stimulus_id, "base_id"])
        assert made.image(stimulus_id).shape == base.shape
        assert made.image(stimulus_id).dtype == np.uint8


def test_another_seed_draws_other_noise(photograph):
    first, second = (change(photograph, "gaussian_noise", 3, seed=s) for s in (0, 1))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
