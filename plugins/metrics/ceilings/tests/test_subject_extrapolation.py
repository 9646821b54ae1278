import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.stats.splits import CrossValidation, splits_digest
from corteval_ceilings import SubjectExtrapolation

FIELDS = {
    "ceiling": "center",
    "tau": "tau_median",
    "endpoint": "endpoint_x",
    "low": "error_low",
    "high": "error_high",
}


def assembly(responses):
    """From (stimulus, neuroid) of each subject by name."""
    names = [(s, n) for s, y in responses.items() for n in range(np.shape(y)[1])]
    values = np.concatenate([np.asarray(y) for y in responses.values()], axis=1)
    neuroids = {"neuroid_id": [f"{s}.{n}" for s, n in names], "subject": [s for s, _ in names]}
    return neural(values, [f"i{n:04d}" for n in range(len(values))], neuroids)


def made(seed=0, subjects=6, stimuli=60, neuroids=4, noise=1.0):
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((stimuli, 3))
    return assembly(
        {
            f"s{s}": factors @ rng.standard_normal((3, neuroids))
            + noise * rng.standard_normal((stimuli, neuroids))
            for s in range(subjects)
        }
    )


@pytest.fixture(scope="module")
def published(reference):
    case = reference("ceiling.json")["full"]
    return assembly(case["data"]), case["expected"], case["per_unit"]


def test_five_published_subjects_have_the_published_ceiling(published):
    whole, expected, _ = published
    metric = SubjectExtrapolation(resamples=0)
    found = metric.per_neuroid(whole)
    assert metric(whole).value == pytest.approx(expected["center"], abs=1e-6)
    assert float(found["tau"].median()) == pytest.approx(expected["tau_median"], abs=1e-6)
    assert float(found["endpoint"].median()) == expected["endpoint_x"]


@pytest.mark.slow
def test_published_curves_give_the_published_errors_and_neuroids(published):
    whole, expected, per_neuroid = published
    found = SubjectExtrapolation(curves="published").per_neuroid(whole)
    for field, name in FIELDS.items():
        assert float(found[field].median()) == pytest.approx(expected[name], abs=1e-6)
    gaps = [
        abs(float(ceiling) - per_neuroid[str(neuroid)]["center"])
        for neuroid, ceiling in zip(found["neuroid_id"].values, found["ceiling"], strict=True)
    ]
    # curve_fit stops at random places in some curves of one neuroid
    assert sorted(gaps)[-2] < 1e-6


def test_exact_curves_agree_where_curve_fit_reaches_the_minimum(published):
    whole, _, per_neuroid = published
    found = SubjectExtrapolation().per_neuroid(whole)
    gaps = [
        abs(float(ceiling) - per_neuroid[str(neuroid)]["center"])
        for neuroid, ceiling in zip(found["neuroid_id"].values, found["ceiling"], strict=True)
    ]
    assert np.median(gaps) < 1e-6
    assert max(gaps) < 0.01


def test_the_estimate_carries_the_digest_of_its_splits():
    whole = made()
    options = {"folds": "kfold", "count": 5}
    estimate = SubjectExtrapolation(cross_validation=options, resamples=0)(whole)
    splits = CrossValidation.of(options).over(whole)
    assert estimate.splits == splits_digest(splits, whole["stimulus_id"].values)
    assert estimate.quantity == "correlation"


@settings(deadline=None, max_examples=3)
@given(st.permutations(list(range(60))), st.permutations(list(range(24))))
def test_the_order_of_stimuli_and_neuroids_does_not_matter(stimuli, neuroids):
    whole = made()
    metric = SubjectExtrapolation(resamples=20, bootstraps=20)
    first, second = metric(whole), metric(whole.isel(presentation=stimuli, neuroid=neuroids))
    assert second.value == pytest.approx(first.value, abs=1e-9)
    assert second.splits == first.splits
    for one, other in zip(first.replicates, second.replicates, strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-4)


@pytest.mark.parametrize("fit", ["linear", "ridge", "ridgecv"])
def test_scale_of_one_subject_does_not_matter_without_penalty_and_noise_lowers(fit):
    metric = SubjectExtrapolation(fit=fit, resamples=0, bootstraps=20)
    clear, noisy = metric(made(noise=0.5)).value, metric(made(noise=3)).value
    assert noisy < clear
    if fit == "linear":
        whole = made(noise=0.5)
        scaled = whole * np.where(whole["subject"] == "s1", 7.0, 1.0)
        assert metric(scaled).value == pytest.approx(clear, abs=1e-9)


