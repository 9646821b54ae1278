"""Train and test sets over stimuli, shared by every metric and ceiling.

Splits are data: lists of positions that follow from stimulus ids, coordinates and a seed, and have
a digest that scores record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, final

import numpy as np
import xarray as xr

from corteval.assembly import DRAWN_TOGETHER
from corteval.errors import OptionError
from corteval.stats.resampling import FEWEST_SUBJECTS, require_stimuli

#: Presentation coordinates that tell which stimuli belong together. Neighbours in a story or film
#: share slow drifts, so a model that merely knows a neighbour predicts a test set drawn at random.
GROUPINGS = ("group", "story", "passage", "topic", "block")

#: From this many groups on, groups of stimuli are drawn instead of single ones, as with subjects.
FEWEST_GROUPS = FEWEST_SUBJECTS

Folds = Literal["auto", "shuffle", "kfold", "fixed"]


class Split(NamedTuple):
    """Positions of training and test rows."""

    train: np.ndarray
    test: np.ndarray


@final
@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """How stimuli are divided into training and test sets.

    The divisions are scikit-learn's ``ShuffleSplit``, ``KFold`` (shuffled), their stratified
    variants and ``GroupKFold``, over stimuli in the order of their ids, so that neither
    the order of rows nor of neuroids matters. Source: spec ``metrics`` 2.1.

    Args:
        folds: ``"shuffle"``: repeated random splits. ``"kfold"``: every stimulus is tested once.
            ``"fixed"``: one split, named by the coordinate `fixed_by`. ``"auto"``: k-fold over
            groups where stimuli have groups, else shuffle.
        count: number of splits or folds; of group folds at most as many as there are groups.
        train_size: share of stimuli to fit on, for ``"shuffle"``.
        seed: of the shuffling; fixed by a benchmark, not varied.
        shuffle: whether k-folds are drawn. Otherwise folds of stimuli are runs of neighbours, and
            groups go to the fold with the fewest stimuli, the largest first: no seed matters.
        stratify_by: presentation coordinate whose values keep their shares in both sets.
        group_by: presentation coordinate whose values are never divided between training and test;
            ``"auto"`` takes the first of `GROUPINGS` that exists, None takes none.
        allow_leaky: let training and test sets share groups although stimuli have them. For
            published numbers only: a model can then score by recognising neighbours.
        fixed_by: presentation coordinate with values ``"train"`` and ``"test"``.
        order: ``"ids"``, or ``"rows"`` to divide the target's rows in the order they stand, as
            some published numbers did.
    """

    folds: Folds = "auto"
    count: int = 10
    train_size: float = 0.9
    seed: int = 1
    shuffle: bool = True
    stratify_by: str | None = None
    group_by: str | None = "auto"
    allow_leaky: bool = False
    fixed_by: str = "split"
    order: Literal["ids", "rows"] = "ids"

    def __post_init__(self) -> None:
        if self.folds not in ("auto", "shuffle", "kfold", "fixed"):
            raise OptionError(f"Folds are auto, shuffle, kfold or fixed, not {self.folds!r}.")
        if self.order not in ("ids", "rows"):
            raise OptionError(f"Splits are made in the order of ids or rows, not {self.order!r}.")
        fewest = 2 if self.folds == "kfold" else 1
        if self.count < fewest or not 0 < self.train_size < 1:
            raise OptionError(
                f"{self.count} splits with a training share of {self.train_size} are impossible."
            )

    @classmethod
    def of(cls, options: CrossValidation | Mapping[str, Any] | None) -> CrossValidation:
        """From what the options of a metric give.

        Raises:
            OptionError: names an option that does not exist.
        """
        if isinstance(options, cls):
            return options
        try:
            return cls(**dict(options or {}))
        except TypeError as error:
            known = ", ".join(cls.__dataclass_fields__)
            raise OptionError(f"Cross-validation: {error}. Options are {known}.") from error

    def over(self, target: xr.DataArray) -> Sequence[Split]:
        """Splits of `target`'s presentations.

        Raises:
            OptionError: if a coordinate is missing, or groups would leak unasked.
            UndefinedScore: with fewer than three stimuli to test on.
        """
        if self.folds == "fixed":
            return [self._fixed(target)]
        rows = np.arange(target.sizes["presentation"])
        if self.order == "ids":
            rows = np.argsort(target["stimulus_id"].values.astype(str), kind="stable")
        groups = self._groups(target)
        if groups is not None and (groups == "nan").any():
            raise OptionError(f"{int((groups == 'nan').sum())} stimuli have no group (NaN).")
        strata = self._column(target, self.stratify_by, "stratify by")
        try:
            splitter, size = self._splitter(groups, strata, len(rows))
            require_stimuli(size, 3, "A test set")
            if self.allow_leaky:
                groups = None
            labels = [None if c is None else c[rows] for c in (strata, groups)]
            splits = [
                Split(rows[train], rows[test])
                for train, test in splitter.split(np.zeros(len(rows)), *labels)
            ]
        except ValueError as error:
            raise OptionError(f"These stimuli cannot be divided so: {error}") from error
        require_stimuli(min(len(split.test) for split in splits), 3, "A test set")
        return splits

    def leaks(self, target: xr.DataArray, splits: Sequence[Split]) -> tuple[str, ...]:
        """A note for each grouping of stimuli that `splits` divide between training and test."""
        notes = []
        names = dict.fromkeys((*GROUPINGS, *([self.group_by] if self.group_by else [])))
        for name in names:
            if name not in target.coords or target[name].dims != ("presentation",):
                continue
            label = target[name].values.astype(str)
            divided = sum(bool(set(label[a]) & set(label[b])) for a, b in splits)
            if divided:
                notes.append(
                    f"leaky: {divided} of {len(splits)} splits divide a {name} between training "
                    "and test, so a model can score by recognising neighbours"
                )
        return tuple(notes)

    def _splitter(
        self, groups: np.ndarray | None, strata: np.ndarray | None, stimuli: int
    ) -> tuple[Any, int]:
        """Scikit-learn's splitter, and how many stimuli it tests if groups are of equal size."""
        from sklearn import model_selection as skm

        grouped = groups is not None and not self.allow_leaky
        folds = self.folds
        if folds == "auto":
            folds = "kfold" if grouped else "shuffle"
        if grouped and folds == "shuffle":
            raise OptionError(
                "Stimuli belong to groups, which random splits would divide between training and "
                "test. Use folds='kfold', or allow_leaky=True to reproduce published numbers."
            )
        if folds == "shuffle":
            size = stimuli - int(stimuli * self.train_size)
            shuffle: Any = skm.ShuffleSplit if strata is None else skm.StratifiedShuffleSplit
            return shuffle(self.count, train_size=self.train_size, random_state=self.seed), size
        count, kind = self.count, skm.KFold if strata is None else skm.StratifiedKFold
        if grouped and groups is not None:
            present = len(np.unique(groups))
            if present < 2:
                raise OptionError("All stimuli are of one group: no fold can leave groups out.")
            count = min(count, present)
            kind = skm.GroupKFold if strata is None else skm.StratifiedGroupKFold
        if count > stimuli:
            raise OptionError(f"{count} folds of {stimuli} stimuli are impossible.")
        drawn = {"shuffle": True, "random_state": self.seed} if self.shuffle else {}
        made: Any = kind(count, **drawn)
        return made, stimuli // count

    def _groups(self, target: xr.DataArray) -> np.ndarray | None:
        if self.group_by != "auto":
            return self._column(target, self.group_by, "group by")
        return self._column(target, _first_of(GROUPINGS, target), "group by")

    def _fixed(self, target: xr.DataArray) -> Split:
        label = self._column(target, self.fixed_by, "split by")
        assert label is not None
        unknown = sorted(set(label.tolist()) - {"train", "test"})
        train, test = (np.flatnonzero(label == name) for name in ("train", "test"))
        if unknown or not len(train):
            raise OptionError(
                f"Coordinate {self.fixed_by!r} says 'train' or 'test' of every stimulus; found "
                f"{', '.join(map(repr, unknown[:5])) or 'no training stimulus'}."
            )
        require_stimuli(len(test), 3, "A test set")
        return Split(train, test)

    def _column(self, target: xr.DataArray, name: str | None, purpose: str) -> np.ndarray | None:
        if name is None:
            return None
        if name not in target.coords or target[name].dims != ("presentation",):
            known = [str(n) for n, c in target.coords.items() if c.dims == ("presentation",)]
            raise OptionError(
                f"No coordinate {name!r} to {purpose}; stimuli have {', '.join(known)}."
            )
        return np.asarray(target[name].values).astype(str)


