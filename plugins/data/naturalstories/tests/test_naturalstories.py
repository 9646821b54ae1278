import csv

import numpy as np
import pytest

from corteval import registry
from corteval.errors import OptionError

#: Correlation of the mean reading time at z with the length of the word at z + k, by another
#: program (spec `real-data` 8).
PUBLISHED = {-1: 0.139, 0: 0.292, 1: 0.240, 2: 0.037}


@pytest.fixture(scope="module")
def data(mirror):
    return registry.data.create("NaturalStories")


@pytest.fixture(scope="module")
def assembly(data):
    return data.assembly()


@pytest.fixture(scope="module")
def rows(mirror):
    """Rows of the file of means, by (story, word), read without pandas."""
    (path,) = mirror.rglob("processed_wordinfo.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {(int(row["item"]), int(row["zone"])): row for row in reader}


def test_there_are_10256_words_in_ten_stories_read_by_62_to_97_people(assembly):
    assert dict(assembly.sizes) == {"presentation": 10256}
    stories, counts = np.unique(assembly["story"], return_counts=True)
    assert list(stories) == list(range(1, 11))
    assert list(counts) == [1073, 990, 1040, 1085, 1013, 1099, 999, 980, 1038, 939]
    assert (int(assembly["n"].min()), int(assembly["n"].max())) == (62, 97)


def test_joined_words_are_the_stories(data, mirror):
    stories = {}
    (path,) = mirror.rglob("all_stories.tok")
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        word, _, story = line.split("\t")
        stories.setdefault(f"story-{story}", []).append(word)
    table = data.stimuli().table.sort_values(["context_id", "position"])
    joined = table.groupby("context_id")["text"].agg("".join).to_dict()
    assert joined == {story: " ".join(words) for story, words in stories.items()}


def test_every_number_of_the_file_stands_at_its_word(assembly, rows):
    names = {
        "meanItemRT": assembly.values,
        "sdItemRT": assembly["sd_ms"].values,
        "nItem": assembly["n"].values,
        "gmeanItemRT": assembly["geometric_mean_ms"].values,
        "gsdItemRT": assembly["geometric_sd"].values,
    }
    codes = list(zip(assembly["story"].values, assembly["position"].values, strict=True))
    assert len(codes) == len(rows)
    for name, values in names.items():
        np.testing.assert_allclose(values, [float(rows[code][name]) for code in codes], rtol=1e-15)
    assert list(assembly["word"].values) == [rows[code]["word"] for code in codes]
    assert list(assembly["stimulus_id"].values) == [f"{s}.{z}.whole" for s, z in codes]


def test_quotes_belong_to_words_and_length_leaves_them_out(assembly):
    word = assembly[{"presentation": int(np.flatnonzero(assembly["word"] == "'Admiral")[0])}]
    assert str(word["stimulus_id"].values) == "9.344.whole"
    assert int(word["length"]) == 7


@pytest.mark.parametrize("shift", PUBLISHED)
def test_shifted_reading_times_correlate_with_length_as_another_program_found(mirror, shift):
    assembly = registry.data.create("NaturalStories", alignment_shift=shift).assembly()
    assert assembly.sizes["presentation"] == 10256 - 10 * abs(shift)
    assert assembly.attrs["dropped"] == 10 * abs(shift)
    assert assembly.attrs["alignment_shift"] == shift
    lengths = [len(word.strip("!',.?")) for word in assembly["word"].values]
    assert round(np.corrcoef(assembly.values, lengths)[0, 1], 3) == PUBLISHED[shift]
    length = assembly["length"].values  # without colons, dashes and brackets as well
    assert np.corrcoef(assembly.values, length)[0, 1] == pytest.approx(PUBLISHED[shift], abs=0.002)


def test_a_shift_moves_all_that_belongs_to_a_reading_time_and_nothing_of_the_word(mirror, rows):
    shifted = registry.data.create("NaturalStories", alignment_shift=2).assembly()
    by_id = dict(
        zip(shifted["stimulus_id"].values, range(shifted.sizes["presentation"]), strict=True)
    )
    assert "3.2.whole" not in by_id
    word = shifted[{"presentation": by_id["3.500.whole"]}]
    assert str(word["word"].values) == rows[3, 500]["word"]
    assert float(word) == float(rows[3, 498]["meanItemRT"])
    assert int(word["n"]) == int(rows[3, 498]["nItem"])
    assert float(word["sd_ms"]) == float(rows[3, 498]["sdItemRT"])


def test_sentences_and_stories_end_slowly_in_their_own_rows(data):
    """Against a shift of the file as a whole: see the README."""
    words = data.words()
    assert words.groupby("story")["sentence"].max().sum() == 480
    last = words.groupby(["story", "sentence"]).tail(1)
    ends = words.groupby("story").tail(4).index
    previous = [f"{s}.{z - 1}.whole" for s, z in zip(last["story"], last["position"], strict=True)]
    inner = words["mean_ms"].drop(ends)
    assert inner.reindex(last.index).mean() == pytest.approx(373, abs=1)
    assert inner.reindex(previous).mean() == pytest.approx(346, abs=1)
    final = words.groupby("story").tail(1)["mean_ms"]
    assert final.min() > 830


@pytest.mark.parametrize("shift", [1.0, True, "1", None])
def test_a_shift_that_is_no_whole_number_is_refused(shift):
    with pytest.raises(OptionError, match="whole number of words"):
        registry.data.create("NaturalStories", alignment_shift=shift)


def test_a_shift_beyond_every_story_is_refused(mirror):
    with pytest.raises(OptionError, match="no story has so many words"):
        registry.data.create("NaturalStories", alignment_shift=-1099).assembly()


def test_metrics_of_reading_times_take_the_assembly(assembly):
    """A subject that says how long each word is predicts reading times, beyond their place."""
    source = assembly.copy(data=assembly["length"].values.astype(float))
    correlation = registry.metrics.create("reading_time_correlation", resamples=0)
    kept = assembly["word_within_sentence_id"].values != 1
    r = np.corrcoef(source.values[kept], assembly.values[kept])[0, 1]
    assert correlation(source, assembly).value == pytest.approx(r, abs=1e-12)
    gain = registry.metrics.create("delta_log_likelihood", nuisance=("position",), resamples=0)
    assert gain(source, assembly).value > 0


def test_reliability_of_the_means_is_one_minus_noise_over_variance(assembly, rows):
    """In plain loops over the file."""
    means = [float(row["meanItemRT"]) for row in rows.values()]
    noise = [float(row["sdItemRT"]) ** 2 / int(row["nItem"]) for row in rows.values()]
    centre = sum(means) / len(means)
    variance = sum((mean - centre) ** 2 for mean in means) / (len(means) - 1)
    estimate = registry.metrics.create(
        "human_reading_time_reliability", drop_first_word=False, resample_by="story", resamples=0
    )(assembly)
    assert estimate.value == pytest.approx(1 - sum(noise) / len(noise) / variance, rel=1e-12)
    assert estimate.value == pytest.approx(0.830, abs=0.001)
    assert estimate.quantity == "reliability"
    assert estimate.error == pytest.approx(0.0136, abs=0.0001)
