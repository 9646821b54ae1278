"""How often intervals of RSA cover and its paired test errs, over new subjects and stimuli."""

import numpy as np
import pytest
from scipy import stats

from corteval.assembly import neural
from corteval.intervals import interval_of
from corteval.stats.paired import compare
from corteval_similarity.metric import RDMSimilarity, cka

ROUNDS, RESAMPLES, STIMULI, UNITS = 200, 300, 40, 15


def among_chance(share, nominal):
    """Whether 999 of 1000 sets of rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], ROUNDS, nominal) / ROUNDS
    return low <= share <= high


def world(seed, subjects):
    """Two models that know stimuli equally well, and subjects, better and worse ones."""
    rng = np.random.default_rng([seed, STIMULI, subjects])
    latent = rng.standard_normal((STIMULI, 5))
    ids = [f"i{n:03d}" for n in range(STIMULI)]
    maps = np.random.default_rng(1).standard_normal((5, 30))
    units = {"neuroid_id": [f"u{n:02d}" for n in range(30)]}
    models = [
        neural(latent @ maps + 2 * rng.standard_normal((STIMULI, 30)), ids, units) for _ in range(2)
    ]
    parts = [
        gain * latent @ rng.standard_normal((5, UNITS)) + rng.normal(0, 1.5, (STIMULI, UNITS))
        for gain in np.exp(0.4 * rng.standard_normal(subjects))
    ]
    names = {
        "neuroid_id": [f"n{n:03d}" for n in range(subjects * UNITS)],
        "subject": np.repeat([f"s{n:02d}" for n in range(subjects)], UNITS),
    }
    return models, neural(np.hstack(parts), ids, names)


def pairs_of_scores(make, subjects):
    found = []
    for seed in range(ROUNDS):
        models, target = world(seed, subjects)
        metric = make(seed)
        found.append([metric(model, target) for model in models])
    return found


def shares(pairs):
    """Of intervals that hold the mean over rounds, and of pairs that are told apart."""
    truth = np.mean([score.value for pair in pairs for score in pair])
    intervals = [interval_of(pair[0].value, pair[0].raw.replicates) for pair in pairs]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    return intervals[0].scope, covered, np.mean([compare(*p).p_value <= 0.05 for p in pairs])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("comparison", "subjects"),
    [("spearman", 8), ("pearson", 8), ("cosine", 8), ("whitened cosine", 8), ("spearman", 5)],
)
def test_intervals_over_subjects_and_stimuli_cover(comparison, subjects, record_testsuite_property):
    pairs = pairs_of_scores(
        lambda seed: RDMSimilarity(
            comparison=comparison, subjects="separate", resamples=RESAMPLES, seed=seed
        ),
        subjects,
    )
    scope, covered, rejected = shares(pairs)
    record_testsuite_property(f"{comparison}, {subjects} subjects: coverage", covered)
    record_testsuite_property(f"{comparison}, {subjects} subjects: type I error", rejected)
    assert scope == "stimuli×subjects"
    assert among_chance(covered, 0.945)
    assert among_chance(rejected, 0.05)


@pytest.mark.slow
def test_with_three_subjects_intervals_are_of_these_and_do_not_hold_others(
    record_testsuite_property,
):
    """Scores then carry the note that they do not generalise to new subjects."""
    pairs = pairs_of_scores(
        lambda seed: RDMSimilarity(subjects="separate", resamples=RESAMPLES, seed=seed), 3
    )
    scope, covered, rejected = shares(pairs)
    record_testsuite_property("spearman, 3 subjects: coverage over new subjects", covered)
    assert scope == "stimuli"
    assert 0.7 <= covered <= 0.9
    assert rejected <= 0.1


@pytest.mark.slow
def test_intervals_of_cka_cover_over_new_stimuli(record_testsuite_property):
    """Of the same neuroids: subject and maps stay."""
    maps = np.random.default_rng(3).standard_normal((5, 40))
    pairs = []
    for seed in range(ROUNDS):
        (model, other), _ = world(seed, 1)
        rng = np.random.default_rng([seed, STIMULI, 1])
        latent = rng.standard_normal((STIMULI, 5))  # the models' own
        values = latent @ maps + 1.5 * np.random.default_rng(seed).standard_normal((STIMULI, 40))
        names = {"neuroid_id": [f"n{n:02d}" for n in range(40)]}
        target = neural(values, [f"i{n:03d}" for n in range(STIMULI)], names)
        metric = cka(resamples=RESAMPLES, seed=seed)
        pairs.append([metric(side, target) for side in (model, other)])
    scope, covered, rejected = shares(pairs)
    record_testsuite_property("cka: coverage", covered)
    record_testsuite_property("cka: type I error", rejected)
    assert scope == "stimuli"
    assert among_chance(covered, 0.94)
    assert among_chance(rejected, 0.05)
