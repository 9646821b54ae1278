"""Cards of the ceilings of the behavioural metrics."""

from __future__ import annotations

from corteval_behaviour import citations
from corteval_behaviour.card import CORRELATION, SHARE, UNBOUNDED, behavioural_card

HUMAN_I1 = behavioural_card(
    "human_i1",
    "discrimination:HumanDiscrimination",
    "Correlation of halves of the trials in d' of images, one object against all",
    "repeated_discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="image",
    versus="all",
    normalise=False,
)

HUMAN_I1N = behavioural_card(
    "human_i1n",
    "discrimination:HumanDiscrimination",
    "Correlation of halves of the trials in d' of images, one object against all, normalised",
    "repeated_discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="image",
    versus="all",
    normalise=True,
)

HUMAN_I2 = behavioural_card(
    "human_i2",
    "discrimination:HumanDiscrimination",
    "Correlation of halves of the trials in d' of images, each pair of objects",
    "repeated_discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="image",
    versus="other",
    normalise=False,
)

HUMAN_I2N = behavioural_card(
    "human_i2n",
    "discrimination:HumanDiscrimination",
    "Correlation of halves of the trials in d' of images, each pair of objects, normalised",
    "repeated_discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="image",
    versus="other",
    normalise=True,
)

HUMAN_O1 = behavioural_card(
    "human_o1",
    "discrimination:HumanDiscrimination",
    "Correlation of halves of the trials in d' of objects, one against all",
    "repeated_discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="object",
    versus="all",
    normalise=False,
)

HUMAN_O2 = behavioural_card(
    "human_o2",
    "discrimination:HumanDiscrimination",
    "Correlation of halves of the trials in d' of objects, each pair",
    "repeated_discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="object",
    versus="other",
    normalise=False,
)

HUMAN_ERROR_CONSISTENCY = behavioural_card(
    "human_error_consistency",
    "consistency:HumanErrorConsistency",
    "Mean kappa of errors over pairs of subjects",
    "subjects",
    CORRELATION,
    citations.ERROR_CONSISTENCY,
)

HUMAN_ACCURACY = behavioural_card(
    "human_accuracy",
    "accuracy:HumanAccuracy",
    "Mean accuracy of subjects",
    "subjects",
    SHARE,
)

HUMAN_ACCURACY_DISTANCE = behavioural_card(
    "human_accuracy_distance",
    "accuracy:HumanAccuracyDistance",
    "How close accuracies of subjects come to one another",
    "subjects",
    SHARE,
)

HUMAN_VALUE_DELTA = behavioural_card(
    "human_value_delta",
    "value_distance:HumanValueDelta",
    "exp(-scale |a - b|) of the means of halves of the subjects",
    "repeated_values",
    SHARE,
)

HUMAN_CONFUSION_SIMILARITY = behavioural_card(
    "human_confusion_similarity",
    "confusion:HumanConfusionSimilarity",
    "Spearman-Brown reliability of shares of wrong choices",
    "repeated_choices",
    CORRELATION,
)

HUMAN_TASKS_CONSISTENCY = behavioural_card(
    "human_tasks_consistency",
    "tasks:HumanTasksConsistency",
    "Spearman-Brown reliability of accuracies over tasks",
    "repeated_tasks",
    CORRELATION,
)

HUMAN_TASKS_CONSISTENCY_LEGACY = behavioural_card(
    "human_tasks_consistency-legacy",
    "tasks:HumanTasksConsistency",
    "Correlation over tasks of overlapping halves of the trials, as published",
    "repeated_tasks",
    CORRELATION,
    halves="overlapping",
)

HUMAN_THRESHOLD = behavioural_card(
    "human_threshold",
    "thresholds:HumanThreshold",
    "How close thresholds of subjects come to one another",
    "repeated_thresholds",
    SHARE,
)

HUMAN_THRESHOLD_ELEVATION = behavioural_card(
    "human_threshold_elevation",
    "thresholds:HumanThresholdElevation",
    "How close elevations of threshold of subjects come to one another",
    "repeated_elevations",
    SHARE,
)

HUMAN_SHAPE_BIAS = behavioural_card(
    "human_shape_bias",
    "shape_texture:HumanShapeBias",
    "How close shape biases of subjects come to one another",
    "repeated_choices",
    SHARE,
    citations.SHAPE_BIAS,
)

HUMAN_BAKER_ACCURACY_DELTA = behavioural_card(
    "human_baker_accuracy_delta",
    "accuracy_delta:HumanAccuracyDelta",
    "How close losses of accuracy of halves of the subjects come to one another",
    "subjects",
    SHARE,
    citations.BAKER,
)

HUMAN_BAKER_ACCURACY_DELTA_LEGACY = behavioural_card(
    "human_baker_accuracy_delta-legacy",
    "accuracy_delta:HumanAccuracyDelta",
    "Median of Spearman-Brown corrected similarities of losses of accuracy, as published",
    "subjects",
    SHARE,
    citations.BAKER,
    omit_last=True,
    aggregate="median Spearman-Brown",
)

HUMAN_CHOICE_DISTRIBUTION = behavioural_card(
    "human_choice_distribution",
    "choice_distribution:HumanChoiceDistribution",
    "1 - Jensen-Shannon distance of halves of the trials of each stimulus",
    "repeated_choice_shares",
    SHARE,
    citations.LIN,
)

HUMAN_READING_TIME_CORRELATION = behavioural_card(
    "human_reading_time_correlation",
    "reading_times:HumanReadingTimeCorrelation",
    "Spearman-Brown reliability of mean reading times, halves of the subjects",
    "repeated_words",
    CORRELATION,
    citations.FUTRELL,
)

HUMAN_READING_TIME_RELIABILITY = behavioural_card(
    "human_reading_time_reliability",
    "measured_means:HumanReadingTimeReliability",
    "Reliability of mean reading times, from their standard deviations and counts",
    "measured_words",
    CORRELATION,
)

HUMAN_DELTA_LOG_LIKELIHOOD = behavioural_card(
    "human_delta_log_likelihood",
    "measured_gain:HumanDeltaLogLikelihood",
    "Gain in log-likelihood of who knows the true mean reading times, nats per word",
    "measured_words",
    UNBOUNDED,
)
