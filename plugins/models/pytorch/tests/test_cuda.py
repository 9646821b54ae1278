"""Responses on a GPU are those of the CPU; needs one."""

import copy
import logging

import numpy as np
import pytest
import torch
from torch import nn

from corteval import record
from corteval.requests import Recording
from corteval_pytorch import Preprocessing, SparseProjection, commit, initialised
from corteval_pytorch.exactness import exact
from corteval_pytorch.text import text_commit

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no CUDA device on this machine"
)

#: Of the largest response.
ROUNDING = 1e-5


def deep():
    """Wide enough that TF32 is used, and deep enough that its rounding grows."""
    with initialised(0):
        layers = [nn.Conv2d(3, 64, 7, stride=2, padding=3)]
        for _ in range(4):
            layers += [nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(1024, 100))


def on(device, network=None, preprocess=None, layers=None, **options):
    return commit(
        copy.deepcopy(network or deep()),
        preprocess or Preprocessing(size=64),
        layers or {"V4": "9", "IT": "15"},
        identifier="net",
        visual_degrees=None,
        device=device,
        **options,
    )


def gap(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("target", ["V4", "IT"])
def test_responses_are_the_cpus_though_torch_convolves_in_tf32(target, pictures, unshelved):
    stimuli = pictures(9, pixels=64)
    there, here = (record(on(device), stimuli, target).values for device in ("cuda", "cpu"))
    assert torch.backends.cudnn.allow_tf32  # torch's own choice, which stays
    assert gap(there, here) < ROUNDING


def test_it_is_tf32_that_is_switched_off():
    if torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("this device has no TF32")
    network, x = deep().cuda().eval(), torch.randn(4, 3, 64, 64, device="cuda")
    with torch.inference_mode():
        plain = network(x)
        with exact():
            proper = network(x)
        expected = network.double()(x.double())
    error = [gap(y.double().cpu().numpy(), expected.cpu().numpy()) for y in (plain, proper)]
    assert error[0] > 10 * error[1] and error[1] < ROUNDING


def test_the_same_batch_gives_the_same_bits_and_another_the_same_to_rounding(pictures, unshelved):
    stimuli = pictures(24, pixels=64)
    first, again = (record(on("cuda"), stimuli, "IT").values for _ in range(2))
    assert np.array_equal(first, again)
    assert gap(record(on("cuda", batch_size=5), stimuli, "IT").values, first) < ROUNDING


def test_trials_draw_the_same_noise_on_every_device(noisy, small, pictures, unshelved):
    request = Recording("V1", trials=3)
    there, here = (
        on(device, noisy, small, {"V1": "noise"}, stochastic=True).respond(pictures(5), [request])[
            request
        ]
        for device in ("cuda", "cpu")
    )
    assert gap(np.asarray(there), np.asarray(here)) < ROUNDING


def test_projections_are_the_same_on_every_device(pictures, unshelved):
    reduction = SparseProjection(features=50)
    there, here = (
        record(on(device, reduction=reduction), pictures(6), "V4").values
        for device in ("cuda", "cpu")
    )
    assert gap(there, here) < ROUNDING


def test_a_batch_is_halved_when_the_device_is_full(pictures, unshelved, caplog):
    stimuli = pictures(64, pixels=224)
    options = {"preprocess": Preprocessing(size=224), "batch_size": 64}
    subject = on("cuda", **options)
    expected = record(subject, stimuli, "IT").values
    torch.cuda.empty_cache()
    maps = 4 * 64 * 64 * 112 * 112  # bytes; a layer holds its input and its output
    allowed = torch.cuda.memory_reserved() + 1.5 * maps
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(allowed / total)
    try:
        with caplog.at_level(logging.WARNING, "corteval_pytorch.halving"):
            found = record(subject, stimuli, "IT").values
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "out of memory with 64 stimuli at once; going on with 32" in caplog.text
    assert gap(found, expected) < ROUNDING


def test_the_peak_of_a_batch_on_the_device_is_measured(pictures, unshelved):
    options = {"preprocess": Preprocessing(size=224), "batch_size": 64}
    extractor = on("cuda", **options).extractor
    peaks = []
    for count in (16, 64):
        stimuli = pictures(count, pixels=224)
        held, peak = extractor.device_peak_of(lambda s=stimuli: extractor.prepare(s, ["9"]))
        peaks.append(peak - held)
    each = 4 * 64 * 112 * 112  # bytes of a map of 64 channels; a layer's input and its output
    assert peaks[0] >= 2 * 16 * each and peaks[1] >= 2 * 64 * each
    assert peaks[1] < extractor.device_limit().bytes_left
    assert on("cpu").extractor.device_limit() is None


def test_a_text_is_read_as_on_the_cpu_and_the_same_every_time(reader, pieces, texts, unshelved):
    stimuli = texts(("the old dog", "ran away"), ("a car stood still", "near the river", "there"))

    def responses(device, target):
        subject = text_commit(
            reader(), pieces(), {"language_system": "blocks.1"}, pooling="mean", device=device
        )
        return record(subject, stimuli, target).values

    there, again, here = (responses(d, "language_system") for d in ("cuda", "cuda", "cpu"))
    assert gap(there, here) < ROUNDING
    assert np.array_equal(there, again)
