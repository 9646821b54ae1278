"""Files at the shape of published ones: seconds, and little more memory than the result has."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from corteval_brainscore import forms, netcdf, trials

pytestmark = pytest.mark.slow
MB = 10**6


def measured(path, read, **options):
    """The assembly, and the most memory that numpy held meanwhile."""
    tracemalloc.start()
    with netcdf.opened(path) as stored:
        found = read(stored, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak


@pytest.fixture(scope="module")
def majajhong(tmp_path_factory, formats):
    """As MajajHong2015.public: 640 stimuli with 28 rows and 2,560 with 51, 256 neuroids."""
    path = tmp_path_factory.mktemp("scale") / "file.nc"
    rng = np.random.default_rng(0)
    repeats = np.where(np.arange(3200) < 640, 28, 51)
    stimulus = np.repeat(np.arange(3200), repeats)
    repetition = np.concatenate([np.arange(count) for count in repeats])
    order = rng.permutation(len(stimulus))
    stimulus, repetition = stimulus[order], repetition[order]
    values = rng.normal(size=(256, len(stimulus), 1)).round(1)
    along = ("presentation",)
    coords = {
        "image_id": (along, [f"{n:040x}" for n in stimulus]),
        "repetition": (along, repetition),
        "object_name": (along, [f"object {n % 64}" for n in stimulus]),
        "neuroid_id": (("neuroid",), np.arange(256)),
        "time_bin_start": (("time_bin",), [70]),
        "time_bin_end": (("time_bin",), [170]),
    }
    dims = ("neuroid", "presentation", "time_bin")
    formats["netcdf"](path, values, dims, coords, level=1)
    return path, values[:, :, 0], stimulus, repetition


def test_trials_of_3200_stimuli_and_256_neuroids(majajhong):
    path, values, stimulus, repetition = majajhong
    assert len(stimulus) == 148_480
    found, peak = measured(path, trials.neural_assembly)
    assert dict(found.sizes) == {"presentation": 3200, "neuroid": 256, "time_bin": 1, "trial": 51}
    assert peak < found.nbytes + 400 * MB
    number = np.array([int(i, 16) for i in found["stimulus_id"].values])
    for place in (0, 17, 3199):
        rows = np.flatnonzero(stimulus == number[place])
        rows = rows[np.argsort(repetition[rows])]
        np.testing.assert_array_equal(found.values[place, :, 0, : len(rows)], values[:, rows])
        assert np.isnan(found.values[place, :, 0, len(rows) :]).all()
    assert int(found.isel(neuroid=0, time_bin=0).notnull().sum()) == len(stimulus)


def test_means_hold_no_trials(majajhong):
    path, values, stimulus, _ = majajhong
    found, peak = measured(path, trials.neural_assembly, average=True)
    assert peak < 450 * MB
    expected = pd.DataFrame(values.T).groupby(stimulus).mean().to_numpy()
    number = np.array([int(i, 16) for i in found["stimulus_id"].values])
    np.testing.assert_allclose(found.values[:, :, 0], expected[number], atol=1e-12)


def test_choices_of_half_a_million_trials(tmp_path, formats):
    """As Hebart2023: 453,642 triplets."""
    count = 453_642
    rng = np.random.default_rng(0)
    names = np.array([f"concept_{n:04d}.jpg" for n in range(1854)])
    shown = {f"image_{k}": (("presentation",), rng.choice(names, count)) for k in (1, 2, 3)}
    values = rng.choice(names, count)
    formats["netcdf"](tmp_path / "file.nc", values, ("presentation",), shown)
    found, _ = measured(tmp_path / "file.nc", forms.plain_assembly)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found["image_2"].values, shown["image_2"][1])


def test_voxels_of_a_large_fmri_set(tmp_path, formats):
    """As Allen2022_fmri_train: 412 stimuli, 84,564 voxels, one row each, float32."""
    values = np.random.default_rng(0).integers(-8, 8, (412, 84_564)).astype(np.float32)
    coords = {
        "stimulus_id": (("presentation",), [f"nsd{n}" for n in range(412)]),
        "neuroid_id": (("neuroid",), np.arange(84_564)),
        "subject": (("neuroid",), np.repeat(["s1", "s2", "s5", "s7"], 84_564 // 4)),
    }
    dims = ("presentation", "neuroid")
    formats["netcdf"](tmp_path / "file.nc", values, dims, coords, level=1)
    found, peak = measured(tmp_path / "file.nc", trials.neural_assembly)
    assert peak < found.nbytes + 400 * MB
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.values, values)
