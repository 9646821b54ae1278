"""Choose stimuli that an encoding model predicts to drive or to suppress, and say how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from corteval import hooks
from corteval.errors import OptionError, UndefinedScore
from corteval.intervals import Interval, Replicates, interval_of
from corteval.stats.resampling import draw_counts
from corteval.stats.splits import Split
from corteval_driving.candidates import Pool
from corteval_driving.encoding import ALPHAS, Encoding, at_the_edge, fit
from corteval_driving.metric import held_out

#: Rows of `Choices.effects`.
EFFECTS = ("drive", "suppress", "difference", "all candidates")


@final
@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A candidate, and the response it is predicted to have.

    Args:
        position: in the pool.
        predicted: by the encoding model of all training stimuli.
        interval: of the predicted mean response, not of a single measurement.
    """

    position: int
    predicted: float
    interval: Interval | None


@final
@dataclass(frozen=True, kw_only=True)
class Effect:
    """Mean predicted response of chosen candidates, minus the mean training response.

    Args:
        name: one of `EFFECTS`.
        predicted: by the model that chose them.
        interval: bootstrap over training stimuli, see `choose`; the choice stays.
        cross_fitted: candidates chosen by the model of one half of the training stimuli, predicted
            by that of the other half; NaN for all candidates.
    """

    name: str
    predicted: float
    interval: Interval | None
    cross_fitted: float


@final
@dataclass(frozen=True, kw_only=True)
class Check:
    """What the same procedure reached on training stimuli that it had not seen.

    Args:
        slope: of measured on predicted deviations from the training mean; below 1, predictions
            are exaggerated.
        r: their correlation.
        splits: how many fits it is from.
    """

    slope: float
    r: float
    splits: int


@final
@dataclass(frozen=True, kw_only=True)
class Choices:
    """The candidates predicted highest and lowest, best first.

    Args:
        drive, suppress: chosen candidates.
        effects: in the order of `EFFECTS`.
        baseline: mean training response.
        spread: standard deviation of the training responses.
        check: on held-out training stimuli; None if they cannot be divided.
        notes: what a reader must know.
    """

    drive: tuple[Chosen, ...]
    suppress: tuple[Chosen, ...]
    effects: tuple[Effect, ...]
    baseline: float
    spread: float
    check: Check | None
    notes: tuple[str, ...]


class _Training(NamedTuple):
    """Training stimuli: features, responses (stimulus, 1), and the group of each."""

    x: np.ndarray
    y: np.ndarray
    groups: np.ndarray


