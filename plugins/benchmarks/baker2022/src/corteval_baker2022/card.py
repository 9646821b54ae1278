"""Cards of the benchmarks, and of the metric and ceiling as they were published."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard, MetricCard

#: Buttons of the response screen, which is what a subject may answer.
CHOICES = ("bear", "bunny", "cat", "elephant", "frog", "lizard", "tiger", "turtle", "wolf")

_BIBTEX = """@article{baker2022deep,
  title = {Deep learning models fail to capture the configural nature of human shape perception},
  author = {Baker, Nicholas and Elder, James H.},
  journal = {iScience},
  volume = {25},
  number = {9},
  pages = {104913},
  year = {2022},
  doi = {10.1016/j.isci.2022.104913}
}"""


def _cards(
    name: str, summary: str, member: str, condition: str, orientation: str
) -> tuple[BenchmarkCard, BenchmarkCard]:
    """The sound benchmark and the published one.

    Args:
        name: of the published benchmark.
        summary: of both.
        member: of the archive.
        condition: of the changed silhouettes; ``"whole"`` are the others.
        orientation: of the silhouettes.
    """

    def card(suffix: str, metric: str, ceiling: str, **options: Any) -> BenchmarkCard:
        return BenchmarkCard(
            identifier=f"Baker2022{name}-accuracy_delta{suffix}",
            factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
            summary=f"{summary}{', as published' if suffix else ''}",
            licence="none recorded in the archive's registry",
            bibtex=_BIBTEX,
            data=(f"brainscore/{member}",),
            metric=metric,
            ceiling=ceiling,
            target="label",
            species="human",
            parent="behaviour",
            controls=("{model}-untrained",),
            options={
                "choices": CHOICES,
                "only": {"condition": ("whole", condition), "orientation": (orientation,)},
                "visual_degrees": 8.8,
                **options,
            },
        )

    published = "baker2022_accuracy_delta-legacy"
    return (
        card("", "baker_accuracy_delta", "human_baker_accuracy_delta"),
        card("-legacy", published, f"human_{published}"),
    )


FRANKENSTEIN, FRANKENSTEIN_LEGACY = _cards(
    "frankenstein",
    "32 people: accuracy lost on animals cut in half and put together wrongly",
    "Baker2022_normal_distortion",
    "Frankenstein",
    "normal",
)
FRAGMENTED, FRAGMENTED_LEGACY = _cards(
    "fragmented",
    "32 people: accuracy lost on animals in pieces",
    "Baker2022_normal_distortion",
    "fragmented",
    "normal",
)
INVERTED, INVERTED_LEGACY = _cards(
    "inverted",
    "12 people: accuracy lost on animals put together wrongly, upside down",
    "Baker2022_inverted_distortion",
    "Frankenstein",
    "inverted",
)

PUBLISHED = MetricCard(
    identifier="baker2022_accuracy_delta-legacy",
    factory="corteval_baker2022.published:PublishedAccuracyDelta",
    summary="Loss of accuracy against random halves of the people, as published",
    licence="MIT",
    bibtex=_BIBTEX,
    bounds=(0.0, 1.0),
    takes="other",
    needs=("condition", "truth"),
    ceilings=("human_baker2022_accuracy_delta-legacy",),
    example="corteval_baker2022.examples:people",
)
HUMAN_PUBLISHED = MetricCard(
    identifier="human_baker2022_accuracy_delta-legacy",
    factory="corteval_baker2022.published:HumanPublishedAccuracyDelta",
    summary="Similarity of the losses of two halves of the people, as published",
    licence="MIT",
    bibtex=_BIBTEX,
    role="ceiling",
    bounds=(0.0, 1.0),
    takes="other",
    needs=("condition", "subject"),
    example="corteval_baker2022.examples:repeated_people",
)
