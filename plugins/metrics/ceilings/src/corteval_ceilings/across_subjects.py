"""Ceilings of trials, with subjects in the place of trials: reliability of a mean over subjects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import xarray as xr

from corteval.assembly import neural
from corteval.metric import Ceiling
from corteval.score import Estimate
from corteval_ceilings.human_human import responses_of_subjects
from corteval_ceilings.internal_consistency import InternalConsistency
from corteval_ceilings.ncsnr import NoiseCeilingSNR


@final
@dataclass(frozen=True, kw_only=True)
class AcrossSubjects:
    """Reliability of the mean over subjects of corresponding regions.

    The neuroids of each region of a subject are averaged, and subjects are taken as trials of the
    region. So it is the ceiling of scores on a mean over subjects, and not of scores on single
    neuroids of each, which `SubjectExtrapolation` is. Replicates resample stimuli and regions, of
    which a single one is fixed: of one region and 60 stimuli intervals of 95 % covered 92 %
    (`halves`) and 93 % (`NoiseCeilingSNR`), of four regions 96 to 97 %
    (``tests/test_calibration_across_subjects.py``). Sources: spec ``language`` 5 (noise ceiling of
    Tuckute 2024) and ``metrics`` 2.3.

    Args:
        estimator: of trials.
        match_by: coordinate of neuroids that names corresponding regions in different subjects;
            None averages all neuroids of a subject.
    """

    estimator: Ceiling
    match_by: str | None = None

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Ceiling of `assembly` (presentation, neuroid[, trial]) with ``subject`` of neuroids.

        Raises:
            AssemblyError: if neuroids have no subject, or subjects not the same regions.
            UndefinedScore: with one subject, fewer than three stimuli, or no region that varies.
        """
        subjects, responses = responses_of_subjects(assembly, self.match_by)
        trials = neural(
            responses.transpose(2, 1, 0),
            assembly["stimulus_id"].values.astype(str).tolist(),
            {"neuroid_id": [f"region-{n:03d}" for n in range(responses.shape[1])]},
        )
        found = self.estimator(trials)
        told = f"{len(subjects)} subjects as trials of {responses.shape[1]} regions"
        return replace(found, method=f"{told}: {found.method}")


def halves(*, match_by: str | None = None, **options: Any) -> AcrossSubjects:
    """Spearman-Brown corrected halves of the subjects; `options` of `InternalConsistency`."""
    return AcrossSubjects(estimator=InternalConsistency(**options), match_by=match_by)


def signal_to_noise(*, match_by: str | None = None, **options: Any) -> AcrossSubjects:
    """Noise ceiling from the variance between subjects; `options` of `NoiseCeilingSNR`."""
    return AcrossSubjects(estimator=NoiseCeilingSNR(**options), match_by=match_by)
