import numpy as np
import pytest
import torch

from corteval.errors import OptionError
from corteval_hmax.layers import (
    ORIENTATIONS_DEGREES,
    PATCH_SIZES,
    S1,
    S1_SIZES,
    S2,
    s1_filters,
)
from corteval_hmax.network import HMAX, bands, s1_and_c1

TOLERANCE = 5e-5


@pytest.mark.parametrize("size", S1_SIZES)
def test_filters_equal_the_published_ones(size, recorded, deviation):
    assert deviation(s1_filters(size)[:, None], recorded["S1_filters"][str(size)]) < TOLERANCE


def test_s1_equals_the_published_responses_at_every_size(recorded, image, deviation):
    for size, wanted in zip(S1_SIZES, recorded["S1"], strict=True):
        assert deviation(S1(size)(image), wanted) < TOLERANCE


def test_c1_equals_the_published_responses_in_every_band(recorded, image, deviation):
    for band, wanted in zip(bands(s1_and_c1(), image), recorded["C1"], strict=True):
        assert deviation(band, wanted) < TOLERANCE


def test_s2_equals_the_published_responses_for_every_size(recorded, image, patches, deviation):
    band = bands(s1_and_c1(), image)[0]
    wanted = recorded["S2_scale0_each_patchsize"]
    for size, summary in zip(PATCH_SIZES, wanted, strict=True):
        squared = S2(patches[size])(band)
        assert deviation(squared.clamp(min=0).sqrt(), summary) < TOLERANCE


@pytest.mark.parametrize(
    ("response", "name"), [("euclidean", "C2"), ("gaussian", "C2_gaussian_sigma1")]
)
def test_c2_equals_the_published_responses(response, name, recorded, image, patches, deviation):
    matches = HMAX(patches, response=response)(image).split(10, dim=1)
    for found, wanted in zip(matches, recorded[name], strict=True):
        assert deviation(found, wanted) < TOLERANCE


def test_filters_and_patches_make_up_the_published_number_of_parameters(recorded):
    """The published network also counts what follows from them: sums under the windows of S1, one
    per orientation, and of S2, and the lengths of patches."""
    published = recorded["param_count_400_patches_per_size (17 S1 sizes)"]
    s2 = [S2(torch.zeros(400, 4, size, size)) for size in PATCH_SIZES]
    filters = sum(S1(size).filters.numel() for size in S1_SIZES)
    patches = sum(stage.patches.numel() for stage in s2)
    windows = filters + sum(size**2 for size in PATCH_SIZES)
    lengths = sum(stage.norms.numel() for stage in s2)
    assert filters + patches + windows + lengths == published


def test_filters_prefer_gratings_of_their_own_orientation():
    """d counts anticlockwise: the wave of 45 degrees runs up and to the right."""
    size = 21
    wavelength = 2 * size / (4 - 0.05 * S1_SIZES.index(size))
    y, x = np.indices((size, size)) - size // 2
    for number, degrees in enumerate(ORIENTATIONS_DEGREES):
        angle = np.deg2rad(np.arange(0, 180, 15))
        along = np.cos(angle)[:, None, None] * x - np.sin(angle)[:, None, None] * y
        waves = np.cos(2 * np.pi * along / wavelength)
        response = np.abs((s1_filters(size)[number] * waves).sum(axis=(1, 2)))
        assert 15 * response.argmax() == degrees % 180


def test_s1_answers_the_cosine_between_filter_and_patch():
    image = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    size = 11
    response = S1(size)(image)[0, :, 20, 17]
    patch = image[0, 0, 15:26, 12:23].double().numpy()
    filters = s1_filters(size)
    expected = np.abs((filters * patch).sum(axis=(1, 2))) / np.linalg.norm(patch)
    np.testing.assert_allclose(response, expected, rtol=1e-4)


def test_a_patch_of_the_image_matches_it_perfectly():
    image = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    found = bands(s1_and_c1(), image)
    patches = {size: found[0][:, :, 1 : 1 + size, 2 : 2 + size] for size in PATCH_SIZES}
    other = HMAX(patches)(image.flip(3))
    same = HMAX(patches)(image)
    lengths = torch.stack([p.norm() for p in patches.values()])
    assert (same < 2e-3 * lengths).all()  # float32 leaves that of a difference of squares
    assert (other > 10 * same).all()


def test_responses_do_not_depend_on_the_batch(patches):
    images = torch.rand(3, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    network = HMAX(patches)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone, rtol=1e-5, atol=1e-6)


def test_brightness_and_equal_colours_do_not_matter(patches):
    image = torch.rand(1, 1, 80, 80, generator=torch.Generator().manual_seed(0))
    network = HMAX(patches)
    expected = network(image)
    torch.testing.assert_close(network(255 * image), expected)
    torch.testing.assert_close(network(image.expand(1, 3, 80, 80)), expected)


def test_black_images_leave_the_length_of_patches(patches):
    matches = HMAX(patches)(torch.zeros(1, 1, 64, 64)).split(10, dim=1)
    for size, found in zip(PATCH_SIZES, matches, strict=True):
        torch.testing.assert_close(found[0], patches[size].flatten(1).norm(dim=1))


def test_small_images_and_unknown_responses_are_refused(patches):
    with pytest.raises(OptionError, match="64 x 64"):
        HMAX(patches)(torch.zeros(1, 1, 50, 80))
    with pytest.raises(OptionError, match="'cosine'"):
        HMAX(patches, response="cosine")
