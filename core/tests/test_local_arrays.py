"""Arrays of .npy, .npz, .mat and .nc files: the values, their axes, and names along them."""

import io
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import xarray as xr

from corteval.errors import DatasetError
from corteval.local.description import Description, Responses
from corteval.local.formats.arrays import read_npy, read_npz
from corteval.local.formats.matlab import read_mat
from corteval.local.formats.netcdf import read_netcdf
from corteval.local.loading import load_assembly, load_stimuli

VALUES = np.random.default_rng(0).normal(size=(3, 6, 4))  # neuroid, presentation, repetition
IDS = [f"s{n}" for n in range(6)]
DIMS = ("neuroid", "presentation", "repetition")


def described(folder, **responses):
    """Six texts, and responses as described."""
    pd.DataFrame({"stimulus_id": IDS, "text": [f"text {n}" for n in range(6)]}).to_csv(
        folder / "stimuli.csv", index=False
    )
    return Description(
        folder=folder,
        id="Toy",
        modality="text",
        stimuli="stimuli.csv",
        responses=Responses(**{"target": "language_system", "dims": DIMS, **responses}),
    )


def assembly_of(description):
    return load_assembly(description, load_stimuli(description))


def write_v73(path, **variables):
    """A file as MATLAB writes it by ``save -v7.3``: axes reversed, text as numbers, cells by
    reference."""
    with h5py.File(path, "w", userblock_size=512) as file:
        references = file.create_group("#refs#")

        def kind(item, name):
            item.attrs["MATLAB_class"] = np.bytes_(name)

        def put(group, name, value):
            if isinstance(value, dict):
                kind(group.create_group(name), "struct")
                for field, inside in value.items():
                    put(group[name], field, inside)
            elif isinstance(value, str):
                codes = np.array([ord(c) for c in value], np.uint16)[:, None]
                kind(group.create_dataset(name, data=codes), "char")
            elif isinstance(value, list):
                cells = np.empty((len(value), 1), h5py.ref_dtype)
                for number, cell in enumerate(value):
                    put(references, f"{name}{number}", cell)
                    cells[number, 0] = references[f"{name}{number}"].ref
                kind(group.create_dataset(name, data=cells, dtype=h5py.ref_dtype), "cell")
            elif value.dtype.kind == "c":
                parts = np.empty(value.T.shape, [("real", "f8"), ("imag", "f8")])
                parts["real"], parts["imag"] = value.T.real, value.T.imag
                kind(group.create_dataset(name, data=parts), "double")
            else:
                logical = value.dtype == bool
                item = group.create_dataset(
                    name, data=value.T.astype("u1" if logical else None or value.dtype)
                )
                kind(
                    item,
                    "logical" if logical else {"f8": "double", "f4": "single"}[value.dtype.str[1:]],
                )

        for name, value in variables.items():
            put(file, name, value)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")


def write_v5(path, **variables):
    def cells(value):
        if isinstance(value, list):
            made = np.empty((len(value), 1), object)
            made[:, 0] = value
            return made
        return {k: cells(v) for k, v in value.items()} if isinstance(value, dict) else value

    scipy.io.savemat(path, {k: cells(v) for k, v in variables.items()}, do_compression=True)


WRITERS = {"v5": write_v5, "v7.3": write_v73}


@pytest.fixture(params=WRITERS)
def write_mat(request):
    return WRITERS[request.param]


# .npy and .npz


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<f2", "<i4", "|u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_has_the_values_that_were_saved(tmp_path, dtype, order):
    values = np.asarray(VALUES * 10, order=order).astype(dtype)
    np.save(tmp_path / "r.npy", values)
    found = assembly_of(described(tmp_path, file="r.npy"))
    assert found.dims == ("presentation", "neuroid", "trial")
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.values, values.transpose(1, 0, 2))


