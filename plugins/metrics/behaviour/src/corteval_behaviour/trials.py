"""What behavioural assemblies say: who answered what to which stimulus, and whether rightly.

A behavioural assembly has one row (dim ``presentation``) a trial, with the coordinate
``stimulus_id``, in one of three forms:

- words: the choice that was made, such as ``"dog"``;
- numbers: 1 for a right answer, 0 for a wrong one;
- numbers along a second dim ``choice``: how probable or how frequent each choice is. Where one
  choice is needed it is the most probable one, the first in alphabetical order among equals.

Further coordinates along ``presentation``: ``subject`` (one subject if absent), ``condition``
(one condition if absent), ``truth`` (the right answer) and what single metrics name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from corteval.assembly import check_behavioural, in_order
from corteval.errors import AssemblyError, UndefinedScore

#: Subject or condition of assemblies that tell of none.
ALL = "all"


class Trials(NamedTuple):
    """Stimulus and subject of each trial, as positions in sorted lists of names.

    Args:
        stimulus, subject: (trial).
        stimulus_ids, subjects: sorted, without repetition.
    """

    stimulus: np.ndarray
    subject: np.ndarray
    stimulus_ids: np.ndarray
    subjects: np.ndarray


class Groups(NamedTuple):
    """Trials grouped by subject and condition; only groups that have trials are listed.

    Args:
        of_trial: (trial) group of each trial.
        subject, condition: (group) positions in `Trials.subjects` and in `conditions`.
        conditions: sorted, without repetition.
    """

    of_trial: np.ndarray
    subject: np.ndarray
    condition: np.ndarray
    conditions: np.ndarray


def trials(assembly: xr.DataArray) -> Trials:
    """Stimulus and subject of each row of `assembly`.

    Raises:
        AssemblyError: if it is not behavioural.
    """
    check_behavioural(assembly)
    stimulus_ids, stimulus = np.unique(column(assembly, "stimulus_id"), return_inverse=True)
    subjects, subject = np.unique(column(assembly, "subject", ALL), return_inverse=True)
    return Trials(stimulus, subject, stimulus_ids, subjects)


def groups(assembly: xr.DataArray, rows: Trials, *, by_condition: bool = True) -> Groups:
    """Trials of `assembly` by subject and, if asked, by condition."""
    names = column(assembly, "condition", ALL) if by_condition else np.full(len(rows.subject), ALL)
    conditions, condition = np.unique(names, return_inverse=True)
    code = rows.subject * len(conditions) + condition
    present, of_trial = np.unique(code, return_inverse=True)
    return Groups(of_trial, present // len(conditions), present % len(conditions), conditions)


def aligned(source: xr.DataArray, target: xr.DataArray) -> xr.DataArray:
    """The source's answer to the stimulus of each of the target's presentations.

    Raises:
        AssemblyError: see `answers_to`.
    """
    return answers_to(column(target, "stimulus_id"), source)


def answers_to(stimulus_ids: np.ndarray, source: xr.DataArray) -> xr.DataArray:
    """The source's answers to stimuli, in their order.

    Raises:
        AssemblyError: if the source is not behavioural, answers a stimulus twice, or answers other
            stimuli.
    """
    check_behavioural(source)
    names = column(source, "stimulus_id")
    ids, counts = np.unique(names, return_counts=True)
    if (counts > 1).any():
        raise AssemblyError(
            f"The source answers {int((counts > 1).sum())} of {len(ids)} stimuli more than once, "
            f"such as {ids[counts > 1][0]}; give it one answer to each."
        )
    return in_order(source.assign_coords(stimulus_id=("presentation", names)), stimulus_ids)


def numbers(assembly: xr.DataArray) -> np.ndarray:
    """A number for each presentation; NaN is let through.

    Raises:
        AssemblyError: if the assembly has another form.
    """
    if assembly.dims != ("presentation",) or assembly.dtype.kind not in "fiub":
        raise AssemblyError(
            f"One number a presentation is asked for; found {assembly.dtype} along "
            f"{', '.join(map(str, assembly.dims))}."
        )
    return np.asarray(assembly.values, np.float64)


def column(assembly: xr.DataArray, name: str, default: str | None = None) -> np.ndarray:
    """Coordinate `name` of each presentation, as text.

    Raises:
        AssemblyError: if there is none and no default.
    """
    if name in assembly.coords and assembly[name].dims == ("presentation",):
        return np.asarray(assembly[name].values).astype(str)
    if default is None:
        known = [str(n) for n, c in assembly.coords.items() if c.dims == ("presentation",)]
        raise AssemblyError(
            f"Trials need a coordinate {name!r} along presentation; they have {', '.join(known)}."
        )
    return np.full(assembly.sizes["presentation"], default)


def numeric_column(assembly: xr.DataArray, name: str) -> np.ndarray:
    """Coordinate `name` of each presentation, as finite numbers.

    Raises:
        AssemblyError: if there is none, or if it has other values.
    """
    text = column(assembly, name)
    try:
        values = text.astype(np.float64)
    except ValueError as error:
        raise AssemblyError(f"Coordinate {name!r} holds numbers; found {error}.") from error
    if not np.isfinite(values).all():
        raise AssemblyError(
            f"Coordinate {name!r} is not finite in {(~np.isfinite(values)).sum()} of "
            f"{len(values)} rows."
        )
    return values


def chosen(assembly: xr.DataArray) -> np.ndarray:
    """Choice of each row, as text.

    Raises:
        AssemblyError: if rows are numbers without choices, or lack an answer.
        UndefinedScore: if all choices of a row have probability 0.
    """
    if "choice" in assembly.dims:
        shares = distributions(assembly)
        names = column_of_choices(assembly)
        order = np.argsort(names)
        return np.asarray(names[order][shares[:, order].argmax(axis=1)])
    if assembly.dtype.kind not in "OUT":
        raise AssemblyError(
            "These trials are numbers; what is asked for is which choice was made: give words, or "
            "a second dim choice."
        )
    words = np.asarray(assembly.values).astype(str)
    lacking = (words == "") | assembly.isnull().values
    if lacking.any():
        raise AssemblyError(
            f"{int(lacking.sum())} of {len(words)} trials have no answer. Leave them out, or name "
            "them, for instance 'na', to have them count as wrong."
        )
    return words


def correct(assembly: xr.DataArray, truth: xr.DataArray | None = None) -> np.ndarray:
    """1.0 for each row that is right, 0.0 for each that is wrong.

    Args:
        assembly: answers.
        truth: assembly with the coordinate ``truth`` for the same rows; `assembly` if None.

    Raises:
        AssemblyError: if rows are neither choices with a known truth, nor 0 and 1.
    """
    if "choice" in assembly.dims or assembly.dtype.kind in "OUT":
        known = column(assembly if truth is None else truth, "truth")
        return np.asarray(chosen(assembly) == known, np.float64)
    values = np.asarray(assembly.values, np.float64)
    odd = ~np.isin(values, (0.0, 1.0))
    if odd.any():
        raise AssemblyError(
            f"Answers are 1 (right), 0 (wrong), or words; {int(odd.sum())} of {len(values)} are "
            f"others, such as {values[odd][0]:g}."
        )
    return values


def distributions(assembly: xr.DataArray) -> np.ndarray:
    """Share of each choice in each row (presentation, choice); rows sum to 1.

    Raises:
        AssemblyError: if a number is negative or not finite.
        UndefinedScore: if a row sums to 0.
    """
    values = np.asarray(assembly.transpose("presentation", "choice").values, np.float64)
    odd = ~(np.isfinite(values) & (values >= 0)).all(axis=1)
    if odd.any():
        raise AssemblyError(
            f"Probabilities of choices are finite and not negative; {int(odd.sum())} of "
            f"{len(values)} rows have others, such as that of "
            f"{assembly['stimulus_id'].values[odd][0]}."
        )
    total = values.sum(axis=1, keepdims=True)
    if (total == 0).any():
        raise UndefinedScore(
            f"{int((total == 0).sum())} of {len(values)} rows give every choice probability 0."
        )
    return np.asarray(values / total)


def column_of_choices(assembly: xr.DataArray) -> np.ndarray:
    """Names along the dim ``choice``."""
    return np.asarray(assembly["choice"].values).astype(str)
