"""Tuckute2024 on files of the archive's form, against scikit-learn and numpy alone."""

import numpy as np
import pytest
from plugins.benchmarks.tuckute2024.tests.tuckute2024_files import write
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import ShuffleSplit

import corteval
from corteval import registry
from corteval.errors import UndefinedScore, UnknownIdentifier
from corteval.reading import passages
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, shuffled
from corteval_brainscore.imitation import imitated

FORMS = ("ridge", "linear")
forms = pytest.mark.parametrize("form", FORMS)
ALPHAS = [10.0**p for p in range(-3, 4)]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(archive)


@forms
def test_scores_are_those_of_scikit_learn(written, form):
    """Ten splits of nine tenths in the order of the file, spec metrics, Language 2.1."""
    model = written.model()
    x, y, r = model.responses.values, written.values, []
    for train, test in ShuffleSplit(10, train_size=0.9, random_state=1).split(x):
        fit = RidgeCV(alphas=ALPHAS) if form == "ridge" else LinearRegression()
        r.append(np.corrcoef(fit.fit(x[train], y[train]).predict(x[test]), y[test])[0, 1])
    score = corteval.score(model, f"Tuckute2024-{form}")
    assert score.value == score.raw.value == pytest.approx(np.mean(r), abs=1e-9)
    assert score.ceiling is None
    assert any("no ceiling follows; the authors report" in note for note in score.notes)


@forms
def test_the_true_generator_is_at_the_root_of_reliability_and_shuffled_answers_at_chance(
    written, form
):
    score = corteval.score(written.generator(), f"Tuckute2024-{form}")
    assert score.value == pytest.approx(1 / np.sqrt(2), abs=0.08)
    assert score.interval.low < 1 / np.sqrt(2) < score.interval.high
    lost = [
        corteval.score(shuffled(written.generator(), seed), f"Tuckute2024-{form}").value
        for seed in range(4)
    ]
    assert np.mean(lost) < 0.1


@forms
def test_a_subject_that_says_the_same_of_every_sentence_has_no_score(written, form):
    constant = written.replay(np.ones((len(written.ids), 3)))
    assert corteval.score(constant, f"Tuckute2024-{form}").status == "undefined"
    once = np.zeros((len(written.ids), 1))
    once[0] = 1  # of all other sentences the mean is predicted
    assert abs(corteval.score(written.replay(once), f"Tuckute2024-{form}").value) < 0.05


@forms
def test_who_records_no_language_is_told_before_any_file_is_asked_for(archive, form):
    write(archive)
    made = registry.benchmarks.create(f"Tuckute2024-{form}")
    assert made.requests() == (Recording("language_system"),)
    assert len(made.card.summary) <= 100
    assert {"sentence-features", "{model}-untrained"} <= set(made.card.controls)
    score = corteval.score(RefusingSubject(), made)
    assert (score.status, archive.requests) == ("not-applicable", [])


def test_each_sentence_is_read_on_its_own(written):
    read = passages(registry.benchmarks.create("Tuckute2024-ridge").stimuli())
    assert [p.text for p in read] == list(written.text)
    assert all(len(p.stimulus_ids) == 1 for p in read)


@pytest.mark.parametrize("metric", ["rdm", "cka"])
def test_comparisons_of_patterns_are_not_offered_and_an_rdm_is_refused(written, metric):
    with pytest.raises(UnknownIdentifier, match="Tuckute2024-"):
        registry.benchmarks.create(f"Tuckute2024-{metric}")
    target = registry.data.create("brainscore/Tuckute2024.language").assembly()
    if metric == "rdm":
        with pytest.raises(UndefinedScore, match="target"):
            registry.metrics.create("rdm")(written.model().responses, target)


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    written = write(archive, sentences=1000)
    model = written.model(units=768)
    for form in FORMS:
        assert corteval.score(model, f"Tuckute2024-{form}").interval is not None
    assert corteval.score(model, "Tuckute2024-ridge").samples.shape == (10, 1)
