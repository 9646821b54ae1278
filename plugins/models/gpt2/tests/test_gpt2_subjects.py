"""Subjects: random weights, weights of a folder, and what is said when there are none."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from corteval import models
from corteval.errors import FetchError
from corteval.model import perform, record
from corteval.requests import NextWord, ReadingTime
from corteval.stimuli import StimulusSet
from corteval.surprisal import in_bits
from corteval.testing import run_checks
from corteval_gpt2.model import build, build_untrained, config_of
from corteval_gpt2.tokens import ByteTokens
from corteval_transformers.library import transformers


def _story(*texts):
    return StimulusSet(
        identifier="story",
        modality="text",
        table=pd.DataFrame(
            {"text": texts, "context_id": "a", "position": range(len(texts))},
            index=pd.Index([f"w{n}" for n in range(len(texts))], name="stimulus_id"),
        ),
    )


def test_an_untrained_subject_keeps_its_contract(tiny):
    results = run_checks("tiny-untrained")
    assert [r for r in results if not r.ok] == []
    assert sum(r.status == "passed" for r in results) >= 8


def test_untrained_weights_are_those_of_their_seed_and_the_configuration(tiny):
    def weights(**options):
        return models.create("tiny-untrained", **options).extractor.module.state_dict()

    before = torch.random.get_rng_state()
    one, same, other = weights(seed=1), weights(seed=1), weights(seed=2)
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(one[name], same[name]) for name in one)
    embedding = "transformer.wte.weight"
    assert not torch.equal(one[embedding], other[embedding])
    assert one[embedding].std().item() == pytest.approx(0.02, rel=0.01)
    assert not one["transformer.h.0.mlp.c_fc.bias"].any()


def test_surprisal_and_responses_are_those_of_transformers(tiny):
    subject = models.create("tiny-untrained", layers={"language_system": ("drop", "h.0", "h.2")})
    module = subject.extractor.module
    assert isinstance(module, transformers.GPT2LMHeadModel)
    ids = [50256, *ByteTokens().encode("Zoë ran").ids]
    with torch.no_grad():
        output = module(torch.tensor([ids]), output_hidden_states=True)
    logs = torch.log_softmax(output.logits[0], -1)
    each = [-float(logs[n, ids[n + 1]]) / math.log(2) for n in range(len(ids) - 1)]
    found = in_bits(perform(subject, _story("Zoë", "ran"), ReadingTime()))
    # the space is a token before the second word
    np.testing.assert_allclose(found.values, [sum(each[:4]), sum(each[4:])], rtol=1e-4)
    responses = record(subject, _story("Zoë", "ran"), "language_system").values
    assert responses.shape == (2, 48)
    hidden = [layer[0, [4, 8]].numpy() for layer in output.hidden_states[:2]]
    np.testing.assert_allclose(responses[:, :32], np.hstack(hidden), atol=1e-5)


def test_notes_tell_of_random_weights_bytes_and_the_published_layer(tiny):
    subject = models.create("tiny-untrained", seed=7)
    assert "random weights (seed 7)" in subject.notes
    assert any("byte by byte" in note for note in subject.notes)
    assert subject.layers["language_system"] == "transformer.h.2"


def test_the_committed_layer_is_the_published_one(monkeypatch):
    from corteval_gpt2 import card

    monkeypatch.setitem(card.SIZES, "gpt2-medium", _thin("gpt2-medium"))
    subject = build_untrained("gpt2-medium-untrained-seed1", tokenizer="bytes", seed=1)
    assert set(subject.layers.values()) == {"transformer.h.22"}
    assert any("Brain-Score" in note for note in subject.layer_notes)


def _thin(name):
    from dataclasses import replace

    from corteval_gpt2.card import SIZES

    return replace(SIZES[name], width=8, heads=2)


@pytest.fixture
def saved(tiny, tmp_path):
    """A folder as `save_pretrained` writes it, with random weights in the part of trained ones."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(11)
    network = transformers.GPT2LMHeadModel(config_of(tiny))
    network.save_pretrained(tmp_path)
    names = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<|endoftext|>"]
    made = Tokenizer(models.BPE(vocab={name: n for n, name in enumerate(names)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    end = names[-1]
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=end, eos_token=end, unk_token=end
    )
    fast.save_pretrained(tmp_path)
    return tmp_path, network


def test_weights_of_a_folder_are_loaded_as_from_the_hub(saved):
    folder, network = saved
    subject = build("tiny", folder=folder, layers={"language_system": "h.1"})
    ours = subject.extractor.module.state_dict()
    assert all(torch.equal(ours[name], value) for name, value in network.state_dict().items())
    assert subject.identifier == "tiny"
    assert subject.layers["language_system"] == "transformer.h.1"
    assert not any("random" in note for note in subject.notes)
    answers = perform(subject, _story("The", "dog"), NextWord())
    assert answers.dtype.kind == "U" and answers.size == 2


def test_without_weights_the_message_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    with pytest.raises(FetchError) as caught:
        models.create("gpt2", revision="0" * 40)  # nobody has this one at hand
    for part in (
        "The weights of gpt2 were not had",
        "openai-community/gpt2",
        "offline is set",
        "HF_HOME",
        'corteval.models.create("gpt2", folder="...")',
        "gpt2-untrained",
    ):
        assert part in str(caught.value)
