import numpy as np
import pytest
import torch

from corteval.errors import OptionError, UnsupportedRequest
from corteval.model import record
from corteval.perturbation import (
    LIGHT_SPREAD_MM2,
    MUSCIMOL_SPREAD_MM2,
    Perturbation,
    ablation,
    microstimulation,
    muscimol,
    optogenetic_suppression,
    space_constant_mm,
    spread,
)
from corteval.requests import OneOf, UnitFilter
from corteval_pytorch import SparseProjection, commit

COUNT = 4 * 16 * 16


def on_a_line(distances):
    """Units at the given distances from (0, 0), as coordinates."""
    return {"tissue_x_mm": np.asarray(distances, float), "tissue_y_mm": np.zeros(len(distances))}


def effect(perturbation, distances):
    """What is done to units that respond with 1."""
    return perturbation.apply(np.ones((1, len(distances))), on_a_line(distances))[0]


def test_kernels_equal_the_reference(reference):
    known = reference("models.json")["perturbation"]
    d = known["distances_mm"]
    site = ("IT", (0.0, 0.0))
    pairs = [
        (spread(np.array(d), MUSCIMOL_SPREAD_MM2), "gaussian_spread_cov1.17"),
        (spread(np.array(d), LIGHT_SPREAD_MM2), "gaussian_spread_cov0.234"),
        (effect(muscimol(*site), d), "muscimol_1uL"),
        (effect(ablation("IT", site_mm=(0.0, 0.0), radius_mm=1.0), d), "ablation_1mm"),
    ]
    for power in (0.5, 1, 12):
        light = optogenetic_suppression(*site, power_milliwatt=power)
        pairs.append((effect(light, d), f"optogenetic_suppression_{power}mW"))
    for current, rate in ((50, 200), (300, 150), (20, 100)):
        pulses = microstimulation(*site, current_microampere=current, rate_hz=rate)
        pairs.append((effect(pulses, d), f"microstim_{current}uA_{rate}Hz"))
    for got, name in pairs:
        np.testing.assert_allclose(got, known[name], rtol=1e-12, atol=1e-12, err_msg=name)
    for current, constant in known["microstim_space_constant_mm"].items():
        assert space_constant_mm(float(current)) == pytest.approx(constant, rel=1e-12)


def test_what_the_kernels_are_not_known_for_is_refused():
    with pytest.raises(OptionError, match="known for 1 microlitre"):
        muscimol("IT", (0, 0), amount_microlitre=2.0)
    with pytest.raises(OptionError, match=r"more than 5\.26"):
        microstimulation("IT", (0, 0), current_microampere=5.0, rate_hz=100)
    with pytest.raises(OptionError, match="power_milliwatt is positive"):
        optogenetic_suppression("IT", (0, 0), power_milliwatt=-1)
    with pytest.raises(OptionError, match="both site_mm and radius_mm"):
        ablation("IT", radius_mm=1.0)


def test_later_layers_feel_what_is_done_to_an_earlier_one(plain, small, pictures, shelf):
    subject = commit(plain, small, {"V1": "relu-t0", "V4": "conv2"})
    silenced = subject.perturbed(ablation("V1", UnitFilter((OneOf("channel", (0, 2)),))))
    assert silenced.identifier == "Plain+ablation" and subject.identifier == "Plain"
    before, after = record(subject, pictures(3), "V1"), record(silenced, pictures(3), "V1")
    gone = np.isin(after["channel"], (0, 2))
    assert not after.values[:, gone].any()
    np.testing.assert_array_equal(after.values[:, ~gone], before.values[:, ~gone])
    with torch.no_grad():
        maps = torch.from_numpy(after.values).view(3, 4, 16, 16)
        wanted = plain.conv2(maps).flatten(1).numpy()
    np.testing.assert_allclose(record(silenced, pictures(3), "V4").values, wanted, atol=1e-5)
    assert not np.allclose(record(subject, pictures(3), "V4").values, wanted, atol=1e-3)


def test_tissue_is_where_the_coordinates_say(plain, small, pictures, shelf):
    place = np.linspace(0, 5, COUNT)
    tissue = {"conv1": {"tissue_x_mm": place, "tissue_y_mm": np.zeros(COUNT)}}
    subject = commit(plain, small, {"V1": "conv1"}, coordinates=tissue)
    numbed = subject.perturbed(muscimol("V1", (1.0, 0.0)))
    before, after = (record(s, pictures(2), "V1") for s in (subject, numbed))
    gain = 1 - np.exp(-((before["tissue_x_mm"].values - 1) ** 2) / (2 * 1.17))
    np.testing.assert_allclose(after.values, before.values * gain, atol=1e-5)


def test_units_without_a_place_cannot_be_reached_by_a_needle(plain, small, pictures, shelf):
    subject = commit(plain, small, {"V1": "conv1"}).perturbed(muscimol("V1", (0.0, 0.0)))
    with pytest.raises(UnsupportedRequest, match="no tissue_x_mm and no tissue_y_mm"):
        record(subject, pictures(2), "V1")


def test_any_function_may_perturb_and_several_add_up_in_order(plain, small, pictures, shelf):
    double = Perturbation(identifier="double", target="V1", apply=lambda r, _: 2 * r)
    shift = Perturbation(identifier="shift", target="V1", apply=lambda r, _: r + 1)
    subject = commit(plain, small, {"V1": "conv1"})
    before = record(subject, pictures(2), "V1").values
    both = subject.perturbed(double, shift)
    assert both.identifier == "Plain+double+shift"
    np.testing.assert_allclose(record(both, pictures(2), "V1").values, 2 * before + 1, atol=1e-5)
    other = subject.perturbed(shift).perturbed(double)
    np.testing.assert_allclose(record(other, pictures(2), "V1").values, 2 * before + 2, atol=1e-5)


def test_all_steps_of_a_recurrent_layer_are_perturbed(steps, small, pictures, shelf):
    from corteval.requests import TimeBin

    bins = {TimeBin(k, k + 1): f"area-t{k}" for k in range(3)}
    silenced = commit(steps, small, {"IT": bins}).perturbed(ablation("IT"))
    assert not record(silenced, pictures(2), "IT", time_bins=tuple(bins)).values.any()


def test_mistakes_are_named(plain, small, pictures, shelf):
    subject = commit(plain, small, {"V1": "conv1"})
    with pytest.raises(UnsupportedRequest, match="not committed to 'IT'"):
        subject.perturbed(ablation("IT"))
    with pytest.raises(UnsupportedRequest, match="no coordinate 'colour'"):
        subject.perturbed(ablation("V1", UnitFilter((OneOf("colour", (1,)),))))
    shapes = Perturbation(identifier="cut", target="V1", apply=lambda r, _: r[:, :1])
    with pytest.raises(Exception, match="must keep their shape"):
        record(subject.perturbed(shapes), pictures(2), "V1")
    reduced = commit(plain, small, {"V1": "conv1"}, reduction=SparseProjection(features=3))
    with pytest.raises(OptionError, match="perturb it without"):
        reduced.perturbed(ablation("V1"))


def test_a_filter_that_no_unit_meets_is_an_error_and_not_an_intact_subject(plain, small):
    subject = commit(plain, small, {"V1": "conv1"})
    with pytest.raises(UnsupportedRequest, match="nothing would change"):
        subject.perturbed(ablation("V1", UnitFilter((OneOf("channel", (99,)),))))
