"""Cards of the n-gram models."""

from __future__ import annotations

from corteval.cards import Modality, ModelCard, ModelFamily

_TEXT: frozenset[Modality] = frozenset({"text"})
_BIBTEX = """@techreport{chen1998empirical,
  title = {An empirical study of smoothing techniques for language modeling},
  author = {Chen, Stanley F. and Goodman, Joshua},
  institution = {Harvard University},
  number = {TR-10-98},
  year = {1998}
}"""
_FACTORY = "corteval_ngram.subject"

NGRAM = ModelCard(
    identifier="ngram",
    factory=f"{_FACTORY}:build",
    summary="Modified Kneser-Ney 5-gram, trained on WikiText-2 (validation) when first asked",
    licence="MIT",
    bibtex=_BIBTEX,
    modalities=_TEXT,
    training_data=frozenset({"Wikitext2.validation"}),
)
KNESER_NEY = ModelFamily(
    identifier="kneser-ney",
    factory=f"{_FACTORY}:family",
    summary="The subject ngram of another order; member = words of an n-gram",
    licence="MIT",
    bibtex=_BIBTEX,
    modalities=_TEXT,
    members=("1", "2", "3", "4", "5"),
)
