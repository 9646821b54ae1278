import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.stats.resampling import draw
from corteval_behaviour import ErrorConsistency, HumanErrorConsistency, error_consistency

BINARY = st.integers(0, 1)


def trials(right, conditions=None):
    """Answers (subject, stimulus) of subjects to the same stimuli."""
    right = np.atleast_2d(right)
    subjects, stimuli = right.shape
    coords = {
        "stimulus_id": np.tile([f"s{n:03d}" for n in range(stimuli)], subjects),
        "subject": np.repeat([f"h{n}" for n in range(subjects)], stimuli),
        "condition": np.tile(conditions or ["0"] * stimuli, subjects),
    }
    return xr.DataArray(
        right.ravel().astype(float),
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def random_answers(seed, subjects=6, stimuli=80):
    generator = np.random.default_rng(seed)
    easy = generator.random(stimuli)
    return (generator.random((subjects, stimuli)) < easy).astype(float)


@given(arrays(np.int64, (2, 30), elements=BINARY))
def test_kappa_is_cohens_kappa_of_right_and_wrong(answers):
    expected = cohen_kappa_score(*answers) if len(np.unique(answers)) > 1 else np.nan
    assert error_consistency(*answers) == pytest.approx(expected, nan_ok=True, abs=1e-12)


@given(arrays(np.int64, (2, 30), elements=BINARY))
def test_kappa_is_symmetric_and_bounded(answers):
    kappa = error_consistency(*answers)
    np.testing.assert_array_equal(kappa, error_consistency(*answers[::-1]))
    assert np.isnan(kappa) or -1 <= kappa <= 1


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ([1, np.nan], [1, 0], "1 of 2 are others, such as nan"),
        ([1, 0], [2, 0], "1 of 2 are others, such as 2"),
        ([], [], "no trials"),
        ([1, 0, 1], [1, 0], r"shapes \(3,\) and \(2,\)"),
    ],
)
def test_answers_that_are_not_right_or_wrong_in_each_trial_are_refused(first, second, words):
    with pytest.raises(OptionError, match=words):
        error_consistency(first, second)


def test_a_source_that_is_always_right_scores_zero_with_a_note():
    score = ErrorConsistency(resamples=0)(trials(np.ones(80)), trials(random_answers(0)))
    assert score.value == 0
    assert score.notes == (
        "the source is right in all trials: kappa is 0 whatever the subjects do",
    )


def test_trials_without_subjects_are_those_of_one_subject_with_a_note():
    right = random_answers(0, subjects=2)
    target = trials(right[0]).drop_vars("subject")
    score = ErrorConsistency(resamples=0)(trials(right[1]), target)
    assert "no coordinate 'subject'" in score.notes[0]


def test_the_score_is_the_mean_over_subjects_and_conditions():
    right = random_answers(0)
    conditions = ["a"] * 30 + ["b"] * 50
    score = ErrorConsistency(resamples=0)(trials(right[0], conditions), trials(right, conditions))
    each = [
        cohen_kappa_score(right[0, part], human[part])
        for human in right
        for part in (slice(0, 30), slice(30, 80))
    ]
    assert score.raw.value == pytest.approx(np.mean(each), abs=1e-12)
    assert score.raw.error == pytest.approx(np.std(each), abs=1e-12)
    np.testing.assert_allclose(score.samples.values, each, atol=1e-12)
    assert list(score.samples["condition"].values[:2]) == ["a", "b"]


def test_erring_where_subjects_do_not_is_negative_unless_legacy_is_asked_for():
    right = np.tile(np.arange(20) % 2, (3, 1))
    source = trials(1 - right[0])
    assert ErrorConsistency(resamples=0)(source, trials(right)).value == pytest.approx(-1)
    legacy = ErrorConsistency(resamples=0, absolute=True)(source, trials(right))
    assert legacy.value == pytest.approx(1)


def test_the_ceiling_is_the_mean_over_all_pairs_of_subjects():
    right = random_answers(1)
    pairs = [cohen_kappa_score(a, b) for n, a in enumerate(right) for b in right[n + 1 :]]
    estimate = HumanErrorConsistency(resamples=0)(trials(right))
    assert estimate.value == pytest.approx(np.mean(pairs), abs=1e-12)
    assert estimate.error == pytest.approx(np.std(pairs), abs=1e-12)


