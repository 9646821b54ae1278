import numpy as np
import pytest
import xarray as xr

from corteval import registry
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_topography.metric import tissue


def made(**options):
    return registry.metrics.create("spatial_correlation", **options)


def plainly(source, target, bin_mm, fewest):
    """The score by loops over pairs and sorted values."""

    def pairs(assembly):
        found = {}
        x, y = assembly["tissue_x_mm"].values, assembly["tissue_y_mm"].values
        for i in range(assembly.sizes["neuroid"]):
            for j in range(i):
                r = np.corrcoef(assembly.values[:, i], assembly.values[:, j])[0, 1]
                d = np.hypot(x[i] - x[j], y[i] - y[j])
                found.setdefault(int(np.floor(d / bin_mm + 1e-9)), []).append(r)
        return found

    a, b = pairs(source), pairs(target)
    scores = []
    for key in a.keys() & b.keys():
        if min(len(a[key]), len(b[key])) >= fewest:
            grid = np.sort(np.r_[a[key], b[key]])
            below = [
                np.searchsorted(np.sort(v), grid, side="right") / len(v) for v in (a[key], b[key])
            ]
            scores.append(1 - np.abs(below[0] - below[1]).max())
    return np.mean(scores), len(scores)


@pytest.mark.parametrize("bin_mm", [0.1, 0.25])
def test_the_score_is_that_of_loops_over_pairs(bin_mm):
    source, target, _ = (tissue(n).isel(neuroid=slice(0, 40)) for n in (0, 1, 2))
    score = made(bin_mm=bin_mm)(source, target)
    value, bins = plainly(source, target, bin_mm, 5)
    assert score.value == pytest.approx(value)
    assert score.samples.sizes["bin"] == bins


def test_tissue_of_one_kind_is_alike_and_tissue_without_order_is_not():
    source, target, noise = tissue(0), tissue(1), tissue(2, reach_mm=1e-3)
    assert made()(source, target).value > 0.85
    assert made()(noise, target).value < 0.7


def test_units_of_different_subjects_make_no_pairs():
    source, target = tissue(0), tissue(1)
    halves = np.where(np.arange(144) < 72, "a", "b")
    # two subjects in one piece of tissue, of which one has places of its own
    split = target.assign_coords(subject=("neuroid", halves))
    moved = split.assign_coords(
        tissue_x_mm=("neuroid", split["tissue_x_mm"].values + 50.0 * (halves == "b"))
    )
    assert made()(source, split).value == pytest.approx(made()(source, moved).value)
    pairs = made()(source, split).samples["target_pairs"].values.sum()
    assert pairs <= 2 * 72 * 71 / 2


def test_constant_units_have_no_correlation_and_are_left_out():
    source, target = tissue(0), tissue(1)
    flat = source.copy()
    flat.values[:, :100] = 0.1
    kept = source.isel(neuroid=slice(100, None))
    assert made()(flat, target).value == pytest.approx(made()(kept, target).value)
    with pytest.raises(UndefinedScore, match="wider bins"):
        made()(xr.zeros_like(source), target)


def test_units_without_a_place_are_refused():
    source, target = tissue(0), tissue(1)
    with pytest.raises(AssemblyError, match="source have no tissue_x_mm"):
        made()(source.drop_vars("tissue_x_mm"), target)
    lost = target.assign_coords(tissue_y_mm=("neuroid", np.full(144, np.nan)))
    with pytest.raises(AssemblyError, match="target have no place"):
        made()(source, lost)
    with pytest.raises(OptionError, match="wider than 0"):
        made(bin_mm=0.0)
