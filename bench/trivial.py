"""Throw-away plugins for `runs.py`: models and benchmarks that do next to nothing.

`install` lays a distribution into a folder that is put on ``PYTHONPATH``; the command line then
finds its models and benchmarks as it finds any others.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import neural
from corteval.cards import BenchmarkCard
from corteval.requests import Recording
from corteval.score import Estimate, Score
from corteval.stimuli import StimulusSet

_CARDS = '''"""Cards of trivial plugins."""

from corteval.cards import BenchmarkCard, DataCard, MetricCard, ModelCard

SAID = {{"summary": "does next to nothing", "licence": "MIT"}}
MODELS = {{
    f"trivial-{{n:04d}}": ModelCard(
        identifier=f"trivial-{{n:04d}}", factory="trivial:Model", isolated={isolated},
        options={{"number": n}}, **SAID,
    )
    for n in range({models})
}}
BENCHMARKS = {{
    f"Trivial{{n:04d}}.IT-nothing": BenchmarkCard(
        identifier=f"Trivial{{n:04d}}.IT-nothing", factory="trivial:Benchmark",
        options={{"number": n}}, data=("TrivialData",), metric="trivial-metric",
        ceiling="trivial-ceiling", **SAID,
    )
    for n in range({benchmarks})
}}
METRIC = MetricCard(identifier="trivial-metric", factory="trivial:Model", **SAID)
CEILING = MetricCard(
    identifier="trivial-ceiling", factory="trivial:Model", role="ceiling", **SAID
)
DATA = DataCard(identifier="TrivialData", factory="trivial:Model", **SAID)
for place, card in enumerate(MODELS.values()):
    globals()[f"MODEL_{{place}}"] = card
for place, card in enumerate(BENCHMARKS.values()):
    globals()[f"BENCHMARK_{{place}}"] = card
'''


class Model:
    """Answers two stimuli with its number."""

    modalities = frozenset({"image"})
    visual_degrees = 8.0

    def __init__(self, number: int) -> None:
        self.identifier = f"trivial-{number:04d}"
        self.number = number

    def supports(self, request: Any) -> bool:
        return isinstance(request, Recording)

    def respond(self, stimuli: StimulusSet, requests: Sequence[Any]) -> dict[Any, xr.DataArray]:
        values = np.full((len(stimuli), 1), float(self.number), np.float32)
        units = {"neuroid_id": ["unit"]}
        return {r: neural(values, stimuli.stimulus_ids, units) for r in requests}

    def perturbed(self, *perturbations: Any) -> "Model":
        return self


class Benchmark:
    """Asks for two responses and adds its number to their mean."""

    def __init__(self, number: int, card: BenchmarkCard, seed: int = 0) -> None:
        self.number, self.card = number, card

    def requests(self) -> tuple[Recording, ...]:
        return (Recording("IT"),)

    def ceiling(self) -> Estimate:
        return Estimate(value=1.0)

    def __call__(self, model: Any) -> Score:
        asked = self.requests()
        answers = model.respond(_two(), asked)
        value = float(answers[asked[0]].mean()) + self.number
        return Score(value=value, raw=Estimate(value=value), ceiling=self.ceiling())


_PIXELS = {f"stimulus-{n}": np.full((8, 8, 3), 100 * n, np.uint8) for n in (0, 1)}
_TABLE = pd.DataFrame(index=pd.Index([*_PIXELS], name="stimulus_id"))


def _two() -> StimulusSet:
    return StimulusSet(identifier="two", modality="image", table=_TABLE, images=_PIXELS.__getitem__)


def install(folder: Path, models: int, benchmarks: int, *, isolated: bool = False) -> None:
    """A distribution of that many plugins in `folder`."""
    text = _CARDS.format(models=models, benchmarks=benchmarks, isolated=isolated)
    (folder / "trivial_cards.py").write_text(text)
    (folder / "trivial.py").write_text(Path(__file__).read_text())
    info = folder / "trivial-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trivial\nVersion: 1.0\n")
    lines = ["[corteval.models]"]
    lines += [f"trivial-{n:04d} = trivial_cards:MODEL_{n}" for n in range(models)]
    lines += ["[corteval.benchmarks]"]
    lines += [f"Trivial{n:04d}.IT-nothing = trivial_cards:BENCHMARK_{n}" for n in range(benchmarks)]
    lines += ["[corteval.metrics]", "trivial-metric = trivial_cards:METRIC"]
    lines += ["trivial-ceiling = trivial_cards:CEILING"]
    lines += ["[corteval.data]", "TrivialData = trivial_cards:DATA"]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
