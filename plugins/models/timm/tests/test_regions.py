import warnings

import pytest
import torch

from corteval_pytorch.taps import tap_of, tensor_of
from corteval_timm.library import timm
from corteval_timm.regions import OUTPUT, blocks, penultimate, region_map, stages


def built(name):
    """Without memory for weights."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return timm.create_model(name).eval()


def outputs(network, layers):
    """Shapes of what layers return, in a forward pass without numbers."""
    found, handles = {}, []
    for name in layers:
        tap = tap_of(name, network)

        def hook(module, inputs, output, name=name, tap=tap):
            found[name] = tuple(tensor_of(output, tap, name).shape)

        handles.append(network.get_submodule(tap.module).register_forward_hook(hook))
    with torch.no_grad():
        network(torch.zeros(2, *network.pretrained_cfg["input_size"], device="meta"))
    for handle in handles:
        handle.remove()
    return found


def test_the_four_layers_of_a_resnet_are_the_four_areas():
    layers = region_map(built("resnet18"))
    assert layers == {"V1": "layer1", "V2": "layer2", "V4": "layer3", "IT": "layer4"}


def test_blocks_of_a_transformer_are_divided_evenly():
    # 12 blocks, numbered from 0: after 3, 6, 9 and 12 of them
    layers = region_map(built("vit_tiny_patch16_224"))
    assert list(layers.values()) == ["blocks.2", "blocks.5", "blocks.8", "blocks.11"]


def test_lists_are_never_called_so_their_last_member_stands_for_them():
    network = built("coat_lite_tiny")
    assert isinstance(network.serial_blocks1, torch.nn.ModuleList)
    assert stages(network)[0] == f"serial_blocks1.{len(network.serial_blocks1) - 1}"


def test_a_network_whose_stages_are_named_wrongly_is_divided_by_its_blocks():
    network = built("mvitv2_tiny")
    assert all(entry["module"].startswith("block.") for entry in network.feature_info)
    assert stages(network) == [f"stages.{k}" for k in range(len(network.stages))]


def test_blocks_are_the_members_of_the_heaviest_sequence():
    network = torch.nn.Sequential()
    network.stem = torch.nn.Linear(3, 3)
    network.body = torch.nn.ModuleDict({"deep": torch.nn.Sequential()})
    for width in (30, 40, 50):
        network.body["deep"].append(torch.nn.Linear(width, width))
    holder = torch.nn.Module()
    holder.network = network.body
    holder.head = torch.nn.Linear(3, 3)
    assert blocks(holder) == [f"network.deep.{k}" for k in range(3)]


@pytest.mark.slow
def test_layers_of_every_kind_of_timms_models_run_and_have_a_row_a_stimulus():
    """Of each of timm's modules the model with the shortest name, nearly always the smallest."""
    smallest = {}
    for name in sorted(timm.list_models(), key=lambda name: (-len(name), name)):
        smallest[timm.model_entrypoint(name).__module__] = name
    assert len(smallest) > 90
    for name in smallest.values():
        network = built(name)
        layers = {*region_map(network).values(), penultimate(network)} - {OUTPUT}
        shapes = outputs(network, layers)
        assert set(shapes) == layers, name
        assert all(shape[0] == 2 and len(shape) > 1 for shape in shapes.values()), name