def groups_of(
    assembly: xr.DataArray, by: str | None = None, fewest: int = FEWEST_GROUPS
) -> np.ndarray | None:
    """Group of each stimulus, for `corteval.stats.resampling.draw`: stimuli are drawn with theirs.

    Metrics and ceilings get them here alone, so that they draw the same. It is of no account
    how a metric divides stimuli: neighbours are alike also where folds part them.

    Args:
        assembly: with presentations.
        by: coordinate; None takes `grouping_of`.
        fewest: groups.

    Returns:
        (presentation) names; None if stimuli are drawn singly, since nothing groups them, each is
        a group of its own, or groups are too few to draw from. A stimulus without group (NaN) is
        one of its own.
    """
    by = by or grouping_of(assembly)
    if by is None:
        return None
    found = np.asarray(assembly[by].values).astype(str).astype(object)
    alone = found == "nan"
    found[alone] = [f"nan/{name}" for name in assembly["stimulus_id"].values[alone]]
    return found.astype(str) if fewest <= len(set(found)) < len(found) else None


def grouping_of(assembly: xr.DataArray) -> str | None:
    """Coordinate by which stimuli are drawn together: `DRAWN_TOGETHER` or of `GROUPINGS`."""
    return _first_of((DRAWN_TOGETHER, *GROUPINGS), assembly)


def notes_on_groups(assembly: xr.DataArray) -> tuple[str, ...]:
    """What a reader must know where groups of stimuli are too few to be drawn."""
    name = grouping_of(assembly)
    if name is None or groups_of(assembly) is not None:
        return ()
    groups = groups_of(assembly, fewest=2)
    if groups is None:
        return ()
    return (
        f"the interval draws single stimuli, since {len(set(groups))} groups of them ({name}) are "
        "too few to draw from: it is too narrow where stimuli of a group are alike",
    )


def _first_of(names: Sequence[str], assembly: xr.DataArray) -> str | None:
    """The first of `names` that is a presentation coordinate."""
    along = ("presentation",)
    return next((n for n in names if n in assembly.coords and assembly[n].dims == along), None)


def splits_digest(splits: Sequence[Split], stimulus_ids: Sequence[str] | np.ndarray) -> str:
    """SHA-256 of which stimuli train and test, whatever the order of rows."""
    ids = np.asarray(stimulus_ids, str)
    content = [[sorted(ids[part].tolist()) for part in split] for split in splits]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
