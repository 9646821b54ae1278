import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval import models, registry, store
from corteval.errors import OptionError
from corteval.model import perform, record
from corteval.requests import NextWord, ReadingTime
from corteval.stimuli import StimulusSet
from corteval.surprisal import in_bits, spec_of
from corteval_ngram import subject
from corteval_ngram.language_model import train_on
from corteval_ngram.spelling import train_spelling
from corteval_ngram.tokens import tokens

TEXT = [
    "The dog came home before it rained. A car stops, and my friend waits for the car.",
    "It rained and the dog waits. My friend came home in a car, and left before the dog came home.",
    "In England the dog's friend didn't wait: 'England,' said the friend, 'is home.'",
]


@pytest.fixture(scope="module")
def model():
    return train_on(TEXT, order=3)


@pytest.fixture
def path(tmp_path):
    written = tmp_path / "text.txt"
    written.write_text("\n\n".join(TEXT))
    return written


def plain(text):
    return [token.token for token in tokens(text)]


def stimuli(*rows):
    table = pd.DataFrame(rows, columns=["stimulus_id", "text", "context_id", "position"])
    return StimulusSet(identifier="t", modality="text", table=table.set_index("stimulus_id"))


WORDS = stimuli(
    ("b", " dog's", "one", 2),
    ("a", "The", "one", 1),
    ("d", "home!'", "one", 4),
    ("c", "zebra-like", "one", 3),
    ("z", "My friend", None, 1),
)


def test_running_text_and_text_with_marks_apart_have_the_same_tokens():
    running = "'Don't,' she said, \u201cit's a 1,000-mile (or 2.5) trip\u201d \u2014 the dogs' own."
    apart = (
        '" Don \'t , " she said , " it \'s a 1 @,@ 000 @-@ mile ( or 2 @.@ 5 ) trip " '
        "\u2013 the dogs ' own ."
    )
    assert plain(running) == plain(apart)


@given(st.text(max_size=60))
def test_tokens_hold_every_character_but_white_space_once(text):
    read = tokens(text.replace("@", ""))
    assert "".join(t.written for t in read) == "".join(text.replace("@", "").split())
    assert [t.start for t in read] == sorted({t.start for t in read})


@pytest.mark.parametrize("context", ["", "The dog", "zebra", "it rained and the", "home."])
def test_probabilities_of_seen_words_and_of_all_other_strings_sum_to_one(model, context):
    read = plain(context)
    seen = model.distribution(read)
    p = [2 ** -model.bits([[*read, other]])[0][-1] for other in ("zebra", "xyz")]
    share = p / model.spelling.probabilities(["zebra", "xyz"])
    assert share[0] == pytest.approx(share[1])  # of what the n-grams leave to spelling
    spelt = model.spelling.probabilities(list(model.words)).sum()
    assert seen.sum() + share[0] * (1 - spelt) == pytest.approx(1, abs=1e-12)


def test_bits_are_those_of_the_distribution(model):
    read = plain(TEXT[1])
    number = {word: n for n, word in enumerate(model.words)}
    expected = [-np.log2(model.distribution(read[:n])[number[w]]) for n, w in enumerate(read)]
    np.testing.assert_allclose(model.bits([read])[0], expected, rtol=1e-12)


def test_probabilities_of_all_strings_of_a_small_alphabet_and_of_all_others_sum_to_one():
    spelling = train_spelling(["ab", "ba", "abb", "a"], order=2)
    strings = ["".join(s) for n in range(1, 10) for s in itertools.product("ab\u4e2d", repeat=n)]
    others = np.array([s.count("\u4e2d") for s in strings])  # any of so many characters
    total = (spelling.probabilities(strings) * (0x110000 - 2.0) ** others).sum()
    assert 0.9 < total < 1
    uniform = 1 / (0x110000 + 1)
    for context in ([], [2], [2, 3], [-1]):
        known = spelling.ngrams.distribution(np.array(context, int), np.full(4, uniform))
        other = spelling.ngrams.probabilities(
            [np.array([*context, -1])], np.full(len(context) + 1, uniform)
        )[-1]
        assert known.sum() + other * (0x110000 - 2) == pytest.approx(1, abs=1e-9)


def test_words_spelt_as_those_seen_are_more_probable():
    spelling = train_spelling(["walked", "talked", "rained", "stopped"], order=4)
    likely, unlikely = spelling.probabilities(["balked", "dkelab"])
    assert likely > 1000 * unlikely


def test_surprisals_of_stimuli_add_up_to_their_passage(path):
    made = models.create("ngram", path=path)
    answer = perform(made, WORDS, ReadingTime())
    by_id = dict(zip(answer["stimulus_id"].values, answer.values, strict=True))
    whole = stimuli(("w", "The dog's zebra-like home!'", "one", 1))
    total = float(perform(made, whole, ReadingTime())[0])
    assert sum(by_id[i] for i in "abcd") == pytest.approx(total, rel=1e-6)
    expected = made.extractor.model.bits([plain("The dog's zebra-like home!'")])[0]
    np.testing.assert_allclose(by_id["b"], expected[1:3].sum(), rtol=1e-6)


