"""Default intervals and paired tests on synthetic data whose truth is known."""

import numpy as np
import pytest

import corteval.stats.resampling
from corteval.assembly import neural, responses_matrix
from corteval.score import normalize
from corteval.stats.paired import compare, sign_flip_test
from corteval.stats.resampling import draw_counts
from corteval_ceilings.internal_consistency import InternalConsistency
from corteval_regression.metric import ridge

RESAMPLES = 500


def recording(seed, *, stimuli=150, features=20, neuroids=40, trials=6, noise=1.5, subjects=0):
    """Trials of neuroids that mix latent features, and two models that know these equally well."""
    rng = np.random.default_rng([seed, stimuli, neuroids, subjects])
    latent = rng.standard_normal((stimuli, features))
    of_neuroid = np.arange(neuroids) * max(subjects, 1) // neuroids
    gain = np.exp(0.3 * rng.standard_normal(neuroids))
    if subjects:  # subjects differ in how well they can be predicted
        gain *= np.exp(0.5 * rng.standard_normal(subjects))[of_neuroid]
    signal = latent @ rng.standard_normal((features, neuroids)) / np.sqrt(features) * gain
    values = signal[:, :, None] + noise * rng.standard_normal((stimuli, neuroids, trials))
    ids = [f"stimulus-{i:03d}" for i in range(stimuli)]
    names = {"neuroid_id": [f"neuroid-{i:02d}" for i in range(neuroids)]}
    if subjects:
        names["subject"] = [f"subject-{s}" for s in of_neuroid]
    units = {"neuroid_id": [f"unit-{i:02d}" for i in range(features)]}
    models = [neural(latent + rng.standard_normal(latent.shape), ids, units) for _ in range(2)]
    return models, neural(values, ids, names)


@pytest.fixture
def drawn_once(monkeypatch):
    """Draws follow from ids and seed, which all rounds share: a seventh of the time goes there."""
    known = {}

    def counts(ids, resamples, seed):
        key = tuple(ids), resamples, tuple(seed)
        if key not in known:
            known[key] = draw_counts(ids, resamples, seed)
        return known[key].copy()

    monkeypatch.setattr(corteval.stats.resampling, "draw_counts", counts)


def pairs_of_scores(count, **generator):
    found = []
    for seed in range(count):
        models, trials = recording(seed, **generator)
        ceiling = InternalConsistency(resamples=RESAMPLES)(trials)
        metric, target = ridge(resamples=RESAMPLES), responses_matrix(trials)
        found.append([normalize(metric(model, target), ceiling) for model in models])
    return found


GENERATORS = {
    "stimuli×neuroids": {"count": 600},
    "stimuli×neuroids, few": {"count": 600, "stimuli": 80, "neuroids": 12},
    "stimuli×subjects": {"count": 600, "subjects": 8},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERATORS)
def test_intervals_cover_and_the_paired_test_errs_as_often_as_they_say(
    name, drawn_once, record_testsuite_property
):
    scores = pairs_of_scores(**GENERATORS[name])
    assert scores[0][0].interval.scope == name.partition(",")[0]
    truth = np.mean([score.value for pair in scores for score in pair])
    covered = [i.low <= truth <= i.high for pair in scores for i in [pair[0].interval]]
    rejected = [compare(*pair).p_value <= 0.05 for pair in scores]
    record_testsuite_property(f"{name}: coverage", np.mean(covered))
    record_testsuite_property(f"{name}: type I error", np.mean(rejected))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)
    if name.endswith("few"):
        # the median of a dozen neuroids varies more over draws than over samples: conservative
        assert np.mean(rejected) <= 0.065
    else:
        assert np.mean(rejected) == pytest.approx(0.05, abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("subjects", [10, 20])
def test_flipping_signs_errs_as_often_as_it_says(subjects):
    rng = np.random.default_rng(subjects)
    rejected = [
        sign_flip_test(rng.standard_normal(subjects), resamples=999, seed=s) <= 0.05
        for s in range(3000)
    ]
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.015)
