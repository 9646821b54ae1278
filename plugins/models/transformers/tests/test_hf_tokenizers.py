"""Every kind of tokenizer: tokens find their words, and probabilities are lost nowhere."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corteval.errors import OptionError, StimuliError
from corteval.reading import passages
from corteval.requests import ReadingTime, Recording
from corteval.surprisal import in_bits
from corteval_pytorch.text.tokens import tokenised
from corteval_transformers.library import transformers
from corteval_transformers.model import build
from corteval_transformers.tokenizer import FastTokenizer

KINDS = ["byte-level", "wordpiece", "sentencepiece-bos", "sentencepiece-eos"]
RECORDING = Recording("language_system")

words = st.one_of(
    st.sampled_from(["the", "dog", "again", "doesn't", "12.5", "Zürich", "naïve", "漢字", "."]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6),
    st.text("ab .,'-é漢😀\u0301", min_size=1, max_size=8),
)
drawn = st.lists(words, min_size=1, max_size=8)
quietly = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", KINDS)
@quietly
@given(parts=drawn)
def test_surprisals_sum_to_what_transformers_gives_the_passage(saved, texts, kind, parts):
    subject = _subject(saved, "gpt2", kind, bos=kind != "wordpiece")
    stimuli = texts(parts)
    (passage,) = passages(stimuli)
    network = subject.extractor
    marked = tokenised(network.tokenizer, passage.text, bos=network.bos)
    ids = [*marked.before, *marked.ids]
    if not marked.ids:
        return
    try:
        answer = subject.respond(stimuli, [ReadingTime()])[ReadingTime()]
    except StimuliError:  # a first word that the tokenizer drops
        assert not network.bos
        return
    bits = in_bits(answer).values
    with torch.no_grad():
        log_p = network.module(torch.tensor([ids])).logits[0].double().log_softmax(-1).numpy()
    each = -log_p[np.arange(len(ids) - 1), ids[1:]] / np.log(2)
    if network.bos:
        np.testing.assert_allclose(bits.sum(), each.sum(), rtol=1e-4, atol=1e-4)
    else:  # the first word is not scored
        assert np.isnan(bits[0])
        assert np.nansum(bits) <= each.sum() + 1e-3


@pytest.mark.parametrize("kind", KINDS)
@quietly
@given(parts=drawn)
def test_every_stimulus_is_read_as_its_prefix_alone(saved, texts, kind, parts):
    """The tokens up to its last one, run by transformers without what follows."""
    subject = _subject(saved, "gpt2", kind, bos=None)
    stimuli = texts(parts)
    (passage,) = passages(stimuli)
    network = subject.extractor
    marked = tokenised(network.tokenizer, passage.text, bos=network.bos)
    try:
        found = subject.respond(stimuli, [RECORDING])[RECORDING].values
    except StimuliError:
        return
    for (start, end), value in zip(passage.spans, found, strict=True):
        touching = [
            t
            for t, (a, b) in enumerate(marked.offsets)
            if passage.text[max(a, start) : min(b, end)].strip() and max(a, start) < min(b, end)
        ]
        if not touching:
            continue
        ids = [*marked.before, *marked.ids[: touching[-1] + 1]]
        with torch.no_grad():
            alone = network.module(torch.tensor([ids]), output_hidden_states=True)
        np.testing.assert_allclose(value, _before_norm(network.module, ids), rtol=0, atol=2e-5)
        assert alone.logits.shape[1] == len(ids)


@pytest.mark.parametrize("kind", KINDS)
@quietly
@given(parts=drawn)
def test_offsets_lie_in_the_text_and_only_inserted_tokens_have_none(tokenizer_of, kind, parts):
    text = " ".join(parts)
    ids, offsets = FastTokenizer(tokenizer_of(kind)).encode(text)
    found = tokenizer_of(kind)(text, return_special_tokens_mask=True)
    assert ids == found["input_ids"]
    for (start, end), special in zip(offsets, found["special_tokens_mask"], strict=True):
        assert 0 <= start <= end <= len(text)
        assert (start == end) == bool(special)


def test_repeated_words_find_their_own_places(saved, texts):
    subject = _subject(saved, "gpt2", "byte-level", bos=True)
    parts = ("the", "the", "the", "same", "the")
    found = subject.respond(texts(parts), [RECORDING])[RECORDING].values
    assert len(np.unique(found.round(5), axis=0)) == 5


def test_word_starts_are_tokens_with_a_space_before_them(tokenizer_of):
    for kind, mark in (("byte-level", "Ġ"), ("sentencepiece-bos", "▁")):
        tokenizer = tokenizer_of(kind)
        starts = FastTokenizer(tokenizer).word_starts()
        named = tokenizer.convert_ids_to_tokens(np.flatnonzero(starts).tolist())
        assert len(named) > 5
        assert all(t.startswith((mark, "Ċ", "ĉ", "č")) or t == tokenizer.eos_token for t in named)
        assert starts[tokenizer.eos_token_id]


def test_a_tokenizer_without_offsets_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(OptionError, match="without offsets"):
        FastTokenizer(Slow())


def test_two_tokenizers_differ_in_identity(tokenizer_of):
    one, two = (FastTokenizer(tokenizer_of(kind)).identity() for kind in KINDS[:2])
    assert one != two
    assert one == FastTokenizer(tokenizer_of(KINDS[0])).identity()


_SUBJECTS = {}


def _subject(saved, architecture, kind, **options):
    key = (architecture, kind, *options.items())
    if key not in _SUBJECTS:
        folder = saved(architecture, kind)
        _SUBJECTS[key] = build("small", folder=folder, device="cpu", **options)
    return _SUBJECTS[key]


def _before_norm(module, ids):
    """The last block's output at the last token; hidden states end after a norm."""
    seen = []
    handle = module.transformer.h[1].register_forward_hook(lambda m, i, o: seen.append(o))
    with torch.no_grad():
        module(torch.tensor([ids]))
    handle.remove()
    output = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
    return output[0, -1].numpy() if output.ndim == 3 else output[-1].numpy()


def test_the_library_is_the_one_that_is_installed():
    assert int(transformers.__version__.split(".")[0]) >= 5
