import pytest
import torch

from corteval_vonenet.backends import AlexNetBackEnd, ResNet50BackEnd
from corteval_vonenet.block import vone_block
from corteval_vonenet.gabors import shipped
from corteval_vonenet.network import VOneNet, cornet_s_back_end

NETWORKS = {"VOne_resnet50": ResNet50BackEnd, "VOne_alexnet": AlexNetBackEnd}


def build(back_end):
    """A network whose back-end has no weights yet, which is quick."""
    with torch.device("meta"):
        made = back_end()
    return VOneNet(vone_block(shipped(), noise=None), made.to_empty(device="cpu")).eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_recorded_layer_equals_the_published_network(
    name, reference, filled, closed_input, deviation
):
    recorded = reference("models.json")["vonenet"][name]
    network = filled(build(NETWORKS[name]))
    counts = recorded["counts"]
    assert sum(p.numel() for p in network.parameters()) == counts["total"]
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == counts["trainable"]
    assert sum(b.numel() for b in network.buffers()) == counts["buffers"]
    assert len(network.state_dict()) == counts["state_dict_keys"]
    assert {
        child: sum(p.numel() for p in module.parameters())
        for child, module in network.named_children()
    } == counts["per_child"]

    deviations = {}

    def compare(layer):
        wanted = recorded["closed_form_eval_no_noise"][layer]
        return lambda *call: deviations.update({layer: deviation(call[-1], wanted)})

    layers = [n for n in recorded["closed_form_eval_no_noise"] if n != "RETURN"]
    for layer in layers:
        network.get_submodule(layer.removesuffix("-t0")).register_forward_hook(compare(layer))
    compare("RETURN")(network(closed_input(2, 3, 224, 224)))
    assert set(deviations) == {*layers, "RETURN"}
    assert max(deviations.values()) < 5e-5, deviations


def test_cornet_s_behind_v1_has_the_published_size():
    """Spec `models` section 2."""
    network = build(cornet_s_back_end)
    parameters = list(network.parameters())
    assert sum(p.numel() for p in parameters) == 55_322_856
    assert sum(p.numel() for p in parameters if p.requires_grad) == 53_402_856
    assert {name.partition(".")[0] for name in network.state_dict()} == {
        "vone_block",
        "bottleneck",
        "model",
    }


def test_cornet_s_behind_v1_computes_what_cornet_s_does_behind_its_own():
    """Both are given the same 64-channel map, and the same weights for V2, V4, IT and decoder."""
    from corteval_cornet.s import CORnetS

    whole = CORnetS().eval()
    behind = cornet_s_back_end().eval()
    state = {n: t for n, t in whole.state_dict().items() if not n.startswith("V1.")}
    behind.load_state_dict(state)
    v1 = torch.rand(1, 64, 56, 56, generator=torch.Generator().manual_seed(0))
    expected = whole.decoder(whole.IT(whole.V4(whole.V2(v1))))
    torch.testing.assert_close(behind(v1), expected)


def test_only_v1_can_be_computed_in_part():
    network = build(ResNet50BackEnd)
    assert network.windowed("model.layer1.0", slice(0, 1), slice(0, 1)) is None
    part = network.windowed("vone_block.output", slice(3, 5), slice(0, 2))
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(part(images), network.vone_block(images)[:, :, 3:5, :2])
