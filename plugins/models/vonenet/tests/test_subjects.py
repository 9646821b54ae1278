import argparse
import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

import corteval
from corteval import models
from corteval.errors import FetchError, OptionError, WrongContent
from corteval.model import perform, record
from corteval.requests import Between, OneOf, Probabilities, Recording, TimeBin, UnitFilter
from corteval.testing import toys
from corteval_vonenet.block import vone_block
from corteval_vonenet.cells import cell_coordinates, places_degrees
from corteval_vonenet.gabors import shipped
from corteval_vonenet.model import VARIANTS

FOVEA = UnitFilter(
    tuple(Between(f"receptive_field_{axis}_degrees", -0.1, 0.3) for axis in "xy")
    + (OneOf("channel", (0, 1, 300, 511)),)
)


@pytest.fixture(scope="module")
def v1():
    return models.create("vonenet-v1")


def test_places_are_where_filters_respond_to_a_point():
    """A pixel lights the filters around it most where their middle is, at its own middle."""
    image = torch.zeros(1, 3, 224, 224)
    pixel = 4 * 40
    image[:, :, pixel, pixel] = 1
    energy = vone_block(shipped(), noise=None)(image)[0, 256:].sum(dim=0)
    row, column = divmod(int(energy.argmax()), 56)
    assert row == column == 40
    assert places_degrees()[40] == pytest.approx((pixel + 0.5) / 28 - 4)


def test_cells_say_what_they_are():
    cells = cell_coordinates(shipped())
    of_filter = np.arange(512 * 56 * 56) // 56**2
    assert set(cells["unit_type"][of_filter < 256]) == {"simple"}
    assert set(cells["unit_type"][of_filter >= 256]) == {"complex"}
    np.testing.assert_allclose(
        cells["orientation_degrees"], (90 - shipped().theta_degrees[of_filter]) % 180
    )
    np.testing.assert_array_equal(
        cells["spatial_frequency_cpd"], shipped().spatial_frequency_cpd[of_filter]
    )


def test_trials_differ_and_are_the_same_again(v1):
    request = Recording("V1", trials=3, units=FOVEA)
    stimuli = toys.images(3)
    responses = record(v1, stimuli, request)
    assert responses.dims == ("presentation", "neuroid", "trial")
    assert len(np.unique(responses.values[..., 0] - responses.values[..., 1])) > 1
    again = record(models.create("vonenet-v1"), stimuli, request)
    np.testing.assert_array_equal(responses.values, again.values)
    other = record(models.create("vonenet-v1", seed=1), stimuli, request)
    assert not np.allclose(responses.values, other.values)


@pytest.mark.slow
def test_a_few_units_answer_as_among_all(v1):
    stimuli = toys.images(1)
    few = record(v1, stimuli, Recording("V1", trials=2, units=FOVEA))
    whole = record(v1, stimuli, Recording("V1", trials=2))
    among = whole.isel(neuroid=np.isin(whole["neuroid_id"], few["neuroid_id"]))
    np.testing.assert_allclose(few.values, among.values, rtol=1e-4, atol=1e-4)


def test_without_noise_there_are_no_trials():
    quiet = models.create("vonenet-v1", noise=None)
    assert "trial" not in record(quiet, toys.images(1), Recording("V1", units=FOVEA)).dims


