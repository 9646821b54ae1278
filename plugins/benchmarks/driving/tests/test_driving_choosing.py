"""Choosing from a pool whose true responses are known."""

import numpy as np
import pytest
from plugins.benchmarks.driving.tests.driving_data import linear
from scipy import stats
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

from corteval.errors import OptionError, UndefinedScore
from corteval.stats.splits import Split
from corteval_driving.candidates import HeldPool
from corteval_driving.choosing import EFFECTS, choose
from corteval_driving.encoding import ALPHAS


class Blocks:
    """A pool that is never held at once."""

    def __init__(self, features, size):
        self.features, self.size, self.largest = features, size, 0

    def __len__(self):
        return len(self.features)

    def blocks(self):
        for start in range(0, len(self), self.size):
            yield self.features[start : start + self.size]

    def rows(self, positions):
        self.largest = max(self.largest, len(positions))
        return self.features[positions]


def pool_of(data, size=1000, seed=9):
    return np.random.default_rng([seed, size]).standard_normal((size, data.x.shape[1]))


def quick(data, pool, count, **options):
    options = {"resamples": 30, "halvings": 2, **options}
    return choose(data.x, data.y[:, 0], HeldPool(features=pool), count, **options)


def by_name(choices):
    return {effect.name: effect for effect in choices.effects}


def test_those_with_the_highest_and_lowest_predictions_are_chosen_best_first():
    data = linear(0)
    pool = pool_of(data)
    found = quick(data, pool, 7)
    mean, sd = data.x.mean(axis=0), data.x.std(axis=0)
    model = RidgeCV(alphas=ALPHAS).fit((data.x - mean) / sd, data.y[:, 0])
    predicted = model.predict((pool - mean) / sd)
    order = np.argsort(predicted)
    assert [c.position for c in found.drive] == order[::-1][:7].tolist()
    assert [c.position for c in found.suppress] == order[:7].tolist()
    np.testing.assert_allclose(
        [c.predicted for c in found.drive], predicted[order[::-1][:7]], atol=1e-9
    )
    effects = by_name(found)
    assert tuple(effects) == EFFECTS
    drive = predicted[order[-7:]].mean() - data.y.mean()
    suppress = predicted[order[:7]].mean() - data.y.mean()
    assert effects["drive"].predicted == pytest.approx(drive, abs=1e-9)
    assert effects["suppress"].predicted == pytest.approx(suppress, abs=1e-9)
    assert effects["difference"].predicted == pytest.approx(drive - suppress, abs=1e-9)
    assert effects["all candidates"].predicted == pytest.approx(
        predicted.mean() - data.y.mean(), abs=1e-9
    )
    assert (found.baseline, found.spread) == pytest.approx((data.y.mean(), data.y.std()))


def test_of_a_gaussian_pool_the_effect_is_the_expected_mean_of_the_largest():
    """Responses with unit variance and almost no noise: i = φ(z) / share, z its quantile."""
    data = linear(1, stimuli=2000, noise=0.01)
    pool = pool_of(data, 50_000)
    found = by_name(quick(data, pool, 500, resamples=0, halvings=1))
    share = 500 / 50_000
    expected = stats.norm.pdf(stats.norm.ppf(share)) / share
    assert found["drive"].predicted == pytest.approx(expected, abs=0.06)
    assert found["suppress"].predicted == pytest.approx(-expected, abs=0.06)
    assert found["drive"].cross_fitted == pytest.approx(expected, abs=0.06)


def test_the_true_effect_is_within_the_interval():
    data = linear(2, stimuli=500, features=12)
    pool = pool_of(data, 3000)
    found = quick(data, pool, 50, resamples=100)
    truth = pool[[c.position for c in found.drive]] @ data.beta
    drive = by_name(found)["drive"].interval
    assert drive.low <= truth.mean() <= drive.high
    assert drive.scope == "stimuli" and drive.resamples == 100
    for chosen in found.drive + found.suppress:
        assert chosen.interval.low <= chosen.predicted <= chosen.interval.high


def test_where_there_is_nothing_to_predict_the_cross_fitted_effect_is_near_zero():
    """By itself the model of few stimuli would promise much; mean over recordings."""
    apparent, crossed = [], []
    for seed in range(12):
        data = linear(seed, stimuli=60, features=30, gain=0.0)
        found = quick(data, pool_of(data, 300), 20, alphas=[1e-3], resamples=0, halvings=3)
        effect = by_name(found)["difference"]
        apparent.append(effect.predicted)
        crossed.append(effect.cross_fitted)
    assert np.mean(apparent) > 2
    assert abs(np.mean(crossed)) < 0.6 * np.mean(apparent) / 2


def test_the_check_is_the_slope_on_held_out_stimuli():
    data = linear(3, features=20)
    folds = [Split(*s) for s in KFold(5, shuffle=True, random_state=0).split(data.x)]
    check = quick(data, pool_of(data), 5, splits=folds, resamples=0).check
    predicted, measured = np.zeros((2, 200))
    for train, test in folds:
        mean, sd = data.x[train].mean(axis=0), data.x[train].std(axis=0)
        model = RidgeCV(alphas=ALPHAS).fit((data.x[train] - mean) / sd, data.y[train, 0])
        base = data.y[train].mean()
        predicted[test] = model.predict((data.x[test] - mean) / sd) - base
        measured[test] = data.y[test, 0] - base
    slope = np.linalg.lstsq(predicted[:, None], measured, rcond=None)[0][0]
    assert check.slope == pytest.approx(slope, abs=1e-9)
    assert check.r == pytest.approx(np.corrcoef(predicted, measured)[0, 1], abs=1e-9)
    assert check.splits == 5