def test_answers_say_their_conventions(path):
    answer = perform(models.create("ngram", path=path), WORDS, ReadingTime())
    assert spec_of(answer) == subject.SPEC
    assert in_bits(answer) is answer


def test_recordings_have_surprisal_as_their_only_unit(path):
    made = models.create("ngram", path=path)
    recorded = record(made, WORDS, "language_system")
    answer = perform(made, WORDS, ReadingTime())
    np.testing.assert_array_equal(recorded.values[:, 0], answer.values)


def test_the_next_word_is_the_most_probable_one_as_it_is_written(path):
    made = models.create("kneser-ney/3", path=path)
    asked = stimuli(
        ("a", "the dog came", None, 1), ("b", "in", None, 1), ("c", "MY", "x", 1), ("d", "", "x", 2)
    )
    answer = perform(made, asked, NextWord())
    model = made.extractor.model
    expected = [
        model.written[model.distribution(plain(text)).argmax()]
        for text in ("the dog came", "in", "my", "my")
    ]
    assert list(answer.values) == expected
    assert expected[0] == "home"
    assert "England" in model.written


def test_a_stimulus_without_a_token_has_no_surprisal(path):
    asked = stimuli(("a", "The dog", "x", 1), ("b", "  ", "x", 2), ("c", "", None, 1))
    answer = perform(models.create("ngram", path=path), asked, ReadingTime())
    np.testing.assert_array_equal(answer.values[1:], 0)


def test_a_model_is_trained_once_and_the_same_from_the_store(path, tmp_path, monkeypatch):
    with store.using(store.Store(tmp_path / "store")):
        tasks = (ReadingTime(), NextWord())
        first = models.create("ngram", path=path).respond(WORDS, tasks)
        monkeypatch.setattr(subject, "train_on", lambda *_, **__: pytest.fail("trained again"))
        again = models.create("ngram", path=path).respond(WORDS, tasks)
        assert all(first[task].identical(again[task]) for task in tasks)
        path.write_text("Another text.")
        with pytest.raises(pytest.fail.Exception, match="trained again"):
            models.create("ngram", path=path).respond(WORDS, tasks)


def test_a_model_needs_no_store(path):
    with store.using(None):
        without = perform(models.create("ngram", path=path), WORDS, ReadingTime())
    assert without.identical(perform(models.create("ngram", path=path), WORDS, ReadingTime()))


def test_fingerprints_tell_texts_and_orders_apart(path, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(TEXT[0])
    made = [
        models.create("kneser-ney/3", path=path),
        models.create("kneser-ney/2", path=path),
        models.create("kneser-ney/3", path=other),
        models.create("kneser-ney/3", path=path, lines=True),
    ]
    prints = [m.extractor.fingerprint for m in made]
    assert len(set(prints[:3])) == 3
    assert made[3].extractor.corpus.texts != made[0].extractor.corpus.texts


def test_what_cannot_be_trained_is_refused(tmp_path):
    with pytest.raises(OptionError, match="no text file"):
        models.create("ngram", path=tmp_path / "none.txt")
    with pytest.raises(OptionError, match="order is a number from 1"):
        models.create("ngram", order=0)
    with pytest.raises(OptionError, match="kneser-ney/3"):
        models.create("kneser-ney/many")
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="UTF-8"):
        perform(models.create("ngram", path=binary), WORDS, ReadingTime())
    empty = tmp_path / "empty.txt"
    empty.write_text("\n")
    with pytest.raises(OptionError, match="empty"):
        perform(models.create("ngram", path=empty), WORDS, ReadingTime())


def lines(identifier):
    return [
        str(t) for t in registry.data.create(identifier).stimuli().where(kind="text").table["text"]
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
def test_perplexity_of_wikitext_falls_with_the_order():
    asked = [plain(text) for text in lines("Wikitext2")[:600]]
    seen = lines("Wikitext2.validation")
    bits = [np.concatenate(train_on(seen, order=n).bits(asked)).mean() for n in range(1, 6)]
    assert all(longer < shorter for shorter, longer in itertools.pairwise(bits))
    assert 2 ** bits[1] < 0.6 * 2 ** bits[0]


@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
def test_surprisal_correlates_with_reading_times_of_natural_stories():
    source = registry.data.create("NaturalStories")
    answer = perform(models.create("ngram"), source.stimuli(), ReadingTime())
    times = source.assembly()
    assert list(answer["stimulus_id"].values) == list(times["stimulus_id"].values)
    r = np.corrcoef(answer.values, times.values)[0, 1]
    of_length = np.corrcoef(times["length"].values, times.values)[0, 1]
    assert r > of_length > 0.2
