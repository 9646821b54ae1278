"""Metrics that compare a model's patterns or RDM with those of the data, without fitting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, final, get_args

import numpy as np
import xarray as xr

from corteval.assembly import align, in_order, is_rdm, responses_matrix
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Score
from corteval.stats.resampling import require_stimuli
from corteval.stats.splits import CrossValidation
from corteval_similarity.assemblies import rdm_pairs
from corteval_similarity.comparisons import comparison_named
from corteval_similarity.crossnobis import Noise, crossnobis_rdm, noise_covariance
from corteval_similarity.estimates import Subsets, summarise
from corteval_similarity.influence import Compared
from corteval_similarity.kernels import Kernel, compare_kernels
from corteval_similarity.pairs import among
from corteval_similarity.rdms import correlation_rdm, euclidean_rdm
from corteval_similarity.rotation import compare_patterns
from corteval_similarity.subjects import Subjects, of_each_subject, pooling_notes

Distance = Literal["correlation", "euclidean", "crossnobis"]

#: Compares patterns (stimulus, unit) of two sides over each set of rows, with influence or without.
PatternComparison = Callable[
    [np.ndarray, np.ndarray, Sequence[np.ndarray | None], bool], Sequence[Compared]
]


@final
@dataclass(frozen=True, kw_only=True)
class RDMSimilarity:
    """Similarity of two representational dissimilarity matrices (RDMs).

    Either side is patterns (presentation, neuroid), of which the RDM is made, or RDMs, see
    `rdm_assembly`. With RDMs of several subjects the score is the mean over subjects. Replicates
    resample stimuli and, from five subjects on, subjects. Source: spec ``metrics`` 2.5.

    Args:
        comparison: of RDMs, see `compare_rdms`.
        distance: of patterns, see `rdm`.
        noise: of crossnobis distances, see `noise_covariance`.
        subjects: of the target's neuroids, see `rdm`.
        cross_validation: compare on the test set of each of its splits; on all stimuli if None.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    comparison: str = "spearman"
    distance: Distance = "correlation"
    noise: Noise = "ledoit-wolf"
    subjects: Subjects = "pooled"
    cross_validation: CrossValidation | None = None
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        comparison_named(self.comparison)
        if self.distance not in get_args(Distance):
            known = ", ".join(get_args(Distance))
            raise OptionError(f"Distances are {known}, not {self.distance!r}.")
        if self.subjects not in get_args(Subjects):
            known = ", ".join(get_args(Subjects))
            raise OptionError(f"Subjects are {known}, not {self.subjects!r}.")
        if self.distance == "crossnobis" and "cosine" not in self.comparison:
            raise OptionError(
                f"Crossnobis distances have a meaningful zero, which {self.comparison} ignores. "
                "Use comparison='whitened cosine' or 'cosine'."
            )

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`'s RDM to each of `target`'s.

        Raises:
            AssemblyError: if stimuli differ, a response is not finite, the source has RDMs of
                several subjects, or it is not said whose neuroids are to be taken separately.
            UndefinedScore: with fewer than three stimuli, if an RDM cannot be made or is constant,
                or with one subject where subjects are separate.
        """
        subsets = Subsets.of(target, self.cross_validation)
        require_stimuli(len(subsets.stimulus_ids), 3, "A comparison of RDMs")
        if self.distance == "crossnobis" and not ({"trial", "presentation_2"} & set(target.dims)):
            raise UndefinedScore("The target has no single trials to make crossnobis distances of.")
        with _naming("source"):
            models = self._rdms(source, subsets.stimulus_ids)
        if len(models) != 1:
            raise AssemblyError(f"The source has RDMs of {len(models)} subjects; it needs one.")
        with _naming("target"):
            names, subjects = self._of_subjects(target, subsets.stimulus_ids)
        compared: list[list[Compared]] = [[] for _ in subjects]
        comparison = comparison_named(self.comparison)
        for rows in subsets.rows:
            with _naming("source"):
                model = comparison.prepare(_among(models[0], rows))
            for own, pairs in zip(compared, subjects, strict=True):
                with _naming("target"):
                    data = comparison.prepare(_among(pairs, rows))
                own.append(comparison.compare(model, data, influence=self.resamples > 0))
        score = summarise(
            compared,
            subsets,
            quantity=comparison.quantity,
            method=f"{self.comparison} of {self.distance} RDMs",
            subjects=names,
            resamples=self.resamples,
            seed=self.seed,
        )
        pooled = () if names is not None else pooling_notes(target)
        return replace(score, notes=(*score.notes, *pooled))

    def _of_subjects(
        self, target: xr.DataArray, stimulus_ids: np.ndarray
    ) -> tuple[np.ndarray | None, Sequence[np.ndarray]]:
        """Names of subjects, None if there is one without a name, and an RDM (pair) for each."""
        if is_rdm(target) or self.subjects == "pooled":
            names = target["subject"].values.astype(str) if "subject" in target.dims else None
            return names, self._rdms(target, stimulus_ids)
        rdms: list[np.ndarray] = []
        parts = of_each_subject(target)
        for name, part in parts.items():
            with _naming(f"subject {name}"):
                rdms.extend(self._rdms(part, stimulus_ids))
        return np.array(list(parts)), rdms

    def _rdms(self, assembly: xr.DataArray, stimulus_ids: np.ndarray) -> Sequence[np.ndarray]:
        """RDMs (pair), one a subject."""
        if is_rdm(assembly):
            return list(rdm_pairs(assembly, stimulus_ids))
        ordered = in_order(assembly, stimulus_ids)
        if self.distance == "crossnobis" and "trial" in assembly.dims:
            trials = _trials(ordered)
            return [crossnobis_rdm(trials, noise_covariance(trials, self.noise))]
        patterns = responses_matrix(ordered).values
        distances = correlation_rdm if self.distance == "correlation" else euclidean_rdm
        return [distances(patterns)]


@final
@dataclass(frozen=True, kw_only=True)
class PatternSimilarity:
    """Similarity of two sets of patterns, (presentation, neuroid).

    Replicates resample stimuli. Source: spec ``metrics`` 2.5.

    Args:
        compare: two sets of patterns over each of some sets of rows.
        name: of the comparison, for ``raw.method``.
        cross_validation: compare on the test set of each of its splits; on all stimuli if None.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    compare: PatternComparison
    name: str
    cross_validation: CrossValidation | None = None
    resamples: int = 1000
    seed: int = 0

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source` to `target`.

        Raises:
            AssemblyError: if stimuli differ or a response is not finite.
            UndefinedScore: with too few stimuli, or if either does not vary over them.
        """
        target = responses_matrix(target)
        source = align(responses_matrix(source), target)
        subsets = Subsets.of(target, self.cross_validation)
        require_stimuli(len(subsets.stimulus_ids), 3, self.name)
        compared = self.compare(source.values, target.values, subsets.rows, self.resamples > 0)
        return summarise(
            [compared],
            subsets,
            quantity="similarity",
            method=self.name,
            resamples=self.resamples,
            seed=self.seed,
        )


def rdm(
    *,
    comparison: str = "spearman",
    distance: Distance = "correlation",
    noise: Noise = "ledoit-wolf",
    subjects: Subjects = "pooled",
    cross_validation: CrossValidation | Mapping[str, Any] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> RDMSimilarity:
    """Representational similarity analysis.

    Args:
        comparison: ``"spearman"``, ``"pearson"``, ``"kendall"`` (tau-a), ``"cosine"`` or
            ``"whitened cosine"``, see `compare_rdms`.
        distance: ``"correlation"``, see `correlation_rdm`; ``"euclidean"``, see `euclidean_rdm`;
            or ``"crossnobis"``, see `crossnobis_rdm`, for the side that has single trials, and
            Euclidean for a side that has none.
        noise: ``"ledoit-wolf"``, ``"diagonal"`` or ``"none"``, see `noise_covariance`.
        subjects: of the target's neuroids, by their coordinate ``subject``: ``"pooled"`` makes one
            RDM of all neuroids; ``"separate"`` makes one for each subject, and the score is the
            mean over subjects, which is what ``rsa_upper`` and ``rsa_lower`` bound.
        cross_validation: see `CrossValidation`.
        resamples, seed: see `RDMSimilarity`.
    """
    return RDMSimilarity(
        comparison=comparison,
        distance=distance,
        noise=noise,
        subjects=subjects,
        cross_validation=_splits(cross_validation),
        resamples=resamples,
        seed=seed,
    )


def cka(
    *,
    debiased: bool = True,
    cross_validation: CrossValidation | Mapping[str, Any] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> PatternSimilarity:
    """Centred kernel alignment with linear kernels.

    Args:
        debiased: see `corteval_similarity.cka`.
        cross_validation: see `CrossValidation`.
        resamples, seed: see `PatternSimilarity`.
    """

    def compare(
        x: np.ndarray, y: np.ndarray, subsets: Sequence[np.ndarray | None], influence: bool
    ) -> Sequence[Compared]:
        with _naming("source"):
            first = Kernel.of(x)
        with _naming("target"):
            second = Kernel.of(y)
        return [
            compare_kernels(
                *(side if rows is None else side.among(rows) for side in (first, second)),
                debiased=debiased,
                influence=influence,
            )
            for rows in subsets
        ]

    return PatternSimilarity(
        compare=compare,
        name="debiased CKA" if debiased else "biased CKA",
        cross_validation=_splits(cross_validation),
        resamples=resamples,
        seed=seed,
    )


def procrustes(
    *,
    cross_validation: CrossValidation | Mapping[str, Any] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> PatternSimilarity:
    """Similarity after the best rotation, see `corteval_similarity.procrustes`.

    Args:
        cross_validation: see `CrossValidation`.
        resamples, seed: see `PatternSimilarity`.
    """

    def compare(
        x: np.ndarray, y: np.ndarray, subsets: Sequence[np.ndarray | None], influence: bool
    ) -> Sequence[Compared]:
        return [
            compare_patterns(
                *(side if rows is None else side[rows] for side in (x, y)), influence=influence
            )
            for rows in subsets
        ]

    return PatternSimilarity(
        compare=compare,
        name="Procrustes similarity",
        cross_validation=_splits(cross_validation),
        resamples=resamples,
        seed=seed,
    )


def _splits(options: CrossValidation | Mapping[str, Any] | None) -> CrossValidation | None:
    return None if options is None else CrossValidation.of(options)


def _among(pairs: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    return pairs if rows is None else among(pairs, rows)


def _trials(assembly: xr.DataArray) -> np.ndarray:
    """(stimulus, unit, trial), float64."""
    if "time_bin" in assembly.dims:
        if assembly.sizes["time_bin"] != 1:
            raise AssemblyError(
                f"{assembly.sizes['time_bin']} time bins; this comparison takes one. "
                "Select one with assembly.isel(time_bin=...)."
            )
        assembly = assembly.isel(time_bin=0)
    values = assembly.transpose("presentation", "neuroid", "trial").values
    return np.asarray(values, np.float64)


@contextmanager
def _naming(side: str) -> Iterator[None]:
    """Say in an `UndefinedScore` which side it is about."""
    try:
        yield
    except UndefinedScore as error:
        raise UndefinedScore(f"Of the {side}: {error}") from error
