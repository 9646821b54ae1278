"""The networks against numbers computed with the public implementation."""

import hashlib

import pytest
import torch

from corteval_cornet.model import VARIANTS
from corteval_pytorch import initialised

#: Allowed difference, relative to the standard deviation of the layer; see the reference file.
TOLERANCE = 5e-5

NETWORKS = {"CORnet_Z": "cornet-z", "CORnet_R": "cornet-r", "CORnet_S": "cornet-s"}
VARIANTS_OF_S = {
    "s_222": "cornet-s222",
    "s_444": "cornet-s444",
    "s_484": "cornet-s484",
    "s_10": "cornet-s10",
}


def build(identifier):
    return VARIANTS[identifier].network()


@pytest.fixture(scope="module")
def numbers(reference):
    return reference("models.json")


@pytest.fixture(scope="module")
def parts():
    """Networks without values in their weights: names, shapes and counts are all there is."""
    with torch.device("meta"):
        return {identifier: build(identifier) for identifier in VARIANTS}


def agrees(layer, values, wanted):
    assert list(values.shape) == wanted["shape"], layer
    flat = values.double().flatten()
    found = {
        "mean": flat.mean(),
        "std": flat.std(unbiased=False),
        "min": flat.min(),
        "max": flat.max(),
        "first": flat[:5],
        "last": flat[-3:],
        "abs_sum": flat.abs().sum() / flat.numel(),
    }
    wanted = {**wanted, "abs_sum": wanted["abs_sum"] / flat.numel()}
    for name, value in found.items():
        difference = (value - torch.tensor(wanted[name], dtype=torch.float64)).abs().max().item()
        assert difference <= TOLERANCE * wanted["std"], (layer, name, difference, wanted["std"])


def all_agree(responses, wanted):
    assert set(responses) == set(wanted)
    for layer, values in responses.items():
        agrees(layer, values, wanted[layer])


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_and_step_agrees_for_weights_in_closed_form(
    name, numbers, in_closed_form, closed_images, respond
):
    network = in_closed_form(lambda: build(NETWORKS[name]))
    all_agree(respond(network, closed_images(2, 224)), numbers["cornet"][name]["closed_form_eval"])


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_and_step_agrees_for_weights_drawn_under_seed_0(
    name, numbers, closed_images, respond
):
    with initialised(0):
        network = build(NETWORKS[name]).eval()
    wanted = numbers["cornet"][name]
    for weight, statistics in wanted["manual_seed_0_first_weights"].items():
        agrees(weight, network.state_dict()[weight], statistics)
    all_agree(respond(network, closed_images(2, 224)), wanted["manual_seed_0_eval"])


def test_cornet_s_agrees_in_training_mode_and_for_small_images(
    numbers, in_closed_form, closed_images, respond
):
    network = in_closed_form(lambda: build("cornet-s"))
    wanted = numbers["cornet"]["CORnet_S"]
    small = respond(network, closed_images(1, 112))
    all_agree(small, wanted["closed_form_eval_batch1_image112"])
    trained = respond(network.train(), closed_images(2, 224))
    all_agree(trained, wanted["closed_form_train_mode_batch2"])


@pytest.mark.parametrize(
    "name",
    ["s_222", "s_484", *(pytest.param(n, marks=pytest.mark.slow) for n in ("s_444", "s_10"))],
)
def test_variants_of_cornet_s_agree_in_steps_and_logits(
    name, numbers, in_closed_form, closed_images, respond
):
    wanted = numbers["cornet_variants"][name]
    responses = respond(in_closed_form(lambda: build(VARIANTS_OF_S[name])), closed_images(2, 224))
    steps = {
        area: sum(layer.startswith(f"{area}-t") for layer in responses)
        for area in wanted["time_steps"]
    }
    assert steps == wanted["time_steps"]
    agrees("logits", responses["RETURN"], wanted["logits"])


@pytest.mark.parametrize("name", [*NETWORKS, *VARIANTS_OF_S])
def test_counts_of_weights_agree_in_total_and_by_area(name, numbers, parts):
    network = parts[(NETWORKS | VARIANTS_OF_S)[name]]
    children = dict(network.named_children())
    found = {
        "total": sum(p.numel() for p in network.parameters()),
        "trainable": sum(p.numel() for p in network.parameters() if p.requires_grad),
        "buffers": sum(b.numel() for b in network.buffers()),
        "state_dict_keys": len(network.state_dict()),
        "per_child": {n: sum(p.numel() for p in c.parameters()) for n, c in children.items()},
    }
    assert found == (numbers["cornet"] | numbers["cornet_variants"])[name]["counts"]


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_of_the_state_are_those_of_the_public_checkpoints(name, numbers, parts):
    state = parts[NETWORKS[name]].state_dict()
    wanted = numbers["cornet"][name]
    shapes = {n: list(t.shape) for n, t in state.items() if not n.endswith("num_batches_tracked")}
    assert list(shapes.items()) == list(wanted["param_shapes"].items())
    lines = "\n".join(f"{n} {tuple(t.shape)}" for n, t in state.items())
    assert hashlib.sha1(lines.encode()).hexdigest() == wanted["keys_sha1"]
