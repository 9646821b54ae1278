"""Is one model better than another on the same data?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np

from corteval.errors import OptionError, UndefinedScore
from corteval.intervals import Interval, Replicates, corrected_replicates, interval_of
from corteval.notebook import Tabular
from corteval.score import Score, normalized_replicates

#: Sign patterns below which all of them are tried.
_EXHAUSTIVE = 2**14

#: Signs drawn at a time.
_BLOCK = 1000


@final
@dataclass(frozen=True, kw_only=True)
class Comparison(Tabular):
    """Difference of two scores.

    Args:
        difference: first minus second.
        interval: of the difference.
        p_value: two-sided, of no difference.
        method: in words.
    """

    difference: float
    interval: Interval
    p_value: float
    method: str

    words: ClassVar[Mapping[str, str]] = {"p": "no test"}

    def row(self) -> dict[str, Any]:
        """Difference, interval, p-value and how they came."""
        interval = self.interval
        return {
            "difference": self.difference,
            "low": interval.low,
            "high": interval.high,
            "level": interval.level,
            "p": self.p_value,
            "scope": interval.scope,
            "method": self.method,
        }


def compare(first: Score, second: Score, *, level: float = 0.95) -> Comparison:
    """Paired bootstrap of two models on one benchmark.

    Both scores were resampled with the same draws, so replicate ``b`` of the difference saw the
    same stimuli and neuroids on both sides. With replicates Δ* corrected as in `interval_of`::

        p = min(1, 2 min((1 + #{Δ* <= 0}) / (B + 1), (1 + #{Δ* >= 0}) / (B + 1)))

    p is 2 / (B + 1) at least: after Holm's correction over more than .025 (B + 1) comparisons
    nothing differs at .05, which 1000 replicates reach with 26. Take more replicates then.
    Source: spec ``statistics`` S4.

    Args:
        first, second: of two models on one benchmark, with the same seed.
        level: of the interval.

    Raises:
        OptionError: if the scores are of different benchmarks or draws, or only one is normalised.
        UndefinedScore: if one of them has no value or no replicates.
    """
    for score in (first, second):
        name = score.model or "A model"
        if score.status != "scored":
            why = score.reason or f"it is {score.status.replace('-', ' ')}"
            raise UndefinedScore(f"{name} has no score: {why}")
        if score.raw is None:
            raise UndefinedScore(
                f"{name} has a score without its raw estimate, so that there are no bootstrap "
                "replicates to compare. Score it here, or keep the records of `corteval score`."
            )
    if (first.ceiling is None) != (second.ceiling is None):
        raise OptionError("One score is normalised and the other is not.")
    if first.benchmark != second.benchmark or first.normalization != second.normalization:
        raise OptionError(
            f"Scores on {first.benchmark or 'no benchmark'} ({first.normalization or 'raw'}) and "
            f"{second.benchmark or 'no benchmark'} ({second.normalization or 'raw'}) cannot be "
            "compared."
        )
    ours, theirs = normalized_replicates(first), normalized_replicates(second)
    for what, of in (
        ("scopes", lambda r: r.scope),
        ("numbers of replicates", lambda r: len(r.values)),
        ("seeds", lambda r: r.seed),
        ("data", lambda r: (r.draw, r.sizes)),
    ):
        if [of(r) for r in ours] != [of(r) for r in theirs]:
            raise OptionError(
                f"The scores were resampled with different {what}. Score both models on the same "
                "data with the same metric, resamples and seed."
            )
    differences = [_minus(a, b) for a, b in zip(ours, theirs, strict=True)]
    difference = first.value - second.value
    values = corrected_replicates(difference, differences, level=level)
    interval = interval_of(difference, differences, level=level)
    if values is None or interval is None:
        raise UndefinedScore("The scores have too few bootstrap replicates to compare them.")
    rarer = min((1 + (values <= 0).sum()), (1 + (values >= 0).sum())) / (len(values) + 1)
    return Comparison(
        difference=difference,
        interval=interval,
        p_value=float(min(1.0, 2 * rarer)),
        method=f"paired bootstrap over {interval.scope}",
    )


def sign_flip_test(differences: np.ndarray, *, resamples: int = 10_000, seed: int = 0) -> float:
    """Two-sided p-value of a mean difference of 0, by flipping the signs of units.

    Exact if the units are independent and, without a difference, as likely to favour one model as
    the other: use one difference a subject. Differences of neuroids of one subject share stimuli
    and noise, and their p-value is too small. n units cannot give less than 2 / 2^n: five never
    reach .05. Source: spec ``statistics`` S4.

    Args:
        differences: one a unit.
        resamples: sign patterns drawn; all are tried if there are at most 2^14.
        seed: of the signs.

    Raises:
        UndefinedScore: with fewer than two differences that are not NaN.
    """
    kept = np.asarray(differences, np.float64).ravel()
    kept = kept[~np.isnan(kept)]
    if len(kept) < 2:
        raise UndefinedScore(f"{len(kept)} differences: flipping signs needs at least two.")
    observed = abs(kept.sum()) * (1 - 1e-12)
    if 2 ** len(kept) <= _EXHAUSTIVE:
        patterns = (np.arange(2 ** len(kept))[:, None] >> np.arange(len(kept))) & 1
        return float(np.mean(abs((2 * patterns - 1) @ kept) >= observed))
    generator = np.random.default_rng(seed)
    extreme = 0
    for start in range(0, resamples, _BLOCK):
        size = (min(_BLOCK, resamples - start), len(kept))
        extreme += int((abs((2 * generator.integers(0, 2, size) - 1) @ kept) >= observed).sum())
    return (1 + extreme) / (resamples + 1)


def _minus(first: Replicates, second: Replicates) -> Replicates:
    values = np.array(first.values) - np.array(second.values)
    return replace(first, values=tuple(values.tolist()))
