"""What cards say of the models and benchmarks of a matrix: which cells they rule out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import final

from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.errors import CortevalError

_IN_WORDS = {"image": "images", "video": "videos"}


@final
@dataclass(frozen=True, kw_only=True)
class Cards:
    """What the cards say of each model and benchmark, looked up once for all of their cells.

    Args:
        broken: why a name cannot be resolved.
        takes: modalities of each model.
        shown: modalities of the data of each benchmark, empty where they are not known.
        benchmarks: cards.
    """

    broken: Mapping[str, str]
    takes: Mapping[str, frozenset[str]]
    shown: Mapping[str, frozenset[str]]
    benchmarks: Mapping[str, BenchmarkCard]

    @classmethod
    def of(cls, models: Iterable[str], benchmarks: Iterable[str]) -> Cards:
        """Cards of all that can be resolved."""
        broken: dict[str, str] = {}
        takes: dict[str, frozenset[str]] = {}
        for model in models:
            try:
                card = registry.models.member_card(model)
                takes[model] = frozenset(getattr(card, "modalities", ()))
            except CortevalError as error:
                broken[model] = str(error)
            except (TypeError, AttributeError) as error:  # a plugin may hold anything
                broken[model] = f"Its card cannot be used: {error}."
        found: dict[str, BenchmarkCard] = {}
        data: dict[str, tuple[str, ...]] = {}
        for benchmark in benchmarks:
            try:
                of_benchmark = registry.benchmarks.member_card(benchmark)
                data[benchmark] = tuple(of_benchmark.data)
                found[benchmark] = of_benchmark
            except CortevalError as error:
                broken[benchmark] = str(error)
            except (TypeError, AttributeError) as error:
                broken[benchmark] = f"Its card cannot be used: {error}."
        modality = {name: _modality(name) for several in data.values() for name in several}
        shown = {
            benchmark: _joined([modality[name] for name in several])
            for benchmark, several in data.items()
        }
        return cls(broken=broken, takes=takes, shown=shown, benchmarks=found)

    def ruled_out(self, model: str, benchmark: str) -> str:
        """Why the model cannot do the benchmark; empty if cards do not tell.

        It names neither, which stand beside it: many cells share the sentence.
        """
        takes, shown = self.takes[model], self.shown[benchmark]
        if not takes or not shown or shown & takes:
            return ""
        taken, are = (sorted(_IN_WORDS.get(m, m) for m in several) for several in (takes, shown))
        return (
            f"By its card the model takes {' or '.join(taken)}; "
            f"the stimuli are {' and '.join(are)}."
        )


def _modality(data: str) -> str:
    """Of what a data set shows; empty where its use tells."""
    try:
        return registry.data_card(data).modality
    except CortevalError:
        return ""


def _joined(modalities: list[str]) -> frozenset[str]:
    return frozenset(modalities) if all(modalities) else frozenset()
