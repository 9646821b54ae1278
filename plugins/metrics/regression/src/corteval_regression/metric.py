"""Cross-validated regression from model units to recorded neuroids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.assembly import align, responses_matrix
from corteval.errors import OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import Held, correlation, median, median_correlation_replicates
from corteval_regression.splits import ShuffledSplits

#: Fits (training features, training responses) and predicts for test features.
Regression = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@final
@dataclass(frozen=True, kw_only=True)
class RegressionCorrelation:
    """Median over neuroids of the correlation of predicted and recorded responses.

        score = mean_s median_n r_sn,    r_sn = Pearson over test rows of split s, neuroid n

    Features are not standardised. Neuroids whose test responses or predictions are constant in a
    split have no r and are left out of its median. ``raw.error`` is the standard error over
    splits (population sd / sqrt(splits)): it tells how far the choice of splits matters, and is
    not a sampling error; ``raw.replicates`` resample stimuli and neuroids with fitted models held
    fixed. Source: spec ``metrics`` 2.2.

    Args:
        regression: the fit.
        name: of the fit, for ``raw.method``.
        splits: train and test sets.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    regression: Regression
    name: str
    splits: ShuffledSplits
    resamples: int = 1000
    seed: int = 0

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Score of `source` (presentation, neuroid) against `target` (presentation, neuroid).

        Raises:
            AssemblyError: if the presentations differ or a response is not finite.
            UndefinedScore: if no neuroid has a correlation in some split.
        """
        target = responses_matrix(target)
        source = align(responses_matrix(source), target)
        x, y = source.values.astype(np.float64), target.values.astype(np.float64)
        if not np.ptp(x, axis=0).any():
            raise UndefinedScore("Every feature is constant over stimuli and predicts nothing.")
        held = [
            Held(self.regression(x[train], y[train], x[test]), y[test], test)
            for train, test in self.splits.over(target)
        ]
        r = np.stack([correlation(predicted, observed) for predicted, observed, _ in held])
        per_split = median(r)
        if np.isnan(per_split).any():
            raise UndefinedScore(
                "No neuroid has a correlation in some split: its predictions or test responses "
                "are constant."
            )
        ids = {name: target[name].values.astype(str) for name in ("stimulus_id", "neuroid_id")}
        replicates = median_correlation_replicates(
            held, ids["stimulus_id"], ids["neuroid_id"], resamples=self.resamples, seed=self.seed
        )
        raw = Estimate(
            value=float(per_split.mean()),
            error=float(per_split.std() / np.sqrt(len(held))),
            method=f"{self.name}; median r over neuroids, mean and standard error over "
            f"{len(held)} splits",
            quantity="correlation",
            replicates=replicates,
        )
        samples = xr.DataArray(
            r, dims=["split", "neuroid"], coords={"neuroid_id": ("neuroid", ids["neuroid_id"])}
        )
        return Score(value=raw.value, raw=raw, samples=samples)


def pls(
    *,
    components: int = 25,
    stratify_by: str | None = None,
    splits: int = 10,
    train_size: float = 0.9,
    split_seed: int = 1,
    resamples: int = 1000,
    seed: int = 0,
) -> RegressionCorrelation:
    """Partial least squares regression (NIPALS, unscaled).

    Models with fewer features, or splits with fewer rows, than `components` use as many as exist.

    Args:
        components: number of latent components.
        stratify_by, splits, train_size, split_seed: see `ShuffledSplits`.
        resamples, seed: see `RegressionCorrelation`.
    """
    if components < 1:
        raise OptionError(f"PLS needs at least one component, not {components}.")

    def fit_predict(x: np.ndarray, y: np.ndarray, x_test: np.ndarray) -> np.ndarray:
        from sklearn.cross_decomposition import PLSRegression

        model = PLSRegression(min(components, *x.shape), scale=False)
        return np.asarray(model.fit(x, y).predict(x_test)).reshape(len(x_test), y.shape[1])

    folds = ShuffledSplits(
        count=splits, train_size=train_size, seed=split_seed, stratify_by=stratify_by
    )
    return RegressionCorrelation(
        regression=fit_predict,
        name=f"PLS, {components} components",
        splits=folds,
        resamples=resamples,
        seed=seed,
    )


def ridge(
    *,
    alpha: float = 1.0,
    stratify_by: str | None = None,
    splits: int = 10,
    train_size: float = 0.9,
    split_seed: int = 1,
    resamples: int = 1000,
    seed: int = 0,
) -> RegressionCorrelation:
    """Ridge regression with a fixed penalty on unstandardised features.

    Args:
        alpha: penalty.
        stratify_by, splits, train_size, split_seed: see `ShuffledSplits`.
        resamples, seed: see `RegressionCorrelation`.
    """
    if not alpha > 0:
        raise OptionError(f"The ridge penalty is positive, not {alpha}.")

    def fit_predict(x: np.ndarray, y: np.ndarray, x_test: np.ndarray) -> np.ndarray:
        from sklearn.linear_model import Ridge

        model: Any = Ridge(alpha=alpha)
        return np.asarray(model.fit(x, y).predict(x_test)).reshape(len(x_test), y.shape[1])

    folds = ShuffledSplits(
        count=splits, train_size=train_size, seed=split_seed, stratify_by=stratify_by
    )
    return RegressionCorrelation(
        regression=fit_predict,
        name=f"ridge, alpha {alpha:g}",
        splits=folds,
        resamples=resamples,
        seed=seed,
    )