@pytest.mark.parametrize("identifier", VARIANTS)
def test_trained_networks_ask_for_their_weights_and_download_nothing(identifier):
    with pytest.raises(FetchError, match=VARIANTS[identifier].filename):
        models.create(identifier)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A file laid out as the public ones, with filters and weights of its own."""
    source = models.create("voneresnet50-ns-untrained", seed=5).extractor.module
    state = {f"module.{n}": t.clone() for n, t in source.state_dict().items()}
    state["module.vone_block.simple_conv_q0.weight"] *= 2
    state["module.vone_block.div_u"] = torch.zeros(3)
    path = tmp_path_factory.mktemp("weights") / "voneresnet50_ns_e70.pth.tar"
    torch.save({"flags": argparse.Namespace(sf_max=6), "epoch": 70, "state_dict": state}, path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest(), source


def test_a_checkpoint_brings_its_own_filters(checkpoint):
    path, sha256, source = checkpoint
    subject = models.create("voneresnet50-ns", weights=str(path), sha256=sha256)
    loaded = subject.extractor.module
    torch.testing.assert_close(
        loaded.vone_block.simple_conv_q0.weight, 2 * source.vone_block.simple_conv_q0.weight
    )
    torch.testing.assert_close(loaded.model.fc.weight, source.model.fc.weight)
    assert sha256 in subject.notes[0]


def test_the_adversarially_trained_network_has_a_commitment_of_its_own(checkpoint):
    path, sha256, _ = checkpoint
    subject = models.create("voneresnet50-at", weights=path, sha256=sha256)
    assert subject.extractor.is_stochastic
    assert subject.layers == {
        "V1": "model.layer2.2",
        "V2": "model.layer3.0",
        "V4": "model.layer2.3",
        "IT": "model.layer4.0",
    }


def test_a_checkpoint_is_compared_with_its_sha256(checkpoint):
    path, sha256, _ = checkpoint
    with pytest.raises(OptionError, match=sha256):
        models.create("voneresnet50-ns", weights=path)
    with pytest.raises(WrongContent):
        models.create("voneresnet50-ns", weights=path, sha256="0" * 64)
    with pytest.raises(OptionError, match="do not fit"):
        models.create("vonealexnet", weights=path, sha256=sha256)


def test_untrained_networks_say_so_and_differ_by_seed():
    first, second = (models.create("voneresnet50-untrained", seed=s) for s in (0, 1))
    assert first.notes == ("random weights behind V1 (seed 0)",)
    a, b = (m.extractor.module for m in (first, second))
    torch.testing.assert_close(
        a.vone_block.simple_conv_q1.weight, b.vone_block.simple_conv_q1.weight
    )
    assert not torch.allclose(a.model.fc.weight, b.model.fc.weight)
    assert first.extractor.fingerprint != second.extractor.fingerprint


def test_building_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    models.create("vonecornet-s-untrained")
    assert torch.equal(before, torch.random.get_rng_state())


def test_cornet_s_behind_v1_answers_in_time():
    subject = models.create("vonecornet-s-untrained")
    bins = (TimeBin(90, 140), TimeBin(240, 290))
    one = UnitFilter((OneOf("channel_x", (3,)), OneOf("channel_y", (3,)), OneOf("channel", (0,))))
    answer = record(subject, toys.images(2), Recording("V4", bins, units=one))
    assert answer.sizes["time_bin"] == 2
    assert not np.allclose(answer.values[:, :, 0], answer.values[:, :, 1])
    assert set(subject.layers["V4"].values()) == {f"model.V4.output-t{t}" for t in range(4)}


def test_behaviour_is_read_from_the_layer_before_the_classes():
    images = toys.images(6)
    labelled = replace(images, table=images.table.assign(label=["a", "b"] * 3))
    subject = models.create("voneresnet50-ns-untrained")
    p = perform(subject, images, Probabilities(fit=labelled))
    assert list(p["choice"].values) == ["a", "b"]
    np.testing.assert_allclose(p.values.sum(axis=1), 1)
    probability_of_b = p.values[:, 1]
    assert probability_of_b[1::2].mean() > probability_of_b[::2].mean()  # it has seen the labels


@pytest.mark.slow
def test_v1_without_noise_scores_on_gratings_as_an_independent_prototype():
    """Spec `marques2020` section 7: units kept, and scores over ceiling."""
    subject = models.create("vonenet-v1", noise=None)
    for name, expected in (("preferred_orientation", 0.990), ("peak_spatial_frequency", 0.952)):
        score = corteval.score(subject, f"Marques2020.V1-{name}")
        assert score.value == pytest.approx(expected, abs=0.004)
        assert any("1967 centred" in note for note in score.notes)
