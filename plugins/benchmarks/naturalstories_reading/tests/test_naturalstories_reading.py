import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut

from corteval import registry
from corteval.errors import AssemblyError
from corteval.model import LayerCommitment
from corteval.scoring import score
from corteval.surprisal import SurprisalSpec, answer
from corteval.testing.subjects import ReplaySubject
from corteval_naturalstories_reading.frequency import log_frequencies

IDENTIFIERS = ("NaturalStories-pearsonr", "NaturalStories-delta_loglik")
both = pytest.mark.parametrize("identifier", IDENTIFIERS)


@pytest.fixture(scope="module")
def made(mirror):
    """A benchmark without intervals, made once; with intervals if asked for."""
    found = {}

    def create(identifier, shift=0):
        key = identifier, shift
        if key not in found:
            shared = dict(registry.benchmarks.card(identifier).options["shared_options"])
            found[key] = registry.benchmarks.create(
                identifier,
                shared_options={**shared, "resamples": 0},
                data_options={"alignment_shift": shift},
            )
        return found[key]

    return create


@pytest.fixture(scope="module")
def words(mirror):
    return registry.data.create("NaturalStories").words()


def subject(values, stimuli, spec=SurprisalSpec()):  # noqa: B008 it is frozen
    return ReplaySubject(responses=answer(np.asarray(values, float), stimuli, spec))


def rarity(words):
    """-log2 of how frequent a word is in these stories."""
    plain = words["word"].str.strip(".,!?;:'\"").str.lower()
    return -np.log2(plain.map(plain.value_counts()) / len(plain)).to_numpy()


def test_the_correlation_is_that_of_scipy_and_signed(made, words):
    benchmark = made("NaturalStories-pearsonr")
    kept = (words["word_within_sentence_id"] != 1).to_numpy()
    r = pearsonr(rarity(words)[kept], words["mean_ms"].to_numpy()[kept])[0]
    found = score(subject(rarity(words), benchmark.stimuli()), benchmark)
    assert found.raw.value == pytest.approx(r, abs=1e-12)
    assert f"over {kept.sum()} words" in found.raw.method and kept.sum() == 10_256 - 480
    opposite = score(subject(-rarity(words), benchmark.stimuli()), benchmark)
    assert opposite.value == -found.value < 0


def test_the_ceiling_of_the_correlation_is_the_reliability_of_the_means(made, words):
    benchmark = made("NaturalStories-pearsonr")
    kept = words[words["word_within_sentence_id"] != 1]
    noise = (kept["sd_ms"] ** 2 / kept["n"]).mean()
    rho = 1 - noise / kept["mean_ms"].var()
    assert benchmark.ceiling().value == pytest.approx(rho, rel=1e-12)
    assert 0.82 < rho < 0.84
    found = score(subject(rarity(words), benchmark.stimuli()), benchmark)
    assert found.normalization == "r^2/c"
    assert found.value == pytest.approx(found.raw.value**2 / rho, rel=1e-12)


def test_frequencies_are_counted_in_the_texts_at_hand(made, mirror):
    """Of a word with several parts, that of the rarest; by grep-like counting of whole words."""
    times = made("NaturalStories-delta_loglik")._times
    found = dict(zip(times["word"].values, times["log_frequency"].values, strict=True))
    paths = [*mirror.rglob("wikitext-2/test.txt"), *mirror.rglob("wikitext-2/val.txt")]
    text = " ".join(path.read_text(encoding="utf-8") for path in paths).lower()
    counts = {
        w: len(re.findall(rf"(?<![^\W_]){w}(?![^\W_])", text)) for w in ("the", "were", "boar")
    }
    for word, count in counts.items():
        difference = found["the"] - found[word]
        assert difference == pytest.approx(np.log((counts["the"] + 1) / (count + 1)), abs=1e-9)
    assert counts["the"] > counts["were"] > counts["boar"]
    assert log_frequencies(["pot-bellied", "pot", "!"], ["pot pot bellied"]).tolist() == [
        pytest.approx(np.log((n + 1) / 4)) for n in (1, 2, 0)
    ]


