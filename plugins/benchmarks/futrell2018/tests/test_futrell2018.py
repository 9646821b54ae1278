"""Futrell2018 on files of the archive's form, against scikit-learn and numpy alone."""

import warnings

import numpy as np
import pytest
from plugins.benchmarks.futrell2018.tests.futrell2018_files import write
from scipy.optimize import OptimizeWarning, curve_fit
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import StratifiedKFold

import corteval
from corteval import registry
from corteval.errors import AssemblyError
from corteval.reading import passages
from corteval.requests import ReadingTime, Recording
from corteval.testing.subjects import RefusingSubject, shuffled
from corteval_brainscore.imitation import imitated

EVERY = ("Futrell2018-pearsonr", "Futrell2018-pearsonr-legacy", "Futrell2018-pnas2021")
CORRELATED = pytest.mark.parametrize("identifier", EVERY[:2])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(archive)


@pytest.fixture
def small(archive):
    """Few readers, for loops over all of them."""
    return write(archive, stories=3, sentences=6, readers=8, missing=0.34)


def quick(identifier):
    if identifier.endswith("pnas2021"):
        return registry.benchmarks.create(identifier)
    few = {"resamples": 0}
    return registry.benchmarks.create(identifier, metric_options=few, ceiling_options=few)


def reliability(times):
    """Spec metrics, Language 2.4: RandomState(0), ten halvings of readers, median."""
    rng, found, readers = np.random.RandomState(0), [], times.shape[1]
    for _ in range(10):
        first = rng.choice(readers, readers // 2, replace=False)
        second = np.setdiff1d(np.arange(readers), first)
        a, b = np.nanmean(times[:, first], axis=1), np.nanmean(times[:, second], axis=1)
        both = ~np.isnan(a) & ~np.isnan(b)
        r = np.corrcoef(a[both], b[both])[0, 1]
        found.append(2 * r / (1 + r))
    return np.median(found)


def readers_in_order(written):
    """Times with readers in the order of their names, as the published program has them."""
    assembly = registry.data.create("brainscore/Futrell2018").assembly()
    return written.times[:, np.argsort(assembly["subject"].values.astype(str))]


def test_scores_are_those_of_numpy(written):
    """First words are left out on both sides; the target is the mean over those who read them."""
    rng = np.random.default_rng(5)
    surprisal = written.cause + rng.standard_normal(len(written.cause))
    surprisal[written.place == 1] = np.nan  # as of models without a token for the beginning
    subject, kept = written.expecting(surprisal), written.place != 1
    r = np.corrcoef(surprisal[kept], np.nanmean(written.times[kept], axis=1))[0, 1]
    c = reliability(readers_in_order(written)[kept])
    score = corteval.score(subject, quick("Futrell2018-pearsonr"))
    assert score.raw.value == pytest.approx(r, abs=1e-9)
    assert score.ceiling.value == pytest.approx(c, abs=1e-9)
    assert score.value == pytest.approx(r**2 / c, abs=1e-9)
    legacy = corteval.score(subject, quick("Futrell2018-pearsonr-legacy"))
    assert legacy.value == pytest.approx(r / c, abs=1e-9)
    assert any("conventions of surprisal" in note for note in score.notes)


def test_the_sign_counts_except_in_the_published_form(written):
    wrong = written.expecting(-written.cause)
    assert corteval.score(wrong, quick("Futrell2018-pearsonr")).value < -0.9
    assert corteval.score(wrong, quick("Futrell2018-pearsonr-legacy")).value > 0.9


def test_the_true_generator_is_at_the_ceiling(written):
    score = corteval.score(written.expecting(written.cause), "Futrell2018-pearsonr")
    assert score.interval.low < 1 < score.interval.high
    assert score.value == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("identifier", EVERY)
def test_shuffled_answers_are_at_chance(written, identifier):
    neural = identifier.endswith("pnas2021")
    subject = written.units(written.cause[:, None]) if neural else written.expecting(written.cause)
    found = [corteval.score(shuffled(subject, s), quick(identifier)).value for s in range(4)]
    assert np.mean(found) < 0.15


def test_the_protocol_of_2021_is_that_of_scikit_learn(small):
    rng = np.random.default_rng(5)
    x = np.column_stack([small.cause, rng.standard_normal((len(small.cause), 4))])

    def fitted(x, y, sentence):
        r = []
        for train, test in StratifiedKFold(5, shuffle=True, random_state=1).split(x, sentence):
            predicted = LinearRegression().fit(x[train], y[train]).predict(x[test])
            r.append(np.corrcoef(predicted, y[test])[0, 1])
        return np.mean(r)

    each = []
    for own in small.times.T:
        read = ~np.isnan(own)
        each.append(fitted(x[read], own[read], small.sentence[read]))
    rng, sizes, medians = np.random.RandomState(0), [2, 7], []
    for size in sizes:
        scores = []
        for _ in range(5):
            subset = rng.choice(8, size, replace=False)
            for _ in range(3):
                order = rng.permutation(subset)
                first, second = order[: size // 2], order[size // 2 :]
                a, b = (_mean(small.times[:, part]) for part in (first, second))
                both = ~np.isnan(a) & ~np.isnan(b)
                scores.append(fitted(b[both][:, None], a[both], small.sentence[both]))
        medians.append(np.median(scores))

    def curve(n, v0, tau):
        return v0 * (1 - np.exp(-n / tau))

    with warnings.catch_warnings():  # two points leave no covariance
        warnings.simplefilter("ignore", OptimizeWarning)
        ceiling = curve_fit(curve, sizes, medians, bounds=([0, 1e-9], [1, np.inf]))[0][0]
    score = corteval.score(small.units(x), "Futrell2018-pnas2021")
    assert score.raw.value == pytest.approx(np.median(each), abs=1e-9)
    assert score.ceiling.value == pytest.approx(ceiling, abs=1e-4)
    assert score.value == pytest.approx(score.raw.value / score.ceiling.value, abs=1e-9)


def _mean(times):
    count = (~np.isnan(times)).sum(axis=1)
    return np.where(count > 0, np.nansum(times, axis=1) / np.maximum(count, 1), np.nan)


def test_each_story_is_one_context_in_the_order_of_its_words(written):
    read = passages(registry.benchmarks.create("Futrell2018-pearsonr").stimuli())
    assert [p.context_id for p in read] == ["1", "2", "3", "4"]
    for passage in read:
        rows = np.flatnonzero(written.story == int(passage.context_id))
        assert list(passage.stimulus_ids) == list(written.ids[rows])
        assert passage.text == " ".join(written.words[rows])


@CORRELATED
def test_the_order_of_answers_does_not_matter(written, identifier):
    from dataclasses import replace

    subject = written.expecting(written.cause)
    order = np.random.default_rng(0).permutation(len(written.ids))
    moved = replace(subject, responses=subject.responses.isel(presentation=order))
    first, second = (corteval.score(s, quick(identifier)).value for s in (subject, moved))
    assert second == pytest.approx(first, abs=1e-12)


@pytest.mark.parametrize("identifier", EVERY)
def test_who_cannot_answer_is_told_before_any_file_is_asked_for(archive, identifier):
    write(archive)
    made = registry.benchmarks.create(identifier)
    neural = identifier.endswith("pnas2021")
    assert made.requests() == ((Recording("language_system") if neural else ReadingTime()),)
    assert len(made.card.summary) <= 100
    assert {"sentence-length", "word-frequency", "{model}-untrained"} <= set(made.card.controls)
    assert any("shifted by one word" in note for note in made.notes)
    score = corteval.score(RefusingSubject(), made)
    assert (score.status, archive.requests) == ("not-applicable", [])


def test_the_extrapolated_ceiling_is_computed_once(small, monkeypatch, tmp_path):
    from corteval import store
    from corteval_futrell2018 import pnas2021

    with store.using(store.Store(tmp_path)):
        first = registry.benchmarks.create("Futrell2018-pnas2021").ceiling()
        monkeypatch.setattr(pnas2021, "fit_saturation", None)
        assert registry.benchmarks.create("Futrell2018-pnas2021").ceiling() == first


def test_reading_times_of_another_form_are_refused(archive):
    write(archive)
    data = registry.data.create("brainscore/Futrell2018").assembly()
    from corteval_futrell2018.benchmark import times_of

    class Given:
        def __init__(self, assembly):
            self.assembly = lambda: assembly

    with pytest.raises(AssemblyError, match="found dims presentation"):
        times_of(Given(data.isel(subject=0)), "mine")
    with pytest.raises(AssemblyError, match="without sentence_id"):
        times_of(Given(data.drop_vars("sentence_id")), "mine")


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    written = write(
        archive, stories=10, sentences=48, length=20, readers=180, noise=4.0, missing=0.5
    )
    assert written.times.shape == (pytest.approx(10256, rel=0.02), 180)
    score = corteval.score(written.expecting(written.cause), "Futrell2018-pearsonr")
    assert score.value == pytest.approx(1, abs=0.02)
    assert score.interval.low < score.value < score.interval.high