def test_npy_is_mapped_not_read(tmp_path):
    np.save(tmp_path / "r.npy", VALUES)
    stored = read_npy(tmp_path / "r.npy", "r.npy")
    base = stored.values
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_truth_values_become_ones_and_zeros(tmp_path):
    np.save(tmp_path / "r.npy", VALUES > 0)
    found = assembly_of(described(tmp_path, file="r.npy"))
    np.testing.assert_array_equal(found.values, (VALUES > 0).transpose(1, 0, 2).astype(int))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_array_is_the_only_one_with_two_axes_or_the_named_one(tmp_path, save):
    save(tmp_path / "r.npz", x=VALUES, ids=np.array(IDS), rate=20.0)
    np.testing.assert_array_equal(read_npz(tmp_path / "r.npz", "r.npz", None).values, VALUES)
    save(tmp_path / "r.npz", x=VALUES, y=-VALUES)
    with pytest.raises(DatasetError, match=r"several arrays: x \(3 x 6 x 4\), y \(3 x 6 x 4\)"):
        read_npz(tmp_path / "r.npz", "r.npz", None)
    np.testing.assert_array_equal(read_npz(tmp_path / "r.npz", "r.npz", "y").values, -VALUES)
    with pytest.raises(DatasetError, match=r"no variable 'xx'.*did you mean 'x'"):
        read_npz(tmp_path / "r.npz", "r.npz", "xx")


def test_npz_names_stimuli_of_rows(tmp_path):
    order = [4, 2, 0, 1, 3, 5]
    np.savez(tmp_path / "r.npz", x=VALUES[:, order], shown=np.array([IDS[n] for n in order]))
    found = assembly_of(described(tmp_path, file="r.npz", presentations="shown", variable="x"))
    assert list(found["stimulus_id"].values) == IDS
    np.testing.assert_array_equal(found.values, VALUES.transpose(1, 0, 2))


@pytest.mark.parametrize("last", [9, 99_999_999_999])
def test_npz_whose_header_lies_is_refused_before_memory_is_taken(tmp_path, last):
    np.savez(tmp_path / "r.npz", x=VALUES)
    with zipfile.ZipFile(tmp_path / "r.npz") as archive:
        content = archive.read("x.npy")[-VALUES.nbytes :]
    lying = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        lying, {"descr": "<f8", "fortran_order": False, "shape": (3, 6, last)}
    )
    with zipfile.ZipFile(tmp_path / "r.npz", "w") as archive:
        archive.writestr("x.npy", lying.getvalue() + content)
    words = "The header says 3 x 6 x 9" if last == 9 else "would take 14399999999856 bytes"
    with pytest.raises(DatasetError, match=words):
        read_npz(tmp_path / "r.npz", "r.npz", "x")


# Presentations


def test_repeated_presentations_become_trials_of_their_stimulus(tmp_path):
    shown = [0, 1, 2, 3, 4, 5, 2, 0, 2]
    values = np.random.default_rng(1).normal(size=(9, 3))
    np.save(tmp_path / "r.npy", values)
    pd.DataFrame({"stimulus_id": [IDS[n] for n in shown], "day": 1}).to_csv(
        tmp_path / "presentations.csv", index=False
    )
    found = assembly_of(
        described(
            tmp_path,
            file="r.npy",
            dims=("presentation", "neuroid"),
            presentations="presentations.csv",
        )
    )
    assert found.sizes == {"presentation": 6, "neuroid": 3, "trial": 3}
    for stimulus in range(6):
        rows = [n for n, name in enumerate(shown) if name == stimulus]
        kept = found.values[stimulus][:, : len(rows)]
        np.testing.assert_array_equal(kept, values[rows].T)
        assert np.isnan(found.values[stimulus][:, len(rows) :]).all()


def test_stimuli_that_were_never_shown_are_named(tmp_path):
    np.save(tmp_path / "r.npy", VALUES[:, :4])
    pd.DataFrame({"stimulus_id": IDS[:4]}).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(DatasetError, match=r"p.csv: 2 stimuli were never shown: 's4', 's5'"):
        assembly_of(described(tmp_path, file="r.npy", presentations="p.csv"))


def test_neuroids_bring_their_columns(tmp_path):
    np.save(tmp_path / "r.npy", VALUES)
    pd.DataFrame(
        {"neuroid_id": ["007", "1e5", "NA"], "region": ["V4", "IT", ""], "depth_mm": [1, 2.5, ""]}
    ).to_csv(tmp_path / "n.csv", index=False)
    found = assembly_of(described(tmp_path, file="r.npy", neuroids="n.csv"))
    assert list(found["neuroid_id"].values) == ["007", "1e5", "NA"]
    assert list(found["region"].values) == ["V4", "IT", ""]
    np.testing.assert_array_equal(found["depth_mm"].values, [1, 2.5, np.nan])


