"""The recurrent language model: embedding, layers, decoder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from corteval.errors import OptionError
from corteval_recurrent.compiled import CompiledCell
from corteval_recurrent.expressions import SOURCES, close
from corteval_recurrent.known_cells import CELLS
from corteval_recurrent.parsing import parse

#: Cells that run as torch's own modules.
_OF_TORCH = {"lstm": nn.LSTM, "gru": nn.GRU}

#: Embeddings are drawn uniformly between this and its negative.
_EMBEDDING_RANGE = 0.1

#: What is meant as the name of a cell, and not as its text.
_WORD = re.compile(r"[\w.-]+")


@final
@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network is, but for its weights.

    Args:
        cell: ``"lstm"`` or ``"gru"`` (torch's), another name of `corteval_recurrent.CELLS`, or the
            text of a cell.
        vocabulary: number of tokens.
        width: units of the embedding and of every layer.
        layers: number of recurrent layers.
        tied: whether the decoder has the weights of the embedding (Press & Wolf 2017).
        dropout: share of units dropped in training: of the embedding, and after every layer.

    Raises:
        OptionError: for values that make no network.
    """

    cell: str = "lstm"
    vocabulary: int
    width: int = 200
    layers: int = 2
    tied: bool = True
    dropout: float = 0.3

    def __post_init__(self) -> None:
        for name, value in (
            ("vocabulary", self.vocabulary),
            ("width", self.width),
            ("layers", self.layers),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise OptionError(f"{name} is {value!r}; it is a whole number from 1.")
        if not 0 <= self.dropout < 1:
            raise OptionError(f"dropout is {self.dropout}; it is a share from 0 and below 1.")
        if self.cell not in CELLS:
            if _WORD.fullmatch(self.cell) and self.cell not in SOURCES:
                raise OptionError(
                    f"No cell is called {self.cell!r}{close(self.cell, CELLS)} `corteval recurrent "
                    "cells` shows them all; a text such as 'h = Tanh(Add(MM(x), MM(h_prev)))' will "
                    "do, too."
                )
            parse(self.cell)

    def cells(self) -> list[nn.Module]:
        """Freshly drawn recurrent layers."""
        if self.cell in _OF_TORCH:
            made = _OF_TORCH[self.cell]
            return [made(self.width, self.width, batch_first=True) for _ in range(self.layers)]
        cell = parse(CELLS.get(self.cell, self.cell))
        return [CompiledCell(cell, self.width) for _ in range(self.layers)]


@final
class RecurrentLanguageModel(nn.Module):
    """Predicts each token from those before it.

    With e_t the embedding of token t and l⁰ = e, layer k gives lᵏ_t = cell(lᵏ⁻¹_t, state), state
    zero before the first token; logits_t = D lᵐ_t + b are of token t + 1, with D the embedding
    matrix if weights are tied. Nothing is carried from one call to the next, and since a step sees
    none that follows it, padding on the right changes no other token.

    Weights of embedding and decoder are uniform in ±0.1, the decoder's bias is 0; those of cells
    are as torch draws them.

    Args:
        architecture: says all that is not drawn.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.embedding = nn.Embedding(architecture.vocabulary, architecture.width)
        self.drop = nn.Dropout(architecture.dropout)
        self.layers = nn.ModuleList(architecture.cells())
        self.decoder = nn.Linear(architecture.width, architecture.vocabulary)
        nn.init.uniform_(self.embedding.weight, -_EMBEDDING_RANGE, _EMBEDDING_RANGE)
        if architecture.tied:
            self.decoder.weight = self.embedding.weight
        else:
            nn.init.uniform_(self.decoder.weight, -_EMBEDDING_RANGE, _EMBEDDING_RANGE)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Logits (batch, token, vocabulary) of `input_ids` (batch, token).

        Args:
            input_ids: numbers of tokens; rows are padded on the right.
            attention_mask: not needed, see above.
        """
        del attention_mask
        logits: Tensor = self.decoder(self.states(input_ids)[0])
        return logits

    def states(
        self, input_ids: Tensor, before: Sequence[Any] | None = None
    ) -> tuple[Tensor, list[Any]]:
        """Outputs (batch, token, unit) of the last layer, and the state of each layer after them.

        Args:
            input_ids: numbers of tokens.
            before: states to go on from, for training on parts of a long text; None for zeros.
        """
        hidden = self.drop(self.embedding(input_ids))
        after = []
        for number, layer in enumerate(self.layers):
            hidden, state = layer(hidden, None if before is None else before[number])
            hidden = self.drop(hidden)
            after.append(state)
        return hidden, after


def detached(state: Any) -> Any:
    """The same state, through which no gradient flows."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, tuple):
        parts = [detached(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return [detached(part) for part in state] if isinstance(state, list) else state


def count_parameters(architecture: Architecture) -> int:
    """Trained weights, tied ones once; none are drawn."""
    with torch.device("meta"):
        return sum(weight.numel() for weight in RecurrentLanguageModel(architecture).parameters())
