"""Toy plugins of every kind, small enough for tests and right in every respect.

They are registered nowhere; ``with toys.registered():`` makes all of them known for a block.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import final

import numpy as np
import pandas as pd
import xarray as xr

from corteval import registry
from corteval.assembly import align, neural, responses_matrix
from corteval.cards import BenchmarkCard, Card, DataCard, MetricCard, ModelCard
from corteval.errors import UndefinedScore
from corteval.model import ANY_TARGET, LayerCommitment, record
from corteval.score import Estimate, Score
from corteval.screen import luminance
from corteval.stats.resampling import (
    Held,
    correlation,
    draw,
    median,
    median_correlation_replicates,
    spearman_brown,
)
from corteval.stats.splits import groups_of
from corteval.stimuli import StimulusSet

_HERE = "corteval.testing.toys"
_BIBTEX = "@misc{corteval, title = {Toy plugins of Corteval}}"
_RESAMPLES = 100

VISION = ModelCard(
    identifier="toy-vision",
    factory=f"{_HERE}:vision",
    summary="Mean and spread of luminance in patches of the image",
    licence="MIT",
)
TEXT = ModelCard(
    identifier="toy-text",
    factory=f"{_HERE}:text",
    summary="Mean of random word vectors over the context so far",
    licence="MIT",
    modalities=frozenset({"text"}),
)
PREDICTIVITY = MetricCard(
    identifier="toy-predictivity",
    factory=f"{_HERE}:Predictivity",
    summary="Correlation of two-fold linear predictions with data",
    licence="MIT",
)
RELIABILITY = MetricCard(
    identifier="toy-reliability",
    factory=f"{_HERE}:Reliability",
    summary="Spearman-Brown corrected correlation of odd with even trials",
    licence="MIT",
    role="ceiling",
)
DATA = DataCard(
    identifier="ToyData",
    factory=f"{_HERE}:ToyData",
    summary="Units that are a linear map of toy-vision, with noise, over trials",
    licence="MIT",
    bibtex=_BIBTEX,
)
BENCHMARK = BenchmarkCard(
    identifier="ToyData.IT-predictivity",
    factory="corteval.benchmark:NeuralBenchmark",
    summary="Toy data predicted linearly",
    licence="MIT",
    bibtex=_BIBTEX,
    data=("ToyData",),
    metric="toy-predictivity",
    ceiling="toy-reliability",
    target="IT",
)

CARDS: Mapping[str, tuple[Card, ...]] = {
    "models": (VISION, TEXT),
    "metrics": (PREDICTIVITY, RELIABILITY),
    "data": (DATA,),
    "benchmarks": (BENCHMARK,),
}


@contextlib.contextmanager
def registered() -> Iterator[None]:
    """All toys are registered for the duration of the block."""
    with contextlib.ExitStack() as stack:
        for kind, cards in CARDS.items():
            stack.enter_context(registry.KINDS[kind].temporary(*cards))
        yield


# Stimuli


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """Images held in memory, by stimulus id."""

    pixels: Mapping[str, np.ndarray]

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """The array itself, not a copy: who changes it is found out."""
        return self.pixels[stimulus_id]


def images(count: int = 7, *, seed: int = 0, visual_degrees: float | None = 8.0) -> StimulusSet:
    """Blurred noise as images of 96 pixels; the second is grey, the third broader than high."""
    generator = np.random.default_rng(seed)
    ids = [f"image-{number:03d}" for number in range(count)]
    pixels = {}
    for number, stimulus_id in enumerate(ids):
        blocks = generator.integers(0, 256, (8, 10 if number == 2 else 8, 3), dtype=np.uint8)
        pixels[stimulus_id] = np.kron(blocks, np.ones((12, 12, 1), np.uint8))
        if number == 1:
            pixels[stimulus_id] = pixels[stimulus_id][:, :, 0]
    return StimulusSet(
        identifier="toy images",
        modality="image",
        table=pd.DataFrame(index=pd.Index(ids, name="stimulus_id")),
        visual_degrees=visual_degrees,
        images=Pictures(pixels=pixels),
    )


def sentences() -> StimulusSet:
    """Sentences that stand for themselves."""
    texts = [
        f"{who} {what}." for who in ("The dog", "A car") for what in ("stops", "runs", "waits")
    ]
    ids = pd.Index([f"sentence-{n}" for n in range(len(texts))], name="stimulus_id")
    table = pd.DataFrame({"text": texts}, index=ids)
    return StimulusSet(identifier="toy sentences", modality="text", table=table)


def passages() -> StimulusSet:
    """Three passages of three pieces, each read with what came before."""
    rows = [
        (f"passage-{c}-{p}", f"{who} {what}", f"passage-{c}", p)
        for c, who in enumerate(("the dog", "a car", "my friend"))
        for p, what in enumerate(("came home", "and left", "before it rained"))
    ]
    table = pd.DataFrame(rows, columns=["stimulus_id", "text", "context_id", "position"])
    table = table.set_index("stimulus_id")
    return StimulusSet(identifier="toy passages", modality="text", table=table)


# Models


@final
@dataclass(frozen=True, kw_only=True)
class Patches:
    """Extractor: mean and standard deviation of luminance in the patches of a square grid."""

    grid: int = 6
    visual_degrees: float = 8.0

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """All unit coordinates of the field."""
        channel, y, x = (a.ravel() for a in np.indices((2, self.grid, self.grid)))
        degrees = self.visual_degrees / self.grid
        return {
            "neuroid_id": np.array([f"{layer}.{n}" for n in range(channel.size)]),
            "layer": np.full(channel.size, layer),
            "channel": channel,
            "channel_x": x,
            "channel_y": y,
            "receptive_field_x_degrees": (x + 0.5) * degrees - self.visual_degrees / 2,
            "receptive_field_y_degrees": (y + 0.5) * degrees - self.visual_degrees / 2,
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block an image."""
        for stimulus_id in stimuli.stimulus_ids:
            grey = luminance(stimuli, stimulus_id, self.visual_degrees)
            strips = np.array_split(grey, self.grid, axis=0)
            patches = [p for strip in strips for p in np.array_split(strip, self.grid, axis=1)]
            responses = np.array([p.mean() for p in patches] + [p.std() for p in patches])
            yield {layer: responses[None, units] for layer, units in wanted.items()}


