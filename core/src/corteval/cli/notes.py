"""What readers must know of scores: each thing once, with the cells it concerns."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from corteval.cli.tables import counted, print_table, say

if TYPE_CHECKING:
    from corteval.score import Score

#: Different notes, and different reasons, that are said unless more is asked for.
MOST = 5

#: Cells of a note that are named.
_NAMED = 3

Cell = tuple[str, str]


def say_notes(scores: Sequence[Score]) -> None:
    """Say on stderr why cells have no score, and what holds for those that have one.

    What several cells share is said once. Of many things those are said that concern most cells,
    unless ``-v`` asks for all; how many are left out is told.
    """
    cells = [(score.model, score.benchmark) for score in scores]
    noted = [(s.model, s.benchmark) for s in scores if s.status == "scored" or s.notes]
    reasons = shared((s.model, s.benchmark, [s.reason] if s.reason else []) for s in scores)
    notes = shared((s.model, s.benchmark, s.notes) for s in scores)
    hidden = 0
    for found, mark, of in ((reasons, "", cells), (notes, "note: ", noted)):
        shown = found if all_wanted() else found[:MOST]
        hidden += len(found) - len(shown)
        for text, concerned in shown:
            say(f"{named(concerned, of)}: {mark}{text}")
    if hidden:
        say(f"{hidden} more {'note is' if hidden == 1 else 'notes are'} not shown: -v shows all.")


def print_reasons(
    title: str, said: Iterable[tuple[str, str, str]], cells: Sequence[Cell] = ()
) -> None:
    """Print a table of reasons: each once, the most widespread first; nothing without one.

    Args:
        title: what the cells are.
        said: model, benchmark and reason of each.
        cells: all there are, to name whole rows and columns as such.
    """
    found = shared((model, benchmark, [reason]) for model, benchmark, reason in said)
    if not found:
        return
    shown = found if all_wanted() else found[:MOST]
    click.echo()
    rows = [(str(len(which)), named(which, cells), text) for text, which in shown]
    print_table((title, "which", "reason"), rows, heading=2)
    if len(shown) < len(found):
        say(f"{counted(len(found) - len(shown), 'more reason', ' are')} not shown: -v shows all.")


def named(concerned: Sequence[Cell], cells: Sequence[Cell]) -> str:
    """`concerned` of all `cells` in words: by rows or columns where they are whole ones."""
    if len(cells) > 1 and len(concerned) == len(cells):
        return f"all {len(cells)} cells" if len(concerned) > 2 else "both cells"
    chosen = set(concerned)
    for axis, words in ((1, "all on {}"), (0, "all of {}")):
        names = [*dict.fromkeys(cell[axis] for cell in concerned)]
        whole = {cell for cell in cells if cell[axis] in names}
        if chosen == whole and len(whole) > len(names):
            return words.format(_listed(names))
    return _listed([f"{model} on {benchmark}" for model, benchmark in concerned])


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    if more <= 0 or all_wanted():
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])} and {more} more"


def shared(said: Iterable[tuple[str, str, Sequence[str]]]) -> list[tuple[str, list[Cell]]]:
    """Texts with the cells they were said of, the most widespread first.

    Args:
        said: model, benchmark and texts of each cell.
    """
    found: dict[str, list[Cell]] = {}
    for model, benchmark, texts in said:
        for text in dict.fromkeys(texts):
            found.setdefault(text, []).append((model, benchmark))
    return sorted(found.items(), key=lambda item: -len(item[1]))


def all_wanted() -> bool:
    """Whether ``-v`` was given."""
    return logging.getLogger().isEnabledFor(logging.INFO)
