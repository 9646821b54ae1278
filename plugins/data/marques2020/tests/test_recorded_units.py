"""Histograms of recorded units, from the archive's form and from the authors' own files."""

import math

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from corteval import registry
from corteval.errors import AssemblyError, FetchError, OptionError
from corteval_marques2020.imitation import (
    RINGACH_BINS,
    TEXTURE_BINS,
    add_ringach2002,
    ringach_units,
    texture_units,
)
from corteval_marques2020.matlab import freemanziemba2013, latency_bin
from corteval_marques2020.recorded import RECORDED

#: Spec ``marques2020`` section 5: ends of the bins, number of edges, units recorded.
PUBLISHED = {
    "circular_variance": (0, 1, 14, 304),
    "or_bandwidth": (0, 90, 18, 304),
    "orth_pref_ratio": (0, 1, 14, 304),
    "or_selective": (0, 1, 3, 304),
    "cv_bandwidth_ratio": (1e-3, 1, 16, 304),
    "opr_cv_diff": (-1, 1, 20, 304),
    "max_dc": (1, 1000, 10, 304),
    "modulation_ratio": (0, 2, 11, 304),
    "texture_modulation_index": (-1, 1, 25, 102),
    "abs_texture_modulation_index": (0, 1, 13, 102),
    "texture_selectivity": (0, 1, 11, 102),
    "texture_sparseness": (0, 1, 11, 102),
    "texture_variance_ratio": (0.01, 10, 13, 102),
    "max_texture": (0.1, 1e4 / 10, 13, 102),
    "max_noise": (0.1, 1e4 / 10, 13, 102),
}
DECADES = {"cv_bandwidth_ratio", "max_dc", "texture_variance_ratio", "max_texture", "max_noise"}


def data(name, **options):
    return registry.data.create(f"Marques2020.{name}", **options)


def counted(values, edges):
    """One value after the other: half-open bins, the last closed, what is beyond in the ends."""
    found = [0] * (len(edges) - 1)
    for value in values:
        if math.isnan(value):
            continue
        place = sum(edge <= value for edge in edges) - 1
        found[min(max(place, 0), len(found) - 1)] += 1
    return found


@pytest.mark.parametrize("name", RECORDED)
def test_the_archives_values_become_counts_over_the_published_bins(name, recorded):
    low, high, number, units = PUBLISHED[name]
    found = data(name).assembly()
    edges = np.append(found["bin_low"].values, found["bin_high"].values[-1])
    steps = np.diff(np.log(edges) if name in DECADES else edges)
    assert edges[[0, -1]] == pytest.approx([low, high])
    assert len(edges) == number
    assert steps == pytest.approx(np.full(number - 1, steps[0]))
    column = RECORDED[name].column
    values = (ringach_units() if units == 304 else texture_units())[column]
    assert list(found.values) == counted(values.tolist(), edges.tolist())
    assert found.attrs["units_measured"] == units
    assert found.attrs["notes"] == []


def test_units_without_the_property_are_counted_as_measured_only(recorded):
    found = data("or_bandwidth").assembly()
    undefined = int(np.isnan(ringach_units()["bandwidth"]).sum())
    assert undefined > 0
    assert found.values.sum() == 304 - undefined
    assert found.attrs["units_measured"] == 304


def test_values_beyond_the_bins_count_in_the_outer_ones(archive):
    values = ringach_units(units=50)
    values["modulation_ratio"][:3] = [2.7, 2.0, -0.1]
    add_ringach2002(archive, values)
    found = data("modulation_ratio").assembly()
    inside = counted(values["modulation_ratio"][3:].tolist(), np.linspace(0, 2, 11).tolist())
    assert found.values[-1] == inside[-1] + 2
    assert found.values[0] == inside[0] + 1
    assert found.attrs["notes"] == ["There are 50 units; 304 were published."]


def test_the_older_name_of_the_properties_is_understood(archive):
    add_ringach2002(archive, dim="neuronal_property")
    assert data("max_dc").assembly().values.sum() == 304


def test_other_bins_in_the_file_are_told_and_not_used(archive, monkeypatch):
    monkeypatch.setitem(RINGACH_BINS, "max_dc", np.linspace(0, 100, 10))
    add_ringach2002(archive)
    found = data("max_dc").assembly()
    assert found["bin_high"].values[-1] == pytest.approx(1000)
    assert "names other bins of max_dc" in found.attrs["notes"][0]


