"""What a language model's logits say of each position of a text."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from corteval.errors import AssemblyError


class Predictions(NamedTuple):
    """Of each position of a batch.

    Args:
        surprisal: (batch, token, 2), nats: of the token there given those before it, and that the
            next token begins a word or the text ends; the first of a sequence has 0.
        best: (batch, token): id of the most probable next token.
    """

    surprisal: Tensor
    best: Tensor


def logits_of(output: Any, name: str) -> Tensor:
    """Logits (batch, token, vocabulary) of what a model returns.

    Raises:
        AssemblyError: if it returns none.
    """
    logits = getattr(output, "logits", output)
    if isinstance(logits, (tuple, list)):
        logits = logits[0]
    if not isinstance(logits, Tensor) or logits.ndim != 3 or not logits.is_floating_point():
        raise AssemblyError(
            f"{name} returns {_words(logits)} where surprisal needs logits (batch, token, "
            "vocabulary). It is no language model; read its layers only (surprisal=None)."
        )
    return logits


def predictions(logits: Tensor, ids: Tensor, word_starts: Tensor | None) -> Predictions:
    """Surprisals and best next tokens.

        surprisal of the token at t = log Σ_v exp(z[t-1, v]) - z[t-1, id of t]
        surprisal of a word's end at t = log Σ_v exp(z[t, v]) - log Σ_{v begins a word} exp(z[t, v])

    Args:
        logits: (batch, token, vocabulary) z.
        ids: (batch, token).
        word_starts: by id of the vocabulary, bool; None leaves the ends of words out.
    """
    surprisal = torch.zeros((*ids.shape, 2), dtype=torch.float32, device=logits.device)
    best = torch.empty(ids.shape, dtype=torch.long, device=logits.device)
    for row, (z, own) in enumerate(zip(logits, ids, strict=True)):  # float32 of one text at a time
        z = z.float()
        total = torch.logsumexp(z, dim=-1)
        surprisal[row, 1:, 0] = total[:-1] - z[:-1].gather(1, own[1:, None])[:, 0]
        if word_starts is not None:
            surprisal[row, :, 1] = total - torch.logsumexp(z[:, word_starts], dim=-1)
        best[row] = z.argmax(dim=-1)
    return Predictions(surprisal, best)


def _words(found: Any) -> str:
    if isinstance(found, Tensor):
        return f"a tensor {tuple(found.shape)}"
    return f"a {type(found).__name__} without logits"
