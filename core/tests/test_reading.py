"""Passages of texts, and surprisal that says how it was computed."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval.errors import AssemblyError, OptionError, StimuliError
from corteval.reading import passages
from corteval.requests import NextWord, ReadingTime
from corteval.stimuli import StimulusSet
from corteval.surprisal import (
    NextWordReadout,
    SurprisalReadout,
    SurprisalSpec,
    answer,
    in_bits,
    spec_of,
)


def texts(rows, **columns):
    table = pd.DataFrame({"text": rows, **columns})
    table.index = pd.Index([f"s{n}" for n in range(len(rows))], name="stimulus_id")
    return StimulusSet(identifier="texts", modality="text", table=table)


def only(found):
    (passage,) = found
    return passage


def test_parts_are_joined_by_a_space_where_none_stands():
    parts = ["The cat", "sat", ", then", " it", "slept ", "on", "", "mats", "."]
    whole = only(passages(texts(parts, context_id="c", position=range(9))))
    assert whole.text == "The cat sat, then it slept on mats."
    assert [whole.text[a:b] for a, b in whole.spans] == parts
    assert whole.up_to(2) == "The cat sat, then"


def test_another_separator_and_other_marks_may_be_given():
    stimuli = texts(["a", "b", "."], context_id="c")
    assert only(passages(stimuli, separator="|", closing="")).text == "a|b|."
    assert only(passages(stimuli, separator="")).text == "ab."


def test_rows_are_read_by_position_and_contexts_in_the_order_of_their_first_row():
    stimuli = texts(["b", "y", "a", "x"], context_id=["2", "1", "2", "1"], position=[9, 7, 3, 5])
    second, first = passages(stimuli)
    assert (second.context_id, second.text, second.stimulus_ids) == ("2", "a b", ("s2", "s0"))
    assert (first.context_id, first.text, first.stimulus_ids) == ("1", "x y", ("s3", "s1"))


def test_rows_without_a_context_are_read_alone():
    assert [p.text for p in passages(texts(["a", "b"]))] == ["a", "b"]
    mixed = texts(["a", "b", "c", "d"], context_id=[None, "s0", np.nan, "s0"])
    assert [(p.context_id, p.text) for p in passages(mixed)] == [
        ("s0", "a"),
        ("s0", "b d"),
        ("s2", "c"),
    ]


def test_two_stimuli_at_one_position_are_refused():
    with pytest.raises(StimuliError, match="context c have one position"):
        passages(texts(["a", "b"], context_id="c", position=[1, 1]))


def test_images_cannot_be_read():
    table = pd.DataFrame({"path": ["x.png"]}, index=pd.Index(["x"], name="stimulus_id"))
    with pytest.raises(StimuliError, match="image stimuli"):
        passages(StimulusSet(identifier="pictures", modality="image", table=table))


@given(
    st.lists(st.text(max_size=8), min_size=1, max_size=12),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_every_stimulus_is_found_in_its_span_whatever_the_order_of_rows(parts, contexts, random):
    stimuli = texts(
        parts,
        context_id=[str(n % contexts) for n in range(len(parts))],
        position=range(len(parts)),
    )
    order = stimuli.stimulus_ids
    random.shuffle(order)
    found = {p.context_id: p for p in passages(stimuli)}
    assert {p.context_id: p for p in passages(stimuli.select(order))} == found
    for passage in found.values():
        for stimulus_id, (start, end) in zip(passage.stimulus_ids, passage.spans, strict=True):
            assert passage.text[start:end] == stimuli.table.at[stimulus_id, "text"]
        ends = [0, *(end for _, end in passage.spans)]
        starts = [start for start, _ in passage.spans]
        assert all(0 <= s - e <= 1 for s, e in zip(starts, ends, strict=False))


def test_surprisal_is_read_in_bits_whatever_it_was_said_in():
    stimuli = texts(["a", "b"])
    nats = answer(np.array([math.log(8), np.nan]), stimuli, SurprisalSpec(base="nats", bos=True))
    np.testing.assert_allclose(in_bits(nats), [3, np.nan])
    assert spec_of(in_bits(nats)) == SurprisalSpec(base="bits", bos=True)
    assert spec_of(nats) == SurprisalSpec(base="nats", bos=True)
    bits = answer(np.array([3.0, 1.0]), stimuli, SurprisalSpec())
    np.testing.assert_array_equal(in_bits(bits), [3, 1])


@pytest.mark.parametrize("said", [None, "bits", "[1]", json.dumps({"base": "bans"}), '{"x": 1}'])
def test_an_answer_that_does_not_say_that_it_is_surprisal_is_refused(said):
    given = answer(np.array([1.0]), texts(["a"]), SurprisalSpec())
    given.attrs["surprisal"] = said
    with pytest.raises(AssemblyError, match="no surprisal"):
        in_bits(given)


def test_conventions_nobody_knows_are_refused():
    with pytest.raises(OptionError, match="bits or nats"):
        SurprisalSpec(base="bans")
    with pytest.raises(OptionError, match="'scored' or 'nan'"):
        SurprisalSpec(first_word="zero")


def test_readouts_answer_from_a_layer_of_one_unit():
    stimuli = texts(["a", "b"])
    layers = np.array([[1.0], [0.0]], np.float32)
    surprisal = SurprisalReadout(spec=SurprisalSpec(word_boundary=True))
    assert surprisal.supports(ReadingTime()) and not surprisal.supports(NextWord())
    given = surprisal(ReadingTime(), stimuli, lambda shown: layers)
    assert given.values.tolist() == [1, 0] and spec_of(given).word_boundary
    words = NextWordReadout(words=["the", "dog"])
    assert words.supports(NextWord()) and not words.supports(ReadingTime())
    said = words(NextWord(), stimuli, lambda shown: layers)
    assert said.values.tolist() == ["dog", "the"]
    assert said["stimulus_id"].values.tolist() == ["s0", "s1"]


def test_rows_may_be_read_alone_whatever_their_context():
    stimuli = texts(["a", "b"], context_id="c", position=[1, 1])
    assert [(p.context_id, p.text) for p in passages(stimuli, alone=True)] == [
        ("s0", "a"),
        ("s1", "b"),
    ]
