import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter1d
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, KFold

from corteval import models
from corteval.errors import OptionError
from corteval.model import record
from corteval.stimuli import StimulusSet
from corteval.testing import toys
from corteval_embeddings.oasm import blurred_identity, build


def passages(lengths, seed=0):
    """Passages of the given lengths, their rows shuffled."""
    rows = [
        (f"{c}-{p}", "words", f"passage {c}", p) for c, n in enumerate(lengths) for p in range(n)
    ]
    table = pd.DataFrame(rows, columns=["stimulus_id", "text", "context_id", "position"])
    table = table.set_index("stimulus_id").sample(frac=1, random_state=seed)
    return StimulusSet(identifier="drawn", modality="text", table=table)


def test_each_passage_is_an_identity_blurred_along_time_and_zero_elsewhere():
    stimuli = passages([3, 1, 5])
    answer = record(build(1.5), stimuli, "language_system")
    unit = {name.removeprefix("ordinal-"): n for n, name in enumerate(answer["neuroid_id"].values)}
    table = stimuli.table
    for a in stimuli.stimulus_ids:
        for b in stimuli.stimulus_ids:
            value = float(answer.sel(presentation=answer["stimulus_id"] == a)[0, unit[b]])
            apart = table.at[a, "position"] - table.at[b, "position"]
            same = table.at[a, "context_id"] == table.at[b, "context_id"]
            expected = np.exp(-(apart**2) / (2 * 1.5**2)) if same else 0
            assert value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("sigma", [0.6, 1.6, 3.0])
def test_the_blur_is_a_gaussian_filter_of_an_identity_up_to_its_scale(sigma):
    filtered = gaussian_filter1d(np.eye(40), sigma, axis=0, mode="constant", truncate=12)
    ours = blurred_identity(40, sigma)
    np.testing.assert_allclose(filtered / filtered.max(axis=0), ours, atol=1e-9)


def test_without_blur_it_is_an_identity():
    np.testing.assert_array_equal(blurred_identity(4, 0), np.eye(4))


def test_units_and_values_do_not_depend_on_the_order_of_rows():
    stimuli = passages([4, 4, 3])
    moved = stimuli.select(sorted(stimuli.stimulus_ids, reverse=True))
    here, there = (record(build(), s, "language_system") for s in (stimuli, moved))
    assert list(here["neuroid_id"].values) == list(there["neuroid_id"].values)
    order = [list(there["stimulus_id"].values).index(i) for i in stimuli.stimulus_ids]
    np.testing.assert_array_equal(here.values, there.values[order])


def test_it_remembers_nothing_of_what_it_was_asked_before():
    subject, stimuli = build(), passages([4, 4, 3])
    before = record(subject, stimuli, "language_system")
    record(subject, passages([9]), "language_system")
    record(subject, toys.sentences(), "language_system")
    assert before.identical(record(subject, stimuli, "language_system"))


def test_stimuli_without_a_context_are_passages_of_their_own():
    answer = record(build(3.0), toys.sentences(), "language_system")
    np.testing.assert_array_equal(answer.values, np.eye(len(toys.sentences())))


def test_it_sees_no_text():
    stimuli = passages([4, 3])
    other = StimulusSet(
        identifier="other", modality="text", table=stimuli.table.assign(text="something else")
    )
    assert record(build(), stimuli, "IT").equals(record(build(), other, "IT"))


def correlations(x, y, folds):
    """Mean correlation over folds of ridge predictions; a constant predicts nothing."""
    found = []
    for train, test in folds:
        centre, spread = x[train].mean(axis=0), x[train].std(axis=0)
        scaled = (x - centre) / np.where(spread > 0, spread, 1)
        fitted = RidgeCV(alphas=np.logspace(-3, 8, 12)).fit(scaled[train], y[train])
        predicted = fitted.predict(scaled[test])
        found.append(np.corrcoef(predicted, y[test])[0, 1] if predicted.std() > 1e-9 else 0.0)
    return np.mean(found)


def test_it_predicts_autocorrelated_responses_if_folds_are_shuffled_and_nothing_if_grouped():
    stimuli = passages([8] * 24)
    generator = np.random.default_rng(5)
    slow = dict(zip(range(24), generator.standard_normal(24), strict=True))
    context = stimuli.table["context_id"].str.removeprefix("passage ").astype(int)
    responses = np.array([slow[c] for c in context]) + generator.standard_normal(len(stimuli)) / 2
    features = record(build(), stimuli, "language_system").values
    shuffled = KFold(5, shuffle=True, random_state=0).split(features)
    grouped = GroupKFold(5).split(features, groups=context)
    assert correlations(features, responses, shuffled) > 0.7
    assert correlations(features, responses, grouped) == 0


def test_the_family_is_the_subject_at_another_sigma():
    stimuli = passages([5, 2])
    named = record(models.create("oasm-sigma/1.6"), stimuli, "language_system")
    assert named.equals(record(build(1.6), stimuli, "language_system"))
    assert models.create("oasm").sigma == 2.0


@pytest.mark.parametrize("member", ["wide", "1.6e3", "1-seed3"])
def test_a_sigma_that_is_no_number_is_refused(member):
    with pytest.raises(OptionError, match=r"oasm-sigma/1\.6"):
        models.create(f"oasm-sigma/{member}")


def test_a_negative_sigma_is_refused():
    with pytest.raises(OptionError, match="from 0, not -1"):
        models.create("oasm", sigma=-1)
