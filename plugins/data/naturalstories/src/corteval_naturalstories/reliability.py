"""How reliable mean reading times are, from their spread over subjects."""

from __future__ import annotations

import numpy as np
import xarray as xr

from corteval.assembly import check_behavioural
from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import Estimate

_NEEDED = ("sd_ms", "n")


def reliability(assembly: xr.DataArray) -> Estimate:
    """Share of the variance of mean reading times over words that is not sampling noise.

        ρ = 1 - mean_w(s_w² / n_w) / var_w(m_w)

    m_w is the mean reading time of word w over its n_w readers and s_w their standard deviation
    (both with n - 1); s_w² / n_w is the sampling variance of m_w. So ρ estimates the correlation
    of these means with those of as many new readers: it is what Spearman-Brown corrected halves
    of the subjects estimate where single subjects are known.

    Subjects differ in speed, which s_w counts as noise although each subject read whole stories;
    among words of one story the means are more reliable than ρ says.

    Args:
        assembly: of `NaturalStories.assembly`, or words of it: dim ``presentation``, with
            coordinates ``sd_ms``, ``n`` and, for the standard error, ``story``.

    Returns:
        Quantity ``reliability``, without unit; may be negative if means vary no more than noise.
        Its error is the jackknife standard error over stories, None with fewer than three.

    Raises:
        AssemblyError: if a coordinate is missing, or a word has fewer than two readers.
        UndefinedScore: with fewer than three words, or means that do not vary.

    Source: ratio of variances of classical test theory; spec ``real-data`` 8 asks for it.
    """
    check_behavioural(assembly)
    lacking = [name for name in _NEEDED if name not in assembly.coords]
    if lacking:
        raise AssemblyError(
            f"Reliability needs the coordinates {' and '.join(_NEEDED)}; there is no "
            f"{' and no '.join(lacking)}. NaturalStories.assembly() has them."
        )
    means = np.asarray(assembly.values, np.float64)
    readers = np.asarray(assembly["n"].values, np.float64)
    if not (readers >= 2).all():
        raise AssemblyError(
            f"{int((~(readers >= 2)).sum())} of {len(readers)} words have fewer than two readers."
        )
    noise = np.asarray(assembly["sd_ms"].values, np.float64) ** 2 / readers
    value = _ratio(means, noise)
    error, over = None, ""
    if "story" in assembly.coords:
        story = assembly["story"].values
        names = np.unique(story)
        if len(names) >= 3:
            left_out = np.array([_ratio(means[story != s], noise[story != s]) for s in names])
            share = (len(names) - 1) / len(names)
            error = float(np.sqrt(share * ((left_out - left_out.mean()) ** 2).sum()))
            over = f", jackknife error over {len(names)} stories"
    return Estimate(
        value=value,
        error=error,
        method=f"1 - mean sampling variance / variance over {len(means)} words{over}",
        quantity="reliability",
    )


def _ratio(means: np.ndarray, noise: np.ndarray) -> float:
    if len(means) < 3 or not np.ptp(means) > 0:
        raise UndefinedScore(
            f"Reliability is a ratio of variances over words; {len(means)} words do not vary, or "
            "are fewer than three."
        )
    return float(1 - noise.mean() / means.var(ddof=1))