def test_exaggerated_predictions_are_told():
    data = linear(4, stimuli=60, features=50)
    folds = [Split(*s) for s in KFold(5, shuffle=True, random_state=0).split(data.x)]
    found = quick(data, pool_of(data), 5, splits=folds, alphas=[1e-3], resamples=0)
    assert any("exaggerated" in note for note in found.notes)
    assert any("extrapolation" in note for note in found.notes)


def test_a_pool_that_is_streamed_gives_the_same():
    data = linear(5)
    features = pool_of(data, 503)
    pool = Blocks(features, 50)
    options = {"resamples": 10, "halvings": 1}
    streamed = choose(data.x, data.y[:, 0], pool, 9, **options)
    held = choose(data.x, data.y[:, 0], HeldPool(features=features), 9, **options)
    assert pool.largest == 18
    assert [c.position for c in streamed.drive] == [c.position for c in held.drive]
    for one, other in zip(streamed.effects, held.effects, strict=True):
        assert one.predicted == pytest.approx(other.predicted, abs=1e-9)


def test_the_slope_adds_to_what_refits_vary():
    """Variances add, since the two are drawn apart; the slope is of pairs of folds."""
    data = linear(13, features=20, noise=2.0)
    folds = [Split(*s) for s in KFold(5, shuffle=True, random_state=0).split(data.x)]
    bare, whole = (
        by_name(quick(data, pool_of(data), 20, resamples=400, splits=splits))["drive"]
        for splits in ((), folds)
    )
    assert bare.predicted == whole.predicted
    widths = [(e.interval.high - e.interval.low) / 2 / 1.97 for e in (bare, whole)]
    predicted, measured = np.zeros((2, 200))
    for train, test in folds:
        mean, sd = data.x[train].mean(axis=0), data.x[train].std(axis=0)
        model = RidgeCV(alphas=ALPHAS).fit((data.x[train] - mean) / sd, data.y[train, 0])
        base = data.y[train].mean()
        predicted[test] = model.predict((data.x[test] - mean) / sd) - base
        measured[test] = data.y[test, 0] - base
    rng = np.random.default_rng(0)
    slopes = []
    for _ in range(2000):
        rows = rng.integers(0, 200, 200)
        slopes.append(predicted[rows] @ measured[rows] / (predicted[rows] @ predicted[rows]))
    expected = np.hypot(widths[0], np.std(slopes) * whole.predicted)
    assert widths[1] == pytest.approx(expected, rel=0.12)


def test_groups_are_drawn_as_a_whole():
    """Forty stimuli in eight groups that share a response: few independent facts, wide bounds."""
    rng = np.random.default_rng(6)
    x = np.repeat(rng.standard_normal((8, 2)), 20, axis=0) + 0.1 * rng.standard_normal((160, 2))
    y = x[:, 0] + np.repeat(rng.standard_normal(8), 20)
    pool = HeldPool(features=rng.standard_normal((200, 2)))
    groups = [f"g{n // 20}" for n in range(160)]
    alone = by_name(choose(x, y, pool, 20, resamples=80))["drive"].interval
    together = by_name(choose(x, y, pool, 20, resamples=80, groups=groups))["drive"].interval
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert together.scope == "8 groups of stimuli"


def test_a_seed_decides_everything():
    data = linear(7)
    pool = pool_of(data)
    one, same, other = (quick(data, pool, 5, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.effects[0].interval != other.effects[0].interval
    assert one.drive[0].position == other.drive[0].position


@pytest.mark.parametrize(
    ("count", "options", "words"),
    [
        (0, {}, "1 to 500"),
        (501, {}, "1 to 500"),
        (5, {"level": 1.0}, "level"),
        (5, {"resamples": -1}, "0 or more"),
        (5, {"groups": ["a", "b"]}, "2 names of groups"),
        (5, {"groups": ["a"] * 200}, "one group"),
    ],
)
def test_what_cannot_be_chosen_is_refused(count, options, words):
    data = linear(8)
    with pytest.raises(OptionError, match=words):
        quick(data, pool_of(data), count, **options)


def test_responses_that_do_not_vary_are_refused():
    data = linear(8)
    with pytest.raises(UndefinedScore, match="do not vary"):
        choose(data.x, np.ones(200), HeldPool(features=pool_of(data)), 5)


#: Recordings as they come: how many stimuli and features, and how noisy.
GENERATORS = {
    "clear": {"stimuli": 300, "features": 20, "noise": 1.0},
    "as fMRI": {"stimuli": 300, "features": 40, "noise": 2.0},
    "more features than stimuli": {"stimuli": 150, "features": 200, "noise": 1.0},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERATORS)
def test_intervals_of_effects_cover_and_cross_fitted_effects_promise_too_little(
    name, record_testsuite_property
):
    """Over recordings of different origin, the choice included."""
    covered, apparent, crossed, truth = [], [], [], []
    for seed in range(100):
        data = linear(seed, **GENERATORS[name])
        pool = pool_of(data, 1500, seed)
        folds = [Split(*s) for s in KFold(5, shuffle=True, random_state=seed).split(data.x)]
        found = quick(data, pool, 40, resamples=60, halvings=2, seed=seed, splits=folds)
        drive = by_name(found)["drive"]
        true = float((pool[[c.position for c in found.drive]] @ data.beta).mean())
        covered.append(drive.interval.low <= true <= drive.interval.high)
        apparent.append(drive.predicted)
        crossed.append(drive.cross_fitted)
        truth.append(true)
    record_testsuite_property(f"coverage of effects, {name}", float(np.mean(covered)))
    record_testsuite_property(f"predicted minus true, {name}", np.mean(apparent) - np.mean(truth))
    assert 0.88 <= np.mean(covered) <= 1.0
    assert np.mean(apparent) == pytest.approx(np.mean(truth), rel=0.15)
    assert np.mean(crossed) < np.mean(truth)
