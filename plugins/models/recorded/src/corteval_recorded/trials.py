"""From trials to one answer a stimulus, by a policy that is said and never guessed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError
from corteval.requests import TimeBin
from corteval_recorded.options import Options
from corteval_recorded.tables import Records

#: Of the probabilities of a stimulus from 1; files round.
_TOLERANCE = 1e-3


def choices(records: Records, options: Options) -> dict[str, str]:
    """The choice of each stimulus, by what its name matches by.

    Raises:
        AssemblyError: several trials of a stimulus, where the policy allows one.
        OptionError: several observers, where none is chosen.
    """
    policy = options.default("single", "first", "majority")
    trials = _of_observer(records, options, pooled=policy == "majority")
    if policy == "first":
        trials = _ordered(trials).drop_duplicates("key")
    if policy == "majority":
        silent = options.no_response
        by_stimulus = trials.groupby("key", sort=False)["choice"]
        return {
            str(key): _majority(str(key), list(c), silent, options.seed) for key, c in by_stimulus
        }
    _refuse_repeated(trials, ["key"], "policy='first' or 'majority'")
    return dict(zip(trials["key"], trials["choice"], strict=True))


def probabilities(records: Records, options: Options) -> xr.DataArray:
    """(presentation, choice) probabilities, choices in alphabetical order.

    Raises:
        AssemblyError: a stimulus lacks a choice, or its probabilities do not sum to 1.
    """
    policy = options.default("single", "mean")
    trials = _of_observer(records, options, pooled=policy == "mean")
    if policy == "single":
        _refuse_repeated(trials, ["key", "choice"], "policy='mean'")
    given = trials["probability"]
    odd = ~(np.isfinite(given) & (given >= 0))
    if odd.any():
        raise AssemblyError(
            f"{_some(trials['key'][odd].unique())}: probabilities are negative or not finite."
        )
    table = trials.groupby(["key", "choice"])["probability"].mean().unstack("choice")
    values = table.to_numpy()
    odd = np.isnan(values).any(axis=1)
    if odd.any():
        raise AssemblyError(
            f"{_some(table.index[odd])}: a choice has no probability. Every stimulus needs one for "
            f"each of {', '.join(table.columns)}."
        )
    total = values.sum(axis=1)
    odd = np.abs(total - 1) > _TOLERANCE
    if odd.any():
        raise AssemblyError(
            f"{_some(table.index[odd])}: probabilities sum to {total[odd][0]:.4g}, not to 1."
        )
    return xr.DataArray(
        values,
        dims=["presentation", "choice"],
        coords={
            "stimulus_id": ("presentation", table.index.to_numpy(str)),
            "choice": table.columns.to_numpy(str),
        },
    )


def responses(records: Records, options: Options) -> xr.DataArray:
    """Responses as an assembly whose stimulus ids are what names match by.

    Raises:
        AssemblyError: two records of one stimulus, or a stimulus without responses.
    """
    policy = options.default("mean", "each")
    if records.assembly is not None:
        found = _keyed(records.assembly, options)
    else:
        found = _stacked(_of_observer(records, options, pooled=options.policy is not None), records)
    if options.time_bins:
        found = _in_time(found, options.time_bins)
    if policy == "mean" and "trial" in found.dims:
        found = found.mean("trial", skipna=True, keep_attrs=True)
    complete = xr.apply_ufunc(np.isfinite, found)
    if policy == "each" and "trial" in found.dims:
        complete = complete.any("trial")
    lacking = ~complete.all([d for d in complete.dims if d != "presentation"]).values
    if lacking.any():
        raise AssemblyError(
            f"{_some(found['stimulus_id'].values[lacking])}: responses are missing or infinite."
        )
    return found


def _of_observer(records: Records, options: Options, *, pooled: bool) -> pd.DataFrame:
    """Rows of the chosen observer, with a column ``key`` of what names match by."""
    assert records.table is not None
    table = records.table
    observers = list(dict.fromkeys(table["subject"]))
    if options.observer is not None:
        if options.observer not in observers:
            raise OptionError(
                f"There is no subject {options.observer!r} in the table; it has "
                f"{', '.join(filter(None, observers[:8])) or 'no column of subjects'}."
            )
        table = table[table["subject"] == options.observer]
    elif len(observers) > 1 and not pooled:
        raise OptionError(
            f"The table has {len(observers)} subjects: {', '.join(observers[:8])}"
            f"{', ...' if len(observers) > 8 else ''}. Choose one (observer=, --subject), or say "
            "how to pool them (policy=, --policy)."
        )
    return table.assign(key=table["stimulus_id"].map(_key(options)))


def _key(options: Options) -> Callable[[str], str]:
    from corteval_recorded.matching import rule

    return rule(options.match)


def _refuse_repeated(trials: pd.DataFrame, columns: list[str], remedy: str) -> None:
    repeated = trials.loc[trials.duplicated(columns), "key"]
    if len(repeated):
        raise AssemblyError(
            f"{_some(repeated.unique())}: there are several trials. Choose what becomes of them by "
            f"{remedy}, or match names by a rule that tells them apart."
        )


def _ordered(trials: pd.DataFrame) -> pd.DataFrame:
    """By session and trial; rows that are equal in both stay in their order."""
    return trials.sort_values(["session", "trial"], key=_as_ordered, kind="stable")


def _as_ordered(column: pd.Series) -> pd.Series:
    """Numbers as numbers; other text in alphabetical order."""
    numbers = pd.to_numeric(column, errors="coerce")
    return column if numbers.isna().any() else numbers


def _majority(key: str, votes: list[str], silent: str | None, seed: int) -> str:
    """The most frequent choice; a tie is drawn by seed and stimulus, so that order is nothing."""
    counts = Counter(vote for vote in votes if vote != silent)
    if not counts:
        return votes[0]
    most = max(counts.values())
    tied = sorted(choice for choice, count in counts.items() if count == most)
    drawn = hashlib.sha256(f"{seed}|{key}".encode()).digest()
    return tied[int.from_bytes(drawn[:8], "big") % len(tied)]


def _keyed(assembly: xr.DataArray, options: Options) -> xr.DataArray:
    if options.observer is not None:
        raise OptionError("An array of responses has no subjects to choose from.")
    keys = [_key(options)(str(name)) for name in assembly["stimulus_id"].values]
    twice = (
        [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
        if len(set(keys)) < len(keys)
        else []
    )
    if twice:
        raise AssemblyError(
            f"{_some(twice)}: several rows match by the rule {options.match!r}; choose another."
        )
    return assembly.assign_coords(stimulus_id=("presentation", keys))


def _stacked(trials: pd.DataFrame, records: Records) -> xr.DataArray:
    """(presentation, neuroid[, trial]) of a wide table; missing trials are NaN."""
    trials = _ordered(trials)
    number = trials.groupby("key", sort=False).cumcount().to_numpy()
    keys, row = np.unique(trials["key"].to_numpy(str), return_inverse=True)
    values = np.full((len(keys), len(records.units), int(number.max()) + 1), np.nan)
    values[row, :, number] = trials[list(records.units)].to_numpy(np.float64)
    if values.shape[2] == 1:
        values = values[:, :, 0]
    return neural(values, list(keys), {"neuroid_id": list(records.units)})


def _in_time(assembly: xr.DataArray, time_bins: tuple[tuple[float, float], ...]) -> xr.DataArray:
    """`assembly` with its one moment named."""
    if "time_bin" in assembly.dims:
        raise OptionError(
            "The file says in which time bins it recorded; time_bins would overrule it."
        )
    if len(time_bins) != 1:
        raise OptionError(
            f"{len(time_bins)} time bins are given for responses without an axis of time; give one."
        )
    bin_ = TimeBin(*time_bins[0])
    timed = assembly.expand_dims("time_bin", axis=2)
    return timed.assign_coords(
        time_bin_start_ms=("time_bin", [bin_.start_ms]),
        time_bin_end_ms=("time_bin", [bin_.end_ms]),
    )


def _some(keys: object) -> str:
    names = [str(key) for key in np.asarray(keys).ravel()[:5]]
    count = np.asarray(keys).size
    return f"{count} stimuli ({', '.join(names)}{', ...' if count > 5 else ''})"