def test_a_file_without_the_property_is_refused_by_name(archive, monkeypatch):
    monkeypatch.delitem(RINGACH_BINS, "bandwidth")
    add_ringach2002(archive)
    with pytest.raises(AssemblyError, match=r"no property bandwidth; it has baseline, max_dc"):
        data("or_bandwidth").assembly()


def test_a_property_that_no_unit_has_is_refused(archive):
    values = ringach_units(units=20)
    values["bandwidth"][:] = np.nan
    add_ringach2002(archive, values)
    with pytest.raises(AssemblyError, match="none of 20 recorded units"):
        data("or_bandwidth").assembly()


@pytest.mark.parametrize("status", [403, 404])
def test_who_cannot_have_the_file_is_told_what_would_do(archive, status):
    add_ringach2002(archive)
    archive.statuses = dict.fromkeys(archive.bodies, status)
    with pytest.raises(FetchError) as refused:
        data("max_dc").assembly()
    for word in (str(status), "put Ringach2002.mat into", "provided/Marques2020", "`folder`"):
        assert word in str(refused.value)


def ringach_file(folder, nested=True):
    rng = np.random.default_rng(5)
    fields = {
        "spont": rng.exponential(1, 60),
        "maxdc": rng.lognormal(3, 1, 60),
        "mindc": rng.exponential(1, 60),
        "maxfirst": rng.lognormal(3, 1, 60),
        "orivar": rng.uniform(0, 1, 60),
        "bw": rng.uniform(5, 140, 60),
        "po": rng.uniform(0, 1, 60),
    }
    stored = {name: values[None] for name, values in fields.items()}
    savemat(folder / "Ringach2002.mat", {"db": stored} if nested else stored)
    return fields


@pytest.mark.parametrize("nested", [True, False])
def test_ringachs_own_file_gives_the_same_properties(tmp_path, nested):
    fields = ringach_file(tmp_path, nested)
    rows = [dict(zip(fields, row, strict=True)) for row in zip(*fields.values(), strict=True)]
    rows = [r for r in rows if r["maxdc"] > r["spont"] + 5]
    expected = {
        "max_dc": [r["maxdc"] for r in rows],
        "modulation_ratio": [r["maxfirst"] / r["maxdc"] for r in rows],
        "circular_variance": [r["orivar"] for r in rows],
        "or_bandwidth": [r["bw"] if r["bw"] <= 90 else math.nan for r in rows],
        "orth_pref_ratio": [r["po"] for r in rows],
        "or_selective": [float(r["bw"] <= 90) for r in rows],
        "cv_bandwidth_ratio": [r["orivar"] / r["bw"] if r["bw"] <= 90 else math.nan for r in rows],
        "opr_cv_diff": [r["po"] - r["orivar"] for r in rows],
    }
    for name, values in expected.items():
        found = data(name, folder=tmp_path).assembly()
        edges = np.append(found["bin_low"].values, found["bin_high"].values[-1])
        assert list(found.values) == counted(values, edges.tolist()), name
        assert found.attrs["units_measured"] == len(rows)
        assert "that you provided" in found.attrs["notes"][0]


def test_files_that_lie_in_the_usual_place_are_found(archive, home):
    from corteval import settings

    place = settings.home() / "provided" / "Marques2020"
    place.mkdir(parents=True)
    ringach_file(place)
    assert data("max_dc").assembly().attrs["units_measured"] < 60
    assert not archive.requests


def test_a_folder_that_is_none_and_files_of_another_kind_are_refused(tmp_path):
    with pytest.raises(OptionError, match="is no folder"):
        data("max_dc", folder=tmp_path / "nowhere").assembly()
    (tmp_path / "Ringach2002.mat").write_bytes(b"no MATLAB file, but long enough to be one" * 9)
    with pytest.raises(AssemblyError, match=r"Ringach2002\.mat is no readable MATLAB file"):
        data("max_dc", folder=tmp_path).assembly()
    savemat(tmp_path / "Ringach2002.mat", {"db": {"spont": [1.0], "maxdc": [30.0]}})
    with pytest.raises(AssemblyError, match="has no field maxfirst, orivar, bw, po"):
        data("max_dc", folder=tmp_path).assembly()
    with h5py.File(tmp_path / "FreemanZiemba2013_V1V2data.mat", "w") as file:
        file["v1"] = np.zeros((2, 3))
    with pytest.raises(AssemblyError, match="there is"):
        data("max_noise", folder=tmp_path).assembly()


