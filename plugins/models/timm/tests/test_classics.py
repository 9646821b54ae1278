"""Classic models: their layers against the libraries by which Brain-Score names them."""

from __future__ import annotations

import re

import pytest
import torch

from corteval.cards import ModelCard
from corteval_timm import card as cards
from corteval_timm.library import timm

CARDS = {c.identifier: c for c in vars(cards).values() if isinstance(c, ModelCard)}
TRAINED = {name: c for name, c in CARDS.items() if not name.endswith("-untrained")}
TARGETS = ("V1", "V2", "V4", "IT")


def layers(identifier):
    """Of V1, V2, V4 and IT."""
    return [CARDS[identifier].options["layers"][target] for target in TARGETS]


def built(name, device="meta"):
    with torch.device(device):
        return timm.create_model(name).eval()


def recorded(network, names, x):
    found, handles = {}, []
    for name in names:

        def hook(module, inputs, output, name=name):
            found[name] = output.clone()

        handles.append(network.get_submodule(name).register_forward_hook(hook))
    with torch.inference_mode():
        found["returned"] = network(x)
    for handle in handles:
        handle.remove()
    return found


def numbered(state, seed=0):
    """Weights by their order, as both libraries register them, with statistics of use."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in state.items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith("running_mean"):
            tensor.normal_(0, 0.1, generator=generator)
        elif tensor.ndim == 1 and name.endswith("weight"):
            tensor.uniform_(0.5, 1.5, generator=generator)
    return state


def compare(theirs, ours, names, size, *, seen=lambda x: x, skip="AuxLogits"):
    """Layers `names` (theirs, ours) respond alike when both networks have the same weights."""
    theirs.eval()
    given = [v for k, v in numbered(theirs.state_dict()).items() if not k.startswith(skip)]
    own = ours.state_dict()
    assert len(given) == len(own)
    state = {k: v.reshape(own[k].shape) for k, v in zip(own, given, strict=True)}
    ours.load_state_dict(state)
    x = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    a = recorded(theirs, [t for t, _ in names], x)
    b = recorded(ours, [o for _, o in names], seen(x))
    for t, o in [*names, ("returned", "returned")]:
        assert a[t].shape == b[o].shape, (t, o)
        assert (a[t] - b[o]).abs().max() <= 2e-5 * a[t].std(), (t, o)


@pytest.fixture
def torchvision():
    """Imported by timm already, so with its operators declared."""
    import torchvision.models

    return torchvision.models


# features.N of torchvision, with which Brain-Score names VGG-16 and DenseNets, and layerN.M
@pytest.mark.parametrize(
    ("identifier", "name", "size"),
    [
        pytest.param("vgg16", "vgg16", 64, marks=pytest.mark.slow),
        ("densenet121", "densenet121", 64),
        pytest.param("densenet169", "densenet169", 64, marks=pytest.mark.slow),
        ("resnet50-tv", "resnet50", 64),
        pytest.param("resnet50-tv2", "resnet50", 64, marks=pytest.mark.slow),
        pytest.param("resnet101-tv", "resnet101", 64, marks=pytest.mark.slow),
        pytest.param("resnet152-tv2", "resnet152", 64, marks=pytest.mark.slow),
    ],
)
def test_layers_are_those_torchvision_has_under_the_same_name(identifier, name, size, torchvision):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = getattr(torchvision, name)(weights=None)
    same = [(layer, layer) for layer in dict.fromkeys(layers(identifier))]
    compare(theirs, timm.create_model(name).eval(), same, size)


def test_inception_v3_is_torchvisions_with_its_change_of_the_input(torchvision):
    theirs = torchvision.inception_v3(weights=None, init_weights=False, transform_input=True)
    same = [(layer, layer) for layer in layers("inception_v3")]
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    # torchvision is given x standardised by ImageNet and changes it to (pixel - .5)/.5
    compare(
        theirs,
        timm.create_model("inception_v3").eval(),
        same,
        96,
        seen=lambda x: (x * std + mean - 0.5) / 0.5,
    )


@pytest.mark.slow
def test_act3_is_the_last_call_of_relu_in_a_block_of_resnext(torchvision):
    # the relu of torchvision runs three times a block; its last output stays in `recorded`
    theirs = torchvision.resnext101_32x8d(weights=None)
    names = [(layer.replace("act3", "relu"), layer) for layer in layers("resnext101_32x8d-wsl")]
    compare(theirs, timm.create_model("resnext101_32x8d").eval(), names, 48)


def test_drop_path_is_the_stochastic_depth_of_efficientnet(torchvision):
    brain_score = [f"features.{block}.stochastic_depth" for block in ("3.1", "6.1", "4.1", "6.1")]
    names = list(zip(brain_score, layers("efficientnet_b0"), strict=True))
    theirs = torchvision.efficientnet_b0(weights=None)
    compare(theirs, timm.create_model("efficientnet_b0").eval(), names, 64)


# _blocks.N of efficientnet_pytorch (spec `models` section 10; b6 from the map of Brain-Score)
@pytest.mark.parametrize(
    ("size", "numbers"),
    [
        ("b2", (12, 17, 12, 16)),
        ("b4", (10, 10, 10, 22)),
        ("b6", (9, 17, 9, 31)),
        ("b7", (14, 24, 11, 38)),
        ("b8", (14, 21, 20, 42)),
    ],
)
def test_blocks_of_advprop_are_numbered_through_all_stages(size, numbers):
    network = built(f"tf_efficientnet_{size}")
    blocks = [
        f"blocks.{i}.{j}" for i, stage in enumerate(network.blocks) for j in range(len(stage))
    ]
    assert layers(f"efficientnet_{size}-advprop") == [blocks[number] for number in numbers]


# mobilenet_v2.layer.N of Hugging Face's model, whose stem holds the first block (same section)
@pytest.mark.parametrize(("width", "numbers"), [("100", (7, 6, 6, 12)), ("140", (3, 6, 6, 12))])
def test_layers_of_mobilenet_are_numbered_after_the_first_block(width, numbers):
    network = built(f"mobilenetv2_{width}")
    blocks = [
        f"blocks.{i}.{j}" for i, stage in enumerate(network.blocks) for j in range(len(stage))
    ]
    assert layers(f"mobilenetv2_{width}-ra") == [blocks[number + 1] for number in numbers]


# Brain-Score runs timm itself here, so the names are timm's own; the shapes at its input size
@pytest.mark.parametrize(
    ("identifier", "shapes"),
    [
        ("inception_v4", [(384, 35, 35), (1024, 17, 17), (384, 35, 35), (1024, 17, 17)]),
        ("nasnetalarge", [(1008, 42, 42), (1008, 42, 42), (1008, 42, 42), (4032, 11, 11)]),
        ("pnasnet5large", [(1080, 42, 42), (2160, 21, 21), (1080, 42, 42), (4320, 11, 11)]),
        ("xception", [(728, 28, 28), (728, 14, 14), (728, 28, 28), (728, 14, 14)]),
    ],
)
def test_layers_of_models_that_brain_score_takes_from_timm(identifier, shapes):
    options = CARDS[identifier].options
    size = options["image_size"]
    network = built(options["member"].partition(".")[0])
    found = recorded(network, layers(identifier), torch.zeros(1, 3, size, size, device="meta"))
    assert [tuple(found[layer].shape[1:]) for layer in layers(identifier)] == shapes


def test_every_weight_of_a_card_is_in_timm_under_the_licence_of_the_card():
    for card in TRAINED.values():
        config = timm.get_pretrained_cfg(card.options["member"])
        assert config.license.casefold() == card.licence.casefold(), card.identifier
        assert CARDS[f"{card.identifier}-untrained"].options["member"] == (
            f"{card.options['member']}-untrained"
        )


def test_counts_and_licences_of_cards_are_those_recorded(reference):
    rows = {row["name"]: row for row in reference("models.json")["torchvision_timm"]["timm_rows"]}
    told = 0
    for card in TRAINED.values():
        # the second training of torchvision's ResNets has no row of its own
        row = rows[re.sub(r"\.tv2_", ".tv_", card.options["member"])]
        assert (card.parameters, card.licence.lower()) == (row["params"], row["lic"])
        told += 1
    assert told == 30


def test_no_other_training_is_published_under_a_historical_name():
    members = {card.options["member"] for card in CARDS.values()}
    assert not any(re.search(r"\.(a1h?|a2|a3|ra4)_", member) for member in members)


@pytest.mark.slow
def test_timms_models_have_as_many_weights_as_recorded(reference):
    rows = reference("models.json")["torchvision_timm"]["timm_rows"]
    counts = {row["name"]: sum(p.numel() for p in built(row["name"]).parameters()) for row in rows}
    assert counts == {row["name"]: row["params"] for row in rows}
