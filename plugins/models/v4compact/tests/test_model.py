import hashlib
import json

import numpy as np
import pytest

from corteval import models
from corteval.errors import OptionError, WrongContent
from corteval.model import record
from corteval.requests import OneOf, Recording, UnitFilter
from corteval.testing import toys
from corteval_v4compact.architecture import compact
from corteval_v4compact.card import WEIGHTS
from corteval_v4compact.model import SESSIONS, build, neurons, preprocessing
from corteval_v4compact.network import CompactNetwork


def test_the_card_counts_the_trained_weights():
    network = CompactNetwork(compact())
    count = sum(parameter.numel() for parameter in network.parameters())
    assert {models.card(f"v4compact-{n}").parameters for n in (*WEIGHTS, "untrained")} == {count}


def test_pixels_are_centred_on_the_authors_mean_colour():
    pixels = np.random.default_rng(0).integers(0, 256, (1, 112, 112, 3), np.uint8)
    import torch

    found = preprocessing(compact()).standardise(torch.from_numpy(pixels)).numpy()
    wanted = pixels.astype(np.float64) - [116.222, 109.270, 100.381]
    np.testing.assert_allclose(found, wanted.transpose(0, 3, 1, 2), atol=2e-4)


def test_untrained_networks_differ_between_seeds_only():
    stimuli = toys.images(3)
    a, b, c = (
        record(models.create("v4compact-untrained", seed=seed), stimuli, "V4").values
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(a, b)
    assert np.corrcoef(a.ravel(), c.ravel())[0, 1] < 0.9


def test_untrained_networks_say_so():
    assert models.create("v4compact-untrained", seed=3).notes == ("random weights (seed 3)",)


def test_v4_is_answered_by_pooled_features_with_places():
    responses = record(models.create("v4compact-untrained", filters=5), toys.images(2), "V4")
    assert responses.shape == (2, 100 * 7 * 7)
    assert set(responses["layer"].values) == {"features"}
    x = responses["receptive_field_x_degrees"].values
    assert x.min() == pytest.approx(-8 * 3 / 7) and x.max() == pytest.approx(8 * 3 / 7)


def test_outputs_are_neurons_of_four_sessions():
    model = models.create("v4compact-untrained", layers={"V4": "output_responses"})
    chosen = UnitFilter((OneOf("session", ("201025",)),))
    responses = record(model, toys.images(2), Recording("V4", units=chosen))
    assert responses.sizes["neuroid"] == 89
    assert responses["neuroid_id"].values[0] == "output_responses-33"
    assert set(responses["subject"].values) == {"PE"}
    assert responses["neuron"].values.tolist() == list(range(89))
    assert len(neurons()["session"]) == sum(count for *_, count in SESSIONS) == 219


def test_any_layer_can_be_committed_to_any_target():
    layers = {"V1": "layer0_act", "V4": ("features", "output_responses")}
    model = models.create("v4compact-untrained", filters=5, layers=layers)
    assert record(model, toys.images(2), "V4").sizes["neuroid"] == 4900 + 219
    assert record(model, toys.images(2), "V1").sizes["neuroid"] == 5 * 112 * 112


def test_a_local_file_is_used_and_named_with_the_scores(keras_file):
    path = keras_file()
    model = build("cornets", weights=path, layers={"V4": "dense"})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert model.notes == (f"weights of the local file small.keras (SHA-256 {digest[:12]}...)",)
    assert record(model, toys.images(3), "V4").shape == (3, 7)
    assert build("cornets", weights=path, sha256=digest.upper(), layers={"V4": "dense"})
    with pytest.raises(WrongContent, match=f"has the SHA-256 {digest}, not"):
        build("cornets", weights=path, sha256="0" * 64)


def test_a_network_without_a_map_to_pool_needs_a_layer(keras_file):
    def renamed(content, arrays):
        text = json.dumps(content).replace("mixing_stage", "mixing")
        content.update(json.loads(text))
        arrays["mixing"] = arrays.pop("mixing_stage")

    with pytest.raises(OptionError, match=r"layers=\{'V4': 'dense'\}"):
        build("cornets", weights=keras_file(renamed))


def test_options_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(OptionError, match="no teacher 'vgg19'; known are ensemble"):
        build("vgg19")
    with pytest.raises(OptionError, match=r"absent.keras cannot be read: No such file"):
        build("cornets", weights=tmp_path / "absent.keras")
    with pytest.raises(OptionError, match="give weights= too"):
        build("cornets", sha256="0" * 64)
    with pytest.raises(OptionError, match="1 to 1000 filters, not 0"):
        models.create("v4compact-untrained", filters=0)
