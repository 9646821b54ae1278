"""Cells that need no run: the cards say that the model does not take what the benchmark shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from corteval import registry
from corteval.model_options import bare
from corteval.run.card_rules import Cards
from corteval.stats.board import Board


def with_ruled_out(board: Board, benchmarks: Iterable[str] = ()) -> Board:
    """`board` with the reasons of cells without a score that its cards rule out.

    These are the cells that `corteval plan` calls not applicable. Whatever is not installed here,
    or has a card that cannot be used, rules nothing out.

    Args:
        board: of the scores.
        benchmarks: further ones that somebody wants to see, which may have no score on it.
    """
    names = dict.fromkeys([*board.benchmarks, *benchmarks])
    cards = Cards.of(
        _installed(registry.models, board.models), _installed(registry.benchmarks, names)
    )
    found = {
        (model, name): reason
        for model in cards.takes
        for name in cards.shown
        if (model, name) not in board.scores and (reason := cards.ruled_out(model, name))
    }
    return replace(board, ruled_out=found)


def _installed(kind: registry.Registry[Any], names: Iterable[str]) -> list[str]:
    """Those of `names` that there is a plugin of; to ask for another's card takes long."""
    known = frozenset(kind)
    return [n for n in names if bare(n).partition("@")[0].partition("/")[0] in known or n in known]
