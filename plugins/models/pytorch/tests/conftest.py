"""Small networks, images and stores that the tests of the engine share."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from corteval import store
from corteval.stimuli import StimulusSet
from corteval_pytorch import Preprocessing, expand_trials, initialised, normal_like
from corteval_pytorch.text import Encoding


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


class Reader(nn.Module):
    """A transformer of two blocks with positions; it predicts tokens."""

    def __init__(self, *, causal, vocabulary, positions):
        super().__init__()
        self.causal = causal
        self.embed = nn.Embedding(vocabulary, 16)
        self.place = nn.Embedding(positions, 16)
        self.blocks = nn.ModuleList(_Block() for _ in range(2))
        self.head = nn.Linear(16, vocabulary)

    def forward(self, input_ids, attention_mask):
        count = input_ids.shape[1]
        seen = attention_mask[:, None, :].bool().expand(-1, count, -1)
        if self.causal:
            seen = seen & torch.ones(count, count, dtype=torch.bool, device=seen.device).tril()
        x = self.embed(input_ids) + self.place(torch.arange(count, device=input_ids.device))
        for block in self.blocks:
            x = block(x, seen)
        return SimpleNamespace(logits=self.head(x))


class _Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(16, 48)
        self.out = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))

    def forward(self, x, seen):
        q, k, v = self.mix(nn.functional.layer_norm(x, (16,))).chunk(3, -1)
        scores = (q @ k.mT / 4).masked_fill(~seen, -torch.inf)
        x = x + scores.softmax(-1) @ v
        return x + self.out(nn.functional.layer_norm(x, (16,)))


class Pieces:
    """Words in pieces of up to three characters, the first with the space before it."""

    vocabulary = 400

    def __init__(self, *, bos_id=1, inserts=False, ends=False):
        self.bos_id = bos_id
        self.inserts, self.ends = inserts, ends
        self.calls = []

    def encode(self, text):
        self.calls.append(text)
        spans = [m.span() for m in re.finditer(r"\s?[^\s.,;]{1,3}|\s?[.,;]|\s", text)]
        ids = [self.id_of(text[slice(*span)]) for span in spans]
        if self.inserts:
            ids, spans = [self.bos_id, *ids], [(0, 0), *spans]
        if self.ends:
            ids, spans = [*ids, 2], [*spans, (len(text), len(text))]
        return Encoding(ids, spans)

    def id_of(self, piece):
        hashed = sum((k + 1) * ord(c) for k, c in enumerate(piece))
        return 3 + hashed % 397 // 2 * 2 + (not piece[0].isspace())

    def decode(self, ids):
        return " ".join(f"piece{i}" for i in ids)

    def identity(self):
        return {"kind": "pieces", "inserts": str(self.inserts), "ends": str(self.ends)}

    def word_starts(self):
        return np.arange(self.vocabulary) % 2 == 1  # ids of pieces with a space are odd


@pytest.fixture
def unshelved():
    """No store is in force, so that everything is computed."""
    with store.using(None):
        yield


@pytest.fixture(scope="session")
def reader():
    """`reader(causal=True, positions=64)`."""

    def made(*, causal=True, positions=64, seed=0):
        with initialised(seed):
            return Reader(causal=causal, vocabulary=Pieces.vocabulary, positions=positions).eval()

    return made


@pytest.fixture(scope="session")
def pieces():
    """Makes a `Pieces`."""
    return Pieces


@pytest.fixture(scope="session")
def texts():
    """`texts(("the dog", "ran"), ("a car",))`: contexts of parts, in reading order."""

    def made(*contexts):
        rows = [
            (f"{c}-{p}", part, f"c{c}", p)
            for c, parts in enumerate(contexts)
            for p, part in enumerate(parts)
        ]
        table = pd.DataFrame(rows, columns=["stimulus_id", "text", "context_id", "position"])
        return StimulusSet(
            identifier="texts", modality="text", table=table.set_index("stimulus_id")
        )

    return made
