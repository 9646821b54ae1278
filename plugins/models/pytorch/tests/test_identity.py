import subprocess
import sys
import textwrap
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from corteval.model import record
from corteval.perturbation import ablation
from corteval_pytorch import Preprocessing, SparseProjection, commit, identity


def fingerprint(network, preprocess=None, **options):
    preprocess = preprocess or Preprocessing(size=32)
    return commit(network, preprocess, {"IT": "conv2"}, **options).extractor.fingerprint


def test_one_weight_one_stride_or_one_preprocessing_makes_another_model(plain, small):
    first = fingerprint(plain)
    assert fingerprint(plain) == first
    with torch.no_grad():
        plain.conv2.bias[3] += 1e-6
    second = fingerprint(plain)
    plain.norm.running_mean[0] += 1e-6
    third = fingerprint(plain)
    plain.conv1.stride = (4, 4)
    changed = [fingerprint(plain), fingerprint(plain, Preprocessing(size=33))]
    changed += [fingerprint(plain, dtype="bfloat16"), fingerprint(plain, visual_degrees=7.0)]
    changed += [fingerprint(plain, identifier="other"), fingerprint(plain, stochastic=True, seed=1)]
    assert len({first, second, third, *changed}) == 3 + 6


def test_changed_weights_are_never_answered_from_the_store(plain, small, pictures, shelf):
    subject = commit(plain, small, {"IT": "conv2"})
    before = record(subject, pictures(3), "IT").values
    with torch.no_grad():
        plain.conv2.weight.mul_(2)
    after = record(subject, pictures(3), "IT").values
    bias = plain.conv2.bias.detach().numpy().repeat(64)
    np.testing.assert_allclose(after - bias, 2 * (before - bias), atol=1e-4)


def test_a_changed_pixel_is_a_miss(plain, small, pictures, shelf):
    subject = commit(plain, small, {"IT": "conv2"})
    stimuli = pictures(3)
    before = record(subject, stimuli, "IT").values
    other = pictures(3)
    other.image("p0001")[5, 5] ^= 128  # in place, before anyone looked at it
    after = record(subject, other, "IT").values
    assert not np.array_equal(before[1], after[1])
    np.testing.assert_array_equal(before[[0, 2]], after[[0, 2]])


PLUGIN = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.area = nn.Identity()
    def forward(self, x):
        return self.area(x * {gain})
"""

SHOW = """
from corteval_pytorch import Preprocessing, commit
from myplugin.net import Net
print(commit(Net(), Preprocessing(size=8), {"IT": "area"}).extractor.fingerprint)
"""


def test_an_edited_plugin_is_another_model_in_every_process(tmp_path):
    package = tmp_path / "myplugin"
    package.mkdir()
    (package / "__init__.py").write_text("")
    run = [sys.executable, "-c", textwrap.dedent(SHOW)]

    def seen(gain, extra=""):
        (package / "net.py").write_text(PLUGIN.format(gain=gain))
        (package / "constants.py").write_text(extra)
        return subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    first, again = seen(2), seen(2)
    assert first == again
    assert len({first, seen(3), seen(2, "GAIN = 1")}) == 3


def test_functions_count_by_their_code_and_what_they_enclose():
    def scaled(factor):
        return lambda picture: factor * picture

    same = [identity.described(scaled(2)) for _ in range(2)]
    assert same[0] == same[1] != identity.described(scaled(3))
    assert identity.described(partial(max, 1)) != identity.described(partial(max, 2))
    assert identity.described(np.arange(3)) != identity.described(np.arange(3.0))
    assert "0x" not in identity.described([object(), nn.ReLU, torch.float32, {"a": {1, 2}}])


def test_perturbations_and_reductions_make_other_artifacts(plain, small, pictures, shelf):
    stimuli = pictures(4)
    subject = commit(plain, small, {"IT": "conv2"})
    variants = [
        subject,
        subject.perturbed(ablation("IT")),
        commit(plain, small, {"IT": "conv2"}, reduction=SparseProjection(features=9)),
        commit(plain, small, {"IT": "conv2"}, reduction=SparseProjection(features=9, seed=1)),
    ]
    values = [record(variant, stimuli, "IT").values for variant in variants]
    assert not np.array_equal(values[2], values[3])
    assert not values[1].any() and values[0].any()


def test_the_global_random_state_does_not_move(plain, small, pictures, shelf):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    record(commit(plain, small, {"IT": "conv2"}), pictures(2), "IT")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("size", [1, 150])
def test_large_packages_count_by_the_files_that_define_something(tmp_path, monkeypatch, size):
    package = tmp_path / f"pack{size}"
    package.mkdir()
    (package / "__init__.py").write_text("class Thing: pass\n")
    for number in range(size):
        (package / f"m{number}.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__(package.name)
    first = identity.source_digest([module.Thing])
    (package / "m0.py").write_text("x = 1\n")
    identity._file_digest.cache_clear()
    changed = identity.source_digest([module.Thing]) != first
    assert changed == (size == 1)
