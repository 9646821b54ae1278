import pytest

from corteval_naturalstories.sentences import places


def starts(text):
    words = text.split()
    return [word for word, place in zip(words, places(words), strict=True) if place.word == 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One day. Two days!", ["One", "Two"]),
        ("'Are you Mr. Sticky?' 'Yes.'", ["'Are", "'Yes.'"]),
        ("named for Dr. Georges. He", ["named", "He"]),
        ("'I cannot!' he said. 'Why?'", ["'I", "'Why?'"]),
        ("(It ended.) Then more", ["(It", "Then"]),
        ("no end here", ["no"]),
    ],
)
def test_punctuation_ends_sentences(text, expected):
    assert starts(text) == expected


def test_words_are_numbered_from_one_in_sentences_numbered_from_one():
    assert places(["A", "b.", "C."]) == [(1, 1), (1, 2), (2, 1)]


def test_no_words_have_no_places():
    assert places([]) == []
