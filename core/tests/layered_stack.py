"""A model of four layers that see toy data through noise, and benchmarks that divide it."""

import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from corteval import layers, registry, settings
from corteval.assembly import neural
from corteval.cards import BenchmarkCard, DataCard, ModelCard
from corteval.cli import main
from corteval.errors import AssemblyError
from corteval.layer_map import read_map
from corteval.model import LayerCommitment, record
from corteval.stimulus_part import StimulusPart
from corteval.testing import toys

#: Layer -> standard deviation of the noise that covers what the neurons respond to.
NOISE = {"stem": 3.0, "body.early": 0.05, "body.twin": 0.05, "head": 1.0}


class Stack:
    """Layers that see the patches of the toy data, each through noise of its own.

    Like an engine with a store, it records layers alongside the one asked for, and a pass fails if
    one of them cannot be recorded.
    """

    def __init__(self, broken=(), act=None):
        self.broken, self.act = set(broken), act or {}
        self.passes, self.held, self.alongside = [], set(), ()

    def layer_names(self):
        return list(NOISE)

    def recording_alongside(self, names):
        other = Stack(self.broken, self.act)
        other.passes, other.held, other.alongside = self.passes, self.held, tuple(names)
        return other

    def units(self, layer):
        if layer not in NOISE:
            raise KeyError(layer)
        return {"neuroid_id": np.array([f"{layer}.{n}" for n in range(72)])}

    def __call__(self, stimuli, wanted):
        (layer,) = wanted
        self.act.get(layer, lambda: None)()
        shown = tuple(stimuli.stimulus_ids)
        if (layer, shown) not in self.held:
            recorded = {layer, *self.alongside}
            self.passes.append((sorted(recorded), len(shown)))
            if recorded & self.broken:
                raise AssemblyError(f"NaN in {', '.join(sorted(recorded & self.broken))}")
            self.held |= {(name, shown) for name in recorded}
        patches = toys.Patches()
        clean = [b["x"][0] for b in patches(stimuli, {"x": np.arange(72)})]
        for stimulus_id, row in zip(shown, clean, strict=True):
            seed = zlib.crc32(f"{stimulus_id} {layer.replace('twin', 'early')}".encode())
            noise = NOISE[layer] * np.random.default_rng(seed).standard_normal(72)
            yield {layer: (row + noise)[None, wanted[layer]]}


def stack(**options):
    return LayerCommitment(
        identifier="stack", extractor=Stack(**options), layers={"IT": "stem"}, visual_degrees=8.0
    )


class Records:
    """The toy data with another draw of noise, and on demand with other responses."""

    def __init__(self, seed=3, spoilt=None, grouped=False, trials=8):
        self.seed, self.spoilt, self.grouped, self.trials = seed, spoilt, grouped, trials

    def stimuli(self):
        return toys.ToyData().stimuli()

    def assembly(self):
        made = toys.ToyData().assembly()
        rng = np.random.default_rng(self.seed)
        values = (made.values + 0.1 * rng.standard_normal(made.shape))[:, :, : self.trials]
        if self.spoilt is not None:
            rows = np.flatnonzero(np.isin(made["stimulus_id"].values, self.spoilt))
            values[rows] = values[rng.permutation(rows)]
        story = [f"story-{n % 6}" for n in range(60)]
        further = {"story": story} if self.grouped else {}
        names = {"neuroid_id": made["neuroid_id"].values}
        return neural(values, made["stimulus_id"].values, names, presentation=further)


class OtherPictures(Records):
    def stimuli(self):
        return _other_pictures()

    def assembly(self):
        responses = record(toys.vision(), self.stimuli(), "IT").values
        rng = np.random.default_rng(9)
        signal = responses @ rng.standard_normal((72, 12))
        signal = (signal - signal.mean(axis=0)) / signal.std(axis=0)
        trials = signal[:, :, None] + rng.standard_normal((*signal.shape, 8))
        names = {"neuroid_id": [f"other-{n}" for n in range(12)]}
        return neural(trials, self.stimuli().stimulus_ids, names)


@cache
def _other_pictures():
    pictures = toys.images(60, seed=77)
    table = pictures.table.rename(index=lambda i: f"other-{i}")
    return replace(pictures, table=table, images=Renamed(pictures))


class Renamed:
    def __init__(self, stimuli):
        self.stimuli = stimuli

    def __call__(self, stimulus_id):
        return self.stimuli.image(stimulus_id.removeprefix("other-"))


class Whole:
    """A benchmark that cannot be divided."""

    def __init__(self, card):
        self.card = card
        self.inner = registry.benchmarks.create("ToyData.IT-predictivity")

    def requests(self):
        return self.inner.requests()

    def ceiling(self):
        return self.inner.ceiling()

    def __call__(self, model):
        return self.inner(model)


DATA = DataCard(identifier="Records", factory=f"{__name__}:Records", summary="s", licence="MIT")
OTHER = replace(DATA, identifier="Other", factory=f"{__name__}:OtherPictures")
MODEL = ModelCard(identifier="stack", factory=f"{__name__}:stack", summary="s", licence="MIT")
ON_RECORDS = replace(toys.BENCHMARK, identifier="Records.IT-predictivity", data=("Records",))
ON_OTHER = replace(toys.BENCHMARK, identifier="Other.IT-predictivity", data=("Other",))
ON_V4 = replace(toys.BENCHMARK, identifier="ToyData.V4-predictivity", target="V4")
UNDIVIDED = BenchmarkCard(
    identifier="ToyData.IT-whole", factory=f"{__name__}:Whole", summary="s", licence="MIT",
    data=("ToyData",), target="IT",
)  # fmt: skip
TOY = "ToyData.IT-predictivity"


@pytest.fixture(autouse=True)
def plugins(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(tmp_path)
    with toys.registered(), registry.data.temporary(DATA, OTHER):
        with registry.benchmarks.temporary(ON_RECORDS, ON_OTHER, ON_V4, UNDIVIDED):
            with registry.models.temporary(MODEL):
                yield


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main(["layers", *arguments])
        return code, *capfd.readouterr()

    return run


def searched(model, *benchmarks, **options):
    search = layers.prepare(model, benchmarks, **options)
    scores = list(layers.scores_of(search))
    choices = layers.choose(search, scores)
    return search, scores, choices, list(layers.reports_of(search, choices))


def values(scores):
    return {found.layer: found.score.value for found in scores}


def chosen(choices):
    return {choice.target: choice.layer for choice in choices}


def halves(stimuli, assembly, **options):
    part = StimulusPart(**options)
    return part.of(stimuli, assembly), replace(part, which="report").of(stimuli, assembly)


def read_map_here():
    return read_map(Path("map.json"))
