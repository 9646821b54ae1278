"""Cards of nine arrangements of flankers, and of a vernier alone."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

_BIBTEX = """@article{malania2007grouping,
  title = {Grouping of contextual elements that affect vernier thresholds},
  author = {Malania, Maka and Herzog, Michael H. and Westheimer, Gerald},
  journal = {Journal of Vision},
  volume = {7},
  number = {2},
  pages = {1},
  year = {2007},
  doi = {10.1167/7.2.1}
}"""

#: Arrangements: how long flankers are, compared with the vernier, and how many there are.
CONDITIONS = (
    "short2", "short4", "short6", "short8", "short16", "equal2", "long2", "equal16", "long16",
)  # fmt: skip
BASELINE = "vernier_only"

_DATA = "brainscore/Malania2007."


def _elevation(condition: str, people: int, ceiling: float) -> BenchmarkCard:
    """Card of one arrangement.

    Args:
        condition: name of it.
        people: who saw it; one of them may not have seen the vernier alone.
        ceiling: as published, of pooled thresholds; noted, since another can be computed.
    """
    length = condition.rstrip("0123456789")
    return BenchmarkCard(
        identifier=f"Malania2007.{condition}-threshold_elevation",
        factory="corteval_malania2007.benchmark:Vernier",
        summary=(
            f"{people} people, a vernier among {condition.removeprefix(length)} {length} lines: "
            "elevation of threshold"
        ),
        licence="MIT",
        bibtex=_BIBTEX,
        data=tuple(f"{_DATA}{name}" for name in (BASELINE, condition, f"{condition}_fit")),
        metric="threshold_elevation",
        ceiling="human_threshold_elevation",
        target="probabilities",
        species="human",
        parent="Malania2007",
        controls=("{model}-untrained",),
        options={"notes": (f"the published ceiling, of pooled thresholds, is {ceiling}",)},
    )


SHORT2 = _elevation("short2", 6, 0.787)
SHORT4 = _elevation("short4", 5, 0.500)
SHORT6 = _elevation("short6", 5, 0.506)
SHORT8 = _elevation("short8", 5, 0.443)
SHORT16 = _elevation("short16", 6, 0.838)
EQUAL2 = _elevation("equal2", 5, 0.567)
LONG2 = _elevation("long2", 5, 0.465)
EQUAL16 = _elevation("equal16", 5, 0.441)
LONG16 = _elevation("long16", 5, 0.510)

VERNIER_ACUITY = BenchmarkCard(
    identifier="Malania2007.vernieracuity-threshold",
    factory="corteval_malania2007.benchmark:Vernier",
    summary="6 people, a vernier alone: threshold, mean over what read-outs were fitted on",
    licence="MIT",
    bibtex=_BIBTEX,
    data=(f"{_DATA}{BASELINE}", *(f"{_DATA}{condition}_fit" for condition in CONDITIONS)),
    metric="threshold",
    ceiling="human_threshold",
    target="probabilities",
    species="human",
    parent="Malania2007",
    controls=("{model}-untrained",),
    options={"notes": ("the published ceiling, of pooled thresholds, is 0.702",)},
)
