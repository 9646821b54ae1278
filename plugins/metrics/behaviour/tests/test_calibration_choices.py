"""How often intervals of metrics on choices cover and their paired tests err."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from corteval.intervals import interval_of
from corteval.stats.paired import compare
from corteval_behaviour.accuracy import Accuracy, AccuracyDistance
from corteval_behaviour.consistency import ErrorConsistency, HumanErrorConsistency
from corteval_behaviour.discrimination import Discrimination
from corteval_behaviour.reading_times import ReadingTimeCorrelation

ROUNDS, RESAMPLES = 150, 200


def among_chance(share, nominal):
    """Whether 999 of 1000 sets of rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], ROUNDS, nominal) / ROUNDS
    return low <= share <= high


def at_most(share, nominal=0.05):
    """Whether `share` of the rounds may be of a chance of `nominal`."""
    return share <= stats.binom.ppf(0.9995, ROUNDS, nominal) / ROUNDS


def presentations(values, **columns):
    return xr.DataArray(
        values,
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in columns.items()},
    )


def named(kind, count):
    return np.array([f"{kind}{n:03d}" for n in range(count)])


def answers(seed, subjects, stimuli=80, passages=0):
    """Two equal models and subjects who find the same stimuli hard; these may come in groups."""
    rng = np.random.default_rng([seed, subjects, passages])
    ease = rng.standard_normal(stimuli)
    if passages:  # stimuli of a group share four fifths of the variance
        shared = rng.standard_normal(passages).repeat(stimuli // passages)
        ease = np.sqrt(0.8) * shared + np.sqrt(0.2) * ease

    def right(skill):
        return (skill + 1.5 * ease + rng.standard_normal(stimuli) > 0).astype(float)

    ids = named("i", stimuli)
    differ = 0.4 if subjects > 1 else 0  # the interval over stimuli is that of the same subject
    target = presentations(
        np.concatenate([right(0.5 + differ * rng.standard_normal()) for _ in range(subjects)]),
        stimulus_id=np.tile(ids, subjects),
        subject=named("h", subjects).repeat(stimuli),
    )
    return [presentations(right(0.5), stimulus_id=ids) for _ in range(2)], target


def choices_of_two(seed, subjects, stimuli=36, objects=4):
    """Two equal models and subjects who take images for the same other objects; six trials."""
    rng = np.random.default_rng([seed, subjects, 3])
    shown = np.arange(stimuli) % objects
    look = 0.8 * rng.standard_normal((stimuli, objects)) + 1.2 * np.eye(objects)[shown]
    image, other = np.nonzero(np.eye(objects)[shown] == 0)
    evidence = look[image, shown[image]] - look[image, other]
    skill = np.exp((0.3 if subjects > 1 else 0) * rng.standard_normal((6, 1)))
    right = rng.random((6, len(image))) < 1 / (1 + np.exp(-2 * skill * evidence))
    names = np.array(list("abcd"))
    ids = named("i", stimuli)
    target = presentations(
        right.ravel().astype(float),
        stimulus_id=np.tile(ids[image], 6),
        truth=np.tile(names[shown[image]], 6),
        distractor=np.tile(names[other], 6),
        subject=np.resize(named("h", subjects), 6).repeat(len(image)),
    )
    models = []
    for _ in range(2):
        odds = np.exp(look + 0.5 * rng.standard_normal(look.shape))
        models.append(
            xr.DataArray(
                odds / odds.sum(axis=1, keepdims=True),
                dims=["presentation", "choice"],
                coords={"stimulus_id": ("presentation", ids), "choice": names},
            )
        )
    return models, target


def calibrated(metric, sample, record, label):
    """Scope, coverage of the mean over rounds, and how often equal models are told apart."""
    pairs = []
    for seed in range(ROUNDS):
        models, target = sample(seed)
        pairs.append([metric(resamples=RESAMPLES, seed=seed)(m, target) for m in models])
    truth = np.mean([score.value for pair in pairs for score in pair])
    intervals = [interval_of(pair[0].value, pair[0].raw.replicates) for pair in pairs]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    rejected = np.mean([compare(*pair).p_value <= 0.05 for pair in pairs])
    record(f"{label}: coverage", covered)
    record(f"{label}: type I error", rejected)
    return intervals[0].scope, covered, rejected


@pytest.mark.slow
@pytest.mark.parametrize("metric", [ErrorConsistency, AccuracyDistance])
@pytest.mark.parametrize(("subjects", "scope"), [(1, "stimuli"), (6, "stimuli×subjects")])
def test_intervals_of_right_and_wrong_answers_cover(
    metric, subjects, scope, record_testsuite_property
):
    label = f"{metric.__name__}, {subjects} subjects"
    of, covered, rejected = calibrated(
        metric, lambda seed: answers(seed, subjects), record_testsuite_property, label
    )
    assert of == scope
    assert among_chance(covered, 0.96)
    assert at_most(rejected)


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "scope"), [(1, "stimuli"), (6, "stimuli×subjects")])
def test_intervals_of_discrimination_cover(subjects, scope, record_testsuite_property):
    """Of images, normalised, versus each other object: `i2n`."""
    of, covered, rejected = calibrated(
        Discrimination,
        lambda seed: choices_of_two(seed, subjects),
        record_testsuite_property,
        f"i2n, {subjects} subjects",
    )
    assert of == scope
    assert among_chance(covered, 0.96)
    assert at_most(rejected)


