"""Next words of several tokens: the most probable continuation, with the keys and values cached."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import torch
from torch import Tensor, nn

from corteval.errors import OptionError

#: Cached keys and values of a batch of continuations are kept below this.
_CACHE_BYTES = 256 * 2**20

#: What transformers calls the cache, by version.
_CACHE = ("cache", "past_key_values")


def check_caches(module: nn.Module, name: str) -> None:
    """Raise `OptionError` unless `module` takes a cache, as models of transformers do."""
    taken = inspect.signature(module.forward).parameters
    if not {"position_ids", "use_cache"} <= set(taken) or not set(_CACHE) & set(taken):
        raise OptionError(
            f"{name}: whole next words are found with a cache, and its module does not take "
            "use_cache, position_ids and cache. Use next_word='token'."
        )


def continued(
    module: nn.Module,
    ids: Tensor,
    ends: Tensor,
    first: Tensor,
    word_starts: Tensor,
    *,
    longest: int,
    window: int | None,
) -> Tensor:
    """The most probable tokens after each of several places, up to the next word.

        v_1 = first,   v_k = argmax_v p(v | what is read, v_1 ... v_{k-1}) until it begins a word

    The text is read once; each place goes on from the keys and values of what stands before it.

    Args:
        module: takes ``use_cache``, ``position_ids`` and ``cache`` (or ``past_key_values``).
        ids: (token) of a text.
        ends: (place) position of the last token read.
        first: (place) most probable token there.
        word_starts: by id, bool.
        longest: most tokens of a word.
        window: positions there are; None for any number.

    Returns:
        (place, longest) ids, -1 where the word has ended.
    """
    found = torch.full((len(ends), longest), -1, dtype=torch.long, device=ids.device)
    found[:, 0] = first
    if longest == 1:
        return found
    length = int(ends.max()) + 1
    read = ids[None, :length]
    output: Any = module(input_ids=read, attention_mask=torch.ones_like(read), use_cache=True)
    name = next(n for n in _CACHE if n in inspect.signature(module.forward).parameters)
    cache = next(c for n in _CACHE if (c := getattr(output, n, None)) is not None)
    places = max(1, _CACHE_BYTES // max(1, _bytes_of(cache)))
    for begin in range(0, len(ends), places):
        part = slice(begin, begin + places)
        end, token = ends[part], first[part]
        own = copy.deepcopy(cache)
        own.batch_repeat_interleave(len(end))
        mask = (torch.arange(length, device=ids.device)[None] <= end[:, None]).long()
        going_on = torch.ones(len(end), dtype=torch.bool, device=ids.device)
        for step in range(1, longest):
            position = end + step
            if window is not None:
                going_on &= position < window
                position = position.clamp(max=window - 1)
            mask = torch.cat([mask, mask.new_ones((len(end), 1))], dim=1)
            output = module(
                input_ids=token[:, None],
                attention_mask=mask,
                position_ids=position[:, None],
                use_cache=True,
                **{name: own},  # which takes the new keys and values in
            )
            token = output.logits[:, -1].argmax(dim=-1)
            going_on &= ~word_starts[token]
            if not going_on.any():
                break
            found[part, step] = torch.where(going_on, token, -1)
    return found


def _bytes_of(cache: Any) -> int:
    layers = getattr(cache, "layers", ())
    tensors = [t for layer in layers for t in (layer.keys, layer.values) if t is not None]
    return sum(t.numel() * t.element_size() for t in tensors)