def choose(
    features: np.ndarray,
    responses: np.ndarray,
    pool: Pool,
    count: int,
    *,
    groups: Sequence[str] | np.ndarray | None = None,
    splits: Sequence[Split] = (),
    alphas: Sequence[float] = ALPHAS,
    resamples: int = 200,
    halvings: int = 5,
    level: float = 0.95,
    seed: int = 0,
) -> Choices:
    """Rank a pool by predicted response and take both ends.

        effect = mean_{i chosen} f(x_i) - ȳ

    f is the encoding model of all training stimuli and ȳ their mean response. Three things say how
    far to trust the effect:

    - Its interval, of two parts that are drawn apart. f is refitted on draws of the training
      stimuli, penalty included, for the same choice. And since ridge shrinks by an amount that is
      itself uncertain, the slope b of measured on predicted deviations over held-out training
      stimuli is drawn, too: replicate = effect of the refit + (b* - b) effect. Refits alone cover
      too seldom: after strong shrinkage they vary little (``tests/test_driving_choosing.py``).
    - The cross-fitted effect. Whatever f takes for signal by chance, it also chooses by, so the
      effect of the best of many is too high; ridge shrinks it, which works the other way. Models of
      two disjoint halves of the training stimuli err apart: one chooses, the other predicts, both
      ways, mean over halvings. It is free of selection, and low: both models know half as much,
      and the second shrinks once more.
    - The check: that slope b, where predictions meet measurements.

    Source: spec ``language`` 5; Tuckute et al. 2024.

    Args:
        features: (stimulus, feature) of the training stimuli.
        responses: (stimulus), their mean response.
        pool: candidates.
        count: candidates to take at either end.
        groups: (stimulus) names of what is drawn or divided as a whole, such as passages.
        splits: for the slope; without any, intervals are of refits alone.
        alphas: penalties to choose from.
        resamples: refits; 0 gives no intervals.
        halvings: divisions into halves; 0 gives no cross-fitted effect.
        level: of the intervals.
        seed: of draws and halvings.

    Raises:
        OptionError: if more are to be chosen than half the pool has, or shapes do not fit.
        UndefinedScore: if responses or features do not vary.
    """
    training = _training(features, responses, groups)
    if not 1 <= count <= len(pool) // 2:
        raise OptionError(
            f"{count} candidates at either end: there are {len(pool)}, so that 1 to "
            f"{len(pool) // 2} can be chosen."
        )
    if resamples < 0 or halvings < 0 or seed < 0 or not 0 < level < 1:
        raise OptionError(
            "Resamples, halvings and seed are 0 or more and a level lies between 0 and 1, not "
            f"{resamples}, {halvings}, {seed} and {level}."
        )
    whole = fit(training.x, training.y, alphas=alphas)
    halves = _fits_of_halves(training, halvings, alphas, seed)
    models = [whole, *(model for pair in halves for model in pair)]
    predicted = _predicted(models, pool)
    order = np.argsort(-predicted[:, 0], kind="stable")
    ends = np.concatenate([order[:count], order[::-1][:count]])
    check, slopes, remarks = _check(training, splits, alphas, resamples, seed)
    replicated, means = _refitted(training, pool, ends, resamples, alphas, seed)
    deviations = predicted[ends, 0] - whole.offset[0]
    calibrated = replicated - means[:, None] + slopes[:, None] * deviations
    units = len(np.unique(training.groups))
    scope = "stimuli" if groups is None else "groups of stimuli"

    def within(value: float, values: np.ndarray) -> Interval | None:
        """Interval of `value` from its replicates."""
        if resamples < 2:
            return None
        drawn = Replicates(scope=scope, sizes=(units,), values=tuple(values.tolist()), seed=seed)
        return interval_of(value, [drawn], level=level, remark="models refitted, slope drawn")

    chosen = [
        Chosen(
            position=int(place),
            predicted=float(predicted[place, 0]),
            interval=within(float(predicted[place, 0]), calibrated[:, number] + means),
        )
        for number, place in enumerate(ends)
    ]
    parts = [calibrated[:, :count].mean(axis=1), calibrated[:, count:].mean(axis=1)]
    values = [deviations[:count].mean(), deviations[count:].mean()]
    crossed = _cross_fitted(halves, predicted[:, 1:], count)
    effects = [
        Effect(
            name=name, predicted=float(value), interval=within(value, draws), cross_fitted=crossing
        )
        for name, value, draws, crossing in zip(
            EFFECTS,
            (*values, values[0] - values[1]),
            (*parts, parts[0] - parts[1]),
            (*crossed, crossed[0] - crossed[1]),
            strict=False,
        )
    ]
    rest = float(predicted[:, 0].mean() - whole.offset[0])
    effects.append(Effect(name=EFFECTS[3], predicted=rest, interval=None, cross_fitted=np.nan))
    return Choices(
        drive=tuple(chosen[:count]),
        suppress=tuple(chosen[count:]),
        effects=tuple(effects),
        baseline=float(whole.offset[0]),
        spread=float(training.y.std()),
        check=check,
        notes=(*at_the_edge(whole.alphas, alphas), *remarks, *_beyond(whole, training, chosen)),
    )


def _training(
    features: np.ndarray, responses: np.ndarray, groups: Sequence[str] | np.ndarray | None
) -> _Training:
    x, y = np.asarray(features, np.float64), np.asarray(responses, np.float64)
    if x.ndim != 2 or y.shape != (len(x),):
        raise OptionError(f"Features of shape {x.shape} and responses of {y.shape} do not fit.")
    names = np.arange(len(x)) if groups is None else np.asarray(groups, str)
    if names.shape != (len(x),):
        raise OptionError(f"{len(names)} names of groups for {len(x)} stimuli.")
    if not np.ptp(y):
        raise UndefinedScore("Responses do not vary over the training stimuli.")
    return _Training(x, y[:, None], np.unique(names, return_inverse=True)[1])


