import json
import os
import zipfile

import h5py
import numpy as np
import pytest

from corteval.errors import WrongContent
from corteval_v4compact.keras_config import architecture
from corteval_v4compact.keras_file import read


def layer(content, name):
    return next(e for e in content["config"]["layers"] if e["name"] == name)


def test_architecture_and_arrays_are_read_as_they_were_written(keras_file, small):
    found = read(keras_file())
    assert found.architecture.input_shape == (13, 13, 3)
    kinds = [(each.name, each.kind) for each in found.architecture.layers]
    assert kinds == [
        ("first", "conv"),
        ("norm", "norm"),
        ("act", "activation"),
        ("second", "separable"),
        ("mixing_stage", "conv"),
        ("third", "depthwise"),
        ("flat", "flatten"),
        ("dense", "dense"),
    ]
    assert found.architecture.layers[0].kernel == (4, 3)
    assert found.architecture.layers[1].epsilon == 0.01
    assert found.architecture.layers[-1].activation == "relu"
    for name, arrays in small[1].items():
        for wanted, array in zip(arrays, found.weights[name], strict=True):
            np.testing.assert_array_equal(wanted, array)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("act", {"class_name": "Lambda"}, "layer act is a 'Lambda'; known are Conv2D"),
        ("act", {"class_name": ["Conv2D"]}, "known are Conv2D"),
        ("first", {"config": {"dilation_rate": [2, 2]}}, r"first has dilation_rate = \[2, 2\]"),
        ("first", {"config": {"data_format": "channels_first"}}, "data_format"),
        ("first", {"config": {"groups": 3}}, "groups = 3"),
        ("first", {"config": {"use_bias": False}}, "use_bias = False"),
        ("first", {"config": {"use_bias": 1}}, "use_bias = 1"),
        ("first", {"config": {"padding": "reflect"}}, "padding = 'reflect'"),
        ("first", {"config": {"filters": 10**9}}, "filters = 1000000000"),
        ("first", {"config": {"filters": -1}}, "filters = -1"),
        ("first", {"config": {"strides": [0, 1]}}, "strides"),
        ("first", {"config": {"dtype": "mixed_float16"}}, "dtype"),
        ("first", {"config": {"renorm": True}}, "renorm = True"),
        ("norm", {"config": {"axis": 1}}, "axis = 1"),
        ("norm", {"config": {"epsilon": "x"}}, "epsilon = 'x'"),
        ("act", {"config": {"activation": "gelu"}}, "activation = 'gelu'"),
        ("act", {"config": {"name": "../../act"}}, "names are letters"),
        ("act", {"inbound_nodes": []}, "takes nothing where a chain has norm"),
    ],
)
def test_what_is_not_known_is_refused_by_name(small, name, change, message):
    content, _ = small
    found = layer(content, name)
    found["config"] |= change.pop("config", {})
    found |= change
    with pytest.raises(WrongContent, match=message):
        architecture(json.dumps(content).encode())


def test_a_network_that_branches_is_refused(small):
    content, _ = small
    node = layer(content, "second")["inbound_nodes"][0]["args"][0]
    node["config"]["keras_history"] = ["first", 0, 0]
    with pytest.raises(WrongContent, match="second takes first where a chain has act; networks"):
        architecture(json.dumps(content).encode())


def test_another_output_than_the_last_layer_is_refused(small):
    content, _ = small
    content["config"]["output_layers"] = [["flat", 0, 0]]
    with pytest.raises(WrongContent, match="output is"):
        architecture(json.dumps(content).encode())


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b"[" * 100_000, b"\xff\xfe", b'{"class_name": "Functional"}', b"null"],
    ids=["empty", "list", "cut", "deep", "binary", "no-layers", "null"],
)
def test_text_that_is_no_configuration_is_refused(text):
    with pytest.raises(WrongContent, match=r"configuration|functional|object"):
        architecture(text)


def test_layers_that_do_not_fit_together_are_refused(keras_file):
    def too_large(content, arrays):
        layer(content, "third")["config"]["kernel_size"] = [9, 9]

    with pytest.raises(WrongContent, match=r"kernel .* is larger than its input"):
        read(keras_file(too_large))


def test_a_network_of_absurd_size_is_refused_before_memory_is_taken(keras_file):
    def huge(content, arrays):
        layer(content, "dense")["config"]["units"] = 4096
        layer(content, "mixing_stage")["config"]["filters"] = 4096

    with pytest.raises(WrongContent, match="weights; at most 50000000"):
        read(keras_file(huge))


