"""How often intervals cover and tests err on synthetic subjects and stimuli of known truth."""

import numpy as np
import pytest
from scipy import stats

from corteval.intervals import interval_of
from corteval.score import Estimate, Score
from corteval.stats.paired import compare, sign_flip_test
from corteval.stats.ranks import holm
from corteval.stats.relations import correlation_interval, line_band
from corteval.stats.resampling import draw, median, replicates
from corteval.stats.scaling import fit_scaling

RESAMPLES = 300


def among_chance(share, count, nominal=0.95):
    """Whether 999 of 1000 sets of `count` rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], count, nominal) / count
    return low <= share <= high


def names(kind, count):
    return [f"{kind}{n:04d}" for n in range(count)]


def of_mean(table, seed, groups=None):
    """Mean of a table (subject, stimulus) of which rows, and columns if several, are drawn."""
    subjects, stimuli = table.shape
    found = []
    for way in draw(
        stimulus_ids=names("s", stimuli) if stimuli > 1 else None,
        stimulus_groups=groups,
        subjects=names("h", subjects),
        resamples=RESAMPLES,
        seed=seed,
    ):
        rows = np.ones((1, subjects)) if way.neuroids is None else way.neuroids
        columns = np.ones((1, stimuli)) if way.stimuli is None else way.stimuli
        total = rows.sum(axis=1) * columns.sum(axis=1)
        found.append(replicates(way, ((rows @ table) * columns).sum(axis=1) / total))
    return Estimate(value=float(table.mean()), replicates=tuple(found))


def covers(interval, truth):
    return interval.low <= truth <= interval.high


@pytest.mark.slow
@pytest.mark.parametrize("subjects", [5, 8, 16])
@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_intervals_over_few_subjects_cover_as_students_do(
    subjects, shape, record_testsuite_property
):
    """With skewed values Student's interval covers too little, and so does ours."""
    count, ours, students = 1000, 0, 0
    for seed in range(count):
        rng = np.random.default_rng([seed, subjects])
        x = rng.standard_normal(subjects) if shape == "normal" else rng.exponential(1, subjects) - 1
        estimate = of_mean(x[:, None], seed)
        ours += covers(interval_of(estimate.value, estimate.replicates), 0)
        student = stats.ttest_1samp(x, 0).confidence_interval()
        students += covers(student, 0)
    record_testsuite_property(f"coverage, {subjects} subjects, {shape}", ours / count)
    if shape == "normal":
        assert among_chance(ours / count, count, 0.945)
    assert ours / count == pytest.approx(students / count, abs=0.025)


@pytest.mark.slow
@pytest.mark.parametrize("neuroids", [12, 40])
def test_intervals_of_medians_over_neuroids_cover(neuroids):
    count, covered = 1000, 0
    for seed in range(count):
        x = np.random.default_rng([seed, neuroids]).standard_normal(neuroids)
        (way,) = draw(neuroid_ids=names("n", neuroids), resamples=RESAMPLES, seed=seed)
        drawn = replicates(way, median(x, way.neuroids), median=True)
        covered += covers(interval_of(float(np.median(x)), [drawn]), 0)
    assert covered / count == pytest.approx(0.95, abs=0.02)


#: Subjects, stimuli, and variances of subjects, of stimuli and of each answer.
TABLES = {
    "few of both": (5, 40, 1, 1, 4),
    "noisy answers": (8, 100, 1, 1, 10),
    "stimuli matter most": (16, 60, 0.1, 2, 4),
    "subjects alike": (8, 100, 0, 1, 1),
}