@final
@dataclass(frozen=True, kw_only=True)
class WordVectors:
    """Extractor: mean over the words of the context so far of a random vector per word."""

    size: int = 16

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Ids, layer and channel."""
        return {
            "neuroid_id": np.array([f"{layer}.{n}" for n in range(self.size)]),
            "layer": np.full(self.size, layer),
            "channel": np.arange(self.size),
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block a text, in the order of the stimuli whatever the order of reading."""
        table = stimuli.table
        for _, row in table.iterrows():
            read = [str(row["text"])]
            if "context_id" in table.columns:
                context = table[table["context_id"] == row["context_id"]].sort_values("position")
                read = list(context["text"][context["position"] <= row["position"]])
            responses = np.mean([self._vector(word) for word in " ".join(read).split()], axis=0)
            yield {layer: responses[None, units] for layer, units in wanted.items()}

    def _vector(self, word: str) -> np.ndarray:
        return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(self.size)


def vision() -> LayerCommitment:
    """A subject that sees and answers for every recording target."""
    extractor = Patches()
    return LayerCommitment(
        identifier=VISION.identifier,
        extractor=extractor,
        layers={ANY_TARGET: "patches"},
        visual_degrees=extractor.visual_degrees,
    )


def text() -> LayerCommitment:
    """A subject that reads and answers for every recording target."""
    return LayerCommitment(
        identifier=TEXT.identifier,
        extractor=WordVectors(),
        layers={ANY_TARGET: "words"},
        modalities=TEXT.modalities,
    )


# Data and metrics


@final
@dataclass(frozen=True, kw_only=True)
class ToyData:
    """Recordings of known origin: seeded linear map of toy-vision, plus noise of sd 1 a trial."""

    def stimuli(self) -> StimulusSet:
        """Sixty images."""
        return _shown()

    def assembly(self) -> xr.DataArray:
        """(presentation, neuroid, trial); signals have sd 1 over stimuli, so single trials r=.5."""
        return _recorded().copy()


