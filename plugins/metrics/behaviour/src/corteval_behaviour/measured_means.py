"""How reliable mean reading times are, where only their spread over readers is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.assembly import check_behavioural
from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import Estimate
from corteval_behaviour.bootstrap import Clusters, clusters_of, estimate, require_resamples
from corteval_behaviour.trials import column, numeric_column
from corteval_behaviour.words import words_kept

_NEEDED = ("sd_ms", "n")


def sampling_variance(assembly: xr.DataArray) -> np.ndarray:
    """(presentation) sampling variance s² / n of mean reading times.

    Args:
        assembly: one row a word, with coordinates ``sd_ms`` and ``n``.

    Raises:
        AssemblyError: if a coordinate is missing.
        UndefinedScore: if a word has fewer than two readers.
    """
    lacking = [name for name in _NEEDED if name not in check_behavioural(assembly).coords]
    if lacking:
        raise AssemblyError(
            f"The noise of means follows from their coordinates {' and '.join(_NEEDED)}; there is "
            f"no {' and no '.join(lacking)}."
        )
    readers = numeric_column(assembly, "n")
    if not (readers >= 2).all():
        raise UndefinedScore(
            f"{int((~(readers >= 2)).sum())} of {len(readers)} words have fewer than two readers, "
            "so that nothing tells how their reading times vary."
        )
    return np.asarray(numeric_column(assembly, "sd_ms") ** 2 / readers)


@final
@dataclass(frozen=True, kw_only=True)
class HumanReadingTimeReliability:
    """Share of the variance of mean reading times over words that is not sampling noise.

        ρ = 1 - mean_w(s_w² / n_w) / var_w(m_w)

    m_w is the mean reading time of word w over its n_w readers and s_w their standard deviation
    (both with n - 1); s_w² / n_w is the sampling variance of m_w. So ρ estimates the correlation
    of these means with those of as many new readers: it is what Spearman-Brown corrected halves
    of the readers estimate where single readers are known.

    Readers differ in speed, which s_w counts as noise although each reader read whole stories;
    among words of one story the means are more reliable than ρ says.

    Source: ratio of variances of classical test theory; spec ``real-data`` 8 asks for it.

    Args:
        drop_first_word: leave out the first word of each sentence, by the coordinate
            ``word_within_sentence_id``, as the metric does.
        resample_by: coordinate, such as ``"story"``, whose words are drawn together; see
            `corteval_behaviour.bootstrap.clusters_of`. Where they are, the error is the jackknife
            standard error over them.
        resamples: bootstrap replicates over words; 0 for none.
        seed: of the bootstrap.
    """

    drop_first_word: bool = True
    resample_by: str | None = None
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Reliability of `assembly`, mean reading times of words.

        Args:
            assembly: dim ``presentation``, one row a word, in any unit, with coordinates
                ``sd_ms`` in the same unit and ``n``.

        Returns:
            Quantity ``reliability``; may be negative if means vary no more than noise.

        Raises:
            AssemblyError: if a coordinate is missing.
            UndefinedScore: if a word has fewer than two readers, words are fewer than three, or
                means do not vary.
        """
        noise = sampling_variance(assembly)
        rows = np.argsort(column(assembly, "stimulus_id"))
        ordered, noise = assembly.isel(presentation=rows), noise[rows]
        kept = words_kept(ordered, self.drop_first_word)
        words, noise = ordered[kept], noise[kept]
        means = np.asarray(words.values, np.float64)
        means = means - means.mean()

        def statistic(stimuli: np.ndarray, _: np.ndarray) -> np.ndarray:
            return _reliability(means, noise, stimuli)

        clusters = clusters_of(words, self.resample_by)
        error = None if clusters is None else _jackknife(means, noise, clusters)
        over = "" if clusters is None else f", jackknife error over {clusters.scope}"
        return estimate(
            statistic,
            stimulus_ids=column(words, "stimulus_id"),
            undefined=f"Reliability is a ratio of variances over words; {len(means)} words do not "
            "vary, or are fewer than three.",
            method=f"1 - mean sampling variance / variance over {len(means)} words{over}",
            quantity="reliability",
            error=error,
            clusters=clusters,
            resamples=self.resamples,
            seed=self.seed,
            elements=4 * len(means),
        )


def _reliability(means: np.ndarray, noise: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(resample) reliabilities; NaN of fewer than three words, or of means that do not vary.

    Args:
        means, noise: (word) mean reading times, and their sampling variances.
        counts: (resample, word).
    """
    total = counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = counts @ means / total
        squares = counts @ means**2 - total * centre**2
        varies = (total >= 3) & (squares > 1e-12 * (counts @ means**2))
        ratio = (counts @ noise / total) / (squares / (total - 1))
    return np.where(varies, 1 - ratio, np.nan)


def _jackknife(means: np.ndarray, noise: np.ndarray, clusters: Clusters) -> float:
    """Standard error from leaving out one cluster after the other."""
    names, member = np.unique(clusters.of_stimuli, return_inverse=True)
    left_out = _reliability(means, noise, np.array([member != n for n in range(len(names))], float))
    share = (len(names) - 1) / len(names)
    return float(np.sqrt(share * ((left_out - left_out.mean()) ** 2).sum()))
