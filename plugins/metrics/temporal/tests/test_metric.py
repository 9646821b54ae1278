import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit
from sklearn.preprocessing import StandardScaler

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, normalize
from corteval_temporal import ObjectSolutionTimes, trained_logits
from corteval_temporal.example import ramps

FAST = {"resamples": 20}
SMALL = {"stimuli": 60, "objects": 3, "neuroids": 30, "time_bins": 4, "threshold": 1.8}
#: Short training of few images needs many neuroids to come to anything.
WIDE = {"stimuli": 100, "neuroids": 600, "time_bins": 4, "threshold": 1.5}
INPUTS = {"converged": ramps(**SMALL), "trained": ramps(**WIDE)}


def converged(**options):
    return ObjectSolutionTimes(readout="converged", **FAST, **options)


def shuffled(array, dim, seed=0):
    order = np.random.default_rng(seed).permutation(array.sizes[dim])
    return array.isel({dim: order})


def by_definition(source, target, logits):
    """Split by split, bin by bin, image by image, over stimuli in the order of ids."""
    target = target.sortby("stimulus_id")
    source = source.sortby("stimulus_id").sortby("time_bin_start_ms").sortby("neuroid_id")
    values = source.transpose("time_bin", "presentation", "neuroid").values
    truth, threshold = target["truth"].values, target["i1"].values
    time, names = source["time_bin_start_ms"].values, sorted(set(truth))
    correlations = []
    for train, test in ShuffleSplit(10, train_size=0.9, random_state=1).split(truth):
        best, solved = {}, {}
        for bin_, responses in enumerate(values):
            scaler = StandardScaler().fit(responses[train])
            codes = np.array([names.index(t) for t in truth[train]])
            found = logits(
                scaler.transform(responses[train]), codes, scaler.transform(responses[test])
            )
            p = np.exp(found - found.max(axis=1, keepdims=True))
            own = [names.index(t) for t in truth[test]]
            alarm = np.array([p[i] / (p[i] + p[i, own[i]]) for i in range(len(test))])
            for i, image in enumerate(test):
                d = []
                for k in range(len(names)):
                    of_k = [alarm[j, own[i]] for j in range(len(test)) if own[j] == k]
                    if k != own[i] and of_k:
                        distance = norm.ppf(1 - alarm[i, k]) - norm.ppf(np.mean(of_k))
                        d.append(np.clip(distance, -5, 5))
                performance = np.mean(d) if d else np.nan
                if image in solved:
                    continue
                if performance >= threshold[image]:
                    solved[image] = time[bin_]
                    if image in best:
                        then, before = best[image]
                        share = (threshold[image] - before) / (performance - before)
                        solved[image] = then + share * (time[bin_] - then)
                elif image not in best or performance > best[image][1]:
                    best[image] = time[bin_], performance
        common = sorted(i for i in solved if np.isfinite(target.values[i]))
        if len({solved[i] for i in common}) > 1:
            mine = [solved[i] for i in common]
            correlations.append(spearmanr(mine, target.values[common]).statistic)
    return np.mean(correlations), np.std(correlations) / np.sqrt(len(correlations))


def scikit_learns(train, codes, test):
    """The published loss with its penalised bias: a constant response."""
    x, unseen = (np.c_[part, np.ones(len(part))] for part in (train, test))
    fit = LogisticRegression(
        C=1 / (0.463 * len(x)), fit_intercept=False, solver="newton-cg", tol=1e-10, max_iter=10_000
    )
    return fit.fit(x, codes).decision_function(unseen)


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_the_converged_form_is_its_definition_in_a_loop(noise):
    source, target = ramps(**SMALL, noise=noise, seed=4)
    raw = converged()(source, target).raw
    value, error = by_definition(source, target, scikit_learns)
    assert raw.value == pytest.approx(value, abs=1e-9)
    assert raw.error == pytest.approx(error, abs=1e-9)


def test_the_published_form_is_its_definition_in_a_loop():
    source, target = INPUTS["trained"]

    def one_bin(train, codes, test):
        return trained_logits(train[None], codes, test[None])[0]

    raw = ObjectSolutionTimes(**FAST)(source, target).raw
    value, error = by_definition(source, target, one_bin)
    assert raw.value == pytest.approx(value, abs=1e-9)
    assert raw.error == pytest.approx(error, abs=1e-9)


@pytest.mark.parametrize("readout", ["trained", "converged"])
def test_ramps_are_solved_in_the_order_of_their_onsets(readout):
    source, target = ramps(stimuli=200, neuroids=800)
    score = ObjectSolutionTimes(readout=readout, **FAST)(source, target)
    assert score.value > 0.9
    assert score.samples["solved"].values.sum() >= 0.95 * 200


def test_opposite_times_have_the_opposite_score():
    source, target = ramps(**SMALL)
    assert converged()(source, -target).value == pytest.approx(-converged()(source, target).value)


