import numpy as np
import pytest
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm, compare
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr
from sklearn.model_selection import ShuffleSplit

import corteval_similarity
from corteval import registry
from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import normalize
from corteval_similarity import (
    cka,
    correlation_rdm,
    crossnobis_rdm,
    euclidean_rdm,
    noise_covariance,
    procrustes,
    rdm_assembly,
)

STIMULI = 30
IDS = [f"image-{number:02d}" for number in range(STIMULI)]


def metric(identifier, **options):
    return registry.metrics.create(identifier, **options)


def values(units=(8, 10), trials=None, seed=0):
    generator = np.random.default_rng(seed)
    shared = generator.standard_normal((STIMULI, 5))
    x, y = (shared @ generator.standard_normal((5, count)) for count in units)
    y = y[:, :, None] + 2 * generator.standard_normal((*y.shape, trials or 1))
    return x, y if trials else y[:, :, 0]


def assembly(array, ids=IDS, name="unit"):
    neuroids = {"neuroid_id": [f"{name}-{number}" for number in range(array.shape[1])]}
    return neural(array, ids, neuroids)


def upper(patterns):
    return (1 - np.corrcoef(patterns))[np.triu_indices(len(patterns), 1)]


def test_rdm_is_the_rank_correlation_of_correlation_distances():
    x, y = values()
    score = metric("rdm")(assembly(x), assembly(y))
    assert score.value == pytest.approx(spearmanr(upper(x), upper(y)).statistic, abs=1e-12)
    assert score.raw.quantity == "correlation"
    assert score.samples is None


@pytest.mark.parametrize(
    ("identifier", "method", "quantity"),
    [
        ("rdm-pearson", "corr", "correlation"),
        ("rdm-kendall", "tau-a", "correlation"),
        ("rdm-cosine", "cosine", "similarity"),
        ("rdm-whitened_cosine", "cosine_cov", "similarity"),
    ],
)
def test_named_comparisons_equal_rsatoolbox(identifier, method, quantity):
    x, y = values()
    rdms = [calc_rdm(Dataset(side), method="correlation") for side in (x, y)]
    score = metric(identifier)(assembly(x), assembly(y))
    assert score.value == pytest.approx(compare(*rdms, method=method).item(), abs=1e-12)
    assert score.raw.quantity == quantity


def test_rdm_cv_is_the_mean_over_shuffled_subsets_in_the_order_of_ids():
    x, y = values()
    splits = ShuffleSplit(10, test_size=0.9, random_state=1).split(x)
    r = [spearmanr(upper(x[test]), upper(y[test])).statistic for _, test in splits]
    order = np.random.default_rng(0).permutation(STIMULI)
    shuffled = assembly(y[order], np.array(IDS)[order])
    score = metric("rdm_cv")(assembly(x), shuffled)
    assert score.value == pytest.approx(np.mean(r), abs=1e-12)
    assert score.raw.error == pytest.approx(np.std(r) / np.sqrt(10), abs=1e-12)
    np.testing.assert_allclose(score.samples.values, r, atol=1e-12)
    assert score.samples.dims == ("split",)


@pytest.mark.parametrize("units", [(8, 10), (40, 10), (40, 50)])
def test_cka_cv_is_the_mean_over_shuffled_subsets(units):
    x, y = values(units)
    splits = ShuffleSplit(10, test_size=0.9, random_state=1).split(x)
    expected = np.mean([cka(x[test], y[test]) for _, test in splits])
    score = metric("cka_cv")(assembly(x), assembly(y))
    assert score.value == pytest.approx(expected, abs=1e-10)


def test_subsets_do_not_mind_groups():
    x, y = values()
    grouped = assembly(y).assign_coords(story=("presentation", ["one"] * 15 + ["two"] * 15))
    found, plain = (metric("rdm_cv")(assembly(x), given) for given in (grouped, assembly(y)))
    assert found.raw == plain.raw
    assert found.notes != plain.notes and "2 groups of them (story) are too few" in found.notes[0]


@pytest.mark.parametrize(
    ("identifier", "function"),
    [
        ("cka", cka),
        ("cka-biased", lambda x, y: cka(x, y, debiased=False)),
        ("procrustes", procrustes),
    ],
)
def test_metrics_of_patterns_are_their_functions(identifier, function):
    x, y = values()
    score = metric(identifier)(assembly(x), assembly(y))
    assert score.value == function(x, y)
    assert score.raw.quantity == "similarity"