def test_the_gain_is_that_of_scikit_learn_story_by_story(made, words):
    """Length, frequency, place and marks of a word and two before it, and with surprisal."""
    benchmark = made("NaturalStories-delta_loglik")
    surprisal = rarity(words) + np.random.default_rng(0).normal(size=len(words))
    stories, place = words["story"].to_numpy(), words["position"].to_numpy()
    rows = np.flatnonzero((words["word_within_sentence_id"] != 1) & (place > 3))
    length, y = words["length"].to_numpy(), words["mean_ms"].to_numpy()[rows]
    frequency = benchmark._times["log_frequency"].values
    marks = words["word"].str.count(r"[^a-zA-Z0-9]").to_numpy()
    before = [rows, rows - 1, rows - 2]
    nuisance = np.column_stack([c[b] for c in (length, frequency, place, marks) for b in before])
    whole = np.column_stack([nuisance, *(surprisal[b] for b in before)])
    gains = np.zeros(len(rows))
    for train, test in LeaveOneGroupOut().split(whole, groups=stories[rows]):
        for sign, x in ((1, whole), (-1, nuisance)):
            model = LinearRegression().fit(x[train], y[train])
            variance = np.mean((y[train] - model.predict(x[train])) ** 2)
            residual = y[test] - model.predict(x[test])
            gains[test] += sign * (-0.5 * np.log(2 * np.pi * variance) - residual**2 / 2 / variance)
    found = score(subject(surprisal, benchmark.stimuli()), benchmark)
    assert found.raw.value == pytest.approx(gains.mean(), abs=1e-9)
    assert found.normalization == "r/c"


@both
def test_who_knows_the_measured_means_is_at_the_ceiling_or_above(made, identifier):
    found = score(ReplaySubject(responses=made(identifier).ideal_responses(1)), made(identifier))
    assert 0.95 < found.value < 1.3
    assert found.raw.quantity == ("log likelihood" if "delta" in identifier else "correlation")


@both
def test_the_base_of_surprisal_does_not_matter_and_is_noted(made, words, identifier):
    benchmark = made(identifier)
    one = score(subject(rarity(words), benchmark.stimuli()), benchmark)
    spec = SurprisalSpec(base="nats")
    other = score(subject(rarity(words) * np.log(2), benchmark.stimuli(), spec), benchmark)
    assert other.value == pytest.approx(one.value, rel=1e-9)
    assert any('"base": "nats"' in note for note in other.notes)


@both
def test_first_words_of_stories_may_lack_a_number_and_nothing_else_changes(made, words, identifier):
    benchmark = made(identifier)
    values = rarity(words)
    first = (words["position"] == 1).to_numpy()
    lacking = score(subject(np.where(first, np.nan, values), benchmark.stimuli()), benchmark)
    assert lacking.value == score(subject(values, benchmark.stimuli()), benchmark).value
    assert "the subject has no number for 10 of 10256 words" in lacking.notes
    second = (words["position"] == 2).to_numpy()
    with pytest.raises(AssemblyError, match="not finite for 10 of 9776 words"):
        score(subject(np.where(second, np.nan, values), benchmark.stimuli()), benchmark)


@both
@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_the_order_of_stories_does_not_matter(made, words, identifier, seed):
    benchmark = made(identifier)
    subject_ = subject(rarity(words), benchmark.stimuli())
    one = score(subject_, benchmark).value
    stories = np.random.default_rng(seed).permutation(words["story"].unique())
    ids = [i for s in stories for i in words.index[words["story"] == s]]
    turned = replace(benchmark)
    turned.__dict__["_stimuli"] = benchmark.stimuli().select(ids)
    order = np.random.default_rng(seed).permutation(benchmark._times.size)
    turned.__dict__["_times"] = benchmark._times.isel(presentation=order)
    assert score(subject_, turned).value == pytest.approx(one, rel=1e-9)


@both
def test_a_shift_gives_each_reading_time_to_the_next_word(made, words, identifier):
    """All words are read; ten of them, the first of the stories, have no reading time."""
    benchmark = made(identifier, shift=1)
    ideal = ReplaySubject(responses=benchmark.ideal_responses(1))
    assert 0.95 < score(ideal, benchmark).value < 1.4
    found = score(subject(rarity(words), benchmark.stimuli()), benchmark)
    assert "10 words are read, but have no reading time to compare with" in found.notes
    if "pearsonr" in identifier:
        rows = np.flatnonzero((words["word_within_sentence_id"] != 1) & (words["position"] > 1))
        r = pearsonr(rarity(words)[rows], words["mean_ms"].to_numpy()[rows - 1])[0]
        assert found.raw.value == pytest.approx(r, abs=1e-12)


def test_intervals_draw_stories_with_their_ceiling(mirror, words):
    benchmark = registry.benchmarks.create("NaturalStories-pearsonr")
    found = score(subject(rarity(words), benchmark.stimuli()), benchmark)
    assert found.interval.scope == "stories" and "jointly" in found.interval.method
    assert found.raw.replicates[0].sizes == (10,)
    unnamed = registry.benchmarks.create("NaturalStories-pearsonr", shared_options={})
    other = score(subject(rarity(words), unnamed.stimuli()), unnamed)
    assert other.value == found.value and other.interval == found.interval


@both
def test_subjects_without_surprisal_are_not_applicable_before_any_compute(mirror, identifier):
    class Never:
        def units(self, layer):
            raise AssertionError("it was asked")

        def __call__(self, stimuli, wanted):
            raise AssertionError("it was asked")

    deaf = LayerCommitment(identifier="deaf", extractor=Never(), layers={"*": "x"})
    assert score(deaf, identifier).status == "not-applicable"