def test_a_single_neuroid_needs_no_axis(tmp_path):
    np.save(tmp_path / "r.npy", VALUES[0, :, 0])
    found = assembly_of(described(tmp_path, file="r.npy", dims=()))
    assert found.sizes == {"presentation": 6, "neuroid": 1}


def test_time_bins_are_coordinates(tmp_path):
    np.save(tmp_path / "r.npy", VALUES)
    found = assembly_of(
        described(
            tmp_path,
            file="r.npy",
            dims=("neuroid", "presentation", "time_bin"),
            time_bin_ms=((0, 50), (50, 100), (100, 150), (150, 200)),
        )
    )
    assert found.dims == ("presentation", "neuroid", "time_bin")
    assert list(found["time_bin_end_ms"].values) == [50, 100, 150, 200]


# .mat


def test_mat_has_the_values_matlab_had(tmp_path, write_mat):
    write_mat(tmp_path / "r.mat", x=VALUES, rate=np.array([[20.0]]), note="recorded in May")
    found = assembly_of(described(tmp_path, file="r.mat"))
    np.testing.assert_array_equal(found.values, VALUES.transpose(1, 0, 2))


def test_mat_names_stimuli_by_a_cell_array_of_strings(tmp_path, write_mat):
    order = [5, 4, 3, 2, 1, 0]
    write_mat(tmp_path / "r.mat", x=VALUES[:, order], ids=[IDS[n] for n in order])
    found = assembly_of(described(tmp_path, file="r.mat", presentations="ids"))
    np.testing.assert_array_equal(found.values, VALUES.transpose(1, 0, 2))


def test_mat_reads_a_field_of_a_struct(tmp_path, write_mat):
    write_mat(tmp_path / "r.mat", data={"resp": VALUES, "names": IDS, "id": "abc"})
    with pytest.raises(DatasetError, match=r"1 x 1 struct with fields .*arrays are .*resp"):
        read_mat(tmp_path / "r.mat", "r.mat", None)
    with pytest.raises(DatasetError, match=r'Name a field: variable = "data.resp"'):
        read_mat(tmp_path / "r.mat", "r.mat", "data")
    stored = read_mat(tmp_path / "r.mat", "r.mat", "data.resp")
    np.testing.assert_array_equal(stored.values, VALUES)
    assert stored.names("data.names") == IDS
    with pytest.raises(DatasetError, match=r"no (field )?'rest'"):
        read_mat(tmp_path / "r.mat", "r.mat", "data.rest")


def test_mat_truth_values_become_ones_and_zeros(tmp_path, write_mat):
    write_mat(tmp_path / "r.mat", x=VALUES > 0)
    stored = read_mat(tmp_path / "r.mat", "r.mat", None)
    np.testing.assert_array_equal(stored.values, (VALUES > 0).astype(int))


def test_mat_cells_text_and_complex_numbers_are_named(tmp_path, write_mat):
    write_mat(tmp_path / "r.mat", c=[VALUES[0], VALUES[1]], z=VALUES[0] + 1j, t="text")
    for variable, words in (
        ("c", r"cell array \((2 x 1|1 x 2)\) of arrays such as 6 x 4.*cat\(3, c"),
        ("z", "complex"),
        ("t", "text|char"),
    ):
        with pytest.raises(DatasetError, match=rf"r.mat, variable {variable}: .*{words}"):
            read_mat(tmp_path / "r.mat", "r.mat", variable)


def test_mat_axes_of_length_one_come_and_go_as_matlab_likes(tmp_path, write_mat):
    write_mat(tmp_path / "r.mat", x=VALUES[:, :, 0])
    found = assembly_of(described(tmp_path, file="r.mat"))
    assert found.sizes == {"presentation": 6, "neuroid": 3, "trial": 1}
    write_mat(tmp_path / "r.mat", x=VALUES[:1, :, 0])
    found = assembly_of(described(tmp_path, file="r.mat", dims=("presentation",)))
    np.testing.assert_array_equal(found.values[:, 0], VALUES[0, :, 0])


