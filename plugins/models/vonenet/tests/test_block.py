import numpy as np
import pytest
import torch
from scipy.stats import norm

from corteval.errors import OptionError
from corteval_pytorch import presentation_seeds
from corteval_vonenet import block
from corteval_vonenet.block import channels, kernels, vone_block
from corteval_vonenet.gabors import gabors, sample, shipped

TOLERANCE = 5e-5


@pytest.fixture(scope="module")
def recorded(reference):
    return reference("models.json")["vonenet"]


@pytest.fixture(scope="module")
def v1():
    return vone_block(shipped(), noise=None)


def small(noise="neuronal"):
    return vone_block(sample(2, count=12), noise=noise)


def test_one_kernel_equals_the_published_one(recorded, deviation):
    (kernel,) = kernels(0.1, 3, 4, 0.3, 0.5)
    name = "single_kernel freq=.1 sx=3 sy=4 theta=.3 offset=.5 ks=25"
    assert deviation(kernel, recorded[name]) < TOLERANCE


def test_filters_equal_the_published_ones(recorded, v1, deviation):
    for number in (0, 1):
        weight = v1.get_submodule(f"simple_conv_q{number}").weight
        assert deviation(weight, recorded["VOneBlock"][f"q{number}_weight"]) < TOLERANCE


def test_colours_of_both_phases_are_drawn_apart(recorded):
    q0, q1 = channels(512, 0)
    assert q0.tolist() == recorded["VOneBlock"]["q0_rgb_channel"]
    assert q1.tolist() == recorded["VOneBlock"]["q1_rgb_channel"]
    assert int((q0 == q1).sum()) == recorded["VOneBlock"]["channel_agreement_q0_q1"] == 172


def test_all_parameters_are_frozen_filters(recorded, v1):
    counts = recorded["VOneBlock"]["counts"]
    sizes = {name: p.numel() for name, p in v1.named_parameters()}
    assert sum(sizes.values()) == counts["total"]
    assert not any(p.requires_grad for p in v1.parameters())
    assert len(v1.state_dict()) == counts["state_dict_keys"]
    by_child = {
        name: sum(p.numel() for p in child.parameters()) for name, child in v1.named_children()
    }
    assert by_child == counts["per_child"]


def test_clean_responses_equal_the_published_ones(recorded, v1, closed_input, deviation):
    response = v1(closed_input(2, 3, 224, 224))
    for part, name in (
        (response, "output_no_noise"),
        (response[:, :256], "output_simple_half"),
        (response[:, 256:], "output_complex_half"),
    ):
        assert deviation(part, recorded["VOneBlock"][name]) < TOLERANCE


def test_noisy_responses_equal_the_published_ones(recorded, closed_input, deviation, monkeypatch):
    z = torch.randn(2, 512, 56, 56, generator=torch.Generator().manual_seed(3))
    assert deviation(z, recorded["VOneBlock"]["fixed_noise_seed3_batch2"]) < TOLERANCE
    monkeypatch.setattr(block, "foveal_normal", lambda *_: z.clone())
    response = vone_block(shipped())(closed_input(2, 3, 224, 224))
    assert deviation(response, recorded["VOneBlock"]["output_fixed_noise_seed3"]) < TOLERANCE


def moments(c, s):
    """Mean and variance of ReLU(c + s z), z standard normal."""
    mean = c * norm.cdf(c / s) + s * norm.pdf(c / s)
    return mean, (c**2 + s**2) * norm.cdf(c / s) + c * s * norm.pdf(c / s) - mean**2


def spread(clean, noise):
    return np.sqrt(0.35 * clean + 0.07 + 1e-4) / 0.35 if noise == "neuronal" else 0.35


@pytest.mark.parametrize("noise", ["neuronal", "gaussian"])
def test_noise_has_the_moments_of_a_rectified_gaussian(noise):
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    repeats = 2000
    with presentation_seeds(list(range(repeats)), repeats):
        drawn = small(noise)(image).double().numpy()
    clean = small(None)(image).double().numpy()[0]
    mean, variance = moments(clean, spread(clean, noise))
    assert clean.max() > 5 and clean.min() == 0
    z = (drawn.mean(axis=0) - mean) / np.sqrt(variance / repeats)
    assert np.abs(z).max() < 5.5  # 768 units
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert (drawn.var(axis=0) / variance).mean() == pytest.approx(1, abs=0.01)
    assert (drawn.mean(axis=0) > clean)[clean < 0.3].mean() > 0.95  # rectification lifts it


def test_noise_belongs_to_the_presentation_not_to_the_batch():
    images = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with presentation_seeds([5, 6, 7]):
        together = small()(images)
    with presentation_seeds([6]):
        alone = small()(images[1:2])
    torch.testing.assert_close(together[1:2], alone)


def test_trials_of_one_row_equal_the_row_shown_again():
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with presentation_seeds([1, 2, 3, 4, 5, 6], 3):
        by_trial = small()(images)
    with presentation_seeds([1, 2, 3, 4, 5, 6]):
        repeated = small()(images.repeat_interleave(3, dim=0))
    torch.testing.assert_close(by_trial, repeated)


def test_a_window_holds_what_the_whole_map_has_there():
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    for rows, columns in ((slice(6, 9), slice(8, 12)), (slice(0, 2), slice(15, 16))):
        with presentation_seeds([1, 2, 3, 4], 2):
            whole = small()(images)
        with presentation_seeds([1, 2, 3, 4], 2):
            part = small().windowed(rows, columns)(images)
        torch.testing.assert_close(part, whole[:, :, rows, columns])


def test_noise_is_independent_between_places_cells_trials_and_rows():
    zeros = torch.zeros(2, 6, 12, 12)
    with presentation_seeds([1, 2, 3, 4], 2):
        z = block.foveal_normal(zeros, (12, 12), (slice(0, 12), slice(0, 12)))
    assert z.shape == (4, 6, 12, 12)
    assert z.unique().numel() == z.numel()
    assert float(z.mean()) == pytest.approx(0, abs=4 / np.sqrt(z.numel()))
    assert float(z.var()) == pytest.approx(1, abs=6 / np.sqrt(z.numel()))


def grating(orientation_degrees, frequency_cpd, phase):
    """Wave along the given direction, clockwise from the x axis, y downwards; 28 pixels/degree."""
    y, x = (np.indices((25, 25)) - 12) / 28
    theta = np.deg2rad(orientation_degrees)
    along = x * np.cos(theta) + y * np.sin(theta)
    return np.sin(2 * np.pi * frequency_cpd * along + phase)


def test_complex_cells_prefer_gratings_of_the_orientation_they_declare():
    parameters = gabors()
    cells = vone_block(parameters, noise=None)
    angles = np.arange(0, 180, 5.0)
    errors = []
    for unit in range(256, 512, 16):
        waves = [grating(a, parameters.spatial_frequency_cpd[unit], 0) for a in angles]
        images = torch.from_numpy(np.stack(waves)).float()[:, None].expand(-1, 3, -1, -1)
        response = cells(images)[:, unit, 3, 3].numpy()
        gap = angles[response.argmax()] - parameters.orientation_degrees[unit]
        errors.append(abs((gap + 90) % 180 - 90))
    assert np.median(errors) <= 2.5
    assert max(errors) <= 10  # widely tuned cells of low frequency, cut off by the kernel


def test_other_noise_is_refused():
    with pytest.raises(OptionError, match="'poisson'"):
        vone_block(shipped(), noise="poisson")
