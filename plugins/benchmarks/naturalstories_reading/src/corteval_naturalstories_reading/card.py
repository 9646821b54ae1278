"""Cards of the benchmarks of reading times."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard

NATURAL_STORIES = """@article{futrell2021natural,
  title = {The Natural Stories corpus: a reading-time corpus of English texts containing rare
           syntactic constructions},
  author = {Futrell, Richard and Gibson, Edward and Tily, Harry J. and Blank, Idan and
            Vishnevetsky, Anastasia and Piantadosi, Steven T. and Fedorenko, Evelina},
  journal = {Language Resources and Evaluation},
  volume = {55},
  number = {1},
  pages = {63--77},
  year = {2021},
  doi = {10.1007/s10579-020-09503-7}
}"""

ALIGNMENT = (
    "reading times may be shifted by one word in part of the published means; "
    "data_options={'alignment_shift': 1} measures what depends on it"
)
FIRST_WORDS = "first words of sentences are left out"
FREQUENCY = (
    "frequencies are counted in two parts of WikiText-2, 463,000 words, which is few: compare with "
    "a control that knows nothing else, n-grams of order 1"
)

#: Words whose reading times may depend on a word before them: so many places on.
SPILL_OVER = 2


def _card(
    identifier: str,
    summary: str,
    metric: str,
    ceiling: str,
    data: tuple[str, ...] = ("NaturalStories",),
    **options: Any,
) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"NaturalStories-{identifier}",
        factory="corteval_naturalstories_reading.benchmark:MeanReadingTimes",
        summary=summary,
        licence="CC-BY-NC-SA-4.0",
        bibtex=NATURAL_STORIES,
        data=data,
        metric=metric,
        ceiling=ceiling,
        target="reading times",
        species="human",
        parent="reading",
        controls=("kneser-ney/1", "{model}-untrained"),
        options=options,
    )


PEARSONR = _card(
    "pearsonr",
    "Correlation of surprisal with mean reading times of 10,256 words, signed",
    "reading_time_correlation",
    "human_reading_time_reliability",
    shared_options={"resample_by": "story"},
    notes=(FIRST_WORDS, ALIGNMENT),
)
DELTA_LOGLIK = _card(
    "delta_loglik",
    "What surprisal adds to held-out reading times beyond length, frequency, place and marks",
    "delta_log_likelihood",
    "human_delta_log_likelihood",
    ("NaturalStories", "Wikitext2", "Wikitext2.validation"),
    shared_options={
        "nuisance": ("length", "log_frequency", "position", "marks"),
        "spill_over": SPILL_OVER,
        "skip_first": SPILL_OVER + 1,
        "cross_validation": {"folds": "kfold", "group_by": "story", "count": 10},
        "resample_by": "story",
    },
    notes=(
        f"{FIRST_WORDS}, and so are the first {SPILL_OVER + 1} words of each story, whatever the "
        "subject tells of them",
        FREQUENCY,
        ALIGNMENT,
    ),
)
