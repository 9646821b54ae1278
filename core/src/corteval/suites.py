"""Suites: versioned lists of benchmarks with weights, and the mean that they define."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

from corteval import registry
from corteval.cards import Part, SuiteCard
from corteval.errors import UndefinedScore, UnknownIdentifier
from corteval.score import Score


@final
@dataclass(frozen=True, kw_only=True)
class Suite:
    """One edition of a suite.

    Args:
        card: of the suite.
        edition: its number; the last one if empty.

    Raises:
        UnknownIdentifier: for an edition there is not; names those there are.
    """

    card: SuiteCard
    edition: str = ""

    def __post_init__(self) -> None:
        known = [*self.card.editions]
        if self.edition and self.edition not in known:
            raise UnknownIdentifier(
                f"{self.card.identifier} has no edition {self.edition!r}; it has "
                f"{', '.join(known)}."
            )
        object.__setattr__(self, "edition", self.edition or known[-1])

    @property
    def name(self) -> str:
        """Identifier and edition."""
        return f"{self.card.identifier}@{self.edition}"

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """Weight of each benchmark in the suite's mean; they sum to 1.

        w = product over the levels of the tree of  weight / sum of the siblings' weights
        """
        found: dict[str, float] = {}
        for name, weight in _leaves(self.card.editions[self.edition], 1.0):
            found[name] = found.get(name, 0.0) + weight
        return found

    def mean(self, scores: Iterable[Score]) -> float:
        """Weighted mean of one subject's normalised scores over all benchmarks of the suite.

        Raises:
            UndefinedScore: if one of them has no score; a mean of the others is another suite.
        """
        values = {s.benchmark: s.value for s in scores if s.status == "scored"}
        lacking = [name for name in self.weights if name not in values]
        if lacking:
            shown = ", ".join(lacking[:3]) + (", ..." if len(lacking) > 3 else "")
            raise UndefinedScore(
                f"{len(lacking)} of {len(self.weights)} benchmarks of {self.name} have no score: "
                f"{shown}"
            )
        return sum(weight * values[name] for name, weight in self.weights.items())


def named(text: str) -> Suite:
    """The suite that ``identifier`` or ``identifier@edition`` names.

    Raises:
        UnknownIdentifier: if there is none.
    """
    identifier, _, after = text.partition("@")
    try:
        card = registry.suites.card(text)  # after the @ may stand a distribution
    except UnknownIdentifier:
        return Suite(card=registry.suites.card(identifier), edition=after)
    return Suite(card=card, edition=after if after in card.editions else "")


def _leaves(parts: Iterable[Part], share: float) -> Iterator[tuple[str, float]]:
    parts = tuple(parts)
    total = sum(part.weight for part in parts)
    for part in parts:
        own = share * part.weight / total
        if part.parts:
            yield from _leaves(part.parts, own)
        else:
            yield part.name, own
