import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from corteval.errors import AssemblyError, UndefinedScore
from corteval.stats.resampling import draw
from corteval_behaviour import HumanReadingTimeCorrelation, ReadingTimeCorrelation
from corteval_behaviour.words import neighbours

WORDS = 120
GENERATOR = np.random.default_rng(0)
SURPRISAL = GENERATOR.gamma(2, 3, WORDS)
TIMES = 300 + 5 * SURPRISAL + GENERATOR.normal(0, 40, (9, WORDS))
FIRST = np.arange(WORDS) % 10 == 0


def coords():
    number = np.arange(WORDS)
    columns = {
        "stimulus_id": [f"w{n:03d}" for n in number],
        "story": [f"story-{n // 60}" for n in number],
        "position": number % 60 + 1,
        "word_within_sentence_id": number % 10 + 1,
    }
    return {name: ("presentation", column) for name, column in columns.items()}


def predictions(values=SURPRISAL):
    return xr.DataArray(values, dims=["presentation"], coords=coords())


def times(values=TIMES):
    names = [f"h{n}" for n in range(len(values))]
    return xr.DataArray(
        values.T, dims=["presentation", "subject"], coords={**coords(), "subject": names}
    )


def test_the_score_is_the_correlation_with_mean_reading_times():
    score = ReadingTimeCorrelation(resamples=0)(predictions(), times())
    expected = pearsonr(SURPRISAL[~FIRST], TIMES.mean(axis=0)[~FIRST])[0]
    assert score.value == pytest.approx(expected, abs=1e-12)
    each = [pearsonr(SURPRISAL[~FIRST], t[~FIRST])[0] for t in TIMES]
    np.testing.assert_allclose(score.samples.values, each, atol=1e-12)


def test_first_words_count_if_asked():
    score = ReadingTimeCorrelation(drop_first_word=False, resamples=0)(predictions(), times())
    assert score.value == pytest.approx(pearsonr(SURPRISAL, TIMES.mean(axis=0))[0], abs=1e-12)


def test_the_sign_is_kept_unless_legacy_is_asked_for():
    source = predictions(-SURPRISAL)
    signed = ReadingTimeCorrelation(resamples=20)(source, times())
    legacy = ReadingTimeCorrelation(absolute=True, resamples=20)(source, times())
    assert signed.value < 0 and legacy.value == -signed.value
    assert min(legacy.raw.replicates[0].values) >= 0


def test_missing_reading_times_are_left_out_of_means():
    values = TIMES.copy()
    values[GENERATOR.random(TIMES.shape) < 0.3] = np.nan
    score = ReadingTimeCorrelation(resamples=0)(predictions(), times(values))
    expected = pearsonr(SURPRISAL[~FIRST], np.nanmean(values, axis=0)[~FIRST])[0]
    assert score.value == pytest.approx(expected, abs=1e-12)


def test_first_words_may_lack_a_prediction_and_others_may_not():
    surprisal = SURPRISAL.copy()
    surprisal[0] = np.nan
    metric = ReadingTimeCorrelation(resamples=0)
    assert metric(predictions(surprisal), times()).value == metric(predictions(), times()).value
    surprisal[1] = np.nan
    with pytest.raises(AssemblyError, match=r"1 of 108 words, such as w001. First .* already"):
        metric(predictions(surprisal), times())


def test_without_places_in_sentences_first_words_cannot_be_dropped():
    with pytest.raises(AssemblyError, match="drop_first_word=False"):
        ReadingTimeCorrelation()(predictions(), times().drop_vars("word_within_sentence_id"))


@pytest.mark.parametrize("shift", [-2, -1, 1, 3])
def test_a_shift_pairs_reading_times_with_words_of_the_same_story(shift):
    metric = ReadingTimeCorrelation(drop_first_word=False, shift=shift, resamples=0)
    mean = TIMES.mean(axis=0)
    pairs = [
        (SURPRISAL[n + shift], mean[n])
        for n in range(WORDS)
        if 0 <= n + shift < WORDS and (n + shift) // 60 == n // 60
    ]
    expected = pearsonr(*np.transpose(pairs))[0]
    assert metric(predictions(), times()).value == pytest.approx(expected, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(WORDS)))
