import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import ShuffleSplit

from corteval import registry
from corteval.assembly import first_trials, neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_ceilings import (
    Halves,
    InternalConsistency,
    random_halves,
    split_half_reliability,
)


def trials(seed=0, stimuli=60, neuroids=5, count=8, noise=1.0):
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((stimuli, neuroids, 1))
    return signal + noise * rng.standard_normal((stimuli, neuroids, count))


def assembly(values):
    ids = [f"s{i:04d}" for i in range(len(values))]
    return neural(values, ids, {"neuroid_id": [f"n{i}" for i in range(values.shape[1])]})


def test_it_equals_the_definition_computed_plainly():
    values = trials(count=7)
    per_split = []
    for first, second in ShuffleSplit(10, train_size=0.5, random_state=1).split(np.arange(7)):
        a, b = values[:, :, first].mean(axis=2), values[:, :, second].mean(axis=2)
        r = np.array([np.corrcoef(a[:, n], b[:, n])[0, 1] for n in range(5)])
        per_split.append(np.median(2 * r / (1 + r)))
    estimate = InternalConsistency(resamples=10)(assembly(values))
    assert estimate.value == pytest.approx(np.mean(per_split), abs=1e-12)
    assert estimate.error == pytest.approx(np.std(per_split) / np.sqrt(10), abs=1e-12)
    assert estimate.quantity == "reliability"


def test_plain_trials_are_halved_as_those_of_an_assembly():
    per_split = np.median(split_half_reliability(trials()), axis=1)
    estimate = InternalConsistency(resamples=0)(assembly(trials()))
    assert estimate.value == pytest.approx(per_split.mean(), abs=1e-12)


def test_halves_take_two_trials_of_each_stimulus_and_neuroid():
    with pytest.raises(UndefinedScore, match="at least two trials; there are 1"):
        random_halves(trials(count=1))
    with pytest.raises(AssemblyError, match="stimulus, neuroid, trial"):
        split_half_reliability(trials()[:, :, 0])


def test_it_approaches_the_true_reliability_of_the_mean():
    noise, count = 2.0, 10
    values = trials(stimuli=4000, neuroids=9, count=count, noise=noise)
    true = 1 / (1 + noise**2 / count)
    estimate = InternalConsistency(resamples=10)(assembly(values))
    assert estimate.value == pytest.approx(true, abs=0.01)


@settings(deadline=None, max_examples=10)
@given(st.permutations(list(range(60))))
def test_the_order_of_stimuli_does_not_matter(order):
    whole = assembly(trials())
    metric = InternalConsistency(resamples=20)
    first, second = metric(whole), metric(whole.isel(presentation=order))
    assert second.value == pytest.approx(first.value, abs=1e-12)
    for one, other in zip(first.replicates, second.replicates, strict=True):
        assert one.scope == other.scope
        np.testing.assert_allclose(one.values, other.values, atol=1e-6)


def test_missing_trials_are_left_out_of_the_means():
    values = trials(count=8)
    ragged = values.copy()
    ragged[3, :, 6:] = np.nan
    metric = InternalConsistency(resamples=10)
    assert metric(assembly(ragged)).value == pytest.approx(metric(assembly(values)).value, abs=0.05)


def test_one_trial_or_two_stimuli_are_undefined():
    with pytest.raises(UndefinedScore, match="two trials"):
        InternalConsistency()(assembly(trials(count=1)))
    with pytest.raises(UndefinedScore, match="3 stimuli"):
        InternalConsistency()(assembly(trials(stimuli=2)))


def test_a_stimulus_without_trials_in_a_half_is_undefined():
    values = trials(count=4)
    values[0, :, 1:] = np.nan
    with pytest.raises(UndefinedScore, match="1 stimuli have no trial left"):
        InternalConsistency()(assembly(values))


def test_constant_responses_are_undefined():
    with pytest.raises(UndefinedScore, match="do not vary"):
        InternalConsistency()(assembly(np.ones((10, 2, 6))))


def test_wrong_options_are_refused():
    with pytest.raises(OptionError, match="at least one split"):
        InternalConsistency(splits=0)


def test_real_v4_recordings_have_the_published_reliability(mirror, reference):
    published = reference("real_data_numbers.json")["brainscore_metrics_on_these_data"]
    published = published["V4_210325|internal_consistency_first6reps"]
    recorded = first_trials(registry.data.create("Cowley2023").assembly(), 6)
    estimate = InternalConsistency(resamples=0)(recorded)
    assert estimate.value == pytest.approx(published["score"], abs=1e-9)
    assert estimate.error == pytest.approx(published["error"], abs=1e-9)


@pytest.mark.parametrize("missing", [False, True])
def test_halves_are_the_means_over_chosen_and_other_trials(missing):
    rng = np.random.default_rng(3)
    values, chosen = trials(count=9) + 1e3, rng.random((9, 4)) < 0.5
    if missing:
        values[rng.random(values.shape) < 0.02] = np.nan
    for split, (first, second, _) in enumerate(Halves(values, chosen)):
        for half, which in ((first, chosen[:, split]), (second, ~chosen[:, split])):
            np.testing.assert_allclose(half, np.nanmean(values[:, :, which], axis=2), rtol=1e-13)


def test_trials_in_32_bits_are_summed_in_64():
    values = (trials(count=8) + 1e4).astype(np.float32)
    chosen = np.arange(8)[:, None] < 4
    single, double = (
        split_half_reliability(Halves(values.astype(t), chosen)) for t in ("f4", "f8")
    )
    np.testing.assert_allclose(single, double, atol=1e-12)


def test_the_layout_in_memory_does_not_matter():
    values = trials(count=8)
    strided = np.moveaxis(np.ascontiguousarray(np.moveaxis(values, 2, 0)), 0, 2)
    metric = InternalConsistency(resamples=0)
    assert metric(assembly(strided)).value == pytest.approx(metric(assembly(values)).value)


def test_several_subjects_are_drawn_instead_of_neuroids():
    whole = assembly(trials(neuroids=10))
    whole = whole.assign_coords(subject=("neuroid", [f"s{n // 2}" for n in range(10)]))
    scopes = [r.scope for r in InternalConsistency(resamples=10)(whole).replicates]
    assert scopes == ["stimuli", "subjects", "stimuli×subjects"]


def test_stimulus_replicates_spread_as_leaving_out_one_stimulus_does():
    whole = assembly(trials(neuroids=1))
    found = InternalConsistency(resamples=4000)(whole).replicates[0]
    fixed = InternalConsistency(resamples=0)
    without = [fixed(whole.isel(presentation=np.delete(np.arange(60), s))).value for s in range(60)]
    jackknife = np.sqrt(59 / 60 * ((without - np.mean(without)) ** 2).sum())
    assert np.std(found.values) == pytest.approx(jackknife, rel=0.1)


def test_infinite_responses_are_refused():
    values = trials()
    values[2, 1, 0] = np.inf
    with pytest.raises(AssemblyError, match="infinite"):
        InternalConsistency()(assembly(values))
