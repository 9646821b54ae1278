"""Regression from model units to recorded neuroids as metrics: fit, predict, correlate."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar, final

import numpy as np
import xarray as xr

from corteval.assembly import align, responses_matrix
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import (
    Held,
    central,
    correlation,
    draw,
    median_correlation_replicates,
    subjects_of,
)
from corteval.stats.splits import CrossValidation, Split, groups_of, notes_on_groups, splits_digest
from corteval_regression.arrays import on_device
from corteval_regression.banded import ALPHAS as BANDED_ALPHAS
from corteval_regression.banded import banded_ridge_cv, pooled_r2
from corteval_regression.features import Features, Splits
from corteval_regression.neighbours import neuron_to_neuron_cv
from corteval_regression.penalties import VISION_ALPHAS, AlphaPer, RidgeFits, ridgecv_cv
from corteval_regression.pls import pls_cv
from corteval_regression.ridge import linear_cv, ridge_cv
from corteval_regression.standardised import each_split


class Problem(NamedTuple):
    """What a fit gets.

    Args:
        source: (presentation, neuroid) of the model, with its coordinates.
        features: its values.
        responses: (presentation, neuroid) to predict.
        splits: train and test sets.
        subjects: of each neuroid, if known.
    """

    source: xr.DataArray
    features: Features
    responses: np.ndarray
    splits: Sequence[Split]
    subjects: np.ndarray | None


class Fitted(NamedTuple):
    """What a fit gives: (test row, neuroid) of each split, and what a reader must know."""

    predictions: Sequence[np.ndarray]
    notes: tuple[str, ...] = ()


Fit = Callable[[Problem], Fitted]


@final
@dataclass(frozen=True, kw_only=True)
class RegressionCorrelation:
    """Median over neuroids of the correlation of predicted and recorded responses.

        score = mean_s median_n r_sn,    r_sn = Pearson over test rows of split s, neuroid n

    Features are not standardised, unless the fit does it. Neuroids whose test responses or
    predictions are constant in a split have no r and are left out of its median. ``further`` holds
    the pooled R², which sees scale and mean too. ``raw.error`` is the standard error over splits
    (population sd / sqrt(splits)): it tells how far the choice of splits matters, and is not a
    sampling error; ``raw.replicates`` resample stimuli and neuroids, or subjects, with
    fitted models held fixed. Source: spec ``metrics`` 2.2.

    Args:
        fit: the regression.
        name: of the fit, for ``raw.method``.
        cross_validation: train and test sets: a `CrossValidation` or a mapping of its options.
        aggregate: ``"neuroids"``: the median over all; ``"subjects"``: the mean over subjects of
            the median in each.
        reverse: predict model units from neuroids instead.
        constant: constant predictions are ``"omitted"``; ``"zero"`` counts them as r = 0, as
            some published numbers did.
        device: ``"cpu"``, ``"torch"``, or a torch device such as ``"cuda"``.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    fit: Fit
    name: str
    cross_validation: CrossValidation | Mapping[str, Any] = field(default_factory=CrossValidation)
    aggregate: Literal["neuroids", "subjects"] = "neuroids"
    reverse: bool = False
    constant: Literal["omitted", "zero"] = "omitted"
    device: str = "cpu"
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (
            ("aggregate", ("neuroids", "subjects")),
            ("constant", ("omitted", "zero")),
        ):
            if getattr(self, name) not in known:
                raise OptionError(f"{name} is {' or '.join(known)}, not {getattr(self, name)!r}.")
        for name in ("resamples", "seed"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise OptionError(f"{name} is a whole number, 0 or more, not {value!r}.")
        object.__setattr__(self, "cross_validation", CrossValidation.of(self.cross_validation))

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Score of `source` (presentation, neuroid) against `target` (presentation, neuroid).

        Raises:
            AssemblyError: if the presentations differ or a response is not finite.
            UndefinedScore: if no neuroid has a correlation in some split.
        """
        target = responses_matrix(target)
        source = align(responses_matrix(source), target)
        division = CrossValidation.of(self.cross_validation)
        splits = division.over(target)
        leaks = division.leaks(target, splits)
        digest = splits_digest(splits, target["stimulus_id"].values)
        together, on_groups = groups_of(target), notes_on_groups(target)
        if self.reverse:
            source, target = target, source
        problem = self._problem(source, target, splits)
        fitted = self.fit(problem)
        held = [
            Held(np.asarray(predicted, np.float64), problem.responses[test], test)
            for predicted, (_, test) in zip(fitted.predictions, splits, strict=True)
        ]
        r = np.stack([self.defined(correlation(h.predicted, h.observed)) for h in held])
        groups = self.groups(problem.subjects)
        per_split = central(r, groups=groups)
        if np.isnan(per_split).any():
            raise UndefinedScore(
                f"No neuroid has a correlation in {int(np.isnan(per_split).sum())} of "
                f"{len(held)} splits: its predictions or test responses are constant."
            )
        replicates = median_correlation_replicates(
            held,
            draw(
                stimulus_ids=target["stimulus_id"].values.astype(str),
                stimulus_groups=together,
                neuroid_ids=target["neuroid_id"].values.astype(str),
                subjects=problem.subjects,
                resamples=self.resamples,
                seed=self.seed,
            ),
            transform=self.defined,
            groups=groups,
        )
        over = "neuroids" if groups is None else "neuroids, mean over subjects"
        how = f"{self.name}; median r over {over}"
        raw = Estimate(
            value=float(per_split.mean()),
            error=None if len(held) == 1 else float(per_split.std() / np.sqrt(len(held))),
            method=how
            + (
                ", one fixed split"
                if len(held) == 1
                else f", mean and standard error over {len(held)} splits"
            ),
            quantity="correlation",
            replicates=replicates,
            splits=digest,
        )
        coords = {"neuroid_id": ("neuroid", target["neuroid_id"].values.astype(str))}
        if problem.subjects is not None:
            coords["subject"] = ("neuroid", problem.subjects)
        samples = xr.DataArray(r, dims=["split", "neuroid"], coords=coords)
        return Score(
            value=raw.value,
            raw=raw,
            samples=samples,
            notes=(*fitted.notes, *leaks, *on_groups),
            further=_explained(fitted.predictions, problem, groups, over),
        )

    def _problem(
        self, source: xr.DataArray, target: xr.DataArray, splits: Sequence[Split]
    ) -> Problem:
        values = np.asarray(source.values)
        if not np.ptp(values, axis=0).any():
            raise UndefinedScore("Every feature is constant over stimuli and predicts nothing.")
        return Problem(
            source=source,
            features=Features.of(on_device(values, self.device)),
            responses=np.asarray(target.values, np.float64),
            splits=splits,
            subjects=subjects_of(target),
        )

    def defined(self, r: np.ndarray) -> np.ndarray:
        """`r` with correlations that do not exist as the option `constant` says."""
        return np.nan_to_num(r, nan=0.0) if self.constant == "zero" else r

    def groups(self, subjects: np.ndarray | None) -> np.ndarray | None:
        """Subject of each neuroid, if medians are taken in each; None if over all neuroids.

        Raises:
            AssemblyError: if subjects are to be averaged and nothing names them.
        """
        if self.aggregate == "neuroids":
            return None
        if subjects is None:
            raise AssemblyError(
                "Averaging over subjects needs the coordinate 'subject' along neuroid."
            )
        return subjects


def _explained(
    predictions: Sequence[np.ndarray], problem: Problem, groups: np.ndarray | None, over: str
) -> dict[str, Estimate]:
    """Variance explained out of sample, which unlike r sees scale and mean of predictions."""
    share = pooled_r2(predictions, problem.responses, problem.splits)
    value = float(central(share, groups=groups))
    how = "1 - squared errors / squares about the training mean, pooled over splits; median over "
    return {"pooled R2": Estimate(value=value, method=how + over, quantity="variance")}


_Made = TypeVar("_Made", bound=Callable[..., RegressionCorrelation])
_Wrapped = TypeVar("_Wrapped", bound=Callable[..., object])


def options_of(factory: Callable[..., RegressionCorrelation]) -> Callable[[_Wrapped], _Wrapped]:
    """Tell that a function takes what `factory` takes, for messages about wrong options."""

    def told(wrapped: _Wrapped) -> _Wrapped:
        signature = inspect.signature(factory)
        wrapped.__signature__ = signature  # type: ignore[attr-defined]
        return wrapped

    return told


def _with_options(factory: _Made) -> _Made:
    """Tell which options `factory` passes on: a wrong one is answered with those it takes."""
    own = inspect.signature(factory)
    common = inspect.signature(RegressionCorrelation).parameters.values()
    kept = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    kept += [p for p in common if p.name not in ("fit", "name")]
    factory.__signature__ = own.replace(parameters=kept)  # type: ignore[attr-defined]
    return factory


@_with_options
def pls(*, components: int = 25, exact: bool = False, **options: Any) -> RegressionCorrelation:
    """Partial least squares; see `pls_cv`. `options` are those of `RegressionCorrelation`."""
    if not isinstance(components, int) or components < 1:
        raise OptionError(f"components is a whole number, 1 or more, not {components!r}.")

    def fit(p: Problem) -> Fitted:
        return Fitted(pls_cv(p.features, p.responses, p.splits, components=components, exact=exact))

    kind = "converged PLS" if exact else "PLS"
    return RegressionCorrelation(fit=fit, name=f"{kind}, {components} components", **options)


@_with_options
def linear(**options: Any) -> RegressionCorrelation:
    """Ordinary least squares; see `linear_cv`. `options` are those of `RegressionCorrelation`."""

    def fit(p: Problem) -> Fitted:
        notes: tuple[str, ...] = ()
        fewest = min(len(train) for train, _ in p.splits)
        if p.features.count >= fewest - 1:
            notes = (
                f"least squares with {p.features.count} features and {fewest} training stimuli "
                "interpolates: prefer ridge",
            )
        return Fitted(linear_cv(p.features, p.responses, p.splits), notes)

    return RegressionCorrelation(fit=fit, name="least squares", **options)


@_with_options
def ridge(*, alpha: float = 1.0, **options: Any) -> RegressionCorrelation:
    """Ridge with a fixed penalty; see `ridge_cv`. `options`: see `RegressionCorrelation`."""
    if not isinstance(alpha, int | float) or not 0 < alpha < np.inf:
        raise OptionError(f"The ridge penalty is positive and finite, not {alpha!r}.")

    def fit(p: Problem) -> Fitted:
        return Fitted(ridge_cv(p.features, p.responses, p.splits, alpha=alpha))

    return RegressionCorrelation(fit=fit, name=f"ridge, alpha {alpha:g}", **options)


@_with_options
def ridgecv(
    *,
    alphas: Sequence[float] = VISION_ALPHAS,
    alpha_per: AlphaPer = "all",
    standardise: bool = False,
    **options: Any,
) -> RegressionCorrelation:
    """Ridge with a penalty chosen in training; see `ridgecv_cv`.

    Args:
        alphas: penalties to choose from.
        alpha_per: targets that share a penalty: ``"all"``, those of one ``"subject"``, or each
            ``"target"`` its own.
        standardise: z-score features by each training set, see `standardised`.
        options: of `RegressionCorrelation`.
    """
    if not isinstance(alphas, Sequence | np.ndarray):
        raise OptionError(f"alphas are several penalties, not {alphas!r}.")

    def fit(p: Problem) -> Fitted:
        def one(bands: Sequence[Features], splits: Splits) -> RidgeFits:
            return ridgecv_cv(
                bands[0],
                p.responses,
                splits,
                alphas=alphas,
                alpha_per=alpha_per,
                subjects=p.subjects,
            )

        found = (
            each_split([p.features], p.splits, one) if standardise else one([p.features], p.splits)
        )
        return Fitted(found[0], _at_the_edge(found[1], alphas))

    shared = {"all": "one for all neuroids", "subject": "one a subject", "target": "one a neuroid"}
    name = f"ridge, alpha of {len(alphas)} by leave-one-out, {shared.get(alpha_per, alpha_per)}"
    name += ", z-scored features" * standardise
    return RegressionCorrelation(fit=fit, name=name, **options)


@_with_options
def neuron_to_neuron(**options: Any) -> RegressionCorrelation:
    """The single best model unit; see `neuron_to_neuron_cv`. `options`: `RegressionCorrelation`."""

    def fit(p: Problem) -> Fitted:
        return Fitted(neuron_to_neuron_cv(p.features, p.responses, p.splits))

    return RegressionCorrelation(fit=fit, name="best single unit", **options)


@_with_options
def banded_ridge(
    *, alphas: Sequence[float] = BANDED_ALPHAS, candidates: int = 100, **options: Any
) -> RegressionCorrelation:
    """Ridge with a penalty for each band of features and neuroid; see `banded_ridge_cv`.

    Bands are the values of the source's coordinate ``band`` along neuroid.

    Args:
        alphas: penalties to choose from.
        candidates: random ratios, with three or more bands.
        options: of `RegressionCorrelation`.
    """

    def fit(p: Problem) -> Fitted:
        fits = banded_ridge_cv(
            [Features.of(p.features.values[:, columns]) for columns in bands_of(p.source).values()],
            p.responses,
            p.splits,
            alphas=alphas,
            candidates=candidates,
            seed=options.get("seed", 0),
        )
        return Fitted(fits.predictions)

    return RegressionCorrelation(fit=fit, name="banded ridge", **options)


def bands_of(source: xr.DataArray) -> dict[str, np.ndarray]:
    """Positions of the features of each band, by the coordinate ``band`` along neuroid.

    Raises:
        AssemblyError: if there is no such coordinate, or only one band.
    """
    if "band" not in source.coords or source["band"].dims != ("neuroid",):
        raise AssemblyError(
            "Banded ridge needs the coordinate 'band' along the source's neuroids, naming the "
            "group of features each belongs to."
        )
    label = source["band"].values.astype(str)
    found = {str(name): np.flatnonzero(label == name) for name in np.unique(label)}
    if len(found) < 2:
        raise AssemblyError(f"All features are of the band {next(iter(found))!r}; two are needed.")
    return found


def _at_the_edge(chosen: np.ndarray, alphas: Sequence[float]) -> tuple[str, ...]:
    """A note if penalties would have gone on beyond the grid."""
    if len(alphas) < 2:
        return ()
    low, high = float(np.mean(chosen == min(alphas))), float(np.mean(chosen == max(alphas)))
    if low + high < 0.1:
        return ()
    return (
        f"the penalty is at the edge of its grid in {low + high:.0%} of fits "
        f"({low:.0%} at {min(alphas):g}, {high:.0%} at {max(alphas):g})",
    )
