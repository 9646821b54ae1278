"""Cards of the behavioural metrics; see `corteval_behaviour.ceiling_card` for their ceilings."""

from __future__ import annotations

import math
from typing import Any, Literal

from corteval.cards import MetricCard
from corteval_behaviour import citations

SHARE = (0.0, 1.0)
CORRELATION = (-1.0, 1.0)
UNBOUNDED = (-math.inf, math.inf)


#: Form of the target, and the coordinates it needs, by the function that makes examples.
_FORMS: dict[str, tuple[Literal["answers", "choices", "times", "other"], tuple[str, ...]]] = {
    "same_answers": ("answers", ()),
    "right_answers": ("answers", ()),
    "subjects": ("answers", ("subject",)),
    "repeated_tasks": ("answers", ("subject", "task")),
    "choices": ("choices", ("truth",)),
    "repeated_choices": ("choices", ("truth", "subject")),
    "choice_shares": ("choices", ()),
    "repeated_choice_shares": ("choices", ("subject",)),
    # of the source they take probabilities, which no subject gives without labelled examples
    "discrimination": ("other", ("truth", "distractor")),
    "repeated_discrimination": ("choices", ("truth", "distractor")),
    "words": ("times", ("word_within_sentence_id",)),
    "repeated_words": ("times", ("word_within_sentence_id", "subject")),
    "measured_words": ("times", ("word_within_sentence_id", "sd_ms", "n")),
}

#: What single metrics need beyond that.
_FURTHER = {
    "shape_bias": ("texture",),
    "human_shape_bias": ("texture",),
    "tasks_consistency": ("task",),
    "baker_accuracy_delta": ("condition",),
    "baker_accuracy_delta-legacy": ("condition",),
    "human_baker_accuracy_delta": ("condition",),
    "human_baker_accuracy_delta-legacy": ("condition",),
    "delta_log_likelihood": ("length", "log_frequency", "position"),
    "human_delta_log_likelihood": ("length", "log_frequency", "position"),
}

#: Metrics whose ceilings among subjects are not ``human_<identifier>`` alone.
_CEILINGS: dict[str, tuple[str, ...]] = {
    "error_consistency-legacy": ("human_error_consistency",),
    "reading_time_correlation": (
        "human_reading_time_correlation",
        "human_reading_time_reliability",
    ),
    "reading_time_correlation-legacy": ("human_reading_time_correlation",),
    "i2n-noise-corrected": (),
}


def behavioural_card(
    identifier: str,
    factory: str,
    summary: str,
    example: str,
    bounds: tuple[float, float],
    bibtex: str = "",
    **options: Any,
) -> MetricCard:
    """Card of a metric, or of a ceiling if it is named ``human_...``."""
    is_ceiling = identifier.startswith("human_")
    takes, needs = _FORMS.get(example, ("other", ()))
    ceilings = () if is_ceiling else _CEILINGS.get(identifier, (f"human_{identifier}",))
    return MetricCard(
        identifier=identifier,
        factory=f"corteval_behaviour.{factory}",
        summary=summary,
        licence="MIT",
        role="ceiling" if is_ceiling else "similarity",
        bibtex=bibtex,
        bounds=bounds,
        options=options,
        takes=takes,
        needs=(*needs, *_FURTHER.get(identifier, ())),
        ceilings=ceilings,
        example=f"corteval_behaviour.examples:{example}",
    )


I1 = behavioural_card(
    "i1",
    "discrimination:Discrimination",
    "B.I1: correlation of d' of images, one object against all",
    "discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="image",
    versus="all",
    normalise=False,
)

I1N = behavioural_card(
    "i1n",
    "discrimination:Discrimination",
    "B.I1N: correlation of d' of images, one object against all, normalised",
    "discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="image",
    versus="all",
    normalise=True,
)

I2 = behavioural_card(
    "i2",
    "discrimination:Discrimination",
    "B.I2: correlation of d' of images, each pair of objects",
    "discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="image",
    versus="other",
    normalise=False,
)

I2N = behavioural_card(
    "i2n",
    "discrimination:Discrimination",
    "B.I2N: correlation of d' of images, each pair of objects, normalised",
    "discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="image",
    versus="other",
    normalise=True,
)

O1 = behavioural_card(
    "o1",
    "discrimination:Discrimination",
    "B.O1: correlation of d' of objects, one against all",
    "discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="object",
    versus="all",
    normalise=False,
)

