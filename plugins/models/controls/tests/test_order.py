"""Controls in the order in which the field finds them, on recordings of macaque V4."""

import numpy as np
import pytest

import corteval
from corteval import models
from corteval.model import record
from corteval.registry import data

CONTROLS = ("pixels", "random-cnn", "gabor-colour")


@pytest.mark.slow
def test_pixels_are_below_a_random_network_and_that_below_gabor_energy_and_colour(mirror):
    scores = [corteval.score(name, "Cowley2023.V4-ridge").value for name in CONTROLS]
    assert scores == sorted(scores)
    assert scores[0] > 0


@pytest.mark.slow
def test_the_order_holds_with_a_penalty_chosen_for_each_neuron(mirror, reference):
    """The protocol of the reference values, with folds and features of our own.

    Five folds, standardised features, ridge regression with penalties 10 to 10⁶ by leave-one-out
    for each neuron, mean over all trials; median over neurons of Pearson's r over held-out images.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    source = data.create("Cowley2023")
    stimuli = source.stimuli()
    counts = np.nanmean(source.assembly().values, axis=2)
    ridge = RidgeCV(alphas=np.logspace(1, 6, 6), alpha_per_target=True)
    folds = KFold(5, shuffle=True, random_state=0)
    found = {}
    for name in CONTROLS:
        features = record(models.create(name), stimuli, "V4").values.astype(np.float64)
        fitted = make_pipeline(StandardScaler(), ridge)
        predicted = cross_val_predict(fitted, features, counts, cv=folds)
        r = [np.corrcoef(p, c)[0, 1] for p, c in zip(predicted.T, counts.T, strict=True)]
        found[name] = float(np.median(r))
    assert list(found.values()) == sorted(found.values()), found
    content = reference("real_data_numbers.json")["cowley_v4_210325"]
    recorded = content["own_ridge_5fold_RidgeCV_alpha_1e1_1e6_per_target_standardised"]
    # these pixels are those of the reference, up to its folds; the networks are not
    assert found["pixels"] == pytest.approx(recorded["pixel14"]["median_r"], abs=0.02)
    assert found["gabor-colour"] < recorded["from_cornets"]["median_r"]
