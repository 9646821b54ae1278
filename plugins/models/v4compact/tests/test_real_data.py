"""The published weights against the recordings they were made for, and against other code."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from corteval import models
from corteval.cards import Resource
from corteval.fetch import fetch, fetch_archive
from corteval.model import record
from corteval.requests import OneOf, Recording, UnitFilter
from corteval.stimuli import StimulusSet
from corteval_v4compact.architecture import compact
from corteval_v4compact.card import WEIGHTS
from corteval_v4compact.keras_file import read

ROOT = (
    "https://raw.githubusercontent.com/cowleygroup/V4_compact_models/"
    "f4552ad9d34a466ebc66658f72a08a8e5038f1cf/data_V4_responses"
)
FILES = {
    "190923": (
        ("e99a4df1c7476bdc4d565ff4408bc421976ecc3a22c41af6bfd0cfbddb508c0c", 4_024_034),
        ("741672d36541ce39930c8a3b5bd1cfd33c187aa47b1549c9c5569bc21aa97a28", 316_928),
    ),
    "201025": (
        ("3abb63679107665eab7220bdeaf7863832a1df943bf3d7792501f5082a55b2e8", 4_131_376),
        ("f729f3dc0d29aa38bd380c0da9e39aba916f9e2580949929b65d1714e7217a8a", 854_528),
    ),
    "210325": (
        ("992774eca3508a2ad01accb1a31f5f3e3d90248c49f4eec314f2a915a263e454", 1_841_475),
        ("555e67037182611969ab90da291dcc39601de4411f651a64ad60e90572cf59d3", 256_128),
    ),
}
IN_REFERENCE = {
    "ensemble": "from_ensemble_model",
    "cornets": "from_cornets",
    "resnet50": "from_resnet50",
    "linear": "linear_from_ensemble_model",
}


def session(name, first=0, last=None):
    """Images of a session, numbered from 1, and the mean responses (image, neuron) to them."""
    paths = (f"images/images_{name}.zip", f"responses_repeat_averaged/responses_{name}.npy")
    images, responses = (
        Resource(url=f"{ROOT}/{path}", sha256=sha256, size=size, licence="GPL-3.0-only")
        for path, (sha256, size) in zip(paths, FILES[name], strict=True)
    )
    files = sorted(fetch_archive(images).rglob("image*.jpg"))[first:last]
    table = pd.DataFrame(
        {"path": [str(file) for file in files]},
        index=pd.Index([file.name for file in files], name="stimulus_id"),
    )
    stimuli = StimulusSet(identifier=name, modality="image", table=table)
    counts = np.load(fetch(responses), allow_pickle=False).T
    return stimuli, counts[first:last]


def predicted(teacher, name, stimuli):
    model = models.create(f"v4compact-{teacher}", layers={"V4": "output_responses"})
    units = UnitFilter((OneOf("session", (name,)),))
    return record(model, stimuli, Recording("V4", units=units)).values


def correlations(a, b):
    a, b = (x - x.mean(axis=0) for x in (a.astype(np.float64), b))
    return (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))


@pytest.mark.parametrize("teacher", WEIGHTS)
def test_published_files_hold_the_architecture_of_the_untrained_network(mirror, teacher):
    found = read(fetch(WEIGHTS[teacher])).architecture
    assert found == compact(linear=teacher == "linear")


def test_outputs_tell_neurons_apart_on_held_out_images(mirror):
    stimuli, responses = session("190923", 1140)
    outputs = predicted("ensemble", "190923", stimuli)
    own = np.median(correlations(outputs, responses))
    others = [np.median(correlations(outputs, np.roll(responses, n, 1))) for n in range(1, 33)]
    assert own > 0.5 > 2 * max(others)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["190923", "201025"])
@pytest.mark.parametrize("teacher", WEIGHTS)
def test_correlations_with_recorded_neurons_are_the_known_ones(mirror, reference, teacher, name):
    known = reference("real_data_numbers.json")["cowley_v4_shared_models_vs_neurons"]
    known = known[f"{name}|{IN_REFERENCE[teacher]}"]
    stimuli, responses = session(name)
    assert responses.shape == (known["n_images"], known["n_neurons"])
    outputs = predicted(teacher, name, stimuli)
    every = float(np.median(correlations(outputs, responses)))
    half = len(responses) // 2  # the first half of the images mapped the teacher to the neurons
    later = float(np.median(correlations(outputs[half:], responses[half:])))
    assert every == pytest.approx(known["median_r_all_images"], abs=1e-5)
    assert later == pytest.approx(known["median_r_second_half"], abs=1e-5)
    wrong = float(np.median(correlations(np.roll(outputs, 1, axis=1), responses)))
    assert wrong == pytest.approx(known["median_r_wrong_neuron"], abs=1e-5)
    assert wrong < 0.5 * every


@pytest.mark.slow
@pytest.mark.parametrize("teacher", ["ensemble", "cornets", "resnet50"])
def test_pooled_features_predict_other_neurons_as_well_as_is_known(mirror, reference, teacher):
    known = reference("real_data_numbers.json")["cowley_v4_210325"]
    known = known["own_ridge_5fold_RidgeCV_alpha_1e1_1e6_per_target_standardised"]
    stimuli, responses = session("210325")
    features = record(models.create(f"v4compact-{teacher}"), stimuli, "V4").values
    held = np.zeros(responses.shape)
    for seen, left in KFold(5, shuffle=True, random_state=0).split(features):
        scaler = StandardScaler().fit(features[seen].astype(np.float64))
        x, new = scaler.transform(features[seen]), scaler.transform(features[left])
        _, _, axes = np.linalg.svd(x, full_matrices=False)  # a rotation, which ridge ignores
        ridge = RidgeCV(np.logspace(1, 6, 11), alpha_per_target=True)
        held[left] = ridge.fit(x @ axes.T, responses[seen]).predict(new @ axes.T)
    found = float(np.median(correlations(held, responses)))
    assert found == pytest.approx(known[IN_REFERENCE[teacher]]["median_r"], abs=1e-4)
