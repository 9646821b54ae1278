"""Fits on a GPU score what they score on the CPU; needs one."""

import numpy as np
import pytest

from corteval.assembly import neural
from corteval_regression.metric import linear, neuron_to_neuron, pls, ridge, ridgecv

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no CUDA device on this machine"
)


def sides(stimuli=80, features=15, neuroids=6):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((stimuli, features), dtype=np.float32)
    y = x @ rng.standard_normal((features, neuroids)) + rng.standard_normal((stimuli, neuroids))
    ids = [f"s{i:03d}" for i in range(stimuli)]
    return [
        neural(values, ids, {"neuroid_id": [f"n{i:03d}" for i in range(values.shape[1])]})
        for values in (x, y)
    ]


@pytest.mark.parametrize("features", [15, 200])  # fewer than stimuli, and more
@pytest.mark.parametrize("make", [pls, ridge, linear, ridgecv, neuron_to_neuron])
def test_a_gpu_scores_what_numpy_scores(make, features):
    here, there, again = (
        make(device=device, resamples=5)(*sides(features=features)).raw.value
        for device in ("cpu", "cuda", "cuda")
    )
    assert there == pytest.approx(here, abs=1e-9)
    assert again == there
