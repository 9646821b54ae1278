"""Trials of people as answers: rows to keep, the right answers, and what an ideal subject says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.errors import AssemblyError, OptionError
from corteval.stimuli import StimulusSet

#: Coordinates of the three stimuli of a trial in which the odd one is chosen.
TRIPLET = ("first", "second", "third")


def from_labels(stimuli: StimulusSet, truth: str) -> xr.DataArray:
    """The right answers to `stimuli` as trials, for data that have no others.

    Args:
        stimuli: with their labels.
        truth: column that holds the right answers. Further columns become coordinates.
    """
    table = stimuli.table
    shown = {"path", "text", "context_id", "position"}
    columns = {str(n): table[n] for n in table.columns if n not in shown and n != "truth"}
    return xr.DataArray(
        table[truth].to_numpy(str),
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", stimuli.stimulus_ids),
            "truth": ("presentation", table[truth].to_numpy(str)),
            **{n: ("presentation", _plain(column)) for n, column in columns.items()},
        },
    )


def _plain(column: pd.Series) -> np.ndarray:
    """Values as numbers or text."""
    if column.dtype.kind in "fiub":
        return column.to_numpy()
    return column.astype(str).to_numpy(str)


def selected(trials: xr.DataArray, only: Mapping[str, Any]) -> xr.DataArray:
    """Trials whose coordinates have one of the values given for them.

    Raises:
        AssemblyError: if a coordinate is missing, or no trial is left; names what there is.
    """
    for name, wanted in only.items():
        if name not in trials.coords or trials[name].dims != ("presentation",):
            known = sorted(str(n) for n, c in trials.coords.items() if c.dims == ("presentation",))
            raise AssemblyError(
                f"Trials have no coordinate {name!r} to select by; they have {', '.join(known)}."
            )
        allowed = _texts(wanted)
        found = trials[name].values.astype(str)
        kept = np.isin(found, allowed)
        if not kept.any():
            known = np.unique(found).tolist()
            raise AssemblyError(
                f"No trial has {name} {' or '.join(allowed)}; there are {', '.join(known[:12])}"
                f"{', ...' if len(known) > 12 else ''}."
            )
        trials = trials.isel(presentation=kept)
    return trials


def shown_in(stimuli: StimulusSet, only: Mapping[str, Any]) -> StimulusSet:
    """Stimuli whose columns have one of the values given; columns they lack do not count."""
    rows = np.ones(len(stimuli), bool)
    for name, wanted in only.items():
        if name in stimuli.table.columns:
            rows &= np.isin(stimuli.table[name].to_numpy(str), _texts(wanted))
    return stimuli.select([i for i, kept in zip(stimuli.stimulus_ids, rows, strict=True) if kept])


def _texts(wanted: Any) -> list[str]:
    return [str(w) for w in (wanted if isinstance(wanted, list | tuple) else (wanted,))]


def with_truth(trials: xr.DataArray, stimuli: StimulusSet | None, name: str) -> xr.DataArray:
    """`trials` with the right answers, from their coordinate or the stimuli's column `name`.

    Raises:
        AssemblyError: if neither is there.
    """
    if name in trials.coords:
        return trials.assign_coords(truth=("presentation", trials[name].values.astype(str)))
    if stimuli is not None and name in stimuli.table.columns:
        ids = trials["stimulus_id"].values.astype(str)
        truth = stimuli.table[name].reindex(ids).to_numpy(str)
        return trials.assign_coords(truth=("presentation", truth))
    raise AssemblyError(f"Neither trials nor stimuli have {name!r}, the right answers.")


def with_triplets(trials: xr.DataArray, names: Sequence[str]) -> xr.DataArray:
    """`trials` of triplets with an id for each, by which answers are matched.

    A triplet that is in several trials, whose answers may differ, has an id in each: every trial
    counts, though a subject is asked once.

    Args:
        trials: whose values are the ids of the odd ones, or anything if ``truth`` holds them.
        names: coordinates with the ids of the three stimuli.

    Raises:
        AssemblyError: if one of them is missing.
    """
    lacking = [n for n in names if n not in trials.coords]
    if lacking:
        raise AssemblyError(f"Trials have no coordinate {', '.join(lacking)}, ids of a triplet.")
    # in the order of their ids: that of the file may tell which one is odd
    three = list(np.sort([trials[n].values.astype(str) for n in names], axis=0))
    odd = trials["truth"].values if "truth" in trials.coords else trials.values
    odd = np.asarray(odd).astype(str)
    strange = ~np.any([odd == ids for ids in three], axis=0)
    if strange.any():
        raise AssemblyError(
            f"In {int(strange.sum())} of {len(odd)} trials the odd one is none of the three, such "
            f"as {str(odd[strange][0])!r}."
        )
    return xr.DataArray(
        odd,
        dims=["presentation"],
        coords={
            **{str(n): c for n, c in trials.coords.items() if c.dims == ("presentation",)},
            "stimulus_id": ("presentation", _numbered(triplet_ids(*three))),
            "truth": ("presentation", odd),
            **{n: ("presentation", ids) for n, ids in zip(TRIPLET, three, strict=True)},
        },
    )


def triplet_ids(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> list[str]:
    """Names of triplets: the three ids, in the order they are shown in."""
    return ["|".join(ids) for ids in zip(first, second, third, strict=True)]


def _numbered(names: list[str]) -> list[str]:
    """Names of which none occurs twice: the second of a kind is followed by #2."""
    count = pd.Series(names, dtype=object).groupby(names).cumcount().tolist()
    return [f"{name}#{n + 1}" if n else name for name, n in zip(names, count, strict=True)]


