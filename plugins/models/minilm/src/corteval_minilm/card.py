"""Cards of all-MiniLM-L6-v2, trained and with random weights."""

from __future__ import annotations

from corteval.cards import ModelCard

_BIBTEX = """@inproceedings{reimers2019sentence,
  title = {Sentence-{BERT}: Sentence Embeddings using {Siamese} {BERT}-Networks},
  author = {Reimers, Nils and Gurevych, Iryna},
  booktitle = {Conference on Empirical Methods in Natural Language Processing},
  year = {2019}
}

@inproceedings{wang2020minilm,
  title = {{MiniLM}: Deep Self-Attention Distillation for Task-Agnostic Compression},
  author = {Wang, Wenhui and others},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020}
}"""


def _card(suffix: str, weights: str, seed: int | None) -> ModelCard:
    return ModelCard(
        identifier=f"minilm{suffix}",
        factory="corteval_minilm.model:build",
        options={"seed": seed},
        summary=f"all-MiniLM-L6-v2, a sentence encoder; {weights}",
        licence="Apache-2.0",
        bibtex=_BIBTEX,
        parameters=22_713_216,
        modalities=frozenset({"text"}),
        training_data=frozenset() if seed is not None else frozenset({"1B sentence pairs"}),
    )


MINILM = _card("", "trained", None)
MINILM_UNTRAINED = _card("-untrained", "random weights", 0)
MINILM_UNTRAINED_1 = _card("-untrained-seed1", "random weights, seed 1", 1)
MINILM_UNTRAINED_2 = _card("-untrained-seed2", "random weights, seed 2", 2)
MINILM_UNTRAINED_3 = _card("-untrained-seed3", "random weights, seed 3", 3)
MINILM_UNTRAINED_4 = _card("-untrained-seed4", "random weights, seed 4", 4)
