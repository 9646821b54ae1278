"""Train and test sets over stimuli, built once from the target's row order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
import xarray as xr

from corteval.errors import OptionError
from corteval.stats.resampling import require_stimuli


class Split(NamedTuple):
    """Positions of training and test rows."""

    train: np.ndarray
    test: np.ndarray


@final
@dataclass(frozen=True, kw_only=True)
class ShuffledSplits:
    """Repeated random splits, stratified if a coordinate is named.

    They are scikit-learn's ``ShuffleSplit`` and ``StratifiedShuffleSplit`` over the rows of the
    target assembly in their order, as the field has them. Source: spec ``metrics`` 2.1.

    Args:
        count: number of splits.
        train_size: share of stimuli to fit on.
        seed: of the shuffling; fixed by a benchmark, not varied.
        stratify_by: presentation coordinate whose values keep their shares in both sets.
    """

    count: int = 10
    train_size: float = 0.9
    seed: int = 1
    stratify_by: str | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 < self.train_size < 1:
            raise OptionError(
                f"{self.count} splits with a training share of {self.train_size} are impossible."
            )

    def over(self, target: xr.DataArray) -> Sequence[Split]:
        """Splits of `target`'s presentations.

        Raises:
            OptionError: if the coordinate to stratify by is missing or too fine.
            UndefinedScore: with fewer than two stimuli to fit or three to test on.
        """
        from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

        rows = np.arange(target.sizes["presentation"])
        require_stimuli(round(len(rows) * (1 - self.train_size)), 3, "A test set")
        kind: Any = ShuffleSplit if self.stratify_by is None else StratifiedShuffleSplit
        splitter = kind(self.count, train_size=self.train_size, random_state=self.seed)
        try:
            return [
                Split(train, test) for train, test in splitter.split(rows, self._strata(target))
            ]
        except ValueError as error:
            raise OptionError(f"Stratifying by {self.stratify_by!r}: {error}") from error

    def _strata(self, target: xr.DataArray) -> np.ndarray | None:
        if self.stratify_by is None:
            return None
        if self.stratify_by not in target.coords:
            known = [str(n) for n, c in target.coords.items() if c.dims == ("presentation",)]
            raise OptionError(
                f"No coordinate {self.stratify_by!r} to stratify by; there are {', '.join(known)}."
            )
        return np.asarray(target[self.stratify_by].values)
