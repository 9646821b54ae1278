"""How well a subject tells which held-out stimuli drive and which suppress responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, final

import numpy as np
import xarray as xr

from corteval import hooks
from corteval.assembly import align, responses_matrix
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.score import Estimate, Score
from corteval.stats.resampling import central, draw, mean, replicates, subjects_of
from corteval.stats.splits import CrossValidation, Split, groups_of, notes_on_groups, splits_digest
from corteval_driving.contrast import check_share, contrast, extremes
from corteval_driving.encoding import ALPHAS, at_the_edge, fit


class Tested(NamedTuple):
    """What one split holds out.

    Args:
        predicted, observed: (row, neuroid).
        rows: positions of the rows among all stimuli.
    """

    predicted: np.ndarray
    observed: np.ndarray
    rows: np.ndarray


@final
@dataclass(frozen=True, kw_only=True)
class DriveSuppress:
    """Share of the attainable contrast between driving and suppressing stimuli.

        score = mean_s median_n D(ŷ_sn, y_sn) / D(y_sn, y_sn)

    D(a, b) is the mean of b over the share of test stimuli with the highest a, minus that over the
    share with the lowest; see `extremes`. ŷ_sn are predictions, for the test stimuli of split s, of
    an encoding model of neuroid n that was fitted on the training stimuli; y_sn what was measured.
    So the stimuli are chosen by prediction alone and judged by measurement alone. 1 is a choice
    that knew the measurements. Under joint normality the score is the correlation of ŷ and y.
    Source: spec ``language`` 5; Tuckute et al. 2024.

    ``raw.error`` is the standard error over splits, which is no sampling error;
    ``raw.replicates`` resample stimuli and neuroids, or subjects, with fitted models held fixed;
    stimuli are chosen anew in each draw. Neuroids whose test responses are constant are left out.

    Args:
        share: of the test stimuli that are chosen at either end.
        cross_validation: train and test sets: a `CrossValidation` or a mapping of its options.
        alphas: penalties of the encoding model to choose from.
        aggregate: ``"neuroids"``: the median over all; ``"subjects"``: the mean over subjects of
            the median in each.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    share: float = 0.1
    cross_validation: CrossValidation | Mapping[str, Any] = field(
        default_factory=lambda: CrossValidation(folds="kfold", count=5)
    )
    alphas: Sequence[float] = ALPHAS
    aggregate: Literal["neuroids", "subjects"] = "neuroids"
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        check_share(self.share)
        if self.aggregate not in ("neuroids", "subjects"):
            raise OptionError(f"aggregate is neuroids or subjects, not {self.aggregate!r}.")
        for name in ("resamples", "seed"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise OptionError(f"{name} is a whole number, 0 or more, not {value!r}.")
        object.__setattr__(self, "cross_validation", CrossValidation.of(self.cross_validation))

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Score of `source` (presentation, neuroid) against `target` (presentation, neuroid).

        Raises:
            AssemblyError: if the presentations differ or a response is not finite.
            UndefinedScore: if no feature varies, or no neuroid has a contrast in some split.
        """
        target = responses_matrix(target)
        source = align(responses_matrix(source), target)
        division = CrossValidation.of(self.cross_validation)
        splits = division.over(target)
        tested, notes = held_out(source.values, target.values, splits, self.alphas)
        ratios = np.stack([_ratio(t, self.share) for t in tested])
        subjects = subjects_of(target)
        groups = self._groups(subjects)
        per_split = central(ratios, groups=groups)
        if np.isnan(per_split).any():
            raise UndefinedScore(
                f"No neuroid has a contrast in {int(np.isnan(per_split).sum())} of {len(tested)} "
                "splits: its test responses are constant."
            )
        over = "neuroids" if groups is None else "neuroids, mean over subjects"
        raw = Estimate(
            value=float(per_split.mean()),
            error=None if len(tested) == 1 else float(per_split.std() / np.sqrt(len(tested))),
            method=f"ridge, alpha of each neuroid by leave-one-out; measured contrast of the "
            f"{self.share:.0%} of test stimuli predicted highest and lowest over that of the "
            f"highest and lowest, median over {over}, mean and standard error over "
            f"{len(tested)} splits",
            quantity="similarity",
            replicates=self._replicates(tested, ratios, target, subjects, groups),
            splits=splits_digest(splits, target["stimulus_id"].values),
        )
        coords = {"neuroid_id": ("neuroid", target["neuroid_id"].values.astype(str))}
        if subjects is not None:
            coords["subject"] = ("neuroid", subjects)
        samples = xr.DataArray(ratios, dims=["split", "neuroid"], coords=coords)
        leaks = division.leaks(target, splits)
        effects = self._effects(tested, target.values, groups)
        notes = (*effects, *notes, *leaks, *notes_on_groups(target))
        return Score(value=raw.value, raw=raw, samples=samples, notes=notes)

    def _replicates(
        self,
        tested: Sequence[Tested],
        ratios: np.ndarray,
        target: xr.DataArray,
        subjects: np.ndarray | None,
        groups: np.ndarray | None,
    ) -> tuple[Replicates, ...]:
        draws = draw(
            stimulus_ids=target["stimulus_id"].values.astype(str),
            stimulus_groups=groups_of(target),
            neuroid_ids=target["neuroid_id"].values.astype(str),
            subjects=subjects,
            resamples=self.resamples,
            seed=self.seed,
        )
        counts = next((way.stimuli for way in draws if way.stimuli is not None), None)
        values = np.full((len(draws), len(tested), self.resamples), np.nan)
        for number, one in enumerate(tested):
            moved = None if counts is None else _ratio(one, self.share, counts[:, one.rows])
            for row, way in zip(values[:, number], draws, strict=True):
                drawn = ratios[number] if way.stimuli is None or moved is None else moved
                row[:] = central(drawn, way.neuroids, groups)
            if draws:
                hooks.notify(hooks.Progress("bootstrap", number + 1, len(tested), "splits"))
        return tuple(
            replicates(way, mean(rows), median=groups is None)
            for way, rows in zip(draws, values, strict=True)
        )

    def _effects(
        self, tested: Sequence[Tested], responses: np.ndarray, groups: np.ndarray | None
    ) -> tuple[str, ...]:
        """Measured effects of the chosen stimuli, each for itself, in words."""
        spread = responses.std(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            above, below = (
                np.mean(
                    [
                        [
                            (extremes(p, y, self.share)[end] - y.mean()) / s
                            for p, y, s in zip(one.predicted.T, one.observed.T, spread, strict=True)
                        ]
                        for one in tested
                    ],
                    axis=0,
                )
                for end in (0, 1)
            )
        drive, suppress = (float(central(part, groups=groups)) for part in (above, below))
        return (
            f"held-out stimuli chosen to drive measured {drive:+.2f} sd from the mean of all, "
            f"those to suppress {suppress:+.2f} sd",
        )

    def _groups(self, subjects: np.ndarray | None) -> np.ndarray | None:
        if self.aggregate == "neuroids":
            return None
        if subjects is None:
            raise AssemblyError(
                "Averaging over subjects needs the coordinate 'subject' along neuroid."
            )
        return subjects


def held_out(
    features: np.ndarray,
    responses: np.ndarray,
    splits: Sequence[Split],
    alphas: Sequence[float] = ALPHAS,
) -> tuple[list[Tested], tuple[str, ...]]:
    """Predictions for the test stimuli of each split, and what a reader must know of the fits.

    Args:
        features: (stimulus, feature).
        responses: (stimulus, neuroid).
        splits: train and test sets.
        alphas: penalties to choose from.

    Raises:
        UndefinedScore: if no feature varies.
    """
    x, y = np.asarray(features, np.float64), np.asarray(responses, np.float64)
    if not np.ptp(x, axis=0).any():
        raise UndefinedScore("Every feature is constant over stimuli and predicts nothing.")
    tested, chosen = [], []
    for number, (train, test) in enumerate(splits):
        model = fit(x[train], y[train], alphas=alphas)
        tested.append(Tested(model(x[test]), y[test], np.asarray(test)))
        chosen.append(model.alphas)
        hooks.notify(hooks.Progress("encoding models", number + 1, len(splits), "splits"))
    return tested, at_the_edge(np.array(chosen), alphas)


def _ratio(one: Tested, share: float, counts: np.ndarray | None = None) -> np.ndarray:
    """Attained over attainable contrast; NaN where responses are constant."""
    attained = contrast(one.predicted, one.observed, share, counts)
    attainable = contrast(one.observed, one.observed, share, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(attainable > 0, attained / attainable, np.nan)
