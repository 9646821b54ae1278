"""Defects of responses in arrays, and of what is said of them."""

import io
import zipfile

import numpy as np
import scipy.io
import xarray as xr
from core.tests.lab_folder import NEUROIDS, STIMULI, TRIALS, defects, edit, responding, trials

DEFECTS, defect = defects()


@defect("error", "", "did you mean 'Responses.npy'?")
def missing_responses(d):
    (d.folder / "responses.npy").rename(d.folder / "Responses.npy")


@defect("error", "responses.npy", "23 along presentation where there are 24 stimuli")
def misaligned_rows(d):
    np.save(d.folder / "responses.npy", trials()[:, :-1])


@defect("error", "responses.npy, neuroid 3 (n2)", "no value for any stimulus", loads=True)
def neuroid_without_values(d):
    values = trials()
    values[2] = np.nan
    np.save(d.folder / "responses.npy", values)


@defect("warning", "responses.npy, neuroid 5 (n4)", "responses are equal")
def constant_neuroid(d):
    values = trials()
    values[4] = 0.7
    np.save(d.folder / "responses.npy", values)


@defect("warning", "dataset.toml, time_bin_ms", "seconds, and would be [70, 170] ms")
def times_in_seconds(d):
    return responding(d, time_bin_ms=((0.07, 0.17),))


@defect("warning", "dataset.toml, time_bin_ms", "would be [70, 170] ms")
def times_in_microseconds(d):
    return responding(d, time_bin_ms=((70_000.0, 170_000.0),))


@defect("warning", "responses.npy", "Stimuli have 2 to 4 repeats")
def ragged(d):
    values = trials()
    values[:, 3, 2:] = np.nan
    np.save(d.folder / "responses.npy", values)


@defect("error", "responses.nc", "damaged")
def corrupt_netcdf(d):
    array = xr.DataArray(trials(), dims=["neuroid", "presentation", "repetition"], name="r")
    array.to_netcdf(d.folder / "responses.nc", engine="h5netcdf")
    content = (d.folder / "responses.nc").read_bytes()
    (d.folder / "responses.nc").write_bytes(content[: len(content) // 2])
    return responding(d, file="responses.nc", dims=())


@defect("error", "responses.nc", "begins with b'<htm'")
def no_netcdf(d):
    (d.folder / "responses.nc").write_bytes(b"<html>404</html>")
    return responding(d, file="responses.nc", dims=())


@defect(
    "error",
    "responses.mat, variable units",
    "1 x 5 struct array with fields name, spikes; arrays are spikes (24 x 4). Stack",
)
def mat_struct_array(d):
    spikes = np.empty((1, NEUROIDS), [("name", object), ("spikes", object)])
    for n in range(NEUROIDS):
        spikes[0, n] = (f"n{n}", trials()[n])
    scipy.io.savemat(d.folder / "responses.mat", {"units": spikes})
    return responding(d, file="responses.mat")


@defect("error", "responses.mat, variable data", 'variable = "data.responses"')
def mat_struct(d):
    data = {"rate": 20.0, "responses": trials(), "names": "abc"}
    scipy.io.savemat(d.folder / "responses.mat", {"data": data})
    return responding(d, file="responses.mat")


@defect("error", "r.npz, array x", "as a bomb would")
def npz_bomb(d):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (NEUROIDS, STIMULI, 1 << 17)}
    )
    with zipfile.ZipFile(d.folder / "r.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x.npy", "w") as member:
            member.write(header.getvalue())
            for _ in range(NEUROIDS * STIMULI):
                member.write(bytes(1 << 20))
    return responding(d, file="r.npz")


@defect("error", "responses.npy", "Python objects (pickles)")
def pickled_npy(d):
    ragged = np.empty(NEUROIDS, object)
    ragged[:] = [list(range(n)) for n in range(NEUROIDS)]
    np.save(d.folder / "responses.npy", ragged, allow_pickle=True)