def test_pairs_are_compared_on_the_stimuli_both_answered():
    right = random_answers(2, subjects=3)
    assembly = trials(right)
    seen = np.random.default_rng(3).random(right.shape) < 0.7
    kept = assembly.isel(presentation=np.flatnonzero(seen.ravel()))
    pairs = [
        cohen_kappa_score(right[i, both], right[j, both])
        for i, j in ((0, 1), (0, 2), (1, 2))
        for both in [seen[i] & seen[j]]
    ]
    estimate = HumanErrorConsistency(resamples=0)(kept)
    assert estimate.value == pytest.approx(np.mean(pairs), abs=1e-12)


def test_replicates_are_the_score_of_the_drawn_stimuli_and_subjects():
    right = random_answers(4, subjects=6, stimuli=40)
    target, source = trials(right), trials(right[0] * random_answers(5, 1, 40)[0])
    score = ErrorConsistency(resamples=8, seed=3)(source, target)
    ways = draw(
        stimulus_ids=source["stimulus_id"].values,
        subjects=np.unique(target["subject"].values),
        resamples=8,
        seed=3,
    )
    assert [r.scope for r in score.raw.replicates] == ["stimuli", "subjects", "stimuli×subjects"]
    for way, made in zip(ways, score.raw.replicates, strict=True):
        for b in range(8):
            stimuli = np.arange(40)
            if way.stimuli is not None:
                stimuli = np.repeat(stimuli, way.stimuli[b])
            drawn = np.arange(6) if way.neuroids is None else np.repeat(range(6), way.neuroids[b])
            kappas = [error_consistency(source.values[stimuli], right[h, stimuli]) for h in drawn]
            assert made.values[b] == pytest.approx(np.mean(kappas), rel=1e-6)


def test_replicates_of_the_ceiling_leave_out_pairs_of_a_subject_with_itself():
    right = random_answers(6, subjects=6, stimuli=40)
    estimate = HumanErrorConsistency(resamples=6, seed=1)(trials(right))
    way = draw(
        stimulus_ids=[f"s{n:03d}" for n in range(40)],
        subjects=[f"h{n}" for n in range(6)],
        resamples=6,
        seed=1,
    )[2]
    for b in range(6):
        stimuli = np.repeat(np.arange(40), way.stimuli[b])
        drawn = np.repeat(np.arange(6), way.neuroids[b])
        pairs = [
            error_consistency(right[i, stimuli], right[j, stimuli])
            for i in drawn
            for j in drawn
            if i != j
        ]
        assert estimate.replicates[2].values[b] == pytest.approx(np.mean(pairs), rel=1e-6)


def test_with_fewer_than_five_subjects_only_stimuli_are_drawn():
    right = random_answers(7, subjects=4)
    score = ErrorConsistency(resamples=5)(trials(right[0]), trials(right))
    assert [r.scope for r in score.raw.replicates] == ["stimuli"]


def test_observers_who_are_always_right_have_no_kappa():
    with pytest.raises(UndefinedScore, match="No kappa of 2 is defined"):
        ErrorConsistency()(trials(np.ones(10)), trials(np.ones((2, 10))))


def test_one_subject_has_nobody_to_be_consistent_with():
    with pytest.raises(UndefinedScore, match="at least two; there is one"):
        HumanErrorConsistency()(trials(random_answers(8, subjects=1)))


def test_subjects_who_saw_different_stimuli_have_no_ceiling():
    right = trials(random_answers(8, subjects=2, stimuli=10))
    apart = right.isel(presentation=[0, 1, 2, 13, 14, 15])
    with pytest.raises(UndefinedScore, match="share no stimuli"):
        HumanErrorConsistency()(apart)


def test_two_answers_of_a_subject_to_a_stimulus_are_refused_by_the_ceiling():
    right = trials(random_answers(9, subjects=2, stimuli=10))
    with pytest.raises(AssemblyError, match="more than once"):
        HumanErrorConsistency()(right.isel(presentation=[0, 0, 10, 11]))


def test_words_are_right_where_they_equal_the_truth():
    words = np.array(["cat", "dog", "na", "cat"])
    coords = {
        "stimulus_id": ("presentation", list("abcd")),
        "truth": ("presentation", ["cat", "cat", "dog", "cat"]),
    }
    target = xr.DataArray(words, dims=["presentation"], coords=coords)
    source = target[[2, 3, 0, 1]]
    assert ErrorConsistency(resamples=0)(source, target).value == pytest.approx(1)