@cache
def _shown() -> StimulusSet:
    return images(60, seed=1)


@cache
def _recorded(neuroids: int = 12, trials: int = 8) -> xr.DataArray:
    generator = np.random.default_rng(2)
    responses = record(vision(), _shown(), "IT").values.astype(np.float64)
    signal = responses @ generator.standard_normal((responses.shape[1], neuroids))
    signal = (signal - signal.mean(axis=0)) / signal.std(axis=0)
    noise = generator.standard_normal((*signal.shape, trials))
    names = {"neuroid_id": [f"neuroid-{n:02d}" for n in range(neuroids)]}
    return neural(signal[:, :, None] + noise, _shown().stimulus_ids, names)


@final
@dataclass(frozen=True, kw_only=True)
class Predictivity:
    """Mean over two folds of the median neuroid's correlation of linear predictions with data."""

    seed: int = 0
    penalty: float = field(default=1e-6, repr=False)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Correlation; undefined if half of the neuroids are not predicted at all."""
        y = responses_matrix(target)
        x = align(responses_matrix(source), y)
        ids, neuroids = list(y["stimulus_id"].values), list(y["neuroid_id"].values)
        rank = np.argsort(np.argsort(ids))  # folds follow ids, not the order of rows
        fold = np.random.default_rng(self.seed).permutation(len(ids))[rank] % 2
        splits = [self._predict(x.values, y.values, fold == held) for held in (0, 1)]
        r = np.array([correlation(s.predicted, s.observed) for s in splits])
        value = float(median(r).mean())
        if not np.isfinite(value):
            raise UndefinedScore("The source predicts a constant: no correlation is defined.")
        draws = draw(
            stimulus_ids=ids,
            stimulus_groups=groups_of(y),
            neuroid_ids=neuroids,
            resamples=_RESAMPLES,
            seed=self.seed,
        )
        replicates = median_correlation_replicates(splits, draws)
        raw = Estimate(
            value=value,
            error=float(np.std(replicates[-1].values)),
            method="two-fold linear prediction; error: sd of bootstrap",
            quantity="correlation",
            replicates=replicates,
        )
        samples = xr.DataArray(
            r, dims=["split", "neuroid"], coords={"neuroid_id": ("neuroid", neuroids)}
        )
        return Score(value=value, raw=raw, samples=samples)

    def _predict(self, x: np.ndarray, y: np.ndarray, held: np.ndarray) -> Held:
        centre, offset = x[~held].mean(axis=0), y[~held].mean(axis=0)
        seen, known = x[~held] - centre, y[~held] - offset
        gram = seen @ seen.T + self.penalty * np.eye(len(seen))
        predicted = (x[held] - centre) @ seen.T @ np.linalg.solve(gram, known) + offset
        return Held(predicted, y[held], np.flatnonzero(held))


@final
@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Median neuroid's correlation of odd with even trials, Spearman-Brown: 2r / (1 + r)."""

    seed: int = 0

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Reliability of the mean over trials."""
        if assembly.sizes.get("trial", 1) < 2:
            raise UndefinedScore("Reliability needs at least two trials; there is one.")
        halves = [
            responses_matrix(assembly.isel(trial=slice(start, None, 2))).values for start in (0, 1)
        ]
        ids, neuroids = (list(assembly[n].values) for n in ("stimulus_id", "neuroid_id"))
        split = Held(halves[0], halves[1], np.arange(len(ids)))
        draws = draw(
            stimulus_ids=ids,
            stimulus_groups=groups_of(assembly),
            neuroid_ids=neuroids,
            resamples=_RESAMPLES,
            seed=self.seed,
        )
        replicates = median_correlation_replicates([split], draws, transform=spearman_brown)
        return Estimate(
            value=float(median(spearman_brown(correlation(*halves)))),
            error=float(np.std(replicates[-1].values)),
            method="odd against even trials, Spearman-Brown; error: sd of bootstrap",
            quantity="reliability",
            replicates=replicates,
        )
