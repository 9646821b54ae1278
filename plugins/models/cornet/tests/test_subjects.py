"""CORnets as subjects."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from corteval import models
from corteval.requests import Recording, TimeBin
from corteval.stimuli import StimulusSet
from corteval_cornet.model import VARIANTS
from corteval_cornet.r import CORnetR
from corteval_pytorch import initialised


def shown():
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    table = pd.DataFrame(index=pd.Index(["s"], name="stimulus_id"))
    return StimulusSet(
        identifier="toy", modality="image", table=table, images=lambda stimulus_id: image
    )


def bins(identifier, area):
    return [(b.start_ms, b.end_ms) for b in VARIANTS[identifier].times[area]]


def test_steps_of_cornet_s_answer_at_the_published_times():
    assert bins("cornet-s", "V1") == [(50, 150)]
    assert bins("cornet-s", "V2") == [(70, 170), (170, 270)]
    assert bins("cornet-s", "V4") == [(90, 140), (140, 190), (190, 240), (240, 290)]
    assert bins("cornet-s", "IT") == [(100, 200), (200, 300)]


def test_steps_of_the_variants_follow_their_rule():
    assert bins("cornet-s222", "IT") == [(70, 170), (170, 270)]
    assert bins("cornet-s484", "V4")[-1] == (420, 470)
    assert bins("cornet-s10", "V2")[9] == (250, 270)


def test_steps_of_cornet_r_answer_at_the_times_that_are_published():
    v1 = VARIANTS["cornet-r"].times["V1"]
    assert v1[TimeBin(50, 80)] == "V1.output-t0"
    assert v1[TimeBin(170, 200)] == "V1.output-t4"
    assert VARIANTS["cornet-r"].times["V2"][TimeBin(60, 110)] == "V2.output-t1"
    for area in ("V4", "IT"):
        assert bins("cornet-rt", area) == [(70, 110), (140, 170), (170, 200), (200, 250)]


@pytest.mark.parametrize("identifier", VARIANTS)
def test_every_step_of_a_time_map_is_one_the_network_takes(identifier, respond):
    """And all are mapped, but those in which nothing has reached an area yet."""
    with initialised(0):
        network = VARIANTS[identifier].network().eval()
    outputs = set(respond(network, torch.zeros(1, 3, 32, 32), suffixes=("output",))) - {"RETURN"}
    mapped = {layer for area in VARIANTS[identifier].times.values() for layer in area.values()}
    unreached = {f"{area}.output-t0" for area in ("V2", "V4", "IT")}
    assert outputs - mapped == (unreached if isinstance(network, CORnetR) else set())
    assert mapped <= outputs


def test_a_time_bin_is_answered_by_the_step_that_starts_nearest(respond):
    stimuli = shown()
    pixels = Image.fromarray(stimuli.image("s")).resize((224, 224), Image.Resampling.BILINEAR)
    x = torch.from_numpy(np.asarray(pixels).copy()).permute(2, 0, 1)[None] / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with initialised(5):
        network = CORnetR(biological_time=True).eval()
    wanted = respond(network, (x - mean[:, None, None]) / std[:, None, None])

    model = models.create("CORnet-RT-untrained", seed=5)
    request = Recording("V2", (TimeBin(55, 110), TimeBin(185, 200)))
    answer = model.respond(stimuli, [request])[request]
    assert answer.dims == ("presentation", "neuroid", "time_bin")
    for position, step in enumerate((1, 4)):
        values = wanted[f"V2.output-t{step}"].flatten().numpy()
        np.testing.assert_allclose(answer.values[0, :, position], values, atol=1e-4)


def test_untrained_subjects_say_so_with_their_seed():
    assert models.create("cornet-z-untrained", seed=7).notes == ("random weights (seed 7)",)


def test_cards_state_the_number_of_weights():
    for identifier, variant in VARIANTS.items():
        with torch.device("meta"):
            count = sum(p.numel() for p in variant.network().parameters())
        assert models.card(identifier).parameters == count
        assert models.card(f"{identifier}-untrained").parameters == count


_WEIGHTS_AND_RESPONSE = """
import hashlib, torch
from corteval_cornet.model import VARIANTS
from corteval_pytorch import initialised
torch.manual_seed({disturbed})
torch.set_num_threads(1)
with initialised(0):
    network = VARIANTS["cornet-s"].network().eval()
images = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)
sha = hashlib.sha256()
with torch.inference_mode():
    for tensor in [*network.state_dict().values(), network(images)]:
        sha.update(tensor.numpy().tobytes())
print(sha.hexdigest())
"""


@pytest.mark.slow
def test_two_processes_draw_the_same_weights_and_respond_alike():
    digests = {
        subprocess.run(
            [sys.executable, "-c", _WEIGHTS_AND_RESPONSE.format(disturbed=disturbed)],
            env={**os.environ, "PYTHONHASHSEED": str(disturbed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for disturbed in (1, 2)
    }
    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size * 2