def test_crossnobis_compares_with_euclidean_distances_of_the_model():
    x, y = values(trials=4)
    y[3, :, 2:] = np.nan
    data = crossnobis_rdm(y, noise_covariance(y))
    expected = corteval_similarity.compare_rdms(euclidean_rdm(x), data, "whitened cosine")
    score = metric("crossnobis")(assembly(x), assembly(y))
    assert score.value == pytest.approx(expected, abs=1e-12)
    assert score.raw.quantity == "similarity"


def test_a_source_with_trials_has_crossnobis_distances_of_its_own():
    x, y = values(trials=4)
    spread = np.random.default_rng(1).standard_normal((*x.shape, 3))
    source = x[:, :, None] + spread
    rdms = [crossnobis_rdm(side, noise_covariance(side, "diagonal")) for side in (source, y)]
    expected = corteval_similarity.compare_rdms(*rdms, "cosine")
    compared = metric("crossnobis", noise="diagonal", comparison="cosine")
    assert compared(assembly(source), assembly(y)).value == pytest.approx(expected, abs=1e-12)


def test_rdms_and_patterns_of_the_model_score_the_same():
    x, y = values()
    target = rdm_assembly(squareform(upper(y)), IDS)
    expected = metric("rdm")(assembly(x), assembly(y)).value
    assert metric("rdm")(assembly(x), target).value == pytest.approx(expected, abs=1e-12)
    source = rdm_assembly(squareform(upper(x)), IDS)
    assert metric("rdm")(source, target).value == pytest.approx(expected, abs=1e-12)


def subjects(count, y, seed=0):
    generator = np.random.default_rng(seed)
    rdms = [upper(y + generator.standard_normal(y.shape)) for _ in range(count)]
    names = [f"subject-{number}" for number in range(count)]
    return rdm_assembly(np.stack([squareform(rdm) for rdm in rdms]), IDS, names), rdms


def test_the_score_is_the_mean_over_subjects():
    x, y = values()
    target, rdms = subjects(3, y)
    expected = [spearmanr(upper(x), rdm).statistic for rdm in rdms]
    score = metric("rdm")(assembly(x), target)
    np.testing.assert_allclose(score.samples.sel(subject="subject-1"), expected[1], atol=1e-12)
    np.testing.assert_allclose(score.samples.values, expected, atol=1e-12)
    assert score.value == pytest.approx(np.mean(expected))


def test_rows_and_columns_of_rdms_are_matched_by_label():
    x, y = values()
    target, _ = subjects(2, y)
    generator = np.random.default_rng(4)
    moved = target.isel(
        presentation=generator.permutation(STIMULI), presentation_2=generator.permutation(STIMULI)
    ).transpose("presentation", "subject", "presentation_2")
    expected = metric("rdm")(assembly(x), target).value
    assert metric("rdm")(assembly(x), moved).value == pytest.approx(expected, abs=1e-12)


def test_five_subjects_are_resampled_with_the_stimuli():
    x, y = values()
    few = metric("rdm")(assembly(x), subjects(4, y)[0]).raw.replicates
    many = metric("rdm")(assembly(x), subjects(5, y)[0]).raw.replicates
    assert [way.scope for way in few] == ["stimuli"]
    assert [way.scope for way in many] == ["stimuli", "subjects", "stimuli×subjects"]


def test_replicates_over_subjects_are_means_over_drawn_subjects():
    x, y = values()
    target, _ = subjects(6, y)
    score = metric("rdm", resamples=500)(assembly(x), target)
    spread = np.std(score.raw.replicates[1].values)
    assert spread == pytest.approx(float(score.samples.std()) / np.sqrt(6), rel=0.1)


@pytest.mark.parametrize("identifier", ["rdm", "rdm_cv", "cka", "cka_cv", "procrustes"])
def test_replicates_are_centred_on_the_score(identifier):
    x, y = values()
    raw = metric(identifier)(assembly(x), assembly(y)).raw
    (way,) = raw.replicates
    spread = np.std(way.values)
    assert 0.001 < spread < 0.2
    assert np.mean(way.values) == pytest.approx(raw.value, abs=4 * spread / np.sqrt(1000))


@pytest.mark.parametrize("identifier", ["rdm", "rdm_cv", "cka", "procrustes", "rdm-kendall"])
def test_no_resamples_give_the_same_score_without_replicates(identifier):
    x, y = values()
    score = metric(identifier, resamples=0)(assembly(x), assembly(y))
    assert score.raw.replicates == ()
    assert score.value == metric(identifier)(assembly(x), assembly(y)).value