def test_the_order_of_words_does_not_matter(order):
    metric = ReadingTimeCorrelation(shift=1, resamples=0)
    moved = metric(predictions()[order], times()[order[::-1]])
    assert moved.value == pytest.approx(metric(predictions(), times()).value, abs=1e-12)


def test_neighbours_are_words_at_the_next_place_whether_or_not_all_are_there():
    words = predictions()[[5, 4, 59, 60, 61, 7]]
    assert list(neighbours(words, 1)) == [-1, 0, -1, 4, -1, -1]


def test_two_words_cannot_be_at_one_place():
    words = predictions().assign_coords(position=("presentation", np.ones(WORDS)))
    with pytest.raises(AssemblyError, match="w000 and w001 have the same position in one story, 1"):
        neighbours(words, 1)


def test_stories_that_are_not_told_apart_are_missed():
    with pytest.raises(AssemblyError, match=r"w000 and w060 .* no coordinate 'story'"):
        neighbours(predictions().drop_vars("story"), 1)


def test_the_ceiling_is_the_median_of_corrected_halves():
    state, found = np.random.RandomState(0), []
    for _ in range(10):
        half = state.choice(9, 4, replace=False)
        rest = np.setdiff1d(np.arange(9), half)
        r = pearsonr(*(TIMES[h][:, ~FIRST].mean(axis=0) for h in (half, rest)))[0]
        found.append(2 * r / (1 + r))
    estimate = HumanReadingTimeCorrelation(resamples=0)(times())
    assert estimate.value == pytest.approx(np.median(found), abs=1e-12)
    assert estimate.quantity == "reliability"


def test_replicates_are_the_score_of_the_drawn_words_and_subjects():
    score = ReadingTimeCorrelation(resamples=4, seed=6)(predictions(), times())
    way = draw(
        stimulus_ids=[f"w{n:03d}" for n in np.flatnonzero(~FIRST)],
        subjects=[f"h{n}" for n in range(9)],
        resamples=4,
        seed=6,
    )[2]
    for b in range(4):
        words = np.repeat(np.flatnonzero(~FIRST), way.stimuli[b])
        drawn = np.repeat(np.arange(9), way.neuroids[b])
        expected = pearsonr(SURPRISAL[words], TIMES[drawn][:, words].mean(axis=0))[0]
        assert score.raw.replicates[2].values[b] == pytest.approx(expected, rel=1e-6)


def test_score_and_ceiling_draw_the_same_words_and_subjects():
    # of a source that is the reading times themselves, the drawn words decide both alike
    score = ReadingTimeCorrelation(resamples=200)(predictions(TIMES.mean(axis=0)), times())
    noisy = ReadingTimeCorrelation(resamples=200)(predictions(), times())
    ceiling = HumanReadingTimeCorrelation(resamples=200)(times())
    assert [r.sizes for r in score.raw.replicates] == [r.sizes for r in ceiling.replicates]
    pair = noisy.raw.replicates[0].values, ceiling.replicates[0].values
    assert pearsonr(*pair)[0] > 0.3


def test_one_subject_has_no_ceiling():
    with pytest.raises(UndefinedScore, match="Halves of 1 subject"):
        HumanReadingTimeCorrelation()(times(TIMES[:1]))


def test_constant_predictions_are_undefined():
    with pytest.raises(UndefinedScore, match="do not vary"):
        ReadingTimeCorrelation()(predictions(np.full(WORDS, 3.0)), times())


def test_word_lengths_correlate_with_natural_stories_as_documented(natural_stories):
    # spec real-data 8: corr of mean RT at z with length at z + k
    table = natural_stories
    length = table["word"].str.strip(".,!?;:\"'").str.len().astype(float)
    columns = {
        "stimulus_id": table["item"].astype(str) + "-" + table["zone"].astype(str),
        "story": table["item"],
        "position": table["zone"],
    }
    coords = {name: ("presentation", column.to_numpy()) for name, column in columns.items()}
    target, source = (
        xr.DataArray(column.to_numpy(), dims=["presentation"], coords=coords)
        for column in (table["meanItemRT"], length)
    )
    assert len(table) == 10256
    for shift, expected in {-1: 0.139, 0: 0.292, 1: 0.240, 2: 0.037}.items():
        metric = ReadingTimeCorrelation(drop_first_word=False, shift=shift, resamples=0)
        assert metric(source, target).value == pytest.approx(expected, abs=6e-4)
