import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.model_selection import KFold

from corteval.errors import OptionError
from corteval.stats.splits import Split
from corteval_ceilings import Recordings, collect, levels, predictions
from corteval_ceilings.pools import ALPHAS
from corteval_ceilings.subsets import Call

FITS = {
    "linear": LinearRegression(),
    "ridge": Ridge(alpha=1.0),
    "ridgecv": RidgeCV(alphas=ALPHAS),
}


def responses(seed=0, subjects=4, stimuli=60, neuroids=5):
    """Of each subject; one more neuroid in each than in the one before."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((stimuli, 8))
    return [
        3 + factors @ rng.standard_normal((8, n)) + rng.standard_normal((stimuli, n))
        for n in range(neuroids, neuroids + subjects)
    ]


def folds(stimuli, count=3):
    return [Split(*s) for s in KFold(count, shuffle=True, random_state=0).split(np.arange(stimuli))]


def by_scikit_learn(y, call, split, fit):
    pool = np.concatenate([y[s] for s in call.pool], axis=1)
    target = y[call.held_out]
    predicted = FITS[fit].fit(pool[split.train], target[split.train]).predict(pool[split.test])
    observed = target[split.test]
    return np.array(
        [np.corrcoef(predicted[:, n], observed[:, n])[0, 1] for n in range(target.shape[1])]
    )


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("neuroids", [3, 25, 70], ids=["narrow", "some wide", "wide"])
def test_predictions_equal_those_of_scikit_learn(fit, neuroids):
    y = responses(neuroids=neuroids)
    data, plan, split = Recordings.of(y), levels(4), folds(60)[0]
    for level, found in predictions(data, plan, split, fit=fit):
        for one in found:
            expected = by_scikit_learn(y, plan[level].calls[one.call], split, fit)
            np.testing.assert_allclose(one.r, expected, atol=1e-8)


@pytest.mark.parametrize("fit", ["linear", "ridge"])
@pytest.mark.parametrize("neuroids", [4, 70])
def test_neuroids_that_repeat_each_other_are_fitted_as_scikit_learn_does(fit, neuroids):
    y = responses(neuroids=neuroids)
    y[1] = np.concatenate([y[0], y[0]], axis=1)
    data, split = Recordings.of(y), folds(60)[0]
    for level, found in predictions(data, levels(4), split, fit=fit):
        for one in found:
            expected = by_scikit_learn(y, levels(4)[level].calls[one.call], split, fit)
            np.testing.assert_allclose(one.r, expected, atol=1e-7)


def test_stimuli_that_repeat_each_other_are_fitted_as_scikit_learn_does():
    y = [np.concatenate([part, part]) for part in responses(stimuli=30, neuroids=70)]
    split = Split(np.arange(0, 45), np.arange(45, 60))
    for level, found in predictions(Recordings.of(y), levels(4), split, fit="linear"):
        for one in found:
            expected = by_scikit_learn(y, levels(4)[level].calls[one.call], split, "linear")
            np.testing.assert_allclose(one.r, expected, atol=1e-7)


def test_a_constant_neuroid_has_no_correlation_and_a_constant_pool_predicts_nothing():
    y = responses(subjects=3)
    y[0][:, 1] = 3.7
    y[2][:] = 1.1
    (_, found), *_ = predictions(Recordings.of(y), levels(3), folds(60)[0], fit="linear")
    for one in found:
        call = levels(3)[0].calls[one.call]
        if call.pool == (2,) or call.held_out == 2:
            assert np.isnan(one.r).all()
        elif call.held_out == 0:
            assert np.isnan(one.r).tolist() == [False, True, False, False, False]


def test_all_subsets_hold_out_each_member_once():
    small, large = levels(3)
    assert small.subjects, large.subjects == (2, 3)
    assert small.calls == tuple(
        Call(pool=(a,), held_out=b) for a, b in [(1, 0), (0, 1), (2, 0), (0, 2), (2, 1), (1, 2)]
    )
    assert large.calls == (Call((1, 2), 0), Call((0, 2), 1), Call((0, 1), 2))
    assert sum(len(level.calls) for level in levels(10)) == 5110
    assert len({call.pool for level in levels(10) for call in level.calls}) == 1022


def test_sampled_subsets_follow_two_generators():
    drawn, held = np.random.RandomState(0), np.random.RandomState(0)
    for level in levels(6, sampling="sampled"):
        subsets = []
        while len(subsets) < 10:
            subset = tuple(drawn.choice(np.arange(6), level.subjects, replace=False))
            subsets += [subset] if subset not in subsets else []
        expected = []
        for subset in subsets:
            for out in dict.fromkeys(held.choice(sorted(subset), 5)):
                expected.append((tuple(sorted(set(subset) - {out})), out))
        assert list(level.calls) == expected


def test_subsets_that_do_not_exist_are_refused():
    with pytest.raises(OptionError, match="10 subsets of 2 of 3 subjects"):
        levels(3, sampling="sampled")


@pytest.mark.parametrize("sampling", ["all", "sampled"])
def test_means_of_bootstraps_equal_those_drawn_neuroid_by_neuroid(sampling):
    """Loops of the definition: a fresh generator for each neuroid, levels within bootstraps."""
    y, splits = responses(subjects=4), folds(60)
    plan = levels(4, sampling=sampling, subsets=4, hold_outs=2)
    found = collect(Recordings.of(y), plan, splits, bootstraps=6)
    assert found.subjects.tolist() == [2, 3, 4]
    column = 0
    for subject in range(4):
        pools = [
            np.array(
                [
                    [by_scikit_learn(y, call, split, "linear") for split in splits]
                    for call in level.calls
                    if call.held_out == subject
                ]
            )
            for level in plan
        ]
        for neuroid in range(y[subject].shape[1]):
            generator = np.random.RandomState(0)
            flat = [p[:, :, neuroid].ravel() if len(p) else p for p in pools]
            for b in range(6):
                for level, scores in enumerate(flat):
                    expected = np.nan
                    if len(scores):
                        expected = generator.choice(scores, len(scores), replace=True).mean()
                    value = found.bootstraps[level, b, column]
                    assert value == pytest.approx(expected, abs=1e-9, nan_ok=True)
            plain = [s.mean() if len(s) else np.nan for s in flat]
            np.testing.assert_allclose(found.plain[:, column], plain, atol=1e-9)
            column += 1


def test_means_without_a_subject_are_of_pools_that_lack_it():
    y, splits, plan = responses(), folds(60), levels(4)
    found = collect(Recordings.of(y), plan, splits, bootstraps=1).without
    for level in range(3):
        scores = [
            np.mean([by_scikit_learn(y, call, split, "linear") for split in splits], axis=0)
            for call in plan[level].calls
            if call.held_out == 0 and 2 not in call.pool
        ]
        expected = np.mean(scores, axis=0) if scores else np.full(5, np.nan)
        np.testing.assert_allclose(found[level, 2, :5], expected, atol=1e-9)


def test_scores_without_value_are_left_out_of_means():
    y, splits = responses(subjects=3), folds(60)
    y[0][splits[1].test, 2] = 0.5
    found = collect(Recordings.of(y), levels(3), splits, bootstraps=2)
    kept = [splits[0], splits[2]]
    expected = collect(Recordings.of(y), levels(3), kept, bootstraps=2)
    np.testing.assert_allclose(found.plain[:, 2], expected.plain[:, 2])


def test_derivatives_agree_with_weighting_a_stimulus():
    y, splits, plan = responses(subjects=3), folds(60), levels(3)
    data = Recordings.of(y)
    found = collect(data, plan, splits, bootstraps=1, derivatives=True)
    step, changed, counts = 1e-4, np.zeros((2, 60, 18)), np.zeros((2, 3))
    for split in splits:
        for level, several in predictions(data, plan, split, fit="linear"):
            for one in several:
                columns = data.columns[one.held_out]
                for row, stimulus in enumerate(split.test):
                    weights = np.ones(len(split.test))
                    weights[row] += step
                    moved = [
                        np.cov(p, o, aweights=weights)
                        for p, o in zip(one.predicted.T, one.observed.T, strict=True)
                    ]
                    r = [c[0, 1] / np.sqrt(c[0, 0] * c[1, 1]) for c in moved]
                    changed[level, stimulus, columns] += (r - one.r) / step
                counts[level, one.held_out] += 1
    for subject, columns in enumerate(data.columns):
        expected = changed[:, :, columns] / counts[:, subject, None, None]
        np.testing.assert_allclose(found.moved[:, :, columns], expected, atol=1e-4)
