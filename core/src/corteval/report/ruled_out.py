"""Cells that need no run: the cards say that the model does not take what the benchmark shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from corteval import registry
from corteval.errors import CortevalError
from corteval.model_options import bare
from corteval.stats.board import Board

_IN_WORDS = {"image": "images", "video": "videos"}


def with_ruled_out(board: Board, benchmarks: Iterable[str] = ()) -> Board:
    """`board` with the reasons of cells without a score that its cards rule out.

    These are the cells that `corteval plan` calls not applicable. Whatever is not installed here,
    or has a card that cannot be used, rules nothing out.

    Args:
        board: of the scores.
        benchmarks: further ones that somebody wants to see, which may have no score on it.
    """
    takes = {model: _taken(model) for model in _installed(registry.models, board.models)}
    names = dict.fromkeys([*board.benchmarks, *benchmarks])
    of_data: dict[str, str] = {}
    shows = {name: _shown(name, of_data) for name in _installed(registry.benchmarks, names)}
    found = {
        (model, name): _reason(taken, shown)
        for model, taken in takes.items()
        for name, shown in shows.items()
        if taken and shown and not taken & shown and (model, name) not in board.scores
    }
    return replace(board, ruled_out=found)


def _installed(kind: registry.Registry[Any], names: Iterable[str]) -> list[str]:
    """Those of `names` that there is a plugin of; to ask for another's card takes long."""
    known = frozenset(kind)
    return [n for n in names if bare(n).partition("@")[0].partition("/")[0] in known or n in known]


def _taken(model: str) -> frozenset[str]:
    """Modalities a model takes; none if its card cannot be used."""
    try:
        return frozenset(registry.models.member_card(model).modalities)
    except (CortevalError, TypeError, AttributeError):  # a plugin may hold anything
        return frozenset()


def _shown(benchmark: str, of_data: dict[str, str]) -> frozenset[str]:
    """Modalities of the data of a benchmark; none unless all are known.

    Args:
        benchmark: its name.
        of_data: what is known of data sets already.
    """
    try:
        data = registry.benchmarks.member_card(benchmark).data
        for name in data:
            if name not in of_data:
                of_data[name] = _modality(name)
        return frozenset(of_data[n] for n in data) if all(of_data[n] for n in data) else frozenset()
    except (CortevalError, TypeError, AttributeError):
        return frozenset()


def _modality(data: str) -> str:
    try:
        return registry.data_card(data).modality
    except CortevalError:
        return ""


def _reason(taken: frozenset[str], shown: frozenset[str]) -> str:
    # without names, which its row and column tell: a page holds the sentence once
    takes, are = (sorted(_IN_WORDS.get(m, m) for m in modalities) for modalities in (taken, shown))
    return f"By its card the model takes {' or '.join(takes)}; the stimuli are {' and '.join(are)}."
