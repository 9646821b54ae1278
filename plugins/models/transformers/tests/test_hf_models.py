"""Members of the family, from folders as save_pretrained writes them."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from corteval import models
from corteval.errors import FetchError, OptionError, UnsupportedRequest
from corteval.requests import NextWord, ReadingTime, Recording
from corteval.surprisal import spec_of
from corteval_transformers import sources
from corteval_transformers.layers import blocks_of, default_layer
from corteval_transformers.library import transformers
from corteval_transformers.model import build
from corteval_transformers.names import parse

RECORDING = Recording("language_system")
STORY = ("The quick dog", "jumps over", "the fence", ", and", "sleeps again")


def recorded(subject, stimuli):
    return subject.respond(stimuli, [RECORDING])[RECORDING].values


@pytest.mark.parametrize(
    ("architecture", "layer", "causal"),
    [
        ("gpt2", "transformer.h.1", True),
        ("llama", "model.layers.1", True),
        ("bert", "encoder.layer.1", False),
        ("t5", "block.1", False),
    ],
)
def test_kinds_of_models_commit_their_last_block(saved, architecture, layer, causal):
    subject = build("small", folder=saved(architecture), device="cpu")
    assert subject.layers["language_system"] == layer
    assert subject.extractor.manner.causal is causal
    assert subject.supports(ReadingTime()) is causal
    assert subject.supports(NextWord()) is causal
    assert any("last block" in note for note in subject.layer_notes)
    assert layer in subject.extractor.layer_names()


@pytest.mark.parametrize(("architecture", "auto"), [("bert", "AutoModel"), ("t5", "encoder")])
def test_both_sided_models_read_prefixes_as_transformers_does(saved, texts, architecture, auto):
    folder = saved(architecture)
    found = recorded(build("small", folder=folder, device="cpu"), texts(STORY))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if auto == "encoder":
        module = transformers.T5EncoderModel.from_pretrained(folder).eval()
        block = module.encoder.block[1]
    else:
        module = transformers.AutoModel.from_pretrained(folder).eval()
        block = module.encoder.layer[1]
    text, seen = "", []
    block.register_forward_hook(lambda m, i, o: seen.append(o[0] if isinstance(o, tuple) else o))
    for part, value in zip(STORY, found, strict=True):
        text += part if not text or part[0] == "," else f" {part}"
        with torch.no_grad():
            module(
                **{
                    k: v
                    for k, v in tokenizer(text, return_tensors="pt").items()
                    if k in ("input_ids", "attention_mask")
                }
            )
        # its last token stands before the one that marks the end
        np.testing.assert_allclose(value, seen[-1][0, -2].numpy(), rtol=0, atol=2e-5)


def test_a_rotary_model_does_not_mind_how_batches_are_filled_up(saved, texts):
    folder = saved("llama")
    stimuli = texts(STORY, STORY[:2], ("again",))
    wide = recorded(build("small", folder=folder, device="cpu"), stimuli)
    narrow = recorded(build("small", folder=folder, device="cpu", batch_tokens=4), stimuli)
    np.testing.assert_allclose(wide, narrow, rtol=0, atol=1e-5 * np.abs(wide).max())


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_long_passages_equal_truncated_ones(saved, texts, architecture):
    folder = saved(architecture, positions=16)
    subject = build("small", folder=folder, device="cpu", stride=1)
    assert subject.extractor.manner.window == 16
    parts = tuple(f"again{n}" for n in range(8))
    found = recorded(subject, texts(parts))
    network = subject.extractor
    text = ""
    seen = []
    name = subject.layers["language_system"]
    network.module.get_submodule(name).register_forward_hook(
        lambda m, i, o: seen.append(o[0] if isinstance(o, tuple) else o)
    )
    bos = [network.tokenizer.bos_id]
    for part, value in zip(parts, found, strict=True):
        text += part if not text else f" {part}"
        encoding = network.tokenizer.encode(text)
        ids = [i for i, (a, b) in zip(*encoding, strict=True) if a < b]
        with torch.no_grad():
            network.module(torch.tensor([[*bos, *ids[-15:]]]))
        np.testing.assert_allclose(value, seen[-1][0, -1].numpy(), rtol=0, atol=2e-5)


def test_the_published_layer_is_used_where_it_is_known():
    blocks = [f"transformer.h.{n}" for n in range(48)]
    layer, note = default_layer("openai-community/gpt2-xl", blocks)
    assert layer == "transformer.h.43"
    assert "Brain-Score" in note
    assert default_layer("somebody/new", blocks)[0] == "transformer.h.47"


def test_blocks_are_the_outer_list_of_modules(saved):
    module = transformers.AutoModel.from_pretrained(saved("t5")).get_encoder()
    assert blocks_of(module, module.config) == ["block.0", "block.1"]


def test_layers_may_leave_out_the_prefix_and_be_joined(saved, texts):
    folder = saved("gpt2")
    short = build("small", folder=folder, layers={"language_system": ("h.0", "h.1")}, device="cpu")
    assert short.layers["language_system"] == ("transformer.h.0", "transformer.h.1")
    assert recorded(short, texts(STORY)).shape == (5, 32)
    assert not any("last block" in n and "language_system =" not in n for n in short.layer_notes)
    with pytest.raises(OptionError, match="Did you mean"):
        build("small", folder=folder, layers={"language_system": "transformer.h.9"})


def test_conventions_of_surprisal_stand_in_the_answer(saved, texts):
    folder = saved("gpt2")
    stimuli = texts(STORY)
    for options, bos, first in (({}, True, "scored"), ({"bos": False}, False, "nan")):
        subject = build("small", folder=folder, device="cpu", **options)
        answer = subject.respond(stimuli, [ReadingTime()])[ReadingTime()]
        spec = spec_of(answer)
        assert (spec.bos, spec.first_word, spec.base) == (bos, first, "bits")
        assert np.isnan(answer.values[0]) is np.bool_(not bos)


def test_the_next_word_is_text(saved, texts):
    subject = build("small", folder=saved("gpt2"), device="cpu")
    answer = subject.respond(texts(STORY), [NextWord()])[NextWord()]
    assert answer.dtype.kind == "U"
    assert all(word == word.strip() for word in answer.values)


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_whole_next_words_equal_greedy_decoding_without_a_cache(saved, texts, architecture):
    subject = build("small", folder=saved(architecture), device="cpu", next_word="word")
    network = subject.extractor
    stimuli = texts(STORY, STORY[:2])
    wanted = {"next_word": np.arange(8), subject.layers["language_system"]: np.arange(16)}
    found = np.concatenate([block["next_word"] for block in network(stimuli, wanted)])
    starts = network.tokenizer.word_starts()
    text, several = "", 0
    for part, row in zip(STORY, found.astype(int), strict=False):
        text += part if not text or part[0] == "," else f" {part}"
        encoding = network.tokenizer.encode(text)
        ids = [network.tokenizer.bos_id]
        ids += [i for i, (a, b) in zip(*encoding, strict=True) if a < b]
        word = []
        while len(word) < 8:
            with torch.no_grad():
                best = int(network.module(torch.tensor([[*ids, *word]])).logits[0, -1].argmax())
            if word and starts[best]:
                break
            word.append(best)
        assert [i for i in row if i >= 0] == word
        several += len(word) > 1
    assert several
    answer = subject.respond(stimuli, [NextWord()])[NextWord()]
    assert answer.values[0] == answer.values[5]


def test_untrained_models_come_from_the_configuration_alone(saved, texts, tmp_path):
    folder = saved("gpt2")
    for path in folder.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    first = build("small-untrained", folder=tmp_path, device="cpu")
    again = build("small-untrained", folder=tmp_path, device="cpu")
    other = build("small-untrained-seed2", folder=tmp_path, device="cpu")
    assert first.identifier == "hf/small-untrained"
    assert first.extractor.fingerprint == again.extractor.fingerprint
    assert first.extractor.fingerprint != other.extractor.fingerprint
    stimuli = texts(STORY)
    np.testing.assert_array_equal(recorded(first, stimuli), recorded(again, stimuli))
    assert any("random weights (seed 2)" in note for note in other.notes)
    with pytest.raises(OptionError, match=r"cannot be read|safetensors"):
        build("small", folder=tmp_path, device="cpu")


@pytest.mark.parametrize(
    ("text", "seed", "name", "expected"),
    [
        ("gpt2", None, "gpt2", None),
        ("EleutherAI/pythia-70m-untrained", None, "EleutherAI/pythia-70m", 0),
        ("gpt2-untrained-seed3", None, "gpt2", 3),
        ("gpt2-untrained", 4, "gpt2", 4),
    ],
)
def test_names_of_members(text, seed, name, expected):
    member = parse(text, seed)
    assert (member.name, member.seed) == (name, expected)


@pytest.mark.parametrize(("text", "seed"), [("gpt2-seed3", None), ("gpt2", 1)])
def test_trained_weights_have_no_seed(text, seed):
    with pytest.raises(OptionError, match="seed"):
        parse(text, seed)


def test_a_folder_below_the_current_one_is_a_member(saved, texts, tmp_path, monkeypatch):
    (tmp_path / "tiny").symlink_to(saved("gpt2"))
    monkeypatch.chdir(tmp_path)
    near = models.create("hf/tiny", device="cpu")
    assert any("folder" in note for note in near.notes)
    far = build("tiny", folder=saved("gpt2"), device="cpu")
    assert near.extractor.fingerprint == far.extractor.fingerprint


def test_where_a_folder_lies_is_no_part_of_the_fingerprint(saved, tmp_path):
    folder = saved("gpt2")
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    one = build("small", folder=folder, device="cpu")
    two = build("small", folder=tmp_path, device="cpu")
    assert one.extractor.fingerprint == two.extractor.fingerprint


@pytest.mark.slow
def test_another_process_has_the_same_fingerprint(saved):
    folder = saved("gpt2")
    code = (
        "from corteval_transformers.model import build\n"
        f"print(build('small', folder={str(folder)!r}, device='cpu').extractor.fingerprint)"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == build("small", folder=folder, device="cpu").extractor.fingerprint


def test_without_a_connection_the_next_steps_are_told(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FetchError, match=r"HF_HUB_OFFLINE.*HF_HOME.*folder="):
        build("nobody/no-model-of-this-name")


def test_pickled_weights_are_refused(saved, tmp_path):
    folder = saved("gpt2")
    for path in folder.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    module = transformers.AutoModelForCausalLM.from_pretrained(folder)
    torch.save(module.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OptionError, match="safetensors"):
        build("small", folder=tmp_path)


def test_code_of_a_repository_is_not_run(saved, tmp_path):
    folder = saved("gpt2")
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('was run')")
    with pytest.raises(OptionError, match="trust_remote_code"):
        build("small", folder=tmp_path)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(OptionError, match=r"config\.json"):
        build("small", folder=tmp_path)


def test_a_base_model_without_its_head_predicts_no_words(saved, texts, tmp_path):
    module = transformers.LlamaModel.from_pretrained(saved("llama"))
    module.save_pretrained(tmp_path)
    for path in saved("llama").iterdir():
        if "token" in path.name:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    subject = build("small", folder=tmp_path, device="cpu")
    assert not subject.supports(ReadingTime())
    assert any("predicts no words" in note for note in subject.notes)
    whole = build("small", folder=saved("llama"), device="cpu", bos=True)
    np.testing.assert_allclose(
        recorded(subject, texts(STORY)), recorded(whole, texts(STORY)), rtol=0, atol=1e-5
    )
    with pytest.raises(UnsupportedRequest):
        subject.respond(texts(STORY), [ReadingTime()])


def test_causality_is_found_out(saved):
    for architecture, causal in (("gpt2", True), ("llama", True), ("bert", False)):
        module = transformers.AutoModel.from_pretrained(saved(architecture)).eval()
        assert sources.is_causal(module, 100) is causal


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}, 512),
        ({"n_positions": 1024}, 1024),
        ({}, None),
    ],
)
def test_the_window_is_the_models(options, expected):
    from types import SimpleNamespace

    config = SimpleNamespace(**options)
    assert sources.window_of(config, SimpleNamespace(model_max_length=10**30)) == expected
