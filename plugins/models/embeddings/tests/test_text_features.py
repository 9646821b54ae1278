import numpy as np
import pandas as pd
import pytest

from corteval import models
from corteval.errors import OptionError
from corteval.model import record
from corteval.stimuli import StimulusSet
from corteval_embeddings.frequency import Frequencies, counted, read_table
from corteval_embeddings.words import forms, words


def stimuli(*rows):
    table = pd.DataFrame(rows, columns=["stimulus_id", "text", "context_id", "position"])
    return StimulusSet(identifier="t", modality="text", table=table.set_index("stimulus_id"))


TEXTS = stimuli(
    ("c", " and then sat.", "one", 7),
    ("a", "The dog", "one", 1),
    ("lone", "Alone, it waits.", None, 1),
    ("b", "came home", "one", 4),
)


def asked(name, shown=TEXTS, **options):
    return record(models.create(name, **options), shown, "language_system").values


def test_word_position_counts_parts_shares_and_words_before():
    expected = [[2, 1, 4], [0, 0, 0], [0, 0, 0], [1, 0.5, 2]]
    np.testing.assert_array_equal(asked("word-position"), expected)


def test_word_rate_counts_words():
    np.testing.assert_array_equal(asked("word-rate"), [[3], [2], [3], [2]])


def test_sentence_features_are_words_position_and_characters():
    expected = [[3, 2, 13], [2, 0, 7], [3, 0, 16], [2, 1, 9]]
    np.testing.assert_array_equal(asked("sentence-features"), expected)


def test_frequencies_of_all_words_and_of_the_unseen_sum_to_one():
    table = counted(["The dog saw the cat.", "A dog!"])
    seen = {"the", "dog", "saw", "cat", "a"}
    assert sum(10 ** table.log10(word) for word in seen) + 10 ** table.log10("zebra") == (
        pytest.approx(1)
    )
    assert table.log10("The") == pytest.approx(np.log10(3 / 13))  # 7 words of 5 kinds


def test_a_possessive_that_was_not_seen_counts_as_its_word():
    table = Frequencies(counts={"dog": 9, "glas": 50})
    assert table.log10("dog's") == table.log10("dog")
    assert table.log10("glass") == table.log10("unseen")


def test_word_frequency_reads_a_table_and_tells_mean_and_lowest(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("word,count\nthe,60\ndog,3\nDog,1\n")
    shown = stimuli(("a", "The dog!", "x", 1), ("b", "...", "x", 2))
    share = np.log10(np.array([61, 5]) / (64 + 2 + 1))
    expected = [[share.mean(), share[1]], [0, 0]]
    np.testing.assert_allclose(asked("word-frequency", shown, path=path), expected, rtol=1e-6)


@pytest.mark.parametrize("line", ["dog many", "dog", "dog -3", "dog nan", "dog 1.5"])
def test_a_line_that_is_no_word_and_count_is_refused(tmp_path, line):
    path = tmp_path / "counts.txt"
    path.write_text(f"the 3\n{line}\n")
    with pytest.raises(OptionError, match="line 2"):
        read_table(path)


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(OptionError, match="no table"):
        models.create("word-frequency", path=tmp_path / "none.txt")


def test_common_words_are_more_frequent_in_wikitext(mirror):
    shown = stimuli(("a", "the", None, 1), ("b", "house", None, 1), ("c", "zyzzyva", None, 1))
    common, rarer, unseen = asked("word-frequency", shown)[:, 0]
    assert common > -2
    assert common > rarer > unseen


def test_words_lose_marks_around_them_and_nothing_else():
    text = (
        "\u201cThe glass's boss\u2019s ($5) e-mail\u2014\u201d James' U.S.A., 'tis\u2026 -- \ufeff"
    )
    expected = ["The", "glass's", "boss's", "5", "e-mail", "James", "U.S.A", "tis"]
    assert words(text) == expected


def test_no_letter_is_taken_off_a_word_but_a_possessive():
    for word in ("glass", "his", "James", "is", "s", "as"):
        assert all(form.casefold() == word.casefold() for form in forms(word))
    assert forms("Boss's") == ("Boss's", "boss's", "Boss", "boss")
