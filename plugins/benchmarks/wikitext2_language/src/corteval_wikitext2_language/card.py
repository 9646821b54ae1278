"""Cards of the benchmarks: perplexity and next words, on all articles or some."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard

WIKITEXT = """@inproceedings{merity2017pointer,
  title = {Pointer sentinel mixture models},
  author = {Merity, Stephen and Xiong, Caiming and Bradbury, James and Socher, Richard},
  booktitle = {International Conference on Learning Representations},
  year = {2017},
  url = {https://openreview.net/forum?id=Byj72udxe}
}"""

#: Share of the words of a text that are "the", the most frequent one.
THE = 0.06


def _card(identifier: str, factory: str, summary: str, **more: Any) -> BenchmarkCard:
    data, chance = more.pop("data", "Wikitext2"), more.pop("chance", 0.0)
    return BenchmarkCard(
        identifier=identifier,
        factory=f"corteval_wikitext2_language.{factory}",
        summary=summary,
        licence="CC BY-SA",
        bibtex=WIKITEXT,
        data=(data,),
        target="next word",
        parent="language modelling",
        controls=("kneser-ney/1", "{model}-untrained"),
        chance=chance,
        options=more,
    )


def _perplexity(of: str, words: str, **more: Any) -> BenchmarkCard:
    summary = f"Log-likelihood of {words}, nats per word: minus the logarithm of perplexity"
    return _card(f"Wikitext2{of}-perplexity", "perplexity:Perplexity", summary, **more)


def _accuracy(of: str, words: str, **more: Any) -> BenchmarkCard:
    summary = f"Share of next words of {words} that are told exactly"
    return _card(f"Wikitext2{of}", "next_word:NextWordAccuracy", summary, chance=THE, **more)


PERPLEXITY = _perplexity("", "60 articles, each read apart")
PERPLEXITY_FILE = _perplexity(".file", "60 articles read as one text", context="file")
PERPLEXITY_10 = _perplexity(".10articles", "10 articles drawn by seed 0", articles=10)
PERPLEXITY_VALIDATION = _perplexity(".validation", "60 other articles", data="Wikitext2.validation")
ACCURACY = _accuracy("-accuracy", "60 articles, each read apart")
ACCURACY_10 = _accuracy(".10articles-accuracy", "10 articles drawn by seed 0", articles=10)
ACCURACY_VALIDATION = _accuracy(
    ".validation-accuracy", "60 other articles", data="Wikitext2.validation"
)
ACCURACY_LEGACY = _accuracy(
    "-accuracy-legacy",
    "single lines, without first and last words",
    legacy=True,
    notes=(
        "published definition: every line is read apart, headings are asked, and neither the first "
        "nor the last word of a line",
    ),
)
