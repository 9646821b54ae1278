"""Which of the models belong together: same architecture, same way of training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from corteval.errors import OptionError
from corteval_pnas2021.data import UNTRAINED

#: Family -> beginnings of the names of its models. The longest beginning that fits decides, so
#: that XLM-RoBERTa is none of XLM. Distilled models are with those they were distilled from.
#: Families are those of the papers that introduced the models: GPT (Radford et al. 2018, 2019),
#: BERT (Devlin et al. 2018), RoBERTa (Liu et al. 2019), XLM (Lample and Conneau 2019), XLM-RoBERTa
#: (Conneau et al. 2019), XLNet (Yang et al. 2019), Transformer-XL (Dai et al. 2019), CTRL (Keskar
#: et al. 2019), T5 (Raffel et al. 2019), ALBERT (Lan et al. 2019); recurrent: lm_1b (Jozefowicz et
#: al. 2016) and skip-thoughts (Kiros et al. 2015); embeddings: word2vec, GloVe and ETM.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "GPT": ("gpt2", "distilgpt2", "openaigpt"),
    "BERT": ("bert", "distilbert"),
    "RoBERTa": ("roberta", "distilroberta"),
    "XLM": ("xlm",),
    "XLM-RoBERTa": ("xlm-roberta",),
    "XLNet": ("xlnet",),
    "Transformer-XL": ("transfo-xl",),
    "CTRL": ("ctrl",),
    "T5": ("t5",),
    "ALBERT": ("albert",),
    "recurrent": ("lm_1b", "skip-thoughts"),
    "embeddings": ("glove", "word2vec", "ETM"),
    "translation transformer": ("transformer",),
}


def family_of(model: str) -> str:
    """Family of one model, trained or not.

    Raises:
        OptionError: if it is none of the table.
    """
    name = model.removesuffix(UNTRAINED)
    fitting = [
        (len(beginning), family)
        for family, beginnings in FAMILIES.items()
        for beginning in beginnings
        if name.startswith(beginning)
    ]
    if not fitting:
        raise OptionError(
            f"{model!r} is of no family known here; those are of {', '.join(FAMILIES)}."
        )
    return max(fitting)[1]


def families_of(models: Iterable[str]) -> np.ndarray:
    """Family of each of `models`, in their order."""
    return np.array([family_of(model) for model in models])
