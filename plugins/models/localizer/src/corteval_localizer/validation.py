"""Held-out validation: units selected on some stimuli, and their contrast on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from scipy import stats

from corteval import hooks
from corteval.commitment import LayerCommitment
from corteval.errors import OptionError, UndefinedScore
from corteval.stimuli import StimulusSet
from corteval.units import count_units
from corteval_localizer.contrast import contrasted, labels_of
from corteval_localizer.layers import layers_of
from corteval_localizer.localization import TARGET, grouped_moments
from corteval_localizer.localizer import Localizer
from corteval_localizer.reading import responses
from corteval_localizer.selecting import selected
from corteval_localizer.welch import Moments, merged, welch

#: Column of the default stimuli by which they are divided.
RUN = "run"


@final
@dataclass(frozen=True, kw_only=True)
class Effect:
    """A contrast of two conditions, in standard deviations of a unit.

    Args:
        fold: what was held out.
        units: that were selected without it.
        stimuli: held out.
        difference: mean over stimuli of the positive condition minus that of the negative, of the
            mean over units.
        low, high: of its interval, Welch's, over stimuli.
        level: of the interval.
        t, p: Welch's, two-sided.
    """

    fold: str
    units: int
    stimuli: int
    difference: float
    low: float
    high: float
    level: float
    t: float
    p: float


@final
@dataclass(frozen=True, kw_only=True)
class Validation:
    """Whether what was selected on some stimuli prefers the same condition in others.

    Args:
        folds: effect in each part, of the units selected on all other parts.
        whole: all parts together: every stimulus as the units see it that were selected without it.
            Units differ from fold to fold, and the interval speaks for stimuli only.
        overlap: units selected in every fold, as a share of those selected in any.
        divided_by: a column, or folds and seed.
    """

    folds: tuple[Effect, ...]
    whole: Effect
    overlap: float
    divided_by: str

    def summary(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def validate(
    subject: LayerCommitment,
    localizer: Localizer | None = None,
    *,
    folds: str | int | None = None,
    seed: int = 0,
    level: float = 0.95,
    stimuli: StimulusSet | None = None,
    target: str = TARGET,
) -> Validation:
    """Select units on all parts of the stimuli but one, and contrast the conditions in that one.

    Each unit is standardised by mean and standard deviation (over both conditions) of the stimuli
    it was selected on; a stimulus then has one value, the mean over the selected units. Two passes:
    one of all units, of which moments are kept, and one of those selected in any fold.

    Args:
        subject, localizer, stimuli, target: see `localize`.
        folds: column whose values are the parts; or their number, drawn by `seed` within each
            condition. If None, the column ``run`` if there is one, else two.
        seed: of that draw.
        level: of intervals.

    Raises:
        OptionError: if stimuli cannot be divided so.
        UndefinedScore: if nothing is selected in a fold.
    """
    localizer = localizer or Localizer()
    contrast = contrasted(localizer, stimuli)
    is_positive = labels_of(contrast, localizer)
    names, fold, divided_by = _divided(contrast, is_positive, folds, seed)
    counts = {
        layer: count_units(subject.extractor.units(layer))
        for layer in layers_of(subject, localizer, target)
    }
    groups = 2 * fold + (~is_positive)
    told = "held out, selecting without each part"
    moments = grouped_moments(subject, contrast, localizer, counts, groups, told)
    seen = [
        [merged(moments[side::2][:n] + moments[side::2][n + 1 :]) for side in (0, 1)]
        for n in range(len(names))
    ]
    masks = [_selected(seen[n], localizer, names[n]) for n in range(len(names))]
    kept = np.flatnonzero(np.any(masks, axis=0))
    values = _responses(subject, contrast, localizer, counts, kept)
    folded = np.full(len(contrast), np.nan)
    for n, (both, mask) in enumerate(zip(seen, masks, strict=True)):
        whole = merged(both)
        chosen = mask[kept]
        scaled = (values[fold == n][:, chosen] - whole.mean[mask]) / np.sqrt(whole.variance[mask])
        folded[fold == n] = scaled.mean(axis=1)
    effects = tuple(
        _effect(name, int(mask.sum()), folded[fold == n], is_positive[fold == n], level)
        for n, (name, mask) in enumerate(zip(names, masks, strict=True))
    )
    units = round(float(np.mean([mask.sum() for mask in masks])))
    return Validation(
        folds=effects,
        whole=_effect("all", units, folded, is_positive, level),
        overlap=float(np.all(masks, axis=0).sum() / len(kept)),
        divided_by=divided_by,
    )


def _divided(
    contrast: StimulusSet, is_positive: np.ndarray, folds: str | int | None, seed: int
) -> tuple[list[str], np.ndarray, str]:
    """Names of folds, the number of each stimulus's fold, and what divides them."""
    if folds is None:
        folds = RUN if RUN in contrast.table.columns else 2
    if isinstance(folds, str):
        if folds not in contrast.table.columns:
            raise OptionError(
                f"{contrast.identifier} has no column {folds!r} to divide it by; it has "
                f"{', '.join(map(str, contrast.table.columns))}."
            )
        names, fold = np.unique(contrast.table[folds].astype(str).to_numpy(), return_inverse=True)
        words, said = [f"{folds} {name}" for name in names], folds
    else:
        if folds < 2:
            raise OptionError(f"Stimuli are divided into two folds or more, not {folds}.")
        fold = np.empty(len(contrast), int)
        # by id, so that the order of rows does not matter
        rank = np.argsort(np.argsort(contrast.stimulus_ids))
        for side in (True, False):
            rows = np.flatnonzero(is_positive == side)
            rows = rows[np.argsort(rank[rows])]
            shuffled = np.random.default_rng([seed, int(side)]).permutation(len(rows))
            fold[rows[shuffled]] = np.arange(len(rows)) % folds
        words = [f"fold {n + 1}" for n in range(folds)]
        said = f"{folds} folds within conditions, seed {seed}"
    sizes = [[int((is_positive[fold == n] == s).sum()) for s in (1, 0)] for n in range(len(words))]
    if len(words) < 2 or min(map(min, sizes)) < 2:
        raise OptionError(
            f"{contrast.identifier} divided by {said} has {len(words)} parts with "
            f"{', '.join(f'{a}+{b}' for a, b in sizes[:8])} stimuli of the conditions; two parts "
            "or more are needed, and two stimuli of each in every part."
        )
    return words, fold, said


