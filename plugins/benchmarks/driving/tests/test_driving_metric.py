"""The metric and its ceilings on recordings of known origin."""

import numpy as np
import pytest
from plugins.benchmarks.driving.tests.driving_data import linear
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, KFold

from corteval import registry
from corteval.assembly import responses_matrix
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import normalize, unnormalized
from corteval_driving.ceiling import HalvesChoice, SignalToNoise
from corteval_driving.encoding import ALPHAS
from corteval_driving.metric import DriveSuppress


def top_and_bottom(by, of, count):
    order = np.argsort(by)
    return of[order[-count:]].mean() - of[order[:count]].mean()


def by_scikit_learn(data, splits, count):
    """Mean over splits of the median over neuroids of the share."""
    found = []
    for train, test in splits:
        mean, sd = data.x[train].mean(axis=0), data.x[train].std(axis=0)
        model = RidgeCV(alphas=ALPHAS, alpha_per_target=True)
        model.fit((data.x[train] - mean) / sd, data.y[train])
        predicted = model.predict((data.x[test] - mean) / sd)
        shares = [
            top_and_bottom(p, y, count) / top_and_bottom(y, y, count)
            for p, y in zip(predicted.T, data.y[test].T, strict=True)
        ]
        found.append(np.median(shares))
    return np.mean(found)


def test_it_is_what_scikit_learn_predicts_and_numpy_chooses():
    data = linear(0, neuroids=5)
    splits = KFold(5, shuffle=True, random_state=1).split(data.x)
    expected = by_scikit_learn(data, splits, 4)
    score = DriveSuppress(resamples=0)(data.source(), data.target())
    assert score.value == pytest.approx(expected, abs=1e-9)
    assert (score.raw.quantity, score.samples.shape) == ("similarity", (5, 5))


def test_passages_are_kept_together_unasked():
    data = linear(1, neuroids=2)
    passage = [f"p{n // 8:02d}" for n in range(200)]
    splits = GroupKFold(5, shuffle=True, random_state=1).split(data.x, groups=passage)
    score = DriveSuppress(resamples=0)(data.source(), data.target(passage=passage))
    assert score.value == pytest.approx(by_scikit_learn(data, splits, 4), abs=1e-9)
    assert not any("leaky" in note for note in score.notes)


def test_divided_passages_are_told():
    data = linear(1)
    target = data.target(passage=[f"p{n // 8:02d}" for n in range(200)])
    metric = DriveSuppress(resamples=0, cross_validation={"folds": "kfold", "allow_leaky": True})
    assert any("leaky" in note for note in metric(data.source(), target).notes)


def test_noise_is_at_zero_and_most_intervals_hold_it():
    scores = [
        unnormalized(
            DriveSuppress(resamples=100)(linear(100 + seed).source(), linear(seed).target()), "test"
        )
        for seed in range(20)
    ]
    assert np.mean([s.value for s in scores]) == pytest.approx(0, abs=0.06)
    assert sum(s.interval.low < 0 < s.interval.high for s in scores) >= 16


def test_what_was_measured_at_both_ends_is_told():
    data = linear(4, stimuli=400, noise=0.0)
    (note, *_) = DriveSuppress(resamples=0, share=0.1)(data.source(), data.target()).notes
    words = note.split()
    high, low = (float(words[words.index("sd") - 1]), float(words[-2]))
    y = np.sort(data.y[:, 0])
    in_folds = 0.1  # folds hold out 80 each, so their extremes lie a little nearer
    assert high == pytest.approx((y[-40:].mean() - y.mean()) / y.std(), abs=in_folds)
    assert low == pytest.approx((y[:40].mean() - y.mean()) / y.std(), abs=in_folds)


