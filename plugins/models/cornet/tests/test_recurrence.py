"""What the networks do over time, beyond the reference numbers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.nn import functional

from corteval_cornet.r import STEPS, CORnetR
from corteval_cornet.s import CORnetS
from corteval_pytorch import initialised

AREAS = ("V1", "V2", "V4", "IT")


@pytest.fixture(scope="module")
def images():
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def recurrent(images, respond):
    """Responses of R and RT with the same weights, and these weights."""
    with initialised(0):
        network = CORnetR(biological_time=True).eval()
    twin = CORnetR(biological_time=False).eval()
    twin.load_state_dict(network.state_dict())
    return respond(network, images), respond(twin, images), network.state_dict()


def one_step(weights, area, below, state):
    """output(t) of an area by the equation, from the responses that `area` reads."""
    own = {n.partition(".")[2]: w for n, w in weights.items() if n.startswith(f"{area}.")}
    stride = 4 if area == "V1" else 2
    padding = own["conv_input.weight"].shape[-1] // 2
    drive = functional.conv2d(
        below, own["conv_input.weight"], own["conv_input.bias"], stride, padding
    )
    drive = functional.group_norm(drive, 32, own["norm_input.weight"], own["norm_input.bias"])
    total = functional.conv2d(functional.relu(drive) + state, own["conv1.weight"], padding=1)
    return functional.relu(functional.group_norm(total, 32, own["norm1.weight"], own["norm1.bias"]))


@pytest.mark.parametrize("biological_time", [True, False], ids=["RT", "R"])
def test_an_area_reads_the_last_step_in_rt_and_the_same_step_in_r(
    recurrent, images, biological_time
):
    rt, r, weights = recurrent
    responses = rt if biological_time else r
    for step in range(1, STEPS):
        for number, area in enumerate(AREAS):
            lower = step - 1 if biological_time else step
            below = images if number == 0 else responses[f"{AREAS[number - 1]}.output-t{lower}"]
            wanted = one_step(weights, area, below, responses[f"{area}.output-t{step - 1}"])
            found = responses[f"{area}.output-t{step}"]
            torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


def test_r_and_rt_agree_at_step_0_and_in_v1_and_nowhere_else(recurrent):
    rt, r, _ = recurrent
    for layer, values in rt.items():
        expected = layer.startswith("V1") or layer.endswith(".output-t0")
        assert torch.equal(values, r[layer]) == expected, layer


def test_the_mean_of_v2_at_step_1_of_cornet_rt_is_the_published_one(
    in_closed_form, closed_images, respond
):
    network = in_closed_form(lambda: CORnetR(biological_time=True))
    v2 = respond(network, closed_images(2, 224), suffixes=("V2.output",))["V2.output-t1"]
    assert v2.double().mean().item() == pytest.approx(0.404840, abs=5e-7)


def test_threads_share_a_network_without_disturbing_each_other():
    """Strides are arguments: nothing of a network changes while it computes."""
    with initialised(0):
        network = CORnetS(steps=(2, 2, 2), bottleneck=False).eval()
    batches = torch.randn(8, 1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        alone = [network(batch) for batch in batches]

    def run(batch):
        with torch.no_grad():
            return network(batch)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, batches))
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_a_recorded_normalisation_keeps_its_negative_values(respond, images):
    with initialised(0):
        network = CORnetS(steps=(2, 2, 2), bottleneck=False).eval()
    responses = respond(network, images, suffixes=("norm1", "norm2_0", "norm_skip"))
    del responses["RETURN"]
    assert len(responses) == 7
    assert all(values.min() < 0 for values in responses.values())
