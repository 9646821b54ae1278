import numpy as np
import pytest
import scipy.io
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from rsatoolbox.inference import boot_noise_ceiling
from rsatoolbox.rdm import RDMs
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from corteval import registry
from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_ceilings import RSANoiseCeiling, bounds, compare, correlation_distances
from corteval_similarity import pair_influence as influence

TOOLBOX = {"pearson": "corr", "spearman": "spearman", "kendall": "tau-a", "cosine": "cosine"}


def rdms(seed=0, subjects=6, stimuli=15, noise=1.0, levels=None):
    """(subject, pair); whole numbers with ties if `levels`."""
    rng = np.random.default_rng(seed)
    true = rng.random(stimuli * (stimuli - 1) // 2)
    values = 1 + true + noise * rng.random((subjects, len(true)))
    return values if levels is None else np.floor(values * levels)


def rdm_assembly(vectors):
    square = np.stack([squareform(v) for v in vectors])
    ids = [f"i{n:03d}" for n in range(square.shape[1])]
    return xr.DataArray(
        square,
        dims=["subject", "presentation", "presentation_2"],
        coords={
            "subject": [f"s{n}" for n in range(len(square))],
            "stimulus_id": ("presentation", ids),
            "stimulus_id_2": ("presentation_2", ids),
        },
    )


def patterns(seed=0, subjects=6, stimuli=15, neuroids=8):
    rng = np.random.default_rng(seed)
    signal = np.tile(rng.standard_normal((stimuli, neuroids)), subjects)
    values = signal + rng.standard_normal(signal.shape)
    names = np.repeat([f"s{n}" for n in range(subjects)], neuroids)
    ids = [f"i{n:03d}" for n in range(stimuli)]
    return neural(
        values, ids, {"neuroid_id": [f"n{n}" for n in range(values.shape[1])], "subject": names}
    )


@pytest.mark.parametrize("comparison", TOOLBOX)
@pytest.mark.parametrize("levels", [None, 4])
def test_matched_pooling_gives_the_bounds_of_rsatoolbox(comparison, levels):
    values = rdms(levels=levels)
    expected = boot_noise_ceiling(RDMs(values), method=TOOLBOX[comparison])
    found = bounds(values, comparison=comparison, pooling="matched").mean(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("comparison", TOOLBOX)
@pytest.mark.parametrize("of", ["hIT_4subj_session_mean", "hIT_8_subject_sessions"])
def test_human_it_has_the_bounds_that_independent_code_computed(comparison, of, mirror, reference):
    file = scipy.io.loadmat(next(mirror.rglob("92_brainRDMs.mat")))["RDMs"][0]
    sessions = np.array([[squareform(s["RDM"], checks=False) for s in subject] for subject in file])
    sessions = sessions.astype(np.float64)
    values = sessions.mean(axis=1) if "mean" in of else sessions.reshape(8, -1)
    published = reference("real_data_numbers.json")["rsatoolbox_92images"][of]
    expected = published[TOOLBOX[comparison]]["noise_ceiling"]
    found = bounds(values, comparison=comparison, pooling="matched").mean(axis=1)
    np.testing.assert_allclose(found, expected, atol=2e-7)


@pytest.mark.parametrize("comparison", TOOLBOX)
def test_human_behaviour_has_the_bounds_that_independent_code_computed(
    comparison, mirror, reference
):
    file = scipy.io.loadmat(next(mirror.rglob("92_behavRDMs.mat")))["rdms_behav_92"][0]
    whole = rdm_assembly([squareform(np.asarray(s["RDM"], float), checks=False) for s in file])
    published = reference("real_data_numbers.json")["rsatoolbox_92images"]["behaviour_16subj"]
    expected = published[TOOLBOX[comparison]]["noise_ceiling"]
    for bound, value in zip(("lower", "upper"), expected, strict=True):
        metric = RSANoiseCeiling(bound=bound, comparison=comparison, pooling="matched", resamples=0)
        assert metric(whole).value == pytest.approx(value, abs=1e-9)


def test_the_mean_rdm_gives_the_bounds_of_the_definition():
    values = rdms()
    lower, upper = bounds(values)
    for s in range(6):
        others = np.mean([values[t] for t in range(6) if t != s], axis=0)
        assert lower[s] == pytest.approx(stats.spearmanr(values[s], others).statistic)
        assert upper[s] == pytest.approx(stats.spearmanr(values[s], values.mean(0)).statistic)


def test_patterns_are_compared_by_the_correlation_distance_of_each_subject():
    whole = patterns()
    per_subject = np.stack(
        [pdist(whole.values[:, s * 8 : s * 8 + 8], "correlation") for s in range(6)]
    )
    estimate = RSANoiseCeiling(resamples=0)(whole)
    assert estimate.value == pytest.approx(bounds(per_subject)[1].mean())
    assert estimate.error == pytest.approx(stats.sem(bounds(per_subject)[1]))
    assert estimate.quantity == "correlation"


def test_trials_are_averaged_first():
    whole = patterns()
    twice = xr.concat([whole + 0.5, whole - 0.5], "trial").transpose(
        "presentation", "neuroid", "trial"
    )
    metric = RSANoiseCeiling(resamples=0)
    assert metric(twice).value == pytest.approx(metric(whole).value)


@settings(deadline=None, max_examples=10)
@given(st.permutations(list(range(15))), st.permutations(list(range(15))))
def test_the_order_of_stimuli_does_not_matter(rows, columns):
    whole = rdm_assembly(rdms(levels=5))
    metric = RSANoiseCeiling(bound="lower", resamples=30)
    first, second = metric(whole), metric(whole.isel(presentation=rows, presentation_2=columns))
    assert second.value == pytest.approx(first.value, abs=1e-12)
    for one, other in zip(first.replicates, second.replicates, strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-6)


def test_noise_lowers_the_lower_bound():
    values = [bounds(rdms(noise=noise))[0].mean() for noise in (0.2, 1, 5)]
    assert values == sorted(values, reverse=True)


def test_the_upper_bound_is_above_the_lower_one():
    lower, upper = bounds(rdms(noise=3)).mean(axis=1)
    assert lower < upper


@pytest.mark.parametrize("comparison", TOOLBOX)
def test_tau_and_the_others_agree_with_scipy_where_it_has_them(comparison):
    x, y = rdms(subjects=2, levels=3)
    pairs = len(x) * (len(x) - 1) / 2
    signs = [np.sign(v[:, None] - v)[np.triu_indices(len(v), 1)] for v in (x, y)]
    expected = {
        "pearson": np.corrcoef(x, y)[0, 1],
        "spearman": stats.spearmanr(x, y).statistic,
        "kendall": (signs[0] * signs[1]).sum() / pairs,
        "cosine": x @ y / np.sqrt((x @ x) * (y @ y)),
    }
    assert compare(x, y, comparison) == pytest.approx(expected[comparison], abs=1e-12)


@pytest.mark.parametrize("comparison", TOOLBOX)
@pytest.mark.parametrize("levels", [None, 6])
def test_influence_agrees_with_leaving_out_one_pair(comparison, levels):
    x, y = rdms(subjects=2, stimuli=25, levels=levels)
    without = [compare(np.delete(x, p), np.delete(y, p), comparison) for p in range(len(x))]
    found = influence(x, y, comparison)
    assert found.sum() == pytest.approx(0, abs=1e-12)
    slope = np.polyfit(found, np.mean(without) - without, 1)[0]
    assert slope == pytest.approx(1, abs=0.03)
    assert np.corrcoef(found, without)[0, 1] < -0.999


@pytest.mark.parametrize("bound", ["upper", "lower"])
def test_stimulus_replicates_spread_as_leaving_out_one_stimulus_does(bound):
    whole = rdm_assembly(rdms(stimuli=40))
    metric = RSANoiseCeiling(bound=bound, resamples=2000)
    found = metric(whole).replicates[0]
    fixed = RSANoiseCeiling(bound=bound, resamples=0)
    without = []
    for s in range(40):
        kept = np.delete(np.arange(40), s)
        without.append(fixed(whole.isel(presentation=kept, presentation_2=kept)).value)
    jackknife = np.sqrt(39 / 40 * ((without - np.mean(without)) ** 2).sum())
    assert np.std(found.values) == pytest.approx(jackknife, rel=0.1)


def test_subjects_are_drawn_from_five_on():
    six, four = (
        RSANoiseCeiling(resamples=20)(rdm_assembly(rdms(subjects=n))).replicates for n in (6, 4)
    )
    assert [r.scope for r in six] == ["stimuli", "subjects", "stimuli×subjects"]
    assert [r.scope for r in four] == ["stimuli"]


def test_rdms_of_whole_numbers_do_not_overflow():
    whole = rdm_assembly(rdms(levels=100) % 256)
    small = whole.astype(np.uint8)
    metric = RSANoiseCeiling(comparison="cosine", resamples=0)
    assert metric(small).value == pytest.approx(metric(whole).value)


def test_one_subject_is_undefined():
    with pytest.raises(UndefinedScore, match="two subjects"):
        RSANoiseCeiling()(rdm_assembly(rdms(subjects=1)))


def test_one_subject_of_one_neuroid_is_told_to_be_one_subject():
    with pytest.raises(UndefinedScore, match="needs two subjects; there is only s0"):
        RSANoiseCeiling()(patterns(neuroids=1).isel(neuroid=[0]))


def test_three_stimuli_are_too_few():
    with pytest.raises(UndefinedScore, match="at least 4 stimuli"):
        RSANoiseCeiling()(rdm_assembly(rdms(stimuli=3)))


def test_a_constant_rdm_is_named():
    values = rdms()
    values[2] = 0.7
    with pytest.raises(UndefinedScore, match="RDMs of s2"):
        RSANoiseCeiling()(rdm_assembly(values))


def test_one_neuroid_a_subject_has_no_correlation_distance():
    with pytest.raises(UndefinedScore, match="6 of 6 subjects have one neuroid, such as s0"):
        RSANoiseCeiling()(patterns(neuroids=1))
    assert np.isnan(correlation_distances(np.ones((3, 4)))).all()


def test_arrays_of_another_form_are_refused():
    whole = rdm_assembly(rdms())
    with pytest.raises(AssemblyError, match="stimulus_id_2"):
        RSANoiseCeiling()(whole.drop_vars("stimulus_id_2"))
    with pytest.raises(AssemblyError, match="not name the same stimuli"):
        RSANoiseCeiling()(whole.isel(presentation=slice(0, 9)))
    with pytest.raises(AssemblyError, match="not symmetric"):
        RSANoiseCeiling()(whole + np.triu(np.ones((15, 15))))
    with pytest.raises(AssemblyError, match="not finite"):
        RSANoiseCeiling()(whole.where(whole["subject"] != "s1"))
    with pytest.raises(AssemblyError, match="no coordinate 'subject'"):
        RSANoiseCeiling()(patterns().drop_vars("subject"))
    with pytest.raises(OptionError, match="upper, lower"):
        RSANoiseCeiling(bound="middle")


def test_the_noiseless_rdm_scores_between_the_bounds_on_separate_subjects():
    target = patterns()
    signal = np.random.default_rng(0).standard_normal((15, 8))
    source = target.isel(neuroid=slice(0, 8)).copy(data=signal)
    score = registry.metrics.create("rdm", subjects="separate", resamples=0)(source, target).value
    lower, upper = (RSANoiseCeiling(bound=b, resamples=0)(target).value for b in ("lower", "upper"))
    assert lower < score < upper
