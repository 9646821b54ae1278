"""Noise bounds of representational similarity over subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final, get_args

import numpy as np
import xarray as xr

from corteval.assembly import is_rdm, responses_matrix
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.score import Estimate
from corteval.stats.resampling import Draws, draw, replicates, require_stimuli, subjects_of
from corteval.stats.splits import groups_of
from corteval_ceilings.rdm import Comparison, Pooling, bounds, correlation_distances, pools
from corteval_similarity import pair_influence, rdm_pairs

Bound = Literal["upper", "lower"]


@final
@dataclass(frozen=True, kw_only=True)
class RSANoiseCeiling:
    """How similar the RDM of a subject is to that of all subjects, or of all others.

        upper = mean_i s(RDM_i, pool of all)        lower = mean_i s(RDM_i, pool of all but i)

    Upper bounds are inflated with few subjects, since each is part of its pool. There is no
    Spearman-Brown correction: the bounds are similarities to single subjects, as the score of a
    model is. ``error`` is the standard error over subjects. ``replicates`` resample stimuli, and
    subjects if there are five, to first order: by the derivative with respect to the weight of a
    stimulus (pools held fixed), and by leaving out one subject.
    Sources: spec ``metrics`` 2.3; Nili et al. 2014, PLoS Computational Biology 10(4).

    Args:
        bound: ``"upper"`` or ``"lower"``.
        comparison: s: ``"spearman"``, ``"pearson"``, ``"kendall"`` (tau-a) or ``"cosine"``.
        pooling: ``"mean"`` of RDMs, or ``"matched"`` to the comparison as rsatoolbox does; see
            `corteval_ceilings.rdm.bounds`.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    bound: Bound = "upper"
    comparison: Comparison = "spearman"
    pooling: Pooling = "mean"
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in (("bound", Bound), ("comparison", Comparison), ("pooling", Pooling)):
            if getattr(self, name) not in get_args(kind):
                known = ", ".join(get_args(kind))
                raise OptionError(f"The {name} is one of {known}, not {getattr(self, name)!r}.")

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Bound for `assembly`.

        Args:
            assembly: (presentation, neuroid) with coordinate ``subject`` along neuroid, of which
                correlation distances are taken for each subject; or RDMs (subject, presentation,
                presentation_2) with ``stimulus_id`` and ``stimulus_id_2``.

        Raises:
            UndefinedScore: with fewer than two subjects or four stimuli, or if an RDM has no
                similarity to others.
            AssemblyError: if an RDM is not symmetric, or not finite.
        """
        subjects, stimulus_ids, rdms = subject_rdms(assembly)
        require_stimuli(len(stimulus_ids), 4, "A noise bound of RDMs")
        found = self._similarities(rdms)
        if np.isnan(found).any():
            names = ", ".join(subjects[np.isnan(found)][:5])
            raise UndefinedScore(f"The RDMs of {names} have no {self.comparison} similarity.")
        draws = draw(
            stimulus_ids=stimulus_ids,
            stimulus_groups=groups_of(assembly),
            subjects=subjects,
            resamples=self.resamples,
            seed=self.seed,
        )
        pool = "all" if self.bound == "upper" else "the others"
        return Estimate(
            value=float(found.mean()),
            error=float(found.std(ddof=1) / np.sqrt(len(found))),
            method=f"{self.bound} noise bound: {self.comparison} of each subject's RDM with the "
            f"{self.pooling} pool of {pool}; mean and standard error over {len(found)} subjects",
            quantity="similarity" if self.comparison == "cosine" else "correlation",
            replicates=self._replicates(rdms, float(found.mean()), draws),
        )

    def _similarities(self, rdms: np.ndarray) -> np.ndarray:
        both = bounds(rdms, comparison=self.comparison, pooling=self.pooling)
        return np.asarray(both[int(self.bound == "upper")])

    def _replicates(
        self, rdms: np.ndarray, value: float, draws: Sequence[Draws]
    ) -> tuple[Replicates, ...]:
        if not draws:
            return ()
        over_stimuli = self._stimulus_influence(rdms)
        over_subjects = np.zeros(len(rdms))
        if any(way.neuroids is not None for way in draws):
            without = [self._similarities(np.delete(rdms, s, 0)).mean() for s in range(len(rdms))]
            over_subjects = (np.mean(without) - without) * (len(rdms) - 1) / len(rdms)
        found = []
        for way in draws:
            moved = np.zeros(self.resamples)
            if way.stimuli is not None:
                moved += (way.stimuli - 1) @ over_stimuli
            if way.neuroids is not None:
                moved += (way.neuroids - 1) @ over_subjects
            found.append(replicates(way, value + moved))
        return tuple(found)

    def _stimulus_influence(self, rdms: np.ndarray) -> np.ndarray:
        """Derivative of the bound with respect to the weight of each stimulus."""
        from scipy.spatial.distance import squareform

        pooled = pools(rdms, self.comparison, self.pooling)[int(self.bound == "upper")]
        of_pairs = np.zeros(rdms.shape[1])
        for pool, rdm in zip(pooled, rdms, strict=True):
            of_pairs += pair_influence(pool, rdm, self.comparison) / len(rdms)
        return np.asarray(squareform(of_pairs).sum(axis=0))


def subject_rdms(assembly: xr.DataArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Subjects, stimulus ids, and an RDM (pair) for each subject.

    Args:
        assembly: see `RSANoiseCeiling.__call__`.

    Raises:
        AssemblyError: if it is not said whose neuroids or RDMs they are, or an RDM is not
            symmetric, or not finite.
        UndefinedScore: with fewer than two subjects, if a subject has one neuroid, or a
            stimulus with equal responses in all.
    """
    if is_rdm(assembly):
        if "subject" not in assembly.coords or assembly["subject"].dims != ("subject",):
            raise AssemblyError("RDMs have no coordinate 'subject' that says whose they are.")
        rdms = rdm_pairs(assembly)
        names, stimulus_ids = (assembly[c].values.astype(str) for c in ("subject", "stimulus_id"))
        _require_two(names)
        return names, stimulus_ids, rdms
    flat = responses_matrix(assembly)
    of_neuroid = subjects_of(flat)
    if of_neuroid is None:
        raise AssemblyError("Neuroids have no coordinate 'subject' that says whose they are.")
    subjects = np.unique(of_neuroid)
    _require_two(subjects)
    single = [s for s in subjects if (of_neuroid == s).sum() < 2]
    if single:
        raise UndefinedScore(
            f"{len(single)} of {len(subjects)} subjects have one neuroid, such as {single[0]}; a "
            "correlation over neuroids takes more. Use neuroids of the others, or RDMs."
        )
    rdms = np.stack([correlation_distances(flat.values[:, of_neuroid == s]) for s in subjects])
    undefined = np.isnan(rdms).any(axis=1)
    if undefined.any():
        raise UndefinedScore(
            f"{int(undefined.sum())} of {len(subjects)} subjects have a stimulus with equal "
            f"responses in all neuroids, such as {subjects[undefined][0]}: no correlation distance."
        )
    return subjects, flat["stimulus_id"].values.astype(str), rdms


def _require_two(subjects: np.ndarray) -> None:
    if len(subjects) < 2:
        raise UndefinedScore(
            f"A noise bound of RDMs needs two subjects; there is only {', '.join(subjects)}."
        )
