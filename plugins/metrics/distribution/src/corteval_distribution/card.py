"""Card of the distribution metric."""

from __future__ import annotations

from corteval.cards import MetricCard

KS_SIMILARITY = MetricCard(
    identifier="ks_similarity",
    factory="corteval_distribution.ks:KSSimilarity",
    summary="Kolmogorov-Smirnov similarity of a unit property to a published histogram",
    licence="MIT",
    bounds=(0.0, 1.0),
    missing="omitted",
    example="corteval_distribution.ks:example",
)
