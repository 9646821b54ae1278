"""Small .keras files, written as Keras 3.1 writes them."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

CLASSES = {
    "Conv2D": "conv2d",
    "SeparableConv2D": "separable_conv2d",
    "DepthwiseConv2D": "depthwise_conv2d",
    "BatchNormalization": "batch_normalization",
    "Activation": "activation",
    "Flatten": "flatten",
    "Dense": "dense",
    "Lambda": "lambda",
}


def entry(kind, name, before, **options):
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [before, 0, 0]}}
    return {
        "module": "keras.layers",
        "class_name": kind,
        "config": {"name": name, "trainable": True, "dtype": "float32", **options},
        "name": name,
        "inbound_nodes": [{"args": [tensor], "kwargs": {"mask": None}}] if before else [],
    }


def convolution(kind, name, before, kernel, strides=(1, 1), padding="same", **options):
    common = {
        "kernel_size": list(kernel),
        "strides": list(strides),
        "padding": padding,
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "activation": "linear",
        "use_bias": True,
        "kernel_initializer": {"class_name": "GlorotUniform"},
        "bias_regularizer": None,
    }
    return entry(kind, name, before, **{**common, **options})


def configuration(shape, *entries):
    first = entry("InputLayer", "image_input", None, batch_shape=[None, *shape], sparse=False)
    ends = {
        "input_layers": [["image_input", 0, 0]],
        "output_layers": [[entries[-1]["name"], 0, 0]],
    }
    layers = [first, *entries]
    return {"class_name": "Functional", "config": {"name": "functional", "layers": layers, **ends}}


def hdf5(content, arrays):
    """HDF5 bytes with the arrays of each layer, in the order of the layers."""
    held, count = io.BytesIO(), {}
    with h5py.File(held, "w") as file:
        for layer in content["config"]["layers"][1:]:
            group = CLASSES.get(layer["class_name"], "other")
            number = count[group] = count.get(group, -1) + 1
            folder = file.create_group(f"layers/{group}{f'_{number}' if number else ''}/vars")
            for n, array in enumerate(arrays.get(layer["name"], ())):
                folder[str(n)] = array
    return held.getvalue()


def write(path, content, weights):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.1.1"}')
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", weights)
    return path


@pytest.fixture
def small():
    """Configuration and arrays of a network with every kind of layer, for images of 13 x 13."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32) * 0.3

    content = configuration(
        (13, 13, 3),
        convolution("Conv2D", "first", "image_input", (4, 3), (2, 2), filters=5),
        entry("BatchNormalization", "norm", "first", axis=-1, momentum=0.99, epsilon=0.01),
        entry("Activation", "act", "norm", activation="relu"),
        convolution(
            "SeparableConv2D", "second", "act", (5, 5), (2, 2), filters=6, depth_multiplier=2
        ),
        convolution("Conv2D", "mixing_stage", "second", (1, 1), filters=4, activation="relu"),
        convolution(
            "DepthwiseConv2D", "third", "mixing_stage", (2, 3), (1, 1), "valid", depth_multiplier=2
        ),
        entry("Flatten", "flat", "third", data_format="channels_last"),
        entry("Dense", "dense", "flat", units=7, activation="relu", use_bias=True),
    )
    arrays = {
        "first": (draw(4, 3, 3, 5), draw(5)),
        "norm": (draw(5), draw(5), draw(5), np.abs(draw(5)) + 0.1),
        "second": (draw(5, 5, 5, 2), draw(1, 1, 10, 6), draw(6)),
        "mixing_stage": (draw(1, 1, 6, 4), draw(4)),
        "third": (draw(2, 3, 4, 2), draw(8)),
        "dense": (draw(48, 7), draw(7)),
    }
    return content, arrays


@pytest.fixture
def keras_file(tmp_path, small):
    """Writes the small network, its configuration or arrays changed by a function."""

    def make(change=lambda content, arrays: None, weights=None):
        content, arrays = small
        change(content, arrays)
        return write(tmp_path / "small.keras", content, weights or hdf5(content, arrays))

    return make