def test_mat_struct_array_of_version_73_is_named_with_its_fields(tmp_path):
    with h5py.File(tmp_path / "r.mat", "w", userblock_size=512) as file:
        references = file.create_group("#refs#")
        units = file.create_group("units")
        units.attrs["MATLAB_class"] = np.bytes_("struct")
        cells = np.empty((3, 1), h5py.ref_dtype)
        for n in range(3):
            item = references.create_dataset(f"a{n}", data=VALUES[n].T)
            item.attrs["MATLAB_class"] = np.bytes_("double")
            cells[n, 0] = item.ref
        units.create_dataset("spikes", data=cells, dtype=h5py.ref_dtype)
    with pytest.raises(DatasetError, match=r"1 x 3 struct array with fields spikes; .*\(6 x 4\)"):
        read_mat(tmp_path / "r.mat", "r.mat", "units")


def test_mat_whose_header_announces_gigabytes_is_refused(tmp_path):
    inside = (14).to_bytes(4, "little") + (0xF0000000).to_bytes(4, "little") + bytes(100)
    packed = zlib.compress(inside)
    content = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    content += (15).to_bytes(4, "little") + len(packed).to_bytes(4, "little") + packed
    (tmp_path / "r.mat").write_bytes(content)
    with pytest.raises(DatasetError, match="as a bomb would"):
        read_mat(tmp_path / "r.mat", "r.mat", None)


def test_real_files_of_every_version_of_matlab_are_read_or_refused_in_words():
    """Files that MathWorks' own software wrote, as far as scipy brings them along."""
    folder = Path(scipy.io.__file__).parent / "matlab" / "tests" / "data"
    files = sorted(folder.glob("*.mat"))
    if not files:
        pytest.skip("this scipy was installed without its tests' data")
    read = 0
    for path in files:
        try:
            stored = read_mat(path, path.name, None)
        except DatasetError:
            continue
        variable = stored.where.partition("variable ")[2]
        if h5py.is_hdf5(path):
            with h5py.File(path) as file:
                expected = file[variable][()].T
        else:
            expected = scipy.io.loadmat(path)[variable]
        np.testing.assert_array_equal(stored.values, expected)
        read += 1
    assert read > 10


def test_struct_arrays_of_published_files_are_named_with_their_fields(mirror):
    (path,) = mirror.glob("raw.githubusercontent.com/rsagroup/**/92_behavRDMs.mat")
    (variable,) = scipy.io.loadmat(path).keys() - {"__header__", "__version__", "__globals__"}
    fields = ", ".join(scipy.io.loadmat(path)[variable].dtype.names)
    with pytest.raises(DatasetError) as caught:
        read_mat(path, path.name, None)
    words = f"{path.name}, variable {variable}: This is a 1 x 16 struct array with fields {fields};"
    assert words in str(caught.value)
    assert f"x = cat(3, {variable}.RDM)" in str(caught.value)


@pytest.mark.parametrize("kept", [10, 130, 200, -20])
def test_mat_that_is_cut_short_is_refused_in_words(tmp_path, kept):
    write_v5(tmp_path / "r.mat", x=VALUES)
    path = tmp_path / "r.mat"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DatasetError, match=r"r.mat: The file is (no readable .mat|cut short)"):
        read_mat(path, "r.mat", "x")


# HDF5 that points elsewhere


