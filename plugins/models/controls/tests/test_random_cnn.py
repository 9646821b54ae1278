import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.nn import functional

from corteval import models
from corteval.errors import OptionError
from corteval.model import record
from corteval.stimuli import StimulusSet
from corteval.testing.toys import Pictures
from corteval_controls.random_cnn import build, network
from corteval_pytorch import initialised


def shown(image):
    return StimulusSet(
        identifier="toy",
        modality="image",
        table=pd.DataFrame(index=pd.Index(["s"], name="stimulus_id")),
        images=Pictures(pixels={"s": image}),
    )


def test_responses_are_the_convolutions_of_its_docstring():
    image = np.random.default_rng(0).integers(0, 256, (150, 90, 3), np.uint8)
    with initialised(3):
        w = [p for p in network().parameters() if p.ndim == 4]
    pixels = np.asarray(Image.fromarray(image).resize((112, 112), Image.Resampling.BILINEAR))
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 127.5 - 1
    for weight, padding, stride in zip(w, (3, 2, 1, 1), (2, 2, 2, 1), strict=True):
        x = functional.conv2d(x, weight, stride=stride, padding=padding).relu()
    assert x.shape == (1, 256, 14, 14)
    expected = functional.adaptive_avg_pool2d(x, 5).detach().numpy().ravel()
    answer = record(build(seed=3), shown(image), "V4")
    np.testing.assert_allclose(answer.values[0], expected, atol=1e-5 * expected.max())


def test_weights_have_the_variance_of_he_and_biases_are_zero():
    with initialised(0):
        drawn = network()
    for parameter in drawn.parameters():
        if parameter.ndim == 1:
            assert not parameter.any()
        else:
            fan_in = parameter[0].numel()
            deviation = float(parameter.detach().std()) / (2 / fan_in) ** 0.5
            # four standard errors of a standard deviation of as many normal numbers
            assert deviation == pytest.approx(1, abs=4 / (2 * parameter.numel()) ** 0.5)
    card = models.card("random-cnn")
    assert sum(p.numel() for p in drawn.parameters()) == card.parameters


def test_the_seed_is_said_and_changes_the_responses():
    image = np.random.default_rng(1).integers(0, 256, (112, 112, 3), np.uint8)
    one, other = (models.create("random-cnn", seed=seed) for seed in (1, 2))
    assert one.notes == ("random weights (seed 1)",)
    a, b = (record(model, shown(image), "IT").values for model in (one, other))
    assert np.corrcoef(a[0], b[0])[0, 1] < 0.5
    with pytest.raises(OptionError, match="number from 0, not -1"):
        build(seed=-1)


def test_other_controls_need_no_torch():
    code = (
        "import sys\nfrom corteval import models\n"
        "for name in ('pixels', 'gabor-filterbank', 'gabor-colour', 'random-projection/10'):\n"
        "    models.create(name)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr
