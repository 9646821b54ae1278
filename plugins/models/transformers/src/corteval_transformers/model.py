"""Subjects around transformers' models: members of the family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from corteval.errors import OptionError
from corteval.model import LayerCommitment
from corteval.surprisal import Base, FirstWord, SurprisalSpec
from corteval_pytorch import default_device
from corteval_pytorch.text import Pooling, Sees, text_commit
from corteval_transformers import sources
from corteval_transformers.layers import TARGETS, blocks_of, default_layer, full_name
from corteval_transformers.names import folder_of, parse
from corteval_transformers.tokenizer import FastTokenizer


def build(
    member: str,
    *,
    folder: Path | str | None = None,
    revision: str | None = None,
    seed: int | None = None,
    layers: Mapping[str, Any] | None = None,
    pooling: Pooling = "last",
    sees: Sees = "left",
    bos: bool | None = None,
    base: Base = "bits",
    word_boundary: bool = False,
    first_word: FirstWord | None = None,
    next_word: Literal["token", "word"] = "token",
    window: int | None = None,
    stride: int | None = None,
    batch_tokens: int = 2048,
    device: str | None = None,
    dtype: str = "float32",
    trust_remote_code: bool = False,
    identifier: str | None = None,
    layers_from: str = "",
) -> LayerCommitment:
    """A model of transformers as a subject.

    Args:
        member: a repository of the hub (``gpt2``, ``EleutherAI/pythia-160m``), or a folder below
            the current one that holds a model, which comes first. ``-untrained`` at the end draws
            random weights, ``-untrained-seed3`` under another seed, both from the configuration
            alone.
        folder: a folder anywhere that ``save_pretrained`` wrote, instead of the hub.
        revision: of the repository: branch, tag or commit.
        seed: of random weights, as ``-seedN``.
        layers: recording target -> layers, laid over the default of
            `corteval_transformers.layers`; with or without the prefix of the base model.
        pooling, sees, next_word, window, stride, batch_tokens: see
            `corteval_pytorch.text.text_commit`. The window is the model's if None.
        bos: whether a token of the beginning stands before every passage; by default if the
            tokenizer has one.
        base, word_boundary, first_word: see `corteval.surprisal.SurprisalSpec`. First words are
            scored if a token of the beginning stands before them.
        device: the first GPU if None, else the CPU.
        dtype: of the weights, and of `torch.autocast`.
        trust_remote_code: run code that the repository brings.
        identifier: name in tables.
        layers_from: who chose `layers`, for the notes; empty if the caller did.

    Raises:
        FetchError: the model is not at hand and cannot be downloaded; with the next steps.
        OptionError: there are no safetensors, no offsets, or no such layer.
    """
    if dtype not in ("float32", "bfloat16", "float16"):
        raise OptionError(f"dtype {dtype!r} is none of float32, bfloat16, float16.")
    named = parse(member, seed)
    source = sources.Source(
        name=named.name,
        folder=folder_of(named.name, folder),
        revision=revision,
        trust_remote_code=trust_remote_code,
    )
    config = sources.config_of(source)
    tokenizer = sources.tokenizer_of(source)
    if named.seed is None:
        loaded = sources.trained_module(source, config, dtype)
        note = f"weights of {source.described}"
    else:
        loaded = sources.random_module(config, named.seed)
        note = f"random weights (seed {named.seed}), configuration of {source.described}"
    module = loaded.module
    causal = sources.is_causal(module, int(getattr(config, "vocab_size", 2) or 2))
    spec = _conventions(tokenizer, bos, base, word_boundary, first_word)
    given = {target: _full(layer, module) for target, layer in (layers or {}).items()}
    chosen, chosen_by = (
        default_layer(named.name, blocks_of(module, module.config))
        if not (set(TARGETS) <= set(given))
        else ("", "")
    )
    default = {target: chosen for target in TARGETS if target not in given}
    return text_commit(
        module,
        tokenizer,
        given | default,
        identifier=identifier or f"hf/{member}",
        causal=causal,
        sees=sees,
        window=window or sources.window_of(config, tokenizer.tokenizer),
        stride=stride,
        pooling=pooling,
        surprisal=spec if causal and loaded.predicts else None,
        next_word=next_word if causal and loaded.predicts else "token",
        notes=(note, *_said(causal, loaded.predicts, sees)),
        layer_notes=(
            *([f"layers {layers_from}"] if given and layers_from else []),
            *([chosen_by] if default else []),
        ),
        batch_tokens=batch_tokens,
        device=device or default_device(),
        dtype=dtype,
    )


def _conventions(
    tokenizer: FastTokenizer,
    bos: bool | None,
    base: Base,
    word_boundary: bool,
    first_word: FirstWord | None,
) -> SurprisalSpec:
    marks = tokenizer.bos_id is not None if bos is None else bos
    return SurprisalSpec(
        base=base,
        bos=marks,
        word_boundary=word_boundary,
        first_word=first_word or ("scored" if marks else "nan"),
    )


def _said(causal: bool, predicts: bool, sees: Sees) -> list[str]:
    said = []
    if sees == "stimulus":
        said.append("every stimulus was read alone, without what came before it")
    elif not causal:
        how = "the whole passage" if sees == "passage" else "what came before, stimulus by stimulus"
        said.append(f"sees both sides of a token; it was shown {how}")
    if not (causal and predicts):
        said.append("predicts no words: it has no surprisal")
    return said


def _full(layer: Any, module: Any) -> Any:
    if isinstance(layer, str):
        return full_name(layer, module)
    if isinstance(layer, (tuple, list)):
        return tuple(_full(part, module) for part in layer)
    return layer