def test_sampled_subsets_approximate_all():
    whole = made(subjects=7, stimuli=120)
    every, some = (
        SubjectExtrapolation(sampling=s, resamples=0)(whole).value for s in ("all", "sampled")
    )
    assert some == pytest.approx(every, abs=0.05)


def test_subjects_are_drawn_from_five_on_and_neuroids_below():
    six, four = (
        SubjectExtrapolation(resamples=20, bootstraps=10)(made(subjects=n)) for n in (6, 4)
    )
    assert [r.scope for r in six.replicates] == ["stimuli", "subjects", "stimuli×subjects"]
    assert [r.scope for r in four.replicates] == ["stimuli", "neuroids", "stimuli×neuroids"]
    assert all(np.isfinite(r.values).all() for r in six.replicates + four.replicates)


def test_fits_that_fail_are_told_and_can_be_passed_on():
    whole = made(subjects=4)
    whole[:, 1] = 2.0
    estimate = SubjectExtrapolation(resamples=10, bootstraps=10)(whole)
    assert "10 of 160 curves without fit, 1 neuroids without ceiling" in estimate.method
    assert np.isfinite(estimate.value)
    strict = SubjectExtrapolation(failed="propagate", bootstraps=10).per_neuroid(whole)
    assert int(strict["ceiling"].isnull().sum()) == 1


def test_subjects_that_share_nothing_have_a_ceiling_near_zero():
    rng = np.random.default_rng(0)
    whole = made(stimuli=300, neuroids=8)
    alone = whole.copy(data=rng.standard_normal(whole.shape))
    assert SubjectExtrapolation(resamples=0)(alone).value < 0.1


def test_two_subjects_or_constant_responses_are_undefined():
    with pytest.raises(UndefinedScore, match="three subjects; there are 2"):
        SubjectExtrapolation()(made(subjects=2))
    whole = made()
    with pytest.raises(UndefinedScore, match="No neuroid has a ceiling"):
        SubjectExtrapolation()(whole.copy(data=np.full(whole.shape, 3.7)))


def test_wrong_input_is_refused():
    with pytest.raises(AssemblyError, match="no coordinate 'subject'"):
        SubjectExtrapolation()(made().drop_vars("subject"))
    with pytest.raises(OptionError, match="linear, ridge, ridgecv"):
        SubjectExtrapolation(fit="pls")
    with pytest.raises(OptionError, match="bootstraps is needed"):
        SubjectExtrapolation(bootstraps=0)
    with pytest.raises(OptionError, match="positive"):
        SubjectExtrapolation(fit="ridge", alpha=0.0)


def test_subjects_count_once_each_where_their_medians_are_averaged():
    whole = made(subjects=6).isel(neuroid=np.r_[0:4, 4, 8:24])  # one subject has one neuroid
    metric = SubjectExtrapolation(aggregate="subjects", resamples=200, bootstraps=20)
    estimate, each = metric(whole), metric.per_neuroid(whole)
    medians = [
        float(each["ceiling"][each["subject"] == s].median()) for s in np.unique(each["subject"])
    ]
    assert estimate.value == pytest.approx(np.mean(medians), abs=1e-12)
    assert "mean over subjects" in estimate.method
    assert not any(r.median for r in estimate.replicates)
    for r in estimate.replicates:
        assert np.mean(r.values) == pytest.approx(estimate.value, abs=0.05)


def test_a_kept_ceiling_is_computed_once_and_again_when_anything_changes(tmp_path, monkeypatch):
    from corteval import store
    from corteval_ceilings import subject_extrapolation as module

    calls = []
    collect = module.collect
    monkeypatch.setattr(module, "collect", lambda *a, **k: calls.append(1) or collect(*a, **k))
    whole = made(subjects=4)
    options = {"kept": True, "resamples": 10, "bootstraps": 5}
    with store.using(store.Store(tmp_path)):
        first = SubjectExtrapolation(**options)(whole)
        assert SubjectExtrapolation(**options)(whole.isel(presentation=slice(None))) == first
        assert len(calls) == 1
        SubjectExtrapolation(**options)(whole + 1e-9)  # other data
        SubjectExtrapolation(**options, cross_validation={"count": 5})(whole)  # other splits
        SubjectExtrapolation(**options, fit="ridge")(whole)  # another metric
        assert len(calls) == 4
        rows = SubjectExtrapolation(**options).per_neuroid(whole)
        again = SubjectExtrapolation(**options).per_neuroid(whole)
        assert len(calls) == 5
        assert rows.identical(again)
        assert SubjectExtrapolation(**{**options, "kept": False})(whole) == first
        assert len(calls) == 6
