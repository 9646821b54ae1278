import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.stats.resampling import draw, median
from corteval_ceilings import NoiseCeilingSNR, moments, noise_ceiling


def trials(seed=0, stimuli=50, neuroids=6, count=3, noise=1.0):
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((stimuli, neuroids, 1))
    return 5 + signal + noise * rng.standard_normal((stimuli, neuroids, count))


def assembly(values, subjects=None):
    ids = [f"s{i:04d}" for i in range(len(values))]
    neuroids = {"neuroid_id": [f"n{i}" for i in range(values.shape[1])]}
    return neural(values, ids, neuroids | ({} if subjects is None else {"subject": subjects}))


def plainly(values):
    """The recipe of the natural scenes data set, on z-scored responses of one neuroid."""
    z = (values - np.nanmean(values)) / np.nanstd(values, ddof=1)
    counts = (~np.isnan(z)).sum(axis=1)
    noise = np.mean([np.nanvar(row, ddof=1) for row in z[counts > 1]])
    ncsnr = np.sqrt(max(1 - noise, 0)) / np.sqrt(noise)
    a, b, c = ((counts == n).sum() for n in (1, 2, 3))
    return ncsnr, ncsnr**2 / (ncsnr**2 + (a / 1 + b / 2 + c / 3) / (a + b + c))


@pytest.mark.parametrize("missing", [False, True])
def test_it_equals_the_published_recipe_on_z_scored_responses(missing):
    values = trials()
    if missing:
        values[:10, :, 1:], values[10:25, :, 2] = np.nan, np.nan
    found = noise_ceiling(moments(values))
    expected = np.array([plainly(values[:, n]) for n in range(6)]).T
    np.testing.assert_allclose(found.ncsnr, expected[0], rtol=1e-10)
    np.testing.assert_allclose(found.ceiling, expected[1], rtol=1e-10)


def test_it_approaches_the_true_reliability_of_the_mean():
    estimate = NoiseCeilingSNR(resamples=0)(
        assembly(trials(stimuli=5000, neuroids=9, noise=2.0, count=6))
    )
    assert estimate.value == pytest.approx(1 / (1 + 4 / 6), abs=0.01)
    assert estimate.quantity == "reliability"


def test_the_number_of_averaged_trials_is_an_option():
    of = moments(trials())
    ncsnr, ceiling = noise_ceiling(of, trials=1)
    np.testing.assert_allclose(ceiling, ncsnr**2 / (ncsnr**2 + 1))


def test_the_root_is_a_correlation_and_its_mean_an_option():
    whole = assembly(trials())
    per_neuroid = noise_ceiling(moments(trials())).ceiling
    median = NoiseCeilingSNR(root=True, resamples=0)(whole)
    mean = NoiseCeilingSNR(root=True, aggregate="mean", resamples=0)(whole)
    assert median.value == pytest.approx(np.median(np.sqrt(per_neuroid)))
    assert mean.value == pytest.approx(np.mean(np.sqrt(per_neuroid)))
    assert median.quantity == mean.quantity == "correlation"


@settings(deadline=None, max_examples=20)
@given(st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_offset_and_scale_of_responses_do_not_matter(offset, scale):
    metric = NoiseCeilingSNR(resamples=0)
    expected = metric(assembly(trials())).value
    assert metric(assembly(offset + scale * trials())).value == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("aggregate", ["median", "mean"])
def test_replicates_equal_the_statistic_of_repeated_stimuli_and_subjects(aggregate):
    values = trials(neuroids=10)
    values[:9, :, 2] = np.nan
    subjects = np.repeat([f"s{n}" for n in range(5)], 2)
    whole = assembly(values, subjects)
    metric = NoiseCeilingSNR(resamples=5, aggregate=aggregate)
    ways = draw(stimulus_ids=whole["stimulus_id"].values, subjects=subjects, resamples=5, seed=0)
    for way, found in zip(ways, metric(whole).replicates, strict=True):
        assert found.scope == way.scope
        for b, value in enumerate(found.values):
            rows = 1 if way.stimuli is None else way.stimuli[b]
            counts = np.ones(10, int) if way.neuroids is None else way.neuroids[b]
            each = noise_ceiling(moments(np.repeat(values, rows, axis=0))).ceiling
            again = (
                median(each, counts) if aggregate == "median" else np.average(each, weights=counts)
            )
            assert value == pytest.approx(again, abs=1e-6)


def test_noise_alone_has_a_ceiling_of_almost_nothing():
    values = np.random.default_rng(0).standard_normal((2000, 9, 3))
    assert 0 <= NoiseCeilingSNR(resamples=0)(assembly(values)).value < 0.05


def test_a_constant_neuroid_and_one_without_trials_are_left_out():
    values = trials()
    values[:, 0], values[:, 1] = 3.7, np.nan
    per_neuroid = noise_ceiling(moments(values)).ceiling
    assert np.isnan(per_neuroid[:2]).all()
    assert np.isfinite(NoiseCeilingSNR(resamples=10)(assembly(values)).value)


def test_constant_responses_are_undefined():
    with pytest.raises(UndefinedScore, match="do not vary"):
        NoiseCeilingSNR()(assembly(np.full((10, 2, 3), 3.7)))


def test_responses_without_noise_have_a_ceiling_of_one():
    values = np.repeat(trials(count=1), 3, axis=2)
    assert NoiseCeilingSNR(resamples=0)(assembly(values)).value == 1


def test_wrong_options_are_refused():
    with pytest.raises(OptionError, match="median or mean"):
        NoiseCeilingSNR(aggregate="mode")
    with pytest.raises(OptionError, match="At least one trial"):
        NoiseCeilingSNR(trials=0)


def test_plain_trials_have_the_noise_ceiling_of_their_moments():
    found, expected = noise_ceiling(trials()), noise_ceiling(moments(trials()))
    np.testing.assert_array_equal(found.ceiling, expected.ceiling)
    with pytest.raises(AssemblyError, match="stimulus, neuroid, trial"):
        noise_ceiling(trials()[:, :, 0])


@pytest.mark.parametrize(("root", "words"), [(True, "of sqrt(NC) with NC = "), (False, "of NC = ")])
def test_the_method_gives_the_formula_of_nc(root, words):
    assert words in NoiseCeilingSNR(root=root, resamples=0)(assembly(trials())).method
