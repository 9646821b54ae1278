"""From responses to all conditions to one value a unit, against plain loops."""

import numpy as np
import pytest

from corteval_marques2020_v1 import tuning
from corteval_marques2020_v1.properties import PROPERTIES, Tuning, preferred_curves

RADII = np.array([0.1, 0.4, 1.6])
FREQUENCIES = np.array([1.0, 2.0, 4.0, 8.0])
ORIENTATIONS = np.array([0.0, 60.0, 120.0])


@pytest.fixture
def responses():
    rng = np.random.default_rng(0)
    cycle = rng.gamma(1.0, 12.0, (3, 4, 3, 8, 40)) * rng.choice([0.02, 1.0], 40)
    mean, first = tuning.modulation(cycle, axis=-2)
    return Tuning(
        mean=mean,
        first_harmonic=first,
        spontaneous=rng.uniform(0, 8, 40),
        values={"radius": RADII, "spatial_frequency": FREQUENCIES, "orientation": ORIENTATIONS},
    )


@pytest.mark.parametrize("along", ["radius", "spatial_frequency", "orientation"])
@pytest.mark.parametrize("response", ["mean", "best component"])
def test_curves_pass_through_the_condition_a_unit_prefers(responses, along, response):
    curves, responsive = preferred_curves(responses, along, response)
    axis = ["radius", "spatial_frequency", "orientation"].index(along)
    for unit in range(40):
        mean = responses.mean[..., unit]
        parts = [mean]
        if response == "best component":
            parts = [mean - responses.spontaneous[unit], responses.first_harmonic[..., unit]]
        part = max(parts, key=np.max)
        best = list(np.argwhere(part == part.max())[0])
        best[axis] = slice(None)
        np.testing.assert_array_equal(curves[:, unit], part[tuple(best)])
        spontaneous = responses.spontaneous[unit] if response == "mean" else 0.0
        assert responsive[unit] == (part.max() > spontaneous + 5)
    assert 0 < responsive.sum() < 40


def test_of_equal_conditions_the_first_counts():
    flat = Tuning(
        mean=np.full((3, 4, 3, 1), 20.0) + np.arange(4)[:, None, None] % 2,
        first_harmonic=np.zeros((3, 4, 3, 1)),
        spontaneous=np.zeros(1),
        values={"radius": RADII, "spatial_frequency": FREQUENCIES, "orientation": ORIENTATIONS},
    )
    flat.mean[0, 3, :, 0] -= 0.5  # the curve through (0, 1) is the higher one, and comes first
    curves, _ = preferred_curves(flat, "radius", "mean")
    assert list(curves[:, 0]) == [21.0, 21.0, 21.0]


def test_simple_units_are_measured_by_their_harmonic():
    size = np.array([10.0, 30.0, 15.0])[:, None, None, None]
    unit = Tuning(
        mean=np.full((3, 1, 1, 1), 3.0),
        first_harmonic=size,
        spontaneous=np.full(1, 3.0),
        values={
            "radius": RADII,
            "spatial_frequency": FREQUENCIES[:1],
            "orientation": ORIENTATIONS[:1],
        },
    )
    values, responsive = PROPERTIES["surround_suppression_index"](unit)
    assert values == pytest.approx([0.5])
    assert responsive.all()
    _, by_mean = preferred_curves(unit, "radius", "mean")
    assert not by_mean.any()
