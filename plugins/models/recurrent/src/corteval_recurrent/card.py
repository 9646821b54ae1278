"""Cards of recurrent language models."""

from __future__ import annotations

from corteval.cards import Modality, ModelCard, ModelFamily

_LSTM = """@article{hochreiter1997long,
  title = {Long Short-Term Memory},
  author = {Hochreiter, Sepp and Schmidhuber, J{\\"u}rgen},
  journal = {Neural Computation},
  volume = {9},
  number = {8},
  pages = {1735--1780},
  year = {1997},
  doi = {10.1162/neco.1997.9.8.1735}
}"""
_GRU = """@inproceedings{cho2014learning,
  title = {Learning Phrase Representations using {RNN} Encoder-Decoder for Statistical Machine
           Translation},
  author = {Cho, Kyunghyun and van Merri{\\"e}nboer, Bart and Gulcehre, Caglar and
            Bahdanau, Dzmitry and Bougares, Fethi and Schwenk, Holger and Bengio, Yoshua},
  booktitle = {Empirical Methods in Natural Language Processing},
  year = {2014},
  doi = {10.3115/v1/D14-1179}
}"""
_SEARCH = """@misc{schrimpf2017flexible,
  title = {A Flexible Approach to Automated {RNN} Architecture Generation},
  author = {Schrimpf, Martin and Merity, Stephen and Bradbury, James and Socher, Richard},
  year = {2017},
  eprint = {1712.07316},
  archivePrefix = {arXiv}
}"""

_TEXT: frozenset[Modality] = frozenset({"text"})

RECURRENT = ModelFamily(
    identifier="recurrent",
    factory="corteval_recurrent.model:build",
    summary="Language models of `corteval recurrent train`; member = name or folder",
    licence="as the text they were trained on demands",
    bibtex=f"{_LSTM}\n\n{_GRU}",
    modalities=_TEXT,
    files="corteval_recurrent.model:files_of",
)

RNN = ModelFamily(
    identifier="rnn",
    factory="corteval_recurrent.model:build_cell",
    summary="Random weights around a recurrent cell: lstm, gru, elman, bc3, candidate-<n>",
    licence="MIT",
    bibtex=_SEARCH,
    modalities=_TEXT,
    members=("lstm", "gru", "elman", "bc3", "candidate-0"),
)


def _untrained(
    cell: str, name: str, parameters: int, bibtex: str, seed: int | None = None
) -> ModelCard:
    identifier = f"{cell}-lm-untrained" + ("" if seed is None else f"-seed{seed}")
    return ModelCard(
        identifier=identifier,
        factory="corteval_recurrent.model:build_untrained",
        options={"identifier": identifier, "cell": cell, "seed": seed or 0},
        summary=f"{name} language model, 2 layers of 200 units, hashed words; random weights",
        licence="MIT",
        bibtex=bibtex,
        modalities=_TEXT,
        parameters=parameters,
    )


_L = ("lstm", "LSTM", 2_289_792, _LSTM)
_G = ("gru", "GRU", 2_128_992, _GRU)

LSTM_UNTRAINED, GRU_UNTRAINED = _untrained(*_L), _untrained(*_G)
LSTM_UNTRAINED_SEED1, GRU_UNTRAINED_SEED1 = _untrained(*_L, seed=1), _untrained(*_G, seed=1)
LSTM_UNTRAINED_SEED2, GRU_UNTRAINED_SEED2 = _untrained(*_L, seed=2), _untrained(*_G, seed=2)
LSTM_UNTRAINED_SEED3, GRU_UNTRAINED_SEED3 = _untrained(*_L, seed=3), _untrained(*_G, seed=3)
LSTM_UNTRAINED_SEED4, GRU_UNTRAINED_SEED4 = _untrained(*_L, seed=4), _untrained(*_G, seed=4)