@pytest.mark.slow
def test_intervals_of_consistency_among_subjects_cover(record_testsuite_property):
    found = [
        HumanErrorConsistency(resamples=RESAMPLES, seed=seed)(answers(seed, 6)[1])
        for seed in range(ROUNDS)
    ]
    truth = np.mean([estimate.value for estimate in found])
    intervals = [interval_of(e.value, e.replicates) for e in found]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    record_testsuite_property("HumanErrorConsistency, 6 subjects: coverage", covered)
    assert intervals[0].scope == "stimuli×subjects"
    assert among_chance(covered, 0.95)


def read(seed, stories=12, people=8):
    """Words of stories, which share half of the variance, read by people of unlike speed."""
    rng = np.random.default_rng([seed, stories])
    lengths = rng.integers(15, 30, stories)
    story = np.repeat(named("story", stories), lengths)
    words = len(story)

    def shared():
        return rng.standard_normal(stories).repeat(lengths) + rng.standard_normal(words)

    ids, cost = named("w", words), shared()
    times = 300 + 20 * cost[:, None] + 40 * rng.standard_normal((words, people))
    times += 30 * rng.standard_normal(people)
    target = presentations(
        times.ravel(),
        stimulus_id=ids.repeat(people),
        subject=np.tile(named("h", people), words),
        story=story.repeat(people),
    )
    return [presentations(cost + shared(), stimulus_id=ids) for _ in range(2)], target


@pytest.mark.slow
def test_intervals_of_reading_times_over_stories_cover(record_testsuite_property):
    of, covered, rejected = calibrated(
        lambda **options: ReadingTimeCorrelation(drop_first_word=False, **options),
        read,
        record_testsuite_property,
        "reading times, 12 stories",
    )
    assert of == "stories×subjects"
    assert among_chance(covered, 0.94)
    assert at_most(rejected, 0.06)


@pytest.mark.slow
@pytest.mark.parametrize("metric", [Accuracy, ErrorConsistency])
def test_stimuli_of_choices_are_drawn_singly_which_is_too_narrow_where_groups_are_alike(
    metric, record_testsuite_property
):
    """80 stimuli in groups of ten that share four fifths of how hard they are."""
    for passages in (0, 8):
        _, covered, _ = calibrated(
            metric,
            lambda seed, passages=passages: answers(seed, 1, passages=passages),
            record_testsuite_property,
            f"{metric.__name__}, {passages} groups",
        )
        if passages:
            assert 0.5 <= covered < 0.9
        else:
            assert among_chance(covered, 0.95)
