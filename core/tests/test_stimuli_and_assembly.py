import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from corteval import assembly as assemblies
from corteval.errors import AssemblyError, StimuliError, UnsupportedRequest
from corteval.requests import Between, OneOf, TimeBin, UnitFilter
from corteval.screen import luminance, place
from corteval.stimuli import StimulusSet
from corteval.units import selected_units


def index(*ids):
    return pd.Index(ids, name="stimulus_id")


def texts(*words, **columns):
    table = pd.DataFrame(
        {"text": words} | columns, index=index(*[f"t{i}" for i in range(len(words))])
    )
    return StimulusSet(identifier="toy", modality="text", table=table)


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).save(tmp_path / f"{name}.png")
    paths = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    table = pd.DataFrame({"path": paths, "label": ["cat", "dog"]}, index=index("a", "b"))
    return StimulusSet(identifier="pictures", modality="image", table=table, visual_degrees=8.0)


def test_the_digest_depends_on_content_order_and_degrees_only(pictures, tmp_path):
    from dataclasses import replace

    digest = pictures.digest()
    renamed = replace(pictures, identifier="other", table=pictures.table.drop(columns="label"))
    assert renamed.digest() == digest
    assert renamed == pictures
    assert hash(renamed) == hash(pictures)
    assert pictures.select(["b", "a"]).digest() != digest
    assert replace(pictures, visual_degrees=4.0).digest() != digest
    image = np.asarray(Image.open(tmp_path / "a.png")).copy()
    image[0, 0, 0] ^= 1
    Image.fromarray(image).save(tmp_path / "a.png")
    assert replace(pictures).digest() != digest


def test_reading_order_is_part_of_a_texts_identity():
    first = texts("a", "b", context_id=["c", "c"], position=[0, 1])
    second = texts("a", "b", context_id=["c", "c"], position=[1, 0])
    assert first.digest() != second.digest()


def test_a_subject_is_shown_no_labels(pictures):
    assert list(pictures.shown().table.columns) == ["path"]
    assert pictures.shown().digest() == pictures.digest()


def test_select_and_where_go_by_label(pictures):
    assert pictures.where(label="dog").stimulus_ids == ["b"]
    with pytest.raises(StimuliError, match="no stimulus c"):
        pictures.select(["c"])
    with pytest.raises(StimuliError, match="no column 'colour'"):
        pictures.where(colour="red")


@pytest.mark.parametrize(
    ("table", "modality", "message"),
    [
        (pd.DataFrame({"text": ["a"]}), "text", "not by 'stimulus_id'"),
        (pd.DataFrame({"text": ["a", "b"]}, index=index("x", "x")), "text", "repeat: x"),
        (pd.DataFrame({"text": ["a"]}, index=index(3)), "text", "ids are text"),
        (pd.DataFrame({"word": ["a"]}, index=index("x")), "text", "need column 'text'"),
        (pd.DataFrame(index=index("x")), "image", "need column 'path'"),
        (pd.DataFrame({"text": ["a"]}, index=index("x")), "smell", "unknown modality"),
    ],
)
def test_a_table_that_breaks_the_contract_is_refused(table, modality, message):
    with pytest.raises(StimuliError, match=message):
        StimulusSet(identifier="toy", modality=modality, table=table)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK", "I;16", "1", "LA"])
def test_every_kind_of_image_is_read_as_grey_or_rgb(tmp_path, mode):
    grey = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4)
    path = tmp_path / ("x.tif" if mode in {"CMYK", "I;16"} else "x.png")
    if mode == "I;16":
        Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1024).save(path)
    else:
        grey.convert(mode).save(path)
    table = pd.DataFrame({"path": [str(path)]}, index=index("x"))
    image = StimulusSet(identifier="t", modality="image", table=table).image("x")
    assert image.dtype == np.uint8
    assert image.shape in {(8, 8), (8, 8, 3)}


def test_transparency_shows_the_grey_of_the_screen(tmp_path):
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "x.png")
    table = pd.DataFrame({"path": [str(tmp_path / "x.png")]}, index=index("x"))
    stimuli = StimulusSet(identifier="t", modality="image", table=table)
    assert (stimuli.image("x") == 128).all()


def test_an_unreadable_file_is_named_with_its_stimulus(tmp_path):
    (tmp_path / "x.png").write_text("<html>")
    table = pd.DataFrame(
        {"path": [str(tmp_path / "x.png"), str(tmp_path / "y.png")]}, index=index("x", "y")
    )
    stimuli = StimulusSet(identifier="t", modality="image", table=table)
    with pytest.raises(StimuliError, match=r"Stimulus x: .*not a readable image"):
        stimuli.image("x")
    with pytest.raises(StimuliError, match="Stimulus y"):
        stimuli.digest()


