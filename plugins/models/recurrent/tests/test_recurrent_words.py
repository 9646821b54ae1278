"""Words and vocabularies."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval.errors import OptionError
from corteval_recurrent.words import HashedWords, Vocabulary, vocabulary_of, words

TEXT = "The dog's bark , a well @-@ known one .\nDon't over-react: 3.5 dogs!\n"


def _texts(text, **options):
    return [word.text for word in words(text, **options)]


def test_marks_stand_apart_and_wikitext_reads_as_other_text():
    assert _texts('He didn\'t say "well-known", 1,000.5!') == [
        *("He", "didn", "'t", "say", '"', "well", "-", "known", '"', ","),
        *("1", ",", "000", ".", "5", "!"),
    ]
    assert _texts("well @-@ known 1 @,@ 000 dog 's") == _texts("well-known 1,000 dog’s")
    assert _texts("“No” ‘so’") == ['"', "No", '"', "'", "so", "'"]
    assert _texts("a\n b") == ["a", "<eol>", "b"]
    assert _texts("An <unk> Word", lower_case=True) == ["an", "<unk>", "word"]
    assert _texts("O'Brien 'tis rock 'n' roll") == [
        *("O", "'", "Brien", "'", "tis", "rock", "'", "n", "'", "roll"),
    ]


@given(text=st.text(alphabet=st.sampled_from("aB3 '’-@,.\n<unk>_é中🎈\t\u0301"), max_size=40))
def test_every_character_but_white_space_is_in_one_word(text):
    found = list(words(text))
    covered = "".join(text[w.start : w.end] for w in found)
    assert covered == "".join(c for c in text if c == "\n" or not c.isspace())
    ends = [0, *(w.end for w in found)]
    assert all(w.start >= end for w, end in zip(found, ends, strict=False))


@given(before=st.text(max_size=10), after=st.text(max_size=10))
def test_what_follows_a_space_changes_no_word_before_it(before, after):
    assert _texts(f"{before} {after}")[: len(_texts(before))] == _texts(before)


def test_a_vocabulary_has_frequent_words_first_and_rare_ones_unknown():
    text = "b a b c a b d d"
    found = vocabulary_of([text], minimum=2, spelling=False)
    assert found.entries == ("<unk>", "<eol>", "b", "a", "d")
    counts = Counter(text.split())
    assert [counts[w] for w in found.entries[2:]] == [3, 2, 2]
    assert found.encode("a c b").ids == [3, 0, 2]
    assert found.encode("a c b").offsets == [(0, 1), (2, 3), (4, 5)]
    assert vocabulary_of([text], minimum=1, most=4).entries == ("<unk>", "<eol>", "b", "a")
    with pytest.raises(OptionError, match="No word of the text occurs 9 times"):
        vocabulary_of([text], minimum=9)


def test_words_come_back_from_their_numbers():
    found = vocabulary_of([TEXT], minimum=1)
    ids, offsets = found.encode(TEXT)
    assert 0 not in ids
    assert found.decode(ids).split(" ") == ["\n" if w == "<eol>" else w for w in _texts(TEXT)]
    assert [TEXT[slice(*o)] for o in offsets][:4] == ["The", "dog", "'s", "bark"]


def test_a_broken_vocabulary_is_refused():
    with pytest.raises(OptionError, match="begins with <unk> and <eol>"):
        Vocabulary(entries=("the", "a"))
    with pytest.raises(OptionError, match="'a' occurs twice"):
        Vocabulary(entries=("<unk>", "<eol>", "a", "a"))


def test_vocabularies_are_told_apart():
    one, two = (Vocabulary(entries=("<unk>", "<eol>", *w)) for w in ("ab", "ba"))
    lower = Vocabulary(entries=one.entries, lower_case=True)
    assert len({str(sorted(v.identity().items())) for v in (one, two, lower)}) == 3


def test_unknown_words_are_spelt_where_they_stand():
    found = vocabulary_of(["the the zoo"], minimum=2)
    assert found.entries == ("<unk>", "<eol>", "the")
    assert found.characters == ("e", "h", "o", "t", "z")
    assert len(found) == 3 + 5 + 2
    ids, offsets = found.encode("the hoe! the")
    assert ids == [2, 0, 4, 5, 3, 9, 0, 8, 9, 2]
    spelt = [(4, 5), (4, 5), (5, 6), (6, 7), (6, 7), (7, 8), (7, 8), (7, 8)]
    assert offsets == [(0, 3), *spelt, (9, 12)]
    assert found.decode(ids) == "the hoe ? the"
    assert found.decode([0]) == "<unk>" and found.decode([2, 1]) == "the \n"


@given(text=st.text(alphabet=st.sampled_from("theZ é,'-s\n"), max_size=30))
def test_spelt_words_come_back_and_offsets_rise(text):
    found = vocabulary_of(["the the és é,Z '-"], minimum=2)
    ids, offsets = found.encode(text)
    assert (
        found.decode(ids).split(" ") == ["\n" if word == "<eol>" else word for word in _texts(text)]
        or not ids
    )
    assert max(ids, default=0) < len(found)
    assert offsets == sorted(offsets)
    assert all(0 <= start < end <= len(text) for start, end in offsets)


def test_hashed_words_have_the_number_of_their_digest():
    hashed = HashedWords(buckets=100)
    ids, offsets = hashed.encode("dog\ndog cat")
    number = 2 + int(hashlib.sha256(b"dog").hexdigest()[:16], 16) % 98
    assert ids[:3] == [number, 1, number]
    assert offsets[-1] == (8, 11)
    assert hashed.decode([5, 1]) == "<5> <1>"
    assert all(1 <= n < 100 for n in HashedWords(buckets=100).encode(TEXT * 3).ids)
