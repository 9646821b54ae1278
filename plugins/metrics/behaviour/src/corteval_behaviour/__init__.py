"""Comparisons of the behaviour of models and subjects, and their ceilings.

The mathematics takes plain arrays and is importable from here:
``from corteval_behaviour import error_consistency``. What assemblies look like is told in
`corteval_behaviour.trials` and `corteval_behaviour.tables`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_behaviour.accuracy import (
        Accuracy,
        AccuracyDistance,
        HumanAccuracy,
        HumanAccuracyDistance,
    )
    from corteval_behaviour.accuracy_delta import AccuracyDelta, HumanAccuracyDelta, loss_similarity
    from corteval_behaviour.choice_distribution import (
        ChoiceDistribution,
        HumanChoiceDistribution,
        distribution_similarity,
    )
    from corteval_behaviour.confusion import (
        ConfusionSimilarity,
        HumanConfusionSimilarity,
        off_diagonal,
    )
    from corteval_behaviour.consistency import (
        ErrorConsistency,
        HumanErrorConsistency,
        error_consistency,
        kappa,
    )
    from corteval_behaviour.discrimination import Discrimination, HumanDiscrimination
    from corteval_behaviour.log_likelihood import DeltaLogLikelihood, delta_log_likelihood
    from corteval_behaviour.measured_gain import HumanDeltaLogLikelihood, attainable_gain
    from corteval_behaviour.measured_means import HumanReadingTimeReliability
    from corteval_behaviour.psychometric import (
        Psychometric,
        fit_psychometric,
        psychometric_threshold,
    )
    from corteval_behaviour.reading_times import HumanReadingTimeCorrelation, ReadingTimeCorrelation
    from corteval_behaviour.shape_texture import HumanShapeBias, ShapeBias, shape_bias
    from corteval_behaviour.shares import relative_similarity
    from corteval_behaviour.signal_detection import false_alarms_of_probabilities, sensitivity
    from corteval_behaviour.tasks import HumanTasksConsistency, TasksConsistency
    from corteval_behaviour.thresholds import (
        HumanThreshold,
        HumanThresholdElevation,
        Threshold,
        ThresholdElevation,
        threshold_similarity,
    )
    from corteval_behaviour.value_distance import HumanValueDelta, ValueDelta, value_delta

__version__ = "0.1.0"

_MODULES = {
    "Accuracy": "accuracy",
    "AccuracyDistance": "accuracy",
    "HumanAccuracy": "accuracy",
    "HumanAccuracyDistance": "accuracy",
    "AccuracyDelta": "accuracy_delta",
    "HumanAccuracyDelta": "accuracy_delta",
    "loss_similarity": "accuracy_delta",
    "ChoiceDistribution": "choice_distribution",
    "HumanChoiceDistribution": "choice_distribution",
    "distribution_similarity": "choice_distribution",
    "ConfusionSimilarity": "confusion",
    "HumanConfusionSimilarity": "confusion",
    "off_diagonal": "confusion",
    "ErrorConsistency": "consistency",
    "HumanErrorConsistency": "consistency",
    "error_consistency": "consistency",
    "kappa": "consistency",
    "Discrimination": "discrimination",
    "HumanDiscrimination": "discrimination",
    "DeltaLogLikelihood": "log_likelihood",
    "delta_log_likelihood": "log_likelihood",
    "HumanDeltaLogLikelihood": "measured_gain",
    "attainable_gain": "measured_gain",
    "HumanReadingTimeReliability": "measured_means",
    "Psychometric": "psychometric",
    "fit_psychometric": "psychometric",
    "psychometric_threshold": "psychometric",
    "HumanReadingTimeCorrelation": "reading_times",
    "ReadingTimeCorrelation": "reading_times",
    "HumanShapeBias": "shape_texture",
    "ShapeBias": "shape_texture",
    "shape_bias": "shape_texture",
    "relative_similarity": "shares",
    "false_alarms_of_probabilities": "signal_detection",
    "sensitivity": "signal_detection",
    "HumanTasksConsistency": "tasks",
    "TasksConsistency": "tasks",
    "HumanThreshold": "thresholds",
    "HumanThresholdElevation": "thresholds",
    "Threshold": "thresholds",
    "ThresholdElevation": "thresholds",
    "threshold_similarity": "thresholds",
    "HumanValueDelta": "value_distance",
    "ValueDelta": "value_distance",
    "value_delta": "value_distance",
}

__all__ = [
    "Accuracy",
    "AccuracyDistance",
    "HumanAccuracy",
    "HumanAccuracyDistance",
    "AccuracyDelta",
    "HumanAccuracyDelta",
    "loss_similarity",
    "ChoiceDistribution",
    "HumanChoiceDistribution",
    "distribution_similarity",
    "ConfusionSimilarity",
    "HumanConfusionSimilarity",
    "off_diagonal",
    "ErrorConsistency",
    "HumanErrorConsistency",
    "error_consistency",
    "kappa",
    "Discrimination",
    "HumanDiscrimination",
    "DeltaLogLikelihood",
    "delta_log_likelihood",
    "HumanDeltaLogLikelihood",
    "attainable_gain",
    "HumanReadingTimeReliability",
    "Psychometric",
    "fit_psychometric",
    "psychometric_threshold",
    "HumanReadingTimeCorrelation",
    "ReadingTimeCorrelation",
    "HumanShapeBias",
    "ShapeBias",
    "shape_bias",
    "relative_similarity",
    "false_alarms_of_probabilities",
    "sensitivity",
    "HumanTasksConsistency",
    "TasksConsistency",
    "HumanThreshold",
    "HumanThresholdElevation",
    "Threshold",
    "ThresholdElevation",
    "threshold_similarity",
    "HumanValueDelta",
    "ValueDelta",
    "value_delta",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
