"""Which tokens are a stimulus's, and what is read in one go."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval_pytorch.text.placing import placed
from corteval_pytorch.text.windows import left_truncated, surrounding


def test_a_token_with_the_space_before_a_word_is_of_that_word():
    dog, ran = placed("dog ran", [(0, 3), (4, 7)], [(0, 3), (3, 7)])
    assert (dog.counted, dog.read) == (range(1), range(1))
    assert (ran.counted, ran.read) == (range(1, 2), range(1, 2))


def test_white_space_between_two_words_is_counted_with_the_second_and_read_with_none():
    dog, ran = placed("dog ran", [(0, 3), (4, 7)], [(0, 3), (3, 4), (4, 7)])
    assert dog.counted == range(1)
    assert ran.counted == range(1, 3)
    assert ran.read == range(2, 3)


def test_white_space_within_a_stimulus_is_its_own():
    (whole,) = placed("dog  ran ", [(0, 9)], [(0, 3), (3, 4), (4, 8), (8, 9)])
    assert whole.counted == range(4)
    assert whole.read == range(3)  # not the last, which is white space at its end


def test_a_token_across_a_border_is_counted_with_the_first_and_read_with_both():
    dog, stop, more = placed("dog. A", [(0, 3), (3, 4), (5, 6)], [(0, 4), (4, 6)])
    assert (dog.counted, dog.read) == (range(1), range(1))
    assert (len(stop.counted), stop.read) == (0, range(1))
    assert more.counted == range(1, 2)


def test_a_stimulus_within_a_token_of_another_is_read_from_that_token():
    parts = placed("abc", [(0, 1), (1, 2), (2, 3)], [(0, 3)])
    assert [list(p.read) for p in parts] == [[0], [0], [0]]
    assert [list(p.counted) for p in parts] == [[0], [], []]


def test_bytes_of_one_character_are_all_its_own():
    e, rest = placed("é x", [(0, 1), (2, 3)], [(0, 1), (0, 1), (1, 3)])
    assert list(e.counted) == list(e.read) == [0, 1]
    assert list(rest.read) == [2]


def test_a_stimulus_without_tokens_is_read_from_the_last_one_before_it():
    first, empty, last = placed("ab cd", [(0, 2), (2, 2), (3, 5)], [(0, 2), (2, 5)])
    assert list(empty.read) == list(first.read) == [0]
    assert not empty.counted
    assert list(last.read) == [1]


def test_nothing_before_an_empty_first_stimulus_is_told():
    empty, _ = placed("ab", [(0, 0), (0, 2)], [(0, 2)])
    assert list(empty.read) == [-1]


def test_word_borders_are_white_space_and_the_end_of_the_passage():
    dog, stop, more = placed("dog. A", [(0, 3), (3, 4), (5, 6)], [(0, 3), (3, 4), (4, 6)])
    assert [p.word_before for p in (dog, stop, more)] == [False, False, True]
    assert [p.word_after for p in (dog, stop, more)] == [False, True, True]


@given(st.text("ab .é漢", max_size=30), st.data())
def test_every_token_is_counted_once_and_every_stimulus_read(text, data):
    cuts = lambda: sorted(data.draw(st.sets(st.integers(0, len(text)))))  # noqa: E731
    borders, tokens = [0, *cuts(), len(text)], [0, *cuts(), len(text)]
    spans = [*itertools.pairwise(borders)]
    offsets = [(a, b) for a, b in itertools.pairwise(tokens) if a < b]
    found = placed(text, spans, offsets)
    assert [t for p in found for t in p.counted] == list(range(len(offsets)))
    assert all(len(p.read) for p in found)
    for (start, end), place in zip(spans, found, strict=True):
        inside = {
            t
            for t, (a, b) in enumerate(offsets)
            if text[max(a, start) : min(b, end)].strip() and max(a, start) < min(b, end)
        }
        assert not inside or inside <= set(place.read)


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=30),
    st.integers(6, 15),
    st.integers(1, 5),
)
def test_a_window_holds_every_piece_with_something_before_it(lengths, window, stride):
    pieces, start = [], 0
    for length in lengths:
        pieces.append((start, start + length - 1))
        start += length
    starts = left_truncated(pieces, window, stride, start)
    assert starts == sorted(starts)
    for (first, last), begin in zip(pieces, starts, strict=True):
        assert begin == 0 or begin < first
        assert last < begin + window
        # what it has before it, but for its own length, is at least window - stride
        assert begin == 0 or last - begin + 1 >= min(window - stride, last + 1)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.integers(6, 15))
def test_with_a_stride_of_one_every_window_is_as_full_as_it_can_be(lengths, window):
    pieces, start = [], 0
    for length in lengths:
        pieces.append((start, start + length - 1))
        start += length
    for (_, last), begin in zip(pieces, left_truncated(pieces, window, 1, start), strict=True):
        assert begin == max(0, last + 1 - window)


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(0, 0, 0), (10, 11, 6), (30, 30, 20), (2, 9, 1)]
)
def test_a_piece_lies_in_the_middle_of_what_is_seen_around_it(first, last, expected):
    assert surrounding(first, last, 10, 1, 30 + 0 * last) in {expected, 30 - 10}
    begin = surrounding(first, last, 10, 1, 31)
    assert begin <= first
    assert last < begin + 10