@defect("error", "r.npz, array x", "Python objects (pickles)")
def pickled_npz(d):
    np.savez(d.folder / "r.npz", x=np.array([{"a": 1}], object), allow_pickle=True)
    return responding(d, file="r.npz", variable="x")


@defect("error", "responses.npy", "complex numbers")
def complex_values(d):
    np.save(d.folder / "responses.npy", trials() + 1j)


@defect(
    "error",
    "responses.npy, presentation 7 (img06), neuroid 2 (n1)",
    "The value is -inf",
    loads=True,
)
def infinite_value(d):
    values = trials()
    values[1, 6, 2] = -np.inf
    np.save(d.folder / "responses.npy", values)


@defect(
    "error", "responses.npy", 'This would fit: dims = ["neuroid", "presentation", "repetition"]'
)
def wrong_order_of_axes(d):
    return responding(d, dims=("presentation", "neuroid", "repetition"))


@defect(
    "error",
    "responses.npy",
    "dims names 2 axes (neuroid, presentation), the array "
    'has 3: 5 x 24 x 4. This would fit: dims = ["neuroid", "presentation", "repetition"]',
)
def too_few_dims(d):
    return responding(d, dims=("neuroid", "presentation"))


@defect("error", "responses.npy", "these fit")
def no_dims_several_fit(d):
    return responding(d, dims=(), time_bin_ms=())


@defect("error", "responses.npy", "5 along neuroid where there are 6 neuroids")
def longer_neuroid_table(d):
    edit(d.folder / "neuroids.csv", "n4,V4", "n4,V4\nn5,V4")


@defect("error", "neuroids.csv, row 5, column neuroid_id", "The id is empty")
def missing_neuroid_id(d):
    edit(d.folder / "neuroids.csv", "n3,V4", ",V4")


@defect("error", "neuroids.csv, row 5, column neuroid_id", "'n1' stands in row 3")
def repeated_neuroid_id(d):
    edit(d.folder / "neuroids.csv", "n3,V4", "n1,V4")


@defect("error", "", "'responses.npy' is a link that leaves")
def responses_link_that_leaves(d):
    (d.folder / "responses.npy").rename(d.folder.parent / "r.npy")
    (d.folder / "responses.npy").symlink_to(d.folder.parent / "r.npy")


@defect("error", "responses.npy", "from 170 to 70 ms, backwards. Write [70, 170]")
def reversed_bin(d):
    return responding(d, time_bin_ms=((170.0, 70.0),))


@defect("error", "responses.npy", "4 along time_bin where there are 2 time bins")
def more_bins_than_times(d):
    return responding(
        d,
        dims=("neuroid", "presentation", "time_bin"),
        time_bin_ms=((0.0, 50.0), (50.0, 100.0)),
    )


@defect("error", "responses.npy, presentation 12 (img11)", "no value for any neuroid", loads=True)
def silent_stimulus(d):
    values = trials()
    values[:, 11] = np.nan
    np.save(d.folder / "responses.npy", values)


@defect("warning", "responses.npy", "No neuroid is reliable")
def shuffled_trials(d):
    values = trials()
    generator = np.random.default_rng(0)
    for trial in range(TRIALS):
        values[:, :, trial] = values[:, generator.permutation(STIMULI), trial]
    np.save(d.folder / "responses.npy", values)


@defect(
    "error", "responses.npy", "The header says 5 x 24 x 4 of float64, 3840 bytes; the file has 3832"
)
def cut_npy(d):
    path = d.folder / "responses.npy"
    path.write_bytes(path.read_bytes()[:-8])


@defect("error", "responses.npy", "The values are <U")
def text_array(d):
    np.save(d.folder / "responses.npy", trials().astype(str))


@defect("error", "responses.xyz", "Files .xyz are not read. Formats are .npy")
def unknown_format(d):
    (d.folder / "responses.npy").rename(d.folder / "responses.xyz")
    return responding(d, file="responses.xyz")
