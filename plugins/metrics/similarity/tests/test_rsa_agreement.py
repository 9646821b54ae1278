"""Scores, errors and paired tests over subjects against rsatoolbox's inference on the same RDMs."""

import numpy as np
import pytest
import xarray as xr
from rsatoolbox.inference import eval_bootstrap_pattern, eval_bootstrap_rdm, eval_dual_bootstrap
from rsatoolbox.inference import eval_fixed as evaluated
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs
from scipy import stats
from scipy.spatial.distance import squareform

from corteval.intervals import corrected_replicates, degrees_of_freedom, student_over_normal
from corteval.stats.paired import compare
from corteval_similarity import correlation_rdm
from corteval_similarity.metric import RDMSimilarity

SUBJECTS, STIMULI = 9, 40
PEER = {
    "spearman": "spearman",
    "pearson": "corr",
    "kendall": "tau-a",
    "cosine": "cosine",
    "whitened cosine": "cosine_cov",
}


def assembly(vectors):
    square = np.stack([squareform(v) for v in np.atleast_2d(vectors)])
    ids = [f"i{n:03d}" for n in range(square.shape[1])]
    return xr.DataArray(
        square,
        dims=["subject", "presentation", "presentation_2"],
        coords={
            "subject": [f"s{n:02d}" for n in range(len(square))],
            "stimulus_id": ("presentation", ids),
            "stimulus_id_2": ("presentation_2", ids),
        },
    )


@pytest.fixture(scope="module")
def rdms():
    """RDMs (pair) of two models, and of subjects that share what stimuli are like."""
    rng = np.random.default_rng(4)
    latent = rng.standard_normal((STIMULI, 5))

    def of(noise, units=25):
        mixed = latent @ rng.standard_normal((5, units))
        return correlation_rdm(mixed + noise * rng.standard_normal((STIMULI, units)))

    return np.stack([of(1.0), of(3.0)]), np.stack([of(rng.uniform(1, 5)) for _ in range(SUBJECTS)])


def ours(rdms, comparison, resamples=0):
    models, subjects = rdms
    metric = RDMSimilarity(comparison=comparison, resamples=resamples)
    return [metric(assembly(model), assembly(subjects)) for model in models]


def theirs(rdms, evaluate, comparison, **options):
    models, subjects = rdms
    np.random.seed(3)  # noqa: NPY002 rsatoolbox draws from the global generator
    fixed = [ModelFixed(name, RDMs(m[None])) for name, m in zip("ab", models, strict=True)]
    return evaluate(fixed, RDMs(subjects), method=PEER[comparison], **options)


def error_of(estimate):
    replicated = estimate.replicates
    stretch = student_over_normal(0.025, degrees_of_freedom(replicated))
    return corrected_replicates(estimate.value, replicated).std() / stretch


@pytest.mark.parametrize("comparison", PEER)
def test_scores_are_the_evaluations_of_rsatoolbox(rdms, comparison):
    result = theirs(rdms, evaluated, comparison)
    scores = ours(rdms, comparison)
    assert [s.value for s in scores] == pytest.approx(result.get_means().tolist(), abs=1e-6)
    for score, row in zip(scores, result.evaluations[0], strict=True):
        np.testing.assert_allclose(score.samples.values, row, atol=1e-6)


@pytest.mark.parametrize("comparison", PEER)
def test_errors_over_subjects_are_those_of_rsatoolbox_up_to_the_draws(rdms, comparison):
    """Without draws it takes the standard error over subjects, which ours tends to."""
    scores = ours(rdms, comparison, resamples=20_000)
    result = theirs(rdms, evaluated, comparison)
    for score, error in zip(scores, result.get_sem(), strict=True):
        (of_subjects,) = (r for r in score.raw.replicates if r.scope == "subjects")
        corrected = np.std(of_subjects.values) * np.sqrt(SUBJECTS / (SUBJECTS - 1))
        assert corrected == pytest.approx(stats.sem(score.samples.values), rel=0.02)
        assert corrected == pytest.approx(error, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("comparison", ["pearson", "cosine"])
def test_errors_over_stimuli_and_over_both_are_near_those_of_rsatoolbox(
    rdms, comparison, record_testsuite_property
):
    """Near: it draws stimuli and drops pairs of copies, ours move to first order."""
    scores = ours(rdms, comparison, resamples=4000)
    over_rdms = theirs(rdms, eval_bootstrap_rdm, comparison, N=300)
    over_patterns = theirs(rdms, eval_bootstrap_pattern, comparison, N=300)
    over_both = theirs(rdms, eval_dual_bootstrap, comparison, N=150)
    for number, score in enumerate(scores):
        by_scope = {r.scope: r for r in score.raw.replicates}
        for scope, factor, result in (
            ("subjects", SUBJECTS, over_rdms),
            ("stimuli", STIMULI, over_patterns),
        ):
            error = np.std(by_scope[scope].values) * np.sqrt(factor / (factor - 1))
            ratio = error / result.get_sem()[number]
            record_testsuite_property(f"{comparison} over {scope}, ours to rsatoolbox's", ratio)
            assert ratio == pytest.approx(1, abs=0.2 if scope == "subjects" else 0.3)
        ratio = error_of(score.raw) / over_both.get_sem()[number]
        record_testsuite_property(f"{comparison} over both, ours to rsatoolbox's", ratio)
        assert ratio == pytest.approx(1, abs=0.3)


@pytest.mark.slow
def test_paired_tests_decide_as_rsatoolboxs_t_test_over_both_factors(rdms):
    first, second = ours(rdms, "pearson", resamples=4000)
    p_value = theirs(rdms, eval_dual_bootstrap, "pearson", N=100).test_pairwise()[0, 1]
    assert compare(first, second).p_value <= 0.001
    assert p_value <= 0.005
