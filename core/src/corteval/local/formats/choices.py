"""Which columns of a table of trials are choices, and which says what is right."""

from __future__ import annotations

from collections.abc import Iterator

from corteval.local.formats.synonyms import (
    OF_PRESENTATIONS,
    SYNONYMS,
    are_words,
    candidates,
    plain,
)
from corteval.local.formats.tables import Table

_TRUTHS = ("truth", "correct_answer", "category", "label")


def choices_among(
    trials: Table, stimuli: Table, *, asked: bool = False
) -> tuple[list[str], list[str]]:
    """Columns that are choices for sure, and those that may be.

    A column of words is one for sure if a column with subjects stands beside it, and all its words
    occur in a column of the stimuli, or trials, that says what is right. Columns called answer or
    decision need no such words beside subjects; those called response may be choices.

    Args:
        trials: one row a trial.
        stimuli: their table.
        asked: the task is known to be one of choices.
    """
    columns = list(trials.frame.columns)
    if not asked and "subject" not in columns:
        return [], []
    apart = {*OF_PRESENTATIONS, "correct", *SYNONYMS["path"], *SYNONYMS["text"]}
    words = [
        column
        for column in columns
        if not (
            plain(column) in apart
            or plain(column) in _TRUTHS
            or column in stimuli.frame.columns
            or column.endswith("_id")
        )
        and are_words(trials, column)
    ]
    truths = [cells for _, cells in _truths(trials, stimuli)]
    within = [column for column in words if any(_words(trials, column) <= t for t in truths)]
    called = candidates("choice", words)
    sure = [column for column in within if column in called] or within
    if sure or not called:
        return sure, []
    certain = [column for column in called if asked or plain(column) != "response"]
    return certain, called


def truth_of(trials: Table, stimuli: Table) -> list[str]:
    """Columns that may say what is right: all words of the column "choice" occur in them."""
    if "truth" in trials.frame.columns or "truth" in stimuli.frame.columns:
        return []
    choices = _words(trials, "choice")
    found = [name for name, cells in _truths(trials, stimuli) if choices and choices <= cells]
    return [name for name in dict.fromkeys(found) if name in SYNONYMS["truth"]]


def _truths(trials: Table, stimuli: Table) -> Iterator[tuple[str, set[str]]]:
    for table in (stimuli, trials):
        for column in table.frame.columns:
            if plain(column) in _TRUTHS and are_words(table, column):
                yield column, _words(table, column)


def _words(table: Table, column: str) -> set[str]:
    return {cell.strip() for cell in table.text(column) if cell.strip()}