@pytest.mark.parametrize(
    "identifier", ["rdm", "rdm-kendall", "rdm-whitened_cosine", "cka", "cka-biased", "procrustes"]
)
def test_noise_lowers_scores(identifier):
    x, _ = values()
    spread = np.random.default_rng(3).standard_normal(x.shape)
    compared = metric(identifier, resamples=0)
    scores = [compared(assembly(x + noise * spread), assembly(x)).value for noise in (0, 1, 3)]
    assert scores[0] > scores[1] > scores[2]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16])
@pytest.mark.parametrize("identifier", ["rdm", "cka", "procrustes"])
def test_short_types_score_as_float64_does(identifier, dtype):
    x, y = values()
    x = (100 * x - 100 * x.min()).astype(dtype) if dtype != np.uint8 else np.uint8(x > 0)
    wide = metric(identifier)(assembly(x.astype(np.float64)), assembly(y)).value
    assert metric(identifier)(assembly(x), assembly(y)).value == pytest.approx(wide, abs=1e-12)


def test_scores_are_normalised_by_a_ceiling_of_their_quantity():
    x, y = values()
    target = assembly(y)
    score, ceiling = metric("cka")(assembly(x), target), metric("cka")(target, target).raw
    assert normalize(score, ceiling).value == pytest.approx(score.value)


@pytest.mark.parametrize("identifier", ["rdm", "rdm-pearson", "rdm_cv"])
def test_a_target_of_one_neuroid_is_refused_with_the_reason(identifier):
    x, y = values()
    with pytest.raises(UndefinedScore, match="Of the target: There is 1 unit"):
        metric(identifier)(assembly(x), assembly(y[:, :1]))


def test_a_target_of_one_neuroid_has_euclidean_distances():
    x, y = values()
    score = metric("rdm", distance="euclidean")(assembly(x), assembly(y[:, :1]))
    expected = spearmanr(euclidean_rdm(x), euclidean_rdm(y[:, :1])).statistic
    assert score.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("identifier", ["rdm", "cka", "procrustes", "rdm-whitened_cosine"])
def test_two_stimuli_are_too_few(identifier):
    x, y = values()
    with pytest.raises(UndefinedScore, match=r"needs at least [34] stimuli; there are 2"):
        metric(identifier)(assembly(x[:2], IDS[:2]), assembly(y[:2], IDS[:2]))


def test_four_stimuli_have_a_debiased_cka_without_interval():
    x, y = values()
    raw = metric("cka")(assembly(x[:4], IDS[:4]), assembly(y[:4], IDS[:4])).raw
    assert np.isfinite(raw.value)
    assert raw.replicates == ()


@pytest.mark.parametrize("identifier", ["rdm", "cka", "procrustes"])
def test_a_repeated_stimulus_is_refused(identifier):
    x, y = values()
    target = assembly(y).isel(presentation=[0, 1, 2, 3, 3])
    with pytest.raises(AssemblyError, match=r"several rows of one stimulus|stimulus_id repeats"):
        metric(identifier)(assembly(x).isel(presentation=[0, 1, 2, 3]), target)


def test_crossnobis_without_trials_is_refused():
    x, y = values()
    with pytest.raises(UndefinedScore, match="no single trials"):
        metric("crossnobis")(assembly(x), assembly(y))


def test_crossnobis_takes_no_ranks():
    with pytest.raises(OptionError, match="meaningful zero"):
        metric("rdm", distance="crossnobis")


def test_an_unknown_distance_is_refused():
    with pytest.raises(OptionError, match="correlation, euclidean, crossnobis"):
        metric("rdm", distance="cityblock")


def test_a_source_of_several_subjects_is_refused():
    x, y = values()
    with pytest.raises(AssemblyError, match="RDMs of 2 subjects"):
        metric("rdm")(subjects(2, x)[0], assembly(y))


def test_rdms_lacking_a_stimulus_are_refused():
    x, y = values()
    target = subjects(2, y)[0].isel(presentation_2=slice(1, None))
    with pytest.raises(AssemblyError, match="No response to 1 stimuli"):
        metric("rdm")(assembly(x), target)


def test_a_matrix_that_is_not_symmetric_is_no_rdm():
    with pytest.raises(AssemblyError, match="differs from its transpose by 1"):
        rdm_assembly(np.triu(np.ones((4, 4)), 1), list("abcd"))


def test_missing_dissimilarities_are_refused():
    matrix = np.ones((4, 4))
    matrix[1, 2] = matrix[2, 1] = np.nan
    with pytest.raises(AssemblyError, match="1 dissimilarities are not finite"):
        rdm_assembly(matrix, list("abcd"))


