"""Scores and noise ceilings against numbers of rsatoolbox, scipy and plain arrays."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

import corteval
from corteval import registry
from corteval.assembly import neural, responses_with_rdm
from corteval.errors import UndefinedScore
from corteval.model import LayerCommitment
from corteval.stats.paired import compare
from corteval.testing.subjects import ReplaySubject, shuffled

pytestmark = pytest.mark.usefixtures("mirror")

#: Data sets by their names in the reference, and names of comparisons there.
SETS = {"humanIT": "hIT_4subj_session_mean", "behaviour": "behaviour_16subj"}
COMPARISONS = {"rdm": "spearman", "rdm-pearson": "corr", "rdm-kendall": "tau-a"}
BOUNDED = [(name, metric) for name in SETS for metric in COMPARISONS]
MODELS = ("monkeyIT", "EVA", "HMAX", "V1", "Silhouette", "RADON")
CATEGORICAL = ("animacy", "FaceBodyManmadeNatobj")


def create(identifier, **options):
    return registry.benchmarks.create(f"Kriegeskorte2008.{identifier}", **options)


def pairs(rdm):
    return squareform(np.asarray(rdm), checks=False)


@pytest.fixture(scope="module")
def published(reference):
    return reference("real_data_numbers.json")["rsatoolbox_92images"]


@pytest.fixture(scope="module")
def rdms(mirror):
    return registry.data.create("Kriegeskorte2008.humanIT").model_rdms()


@pytest.fixture(scope="module")
def recorded(rdms):
    """Subjects whose responses have the RDMs of the eight models."""
    subjects = {name: ReplaySubject(responses=responses_with_rdm(rdms[name])) for name in MODELS}
    for name in CATEGORICAL:
        subjects[name] = ReplaySubject(responses=categories(rdms[name]))
    return subjects


def categories(rdm):
    """One of four units responds to each category: distances of pairs tie exactly.

    Those of a decomposition do so up to rounding only, and rounding breaks ties of ranks.
    """
    kinds = np.unique(rdm.values, axis=0, return_inverse=True)[1].ravel()
    units = {"neuroid_id": [f"category-{n}" for n in range(4)]}
    return neural(np.eye(4)[kinds], rdm["stimulus_id"].values, units)


@pytest.mark.parametrize("name", MODELS + CATEGORICAL)
def test_responses_exist_that_have_a_models_rdm(name, rdms):
    gram = 1 - rdms[name].values
    assert np.linalg.eigvalsh(gram).min() > -1e-12
    found = 1 - np.corrcoef(responses_with_rdm(rdms[name]).values)
    np.testing.assert_allclose(pairs(found), pairs(rdms[name]), atol=1e-12)


@pytest.mark.parametrize(("name", "metric"), BOUNDED)
def test_noise_ceilings_are_those_of_rsatoolbox(name, metric, published):
    found = [bound.value for bound in create(f"{name}-{metric}").noise_bounds()]
    expected = published[SETS[name]][COMPARISONS[metric]]["noise_ceiling"]
    assert found == pytest.approx(expected, abs=2e-7)


@pytest.mark.parametrize(("name", "metric"), BOUNDED)
def test_subjects_with_published_rdms_score_as_those_did(name, metric, published, recorded):
    benchmark = create(f"{name}-{metric}", metric_options={"resamples": 0})
    expected = published[SETS[name]][COMPARISONS[metric]]
    for model, subject in recorded.items():
        score = corteval.score(subject, benchmark)
        assert score.raw.value == pytest.approx(expected["models"][model], abs=1e-6), model
        assert score.normalization == "r/c"
        ratio = expected["models"][model] / expected["noise_ceiling"][1]
        assert score.value == pytest.approx(ratio, abs=3e-6), model


def test_separate_sessions_and_another_comparison_are_options(published, recorded):
    sessions = {"data_options": {"sessions": "separate"}}
    benchmark = create("humanIT-rdm", metric_options={"resamples": 0}, **sessions)
    expected = published["hIT_8_subject_sessions"]["spearman"]
    found = [bound.value for bound in benchmark.noise_bounds()]
    assert found == pytest.approx(expected["noise_ceiling"], abs=2e-7)
    score = corteval.score(recorded["HMAX"], benchmark)
    assert score.raw.value == pytest.approx(expected["models"]["HMAX"], abs=1e-6)
    cosine = {
        "metric_options": {"comparison": "cosine", "resamples": 0},
        "ceiling_options": {"comparison": "cosine", "pooling": "matched"},
    }
    benchmark, expected = create("humanIT-rdm", **cosine), published[SETS["humanIT"]]["cosine"]
    found = [bound.value for bound in benchmark.noise_bounds()]
    assert found == pytest.approx(expected["noise_ceiling"], abs=2e-7)
    for model in MODELS:
        score = corteval.score(recorded[model], benchmark)
        assert score.raw.value == pytest.approx(expected["models"][model], abs=1e-6)


@pytest.mark.parametrize(
    ("metric", "exceeds", "verdict"),
    [
        ("rdm", True, "may reach"),
        ("rdm-pearson", False, "may reach"),
        ("rdm-kendall", False, "below"),
    ],
)
def test_animacy_exceeds_the_lower_bound_of_human_it_by_spearmans_correlation_only(
    metric, exceeds, verdict, recorded
):
    benchmark = create(f"humanIT-{metric}")
    lower, upper = benchmark.noise_bounds()
    score = corteval.score(recorded["animacy"], benchmark)
    assert (score.raw.value > lower.value) == exceeds
    assert score.raw.value < upper.value
    bounds = f"{lower.value:.4f} (rsa_lower) to {upper.value:.4f} (rsa_upper)"
    assert f"noise ceiling of raw scores: {bounds}" in score.notes
    (told,) = (note for note in score.notes if "of its lower bound" in note)
    assert told.startswith(
        f"{verdict} the noise ceiling: {score.raw.value / lower.value:.3f} of its lower bound"
    )


def test_v1_model_is_told_to_be_below_the_noise_ceiling(recorded):
    score = corteval.score(recorded["V1"], "Kriegeskorte2008.humanIT-rdm")
    assert any(note.startswith("below the noise ceiling: 0.07") for note in score.notes)


@pytest.mark.parametrize("model", MODELS)
def test_monkey_it_is_one_rdm_and_has_no_ceiling(model, rdms, recorded):
    benchmark = create("monkeyIT-rdm", metric_options={"resamples": 0})
    score = corteval.score(recorded[model], benchmark)
    monkey = registry.data.create("Kriegeskorte2008.monkeyIT").assembly()
    expected = spearmanr(pairs(rdms[model]), pairs(monkey)).statistic
    assert score.value == score.raw.value == pytest.approx(expected, abs=1e-6)
    assert score.ceiling is None
    assert any("one RDM of all neurons" in note for note in score.notes)
    with pytest.raises(UndefinedScore, match="no ceiling"):
        benchmark.ceiling()


@pytest.mark.parametrize("name", SETS)
def test_responses_with_the_mean_rdm_score_what_ranks_of_it_do(name):
    benchmark = create(f"{name}-rdm", metric_options={"resamples": 0})
    target = registry.data.create(f"Kriegeskorte2008.{name}").assembly().values
    mean = pairs(target.mean(axis=0))
    expected = np.mean([spearmanr(mean, pairs(own)).statistic for own in target])
    score = corteval.score(ReplaySubject(responses=benchmark.ideal_responses(0)), benchmark)
    assert score.raw.value == pytest.approx(expected, abs=1e-6)
    assert 0.98 < score.value <= 1  # the pool of ranks is better than the mean


@pytest.mark.parametrize("identifier", ["humanIT-rdm", "monkeyIT-rdm", "behaviour-rdm-kendall"])
def test_shuffled_responses_score_zero_on_average(identifier):
    benchmark = create(identifier, metric_options={"resamples": 0})
    subject = ReplaySubject(responses=benchmark.ideal_responses(0))
    values = [corteval.score(shuffled(subject, seed), benchmark).value for seed in range(30)]
    assert abs(np.mean(values)) < 3 * np.std(values, ddof=1) / np.sqrt(30)
    assert np.std(values) < 0.1


def test_a_model_without_it_is_refused_before_any_compute():
    class Untouched:
        def units(self, layer):
            raise AssertionError("asked for units")

        def __call__(self, stimuli, wanted):
            raise AssertionError("shown stimuli")

    model = LayerCommitment(
        identifier="v4-only", extractor=Untouched(), layers={"V4": "a"}, visual_degrees=8.0
    )
    for name in ("humanIT", "monkeyIT", "behaviour"):
        score = corteval.score(model, f"Kriegeskorte2008.{name}-rdm")
        assert score.status == "not-applicable"
        assert score.reason == "v4-only does not support a recording of IT."


def test_colour_and_orientation_explain_more_of_human_it_than_pixels():
    colour, pixels = (
        corteval.score(model, "Kriegeskorte2008.humanIT-rdm")
        for model in ("gabor-colour", "pixels")
    )
    assert compare(colour, pixels).interval.low > 0
    for score in (colour, pixels):
        assert any(note.startswith("below the noise ceiling") for note in score.notes)
