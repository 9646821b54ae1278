"""The noiseless response that made the data, scored against them, reaches every ceiling."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from corteval.assembly import neural
from corteval.score import Estimate, Score, normalize
from corteval.stats.splits import CrossValidation
from corteval_ceilings import (
    HumanHuman,
    InternalConsistency,
    NoiseCeilingSNR,
    PredictorConsistency,
    SubjectExtrapolation,
    bounds,
)
from corteval_ceilings.rdm import compare

STIMULI = 3000


def assembly(values, subjects=None):
    ids = [f"i{n:04d}" for n in range(len(values))]
    neuroids = {"neuroid_id": [f"n{n:04d}" for n in range(values.shape[1])]}
    return neural(values, ids, neuroids | ({} if subjects is None else {"subject": subjects}))


def normalised(value, ceiling, quantity="correlation", splits=""):
    raw = Estimate(value=value, quantity=quantity, splits=splits)
    return normalize(Score(value=value, raw=raw), ceiling).value


def correlations(x, y):
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(x.T, y.T, strict=True)])


@pytest.mark.parametrize("noise", [0.5, 2.0, 4.0])
@pytest.mark.parametrize(
    "ceiling",
    [
        InternalConsistency(resamples=0, splits=20),
        PredictorConsistency(resamples=0, splits=20),
        NoiseCeilingSNR(resamples=0),
        NoiseCeilingSNR(resamples=0, root=True),
    ],
    ids=["internal_consistency", "predictor_consistency", "ncsnr", "ncsnr-sqrt"],
)
def test_trial_ceilings_are_reached_by_correlation_with_the_mean_response(ceiling, noise):
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((STIMULI, 15))
    trials = signal[:, :, None] + noise * rng.standard_normal((STIMULI, 15, 8))
    r = np.median(correlations(signal, trials.mean(axis=2)))
    assert normalised(r, ceiling(assembly(trials))) == pytest.approx(1, abs=0.02)


def test_the_noise_ceiling_of_unequal_trials_is_reached():
    rng = np.random.default_rng(1)
    signal = rng.standard_normal((STIMULI, 15))
    trials = signal[:, :, None] + 1.5 * rng.standard_normal((STIMULI, 15, 3))
    trials[:800, :, 1:], trials[800:2000, :, 2] = np.nan, np.nan
    r = np.median(correlations(signal, np.nanmean(trials, axis=2)))
    found = NoiseCeilingSNR(resamples=0)(assembly(trials))
    assert normalised(r, found) == pytest.approx(1, abs=0.02)


def test_dividing_the_square_by_the_root_is_a_mistake_that_only_its_name_allows():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((STIMULI, 15))
    trials = signal[:, :, None] + 2 * rng.standard_normal((STIMULI, 15, 4))
    r = np.median(correlations(signal, trials.mean(axis=2)))
    reliability = NoiseCeilingSNR(resamples=0)(assembly(trials))
    score = Score(value=r, raw=Estimate(value=r, quantity="correlation"))
    mistaken = normalize(score, reliability, normalization="r^2/sqrt(c)").value
    assert mistaken == pytest.approx(np.sqrt(0.5), abs=0.02)


@pytest.mark.parametrize("comparison", ["spearman", "pearson", "kendall", "cosine"])
@pytest.mark.parametrize("pooling", ["mean", "matched"])
@pytest.mark.parametrize("bound", ["upper", "lower"])
def test_rsa_bounds_of_many_subjects_are_reached_by_the_true_rdm(bound, pooling, comparison):
    rng = np.random.default_rng(0)
    true = 1 + rng.random(40 * 39 // 2)
    rdms = true + 0.3 * rng.standard_normal((60, len(true)))
    score = compare(np.broadcast_to(true, rdms.shape), rdms, comparison).mean()
    lower, upper = bounds(rdms, comparison=comparison, pooling=pooling).mean(axis=1)
    ceiling = Estimate(value=upper if bound == "upper" else lower, quantity="correlation")
    assert normalised(score, ceiling) == pytest.approx(1, abs=0.02)


def test_agreement_with_many_others_is_reached_by_the_noiseless_response():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(STIMULI)
    values = signal[:, None] + 1.5 * rng.standard_normal((STIMULI, 100))
    found = HumanHuman(resamples=0)(assembly(values, [f"s{n:02d}" for n in range(100)]))
    r = np.mean([np.corrcoef(signal, y)[0, 1] for y in values.T])
    assert normalised(r, found) == pytest.approx(1, abs=0.02)


def test_agreement_of_pairs_is_reached_by_one_more_subject_and_exceeded_without_noise():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(STIMULI)
    values = signal[:, None] + rng.standard_normal((STIMULI, 41))
    found = HumanHuman(scheme="pairs", resamples=0)(
        assembly(values[:, 1:], [f"s{n:02d}" for n in range(40)])
    )
    another, noiseless = (
        np.mean([np.corrcoef(x, y)[0, 1] for y in values[:, 1:].T]) for x in (values[:, 0], signal)
    )
    assert normalised(another, found) == pytest.approx(1, abs=0.04)
    assert normalised(noiseless, found) == pytest.approx(np.sqrt(2), abs=0.04)


def test_extrapolation_to_many_subjects_is_reached_by_the_factors_that_all_share():
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((1500, 4))
    values = factors @ rng.standard_normal((4, 72)) + 0.5 * rng.standard_normal((1500, 72))
    whole = assembly(values, np.repeat([f"s{n}" for n in range(6)], 12))
    found = SubjectExtrapolation(resamples=0)(whole)
    r = []
    for train, test in CrossValidation().over(whole):
        predicted = LinearRegression().fit(factors[train], values[train]).predict(factors[test])
        r.append(np.median(correlations(predicted, values[test])))
    assert normalised(np.mean(r), found, splits=found.splits) == pytest.approx(1, abs=0.02)
