"""Recordings of the archive: one row a presentation becomes presentation x neuroid x trial."""

import h5netcdf
import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval import registry
from corteval.assembly import average_trials, check_neural, responses_matrix
from corteval.errors import AssemblyError, NotInData, OptionError, StimuliError
from corteval.requests import TimeBin
from corteval_brainscore import netcdf, trials


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("written") / "file.nc"


def read(path, **options):
    with netcdf.opened(path) as stored:
        return trials.neural_assembly(stored, **options)


def missing(value):
    return value != value


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_values_and_coordinates_survive_for_ragged_repeats_in_any_order(data, place, formats):
    repeats = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=5), "repeats")
    neuroids, bins = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([0, 1, 3]))
    numbered = data.draw(st.booleans(), "with repetition")
    block_bytes = data.draw(st.sampled_from([1, 100, 10**6]))
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.int16, np.int64]))
    rows = [(s, t) for s, count in enumerate(repeats) for t in range(count)]
    rows = data.draw(st.permutations(rows), "order")
    shape = (len(rows), neuroids, *([bins] if bins else []))
    seed = data.draw(st.integers(0, 99))
    values = np.random.default_rng(seed).normal(scale=50, size=shape).astype(dtype)
    if values.dtype.kind == "f" and data.draw(st.booleans()):
        values[np.random.default_rng(seed).random(shape) < 0.3] = np.nan
    dims = ["presentation", "neuroid", *(["time_bin"] if bins else [])]
    turned = data.draw(st.permutations(dims), "dims")
    coords = {
        "stimulus_id": (("presentation",), [f"s{s}" for s, _ in rows]),
        "session": (("presentation",), [f"day{(s * 7 + t) % 3}" for s, t in rows]),
        "neuroid_id": (("neuroid",), np.arange(neuroids)),
    }
    if bins:
        coords["time_bin_start"] = ("time_bin",), np.arange(bins) * 10
        coords["time_bin_end"] = ("time_bin",), np.arange(bins) * 10 + 10
    if numbered:
        coords["repetition"] = ("presentation",), [t for _, t in rows]
    written = values.transpose([dims.index(d) for d in turned])
    formats["netcdf"](place, written, turned, coords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(netcdf, "BLOCK_BYTES", block_bytes)
        found, means = read(place), read(place, average=True)

    most = max(repeats)
    assert found.sizes.get("trial", 1) == most
    assert sorted(found["stimulus_id"].values) == [f"s{s}" for s in range(len(repeats))]
    for place_, stimulus in enumerate(found["stimulus_id"].values):
        mine = [row for row, (s, _) in enumerate(rows) if f"s{s}" == stimulus]
        if numbered:
            mine.sort(key=lambda row: rows[row][1])
        for trial in range(most):
            one = found.isel(presentation=place_)
            session = one["session"].values
            if most > 1:
                one = one.isel(trial=trial)
                session = session[trial] if session.ndim else session
            if trial < len(mine):
                np.testing.assert_array_equal(one.values, values[mine[trial]].astype(one.dtype))
                assert session == coords["session"][1][mine[trial]]
            else:
                assert np.isnan(one.values).all()
        mean = means.isel(presentation=place_).values
        for index in np.ndindex(*shape[1:]):
            kept = [float(values[row][index]) for row in mine if not missing(values[row][index])]
            expected = sum(kept) / len(kept) if kept else np.nan
            np.testing.assert_allclose(mean[index], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found["neuroid_id"].values, [str(n) for n in range(neuroids)])


def test_a_file_that_xarray_wrote_after_resetting_its_indexes_is_read(place):
    """As the field packs it: MultiIndexes reset, attributes promoted, zlib level 9."""
    rng = np.random.default_rng(3)
    ids, repetition = np.repeat(["b", "a", "c"], 2), np.tile([0, 1], 3)
    array = xr.DataArray(
        rng.normal(size=(4, 6, 1)),
        dims=("neuroid", "presentation", "time_bin"),
        coords={
            "image_id": ("presentation", ids),
            "repetition": ("presentation", repetition),
            "neuroid_id": ("neuroid", ["n0", "n1", "n2", "n3"]),
            "region": ("neuroid", ["V4", "V4", "IT", "IT"]),
            "time_bin_start": ("time_bin", [70]),
            "time_bin_end": ("time_bin", [170]),
        },
        attrs={"stimulus_set_identifier": "hvm"},
    ).set_index(
        presentation=["image_id", "repetition"],
        neuroid=["neuroid_id", "region"],
        time_bin=["time_bin_start", "time_bin_end"],
    )
    flat = array.reset_index(["presentation", "neuroid", "time_bin"])
    flat.to_dataset(name="data", promote_attrs=True).to_netcdf(
        place, engine="h5netcdf", encoding={"data": {"zlib": True, "complevel": 9}}
    )
    found = read(place)
    assert found.dims == ("presentation", "neuroid", "time_bin", "trial")
    assert list(found["time_bin_start_ms"].values) == [70]
    assert list(found["region"].values) == ["V4", "V4", "IT", "IT"]
    for n, stimulus in enumerate(found["stimulus_id"].values):
        np.testing.assert_array_equal(
            found.values[n, :, 0, :], array.values[:, np.flatnonzero(ids == stimulus), 0]
        )


def test_ids_and_labels_of_every_kind_of_text_are_text(place):
    with h5netcdf.File(place, "w") as file:
        file.dimensions = {"presentation": 2, "neuroid": 2, "string3": 3}
        data = file.create_variable("data", ("presentation", "neuroid"), dtype=np.float64)
        data[...] = [[1, 2], [3, 4]]
        chars = file.create_variable("image_id", ("presentation", "string3"), dtype="S1")
        chars[...] = [[b"a", b"b", b"c"], [b"d", b"\xc3", b"\xa9"]]
        chars.attrs["_Encoding"] = "utf-8"
        words = file.create_variable("region", ("neuroid",), dtype=h5py.string_dtype())
        words[...] = np.array(["V4", ""], object)
        good = file.create_variable("good", ("neuroid",), dtype=np.int8)
        good[...] = [1, 0]
        good.attrs["dtype"] = "bool"
        ids = file.create_variable("neuroid_id", ("neuroid",), dtype=np.int64)
        ids[...] = [12, 7]
        rank = file.create_variable("rank", ("neuroid",), dtype=np.int16, fillvalue=-1)
        rank[...] = [5, -1]
    found = read(place)
    assert list(found["stimulus_id"].values) == ["abc", "dé"]
    assert list(found["region"].values) == ["V4", ""]
    assert found["good"].dtype == bool
    assert list(found["good"].values) == [True, False]
    assert list(found["neuroid_id"].values) == ["12", "7"]
    np.testing.assert_array_equal(found["rank"].values, [5, np.nan])


def test_attributes_are_decoded_and_pointers_to_buckets_are_ignored(archive):
    archive.add_recording(attrs={"bins": [1, 2], "stimulus_set": "s3:objects/hvm", "unit": "z"})
    assembly = registry.data.create("brainscore/Set.public").assembly()
    assert assembly.attrs["bins"] == [1, 2]
    assert assembly.attrs["unit"] == "z"
    assert "stimulus_set" not in assembly.attrs
    assert any("stimulus_set points to a bucket" in note for note in assembly.attrs["notes"])


def test_stimulus_columns_are_merged_by_id(archive):
    archive.add_recording()
    data = registry.data.create("brainscore/Set.public")
    found, table = data.assembly(), data.stimuli().table
    for stimulus, name in zip(
        found["stimulus_id"].values, found["object_name"].values, strict=True
    ):
        assert table.at[stimulus, "object_name"] == name


def test_no_columns_are_merged_where_the_registry_says_so(archive):
    archive.add_recording(merges=False)
    plain = registry.data.create("brainscore/Set.public")
    assert "object_name" not in plain.assembly().coords
    merged = registry.data.create("brainscore/Set.public", merges=True)
    assert "object_name" in merged.assembly().coords


def test_numbers_that_lost_their_zeros_still_name_their_stimuli(archive, formats):
    rows = [{"stimulus_id": f"00{n}", "filename": f"{n}.png", "label": f"l{n}"} for n in range(3)]
    archive.add_stimuli("shown", rows, {f"{n}.png": formats["png"](n) for n in range(3)})
    coords = {"stimulus_id": (("presentation",), np.array([2, 0, 1]))}
    values = np.arange(6.0).reshape(3, 2)
    archive.add_assembly(
        "Numbers", values, ("presentation", "neuroid"), coords, stimulus_set="shown"
    )
    data = registry.data.create("brainscore/Numbers")
    assert list(data.assembly()["label"].values) == ["l2", "l0", "l1"]
    assert data.stimuli().stimulus_ids == ["000", "001", "002"]
    assert list(data.assembly()["stimulus_id"].values) == ["002", "000", "001"]


def test_a_recorded_stimulus_that_is_not_in_the_table_is_named(archive, formats):
    rows = [{"stimulus_id": "a", "filename": "a.png"}]
    archive.add_stimuli("shown", rows, {"a.png": formats["png"](1)})
    coords = {"stimulus_id": (("presentation",), ["a", "elsewhere"])}
    archive.add_assembly(
        "Lost", np.ones((2, 1)), ("presentation", "neuroid"), coords, stimulus_set="shown"
    )
    with pytest.raises(StimuliError, match="elsewhere"):
        registry.data.create("brainscore/Lost").assembly()
    assert registry.data.create("brainscore/Lost", merges=False).assembly().shape == (2, 1)


def test_only_stimuli_with_responses_are_shown_unless_all_are_asked_for(archive, formats):
    archive.add_recording()
    coords = {"image_id": (("presentation",), ["im3", "im1"])}
    dims = ("presentation", "neuroid")
    archive.add_assembly("Part", np.ones((2, 3)), dims, coords, stimulus_set="shown")
    assert registry.data.create("brainscore/Part").stimuli().stimulus_ids == ["im1", "im3"]
    whole = registry.data.create("brainscore/Part", recorded=False).stimuli()
    assert whole.stimulus_ids == [f"im{n}" for n in range(5)]


def test_an_assembly_without_a_stimulus_set_has_no_stimuli(archive):
    coords = {"image_id": (("presentation",), ["a", "b"])}
    archive.add_assembly("Alone", np.ones((2, 3)), ("presentation", "neuroid"), coords)
    data = registry.data.create("brainscore/Alone")
    assert data.assembly().shape == (2, 3)
    with pytest.raises(NotInData, match="no stimulus set"):
        data.stimuli()


def test_ids_of_neuroids_that_repeat_are_told_apart_by_the_animal(place, formats):
    coords = {
        "stimulus_id": (("presentation",), ["a"]),
        "neuroid_id": (("neuroid",), [1, 1, 2]),
        "animal": (("neuroid",), ["Tito", "Chabo", "Chabo"]),
    }
    formats["netcdf"](place, np.ones((1, 3)), ("presentation", "neuroid"), coords)
    found = read(place)
    assert list(found["neuroid_id"].values) == ["Tito.1", "Chabo.1", "Chabo.2"]
    assert list(found["neuroid_id_stored"].values) == ["1", "1", "2"]


def test_neuroids_without_ids_are_numbered(place, formats):
    coords = {"stimulus_id": (("presentation",), ["a"])}
    formats["netcdf"](place, np.ones((1, 3)), ("presentation", "neuroid"), coords)
    with netcdf.opened(place) as stored:
        found = trials.neural_assembly(stored)
        assert any("names no neuroids" in note for note in stored.notes)
    assert list(found["neuroid_id"].values) == ["0", "1", "2"]


def test_a_dimension_without_levels_is_stored_with_an_underscore(place, formats):
    """As `reset_index` names what was an index by itself; and a time bin that was squeezed."""
    coords = {
        "stimulus_id": (("presentation",), ["a"]),
        "neuroid_": (("neuroid",), ["x", "y"]),
        "time_bin_start": ((), 70),
        "time_bin_end": ((), 170),
    }
    formats["netcdf"](place, np.ones((1, 2)), ("presentation", "neuroid"), coords)
    found = read(place)
    assert list(found["neuroid_id"].values) == ["x", "y"]
    assert (found["time_bin_start_ms"], found["time_bin_end_ms"]) == (70, 170)


def temporal(place, formats, bins=4):
    coords = {
        "stimulus_id": (("presentation",), ["a", "b", "a"]),
        "neuroid_id": (("neuroid",), ["n0", "n1"]),
        "time_bin_start": (("time_bin",), np.arange(bins) * 20 - 20),
        "time_bin_end": (("time_bin",), np.arange(bins) * 20),
    }
    values = np.random.default_rng(0).normal(size=(3, 2, bins))
    formats["netcdf"](place, values, ("presentation", "neuroid", "time_bin"), coords)
    return values


def test_time_bins_are_chosen_by_their_edges(place, formats):
    values = temporal(place, formats)
    found = read(place, time_bins=[TimeBin(20, 40), TimeBin(-20, 0)])
    assert list(found["time_bin_start_ms"].values) == [20, -20]
    np.testing.assert_array_equal(found.sel(presentation=1).values[:, :, 0], values[1][:, [2, 0]])
    means = read(place, time_bins=[TimeBin(20, 40)], average=True)
    np.testing.assert_allclose(means.values[0, :, 0], values[[0, 2], :, 2].mean(0))


def test_a_time_bin_that_is_not_there_is_answered_with_those_that_are(place, formats):
    temporal(place, formats)
    with pytest.raises(AssemblyError, match=r"no time bin 5-10 ms; it has -20-0, 0-20"):
        read(place, time_bins=[TimeBin(5, 10)])


def test_what_does_not_fit_into_the_memory_is_refused_with_advice(place, formats, monkeypatch):
    temporal(place, formats)
    monkeypatch.setattr(trials, "available_bytes", lambda: 40)
    with pytest.raises(AssemblyError, match="average=True"):
        read(place)


def test_every_stored_chunk_is_read_once(place, formats, monkeypatch):
    values = np.random.default_rng(0).normal(size=(37, 5))
    coords = {"stimulus_id": (("presentation",), [f"s{n}" for n in range(37)])}
    dims = ("presentation", "neuroid")
    formats["netcdf"](place, values, dims, coords, chunks=(8, 5))
    monkeypatch.setattr(netcdf, "BLOCK_BYTES", 9 * 5 * 8)
    with netcdf.opened(place) as stored:
        pieces = [piece for piece, _ in stored.blocks("presentation")]
    assert [piece.start for piece in pieces] == [0, 8, 16, 24, 32]


def test_metrics_of_the_core_take_the_assembly(archive):
    values = archive.add_recording()
    assembly = registry.data.create("brainscore/Set.public").assembly()
    check_neural(assembly)
    matrix = responses_matrix(assembly).sortby("stimulus_id")
    np.testing.assert_allclose(matrix.values, values.mean(axis=1))
    assert average_trials(assembly, 2).shape == (5, 4)


def test_rows_without_stimulus_ids_stay_as_they_are(place, formats, archive):
    coords = {"neuroid_id": (("neuroid",), ["a", "b"])}
    archive.add_assembly("Nameless", np.ones((2, 2)), ("presentation", "neuroid"), coords)
    data = registry.data.create("brainscore/Nameless")
    assert data.assembly().dims == ("presentation", "neuroid")
    with pytest.raises(OptionError, match="average"):
        registry.data.create("brainscore/Nameless", average=True).assembly()


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0)])
def test_an_empty_recording_is_refused(place, formats, sizes):
    coords = {"stimulus_id": (("presentation",), np.zeros(sizes[0]))}
    with h5netcdf.File(place, "w") as file:
        file.dimensions = {"presentation": sizes[0], "neuroid": sizes[1]}
        file.create_variable("data", ("presentation", "neuroid"), dtype=np.float64, chunks=(1, 1))
        variable = file.create_variable("stimulus_id", ("presentation",), dtype=np.float64)
        if sizes[0]:
            variable[...] = coords["stimulus_id"][1]
    with pytest.raises(AssemblyError):
        read(place)