def test_a_larger_image_is_cropped_and_a_smaller_one_padded_with_grey():
    image = np.arange(144, dtype=np.uint8).reshape(12, 12)
    np.testing.assert_array_equal(place(image, 12.0, 8.0), image[2:10, 2:10])
    padded = place(image, 6.0, 12.0)
    assert padded.shape == (24, 24)
    np.testing.assert_array_equal(padded[6:18, 6:18], image)
    assert (padded[:6] == 128).all()
    assert place(image, None, 8.0) is image
    assert place(image, 8.0, 8.0) is image


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.5, 30), st.floats(0.5, 30))
def test_the_screen_always_spans_its_degrees(height, width, image_degrees, screen_degrees):
    placed = place(np.zeros((height, width), np.uint8), image_degrees, screen_degrees)
    ratio = screen_degrees / image_degrees
    assert placed.shape == (max(1, round(ratio * height)), max(1, round(ratio * width)))


def test_luminance_is_the_mean_of_the_channels(pictures):
    expected = pictures.image("a").mean(axis=2) / 255
    np.testing.assert_allclose(luminance(pictures, "a", 8.0), expected, atol=1e-6)


def responses(stimuli=4, neuroids=3, trials=None):
    shape = (stimuli, neuroids) if trials is None else (stimuli, neuroids, trials)
    values = np.random.default_rng(0).standard_normal(shape)
    ids = [f"s{i}" for i in range(stimuli)]
    return assemblies.neural(values, ids, {"neuroid_id": [f"n{i}" for i in range(neuroids)]})


@given(st.permutations(list(range(4))))
def test_alignment_goes_by_id_and_loses_nothing(order):
    target = responses()
    aligned = assemblies.align(target.isel(presentation=order), target)
    xr.testing.assert_identical(aligned, target)


def test_alignment_that_would_lose_rows_is_an_error():
    target = responses()
    with pytest.raises(AssemblyError, match="No response to 1 stimuli: s3"):
        assemblies.align(target.isel(presentation=slice(0, 3)), target)
    with pytest.raises(AssemblyError, match="were not asked: s3"):
        assemblies.align(target, target.isel(presentation=slice(0, 3)))
    with pytest.raises(AssemblyError, match="several rows: "):
        assemblies.align(
            target.isel(presentation=[0, *range(target.sizes["presentation"])]), target
        )


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda a: a.values, "not ndarray"),
        (lambda a: a.rename(neuroid="unit"), "need presentation, neuroid"),
        (lambda a: a.drop_vars("stimulus_id"), "'stimulus_id' along presentation is missing"),
        (lambda a: a.assign_coords(neuroid_id=("neuroid", ["n"] * 3)), "neuroid_id repeats: n"),
        (lambda a: a.isel(presentation=slice(0, 0)), "has no presentation"),
        (lambda a: a.astype(str), "numbers, not"),
        (lambda a: a.expand_dims("time_bin"), "time_bin_start_ms"),
    ],
)
def test_an_assembly_that_breaks_the_contract_is_refused(broken, message):
    with pytest.raises(AssemblyError, match=message):
        assemblies.check_neural(broken(responses()))


def test_time_bins_become_coordinates_in_milliseconds():
    values = np.zeros((2, 3, 1))
    assembly = assemblies.neural(
        values, ["a", "b"], {"neuroid_id": list("xyz")}, time_bins=[TimeBin(70, 170)]
    )
    assert float(assembly["time_bin_end_ms"][0]) == 170
    assert assemblies.responses_matrix(assembly).dims == ("presentation", "neuroid")


def test_trials_are_averaged_and_too_few_are_an_error():
    whole = responses(trials=3)
    ragged = whole.copy()
    ragged[1, :, 2] = np.nan
    np.testing.assert_allclose(assemblies.average_trials(whole), whole.values.mean(axis=2))
    np.testing.assert_allclose(
        assemblies.average_trials(ragged)[1], whole.values[1, :, :2].mean(axis=1)
    )
    assert assemblies.first_trials(ragged, 2).sizes["trial"] == 2
    with pytest.raises(AssemblyError, match="fewer than 3 trials: s1"):
        assemblies.first_trials(ragged, 3)


