"""Cards of GPT-2 in five sizes, and what is known of each size without its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from corteval.cards import ModelCard, Resource

_GPT2 = """@techreport{radford2019language,
  title = {Language Models are Unsupervised Multitask Learners},
  author = {Radford, Alec and Wu, Jeffrey and Child, Rewon and Luan, David and Amodei, Dario and
            Sutskever, Ilya},
  institution = {OpenAI},
  year = {2019}
}"""
_DISTIL = """@inproceedings{sanh2019distilbert,
  title = {{DistilBERT}, a distilled version of {BERT}: smaller, faster, cheaper and lighter},
  author = {Sanh, Victor and Debut, Lysandre and Chaumond, Julien and Wolf, Thomas},
  booktitle = {NeurIPS Workshop on Energy Efficient Machine Learning and Cognitive Computing},
  year = {2019}
}"""

#: Tokens of GPT-2's vocabulary, and the longest text it reads, in tokens.
VOCABULARY, WINDOW = 50_257, 1024

_ROOT = "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main"
_MIT = "MIT"

#: Files of the tokenizer, which all sizes share: number of each token, and merges in their order.
ENCODER = Resource(
    url=f"{_ROOT}/encoder.json",
    sha256="196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
    size=1_042_301,
    licence=_MIT,
)
MERGES = Resource(
    url=f"{_ROOT}/vocab.bpe",
    sha256="1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
    size=456_318,
    licence=_MIT,
)


@final
@dataclass(frozen=True, kw_only=True)
class Size:
    """One of the networks.

    Args:
        repository: of its trained weights on the hub.
        blocks, width, heads: numbers of blocks, of units of the residual stream, and of attention
            heads of a block.
        committed: block that the field takes for the language system. Source: spec ``language``
            section 1.3.
        title: in a few words.
        licence: of the weights.
        training_data: of the weights.
    """

    repository: str
    blocks: int
    width: int
    heads: int
    committed: int
    title: str
    licence: str = _MIT
    training_data: str = "WebText"

    @property
    def parameters(self) -> int:
        """Weights, those of embedding and output once.

        V d + P d + n (12 d² + 13 d) + 2 d, with V tokens, P positions, n blocks of width d.
        """
        d = self.width
        return (VOCABULARY + WINDOW) * d + self.blocks * (12 * d**2 + 13 * d) + 2 * d

    @property
    def layers(self) -> tuple[str, ...]:
        """Layers that PNAS 2021 scored: ``drop`` (the embedding), then every block.

        Source: spec ``models`` section 9.
        """
        return ("drop", *(f"h.{block}" for block in range(self.blocks)))


#: By identifier.
SIZES: Mapping[str, Size] = {
    "distilgpt2": Size(
        repository="distilbert/distilgpt2",
        blocks=6,
        width=768,
        heads=12,
        committed=5,
        title="DistilGPT2, 6 blocks",
        licence="Apache-2.0",
        training_data="OpenWebText",
    ),
    "gpt2": Size(
        repository="openai-community/gpt2",
        blocks=12,
        width=768,
        heads=12,
        committed=11,
        title="GPT-2, 12 blocks",
    ),
    "gpt2-medium": Size(
        repository="openai-community/gpt2-medium",
        blocks=24,
        width=1024,
        heads=16,
        committed=22,
        title="GPT-2 medium, 24 blocks",
    ),
    "gpt2-large": Size(
        repository="openai-community/gpt2-large",
        blocks=36,
        width=1280,
        heads=20,
        committed=33,
        title="GPT-2 large, 36 blocks",
    ),
    "gpt2-xl": Size(
        repository="openai-community/gpt2-xl",
        blocks=48,
        width=1600,
        heads=25,
        committed=43,
        title="GPT-2 XL, 48 blocks",
    ),
}


def _bibtex(identifier: str) -> str:
    return f"{_GPT2}\n\n{_DISTIL}" if identifier == "distilgpt2" else _GPT2


def _trained(identifier: str) -> ModelCard:
    size = SIZES[identifier]
    return ModelCard(
        identifier=identifier,
        factory="corteval_gpt2.model:build",
        options={"identifier": identifier},
        summary=f"{size.title}; trained on {size.training_data}, weights of the hub",
        licence=f"code MIT; weights {size.licence}",
        bibtex=_bibtex(identifier),
        modalities=frozenset({"text"}),
        parameters=size.parameters,
        training_data=frozenset({size.training_data}),
    )


def _untrained(identifier: str, seed: int | None = None) -> ModelCard:
    size = SIZES[identifier]
    name = f"{identifier}-untrained" + ("" if seed is None else f"-seed{seed}")
    return ModelCard(
        identifier=name,
        factory="corteval_gpt2.model:build_untrained",
        options={"identifier": name, "seed": seed or 0},
        summary=f"{size.title}; random weights",
        licence=_MIT,
        bibtex=_bibtex(identifier),
        modalities=frozenset({"text"}),
        parameters=size.parameters,
        resources=(ENCODER, MERGES),
    )


DISTILGPT2 = _trained("distilgpt2")
DISTILGPT2_UNTRAINED = _untrained("distilgpt2")
DISTILGPT2_UNTRAINED_SEED1 = _untrained("distilgpt2", 1)
DISTILGPT2_UNTRAINED_SEED2 = _untrained("distilgpt2", 2)
DISTILGPT2_UNTRAINED_SEED3 = _untrained("distilgpt2", 3)
DISTILGPT2_UNTRAINED_SEED4 = _untrained("distilgpt2", 4)
GPT2 = _trained("gpt2")
GPT2_UNTRAINED = _untrained("gpt2")
GPT2_UNTRAINED_SEED1 = _untrained("gpt2", 1)
GPT2_UNTRAINED_SEED2 = _untrained("gpt2", 2)
GPT2_UNTRAINED_SEED3 = _untrained("gpt2", 3)
GPT2_UNTRAINED_SEED4 = _untrained("gpt2", 4)
GPT2_MEDIUM = _trained("gpt2-medium")
GPT2_MEDIUM_UNTRAINED = _untrained("gpt2-medium")
GPT2_MEDIUM_UNTRAINED_SEED1 = _untrained("gpt2-medium", 1)
GPT2_MEDIUM_UNTRAINED_SEED2 = _untrained("gpt2-medium", 2)
GPT2_MEDIUM_UNTRAINED_SEED3 = _untrained("gpt2-medium", 3)
GPT2_MEDIUM_UNTRAINED_SEED4 = _untrained("gpt2-medium", 4)
GPT2_LARGE = _trained("gpt2-large")
GPT2_LARGE_UNTRAINED = _untrained("gpt2-large")
GPT2_LARGE_UNTRAINED_SEED1 = _untrained("gpt2-large", 1)
GPT2_LARGE_UNTRAINED_SEED2 = _untrained("gpt2-large", 2)
GPT2_LARGE_UNTRAINED_SEED3 = _untrained("gpt2-large", 3)
GPT2_LARGE_UNTRAINED_SEED4 = _untrained("gpt2-large", 4)
GPT2_XL = _trained("gpt2-xl")
GPT2_XL_UNTRAINED = _untrained("gpt2-xl")
GPT2_XL_UNTRAINED_SEED1 = _untrained("gpt2-xl", 1)
GPT2_XL_UNTRAINED_SEED2 = _untrained("gpt2-xl", 2)
GPT2_XL_UNTRAINED_SEED3 = _untrained("gpt2-xl", 3)
GPT2_XL_UNTRAINED_SEED4 = _untrained("gpt2-xl", 4)