def triplets_of(trials: xr.DataArray) -> tuple[tuple[str, str, str], ...]:
    """Each triplet once, in the order of trials."""
    columns = (trials[n].values.astype(str).tolist() for n in TRIPLET)
    return tuple(dict.fromkeys(zip(*columns, strict=True)))


def right(trials: xr.DataArray) -> xr.DataArray:
    """The right answer to each stimulus of `trials`, which have ``truth``."""
    ids, first = np.unique(trials["stimulus_id"].values.astype(str), return_index=True)
    return _over_stimuli(trials["truth"].values.astype(str)[first], ids)


def drawn(trials: xr.DataArray, choices: Sequence[str], seed: int) -> xr.DataArray:
    """For each stimulus the answer of one trial, as a subject gives that is one of the people.

    Args:
        trials: words, or 1 and 0 for right and wrong with ``truth``.
        choices: of which a wrong answer is drawn where only that it was wrong is known.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(trials.sizes["presentation"])
    ids, first = np.unique(trials["stimulus_id"].values.astype(str)[order], return_index=True)
    taken = trials.isel(presentation=order[first])
    if taken.dtype.kind in "OUT":
        words = taken.values.astype(str)
    else:
        truth = taken["truth"].values.astype(str)
        others = [[c for c in choices if c != right] or [right] for right in truth]
        wrong = np.array([generator.choice(o) for o in others])
        words = np.where(taken.values > 0.5, truth, wrong)
    return _over_stimuli(words, ids)


def shares(trials: xr.DataArray, choices: Sequence[str]) -> xr.DataArray:
    """How often each choice was made, (presentation, choice).

    Where a trial offered the truth and one ``distractor``, each choice has the odds with which it
    was chosen against the truth, so that  p_k / (p_k + p_truth)  is the share of k among the
    trials that offered it; half a trial is added to both, as no share is 0 or 1 for certain.
    """
    table = pd.DataFrame(
        {
            "stimulus": trials["stimulus_id"].values.astype(str),
            "choice": trials.values.astype(str),
        }
    )
    counts = pd.crosstab(table.stimulus, table.choice).reindex(columns=list(choices), fill_value=0)
    if "distractor" not in trials.coords:
        values = counts.to_numpy(float)
        values = values / values.sum(axis=1, keepdims=True)
        return _over_stimuli(values, counts.index.to_numpy(str), choices)
    table["distractor"] = trials["distractor"].values.astype(str)
    table["truth"] = trials["truth"].values.astype(str)
    offered = pd.crosstab(table.stimulus, table.distractor).reindex(
        columns=list(choices), fill_value=0
    )
    chosen = counts.to_numpy(float) + 0.5
    rest = np.maximum(offered.to_numpy(float) - counts.to_numpy(float), 0) + 0.5
    odds = chosen / rest
    truth = table.groupby("stimulus").truth.first().reindex(counts.index).to_numpy(str)
    odds[np.arange(len(truth)), [list(choices).index(t) for t in truth]] = 1.0
    odds /= odds.sum(axis=1, keepdims=True)
    return _over_stimuli(odds, counts.index.to_numpy(str), choices)


def mean_times(trials: xr.DataArray) -> xr.DataArray:
    """Mean of the numbers given to each stimulus."""
    flat = trials.mean("subject") if "subject" in trials.dims else trials
    means = pd.Series(flat.values).groupby(flat["stimulus_id"].values.astype(str)).mean()
    return _over_stimuli(means.to_numpy(), means.index.to_numpy(str))


def _over_stimuli(
    values: np.ndarray, stimulus_ids: np.ndarray, choices: Sequence[str] = ()
) -> xr.DataArray:
    dims = ["presentation", "choice"][: values.ndim]
    coords: dict[str, Any] = {"stimulus_id": ("presentation", stimulus_ids)}
    return xr.DataArray(
        values, dims=dims, coords=coords | ({"choice": list(choices)} if choices else {})
    )


def without(trials: xr.DataArray, person: str) -> xr.DataArray:
    """`trials` of all people but one.

    Raises:
        AssemblyError: if trials do not say whose they are.
        OptionError: if that leaves out nobody, or everybody.
    """
    if "subject" not in trials.coords or trials["subject"].dims != ("presentation",):
        raise AssemblyError(
            f"leave_out={person!r} names nobody: the trials have no coordinate 'subject' along "
            "presentation."
        )
    people = trials["subject"].values.astype(str)
    others = people != person
    if others.all() or not others.any():
        known = np.unique(people).tolist()
        raise OptionError(
            f"leave_out={person!r} leaves out {'nobody' if others.all() else 'everybody'}; trials "
            f"are of {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."
        )
    return trials.isel(presentation=others)


def of_the_same_answers(source: xr.DataArray, trials: xr.DataArray) -> list[str]:
    """People each of whose answers is that in `source`."""
    if "subject" not in trials.coords or not source.dims == trials.dims == ("presentation",):
        return []
    given = dict(zip(source["stimulus_id"].values, source.values, strict=True))
    asked = zip(trials["stimulus_id"].values, trials.values, strict=True)
    same = np.array([i in given and given[i] == answer for i, answer in asked])
    people = trials["subject"].values.astype(str)
    return sorted(set(people.tolist()) - set(people[~same].tolist()))
