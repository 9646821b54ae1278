"""Cards of fourteen search asymmetries, and of the metric and ceiling that they share."""

from __future__ import annotations

from corteval.cards import BenchmarkCard, MetricCard

_BIBTEX = """@misc{ferguson2024well,
  title = {How well is visual search asymmetry predicted by a binary-choice, rapid, accuracy-based
           visual-search, oddball-detection ({BRAVO}) task?},
  author = {Ferguson, Jr, Michael E. and Ngo, Jerry and Lee, Michael and DiCarlo, James and
            Schrimpf, Martin},
  publisher = {OSF},
  year = {2024},
  doi = {10.17605/OSF.IO/5BA3N}
}"""


def _card(name: str, people: int, lapse_rate: float, ceiling: float) -> BenchmarkCard:
    """Card of one asymmetry.

    Args:
        name: of the pair of targets.
        people: who took part.
        lapse_rate: mean share of trials in which people guessed, as published.
        ceiling: as published; noted, since it can be computed.
    """
    data = f"brainscore/Ferguson2024_{name}"
    lapses = {"lapse_rate": lapse_rate}
    return BenchmarkCard(
        identifier=f"Ferguson2024{name}-value_delta",
        factory="corteval_ferguson2024.benchmark:Oddball",
        summary=f"{people} people look for an odd one among others: asymmetry {name}",
        licence="MIT",
        bibtex=_BIBTEX,
        data=(data, f"{data}_training_stimuli"),
        metric="search_asymmetry",
        ceiling="human_search_asymmetry",
        target="probabilities",
        species="human",
        parent="Ferguson2024",
        controls=("{model}-untrained",),
        options={
            "metric_options": lapses,
            "ceiling_options": lapses,
            "notes": (f"the published ceiling is the constant {ceiling}",),
        },
    )


CIRCLE_LINE = _card("circle_line", 30, 0.0335, 0.883)
COLOR = _card("color", 29, 0.0578, 0.897)
CONVERGENCE = _card("convergence", 27, 0.0372, 0.862)
EIGHTH = _card("eighth", 30, 0.05556, 0.852)
GRAY_EASY = _card("gray_easy", 28, 0.0414, 0.907)
GRAY_HARD = _card("gray_hard", 29, 0.02305, 0.863)
HALF = _card("half", 29, 0.0637, 0.898)
JUNCTURE = _card("juncture", 27, 0.3715, 0.767)
LLE = _card("lle", 29, 0.0573, 0.831)
LLH = _card("llh", 28, 0.0402, 0.812)
QUARTER = _card("quarter", 28, 0.0534, 0.876)
ROUND_F = _card("round_f", 30, 0.08196, 0.874)
ROUND_V = _card("round_v", 29, 0.0561, 0.853)
TILTED_LINE = _card("tilted_line", 30, 0.04986, 0.912)

_NEEDS = ("block", "distractors")

SEARCH_ASYMMETRY = MetricCard(
    identifier="search_asymmetry",
    factory="corteval_ferguson2024.asymmetry:SearchAsymmetry",
    summary="exp(-scale |a - b|) of the search asymmetries of a source and of people",
    licence="MIT",
    bibtex=_BIBTEX,
    bounds=(0.0, 1.0),
    takes="answers",
    needs=_NEEDS,
    ceilings=("human_search_asymmetry",),
    example="corteval_ferguson2024.examples:trials",
)

HUMAN_SEARCH_ASYMMETRY = MetricCard(
    identifier="human_search_asymmetry",
    factory="corteval_ferguson2024.asymmetry:HumanSearchAsymmetry",
    summary="exp(-scale |a - b|) of the search asymmetries of halves of the trials",
    licence="MIT",
    bibtex=_BIBTEX,
    role="ceiling",
    bounds=(0.0, 1.0),
    takes="answers",
    needs=_NEEDS,
    example="corteval_ferguson2024.examples:repeated_trials",
)
