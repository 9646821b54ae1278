"""Reading: texts of one context as one passage, in which each stimulus has its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from corteval.errors import StimuliError
from corteval.stimuli import StimulusSet

#: Marks before which no space is written when the parts of a passage are joined.
CLOSING = ".,!?;:"


@final
@dataclass(frozen=True, kw_only=True)
class Passage:
    """A text that is read in one go.

    Args:
        context_id: of its stimuli; the stimulus id of one that is read alone.
        stimulus_ids: in the order in which they are read.
        text: all of it.
        spans: of each stimulus, its first character in `text` and the one after its last, without
            what was put between the stimuli.
    """

    context_id: str
    stimulus_ids: tuple[str, ...]
    text: str
    spans: tuple[tuple[int, int], ...]

    def up_to(self, number: int) -> str:
        """The text that has been read when stimulus `number` ends."""
        return self.text[: self.spans[number][1]]


def passages(
    stimuli: StimulusSet,
    *,
    separator: str = " ",
    closing: str = CLOSING,
    alone: bool = False,
) -> list[Passage]:
    """The passages of `stimuli`, in the order in which their contexts first occur.

    Rows of one ``context_id`` are one passage, read in the order of ``position`` (of rows, where
    there is none); rows without a context are passages of their own. Two parts are joined by
    `separator`, unless white space stands there already, either of them is empty, or the second
    begins with a mark of `closing`.

    Args:
        stimuli: texts.
        separator: between parts.
        closing: marks that follow what comes before without a separator.
        alone: every row is a passage of its own, whatever its context.

    Raises:
        StimuliError: if the stimuli are no texts, or two parts of a passage have one position.
    """
    if stimuli.modality != "text":
        raise StimuliError(
            f"{stimuli.identifier} has {stimuli.modality} stimuli, no texts to read."
        )
    table = stimuli.table
    texts = table["text"].astype(str).to_numpy()
    ids = np.array(stimuli.stimulus_ids, dtype=object)
    return [
        _joined(context, ids[rows], texts[rows], separator, closing)
        for context, rows in _contexts(stimuli.identifier, table, alone=alone)
    ]


def _contexts(name: str, table: pd.DataFrame, *, alone: bool) -> list[tuple[str, np.ndarray]]:
    """Rows of each context, in reading order."""
    if alone or "context_id" not in table.columns:
        return [(stimulus_id, np.array([row])) for row, stimulus_id in enumerate(table.index)]
    given = table["context_id"]
    lonely = given.isna().to_numpy()
    # a row without a context is one of its own, whatever its id is
    keys = [
        (True, stimulus_id) if lone else (False, str(context))
        for stimulus_id, context, lone in zip(table.index, given, lonely, strict=True)
    ]
    rows_of: dict[tuple[bool, str], list[int]] = {}
    for row, key in enumerate(keys):
        rows_of.setdefault(key, []).append(row)
    positions = table["position"].to_numpy() if "position" in table.columns else None
    found = []
    for (_, context), rows in rows_of.items():
        ordered = np.array(rows)
        if positions is not None:
            here = positions[ordered]
            if len(here) > 1 and len(set(here.tolist())) < len(here):
                raise StimuliError(
                    f"{name}: two stimuli of context {context} have one position, so that nobody "
                    "knows which is read first."
                )
            ordered = ordered[np.argsort(here, kind="stable")]
        found.append((context, ordered))
    return found


def _joined(
    context: str, ids: np.ndarray, texts: np.ndarray, separator: str, closing: str
) -> Passage:
    whole, spans = "", []
    for text in texts:
        spaced = whole[-1:].isspace() or text[:1].isspace()
        if whole and text and not spaced and text[0] not in closing:
            whole += separator
        spans.append((len(whole), len(whole) + len(text)))
        whole += text
    return Passage(context_id=context, stimulus_ids=tuple(ids), text=whole, spans=tuple(spans))