def test_subjects_are_averaged_after_their_neuroids():
    data = linear(5, neuroids=6)
    subject = [*"aabbbb"]
    target = data.target().assign_coords(subject=("neuroid", subject))
    score = DriveSuppress(resamples=0, aggregate="subjects")(data.source(), target)
    r = score.samples.values
    expected = np.mean([np.median(r[:, :2], axis=1), np.median(r[:, 2:], axis=1)])
    assert score.value == pytest.approx(expected)
    with pytest.raises(AssemblyError, match="subject"):
        DriveSuppress(aggregate="subjects")(data.source(), data.target())


def test_constant_neuroids_are_left_out():
    data = linear(6, neuroids=3)
    target = data.target()
    flat = target.copy(data=np.where([True, True, False], target.values, 1.0))
    kept = DriveSuppress(resamples=0)(data.source(), target.isel(neuroid=[0, 1]))
    assert DriveSuppress(resamples=0)(data.source(), flat).value == pytest.approx(kept.value)
    with pytest.raises(UndefinedScore, match="constant"):
        DriveSuppress(resamples=0)(data.source(), flat.isel(neuroid=[2]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"share": 0.6}, "share"),
        ({"aggregate": "mean"}, "aggregate"),
        ({"resamples": -1}, "resamples"),
        ({"seed": 1.5}, "seed"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        DriveSuppress(**options)


@pytest.mark.parametrize("ceiling", ["drive_suppress_noiseless", "drive_suppress_ncsnr"])
@pytest.mark.parametrize("noise", [1.0, 2.5])
def test_a_subject_that_knows_the_noiseless_response_is_at_the_ceiling(ceiling, noise):
    """Mean over ten recordings."""
    found = []
    for seed in range(10):
        data = linear(seed, stimuli=500, features=2, trials=6, noise=noise)
        raw = DriveSuppress(resamples=0)(data.source(), responses_matrix(data.target()))
        limit = registry.metrics.create(ceiling, resamples=0)(data.target())
        found.append(normalize(raw, limit).value)
    assert np.mean(found) == pytest.approx(1, abs=0.04)


def test_ceilings_are_the_shares_that_reliability_gives():
    """Of six trials of unit noise, 6/7 of the variance is signal; of three, 3/4."""
    data = linear(7, stimuli=4000, features=2, trials=6)
    whole, half = np.sqrt(6 / 7), np.sqrt(3 / 4)
    create = registry.metrics.create
    for name, expected in (
        ("drive_suppress_noiseless", whole),
        ("drive_suppress_ncsnr", whole),
        ("drive_suppress_half", whole * half),
    ):
        estimate = create(name, resamples=0)(data.target())
        assert estimate.value == pytest.approx(expected, abs=0.02)
        assert estimate.quantity == "similarity"


def test_ncsnr_is_the_formula_of_the_natural_scenes_data_set():
    """Written out for complete trials; spec language 5."""
    data = linear(8, stimuli=300, trials=5, noise=2.0)
    trials = data.y[:, 0]
    noise = trials.var(axis=1, ddof=1).mean()
    signal = max(0, trials.var(ddof=1) - noise)
    ncsnr2 = signal / noise
    expected = np.sqrt(ncsnr2 / (ncsnr2 + 1 / 5))
    assert SignalToNoise(resamples=0)(data.target()).value == pytest.approx(expected, abs=1e-9)


def test_a_ceiling_within_test_sets_has_the_splits_of_the_score():
    data = linear(9, stimuli=300, trials=4)
    splits = {"folds": "kfold", "count": 5}
    raw = DriveSuppress(cross_validation=splits, resamples=0)(
        data.source(), responses_matrix(data.target())
    )
    same = HalvesChoice(cross_validation=splits, resamples=0)(data.target())
    assert same.splits == raw.raw.splits
    assert normalize(raw, same).value > 0.5
    other = HalvesChoice(cross_validation={"folds": "kfold", "count": 4}, resamples=0)
    with pytest.raises(OptionError, match="different splits"):
        normalize(raw, other(data.target()))


def test_within_groups_that_differ_in_their_mean_less_can_be_attained():
    """Passages shift by three sd; test sets are of one passage each."""
    data = linear(10, stimuli=300, trials=4, noise=1.5)
    shift = 3.0 * np.repeat(np.random.default_rng(0).standard_normal(10), 30)
    target = data.target(passage=[f"p{n // 30}" for n in range(300)])
    target = target + shift[:, None, None]
    splits = {"folds": "kfold", "count": 10, "group_by": "passage"}
    within = HalvesChoice(cross_validation=splits, resamples=0)(target).value
    among_all = HalvesChoice(resamples=0)(target).value
    assert among_all > within + 0.1


def test_missing_trials_are_left_out_of_halves():
    data = linear(11, stimuli=400, features=2, trials=6)
    holed = data.target().astype(float).copy()
    gone = np.random.default_rng(0).random((400, 1, 6)) < 0.3
    gone[..., :2] = False
    holed.values[gone] = np.nan
    full, part = (HalvesChoice(resamples=0)(t).value for t in (data.target(), holed))
    assert full - 0.15 < part < full
    once = data.target().astype(float).copy()
    once.values[..., 1:] = np.nan
    with pytest.raises(UndefinedScore, match="needs at least 10 stimuli"):
        HalvesChoice(resamples=0)(once)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"chosen_by": "all"}, "chosen_by"),
        ({"share": 0}, "share"),
        ({"halvings": 0}, "halving"),
        ({"aggregate": "mean"}, "aggregate"),
    ],
)
def test_wrong_options_of_ceilings_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        HalvesChoice(**options)


