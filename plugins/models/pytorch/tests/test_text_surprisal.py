"""Surprisal and next words of text models, beside what is computed from the logits directly."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corteval.errors import AssemblyError, OptionError
from corteval.reading import passages
from corteval.requests import NextWord, ReadingTime, Recording
from corteval.stimuli import StimulusSet
from corteval.surprisal import SurprisalSpec, in_bits, spec_of
from corteval_pytorch.text import text_commit, with_conventions

SCORED = SurprisalSpec(bos=True, first_word="scored")
STORY = ("the quick dog", "ran", "over hills", ", then", "slept beside a fire", "until morning")
TEXT = "the quick dog ran over hills, then slept beside a fire until morning"
ENDS = [TEXT.index(part) + len(part) for part in STORY]


pytestmark = pytest.mark.usefixtures("unshelved")


def committed(module, tokenizer, spec=SCORED, **options):
    layers = {"language_system": "blocks.1"}
    return text_commit(module, tokenizer, layers, surprisal=spec, **options)


def surprisals(subject, stimuli):
    answer = subject.respond(stimuli, [ReadingTime()])[ReadingTime()]
    return in_bits(answer).values


def log_probabilities(module, ids):
    with torch.no_grad():
        logits = module(torch.tensor([ids]), torch.ones(1, len(ids))).logits[0].double()
    return logits.log_softmax(-1).numpy()


def of_passage(module, ids):
    """Bits of all tokens but the first."""
    log_p = log_probabilities(module, ids)
    return -log_p[np.arange(len(ids) - 1), ids[1:]] / np.log(2)


def test_surprisal_of_a_stimulus_is_the_sum_over_its_tokens(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    found = surprisals(committed(module, tokenizer), texts(STORY))
    bits = of_passage(module, [1, *tokenizer.encode(TEXT).ids])
    counts = [0, *(len(tokenizer.encode(TEXT[:end]).ids) for end in ENDS)]
    expected = [bits[a:b].sum() for a, b in itertools.pairwise(counts)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_it_is_the_same_whoever_inserts_the_beginning(reader, pieces, texts):
    inserted = surprisals(committed(reader(), pieces(inserts=True)), texts(STORY))
    added = surprisals(committed(reader(), pieces()), texts(STORY))
    np.testing.assert_allclose(inserted, added, rtol=1e-6)


def test_without_a_beginning_the_first_word_has_none(reader, pieces, texts):
    module, tokenizer = reader(), pieces(inserts=True)
    found = surprisals(committed(module, tokenizer, SurprisalSpec()), texts(STORY, STORY[:1]))
    bits = of_passage(module, tokenizer.encode(TEXT).ids[1:])
    count = len(tokenizer.encode(STORY[0]).ids) - 1
    assert np.isnan(found[0])
    assert np.isnan(found[-1])
    np.testing.assert_allclose(found[1:-1].sum(), bits[count - 1 :].sum(), rtol=1e-5)


def test_nats_are_bits_by_another_name(reader, pieces, texts):
    nats = SurprisalSpec(base="nats", bos=True, first_word="scored")
    subject = committed(reader(), pieces(), nats)
    answer = subject.respond(texts(STORY), [ReadingTime()])[ReadingTime()]
    assert spec_of(answer) == nats
    plain = surprisals(committed(reader(), pieces()), texts(STORY))
    np.testing.assert_allclose(answer.values / np.log(2), plain, rtol=1e-6)


@given(
    st.lists(st.text("ab é漢.", min_size=1, max_size=9), min_size=1, max_size=6),
    st.sampled_from([None, 7]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_surprisals_sum_to_that_of_the_passage(reader, pieces, parts, window):
    module, tokenizer = reader(positions=80), pieces()
    subject = committed(module, tokenizer, window=window, stride=None if window is None else 2)
    stimuli = _texts(parts)
    found = surprisals(subject, stimuli)
    (passage,) = passages(stimuli)
    assert (found >= 0).all()
    if window is None:
        bits = of_passage(module, [1, *tokenizer.encode(passage.text).ids])
        np.testing.assert_allclose(found.sum(), bits.sum(), rtol=1e-5)


def _texts(parts):
    table = pd.DataFrame(
        {"text": parts, "context_id": "c", "position": range(len(parts))},
        index=pd.Index([str(n) for n in range(len(parts))], name="stimulus_id"),
    )
    return StimulusSet(identifier="drawn", modality="text", table=table)


def test_over_the_window_each_token_is_predicted_from_a_truncated_context(reader, pieces, texts):
    module, tokenizer = reader(positions=9), pieces()
    subject = committed(module, tokenizer, window=9, stride=1)
    parts = tuple(f"word{n}" for n in range(12))
    ids = tokenizer.encode(" ".join(parts)).ids
    expected = []
    for word in range(12):
        first, last = 2 * word, 2 * word + 1
        begin = max(0, last - 7)
        bits = of_passage(module, [1, *ids[begin : last + 1]])
        expected.append(bits[first - begin : last - begin + 1].sum())
    np.testing.assert_allclose(surprisals(subject, texts(parts)), expected, rtol=1e-5)


def test_a_document_longer_than_the_window_is_counted_whole(reader, pieces, texts):
    module, tokenizer = reader(positions=9), pieces()
    subject = committed(module, tokenizer, window=9, stride=1, batch_tokens=9)
    text = " ".join(f"w{n}" for n in range(25))
    ids = tokenizer.encode(text).ids
    expected = sum(
        of_passage(module, [1, *ids[max(0, t - 7) : t + 1]])[-1] for t in range(len(ids))
    )
    np.testing.assert_allclose(surprisals(subject, texts((text,))), [expected], rtol=1e-5)


def test_the_end_of_a_word_is_counted_with_it(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    spec = SurprisalSpec(bos=True, first_word="scored", word_boundary=True)
    found = surprisals(committed(module, tokenizer, spec), texts(STORY))
    plain = surprisals(committed(module, tokenizer), texts(STORY))
    log_p = log_probabilities(module, [1, *tokenizer.encode(TEXT).ids])
    ends = -np.log2(np.exp(log_p)[:, tokenizer.word_starts()].sum(axis=1))
    last = [len(tokenizer.encode(TEXT[:end]).ids) for end in ENDS]
    # "over hills" does not end a word: a comma follows it without a space
    after = np.array([ends[t] for t in last]) * [1, 1, 0, 1, 1, 1]
    before = np.array([0, *(ends[t] for t in last[:-1])]) * [0, 1, 1, 0, 1, 1]
    np.testing.assert_allclose(found, plain + after - before, rtol=1e-4)


def test_words_of_a_vocabulary_have_probabilities_that_sum_to_one_only_then(reader, pieces, texts):
    """Over all continuations by a one-token word, p(word) p(end) / p(end before) sums below one."""
    module, tokenizer = reader(), pieces()
    ids = [1, *tokenizer.encode("the").ids]
    log_p = log_probabilities(module, ids)[-1]
    starts = tokenizer.word_starts()
    total_before = np.exp(log_p)[starts].sum()
    corrected = 0.0
    for word in np.flatnonzero(starts):
        after = log_probabilities(module, [*ids, int(word)])[-1]
        corrected += np.exp(log_p[word]) * np.exp(after)[starts].sum() / total_before
    assert corrected <= 1 + 1e-9


def test_the_next_word_is_the_most_probable_token(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    answer = committed(module, tokenizer).respond(texts(STORY), [NextWord()])[NextWord()]
    log_p = log_probabilities(module, [1, *tokenizer.encode(TEXT).ids])
    last = [len(tokenizer.encode(TEXT[:end]).ids) for end in ENDS]
    assert list(answer.values) == [f"piece{log_p[t].argmax()}" for t in last]


def test_everything_comes_from_one_pass(reader, pieces, texts):
    module, tokenizer = reader(), pieces()
    subject = committed(module, tokenizer)
    subject.extractor.layer_names()  # is shown a few tokens
    recording = Recording("language_system")
    alone = subject.respond(texts(STORY), [recording])[recording]
    shown = []
    module.register_forward_pre_hook(lambda m, a: shown.append(a))
    answers = subject.respond(texts(STORY), [recording, ReadingTime(), NextWord()])
    assert len(shown) == 1
    np.testing.assert_allclose(answers[recording].values, alone.values, atol=2e-6)


def test_a_word_without_tokens_of_its_own_is_certain(reader, pieces, texts):
    found = surprisals(committed(reader(), pieces()), texts(("a dog", "", "ran")))
    assert found[1] == 0


def test_a_module_without_logits_says_so(reader, pieces, texts):
    class Silent(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = torch.nn.ModuleList([torch.nn.Identity(), torch.nn.Embedding(400, 4)])

        def forward(self, input_ids, attention_mask):
            return {"hidden": self.blocks[1](input_ids)}

    with pytest.raises(AssemblyError, match="no language model"):
        surprisals(committed(Silent(), pieces()), texts(STORY))


def test_plain_logits_are_logits(reader, pieces, texts):
    class Plain(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.blocks = inner.blocks
            self.inner = inner

        def forward(self, input_ids, attention_mask):
            return self.inner(input_ids, attention_mask).logits

    plain = surprisals(committed(Plain(reader()), pieces()), texts(STORY))
    np.testing.assert_allclose(plain, surprisals(committed(reader(), pieces()), texts(STORY)))


@pytest.mark.parametrize(
    ("spec", "options", "words"),
    [
        (SurprisalSpec(first_word="scored"), {}, "needs\\s+bos=True"),
        (SCORED, {"causal": False}, "both sides"),
    ],
)
def test_conventions_that_cannot_be_kept_are_refused(reader, pieces, spec, options, words):
    with pytest.raises(OptionError, match=words):
        committed(reader(), pieces(), spec, **options)


def test_a_beginning_that_the_tokenizer_lacks_is_refused(reader, pieces):
    with pytest.raises(OptionError, match="no token of the beginning"):
        committed(reader(), pieces(bos_id=None))


def test_conventions_can_be_changed_afterwards(reader, pieces, texts):
    subject = with_conventions(committed(reader(), pieces()), SurprisalSpec())
    assert np.isnan(surprisals(subject, texts(STORY))[0])
    without = committed(reader(), pieces(), SurprisalSpec())
    np.testing.assert_array_equal(
        surprisals(subject, texts(STORY)), surprisals(without, texts(STORY))
    )


def test_whole_next_words_need_a_module_with_a_cache(reader, pieces):
    with pytest.raises(OptionError, match="does not take"):
        committed(reader(), pieces(), next_word="word")
