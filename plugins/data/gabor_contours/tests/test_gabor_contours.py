import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from corteval import registry
from corteval.errors import NotInData, OptionError
from corteval_gabor_contours.elements import (
    CONTRAST,
    DISTURBANCES,
    NEAREST_DEGREES,
    SPACING_DEGREES,
    Display,
    display,
    disturbed,
    render,
)
from corteval_gabor_contours.paths import CORNERS, along

labels = st.sampled_from(sorted(CORNERS))
seeds = st.integers(0, 2**32 - 1)


def drawn(label, seed):
    return display(label, np.random.default_rng(seed))


@pytest.mark.parametrize("label", CORNERS)
def test_points_along_a_path_are_equally_far_apart_on_it(label):
    points, angles = along(CORNERS[label], 12, 0.3)
    fine, _ = along(CORNERS[label], 12_000, 0.0)
    places = [np.hypot(*(fine - point).T).argmin() for point in points]
    np.testing.assert_allclose(np.diff(places), 1000, atol=2)
    ahead = fine[(np.array(places) + 5) % 12_000] - points
    found = np.arctan2(ahead[:, 1], ahead[:, 0])
    assert np.median(abs(np.sin(found - angles))) < 0.02


@settings(max_examples=15, deadline=None)
@given(labels, seeds)
def test_no_two_elements_of_distractors_are_too_near(label, seed):
    found = drawn(label, seed)
    contour = int(found.on_contour.sum())
    assert found.on_contour[:contour].all()
    distances = pdist(found.positions[contour:])
    assert distances.min() >= NEAREST_DEGREES
    assert abs(found.positions).max() < 4
    steps = np.hypot(*np.diff(found.positions[:contour], axis=0).T)
    assert steps.max() <= SPACING_DEGREES * 1.05


@settings(max_examples=20, deadline=None)
@given(labels, seeds, st.sampled_from(sorted(DISTURBANCES)), st.integers(0, 2))
def test_a_disturbance_changes_what_it_says_and_nothing_else(label, seed, kind, number):
    before = drawn(label, seed)
    level = DISTURBANCES[kind][number]
    after = disturbed(before, kind, level, np.random.default_rng(seed))
    contour = before.on_contour
    turned = after.angles != before.angles
    moved = (after.positions != before.positions).any(axis=1)
    reversed_ = after.polarity != before.polarity
    assert not turned[~contour].any()
    if kind == "gaps":
        assert turned.sum() == round(level * contour.sum())
    if kind == "jitter":
        angle = np.rad2deg(abs(after.angles - before.angles))
        assert angle.max() <= level
    if kind == "polarity":
        assert reversed_.sum() == round(level * len(contour))
    if kind == "depth":
        shift = after.positions - before.positions
        np.testing.assert_allclose(abs(shift[:, 0]), level / 2)
        assert not shift[:, 1].any()
    assert turned.any() <= (kind in ("gaps", "jitter"))
    assert moved.any() <= (kind == "depth")
    assert reversed_.any() <= (kind == "polarity")


@settings(max_examples=5, deadline=None)
@given(labels, seeds, st.sampled_from(sorted(DISTURBANCES)))
def test_level_0_is_no_disturbance(label, seed, kind):
    before = drawn(label, seed)
    after = disturbed(before, kind, 0.0, np.random.default_rng(seed))
    np.testing.assert_array_equal(render(after, 64), render(before, 64))


def test_one_element_is_a_gabor():
    one = Display(
        positions=np.array([[0.5, -1.0]]),
        angles=np.array([0.4]),
        polarity=np.array([-1.0]),
        on_contour=np.array([False]),
    )
    degrees = ((np.arange(200) + 0.5) / 200 - 0.5) * 8
    x, y = np.meshgrid(degrees - 0.5, degrees + 1.0)
    across = -x * np.sin(0.4) + y * np.cos(0.4)
    gabor = np.exp(-(x**2 + y**2) / 2 / 0.13**2) * np.cos(2 * np.pi * across / 0.4)
    wanted = 255 * (0.5 - 0.5 * CONTRAST * gabor)
    np.testing.assert_allclose(render(one, 200), wanted, atol=0.6)


def test_the_set_shows_each_contour_under_everything_and_is_seeded():
    options = {"fit_contours": 2, "test_contours": 3, "side_pixels": 64}
    stimuli = registry.data.create("GaborContours", **options).stimuli()
    table = stimuli.table
    assert len(table) == 4 * (2 + 3 * 13)
    assert (table.groupby("contour_id").size().loc[lambda n: n > 1] == 13).all()
    assert (table[table["split"] == "fit"]["disturbance"] == "none").all()
    more = registry.data.create("GaborContours", **{**options, "test_contours": 4}).stimuli()
    shared = [i for i in stimuli.stimulus_ids if i in more.table.index]
    assert len(shared) == len(stimuli)
    for stimulus_id in shared[::17]:
        np.testing.assert_array_equal(stimuli.image(stimulus_id), more.image(stimulus_id))
    other = registry.data.create("GaborContours", **options, seed=1).stimuli()
    assert (stimuli.image(shared[0]) != other.image(shared[0])).any()


def test_subjects_are_shown_no_label():
    assert not list(registry.data.create("GaborContours").stimuli().shown().table.columns)


def test_there_are_no_responses():
    with pytest.raises(NotInData, match="no responses"):
        registry.data.create("GaborContours").assembly()


@pytest.mark.parametrize("options", [{"fit_contours": 0}, {"side_pixels": 8}, {"seed": -1}])
def test_impossible_sets_are_refused(options):
    with pytest.raises(OptionError, match="GaborContours takes"):
        registry.data.create("GaborContours", **options)


@pytest.mark.parametrize(("kind", "level"), [("blur", 1), ("gaps", 1.5), ("jitter", -1)])
def test_impossible_disturbances_are_refused(kind, level):
    with pytest.raises(OptionError, match="Disturbances are"):
        disturbed(drawn("circle", 0), kind, level, np.random.default_rng(0))