O2 = behavioural_card(
    "o2",
    "discrimination:Discrimination",
    "B.O2: correlation of d' of objects, each pair",
    "discrimination",
    CORRELATION,
    citations.RAJALINGHAM,
    level="object",
    versus="other",
    normalise=False,
)

I2N_NOISE_CORRECTED = behavioural_card(
    "i2n-noise-corrected",
    "discrimination:Discrimination",
    "B.I2N over the square root of the consistency of halves, halving by halving",
    "discrimination",
    UNBOUNDED,
    citations.RAJALINGHAM,
    level="image",
    versus="other",
    normalise=True,
    noise_corrected=True,
)

ERROR_CONSISTENCY = behavioural_card(
    "error_consistency",
    "consistency:ErrorConsistency",
    "Mean kappa of errors with each subject, signed",
    "same_answers",
    CORRELATION,
    citations.ERROR_CONSISTENCY,
)

ERROR_CONSISTENCY_LEGACY = behavioural_card(
    "error_consistency-legacy",
    "consistency:ErrorConsistency",
    "Absolute value of the mean kappa of errors, as published",
    "same_answers",
    SHARE,
    citations.ERROR_CONSISTENCY,
    absolute=True,
)

ACCURACY = behavioural_card(
    "accuracy",
    "accuracy:Accuracy",
    "Share of stimuli answered rightly",
    "right_answers",
    SHARE,
)

ACCURACY_DISTANCE = behavioural_card(
    "accuracy_distance",
    "accuracy:AccuracyDistance",
    "How close the accuracy comes to that of each subject",
    "same_answers",
    SHARE,
)

VALUE_DELTA = behavioural_card(
    "value_delta",
    "value_distance:ValueDelta",
    "exp(-scale |a - b|) of measured values and the means of subjects",
    "values",
    SHARE,
)

CONFUSION_SIMILARITY = behavioural_card(
    "confusion_similarity",
    "confusion:ConfusionSimilarity",
    "Correlation of shares of wrong choices with those of subjects",
    "choices",
    CORRELATION,
)

TASKS_CONSISTENCY = behavioural_card(
    "tasks_consistency",
    "tasks:TasksConsistency",
    "Correlation over tasks of accuracies with those of subjects",
    "same_answers",
    CORRELATION,
)

THRESHOLD = behavioural_card(
    "threshold",
    "thresholds:Threshold",
    "How close the psychometric threshold comes to that of each subject",
    "thresholds",
    SHARE,
)

THRESHOLD_ELEVATION = behavioural_card(
    "threshold_elevation",
    "thresholds:ThresholdElevation",
    "How close the elevation of threshold comes to that of each subject",
    "elevations",
    SHARE,
)

SHAPE_BIAS = behavioural_card(
    "shape_bias",
    "shape_texture:ShapeBias",
    "How close the shape bias comes to that of each subject",
    "choices",
    SHARE,
    citations.SHAPE_BIAS,
)

BAKER_ACCURACY_DELTA = behavioural_card(
    "baker_accuracy_delta",
    "accuracy_delta:AccuracyDelta",
    "How close the loss of accuracy on changed stimuli comes to that of subjects",
    "same_answers",
    SHARE,
    citations.BAKER,
)

BAKER_ACCURACY_DELTA_LEGACY = behavioural_card(
    "baker_accuracy_delta-legacy",
    "accuracy_delta:AccuracyDelta",
    "As baker_accuracy_delta, but the last subject is never drawn, as published",
    "same_answers",
    SHARE,
    citations.BAKER,
    omit_last=True,
)

CHOICE_DISTRIBUTION = behavioural_card(
    "choice_distribution",
    "choice_distribution:ChoiceDistribution",
    "1 - Jensen-Shannon distance of the distributions of choices for each stimulus",
    "choice_shares",
    SHARE,
    citations.LIN,
)

READING_TIME_CORRELATION = behavioural_card(
    "reading_time_correlation",
    "reading_times:ReadingTimeCorrelation",
    "Correlation over words with mean reading times, signed",
    "words",
    CORRELATION,
    citations.FUTRELL,
)

READING_TIME_CORRELATION_LEGACY = behavioural_card(
    "reading_time_correlation-legacy",
    "reading_times:ReadingTimeCorrelation",
    "Absolute correlation over words with mean reading times, as published",
    "words",
    SHARE,
    citations.FUTRELL,
    absolute=True,
)

DELTA_LOG_LIKELIHOOD = behavioural_card(
    "delta_log_likelihood",
    "log_likelihood:DeltaLogLikelihood",
    "Gain in log-likelihood of held-out reading times beyond nuisance, nats per word",
    "words",
    UNBOUNDED,
)
