"""What is known of each size without its weights."""

import pytest

from corteval import models
from corteval_gpt2.card import SIZES
from corteval_gpt2.model import without_weights
from corteval_transformers.layers import default_layer

NAMES = [*SIZES]


@pytest.mark.parametrize(
    ("name", "parameters", "millions", "blocks", "width", "committed"),
    [
        ("distilgpt2", 81_912_576, 82, 6, 768, 5),
        ("gpt2", 124_439_808, 124, 12, 768, 11),
        ("gpt2-medium", 354_823_168, 355, 24, 1024, 22),
        ("gpt2-large", 774_030_080, 774, 36, 1280, 33),
        ("gpt2-xl", 1_557_611_200, 1558, 48, 1600, 43),
    ],
)
def test_a_size_has_the_published_shape(name, parameters, millions, blocks, width, committed):
    network = without_weights(SIZES[name])
    assert {str(weight.device) for weight in network.parameters()} == {"meta"}
    counted = sum(weight.numel() for weight in network.parameters())
    assert counted == SIZES[name].parameters == models.card(name).parameters == parameters
    assert round(counted / 1e6) == millions
    modules = dict(network.named_modules())
    layers = SIZES[name].layers
    assert layers == ("drop", *(f"h.{block}" for block in range(blocks)))
    assert all(f"transformer.{layer}" in modules for layer in layers)
    assert f"transformer.h.{blocks}" not in modules
    assert modules["transformer.h.0.ln_1"].weight.shape == (width,)
    named = [f"transformer.h.{block}" for block in range(blocks)]
    for repository in (name, SIZES[name].repository):
        layer, note = default_layer(repository, named)
        assert layer == f"transformer.h.{committed}" == f"transformer.h.{SIZES[name].committed}"
        assert "Brain-Score" in note


@pytest.mark.parametrize("name", NAMES)
def test_every_size_has_a_trained_card_and_five_untrained_ones(name):
    seeds = {}
    for identifier in (name + ending for ending in ("", *_UNTRAINED)):
        card = models.card(identifier)
        assert card.modalities == {"text"} and card.bibtex
        seeds[identifier] = card.options.get("seed")
    assert list(seeds.values()) == [None, 0, 1, 2, 3, 4]
    assert models.card(name).training_data and not models.card(f"{name}-untrained").training_data


_UNTRAINED = ["-untrained", *(f"-untrained-seed{seed}" for seed in range(1, 5))]
