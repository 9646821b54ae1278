"""Factories of the GPT-2 subjects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from corteval.errors import FetchError
from corteval.model import LayerCommitment
from corteval.surprisal import Base, FirstWord, SurprisalSpec
from corteval_gpt2.card import SIZES, VOCABULARY, WINDOW, Size
from corteval_gpt2.tokens import chosen
from corteval_pytorch import default_device
from corteval_pytorch.text import Pooling, text_commit
from corteval_transformers.layers import TARGETS, blocks_of, default_layer, full_name
from corteval_transformers.library import transformers
from corteval_transformers.model import build as build_member
from corteval_transformers.sources import random_module


def build(
    identifier: str,
    *,
    folder: Path | str | None = None,
    revision: str | None = None,
    layers: Mapping[str, Any] | None = None,
    pooling: Pooling = "last",
    bos: bool | None = None,
    base: Base = "bits",
    word_boundary: bool = False,
    first_word: FirstWord | None = None,
    window: int | None = None,
    stride: int | None = None,
    batch_tokens: int = 2048,
    device: str | None = None,
    dtype: str = "float32",
) -> LayerCommitment:
    """A trained GPT-2, with the tokenizer that lies beside its weights.

    Args:
        identifier: key of `SIZES`.
        folder: with weights as safetensors, configuration and tokenizer, instead of the hub.
        revision: of the repository: branch, tag or commit.
        layers: recording target -> layers, such as ``"h.5"`` or ``"drop"``, laid over the
            committed one.
        pooling, bos, base, word_boundary, first_word, window, stride, batch_tokens, device, dtype:
            see `corteval_transformers.model.build`.

    Raises:
        FetchError: the weights are not at hand and cannot be downloaded; with the next steps.
    """
    size = SIZES[identifier]
    try:
        return build_member(
            size.repository,
            folder=folder,
            revision=revision,
            layers=layers,
            pooling=pooling,
            bos=bos,
            base=base,
            word_boundary=word_boundary,
            first_word=first_word,
            window=window,
            stride=stride,
            batch_tokens=batch_tokens,
            device=device,
            dtype=dtype,
            identifier=identifier,
        )
    except FetchError as error:
        raise FetchError(
            f"The weights of {identifier} were not had. {error} Here that is "
            f'corteval.models.create("{identifier}", folder="..."). Random weights need the '
            f"vocabulary only: {identifier}-untrained."
        ) from error


def build_untrained(
    identifier: str,
    *,
    seed: int = 0,
    tokenizer: Path | str | None = None,
    layers: Mapping[str, Any] | None = None,
    pooling: Pooling = "last",
    bos: bool = True,
    base: Base = "bits",
    word_boundary: bool = False,
    first_word: FirstWord | None = None,
    window: int = WINDOW,
    stride: int | None = None,
    batch_tokens: int = 2048,
    device: str | None = None,
    dtype: str = "float32",
) -> LayerCommitment:
    """A GPT-2 with weights drawn as its training begins; no weights are downloaded.

    Args:
        identifier: key of `SIZES` and ``-untrained``; what follows is part of the name.
        seed: of the weights.
        tokenizer: None is GPT-2's; a folder; or ``"bytes"``, see `corteval_gpt2.tokens.chosen`.
        layers: as in `build`.
        pooling, bos, base, word_boundary, first_word, window, stride, batch_tokens, device, dtype:
            as in `build`.

    Raises:
        FetchError: the files of GPT-2's tokenizer cannot be had; with the next steps.
    """
    name = identifier.partition("-untrained")[0]
    reads = chosen(tokenizer, identifier)  # a quick mistake comes before slow drawing
    module = random_module(config_of(SIZES[name]), seed).module
    given = {target: _full(layer, module) for target, layer in (layers or {}).items()}
    block, selection = default_layer(name, blocks_of(module, module.config))
    default = {target: block for target in TARGETS if target not in given}
    return text_commit(
        module,
        reads.tokenizer,
        given | default,
        identifier=identifier,
        window=window,
        stride=stride,
        pooling=pooling,
        surprisal=SurprisalSpec(
            base=base,
            bos=bos,
            word_boundary=word_boundary,
            first_word=first_word or ("scored" if bos else "nan"),
        ),
        notes=(f"random weights (seed {seed})", *reads.notes),
        layer_notes=(selection,) if default else (),
        batch_tokens=batch_tokens,
        device=device or default_device(),
        dtype=dtype,
    )


def config_of(size: Size) -> Any:
    """The configuration of a size, as transformers takes it; nothing is read from a file."""
    return transformers.GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=WINDOW,
        n_embd=size.width,
        n_layer=size.blocks,
        n_head=size.heads,
        architectures=["GPT2LMHeadModel"],
    )


def without_weights(size: Size) -> nn.Module:
    """The network of a size on the meta device: shapes and names, and no memory."""
    with torch.device("meta"):
        network: nn.Module = transformers.GPT2LMHeadModel(config_of(size))
    return network


def _full(layer: Any, module: nn.Module) -> Any:
    if isinstance(layer, (tuple, list)):
        return tuple(full_name(part, module) for part in layer)
    return full_name(layer, module) if isinstance(layer, str) else layer
