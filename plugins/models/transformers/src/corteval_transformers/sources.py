"""Models and tokenizers from the hub, its folder on this machine, or a local folder."""

from __future__ import annotations

import contextlib
import socket
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from urllib.parse import urlsplit

import torch
from torch import nn

from corteval import settings
from corteval.errors import FetchError, OptionError
from corteval_pytorch import initialised
from corteval_transformers.library import transformers
from corteval_transformers.tokenizer import FastTokenizer

_HOW = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


@final
@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a model comes from.

    Args:
        name: of the repository, for messages.
        folder: a local one; None is the hub.
        revision: of the repository.
        trust_remote_code: run code that the repository brings; never unless asked for.
    """

    name: str
    folder: Path | None = None
    revision: str | None = None
    trust_remote_code: bool = False

    @property
    def place(self) -> str:
        """What transformers is told."""
        return self.name if self.folder is None else str(self.folder)

    @property
    def described(self) -> str:
        """In words, for notes."""
        if self.folder is not None:
            return f"the folder {self.folder.name}"
        return f"{self.name} of the hub" + (f", revision {self.revision}" if self.revision else "")


@final
@dataclass(frozen=True)
class Loaded:
    """A module, and whether it was made to predict words.

    Args:
        module: in evaluation mode.
        predicts: whether its logits are trained, or were to be.
    """

    module: nn.Module
    predicts: bool


def config_of(source: Source) -> Any:
    """The configuration of a model."""
    return _loaded(transformers.AutoConfig, source)


def tokenizer_of(source: Source) -> FastTokenizer:
    """Its tokenizer.

    Raises:
        OptionError: if it does not tell where its tokens come from.
    """
    return FastTokenizer(_loaded(transformers.AutoTokenizer, source, use_fast=True))


def random_module(config: Any, seed: int) -> Loaded:
    """A model with weights drawn by its own initialisation under `seed`, from `config` alone."""
    with initialised(seed):
        if _predicts(config):
            module = transformers.AutoModelForCausalLM.from_config(config)
            return Loaded(_ready(module), True)
        return Loaded(_ready(transformers.AutoModel.from_config(config)), False)


def trained_module(source: Source, config: Any, dtype: str) -> Loaded:
    """A model with its trained weights, of safetensors only.

    A language model whose repository has no weights for predicting words is loaded without them.

    Raises:
        FetchError: weights are not at hand and cannot be downloaded; with the next steps.
        OptionError: there are none as safetensors, or they are those of another model.
    """
    options = {
        "config": config,
        "use_safetensors": True,
        "dtype": _HOW[dtype],
        "output_loading_info": True,
    }
    if _predicts(config):
        module, info = _loaded(transformers.AutoModelForCausalLM, source, **options)
        if not info["missing_keys"]:
            return Loaded(_ready(module), True)
    module, info = _loaded(transformers.AutoModel, source, **options)
    missing = [key for key in info["missing_keys"] if "pooler" not in key]
    if missing:
        raise OptionError(
            f"The weights of {source.described} do not fill {type(module).__name__}; missing are "
            f"{', '.join(sorted(missing)[:4])}. Random numbers would stand there instead."
        )
    return Loaded(_ready(module), False)


def is_causal(module: nn.Module, vocabulary: int) -> bool:
    """Whether what a model computes of a token depends on the tokens before it alone.

    Found out by another last token, since configurations do not say it reliably.
    """
    ids = torch.arange(6)[None] % max(2, vocabulary)
    other = ids.clone()
    other[0, -1] = (other[0, -1] + 1) % max(2, vocabulary)
    with torch.inference_mode():
        first, second = (
            _first(module(input_ids=i, attention_mask=torch.ones_like(i))) for i in (ids, other)
        )
    apart = (first[:, :-1] - second[:, :-1]).abs().max()
    return bool(apart <= 1e-4 * first.abs().max())


def _first(output: Any) -> torch.Tensor:
    found = output[0] if isinstance(output, (tuple, list)) or hasattr(output, "keys") else output
    return found.float()


def _predicts(config: Any) -> bool:
    """Whether the model of a configuration is a causal language model."""
    if getattr(config, "is_encoder_decoder", False):
        return False
    kind = type(config)
    if kind not in transformers.MODEL_FOR_CAUSAL_LM_MAPPING and not _own_code(config):
        return False
    named = " ".join(getattr(config, "architectures", None) or ())
    if "CausalLM" in named or "LMHead" in named:
        return "Bert" not in named
    return kind not in transformers.MODEL_FOR_MASKED_LM_MAPPING


def _own_code(config: Any) -> bool:
    return "AutoModelForCausalLM" in (getattr(config, "auto_map", None) or {})


def _ready(module: Any) -> nn.Module:
    """An encoder is taken out of an encoder-decoder; paths are no part of a model."""
    if getattr(module.config, "is_encoder_decoder", False):
        module = module.get_encoder()
    module.config.use_cache = False
    if hasattr(module, "generation_config"):
        module.generation_config = None  # of what is not done here; it differs between processes
    for part in module.modules():
        for owner in (part, getattr(part, "config", None)):
            for name in ("name_or_path", "_name_or_path"):
                if owner is not None and isinstance(vars(owner).get(name), str):
                    setattr(owner, name, "")
    ready: nn.Module = module.eval()
    return ready


def _loaded(auto: Any, source: Source, **options: Any) -> Any:
    """What an Auto class makes of `source`, with errors that say the next step."""
    offline = _offline() if source.folder is None else ""
    try:
        with _quiet():
            return auto.from_pretrained(
                source.place,
                revision=source.revision,
                trust_remote_code=source.trust_remote_code,
                local_files_only=bool(offline) or source.folder is not None,
                **options,
            )
    except (OSError, ValueError, ImportError, KeyError) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        if "safetensors" in reason and "use_safetensors" in options:
            raise OptionError(
                f"{source.described} has no weights as safetensors, and pickles may run code: "
                f"{reason}"
            ) from error
        if source.folder is None and isinstance(error, OSError):
            raise FetchError(_not_had(source, offline or reason)) from error
        hint = (
            " It brings code of its own; if you trust who wrote it, give trust_remote_code=True."
            if "trust_remote_code" in str(error)
            else ""
        )
        raise OptionError(f"{source.described} cannot be read: {reason}{hint}") from error


def _not_had(source: Source, reason: str) -> str:
    from huggingface_hub import constants

    return (
        f"hf/{source.name} was not had from {constants.ENDPOINT} ({reason}). With a connection it "
        f"is downloaded into HF_HOME ({constants.HF_HOME}). Without one, bring that folder along "
        "and set HF_HUB_OFFLINE=1, or give a folder that save_pretrained wrote: "
        f'corteval.models.create("hf/{source.name}", folder="...").'
    )


def _offline() -> str:
    """Why the hub is not asked; empty if it is."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    if settings.offline():
        return f"offline is set ({settings.setting('offline').origin})"
    host = urlsplit(constants.ENDPOINT).hostname or ""
    if urllib.request.getproxies():
        return ""
    try:
        socket.getaddrinfo(host, 443)
    except OSError as error:
        return f"{host}: {error.strerror or error}"
    return ""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No bars and reports of transformers; what matters is raised here."""
    log = transformers.utils.logging
    before = log.get_verbosity()
    bars = log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(before)
        if bars:
            log.enable_progress_bar()


def window_of(config: Any, tokenizer: Any) -> int | None:
    """Most tokens that a model reads in one go; None if nothing limits them."""
    sizes: Mapping[str, Any] = {
        key: getattr(config, key, None)
        for key in ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")
    }
    if getattr(config, "is_encoder_decoder", False) and not sizes["max_position_embeddings"]:
        sizes = {}  # T5 counts no positions
    known = [size for size in sizes.values() if isinstance(size, int) and size > 0][:1]
    if known and "roberta" in str(getattr(config, "model_type", "")):
        known = [known[0] - int(config.pad_token_id or 0) - 1]  # positions begin after padding
    limit = getattr(tokenizer, "model_max_length", None)
    if isinstance(limit, int) and 0 < limit < 10**9:
        known.append(limit)
    return min(known) if known else None
