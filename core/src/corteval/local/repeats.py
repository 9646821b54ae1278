"""Single presentations, one row each, laid out by stimulus and trial."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from corteval.errors import DatasetError
from corteval.stimuli import StimulusSet

#: Texts that stand for "no stimulus" where a table names one.
NO_STIMULUS = frozenset({"", "nan", "None", "n/a", "null", "blank", "spontaneous"})


def ids_of(values: Sequence[object] | np.ndarray) -> list[str]:
    """Ids as text: bytes decoded, whole numbers without a decimal point, NaN as ``"nan"``."""
    return [_text(value) for value in np.asarray(values, dtype=object).tolist()]


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


def check_shown(shown: Sequence[str], stimuli: StimulusSet, where: str, first_row: int) -> None:
    """Every row names a stimulus of the set.

    Raises:
        DatasetError: names rows, counted from `first_row`, and what stands there.
    """
    known = set(stimuli.stimulus_ids)
    odd = [(row, name) for row, name in enumerate(shown, start=first_row) if name not in known]
    if odd:
        examples = ", ".join(f"row {row}: {name!r}" for row, name in odd[:3])
        raise DatasetError(
            f"{where} names {len(odd)} stimuli that the stimulus table does not have ({examples}; "
            f"the table has {_first(stimuli.stimulus_ids)}). Name stimuli alike in both."
        )


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