def _fits_of_halves(
    training: _Training, halvings: int, alphas: Sequence[float], seed: int
) -> list[tuple[Encoding, Encoding]]:
    """Models of two disjoint halves of the groups, for each halving."""
    generator = np.random.default_rng([seed, 5])
    count = int(training.groups.max()) + 1
    if count < 2:
        raise OptionError("All training stimuli are of one group, which cannot be halved.")
    found = []
    for _ in range(halvings):
        first = np.isin(training.groups, generator.permutation(count)[: count // 2])
        parts = [fit(training.x[part], training.y[part], alphas=alphas) for part in (first, ~first)]
        found.append((parts[0], parts[1]))
    return found


def _predicted(models: Sequence[Encoding], pool: Pool) -> np.ndarray:
    """(candidate, model) predictions."""
    blocks = [np.concatenate([model(x) for model in models], axis=1) for x in pool.blocks()]
    return np.concatenate(blocks)


def _refitted(
    training: _Training,
    pool: Pool,
    chosen: np.ndarray,
    resamples: int,
    alphas: Sequence[float],
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """(resample, chosen) predictions of refitted models, and (resample) their training means."""
    predicted, means = np.empty((resamples, len(chosen))), np.empty(resamples)
    if not resamples:
        return predicted, means
    x = pool.rows(chosen)
    for number, drawn in enumerate(_draws(training, resamples, [seed, 6])):
        model = fit(training.x, training.y, counts=drawn, alphas=alphas)
        predicted[number], means[number] = model(x)[:, 0], model.offset[0]
        hooks.notify(hooks.Progress("refits", number + 1, resamples, "draws"))
    return predicted, means


def _cross_fitted(
    halves: Sequence[tuple[Encoding, Encoding]], predicted: np.ndarray, count: int
) -> tuple[float, float]:
    """Mean effects at both ends, each chosen by one half and predicted by the other."""
    if not halves:
        return np.nan, np.nan
    found = []
    for number, pair in enumerate(halves):
        both = predicted[:, 2 * number : 2 * number + 2]
        for choosing, judging in ((0, 1), (1, 0)):
            order = np.argsort(-both[:, choosing], kind="stable")
            judged = both[:, judging] - pair[judging].offset[0]
            found.append((judged[order[:count]].mean(), judged[order[-count:]].mean()))
    drive, suppress = np.mean(found, axis=0)
    return float(drive), float(suppress)


def _check(
    training: _Training,
    splits: Sequence[Split],
    alphas: Sequence[float],
    resamples: int,
    seed: int,
) -> tuple[Check | None, np.ndarray, tuple[str, ...]]:
    """Measured on predicted deviations over all held-out training stimuli.

    Returns:
        the check, (resample) deviations of its slope in draws of stimuli, and notes.
    """
    moved = np.zeros(resamples)
    if not splits:
        note = (
            "predictions were not checked on held-out training stimuli, so that intervals leave "
            "out how far they are shrunk"
        )
        return None, moved, (note,)
    tested, _ = held_out(training.x, training.y, splits, alphas)
    means = [training.y[train].mean() for train, _ in splits]
    predicted = np.concatenate([t.predicted[:, 0] - m for t, m in zip(tested, means, strict=True)])
    measured = np.concatenate([t.observed[:, 0] - m for t, m in zip(tested, means, strict=True)])
    # the largest penalty leaves predictions that differ by nothing but rounding
    if predicted.std() <= 1e-6 * measured.std():
        note = "held-out predictions do not vary: the model predicts the mean response"
        return None, moved, (note,)
    both, squares = predicted * measured, predicted**2
    slope = float(both.sum() / squares.sum())
    r = float(np.corrcoef(predicted, measured)[0, 1])
    if resamples:
        rows = np.concatenate([one.rows for one in tested])
        counts = _draws(training, resamples, [seed, 7])[:, rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            moved = (counts @ both) / (counts @ squares) - slope
    notes: tuple[str, ...] = ()
    if slope < 0.5:
        notes = (
            f"on held-out training stimuli, measured responses vary by {slope:.2f} of what is "
            "predicted: take the predicted effects for exaggerated",
        )
    return Check(slope=slope, r=r, splits=len(splits)), moved, notes


def _draws(training: _Training, resamples: int, seed: Sequence[int]) -> np.ndarray:
    """(resample, stimulus) how often each is drawn, groups as a whole."""
    names = [f"{number:09d}" for number in range(int(training.groups.max()) + 1)]
    return draw_counts(names, resamples, seed)[:, training.groups]


def _beyond(whole: Encoding, training: _Training, chosen: Sequence[Chosen]) -> tuple[str, ...]:
    """A note if candidates are predicted beyond every training stimulus."""
    fitted = whole(training.x)
    outside = sum(not fitted.min() <= c.predicted <= fitted.max() for c in chosen)
    if not outside:
        return ()
    return (
        f"{outside} of {len(chosen)} chosen candidates are predicted beyond every training "
        "stimulus: that is extrapolation, which the intervals take for granted",
    )
