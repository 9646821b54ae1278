"""Ceilings: how well the data allow any model to do."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from corteval_ceilings.across_subjects import AcrossSubjects
    from corteval_ceilings.collection import Collected, collect
    from corteval_ceilings.halves import Halves, random_halves, split_half_reliability
    from corteval_ceilings.human_human import HumanHuman, covariances, one_out, pairs
    from corteval_ceilings.internal_consistency import InternalConsistency
    from corteval_ceilings.ncsnr import NoiseCeilingSNR, moments, noise_ceiling
    from corteval_ceilings.pools import Recordings, predictions
    from corteval_ceilings.predictor_consistency import PredictorConsistency
    from corteval_ceilings.rdm import bounds, compare, correlation_distances
    from corteval_ceilings.rsa import RSANoiseCeiling
    from corteval_ceilings.saturation import extrapolate, fit_as_published, fit_saturation
    from corteval_ceilings.subject_extrapolation import SubjectExtrapolation
    from corteval_ceilings.subsets import levels

_MODULE_OF = {
    "InternalConsistency": "internal_consistency",
    "PredictorConsistency": "predictor_consistency",
    "NoiseCeilingSNR": "ncsnr",
    "RSANoiseCeiling": "rsa",
    "HumanHuman": "human_human",
    "AcrossSubjects": "across_subjects",
    "SubjectExtrapolation": "subject_extrapolation",
    "Halves": "halves",
    "random_halves": "halves",
    "split_half_reliability": "halves",
    "moments": "ncsnr",
    "noise_ceiling": "ncsnr",
    "bounds": "rdm",
    "compare": "rdm",
    "correlation_distances": "rdm",
    "covariances": "human_human",
    "one_out": "human_human",
    "pairs": "human_human",
    "levels": "subsets",
    "Recordings": "pools",
    "predictions": "pools",
    "Collected": "collection",
    "collect": "collection",
    "fit_saturation": "saturation",
    "fit_as_published": "saturation",
    "extrapolate": "saturation",
}

__all__ = [
    "InternalConsistency",
    "PredictorConsistency",
    "NoiseCeilingSNR",
    "RSANoiseCeiling",
    "HumanHuman",
    "AcrossSubjects",
    "SubjectExtrapolation",
    "Halves",
    "random_halves",
    "split_half_reliability",
    "moments",
    "noise_ceiling",
    "bounds",
    "compare",
    "correlation_distances",
    "covariances",
    "one_out",
    "pairs",
    "levels",
    "Recordings",
    "predictions",
    "Collected",
    "collect",
    "fit_saturation",
    "fit_as_published",
    "extrapolate",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