def test_the_diagonal_of_an_rdm_does_not_matter():
    matrix = squareform(correlation_rdm(values()[1]))
    empty = matrix.copy()
    np.fill_diagonal(empty, np.nan)
    source = assembly(values()[0])
    first, second = (metric("rdm")(source, rdm_assembly(m, IDS)).value for m in (matrix, empty))
    assert first == second


def test_functions_come_with_the_package_on_demand():
    for name in corteval_similarity.__all__:
        assert getattr(corteval_similarity, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = corteval_similarity.nothing


def of_subjects(count, y, seed=0):
    generator = np.random.default_rng(seed)
    parts = [y + generator.standard_normal(y.shape) for _ in range(count)]
    names = np.repeat([f"subject-{number}" for number in range(count)], y.shape[1])
    whole = assembly(np.concatenate(parts, axis=1))
    return whole.assign_coords(subject=("neuroid", names)), parts


def test_separate_subjects_score_as_their_rdms_do():
    x, y = values()
    target, parts = of_subjects(5, y)
    names = [f"subject-{number}" for number in range(5)]
    rdms = rdm_assembly(np.stack([squareform(upper(part)) for part in parts]), IDS, names)
    order = np.random.default_rng(2).permutation(target.sizes["neuroid"])
    score = metric("rdm", subjects="separate")(assembly(x), target.isel(neuroid=order))
    expected = metric("rdm")(assembly(x), rdms)
    assert score.value == pytest.approx(expected.value, abs=1e-12)
    np.testing.assert_allclose(score.samples.values, expected.samples.values, atol=1e-12)
    assert score.samples["subject"].values.tolist() == names
    for own, other in zip(score.raw.replicates, expected.raw.replicates, strict=True):
        assert own.scope == other.scope
        np.testing.assert_allclose(own.values, other.values, atol=1e-6)
    assert score.notes == ()


def test_pooled_subjects_are_noted():
    x, y = values()
    target, parts = of_subjects(3, y)
    score = metric("rdm")(assembly(x), target)
    expected = spearmanr(upper(x), upper(np.concatenate(parts, axis=1))).statistic
    assert score.value == pytest.approx(expected, abs=1e-12)
    (note,) = score.notes
    assert note.startswith("neuroids of 3 subjects are pooled")
    assert metric("rdm")(assembly(x), assembly(y)).notes == ()


def test_separate_subjects_of_single_trials_have_crossnobis_distances():
    x, y = values(trials=4)
    target = assembly(y).assign_coords(subject=("neuroid", ["a"] * 6 + ["b"] * 4))
    rdms = [crossnobis_rdm(part, noise_covariance(part)) for part in (y[:, :6], y[:, 6:])]
    expected = [
        corteval_similarity.compare_rdms(euclidean_rdm(x), rdm, "whitened cosine") for rdm in rdms
    ]
    score = metric("crossnobis", subjects="separate")(assembly(x), target)
    np.testing.assert_allclose(score.samples.values, expected, atol=1e-12)


def test_separate_subjects_must_be_named_two_and_of_enough_neuroids():
    x, y = values()
    compared = metric("rdm", subjects="separate")
    with pytest.raises(AssemblyError, match="no coordinate 'subject'"):
        compared(assembly(x), assembly(y))
    with pytest.raises(UndefinedScore, match="All neuroids are of subject a"):
        compared(assembly(x), assembly(y).assign_coords(subject=("neuroid", ["a"] * 10)))
    few = assembly(y).assign_coords(subject=("neuroid", ["a"] * 8 + ["b"] * 2))
    with pytest.raises(UndefinedScore, match="Of the target: Of the subject b: There are 2 units"):
        compared(assembly(x), few)
    with pytest.raises(OptionError, match="pooled, separate"):
        metric("rdm", subjects="joint")


def test_rdms_may_be_given_as_pairs():
    _, y = values()
    rdm = correlation_rdm(y)
    assert rdm_assembly(rdm, IDS).equals(rdm_assembly(squareform(rdm), IDS))
    two = rdm_assembly(np.stack([rdm, 2 * rdm]), IDS, ["a", "b"])
    assert two.equals(rdm_assembly(squareform(rdm) * np.array([[[1]], [[2]]]), IDS, ["a", "b"]))
    with pytest.raises(AssemblyError, match="30 stimuli have 435 pairs"):
        rdm_assembly(rdm[:-1], IDS)
