import numpy as np
import pytest
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import normalize
from corteval_behaviour import HumanReadingTimeReliability, ReadingTimeCorrelation


def reading(readers=40, words=4000, seed=0):
    """Reading times (reader, word) of words that differ, by readers of one speed."""
    rng = np.random.default_rng(seed)
    return 330 + 20 * rng.standard_normal(words) + 100 * rng.standard_normal((readers, words))


def means(times, **more):
    readers, words = times.shape
    spread = times.std(axis=0, ddof=1) if readers > 1 else np.zeros(words)
    coords = {
        "stimulus_id": ("presentation", [f"w{n:04d}" for n in range(words)]),
        "sd_ms": ("presentation", spread),
        "n": ("presentation", np.full(words, readers)),
        **more,
    }
    return xr.DataArray(times.mean(axis=0), dims=["presentation"], coords=coords)


def reliability(assembly, **options):
    return HumanReadingTimeReliability(drop_first_word=False, resamples=0, **options)(assembly)


def stories(count, words):
    return ("presentation", np.repeat(np.arange(count), words // count))


def test_reliability_is_what_variances_say():
    truth = 20**2 / (20**2 + 100**2 / 40)
    assert reliability(means(reading())).value == pytest.approx(truth, abs=0.02)


def test_reliability_is_one_minus_noise_over_variance_in_plain_loops():
    times = reading(readers=7, words=50)
    noise = [np.var(times[:, w], ddof=1) / 7 for w in range(50)]
    expected = 1 - sum(noise) / 50 / np.var([times[:, w].mean() for w in range(50)], ddof=1)
    assert reliability(means(times)).value == pytest.approx(expected, rel=1e-12)


def test_reliability_is_the_correlation_with_as_many_new_readers():
    times = reading(readers=80)
    r = np.corrcoef(times[:40].mean(axis=0), times[40:].mean(axis=0))[0, 1]
    assert reliability(means(times[:40])).value == pytest.approx(r, abs=0.03)


def test_reliability_agrees_with_spearman_brown_corrected_halves():
    times = reading(readers=60, seed=1)
    r = np.corrcoef(times[::2].mean(axis=0), times[1::2].mean(axis=0))[0, 1]
    assert reliability(means(times)).value == pytest.approx(2 * r / (1 + r), abs=0.02)


def test_means_of_noise_alone_are_not_reliable():
    noise = 330 + 100 * np.random.default_rng(2).standard_normal((40, 4000))
    assert reliability(means(noise)).value == pytest.approx(0, abs=0.08)


def test_the_error_is_the_spread_over_stories():
    """Over repeated experiments, the jackknife error is as large as the spread of the estimate."""
    story = stories(10, 400)
    estimates = [
        reliability(means(reading(words=400, seed=s), story=story), resample_by="story")
        for s in range(200)
    ]
    spread = np.std([estimate.value for estimate in estimates], ddof=1)
    errors = [estimate.error for estimate in estimates if estimate.error is not None]
    assert len(errors) == 200
    assert np.mean(errors) == pytest.approx(spread, rel=0.25)


def test_without_three_stories_there_is_no_error():
    times = means(reading(words=400), story=stories(2, 400))
    assert reliability(times, resample_by="story").error is None
    assert reliability(times).error is None


def test_first_words_of_sentences_are_left_out_unless_asked_for():
    assembly = means(reading(words=90), word_within_sentence_id=("presentation", [1, 2, 3] * 30))
    kept = assembly[assembly["word_within_sentence_id"].values != 1]
    estimate = HumanReadingTimeReliability(resamples=0)(assembly)
    assert estimate.value == reliability(kept).value
    assert "over 60 words" in estimate.method


def test_missing_counts_and_single_readers_are_named():
    assembly = means(reading(words=10))
    with pytest.raises(AssemblyError, match="there is no n"):
        reliability(assembly.drop_vars("n"))
    with pytest.raises(UndefinedScore, match="1 of 10 words have fewer than two readers"):
        reliability(assembly.assign_coords(n=("presentation", [1] + [40] * 9)))
    with pytest.raises(OptionError, match="no coordinate 'chapter'"):
        reliability(assembly, resample_by="chapter")


def test_words_that_do_not_vary_have_no_reliability():
    with pytest.raises(UndefinedScore, match="do not vary"):
        reliability(means(np.full((5, 10), 300.0)))


def test_stories_are_drawn_whole_and_jointly_with_the_metric():
    """A replicate is the formula on the words of the stories drawn, each as often as drawn."""
    story = stories(6, 300)
    place = ("presentation", np.arange(300) % 10 + 1)
    target = means(reading(words=300), story=story, word_within_sentence_id=place)
    source = target.copy(data=target.values + np.random.default_rng(3).normal(0, 20, 300))
    options = {"resample_by": "story", "resamples": 20, "seed": 4}
    score = ReadingTimeCorrelation(**options)(source, target)
    ceiling = HumanReadingTimeReliability(**options)(target)
    (above,), (below,) = score.raw.replicates, ceiling.replicates
    assert above.scope == below.scope == "stories"
    assert above.sizes == (6,)
    assert above.draw == below.draw
    from corteval.stats.resampling import draw

    names = [str(n) for n in range(6)]
    (way,) = draw(stimulus_ids=names, stimulus_groups=names, resamples=20, seed=4)
    rows = np.flatnonzero(place[1] != 1)
    for b in range(20):
        words = np.repeat(rows, way.stimuli[b][story[1][rows]])
        r = np.corrcoef(source.values[words], target.values[words])[0, 1]
        assert above.values[b] == pytest.approx(r, rel=1e-6)
        noise = (target["sd_ms"].values ** 2 / 40)[words].mean()
        rho = 1 - noise / target.values[words].var(ddof=1)
        assert below.values[b] == pytest.approx(rho, rel=1e-6)
    interval = normalize(score, ceiling).interval
    assert interval.scope == "stories" and "jointly" in interval.method


def test_neighbours_that_are_alike_widen_the_interval_only_if_it_is_known_whose_they_are():
    """Reading times and source drift from story to story: few stories tell less than many words."""
    rng = np.random.default_rng(5)
    story = stories(10, 500)
    times = rng.normal(0, 20, 10)[story[1]] + rng.normal(0, 10, (40, 500)) + 330
    target = means(times, story=story)
    source = target.copy(data=rng.normal(0, 20, 10)[story[1]] + rng.normal(0, 10, 500))
    widths = [
        np.ptp(
            ReadingTimeCorrelation(drop_first_word=False, resample_by=by, resamples=300)(
                source, shown
            )
            .raw.replicates[0]
            .values
        )
        for shown, by in ((target.drop_vars("story"), None), (target, "story"), (target, None))
    ]
    assert widths[1] > 2 * widths[0]
    assert widths[1] == widths[2]


def test_few_stories_are_not_drawn_unless_they_are_named():
    target = means(reading(words=88), story=stories(4, 88))
    source = target.copy(data=np.random.default_rng(3).normal(0, 20, 88))
    unnamed, named = (
        ReadingTimeCorrelation(drop_first_word=False, resample_by=by)(source, target)
        for by in (None, "story")
    )
    assert [s.raw.replicates[0].scope for s in (unnamed, named)] == ["stimuli", "stories"]
    assert [any("independent" in n for n in s.notes) for s in (unnamed, named)] == [True, False]