def crossed(rng, kind, stimulus_groups=0):
    subjects, stimuli, of_subjects, of_stimuli, of_answers = kind
    by_stimulus = rng.standard_normal(stimuli)
    if stimulus_groups:  # neighbours share four fifths of the variance
        shared = rng.standard_normal(stimulus_groups).repeat(stimuli // stimulus_groups)
        by_stimulus = np.sqrt(0.8) * shared + np.sqrt(0.2) * by_stimulus
    return (
        np.sqrt(of_subjects) * rng.standard_normal((subjects, 1))
        + np.sqrt(of_stimuli) * by_stimulus
        + np.sqrt(of_answers) * rng.standard_normal((subjects, stimuli))
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_intervals_over_subjects_and_stimuli_cover_and_the_paired_test_errs_as_often_as_it_says(
    name, record_testsuite_property
):
    count, covered, rejected = 500, 0, 0
    for seed in range(count):
        rng = np.random.default_rng([seed, 2])
        common, half = (crossed(rng, TABLES[name]) for _ in range(2))
        scores = []
        for table in (common + half, common - half):  # differ by twice the half, whose mean is 0
            raw = of_mean(table, seed)
            scores.append(Score(value=raw.value, raw=raw))
        covered += covers(interval_of(scores[0].value, scores[0].raw.replicates), 0)
        rejected += compare(*scores).p_value <= 0.05
    record_testsuite_property(f"coverage, {name}", covered / count)
    record_testsuite_property(f"type I error, {name}", rejected / count)
    assert among_chance(covered / count, count, 0.94)
    assert among_chance(rejected / count, count, 0.055)


@pytest.mark.slow
@pytest.mark.parametrize("size", [5, 10])
def test_stimuli_that_come_in_groups_are_drawn_in_groups(size, record_testsuite_property):
    """100 stimuli of which groups share four fifths of their variance, as sentences of a story."""
    count, passages = 300, np.repeat(names("g", 100 // size), size)
    covered, rejected = np.zeros(2), np.zeros(2)
    for seed in range(count):
        rng = np.random.default_rng([seed, 3])
        kind = (8, 100, 0.2, 2, 4)
        common, half = (crossed(rng, kind, stimulus_groups=100 // size) for _ in range(2))
        for way, groups in enumerate((passages, None)):
            pair = []
            for table in (common + half, common - half):
                raw = of_mean(table, seed, groups)
                pair.append(Score(value=raw.value, raw=raw))
            covered[way] += covers(interval_of(pair[0].value, pair[0].raw.replicates), 0)
            rejected[way] += compare(*pair).p_value <= 0.05
    for way, words in enumerate(("groups", "single stimuli")):
        record_testsuite_property(f"coverage, drawing {words} of {size}", covered[way] / count)
        record_testsuite_property(f"type I, drawing {words} of {size}", rejected[way] / count)
    assert among_chance(covered[0] / count, count, 0.935)
    assert among_chance(rejected[0] / count, count, 0.06)
    assert covered[1] / count < 0.9
    assert rejected[1] / count > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("subjects", [5, 6, 8])
def test_flipping_few_signs_errs_as_often_as_there_are_patterns(subjects):
    """Of 2^n patterns, p is a multiple of 2 / 2^n: five subjects never reach .05."""
    halves = 2 ** (subjects - 1)
    expected = np.floor(0.05 * halves) / halves
    count = 3000
    rng = np.random.default_rng(subjects)
    rejected = np.mean(
        [sign_flip_test(x) <= 0.05 for x in rng.standard_normal((count, subjects)) * [1.0]]
    )
    assert among_chance(rejected, count, expected) if expected else rejected == 0


def test_holms_family_wise_error_is_below_alpha_whatever_is_true(record_testsuite_property):
    """Twenty tests that share half of their noise; of none, half or all the null is true."""
    count, size = 2000, 20
    rng = np.random.default_rng(0)
    for false in (0, 10, 19):
        z = np.sqrt(0.5) * (rng.standard_normal((count, 1)) + rng.standard_normal((count, size)))
        z[:, :false] += 3
        p_values = 2 * stats.norm.sf(abs(z))
        errors = []
        for row in p_values:
            adjusted = holm(dict(enumerate(row.tolist())))
            errors.append(any(adjusted[n] <= 0.05 for n in range(false, size)))
        record_testsuite_property(f"family-wise error, {size - false} true nulls", np.mean(errors))
        assert np.mean(errors) <= stats.binom.ppf(0.9995, count, 0.05) / count


def test_holms_family_wise_error_is_alpha_where_tests_are_independent():
    count, size = 4000, 10
    p_values = np.random.default_rng(1).random((count, size))
    errors = [min(holm(dict(enumerate(row.tolist()))).values()) <= 0.05 for row in p_values]
    assert among_chance(np.mean(errors), count, 1 - (1 - 0.05 / size) ** size)


@pytest.mark.slow
@pytest.mark.parametrize("models", [6, 8, 20])
@pytest.mark.parametrize("r", [0.0, 0.9])
def test_correlations_and_lines_of_few_models_are_covered(models, r, record_testsuite_property):
    count, of_r, of_line = 600, 0, 0
    for seed in range(count):
        rng = np.random.default_rng([seed, models])
        x, y = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], models).T
        of_r += covers(correlation_interval(x, y, resamples=RESAMPLES, seed=seed), r)
        _, low, high = line_band(x, y, [0.0], resamples=RESAMPLES, seed=seed)
        of_line += low[0] <= 0 <= high[0]
    record_testsuite_property(f"coverage of r = {r}, {models} models", of_r / count)
    record_testsuite_property(f"coverage of the line, {models} models", of_line / count)
    assert of_r / count == pytest.approx(0.95, abs=0.03)
    assert of_line / count == pytest.approx(0.945, abs=0.03)


@pytest.mark.slow
def test_intervals_and_bands_of_scaling_laws_cover(record_testsuite_property):
    """Sizes over three orders of magnitude, errors of 3 %; fits start near the truth."""
    truth = {"e": np.log(0.4), "a": np.log(0.5), "alpha": 0.3}
    sizes, count = np.logspace(0, 3, 20), 40
    loss = 0.4 + 0.5 * sizes**-0.3
    covered, of_band = dict.fromkeys(truth, 0), np.zeros(len(sizes))
    for seed in range(count):
        noise = np.random.default_rng(seed).standard_normal(len(sizes))
        start = [[*truth.values()]]
        law = fit_scaling(loss * np.exp(0.03 * noise), sizes, starts=start, resamples=50, seed=seed)
        for name, (low, high) in law.intervals().items():
            covered[name] += low <= truth[name] <= high
        lower, upper = law.band(sizes)
        of_band += (lower <= loss) & (loss <= upper)
    for name, times in covered.items():
        record_testsuite_property(f"coverage of {name}", times / count)
        assert among_chance(times / count, count)
    record_testsuite_property("coverage of the band", of_band.mean() / count)
    assert 0.9 <= of_band.mean() / count <= 0.99
