"""SUMA as a torch module: one block of attention, passed several times."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

from corteval_suma.architecture import (
    EPSILON,
    PROJECTIONS,
    STANDARD_DEVIATION,
    TOKENS_OF_A_CYCLE,
    Architecture,
    embedding_rows,
    projection,
)

#: Attention weights of so many bytes are held at once.
_ATTENTION_BYTES = 64 * 2**20


@final
class Suma(nn.Module):
    """A shallow untrained multi-head attention network.

        h⁰ = E[tokens],    hᶜ = hᶜ⁻¹ + O concat_i softmax(mask(Q_i K_iᵀ / √d)) V_i

    with Q, K, V linear in RMSNorm(hᶜ⁻¹), the same weights in every cycle c; last an RMSNorm. There
    are no positions, no biases, no other layers and no dropout: the order of tokens matters only
    in that no token attends to a later one. Source: spec ``language`` section 4.

    Args:
        architecture: sizes.
        seed: of the embedding.
        embedding: ``"drawn"`` draws rows when tokens need them; ``"table"`` holds all, not yet
            filled.
    """

    def __init__(
        self, architecture: Architecture, seed: int = 42, *, embedding: str = "drawn"
    ) -> None:
        super().__init__()
        hidden = architecture.hidden
        self.cycles = architecture.cycles
        self.embed_tokens: nn.Module = (
            DrawnEmbedding(architecture.vocabulary, hidden, seed)
            if embedding == "drawn"
            else nn.Embedding(architecture.vocabulary, hidden)
        )
        self.layers = nn.ModuleList([Block(hidden, architecture.heads)])
        self.norm = RMSNorm(hidden)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Hidden states (batch, token, unit), normalised.

        Args:
            input_ids: (batch, token), filled up at the right.
            attention_mask: (batch, token), 0 where it is filled up; all are tokens if None.
        """
        (block,) = self.layers
        h = self.embed_tokens(input_ids)
        if self.cycles == "dynamic":
            h = self._settled(block, h, attention_mask)
            return torch.as_tensor(self.norm(block(h)))
        for _ in range(self.cycles):
            h = block(h)
        return torch.as_tensor(self.norm(h))

    def _settled(self, block: nn.Module, h: Tensor, attention_mask: Tensor | None) -> Tensor:
        """What enters the last cycle of each text, whose number follows from its own length.

        Not called as a layer, so that a network of any depth has one recorded call, the last.
        """
        lengths = (
            torch.full((len(h),), h.shape[1], device=h.device)
            if attention_mask is None
            else attention_mask.sum(dim=1)
        )
        cycles = (lengths + TOKENS_OF_A_CYCLE - 1) // TOKENS_OF_A_CYCLE
        for done in range(1, int(cycles.max())):
            goes_on = (cycles > done)[:, None, None]
            h = torch.where(goes_on, block.forward(h), h)
        return h


@final
class Block(nn.Module):
    """h + attention of RMSNorm(h)."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(hidden)
        self.self_attn = Attention(hidden, heads)

    def forward(self, h: Tensor) -> Tensor:
        """(batch, token, unit)."""
        return h + torch.as_tensor(self.self_attn(self.input_layernorm(h)))


@final
class RMSNorm(nn.Module):
    """w x / √(mean of x² over units + 10⁻⁶), in float32."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, token, unit)."""
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + EPSILON)
        return self.weight * (wide * scale).to(x.dtype)


@final
class Attention(nn.Module):
    """Causal attention of many heads; softmax in float32."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        # drawn from the seed afterwards: what torch would draw is not waited for
        empty: Any = nn.utils.skip_init
        self.q_proj = empty(nn.Linear, hidden, hidden, bias=False)
        self.k_proj = empty(nn.Linear, hidden, hidden, bias=False)
        self.v_proj = empty(nn.Linear, hidden, hidden, bias=False)
        self.o_proj = empty(nn.Linear, hidden, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, token, unit); some heads at a time, so that memory stays bounded."""
        batch, tokens, hidden = x.shape
        size = hidden // self.heads
        q, k, v = (
            layer(x).view(batch, tokens, self.heads, size).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        later = torch.ones(tokens, tokens, dtype=torch.bool, device=x.device).triu(1)
        mixed = torch.empty_like(v)
        step = max(1, _ATTENTION_BYTES // (4 * batch * tokens * tokens))
        for start in range(0, self.heads, step):
            part = slice(start, start + step)
            scores = q[:, part] @ k[:, part].transpose(2, 3) * size**-0.5
            weights = scores.masked_fill(later, float("-inf")).softmax(-1, dtype=torch.float32)
            mixed[:, part] = weights.to(v.dtype) @ v[:, part]
        return torch.as_tensor(self.o_proj(mixed.transpose(1, 2).reshape(batch, tokens, hidden)))


@final
class DrawnEmbedding(nn.Module):
    """An embedding whose rows are drawn when they are needed, see `embedding_rows`.

    Args:
        vocabulary: number of rows.
        hidden: width.
        seed: of all of them.
    """

    def __init__(self, vocabulary: int, hidden: int, seed: int) -> None:
        super().__init__()
        self.vocabulary, self.hidden, self.seed = vocabulary, hidden, seed
        self.standard_deviation = STANDARD_DEVIATION

    def forward(self, ids: Tensor) -> Tensor:
        """(batch, token, unit) rows.

        Raises:
            IndexError: for an id outside the vocabulary, as of a table.
        """
        different, place = torch.unique(ids, return_inverse=True)
        numbers = different.tolist()
        if numbers and not 0 <= numbers[0] <= numbers[-1] < self.vocabulary:
            raise IndexError(f"Token {numbers[-1]} of a vocabulary of {self.vocabulary}.")
        rows = torch.from_numpy(embedding_rows(numbers, self.hidden, self.seed))
        return rows.to(ids.device)[place]

    def table(self) -> Tensor:
        """All rows."""
        return torch.from_numpy(embedding_rows(range(self.vocabulary), self.hidden, self.seed))


def drawn(architecture: Architecture, seed: int, *, embedding: str = "drawn") -> Suma:
    """A network whose weights are those of `seed`, in evaluation mode.

    Args:
        architecture: sizes.
        seed: of all weights.
        embedding: see `Suma`; a table is filled with the very rows that are drawn otherwise.
    """
    network = Suma(architecture, seed, embedding=embedding)
    attention = network.layers[0].self_attn
    with torch.no_grad():
        for number, name in enumerate(PROJECTIONS):
            weights = torch.from_numpy(projection(number, architecture.hidden, seed))
            getattr(attention, name).weight = nn.Parameter(weights, requires_grad=False)
        if isinstance(network.embed_tokens, nn.Embedding):
            rows = DrawnEmbedding(architecture.vocabulary, architecture.hidden, seed).table()
            network.embed_tokens.weight.copy_(rows)
    return network.eval()
