"""Fedorenko2016 on files of the archive's form, against scikit-learn and numpy alone."""

import numpy as np
import pytest
from plugins.benchmarks.fedorenko2016.tests.fedorenko2016_files import write
from sklearn.model_selection import StratifiedKFold
from tests.language_recordings import (
    FITTED,
    POOLED,
    correlations,
    quick,
    raw_of,
    rdm_score_of,
    splits_of,
)

import corteval
from corteval import registry
from corteval.reading import passages
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, shuffled
from corteval_brainscore.imitation import imitated
from corteval_ceilings import SubjectExtrapolation

EVERY = [f"Fedorenko2016-{form}" for form in (*FITTED, "rdm", "cka", "pnas2021")]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(archive)


@pytest.mark.parametrize("form", FITTED)
def test_raw_scores_are_those_of_scikit_learn(written, form):
    model = written.model()
    x, y = model.responses.values, written.values
    expected = raw_of(form, x, y, written.subject, splits_of(form, y, written.sentence, 10))
    score = corteval.score(model, quick(f"Fedorenko2016-{form}"))
    assert score.raw.value == pytest.approx(expected, abs=1e-9)
    assert score.value == pytest.approx(expected / score.ceiling.value, abs=1e-9)
    assert score.ceiling.splits == score.raw.splits != ""
    assert ("mean over subjects" in score.ceiling.method) == (form not in POOLED)
    assert ("mean over subjects" in score.raw.method) == (form not in POOLED)
    assert any(note.startswith("legacy: ") for note in score.notes) == ("shuffle" in form)


def test_the_protocol_of_2021_is_that_of_plain_loops(written):
    """Folds stratified by sentence; r over the ceiling of each electrode, then medians."""
    model = written.model()
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    splits = list(folds.split(written.values, written.sentence))
    r = correlations(model.responses.values, written.values, splits).mean(axis=0)
    options = {"folds": "kfold", "count": 5, "stratify_by": "sentence_id", "allow_leaky": True}
    metric = SubjectExtrapolation(cross_validation={**options, "order": "rows"}, resamples=0)
    each = metric.per_neuroid(registry.data.create("Fedorenko2016").assembly())
    named = dict(zip(each["neuroid_id"].values, each["ceiling"].values, strict=True))
    ids = registry.data.create("Fedorenko2016").assembly()["neuroid_id"].values
    shares = r / np.array([named[i] for i in ids])
    medians = [np.median(shares[written.subject == s]) for s in np.unique(written.subject)]
    score = corteval.score(model, "Fedorenko2016-pnas2021")
    assert score.value == pytest.approx(np.median(medians), abs=1e-9)
    deviation = np.median(np.abs(medians - np.median(medians)))
    assert score.raw.error == pytest.approx(deviation * score.ceiling.value, abs=1e-9)


def test_rdms_are_those_of_numpy_person_by_person(written):
    model = written.model()
    expected = rdm_score_of(model.responses.values, written.values, written.subject)
    score = corteval.score(model, quick("Fedorenko2016-rdm"))
    assert score.raw.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("identifier", EVERY)
def test_shuffled_answers_are_at_chance(written, identifier):
    values = [
        corteval.score(shuffled(written.generator(), seed), quick(identifier)).value
        for seed in range(3)
    ]
    assert np.mean(values) < 0.15


@pytest.mark.parametrize("form", FITTED)
def test_the_true_generator_is_at_the_ceiling(written, form):
    score = corteval.score(written.generator(), quick(f"Fedorenko2016-{form}"))
    assert score.raw.value == pytest.approx(1 / np.sqrt(1 + 0.7**2), abs=0.06)
    assert 0.95 < score.value < 1.2


def test_knowing_the_sentence_pays_off_in_random_splits_only(archive):
    """What words of a sentence share is predicted from its number."""
    written = write(archive, shared=2.0, noise=0.5, seed=4)
    place = written.replay(np.eye(written.sentence.max() + 1)[written.sentence])
    raw = {
        form: corteval.score(place, quick(f"Fedorenko2016-{form}")).raw.value
        for form in ("ridge", "ridge-shuffle", "linear-shuffle")
    }
    assert raw["ridge-shuffle"] > 0.6
    assert raw["linear-shuffle"] > 0.6
    assert raw["ridge"] == 0  # of another sentence it knows nothing, and predicts the mean


@pytest.mark.parametrize("identifier", EVERY)
def test_who_records_no_language_is_told_before_any_file_is_asked_for(archive, identifier):
    made = registry.benchmarks.create(identifier)
    assert made.requests() == (Recording("language_system"),)
    assert len(made.card.summary) <= 100
    assert {"oasm", "word-position", "{model}-untrained"} <= set(made.card.controls)
    score = corteval.score(RefusingSubject(), made)
    assert (score.status, archive.requests) == ("not-applicable", [])


def test_each_sentence_is_read_word_by_word_on_its_own(written):
    read = passages(registry.data.create("Fedorenko2016").stimuli())
    assert len(read) == len(np.unique(written.sentence))
    for passage in read:
        rows = np.flatnonzero(written.sentence == int(passage.context_id))
        assert list(passage.stimulus_ids) == list(written.ids[rows])
        assert passage.text == " ".join(written.text[rows])


def test_numbers_of_sentences_keep_their_order_as_groups(written):
    """As text, 10 would come before 2, and published folds would be others."""
    group = registry.data.create("Fedorenko2016").assembly()["group"].values
    assert list(np.unique(group)) == [f"{n:02d}" for n in range(1, 27)]
    assert [int(g) for g in group] == list(written.sentence)


def test_sentences_that_have_names_are_groups_by_name(archive):
    written = write(archive, text=True)
    group = registry.data.create("Fedorenko2016").assembly()["group"].values
    assert list(group) == [f"S{n}" for n in written.sentence]


def test_any_metric_is_refused_random_splits_of_words(written):
    """The coordinate group tells them, whether or not a card names it."""
    from corteval.errors import OptionError

    target = registry.data.create("Fedorenko2016").assembly()
    source = written.model().responses
    with pytest.raises(OptionError, match="allow_leaky"):
        registry.metrics.create("ridge", cross_validation={"folds": "shuffle"})(source, target)
    assert not registry.metrics.create("ridge", resamples=0)(source, target).notes


def test_the_ceiling_is_computed_once(written, monkeypatch, tmp_path):
    from corteval import store
    from corteval_ceilings import subject_extrapolation

    with store.using(store.Store(tmp_path)):
        first = quick("Fedorenko2016-ridge").ceiling()
        monkeypatch.setattr(subject_extrapolation, "collect", None)
        assert quick("Fedorenko2016-ridge").ceiling() == first


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    people = {"47": 20, "8": 19, "9": 20, "15": 19, "18": 19}
    written = write(archive, sentences=52, electrodes=people, noise=0.7)
    assert written.values.shape == (416, 97)
    for form in FITTED:
        score = corteval.score(written.generator(), f"Fedorenko2016-{form}")
        assert score.raw.value == pytest.approx(1 / np.sqrt(1 + 0.7**2), abs=0.05)
        assert 0.95 < score.value < 1.15
        assert score.interval.low < score.value < score.interval.high
