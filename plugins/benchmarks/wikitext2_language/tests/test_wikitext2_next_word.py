import re
import string
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.benchmarks.wikitext2_language.tests.wikitext2_readers import reader

from corteval import registry
from corteval.errors import AssemblyError
from corteval.reading import passages
from corteval.scoring import score
from corteval.testing.subjects import InterposedSubject, ReplaySubject, reordered


@pytest.fixture(scope="module")
def whole(mirror):
    return registry.benchmarks.create("Wikitext2-accuracy")


@pytest.fixture(scope="module")
def ten(mirror):
    return registry.benchmarks.create("Wikitext2.10articles-accuracy")


@pytest.fixture(scope="module")
def legacy(mirror):
    return registry.benchmarks.create("Wikitext2-accuracy-legacy")


@pytest.fixture(scope="module")
def lines(mirror):
    (path,) = mirror.rglob("wikitext-2/test.txt")
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def constant(word):
    return reader(None, word=word)


def test_always_the_scores_as_published_on_the_published_definition(legacy, lines):
    """The published number is .05945, to .001. Its code counts four empty words, too."""
    found = score(constant("the"), legacy)
    assert round(found.value, 5) == 0.05945
    assert found.value == 13_999 / 235_459
    assert "235459 words" in found.raw.method
    published = []
    for line in lines:
        line = line.strip()
        spaces = [n for n, c in enumerate(line) if c in string.whitespace and n > 0]
        published += [line[a:b].strip() for a, b in pairwise(spaces)]
    assert (len(published), published.count(""), published.count("the")) == (235_463, 4, 13_999)
    assert round(13_999 / 235_463, 5) == 0.05945


def test_always_the_scores_its_share_of_words_but_the_first_of_lines(whole, lines):
    heading = re.compile(r"(= )+.*( =)+")
    texts = [
        line.split()
        for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False)
        if line.strip()
        and not (heading.fullmatch(line.strip()) and not before.strip() and not after.strip())
    ]
    words = [word for text in texts for word in text[1:]]
    found = score(constant("the"), whole)
    assert len(words) == 233_685 and "233685 words" in found.raw.method
    assert found.value == words.count("the") / len(words)


def test_words_are_exact_up_to_white_space(ten):
    share = score(constant("the"), ten).value
    assert share > 0
    assert score(constant(" the\n"), ten).value == share
    assert score(constant("The"), ten).value not in (0, share)
    assert score(constant("th"), ten).value == 0


def test_what_is_read_is_the_article_word_by_word(ten):
    lines = registry.data.create("Wikitext2").stimuli()
    articles = {p.context_id: p.text for p in passages(lines)}
    read = passages(ten.stimuli())
    assert len(read) == 10
    for passage in read:
        assert passage.text == articles[passage.context_id].rstrip("\n")
        parts = [passage.text[start:end] for start, end in passage.spans]
        assert [part.strip() for part in parts] == passage.text.split()
    assert ten.stimuli().table.index.is_unique


def test_the_published_definition_reads_lines_apart(legacy, lines):
    read = passages(legacy.stimuli())
    assert [p.text for p in read] == [line.strip() for line in lines if line.strip()]


def test_a_subject_that_remembers_the_article_gains_only_where_it_is_read_whole(ten, legacy):
    """It answers with the word that stood after the last occurrence of the same word."""

    class Memory:
        identifier, modalities, visual_degrees = "memory", frozenset({"text"}), None

        def supports(self, request):
            return True

        def respond(self, stimuli, requests):
            import xarray as xr

            told = {}
            for passage in passages(stimuli):
                after, words = {}, passage.text.split()
                for n, stimulus in enumerate(passage.stimulus_ids):
                    told[stimulus] = after.get(words[n], "the")
                    if n + 1 < len(words):
                        after[words[n]] = words[n + 1]
            ids = stimuli.stimulus_ids
            values = np.array([told[i] for i in ids])
            coords = {"stimulus_id": ("presentation", ids)}
            return {requests[0]: xr.DataArray(values, dims=["presentation"], coords=coords)}

        def perturbed(self, *perturbations):
            return self

    apart = registry.benchmarks.create("Wikitext2-accuracy-legacy", articles=10)
    assert score(Memory(), ten).value > score(Memory(), apart).value + 0.01


def test_hand_made_answers_are_right_where_the_next_word_is_told(ten):
    """Right after every third word, by plain loops over lines of text."""
    table = ten.stimuli().table
    words = [text.strip() for text in table["text"]]
    responses = ten.ideal_responses(0).copy()
    responses.values[np.arange(len(words)) % 3 > 0] = "nothing"
    found = score(ReplaySubject(responses=responses), ten)
    kinds = registry.data.create("Wikitext2").stimuli().table["kind"]
    right = asked = 0
    for n, stimulus in enumerate(table.index):
        line, number = stimulus.rsplit(".", 1)
        if kinds[line] == "text" and number != "1":
            asked += 1
            right += (n - 1) % 3 == 0
    assert found.value == pytest.approx(right / asked, abs=1e-12)
    assert score(ReplaySubject(responses=ten.ideal_responses(0)), ten).value == 1


@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_the_order_of_answers_does_not_matter(ten, seed):
    subject = constant("of")
    moved = InterposedSubject(subject=subject, change=reordered("presentation", seed))
    one, other = (replace(score(s, ten), provenance=None) for s in (subject, moved))
    assert one.to_json() == other.to_json()


def test_answers_that_are_no_words_are_refused(ten):
    numbers = ten.ideal_responses(0).copy(data=np.zeros(len(ten.stimuli())))
    with pytest.raises(AssemblyError, match="Next words are text"):
        score(ReplaySubject(responses=numbers), ten)