def test_unreliable_recordings_have_no_ceiling():
    data = linear(12, stimuli=40, trials=2, gain=0.0, noise=1.0)
    target = data.target()
    against = target.copy(data=np.stack([target.values[..., 0], -target.values[..., 0]], axis=-1))
    with pytest.raises(UndefinedScore, match="do not agree"):
        HalvesChoice(resamples=0)(against)


def known_in_part(seed, **options):
    """Normalised score of a subject that has six of ten features, and the share they explain.

    Responses are a sum over features with weights of norm 1, so that the best prediction by some of
    them correlates with the noiseless response by the norm of their weights.
    """
    data = linear(seed, trials=4, features=10, stimuli=200, **options)
    source = data.source().isel(neuroid=slice(0, 6))
    raw = DriveSuppress(resamples=200)(source, responses_matrix(data.target()))
    score = normalize(raw, HalvesChoice(resamples=200, halvings=3)(data.target()))
    return score, np.linalg.norm(data.beta[:6], axis=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "fewest"), [({}, 1.0), ({"noise": 2.0}, 0.8)], ids=["clear", "noisy"]
)
def test_intervals_of_normalised_scores_cover(options, fewest, record_testsuite_property):
    """Where the ceiling is hardly above zero there is none, and a note says so."""
    covered, lacking = [], 0
    for seed in range(150):
        score, (truth,) = known_in_part(seed, **options)
        if score.interval is None:
            lacking += 1
            assert any("no interval" in note for note in score.notes)
            continue
        covered.append(score.interval.low <= truth <= score.interval.high)
    record_testsuite_property(f"coverage, {options}", float(np.mean(covered)))
    record_testsuite_property(f"without interval, {options}", lacking)
    assert 0.90 <= np.mean(covered) <= 0.995
    assert len(covered) >= fewest * 150


@pytest.mark.slow
def test_intervals_over_neuroids_cover_the_median_of_all_there_are(record_testsuite_property):
    """Each recording has other neuroids of the same population."""
    found = [known_in_part(seed, neuroids=12)[0] for seed in range(60)]
    truth = np.mean([score.value for score in found])
    covered = np.mean([s.interval.low <= truth <= s.interval.high for s in found])
    record_testsuite_property("coverage over neuroids", float(covered))
    assert found[0].interval.scope == "stimuli×neuroids"
    assert covered >= 0.88