@pytest.mark.parametrize("how", ["link", "storage", "virtual"])
def test_values_in_other_files_are_refused(tmp_path, how):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(48))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros((3, 2))
    with h5py.File(tmp_path / "r.mat", "w") as file:
        if how == "link":
            file["x"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
        elif how == "storage":
            file.create_dataset("x", (3, 2), "f8", external=[(str(secret), 0, 48)])
        else:
            layout = h5py.VirtualLayout((3, 2), "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (3, 2))
            file.create_virtual_dataset("x", layout)
    content = (tmp_path / "r.mat").read_bytes()
    (tmp_path / "r.nc").write_bytes(content)
    for read in (read_mat, read_netcdf):
        name = "r.mat" if read is read_mat else "r.nc"
        with pytest.raises(DatasetError, match=r"another file|in other files"):
            read(tmp_path / name, name, None)


def test_an_array_that_was_never_written_takes_no_memory(tmp_path):
    with h5py.File(tmp_path / "r.nc", "w") as file:
        file.create_dataset("x", (1 << 20, 1 << 20), "f8", chunks=(1024, 1024))
    with pytest.raises(DatasetError, match=r"at most|never written"):
        read_netcdf(tmp_path / "r.nc", "r.nc", None)


# netCDF


def labelled(dims=("presentation", "neuroid", "repetition")):
    order = [DIMS.index(d) for d in ("presentation", "neuroid", "repetition")]
    return xr.DataArray(
        VALUES.transpose(order),
        dims=dims,
        coords={
            "stimulus_id": (dims[0], IDS),
            "neuroid_id": (dims[1], ["a", "b", "c"]),
            "region": (dims[1], ["V4", "V4", "IT"]),
        },
        name="responses",
        attrs={"unit": "Hz"},
    )


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize(
    "dims", [("presentation", "neuroid", "repetition"), ("image", "voxel", "trial")]
)
def test_netcdf_brings_its_dimensions_and_coordinates(tmp_path, engine, dims):
    labelled(dims).to_netcdf(tmp_path / "r.nc", engine=engine)
    found = assembly_of(described(tmp_path, file="r.nc", dims=()))
    assert found.dims == ("presentation", "neuroid", "trial")
    assert list(found["region"].values) == ["V4", "V4", "IT"]
    assert found.attrs["unit"] == "Hz"
    np.testing.assert_array_equal(found.values, VALUES.transpose(1, 0, 2))


def test_netcdf_indexed_by_ids_is_understood(tmp_path):
    array = xr.DataArray(
        VALUES[:, :, 0].T,
        dims=["stimulus_id", "neuroid_id"],
        coords={"stimulus_id": IDS, "neuroid_id": ["a", "b", "c"]},
        name="r",
    )
    array.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    found = assembly_of(described(tmp_path, file="r.nc", dims=()))
    assert found.dims == ("presentation", "neuroid")
    assert list(found["neuroid_id"].values) == ["a", "b", "c"]


def test_netcdf_rows_are_matched_by_id_and_repeated_ones_stacked(tmp_path):
    shown = [*reversed(range(6)), 3]
    array = labelled().isel(repetition=0)[shown]
    array.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    found = assembly_of(described(tmp_path, file="r.nc", dims=()))
    assert list(found["stimulus_id"].values) == IDS
    assert found.sizes["trial"] == 2
    np.testing.assert_array_equal(found.values[:, :, 0], VALUES[:, :, 0].T)
    np.testing.assert_array_equal(found.values[3, :, 1], VALUES[:, 3, 0])
    assert list(found["region"].values) == ["V4", "V4", "IT"]


def test_netcdf_of_other_stimuli_is_refused_with_an_example(tmp_path):
    labelled().assign_coords(stimulus_id=("presentation", [f"S{n}" for n in range(6)])).to_netcdf(
        tmp_path / "r.nc", engine="h5netcdf"
    )
    with pytest.raises(DatasetError, match=r"r.nc, presentation, row 1.*no 'S0' \(it has 's0'\)"):
        assembly_of(described(tmp_path, file="r.nc", dims=()))


def test_netcdf_dimensions_of_unknown_names_are_listed_with_their_sizes(tmp_path):
    array = xr.DataArray(VALUES, dims=["foo", "presentation", "bar"], name="r")
    array.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with pytest.raises(DatasetError, match=r"foo \(3\), presentation \(6\), bar \(4\); foo, bar"):
        assembly_of(described(tmp_path, file="r.nc", dims=()))
    found = assembly_of(described(tmp_path, file="r.nc", dims=DIMS))
    np.testing.assert_array_equal(found.values, VALUES.transpose(1, 0, 2))


def test_netcdf_of_a_single_site_has_one_neuroid(tmp_path):
    labelled().isel(neuroid=0, drop=True).drop_vars(
        ["neuroid_id", "region"], errors="ignore"
    ).to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    found = assembly_of(described(tmp_path, file="r.nc", dims=()))
    assert found.sizes == {"presentation": 6, "neuroid": 1, "trial": 4}
    np.testing.assert_array_equal(found.values[:, 0], VALUES[0])


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_netcdf_numbers_that_are_packed_or_marked_as_missing_are_unpacked(tmp_path, engine):
    values = np.array([[1.5, 2.5, np.nan]] * 6)
    array = labelled().isel(repetition=0).copy(data=values)
    packed = {"dtype": "int16", "scale_factor": 0.5, "_FillValue": np.int16(-1)}
    array.to_netcdf(tmp_path / "r.nc", engine=engine, encoding={"responses": packed})
    found = assembly_of(described(tmp_path, file="r.nc", dims=()))
    np.testing.assert_array_equal(found.values, values)
