"""Score models of vision and language against recordings of brains and behaviour.

>>> import corteval
>>> score = corteval.score("gabor-filterbank", "Marques2020.V1-peak_spatial_frequency")
... # doctest: +SKIP
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval.benchmark import Benchmark as Benchmark
    from corteval.benchmark import NeuralBenchmark as NeuralBenchmark
    from corteval.model import LayerCommitment as LayerCommitment
    from corteval.model import ModelCommitment as ModelCommitment
    from corteval.model import perform as perform
    from corteval.model import record as record
    from corteval.registry import benchmarks as benchmarks
    from corteval.registry import metrics as metrics
    from corteval.registry import models as models
    from corteval.requests import Recording as Recording
    from corteval.requests import TimeBin as TimeBin
    from corteval.requests import UnitFilter as UnitFilter
    from corteval.score import Score as Score
    from corteval.scoring import score as score
    from corteval.scoring import score_all as score_all
    from corteval.stimuli import StimulusSet as StimulusSet

__version__ = "0.1.0"

#: Public name -> module; imported on first use so that `import corteval` stays light.
_EXPORTS = {
    "Benchmark": "corteval.benchmark",
    "LayerCommitment": "corteval.model",
    "ModelCommitment": "corteval.model",
    "NeuralBenchmark": "corteval.benchmark",
    "Recording": "corteval.requests",
    "Score": "corteval.score",
    "StimulusSet": "corteval.stimuli",
    "TimeBin": "corteval.requests",
    "UnitFilter": "corteval.requests",
    "benchmarks": "corteval.registry",
    "metrics": "corteval.registry",
    "models": "corteval.registry",
    "perform": "corteval.model",
    "record": "corteval.model",
    "score_all": "corteval.scoring",
}

__all__ = ["__version__", "score", *_EXPORTS]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'corteval' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps `corteval.score` the function although there is a module of that name.

    Importing ``corteval.score`` makes Python set the attribute to the module; the setter below
    ignores it. ``from corteval.score import Score`` is not affected.
    """

    @property
    def score(self) -> Any:
        return import_module("corteval.scoring").score

    @score.setter
    def score(self, module: ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Package