def test_noise_in_the_responses_lowers_the_score():
    clean, noisy = (
        converged()(*ramps(**{**SMALL, "stimuli": 200}, noise=noise)).value for noise in (0.1, 1.0)
    )
    assert noisy < clean - 0.1


@settings(max_examples=4, deadline=None)
@given(st.floats(1, 300), st.booleans())
def test_monotone_transformations_of_measured_times_change_nothing(scale, logarithmic):
    source, target = ramps(**SMALL)
    moved = np.log(target) if logarithmic else np.exp(target / scale)
    assert converged()(source, moved).value == converged()(source, target).value


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 1000))
def test_scale_and_offset_of_each_neuroid_change_nothing(seed):
    source, target = ramps(**SMALL)
    rng = np.random.default_rng(seed)
    shape = (1, source.sizes["neuroid"], 1)
    moved = source * rng.uniform(0.2, 5, shape) + rng.normal(0, 3, shape)
    assert converged()(moved, target).value == pytest.approx(converged()(source, target).value)


@pytest.mark.parametrize("readout", ["trained", "converged"])
@pytest.mark.parametrize("dim", ["presentation", "neuroid", "time_bin"])
def test_the_order_of_the_responses_does_not_matter(readout, dim):
    source, target = INPUTS[readout]
    metric = ObjectSolutionTimes(readout=readout, **FAST)
    assert metric(shuffled(source, dim), target).raw == metric(source, target).raw


@pytest.mark.parametrize("readout", ["trained", "converged"])
def test_the_order_of_the_target_does_not_matter(readout):
    source, target = INPUTS[readout]
    metric = ObjectSolutionTimes(readout=readout, **FAST)
    straight, moved = metric(source, target), metric(source, shuffled(target, "presentation"))
    assert moved.raw.value == pytest.approx(straight.raw.value, abs=1e-12)
    assert moved.raw.splits == straight.raw.splits
    np.testing.assert_allclose(
        moved.raw.replicates[0].values, straight.raw.replicates[0].values, atol=1e-6
    )


def test_only_the_trained_form_depends_on_the_seed():
    source, target = INPUTS["trained"]
    trained = [ObjectSolutionTimes(seed=s, **FAST)(source, target).value for s in (0, 0, 1)]
    assert trained[0] == trained[1] != trained[2]
    assert converged(seed=0)(source, target).value == converged(seed=1)(source, target).value


def test_trials_are_averaged():
    source, target = ramps(**SMALL)
    trials = xr.concat([source + 0.5, source - 0.5], "trial").transpose(..., "trial")
    found = converged()(trials, target).value
    assert found == pytest.approx(converged()(source, target).value)


def test_time_bins_are_read_out_a_few_at_a_time(monkeypatch):
    source, target = INPUTS["trained"]
    whole = ObjectSolutionTimes(**FAST)(source, target).raw
    monkeypatch.setattr("corteval_temporal.metric._BUDGET", 1)
    assert ObjectSolutionTimes(**FAST)(source, target).raw == whole


def test_samples_tell_solved_unsolved_and_untested_images_apart():
    source, target = ramps(**{**SMALL, "threshold": 3.0})
    score = converged()(source, target)
    times = score.samples
    tested = ~np.isnan(times.values)
    assert (tested.sum(axis=1) == 6).all()
    assert np.isinf(times.values[tested]).any()
    np.testing.assert_array_equal(np.isfinite(times.values).sum(axis=1), times["solved"])
    assert np.nanmean(times["spearman"]) == pytest.approx(score.value)
    last = np.isfinite(times.values[-1])
    expected = spearmanr(times.values[-1, last], target.values[last]).statistic
    assert times["spearman"].values[-1] == pytest.approx(expected)


def test_images_that_are_never_solved_by_primates_are_left_out():
    source, target = ramps(**SMALL)
    some = target.where(np.arange(60) % 3 > 0, np.inf)
    score = converged()(source, some)
    value, _ = by_definition(source, some, scikit_learns)
    assert score.value == pytest.approx(value, abs=1e-9)


def test_splits_without_value_are_left_out_and_counted():
    source, target = ramps(**SMALL)
    rare = target.where(np.arange(60) < 20, np.inf)
    score = converged()(source, rare)
    per_split = score.samples["spearman"].values
    lost = np.isnan(per_split).sum()
    assert 0 < lost < 10
    assert np.isnan(per_split[score.samples["solved"].values < 2]).all()
    assert score.value == pytest.approx(np.nanmean(per_split))
    assert f"{lost} of 10 splits have no value and are left out" in score.notes[1]
    assert f"mean over {10 - lost} splits" in score.raw.method


def test_more_images_may_be_asked_of_a_split():
    source, target = ramps(**SMALL)
    rare = target.where(np.arange(60) < 30, np.inf)
    per_split = converged(fewest_solved=4)(source, rare).samples
    lost = np.isnan(per_split["spearman"].values)
    few = per_split["solved"].values < 4
    assert few.any() and lost[few].all() and not lost[~few].all()


