"""A subject and stimuli of known truth: four units of layer "b" prefer texts with an x."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from corteval.model import LayerCommitment
from corteval.stimuli import StimulusSet
from corteval_localizer.localizer import Localizer, Selection

WIDTH = 12

#: Selects the planted units.
KINDS = Localizer(column="kind", positive="B", negative="A", selection=Selection(top=4))


class Planted:
    """Layers "a" and "b" of twelve units, all noise but for units 0 to 3 of "b".

    Args:
        seed: of the noise, which depends on the text besides.
        block: stimuli of a block.
        fingerprint: stands for weights.
    """

    def __init__(self, seed: int = 0, block: int = 7, fingerprint: str = "f") -> None:
        self.seed, self.block, self.fingerprint = seed, block, fingerprint
        #: Responses asked for, by layer.
        self.asked: Counter[str] = Counter()

    def described(self) -> dict[str, str]:
        """Nothing."""
        return {}

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Twelve units in three rows of tissue."""
        number = np.arange(WIDTH)
        return {
            "neuroid_id": np.array([f"{layer}-{n}" for n in number]),
            "tissue_x_mm": number % 4 * 1.0,
            "tissue_y_mm": number // 4 * 1.0,
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """Blocks of responses."""
        texts = [str(text) for text in stimuli.table["text"]]
        for start in range(0, len(texts), self.block):
            part = texts[start : start + self.block]
            self.asked.update({layer: len(part) * len(units) for layer, units in wanted.items()})
            yield {n: np.array([self.row(n, t) for t in part])[:, u] for n, u in wanted.items()}

    def row(self, layer: str, text: str) -> np.ndarray:
        """Responses of a layer to a text."""
        noise = np.random.default_rng([self.seed, *f"{layer}{text}".encode()])
        values = noise.standard_normal(WIDTH)
        if layer == "b":
            values[:4] += 3 * ("x" in text)
        return values.astype(np.float32)


def planted(
    seed: int = 0, block: int = 7, fingerprint: str = "f", extractor: Planted | None = None
) -> LayerCommitment:
    """The subject, whose language system is both layers."""
    return LayerCommitment(
        identifier="planted",
        extractor=extractor or Planted(seed, block, fingerprint),
        layers={"language_system": ("a", "b"), "V1": "a"},
        modalities=frozenset({"text"}),
    )


def two_kinds(count: int = 30, order: Sequence[int] | None = None) -> StimulusSet:
    """Texts of two words; the first has an x in those of kind B, an o in those of kind A."""
    rows = [(f"{'x' if n % 2 else 'o'}{n} w{n}", "AB"[n % 2], n % 3) for n in range(count)]
    names = [f"s{n}" for n in range(count)]
    table = pd.DataFrame(rows, columns=["text", "kind", "run"], index=names)
    table = table if order is None else table.iloc[list(order)]
    return StimulusSet(
        identifier="two kinds", modality="text", table=table.rename_axis("stimulus_id")
    )
