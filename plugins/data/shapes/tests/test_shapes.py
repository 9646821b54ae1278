import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval import registry
from corteval.errors import NotInData, OptionError
from corteval_shapes.outlines import OUTLINES, inside_polygon, regular
from corteval_shapes.rendering import View, render, smooth_noise

PLAIN = {"hue": 0.0, "texture": 0, "phase": 0.0, "background": 0, "ground_contrast": 0.0}


def covered(label, form, radius=0.3, **places):
    """Share of the image that an object covers."""
    middle = {"x": 0.0, "y": 0.0, "tilt_degrees": 0.0, **places}
    view = View(label=label, form=form, radius=radius, **middle, **PLAIN)
    image = render(view, 128).astype(int)
    return (abs(image - 128).max(axis=2) > 2).mean()


@pytest.mark.parametrize(
    ("label", "form", "area"),
    [
        ("disc", 1.0, np.pi),
        ("disc", 0.0, 0.75 * np.pi),
        ("ring", 0.0, np.pi * (1 - 0.5**2)),
        ("square", 1.0, 2.0),
        ("triangle", 1.0, 3 * np.sqrt(3) / 4),
        ("star", 0.0, 5 * 0.35 * np.sin(np.pi / 5)),
        ("hourglass", 0.0, 2 * (0.05 + 1 / np.sqrt(2)) / np.sqrt(2)),
    ],
)
def test_an_object_covers_the_area_of_its_outline(label, form, area):
    grid = (np.arange(1000) + 0.5) / 500 - 1
    inside = OUTLINES[label](grid[None, :], grid[:, None], form)
    assert inside.mean() * 4 == pytest.approx(area, rel=0.01)
    assert covered(label, form) == pytest.approx(area * 0.3**2, rel=0.08)


@pytest.mark.parametrize("label", OUTLINES)
@pytest.mark.parametrize("form", [0.0, 0.5, 1.0])
def test_a_shape_lies_in_its_circle(label, form):
    grid = (np.arange(600) + 0.5) / 200 - 1.5
    u, v = np.meshgrid(grid, grid)
    inside = OUTLINES[label](u, v, form)
    assert inside.any()
    assert np.hypot(u, v)[inside].max() <= 1 + 1e-9


@given(st.integers(3, 9), st.floats(-2, 2), st.floats(-2, 2))
def test_a_point_is_inside_a_regular_polygon_if_it_is_on_its_side_of_every_edge(count, u, v):
    corners = regular(np.ones(count))
    edges = np.roll(corners, -1, axis=0) - corners
    sides = edges[:, 0] * (v - corners[:, 1]) - edges[:, 1] * (u - corners[:, 0])
    if abs(sides).min() > 1e-9:
        found = inside_polygon(np.array([[u]]), np.array([[v]]), corners)[0, 0]
        assert found == (sides > 0).all()


def test_objects_may_be_turned_and_moved_without_changing_their_area():
    areas = [covered("star", 0.5, tilt_degrees=t, x=x, y=-x) for t, x in ((0, 0), (20, 0.1))]
    assert areas[0] == pytest.approx(areas[1], rel=0.05)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([32, 64, 97]))
def test_the_ground_has_mean_0_variance_1_and_an_amplitude_of_1_over_f(seed, side):
    noise = smooth_noise(np.random.default_rng(seed), side)
    assert noise.mean() == pytest.approx(0, abs=1e-9)
    assert noise.std() == pytest.approx(1)
    amplitude = abs(np.fft.fft2(noise))
    frequency = side * np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    low, high = ((frequency > a) & (frequency < b) for a, b in ((1.5, 4), (10, 15)))
    slope = np.log(amplitude[high].mean() / amplitude[low].mean()) / np.log(
        frequency[high].mean() / frequency[low].mean()
    )
    assert slope == pytest.approx(-1, abs=0.35)


def test_the_set_is_seeded_object_by_object_and_view_by_view():
    few = registry.data.create("Shapes", objects=2, views=1, side_pixels=32).stimuli()
    many = registry.data.create("Shapes", objects=3, views=2, side_pixels=32).stimuli()
    for stimulus_id in few.stimulus_ids:
        np.testing.assert_array_equal(few.image(stimulus_id), many.image(stimulus_id))
    other = registry.data.create("Shapes", objects=2, views=1, side_pixels=32, seed=1).stimuli()
    assert (few.image("disc-00-00") != other.image("disc-00-00")).any()


def test_every_class_has_its_objects_and_views():
    table = registry.data.create("Shapes").stimuli().table
    assert len(table) == 256
    assert (table.groupby("label").size() == 32).all()
    assert (table.groupby("object_id")["label"].nunique() == 1).all()
    assert (table.groupby("object_id").size() == 4).all()


def test_objects_do_not_leave_the_image():
    table = registry.data.create("Shapes", objects=40).stimuli().table
    reach = table[["x_degrees", "y_degrees"]].abs().max(axis=1) + table["radius_degrees"]
    assert reach.max() < 4


def test_subjects_are_shown_no_label():
    assert not list(registry.data.create("Shapes").stimuli().shown().table.columns)


def test_without_ground_the_screen_is_grey():
    stimuli = registry.data.create("Shapes", ground_contrast=0.0).stimuli()
    assert (stimuli.image("cross-00-00")[:2] == 128).all()


def test_there_are_no_responses():
    with pytest.raises(NotInData, match="no responses"):
        registry.data.create("Shapes").assembly()


@pytest.mark.parametrize(
    "options", [{"objects": 0}, {"views": 0}, {"side_pixels": 8}, {"ground_contrast": 2.0}]
)
def test_impossible_sets_are_refused(options):
    with pytest.raises(OptionError, match="Shapes takes"):
        registry.data.create("Shapes", **options)
