"""Small networks, images and stores that the tests of the engine share."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from corteval import store
from corteval.stimuli import StimulusSet
from corteval_pytorch import Preprocessing, expand_trials, initialised, normal_like


class Plain(nn.Module):
    """Three convolutions, of which one rectifies in place, and logits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(6 * 8 * 8, 5)

    def forward(self, x):
        x = self.relu(self.conv1(x))
        x = self.relu(self.norm(self.conv2(x)))
        return self.head(self.drop(x.flatten(1)))


class Steps(nn.Module):
    """A recurrent layer called three times."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=4, padding=1)
        self.area = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        drive = self.stem(x)
        state = torch.zeros_like(drive)
        for _ in range(3):
            state = torch.tanh(self.area(drive + state))
        return state


class Noisy(nn.Module):
    """A layer before noise and one after it."""

    def __init__(self):
        super().__init__()
        self.clean = nn.Conv2d(3, 4, 3, stride=4, padding=1)
        self.noise = _Noise()

    def forward(self, x):
        return self.noise(self.clean(x))


class _Noise(nn.Module):
    def forward(self, x):
        x = expand_trials(x)
        return x + normal_like(x)


@pytest.fixture
def plain():
    with initialised(0):
        return Plain()


@pytest.fixture
def passes(plain):
    """Forward passes of `plain`, each with its number of rows."""
    seen = []
    plain.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    return seen


@pytest.fixture
def steps():
    with initialised(0):
        return Steps()


@pytest.fixture
def noisy():
    with initialised(0):
        return Noisy()


@pytest.fixture
def shelf(tmp_path):
    """A store of the test's own, in force."""
    own = store.Store(tmp_path / "store")
    with store.using(own):
        yield own


@pytest.fixture(scope="session")
def small():
    """32 x 32 pixels, standardised."""
    return Preprocessing(size=32)


@pytest.fixture(scope="session")
def pictures():
    """`pictures(count)`: distinct colour images made in memory."""
    return _pictures


def _pictures(count, *, seed=0, pixels=40, visual_degrees=None):
    images = np.random.default_rng(seed).integers(0, 256, (count, pixels, pixels, 3), np.uint8)
    ids = [f"p{i:04d}" for i in range(count)]
    place = dict(zip(ids, images, strict=True))
    return StimulusSet(
        identifier=f"pictures{seed}",
        modality="image",
        table=pd.DataFrame(index=pd.Index(ids, name="stimulus_id")),
        images=lambda stimulus_id: place[stimulus_id],
        visual_degrees=visual_degrees,
    )
