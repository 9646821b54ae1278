"""Cards of the word embeddings and of the subjects that know nothing of language."""

from __future__ import annotations

from corteval.cards import Modality, ModelCard, ModelFamily, Resource

_TEXT: frozenset[Modality] = frozenset({"text"})

#: By name of the vectors. The digests are those that several loaders of GloVe, and one of
#: word2vec, publish.
FILES: dict[str, Resource] = {
    "glove-840b": Resource(
        url="https://nlp.stanford.edu/data/glove.840B.300d.zip",
        sha256="c06db255e65095393609f19a4cfca20bf3a71e20cc53e892aafa490347e3849f",
        size=2_176_768_927,
        licence="PDDL-1.0",
        hint="A copy that you have already can be named by the option `path`.",
    ),
    "word2vec": Resource(
        url="https://s3.amazonaws.com/dl4j-distribution/GoogleNews-vectors-negative300.bin.gz",
        sha256="21c05ae916a67a4da59b1d006903355cced7de7da1e42bff9f0504198c748da8",
        size=1_647_046_227,
        licence="Apache-2.0",
        hint="The authors' own copy lies behind https://code.google.com/archive/p/word2vec; name "
        "it by the option `path`.",
    ),
}

_GLOVE = """@inproceedings{pennington2014glove,
  title = {GloVe: Global vectors for word representation},
  author = {Pennington, Jeffrey and Socher, Richard and Manning, Christopher D.},
  booktitle = {Proceedings of EMNLP},
  pages = {1532--1543},
  year = {2014}
}"""
_WORD2VEC = """@inproceedings{mikolov2013distributed,
  title = {Distributed representations of words and phrases and their compositionality},
  author = {Mikolov, Tomas and Sutskever, Ilya and Chen, Kai and Corrado, Greg and Dean, Jeffrey},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {26},
  year = {2013}
}"""
_OASM = """@article{feghhi2024what,
  title = {What are large language models mapping to in the brain? A case against over-reliance on
           brain scores},
  author = {Feghhi, Ebrahim and Hadidi, Nima and Song, Bryan and Blank, Idan A. and
            Kao, Jonathan C.},
  journal = {arXiv},
  volume = {2406.01538},
  year = {2024}
}"""


def _vectors(name: str, summary: str, bibtex: str, parameters: int) -> ModelCard:
    return ModelCard(
        identifier=name,
        factory="corteval_embeddings.static:build",
        options={"name": name},
        summary=summary,
        licence=FILES[name].licence,
        bibtex=bibtex,
        resources=(FILES[name],),
        modalities=_TEXT,
        parameters=parameters,
    )


def _untrained(name: str, summary: str, bibtex: str, parameters: int) -> ModelCard:
    return ModelCard(
        identifier=f"{name}-untrained",
        factory="corteval_embeddings.static:build",
        options={"name": name, "untrained": True},
        summary=summary,
        licence=FILES[name].licence,
        bibtex=bibtex,
        resources=(FILES[name],),  # whose words are the vocabulary
        modalities=_TEXT,
        parameters=parameters,
    )


def _random(size: int) -> ModelCard:
    return ModelCard(
        identifier=f"randomembedding-{size}",
        factory="corteval_embeddings.random_vectors:build",
        options={"size": size},
        summary=f"Mean over words of a random vector of {size:,} numbers per word",
        licence="MIT",
        modalities=_TEXT,
        parameters=0,
    )


def _plain(identifier: str, factory: str, summary: str, bibtex: str = "") -> ModelCard:
    return ModelCard(
        identifier=identifier,
        factory=f"corteval_embeddings.{factory}",
        summary=summary,
        licence="MIT",
        bibtex=bibtex,
        modalities=_TEXT,
        parameters=0,
    )


GLOVE = _vectors(
    "glove-840b",
    "GloVe, 300 numbers per word, from 840 billion words; mean over words",
    _GLOVE,
    658_805_100,
)
GLOVE_UNTRAINED = _untrained(
    "glove-840b",
    "Random vectors for the words of GloVe 840B; mean over words",
    _GLOVE,
    658_805_100,
)
WORD2VEC = _vectors(
    "word2vec",
    "word2vec, 300 numbers per word, from 100 billion words of Google News; mean over words",
    _WORD2VEC,
    900_000_000,
)
WORD2VEC_UNTRAINED = _untrained(
    "word2vec",
    "Random vectors for the words of word2vec; mean over words",
    _WORD2VEC,
    900_000_000,
)
EMBEDDINGS = ModelFamily(
    identifier="embeddings",
    factory="corteval_embeddings.static:family",
    summary="Word vectors of a file that you have, mean over words; member = its name",
    licence="as the file's",
    modalities=_TEXT,
    files="corteval_embeddings.static:files_of",
)

RANDOM_EMBEDDING = ModelFamily(
    identifier="randomembedding",
    factory="corteval_embeddings.random_vectors:family",
    summary="Mean over words of a random vector per word; member = its size, then -seedN",
    licence="MIT",
    modalities=_TEXT,
    members=("100", "1600", "1600-seed1"),
)
RANDOM_EMBEDDING_100 = _random(100)
RANDOM_EMBEDDING_1600 = _random(1600)

WORD_POSITION = _plain(
    "word-position",
    "features:word_position",
    "Where in its passage a text stands: in parts, as a share, in words",
)
WORD_RATE = _plain("word-rate", "features:word_rate", "Words of a text")
SENTENCE_FEATURES = _plain(
    "sentence-features",
    "features:sentence_features",
    "Words, position in the passage and characters of a text",
)
WORD_FREQUENCY = _plain(
    "word-frequency",
    "frequency:build",
    "Mean and lowest log frequency of a text's words, counted in WikiText-2",
)
OASM = _plain(
    "oasm",
    "oasm:build",
    "Which place in which passage a text has, blurred over time (sigma 2.0); no language",
    _OASM,
)
OASM_SIGMA = ModelFamily(
    identifier="oasm-sigma",
    factory="corteval_embeddings.oasm:family",
    summary="The subject oasm blurred by another sigma; member = sigma, such as 1.6",
    licence="MIT",
    bibtex=_OASM,
    modalities=_TEXT,
    members=tuple(f"{tenths / 10:.1f}" for tenths in range(49)),
)
