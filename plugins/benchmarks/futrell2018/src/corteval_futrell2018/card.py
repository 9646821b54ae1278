"""Cards of the benchmarks on reading times of single people."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard

FUTRELL2018 = """@inproceedings{futrell2018natural,
  title = {The Natural Stories Corpus},
  author = {Futrell, Richard and Gibson, Edward and Tily, Harry J. and Blank, Idan and
            Vishnevetsky, Anastasia and Piantadosi, Steven T. and Fedorenko, Evelina},
  booktitle = {Proceedings of the Eleventh International Conference on Language Resources and
               Evaluation ({LREC})},
  year = {2018}
}"""

SCHRIMPF2021 = """@article{schrimpf2021neural,
  title = {The neural architecture of language: integrative modeling converges on predictive
           processing},
  author = {Schrimpf, Martin and Blank, Idan Asher and Tuckute, Greta and Kauf, Carina and
            Hosseini, Eghbal A. and Kanwisher, Nancy and Tenenbaum, Joshua B. and
            Fedorenko, Evelina},
  journal = {Proceedings of the National Academy of Sciences}, volume = {118}, number = {45},
  year = {2021},
  doi = {10.1073/pnas.2105646118}
}"""

_SHIFTED = (
    "the file predates the correction of 2025: reading times of Natural Stories were released "
    "shifted by one word, so scores on it are probably too low"
)
_FIRST_WORDS = "first words of sentences are left out"
_PUBLISHED = "the published ceiling, computed in the same way, is .858"


def _card(form: str, summary: str, **fields: Any) -> BenchmarkCard:
    options = fields.pop("options", {})
    notes = (_SHIFTED, *options.pop("notes", ()))
    return BenchmarkCard(
        identifier=f"Futrell2018-{form}",
        factory=fields.pop("factory", "corteval_futrell2018.benchmark:ReadingTimesBenchmark"),
        summary=f"Reading times of ten stories, 10,256 words, 180 people: {summary}",
        licence="MIT",
        bibtex=f"{FUTRELL2018}\n\n{SCHRIMPF2021}",
        data=("brainscore/Futrell2018",),
        species="human",
        options={**options, "notes": notes},
        **fields,
    )


PEARSONR = _card(
    "pearsonr",
    "correlation, signed",
    metric="reading_time_correlation",
    ceiling="human_reading_time_correlation",
    target="reading times",
    parent="reading",
    controls=("sentence-length", "word-position", "word-frequency", "{model}-untrained"),
    options={"notes": (_FIRST_WORDS,)},
)

PEARSONR_LEGACY = _card(
    "pearsonr-legacy",
    "|r| over reliability, as published",
    metric="reading_time_correlation-legacy",
    ceiling="human_reading_time_correlation",
    target="reading times",
    controls=("sentence-length", "word-position", "word-frequency", "{model}-untrained"),
    options={
        "normalization": "r/c",
        "notes": (
            _FIRST_WORDS,
            _PUBLISHED,
            "legacy: a subject that expects fast reading where it is slow scores as well as one "
            "that is right; published answers came of ten stories read as one text",
        ),
    },
)

PNAS2021 = _card(
    "pnas2021",
    "protocol of PNAS 2021",
    factory="corteval_futrell2018.pnas2021:ReadersBenchmark",
    metric="linear",
    ceiling=None,  # of its own: halves of readers that predict each other
    target="language_system",
    controls=("sentence-length", "word-position", "word-frequency", "{model}-untrained"),
    options={
        "notes": (
            "legacy: words of one sentence are trained and tested on; only to compare with the "
            "published table",
        ),
    },
)