@pytest.mark.parametrize(
    "dims", [("presentation", "neuroid", "trial"), ("trial", "neuroid", "presentation")]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
def test_trials_averaged_in_blocks_are_those_averaged_at_once(monkeypatch, dims, dtype):
    values = (100 * np.random.default_rng(0).normal(size=(23, 4, 5))).astype(dtype)
    if dtype is not np.int16:
        values[3, :, 2:] = np.nan
        values[5] = np.nan
    whole = xr.DataArray(
        values,
        dims=["presentation", "neuroid", "trial"],
        coords={
            "stimulus_id": ("presentation", [f"s{n}" for n in range(23)]),
            "day": ("trial", range(5)),
            "onset": (("presentation", "trial"), np.zeros((23, 5))),
        },
        attrs={"unit": "Hz"},
        name="rates",
    ).transpose(*dims)
    at_once = whole.mean("trial", keep_attrs=True)
    monkeypatch.setattr(assemblies, "_BLOCK_BYTES", 300)
    assert assemblies.average_trials(whole).identical(at_once)


def test_responses_that_are_not_finite_are_named():
    broken = responses()
    broken[2, 0] = np.inf
    with pytest.raises(AssemblyError, match="1 stimuli are not finite: s2"):
        assemblies.responses_matrix(broken)


def test_the_digest_of_an_assembly_sees_values_and_coordinates():
    assembly = responses()
    assert assemblies.digest(assembly) == assemblies.digest(assembly.copy())
    changed = assembly.copy()
    changed[0, 0] += 1e-12
    assert assemblies.digest(changed) != assemblies.digest(assembly)
    renamed = assembly.assign_coords(neuroid_id=("neuroid", ["n0", "n1", "other"]))
    assert assemblies.digest(renamed) != assemblies.digest(assembly)


def test_units_are_selected_by_ranges_and_values():
    columns = {"x": np.array([0.0, 0.5, 1.0, 0.5]), "layer": np.array(["a", "a", "b", "b"])}
    chosen = UnitFilter((Between("x", 0.4, 1.0), OneOf("layer", ("b",))))
    assert list(selected_units(chosen, columns)) == [2, 3]
    assert list(selected_units(None, columns)) == [0, 1, 2, 3]
    with pytest.raises(UnsupportedRequest, match="no coordinate 'y'; known are layer, x"):
        selected_units(UnitFilter((Between("y", 0, 1),)), columns)


def regions():
    assembly = responses(neuroids=5)
    return assembly.assign_coords(
        region=("neuroid", ["V4", "IT", "IT", "V4", "IT"]), subject=("neuroid", [1, 1, 2, 2, 2])
    )


def test_neuroids_are_selected_by_the_values_of_their_coordinates():
    assembly = regions()
    chosen = assemblies.select_neuroids(assembly, {"region": "IT", "subject": 2})
    assert list(chosen["neuroid_id"].values) == ["n2", "n4"]
    np.testing.assert_array_equal(chosen.values, assembly.values[:, [2, 4]])
    assert assemblies.select_neuroids(assembly, {}) is assembly


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"region": "V9"}, r"^No neuroid has region 'V9'; they have IT, V4\.$"),
        ({"subject": 3}, r"^No neuroid has subject 3; they have 1, 2\.$"),
        ({"subject": 1, "region": "V4", "neuroid_id": "n1"}, "neuroid_id 'n1'; they have n0"),
        ({"area": "V4"}, "Coordinate 'area' along neuroid is missing"),
        ({"stimulus_id": "s0"}, "Coordinate 'stimulus_id' along neuroid is missing"),
    ],
)
def test_a_selection_that_leaves_no_neuroid_is_an_error_that_names_what_there_is(values, message):
    with pytest.raises(AssemblyError, match=message):
        assemblies.select_neuroids(regions(), values)


def test_many_values_of_a_coordinate_are_not_all_named():
    assembly = responses(neuroids=40)
    with pytest.raises(AssemblyError, match=r"they have n0, n1, n10, n11, n12, \.\.\.\.$"):
        assemblies.select_neuroids(assembly, {"neuroid_id": "n99"})


@given(
    arrays(
        st.sampled_from(["<f8", ">f8", "<f4", "<i2", "u1", "?"]),
        st.sampled_from([(), (0,), (5,), (3, 0), (7, 3), (4, 3, 2)]),
        elements=st.just(1),
    ),
    st.sampled_from(["C", "F"]),
)
def test_the_digest_is_that_of_dims_type_and_little_endian_bytes(values, order):
    values = np.asarray(values, order=order)
    assembly = xr.DataArray(values, dims=[f"d{n}" for n in range(values.ndim)])
    header = ["", list(assembly.dims), list(values.shape), values.dtype.str.lstrip("<>=|")]
    content = values.astype(values.dtype.newbyteorder("<")).tobytes("C")
    expected = hashlib.sha256(json.dumps(header).encode() + content).hexdigest()
    assert assemblies.digest(assembly) == expected


def test_the_digest_does_not_depend_on_the_size_of_blocks(monkeypatch):
    assembly = xr.DataArray(np.random.default_rng(0).random((50, 7, 3)), dims=["a", "b", "c"])
    whole = assemblies.digest(assembly)
    monkeypatch.setattr(assemblies, "_BLOCK_BYTES", 100)
    assert assemblies.digest(assembly) == whole
