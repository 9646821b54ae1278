"""Single presentations, one row each, laid out by stimulus and trial."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from corteval.errors import DatasetError
from corteval.stimuli import StimulusSet

log = logging.getLogger(__name__)

#: Names of columns under which laboratories keep the stimulus, the most telling first.
STIMULUS_COLUMNS = (
    "stimulus_id",
    "stim_id",
    "stimulus_name",
    "stimulus",
    "image_id",
    "image_name",
    "image",
    "sentence_id",
    "video_id",
    "trial_type",
    "condition",
)

#: Texts that stand for "no stimulus" where a table names one.
NO_STIMULUS = frozenset({"", "nan", "None", "n/a", "null", "blank", "spontaneous"})


def ids_of(values: Sequence[object] | np.ndarray) -> list[str]:
    """Ids as text: bytes decoded, whole numbers without a decimal point, NaN as ``"nan"``."""
    return [_text(value) for value in np.asarray(values, dtype=object).tolist()]


def stimulus_column(
    candidates: Mapping[str, Sequence[str]], asked: str | None, stimuli: StimulusSet, where: str
) -> str:
    """Which of several columns names the stimulus: the one asked for, or the one that fits.

    A column fits if all it names are stimuli of the set; of several, one with a telling name wins.

    Args:
        candidates: texts of each column; a key is ``column`` or ``table/column``.
        asked: key, or its last part; None to look for it.
        stimuli: what may be named.
        where: for messages.

    Raises:
        DatasetError: if none or several come into question; shows what they hold.
    """
    known = set(stimuli.stimulus_ids)
    last = {key: key.rpartition("/")[2] for key in candidates}
    if asked:
        found = [key for key in candidates if asked in (key, last[key])]
    else:
        named = {key: set(texts) - (NO_STIMULUS - known) for key, texts in candidates.items()}
        ranks = {name: rank for rank, name in enumerate(STIMULUS_COLUMNS)}
        fitting = {
            key: ranks.get(last[key], len(ranks))
            for key in candidates
            if named[key] and named[key] <= known
        }
        found = [key for key, rank in fitting.items() if rank == min(fitting.values())]
    if len(found) == 1:
        if not asked:
            log.info("%s: stimuli are named by %s.", where, found[0])
        return found[0]
    examples = "; ".join(f"{k} has {t[0]!r}" for k, t in list(candidates.items())[:8] if len(t))
    verdict = f"{asked!r} names {len(found)}" if asked else f"{len(found) or 'none'} fit"
    raise DatasetError(
        f"{where}: which column names the stimulus is not clear: of {len(candidates)} columns "
        f"({examples or 'none'}), {verdict}; the stimulus table has {stimuli.stimulus_ids[0]!r}. "
        "Give it as responses.variable, with ids as in the stimulus table."
    )


def named_rows(
    shown: Sequence[str], stimuli: StimulusSet, where: str, first_row: int
) -> np.ndarray:
    """Which rows name a stimulus; those that name none, such as blanks, are left out.

    Raises:
        DatasetError: for a stimulus the set does not have; names rows, counted from `first_row`.
    """
    known = set(stimuli.stimulus_ids)
    odd = [
        (row, name)
        for row, name in enumerate(shown, start=first_row)
        if name not in known and name not in NO_STIMULUS
    ]
    if odd:
        examples = ", ".join(f"row {row}: {name!r}" for row, name in odd[:3])
        raise DatasetError(
            f"{where} names in {len(odd)} rows a stimulus that the stimulus table does not have "
            f"({examples}; the table has {_first(stimuli.stimulus_ids)}). Name stimuli alike in "
            "both."
        )
    kept = np.array([name in known for name in shown], dtype=bool)
    if not kept.all():
        log.info("%s: %d rows name no stimulus and are left out.", where, (~kept).sum())
    return kept


def by_stimulus(
    values: np.ndarray, shown: Sequence[str], stimuli: StimulusSet, trials: int | None = None
) -> np.ndarray:
    """Values by stimulus and trial: a stimulus's k-th row becomes its trial k.

    Args:
        values: (row, ...), floats.
        shown: stimulus id of each row; all are in `stimuli`.
        stimuli: fixes the order of presentations.
        trials: size of the last dimension; as many as the most repeated stimulus has, if None.

    Returns:
        (presentation, ..., trial) of the type of `values`; NaN where a stimulus has fewer rows.
    """
    position = {stimulus_id: index for index, stimulus_id in enumerate(stimuli.stimulus_ids)}
    rows = pd.Series([position[stimulus_id] for stimulus_id in shown], dtype="int64")
    trial = rows.groupby(rows).cumcount().to_numpy()
    size = trials or int(trial.max(initial=0)) + 1
    laid_out = np.full((len(stimuli), size, *values.shape[1:]), np.nan, values.dtype)
    laid_out[rows.to_numpy(), trial] = values
    return np.moveaxis(laid_out, 1, -1)


def check_all_shown(shown: Sequence[str], stimuli: StimulusSet, where: str) -> None:
    """Every stimulus of the set was shown.

    Raises:
        DatasetError: names those that were not.
    """
    seen = set(shown)
    lone = [stimulus_id for stimulus_id in stimuli.stimulus_ids if stimulus_id not in seen]
    if lone:
        raise DatasetError(
            f"{where} has no presentation of {len(lone)} of {len(stimuli)} stimuli: "
            f"{_first(lone)}. Take them out of the stimulus table, or add their responses."
        )


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _first(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:3])) + (", ..." if len(ids) > 3 else "")
