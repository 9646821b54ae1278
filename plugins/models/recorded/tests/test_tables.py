import numpy as np
import pandas as pd
import pytest

from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError
from corteval.requests import TimeBin
from corteval_recorded.tables import from_frame, read


def written(folder, text, name="table.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_long_table_is_choices(tmp_path):
    found = read(written(tmp_path, "stimulus_id,choice,rt,note\n001,dog,0.4,x\n002,NA,0.5,y\n"))
    assert (found.kind, found.format) == ("choices", "long table")
    assert found.table["stimulus_id"].tolist() == ["001", "002"]  # not the numbers 1 and 2
    assert found.table["choice"].tolist() == ["dog", "NA"]  # not a missing value
    assert found.table["subject"].tolist() == ["", ""]


def test_tabs_and_a_byte_order_mark_are_read(tmp_path):
    text = b"\xef\xbb\xbfstimulus_id\tchoice\n1\td\xc3\xb6g\n"
    assert read(written(tmp_path, text, "t.TSV")).table["choice"].tolist() == ["dög"]


def test_model_vs_human_is_known_by_its_header_in_any_case(tmp_path):
    header = "subj,Session,trial,rt,object_response,category,condition,imagename"
    text = f"{header}\ns1,1,2,.5,dog,cat,0,a.png\n"
    found = read(written(tmp_path, text))
    assert (found.kind, found.format, found.no_response) == ("choices", "model-vs-human", "na")
    assert found.table.iloc[0].to_dict() == {
        "stimulus_id": "a.png",
        "choice": "dog",
        "subject": "s1",
        "session": "1",
        "trial": "2",
    }


def test_the_truth_is_not_read(tmp_path):
    text = (
        "subj,session,trial,rt,object_response,category,condition,imagename\ns,1,2,.5,dog,cat,0,a\n"
    )
    table = read(written(tmp_path, text)).table
    assert "cat" not in table.to_numpy().ravel().tolist()


def test_numbers_are_responses_of_units(tmp_path):
    text = "stimulus_id,trial,u1,u2\na,1,0.5,1e3\na,2,,2\nb,1,-1,nan\n"
    found = read(written(tmp_path, text))
    assert (found.kind, found.units) == ("responses", ("u1", "u2"))
    np.testing.assert_array_equal(
        found.table[["u1", "u2"]].to_numpy(), [[0.5, 1e3], [np.nan, 2], [-1, np.nan]]
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no table"),
        ("stimulus_id,choice\n", "There are no rows"),
        ("image,choice\na,dog\n", "no column 'stimulus_id'; there are image, choice"),
        ("stimulus_id\na\n", "neither a column 'choice' nor one of a unit"),
        ("stimulus_id,choice\na,dog\nb,\n", "1 rows have no choice, the first is row 2"),
        ("stimulus_id,choice\n,dog\n", "1 rows have no stimulus_id"),
        ("stimulus_id,u\na,0.5\nb,high\n", "Column 'u' holds numbers; row 2 has 'high'"),
        ("stimulus_id,choice,probability\na,dog,much\n", "row 1 has 'much'"),
        ('stimulus_id,choice\n"a,dog\n', "no table|no rows"),
        (b"stimulus_id,choice\n\xff\xfe,dog\n", "no table"),
    ],
)
def test_tables_that_cannot_be_read_say_where(tmp_path, text, message):
    with pytest.raises(AssemblyError, match=message) as caught:
        read(written(tmp_path, text))
    assert str(caught.value).startswith("table.csv: ")


def test_a_column_that_stands_there_twice_is_refused():
    table = pd.DataFrame([["a", "dog", "cat"]], columns=["stimulus_id", "choice", "choice"])
    with pytest.raises(AssemblyError, match="'choice' stands there twice"):
        from_frame(table)


def test_arrays_keep_all_their_axes_and_coordinates(tmp_path):
    values = np.random.default_rng(0).random((2, 3, 1, 4))
    np.savez(
        tmp_path / "x.npz",
        responses=values,
        stimulus_id=["a", "b"],
        neuroid_layer=["1", "1", "2"],
        time_bin_start_ms=[70],
        time_bin_end_ms=[170],
    )
    found = read(tmp_path / "x.npz").assembly
    assert found.dims == ("presentation", "neuroid", "time_bin", "trial")
    np.testing.assert_array_equal(found.values, values)
    assert found["neuroid_id"].values.tolist() == ["unit-0", "unit-1", "unit-2"]
    assert found["layer"].values.tolist() == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"responses": np.ones((2, 2))}, "no array stimulus_id; there are responses"),
        ({"responses": np.ones((2, 2)), "stimulus_id": ["a"]}, "do not fit|conflicting"),
        ({"responses": np.ones((2, 2)), "stimulus_id": ["a", "a"]}, "stimulus_id repeats: a"),
        ({"responses": np.ones(2), "stimulus_id": ["a", "b"]}, "neuroid"),
        ({"responses": np.array([["x", "y"]]), "stimulus_id": ["a"]}, "Responses are numbers"),
        ({"responses": np.array([[{}]]), "stimulus_id": ["a"]}, "plain arrays"),
    ],
    ids=["no-ids", "lengths", "repeated", "flat", "text", "pickled"],
)
def test_arrays_that_cannot_be_replayed_say_why(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(AssemblyError, match=message):
        read(tmp_path / "x.npz")


def test_files_of_other_kinds_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    with pytest.raises(OptionError, match=r"np.savez\(file, responses=array, stimulus_id=ids\)"):
        read(tmp_path / "x.npy")
    with pytest.raises(OptionError, match=r"known are .csv, .tsv, .npz, .nc"):
        read(written(tmp_path, "x", "x.xlsx"))
    with pytest.raises(OptionError, match="No such file"):
        read(tmp_path / "absent.csv")
    with pytest.raises(AssemblyError, match="no npz file"):
        read(written(tmp_path, "no zip", "x.npz"))
    with pytest.raises(AssemblyError, match="xarray cannot read it as it is installed"):
        read(written(tmp_path, "no netCDF", "x.nc"))


def test_netcdf_is_read_if_xarray_can(tmp_path):
    pytest.importorskip("scipy")
    values = np.random.default_rng(0).random((2, 3, 1))
    assembly = neural(
        values, ["a", "b"], {"neuroid_id": ["x", "y", "z"]}, time_bins=[TimeBin(0, 100)]
    )
    assembly.to_netcdf(tmp_path / "x.nc", engine="scipy")
    found = read(tmp_path / "x.nc").assembly
    np.testing.assert_array_equal(found.values, values)
    assert found["neuroid_id"].values.tolist() == ["x", "y", "z"]