def test_arrays_of_another_shape_or_type_are_refused(keras_file):
    def turned(content, arrays):
        arrays["dense"] = (arrays["dense"][0].T, arrays["dense"][1])

    with pytest.raises(WrongContent, match=r"dense/vars/0 should be an array of shape \(48, 7\)"):
        read(keras_file(turned))


def test_arrays_of_whole_numbers_and_not_finite_ones_are_refused(keras_file):
    def whole(content, arrays):
        arrays["dense"] = (arrays["dense"][0].astype(int), arrays["dense"][1])

    with pytest.raises(WrongContent, match="int64"):
        read(keras_file(whole))


def test_infinite_weights_are_refused(keras_file):
    def infinite(content, arrays):
        arrays["norm"][2][1] = np.inf

    with pytest.raises(
        WrongContent, match=r"batch_normalization/vars/2 holds values .* not finite"
    ):
        read(keras_file(infinite))


def test_a_layer_without_weights_is_missed(keras_file):
    def bare(content, arrays):
        del arrays["second"]

    with pytest.raises(WrongContent, match="has no layers/separable_conv2d/vars/0"):
        read(keras_file(bare))


def replaced(path, by):
    """Bytes of an HDF5 file in which the bias of `dense` is made by `by`."""
    with h5py.File(path, "a") as file:
        folder = file["layers/dense/vars"]
        del folder["1"]
        by(folder)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["soft", "external", "virtual", "elsewhere", "compressed"])
def test_arrays_that_lie_elsewhere_or_behind_a_filter_are_refused(
    tmp_path, keras_file, small, kind
):
    with zipfile.ZipFile(keras_file()) as archive:
        (tmp_path / "plain.h5").write_bytes(archive.read("model.weights.h5"))
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.ones(7, np.float32)

    def by(folder):
        if kind == "soft":
            folder["1"] = h5py.SoftLink("/layers/conv2d/vars/1")
        elif kind == "external":
            folder["1"] = h5py.ExternalLink(str(secret), "/x")
        elif kind == "virtual":
            layout = h5py.VirtualLayout((7,), np.float32)
            layout[:] = h5py.VirtualSource(str(secret), "x", (7,))
            folder.create_virtual_dataset("1", layout)
        elif kind == "elsewhere":
            outside = [(os.fspath(secret), 0, 28)]
            folder.create_dataset("1", (7,), np.float32, external=outside)
        else:
            folder.create_dataset("1", data=np.ones(7, np.float32), compression="gzip")

    weights = replaced(tmp_path / "plain.h5", by)
    with pytest.raises(WrongContent, match=r"is a link to|lies elsewhere, or behind a filter"):
        read(keras_file(weights=weights))


def test_files_that_are_no_keras_files_are_refused(tmp_path, keras_file):
    path = keras_file()
    whole = path.read_bytes()
    cases = {
        "cut": whole[: len(whole) // 2],
        "text": b"not a zip at all",
        "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "flipped": whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:],
    }
    for name, content in cases.items():
        other = tmp_path / f"{name}.keras"
        other.write_bytes(content)
        with pytest.raises(WrongContent, match=f"{name}.keras cannot be used"):
            read(other)
    with pytest.raises(WrongContent, match="No such file"):
        read(tmp_path / "absent.keras")


def test_damaged_weights_are_refused(keras_file):
    with pytest.raises(WrongContent, match=r"model.weights.h5 is damaged"):
        read(keras_file(weights=b"\x89HDF\r\n\x1a\n" + bytes(500)))


def test_whatever_bytes_are_damaged_the_file_is_read_or_refused(keras_file):
    with zipfile.ZipFile(keras_file()) as archive:
        whole = archive.read("model.weights.h5")
    rng, refused = np.random.default_rng(0), 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(0, 6000, 4):
            damaged[place] = rng.integers(256)
        try:
            read(keras_file(weights=bytes(damaged)))
        except WrongContent:
            refused += 1
    assert refused > 20


def test_members_that_are_missing_repeated_or_too_large_are_refused(tmp_path, small):
    path = tmp_path / "odd.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(WrongContent, match=r"0 members called model.weights.h5"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(WrongContent, match=r"2 members called config.json"):
        read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (5 * 2**20))
        archive.writestr("model.weights.h5", b"")
    assert path.stat().st_size < 20_000
    with pytest.raises(WrongContent, match=r"config.json is larger than 4.2 MB"):
        read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("config.json", b"{}")
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(WrongContent, match="compressed by another method"):
        read(path)