@pytest.mark.parametrize("threshold", [6.0, np.inf])
def test_thresholds_out_of_reach_leave_no_score(threshold):
    source, target = ramps(**{**SMALL, "threshold": threshold})
    with pytest.raises(UndefinedScore, match="0 of 60 tested images are solved"):
        converged()(source, target)


def test_the_short_training_that_solves_nothing_points_to_the_exact_metric():
    source, target = ramps(**{**SMALL, "threshold": 6.0})
    with pytest.raises(UndefinedScore, match="try the metric ost-exact"):
        ObjectSolutionTimes(**FAST)(source, target)


def test_images_solved_at_one_time_leave_no_score():
    source, target = ramps(**{**SMALL, "threshold": -6.0})
    with pytest.raises(UndefinedScore, match=r"60 of 60 .* none of 10 splits"):
        converged()(source, target)


def test_responses_without_time_leave_no_score():
    source, target = ramps(**SMALL)
    for static in (source.isel(time_bin=[0]), source.isel(time_bin=0, drop=True)):
        with pytest.raises(UndefinedScore, match="one time bin or none"):
            converged()(static, target)
    same = source.copy(data=np.repeat(source.values[:, :, :1], 4, axis=2))
    with pytest.raises(UndefinedScore, match="same in all 4 time bins"):
        converged()(same, target)


def test_one_object_leaves_no_score():
    source, target = ramps(**{**SMALL, "objects": 1})
    with pytest.raises(UndefinedScore, match="show one object"):
        converged()(source, target)


def test_an_object_that_training_images_lack_is_not_solved():
    source, target = ramps(**SMALL)
    truth = target["truth"].values.copy()
    truth[7] = "alone"
    score = converged()(source, target.assign_coords(truth=("presentation", truth)))
    column = score.samples.values[:, 7]
    assert np.isinf(column[~np.isnan(column)]).all()


def test_a_neuroid_and_two_objects_are_enough():
    source, target = ramps(stimuli=80, objects=2, neuroids=1, threshold=0.5, seed=1)
    for readout in ("trained", "converged"):
        try:
            score = ObjectSolutionTimes(readout=readout, **FAST)(source, target)
        except UndefinedScore:
            continue
        assert -1 <= score.value <= 1


def test_replicates_draw_stimuli_around_the_value():
    source, target = ramps(**{**SMALL, "stimuli": 150})
    raw = ObjectSolutionTimes(readout="converged", resamples=400)(source, target).raw
    (replicates,) = raw.replicates
    assert (replicates.scope, replicates.sizes, len(replicates.values)) == ("stimuli", (150,), 400)
    assert np.mean(replicates.values) == pytest.approx(raw.value, abs=0.05)
    score = normalize(converged()(source, target), Estimate(value=0.79, quantity="correlation"))
    assert score.normalization == "r/c"
    assert score.value == pytest.approx(raw.value / 0.79)
    assert score.interval.low < score.value < score.interval.high
    assert (
        ObjectSolutionTimes(readout="converged", resamples=0)(source, target).raw.replicates == ()
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_vars("truth"), "no coordinate 'truth'"),
        (lambda t: t.drop_vars("i1"), "no coordinate 'i1'"),
        (lambda t: t.where(t > t.min()), "solution time is NaN for 1 of 60 stimuli"),
        (
            lambda t: t.assign_coords(i1=t["i1"] * np.nan),
            "threshold i1 is NaN for 60 of 60 stimuli",
        ),
        (lambda t: t.expand_dims("neuroid"), "dim presentation"),
        (lambda t: t[:-1], "not asked"),
    ],
)
def test_targets_of_another_form_are_refused(change, words):
    source, target = ramps(**SMALL)
    with pytest.raises(AssemblyError, match=words):
        converged()(source, change(target))


def test_responses_that_are_not_finite_are_refused():
    source, target = ramps(**SMALL)
    with pytest.raises(AssemblyError, match="Responses to 1 of 60 stimuli are not finite"):
        converged()(source.where(source < source.max(), np.inf), target)


def test_time_bins_that_start_together_are_refused():
    source, target = ramps(**SMALL)
    starts = ("time_bin", [70.0, 70, 80, 90])
    with pytest.raises(AssemblyError, match="start at the same time"):
        converged()(source.assign_coords(time_bin_start_ms=starts), target)


def test_options_that_cannot_be_are_refused():
    with pytest.raises(OptionError, match="'trained' or 'converged'"):
        ObjectSolutionTimes(readout="best")
    with pytest.raises(OptionError, match="2 images or more"):
        ObjectSolutionTimes(fewest_solved=1)
    source, target = ramps(**SMALL)
    with pytest.raises(OptionError, match="Options are folds"):
        converged(cross_validation={"fold": 3})(source, target)