def _selected(both: list[Moments], localizer: Localizer, name: str) -> np.ndarray:
    t, p = welch(both[0], both[1], localizer.alternative)
    mask = selected(t, p, localizer.selection)
    if not mask.any():
        raise UndefinedScore(f"Without {name}, no unit is selected by {localizer}.")
    return mask


def _responses(
    subject: LayerCommitment,
    contrast: StimulusSet,
    localizer: Localizer,
    counts: Mapping[str, int],
    kept: np.ndarray,
) -> np.ndarray:
    """(stimulus, kept unit) responses."""
    ends = np.cumsum([*counts.values()])
    wanted, start = {}, 0
    for layer, end in zip(counts, ends, strict=True):
        inside = kept[(kept >= start) & (kept < end)] - start
        if len(inside):
            wanted[layer] = inside
        start = int(end)
    parts = []
    for rows, block in responses(subject, contrast, localizer, wanted):
        parts.append(np.concatenate([block[layer] for layer in wanted], axis=1))
        told = f"held out, contrasting: {subject.identifier}, {len(kept)} units"
        hooks.notify(hooks.Progress(told, rows.stop, len(contrast), "stimuli"))
    return np.concatenate(parts)


def _effect(
    name: str, units: int, values: np.ndarray, is_positive: np.ndarray, level: float
) -> Effect:
    a, b = values[is_positive], values[~is_positive]
    difference = float(a.mean() - b.mean())
    if not (a.std() or b.std()):
        raise UndefinedScore(
            f"Held-out {name}: the selected units respond to all stimuli of a condition alike."
        )
    test = stats.ttest_ind(a, b, equal_var=False)
    interval = test.confidence_interval(level)
    return Effect(
        fold=name,
        units=units,
        stimuli=len(values),
        difference=difference,
        low=float(interval.low),
        high=float(interval.high),
        level=level,
        t=float(test.statistic),
        p=float(test.pvalue),
    )
