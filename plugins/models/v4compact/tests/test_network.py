import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate2d

from corteval.errors import OptionError
from corteval_pytorch import initialised
from corteval_v4compact.architecture import Architecture, Layer, compact, same_padding
from corteval_v4compact.keras_file import read
from corteval_v4compact.network import CompactNetwork, initialise, load


def test_padding_is_that_of_tensorflows_documentation():
    # 13 wide, a filter of 6, a stride of 5: one zero before, two after
    assert same_padding(13, 6, 5) == (1, 2)
    assert same_padding(112, 5, 2) == (1, 2)  # PyTorch's padding=2 would start one pixel earlier
    assert same_padding(5, 3, 2) == (1, 1)
    assert same_padding(10, 1, 3) == (0, 0)


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 8))
def test_padding_is_the_least_that_gives_an_output_for_every_stride(size, kernel, stride):
    before, after = same_padding(size, kernel, stride)
    wanted = math.ceil(size / stride)

    def outputs(padding):
        return (size + padding - kernel) // stride + 1

    assert outputs(before + after) == wanted or kernel < stride
    assert after - before in (0, 1)
    if before + after:
        assert outputs(before + after - 1) < wanted


def same(x, kernel, strides):
    """x (row, column) with zeros around, by TensorFlow's rule written out, then correlated."""
    padded = x
    for axis in (0, 1):
        n, k, s = x.shape[axis], kernel.shape[axis], strides[axis]
        zeros = max(k - s, 0) if n % s == 0 else max(k - n % s, 0)
        widths = [(0, 0), (0, 0)]
        widths[axis] = (zeros // 2, zeros - zeros // 2)
        padded = np.pad(padded, widths)
    return correlate2d(padded, kernel, "valid")[:: strides[0], :: strides[1]]


def by_scipy(images, arrays):
    """The small network of conftest, channel by channel in float64; images (row, column, 3)."""
    a = {name: [w.astype(np.float64) for w in weights] for name, weights in arrays.items()}
    out = []
    for image in images.astype(np.float64):
        kernel, bias = a["first"]
        x = [
            sum(same(image[:, :, c], kernel[:, :, c, k], (2, 2)) for c in range(3)) + bias[k]
            for k in range(5)
        ]
        gain, offset, mean, variance = a["norm"]
        x = [
            np.maximum(gain[k] * (x[k] - mean[k]) / np.sqrt(variance[k] + 0.01) + offset[k], 0)
            for k in range(5)
        ]
        deep, point, bias = a["second"]
        x = [same(x[c], deep[:, :, c, q], (2, 2)) for c in range(5) for q in range(2)]
        x = [sum(x[c] * point[0, 0, c, k] for c in range(10)) + bias[k] for k in range(6)]
        mix, bias = a["mixing_stage"]
        x = [sum(x[c] * mix[0, 0, c, k] for c in range(6)) + bias[k] for k in range(4)]
        x = [np.maximum(m, 0) for m in x]
        deep, bias = a["third"]
        x = [
            correlate2d(x[c], deep[:, :, c, q], "valid") + bias[2 * c + q]
            for c in range(4)
            for q in range(2)
        ]
        flat = np.stack(x, axis=-1).ravel()  # (row, column, channel)
        weight, bias = a["dense"]
        out.append(np.maximum(flat @ weight + bias, 0))
    return np.array(out)


def test_every_kind_of_layer_equals_its_definition(keras_file, small):
    found = read(keras_file())
    network = CompactNetwork(found.architecture)
    load(network, found.weights)
    images = np.random.default_rng(1).standard_normal((3, 13, 13, 3)).astype(np.float32)
    with torch.inference_mode():
        responses = network(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    expected = by_scipy(images, small[1])
    assert (expected > 0).any()
    np.testing.assert_allclose(responses, expected, rtol=1e-5, atol=1e-6)


def test_shapes_are_those_of_the_outputs():
    architecture = compact(filters=5, neurons=7)
    network = CompactNetwork(architecture)
    found = {}
    for name in network.names:
        getattr(network, name).register_forward_hook(
            lambda module, inputs, output, name=name: found.update({name: output.shape})
        )
    with torch.inference_mode():
        network(torch.zeros(2, 3, 112, 112))
    for name, shape in architecture.shapes().items():
        if len(shape) == 3:
            height, width, channels = shape
            assert found[name] == (2, channels, height, width)
        else:
            assert found[name] == (2, *shape)
    assert found["output_responses"] == (2, 7)


def test_features_are_block_means_of_the_last_map_before_the_readout():
    network = CompactNetwork(compact(filters=5, neurons=3))
    with initialised(0):
        initialise(network)
    maps = {}
    for name in ("layer4_act", "features"):
        getattr(network, name).register_forward_hook(
            lambda module, inputs, output, name=name: maps.update({name: output.numpy()})
        )
    with torch.inference_mode():
        network(torch.randn(1, 3, 112, 112))
    blocks = maps["layer4_act"].reshape(1, 100, 7, 4, 7, 4).mean(axis=(3, 5))
    assert blocks.std() > 0
    np.testing.assert_allclose(maps["features"], blocks, rtol=1e-5)


def test_the_linear_network_adds_up():
    network = CompactNetwork(compact(filters=5, neurons=3, linear=True))
    with initialised(1):
        initialise(network)
    a, b = torch.randn(1, 3, 112, 112), torch.randn(1, 3, 112, 112)
    with torch.inference_mode():
        zero = network(torch.zeros_like(a))
        total, parts = network(a + b) - zero, network(a) + network(b) - 2 * zero
    torch.testing.assert_close(total, parts, rtol=1e-4, atol=1e-5)


def test_weights_are_drawn_from_the_limits_of_glorot_and_bengio():
    network = CompactNetwork(compact())
    with initialised(0):
        initialise(network)
    for weight, fan_in, fan_out in [
        (network.layer0_conv.weight, 25 * 3, 25 * 50),
        (network.layer1_conv.depthwise.weight, 25 * 50, 25),
        (network.layer3_conv.pointwise.weight, 50, 100),
        (network.spatial_pool_stage.weight, 784 * 219, 784),
    ]:
        limit = math.sqrt(6 / (fan_in + fan_out))
        assert weight.abs().max() <= limit
        assert float(weight.detach().std()) == pytest.approx(limit / math.sqrt(3), rel=0.05)
    assert not network.mixing_stage.bias.any()


def test_a_name_that_torch_uses_itself_is_refused():
    layers = (Layer(name="forward", kind="flatten"),)
    with pytest.raises(OptionError, match="cannot be called 'forward'"):
        CompactNetwork(Architecture(input_shape=(4, 4, 3), layers=layers))
