"""Blank2014 on files of the archive's form, against scikit-learn and plain loops."""

from itertools import combinations

import numpy as np
import pytest
from plugins.benchmarks.blank2014.tests.blank2014_files import write
from scipy.optimize import curve_fit
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

EVERY = [f"Blank2014-{form}" for form in (*FITTED, "rdm", "cka", "pnas2021")]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(archive)


@pytest.mark.parametrize("form", FITTED)
def test_raw_scores_are_those_of_scikit_learn(written, form):
    model = written.model()
    x, y = model.responses.values, written.values
    expected = raw_of(form, x, y, written.subject, splits_of(form, y, written.story, 8))
    score = corteval.score(model, quick(f"Blank2014-{form}"))
    assert score.raw.value == pytest.approx(expected, abs=1e-9)
    assert score.value == pytest.approx(expected / score.ceiling.value, abs=1e-9)
    assert score.ceiling.splits == score.raw.splits != ""
    assert ("mean over subjects" in score.ceiling.method) == (form not in POOLED)
    assert ("mean over subjects" in score.raw.method) == (form not in POOLED)
    assert any(note.startswith("legacy: ") for note in score.notes) == ("shuffle" in form)


def test_the_ceiling_is_that_of_the_published_loops(written):
    """Spec metrics, Language 2.5: subsets, held-out people, bootstraps, curves, regions."""
    bootstraps, splits = 5, splits_of("linear-shuffle", written.values, written.story, 8)
    people = sorted(set(written.subject))
    collected = {}
    for size in range(2, len(people) + 1):
        for subset in combinations(people, size):
            for held_out in subset:
                pool = np.isin(written.subject, [s for s in subset if s != held_out])
                own = np.flatnonzero(written.subject == held_out)
                r = correlations(written.values[:, pool], written.values[:, own], splits)
                for region, values in zip(own, r.T, strict=True):
                    collected.setdefault(region, {}).setdefault(size, []).extend(values)

    def curve(x, v0, tau):
        return v0 * (1 - np.exp(-x / tau))

    ceilings = []
    for by_size in collected.values():
        rng, found = np.random.RandomState(0), []
        for _ in range(bootstraps):
            means = [np.mean(rng.choice(c, len(c), replace=True)) for c in by_size.values()]
            bounds = ([0, -np.inf], [1, np.inf])
            found.append(curve_fit(curve, list(by_size), means, bounds=bounds)[0][0])
        ceilings.append(np.median(found))
    options = {"bootstraps": bootstraps, "curves": "published", "kept": False}
    made = quick("Blank2014-linear-shuffle", **options)
    assert made.ceiling().value == pytest.approx(np.median(ceilings), abs=1e-6)
    exact = quick("Blank2014-linear-shuffle", bootstraps=bootstraps).ceiling().value
    assert exact == pytest.approx(np.median(ceilings), abs=1e-3)


def test_the_protocol_of_2021_is_that_of_plain_loops(written):
    """Folds stratified by story; r over the ceiling of each region, then medians."""
    model = written.model()
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    splits = list(folds.split(written.values, written.story))
    r = correlations(model.responses.values, written.values, splits).mean(axis=0)
    options = {"folds": "kfold", "count": 5, "stratify_by": "story", "allow_leaky": True}
    metric = SubjectExtrapolation(cross_validation={**options, "order": "rows"}, resamples=0)
    each = metric.per_neuroid(registry.data.create("Blank2014").assembly())
    named = dict(zip(each["neuroid_id"].values, each["ceiling"].values, strict=True))
    ids = registry.data.create("Blank2014").assembly()["neuroid_id"].values
    shares = r / np.array([named[i] for i in ids])
    medians = [np.median(shares[written.subject == s]) for s in np.unique(written.subject)]
    score = corteval.score(model, "Blank2014-pnas2021")
    assert score.value == pytest.approx(np.median(medians), abs=1e-9)
    deviation = np.median(np.abs(medians - np.median(medians)))
    assert score.raw.error == pytest.approx(deviation * score.ceiling.value, abs=1e-9)


def test_rdms_are_those_of_numpy_person_by_person(written):
    model = written.model()
    expected = rdm_score_of(model.responses.values, written.values, written.subject)
    score = corteval.score(model, quick("Blank2014-rdm"))
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
    score = corteval.score(written.generator(), quick(f"Blank2014-{form}"))
    assert score.raw.value == pytest.approx(1 / np.sqrt(1 + 0.7**2), abs=0.06)
    assert 0.95 < score.value < 1.2


def test_knowing_the_time_pays_off_in_random_splits_only(archive):
    """What parts that follow each other share is predicted from where they stand."""
    written = write(archive, parts=240, drift=2.0, noise=0.5, seed=4)
    time = written.replay(np.eye(written.stretch.max() + 1)[written.stretch])
    raw = {
        form: corteval.score(time, quick(f"Blank2014-{form}")).raw.value
        for form in ("ridge", "ridge-shuffle", "linear-shuffle")
    }
    assert raw["ridge-shuffle"] > 0.6
    assert raw["linear-shuffle"] > 0.6
    assert raw["ridge"] == 0  # of another story it knows nothing, and predicts the mean


@pytest.mark.parametrize("identifier", EVERY)
def test_who_records_no_language_is_told_before_any_file_is_asked_for(archive, identifier):
    made = registry.benchmarks.create(identifier)
    assert made.requests() == (Recording("language_system"),)
    assert len(made.card.summary) <= 100
    assert {"oasm", "word-rate", "{model}-untrained"} <= set(made.card.controls)
    score = corteval.score(RefusingSubject(), made)
    assert (score.status, archive.requests) == ("not-applicable", [])


def test_each_story_is_one_context_in_the_order_of_its_parts(written):
    read = passages(registry.data.create("Blank2014").stimuli())
    assert [p.context_id for p in read] == list(dict.fromkeys(written.story))
    for passage in read:
        rows = np.flatnonzero(written.story == passage.context_id)
        assert list(passage.stimulus_ids) == list(written.ids[rows])
        assert passage.text == " ".join(written.text[rows])


def test_three_ceilings_are_behind_one_interface(written):
    """Extrapolated, halves of people, and signal over noise: the card names one of them."""
    from dataclasses import replace

    made = quick("Blank2014-ridge")
    found = {"subject_extrapolation": made.ceiling()}
    for name in ("subject_halves", "subject_ncsnr"):
        card = replace(made.card, ceiling=name)
        options = {"match_by": "fROI_area", "resamples": 0}
        found[name] = replace(made, card=card, ceiling_options=options).ceiling()
    assert found["subject_extrapolation"].quantity == "correlation"
    assert found["subject_halves"].quantity == found["subject_ncsnr"].quantity == "reliability"
    assert len({estimate.method for estimate in found.values()}) == 3


def test_the_ceiling_is_computed_once(written, monkeypatch, tmp_path):
    from corteval import store
    from corteval_ceilings import subject_extrapolation

    with store.using(store.Store(tmp_path)):
        first = quick("Blank2014-ridge").ceiling()
        monkeypatch.setattr(subject_extrapolation, "collect", None)
        assert quick("Blank2014-ridge").ceiling() == first


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    written = write(archive, parts=1317, regions=12, noise=0.7)
    assert written.values.shape == (pytest.approx(1317, abs=4), 60)
    for form in FITTED:
        score = corteval.score(written.generator(), f"Blank2014-{form}")
        assert score.raw.value == pytest.approx(1 / np.sqrt(1 + 0.7**2), abs=0.03)
        assert 0.95 < score.value < 1.15
        assert score.interval.low < score.value < score.interval.high