@pytest.fixture(scope="module")
def spikes(tmp_path_factory):
    """Of three cells whose response begins at 60, 90 and 120 ms; as ``v1`` of the file has them."""
    rng = np.random.default_rng(6)
    rates = rng.gamma(2.0, 20.0, (3, 1, 1, 15, 2, 15))
    shape = np.full((3, 300), 0.1)
    for cell, start in enumerate((60, 90, 120)):
        shape[cell, start:] = np.exp(-np.arange(300 - start) / 80)
    chance = np.clip(rates * shape[:, :, None, None, None, None] / 1000, 0, 1)
    drawn = rng.random((3, 300, 20, 15, 2, 15), np.float32) < chance
    path = tmp_path_factory.mktemp("mat") / "FreemanZiemba2013_V1V2data.mat"
    with h5py.File(path, "w") as file:
        file["v1"] = drawn.astype(np.uint8)
    return path, drawn


def test_spikes_of_textures_become_properties_as_the_spec_says(spikes):
    path, drawn = spikes
    found = freemanziemba2013(path)
    for cell, spiked in enumerate(drawn):
        bins = np.stack([spiked[10 * b : 10 * b + 10].sum(axis=0) for b in range(30)])
        rate = bins.mean(axis=1) * 100  # bin, sample, type, family
        best, where = -1.0, None
        for b in range(7, 22):
            for kind in range(2):
                for family in range(15):
                    mean = rate[b, :, kind, family].mean()
                    if mean > best:
                        best, where = mean, (b, kind, family)
        peak, kind, family = where
        trace = [rate[b, :, kind, family].mean() for b in range(30)]
        first = max(2, peak - 10)
        lowest = first + trace[first:peak].index(min(trace[first:peak]))
        limit = trace[lowest] + 0.15 * (max(trace) - trace[lowest])
        start = max(b for b in range(lowest, peak + 1) if trace[b] <= limit) + 1
        assert latency_bin(rate.mean(axis=1)) == start
        assert start in (6 + 3 * cell, 7 + 3 * cell)  # bins of 10 ms
        baseline = min(rate[b].mean() for b in range(30))
        response = np.maximum(rate[start : start + 11].mean(axis=0) - baseline, 0)
        noise, texture = response[:, 0], response[:, 1]
        n, t = noise.mean(axis=0), texture.mean(axis=0)
        assert found["max_noise"][cell] == pytest.approx(noise.max())
        assert found["max_texture"][cell] == pytest.approx(texture.max())
        index = np.mean((t - n) / (t + n))
        assert found["texture_modulation_index"][cell] == pytest.approx(index)
        assert found["absolute_texture_modulation_index"][cell] == pytest.approx(abs(index))
        for name, r in (("texture_selectivity", t), ("texture_sparseness", texture)):
            sparse = (1 - r.mean() ** 2 / (r**2).mean()) / (1 - 1 / r.size)
            assert found[name][cell] == pytest.approx(sparse)
        counts = bins[start : start + 11].mean(axis=0)[:, :, 1] * 10  # rep, sample, family
        s = (np.sqrt(counts) + np.sqrt(counts + 1)).mean(axis=0)
        within = ((s - s.mean(axis=0)) ** 2).sum() / (15 * 14)
        between = 15 * ((s.mean(axis=0) - s.mean()) ** 2).sum() / 14
        v = (between - within) / 15
        ratio = (v / (within + v) + 0.02) / (within / (within + v) + 0.02)
        assert found["variance_ratio"][cell] == pytest.approx(ratio)


def test_the_file_of_spikes_is_read_through_the_data_set(spikes):
    path, _ = spikes
    found = data("max_texture", folder=path.parent).assembly()
    assert found.values.sum() == 3
    values = freemanziemba2013(path)["max_texture"].tolist()
    assert list(found.values) == counted(values, TEXTURE_BINS["max_texture"].tolist())
