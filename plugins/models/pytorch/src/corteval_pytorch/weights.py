"""Weights of networks: drawn under a seed, read from safetensors, converted once from checkpoints.

A checkpoint (``.pth``) is a pickle, which may run code when it is read. So it is read as tensors
only, from bytes whose SHA-256 is known, and written as safetensors beside the downloads; from then
on the pickle is not opened again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from corteval import settings
from corteval.cards import Resource
from corteval.errors import FetchError, OptionError, PluginError, WrongContent
from corteval.fetch import fetch

log = logging.getLogger(__name__)

#: Raised when conversion writes something else.
_CONVERSION = 1


@contextlib.contextmanager
def initialised(seed: int) -> Iterator[None]:
    """Draw what is drawn inside under `seed`, and leave the global generators as they were."""
    with torch.random.fork_rng(devices=generators()):
        torch.manual_seed(seed)
        yield


def generators() -> list[int]:
    """Devices whose global generators are in use, beside the CPU's."""
    return [*range(torch.cuda.device_count())] if torch.cuda.is_initialized() else []


def load_weights(network: nn.Module, path: Path | str) -> None:
    """Load a safetensors file into `network`; every weight must be there and fit.

    Raises:
        OptionError: the file is no safetensors file, or holds other weights.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise OptionError(f"{path} is no readable safetensors file: {error}") from error
    load_state(network, state, str(path))


def load_state(network: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Load tensors by name into `network`; counters of batches may be absent.

    Raises:
        OptionError: names what is missing, unexpected or of another shape.
    """
    own = network.state_dict()
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    unexpected = [k for k in state if k not in own]
    odd = [
        f"{k} {tuple(state[k].shape)} for {tuple(own[k].shape)}"
        for k in own
        if k in state and state[k].shape != own[k].shape
    ]
    if missing or unexpected or odd:
        parts = [
            f"{what}: {', '.join(names[:4])}{', ...' if len(names) > 4 else ''}"
            for what, names in (("missing", missing), ("unexpected", unexpected), ("shapes", odd))
            if names
        ]
        raise OptionError(
            f"The weights of {origin} do not fit {type(network).__name__} ({'; '.join(parts)})."
        )
    network.load_state_dict(dict(state), strict=False)


def convert_checkpoint(resource: Resource, *, prefix: str = "module.", trust: bool = False) -> Path:
    """Path of the weights of a public checkpoint as safetensors, downloaded and converted once.

    Args:
        resource: pinned by its SHA-256.
        prefix: taken off the names of tensors.
        trust: allow a pickle with more than tensors in it. Its bytes are the pinned ones, but they
            run code, so this is for checkpoints that the specification of a model excepts.

    Raises:
        FetchError: the file was not had.
        PluginError: it holds no weights, or needs `trust`.
    """
    path = (
        settings.home()
        / "weights"
        / f"{resource.digest}-{_CONVERSION}{_suffix(prefix)}.safetensors"
    )
    if not path.is_file():
        _write(read_checkpoint(fetch(resource), prefix=prefix, trust=trust), path, resource)
    return path


def given_weights(
    path: Path | str, *, sha256: str | None = None, prefix: str = "module.", trust: bool = False
) -> dict[str, Tensor]:
    """Tensors of a file the user has: safetensors, or a checkpoint.

    Args:
        path: of the file.
        sha256: of its bytes, all or the beginning; compared if given.
        prefix: taken off the names of tensors.
        trust: see `convert_checkpoint`.

    Raises:
        OptionError: there is no such file.
        WrongContent: its bytes are others.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise OptionError(f"There is no file {file} with weights.")
    if sha256 is not None:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if len(sha256) < 8 or not found.startswith(sha256.lower()):
            raise WrongContent(f"{file} has sha256 {found}, not {sha256}; it is another file.")
    return read_checkpoint(file, prefix=prefix, trust=trust)


def read_checkpoint(
    path: Path, *, prefix: str = "module.", trust: bool = False
) -> dict[str, Tensor]:
    """Tensors of a checkpoint by name: of its ``state_dict`` if it has one.

    Raises:
        PluginError: it cannot be read as tensors only, or holds none.
    """
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            content: Any = load_file(path)
        except (SafetensorError, OSError) as error:
            raise PluginError(f"{path} is no readable safetensors file: {error}") from error
    else:
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
            if not trust or not isinstance(error, pickle.UnpicklingError):
                raise PluginError(
                    f"{path} cannot be read as tensors only: {str(error).splitlines()[0]} A pickle "
                    "with other things in it may run code; `trust=True` allows that, if you trust "
                    "who made the file."
                ) from error
            log.warning("%s is a pickle with more than tensors; reading it may run code.", path)
            content = torch.load(path, map_location="cpu", weights_only=False)
    state = content.get("state_dict", content) if isinstance(content, Mapping) else {}
    tensors = {
        str(name).removeprefix(prefix): value
        for name, value in state.items()
        if isinstance(value, Tensor)
    }
    if not tensors:
        raise PluginError(f"{path} holds no tensors by name.")
    return tensors


def _write(state: Mapping[str, Tensor], path: Path, resource: Resource) -> None:
    from safetensors.torch import save_file

    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {name: tensor.contiguous().clone() for name, tensor in state.items()}
        origin = {"origin": resource.url, resource.algorithm: resource.digest}
        save_file(content, unfinished, origin)
        unfinished.replace(path)
    except OSError as error:
        raise FetchError(
            f"The weights of {resource.filename} cannot be written to {path.parent}: "
            f"{error.strerror or error}. Set CORTEVAL_HOME to another folder."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _suffix(prefix: str) -> str:
    """Keeps conversions with different prefixes apart."""
    return "" if prefix == "module." else "-" + hashlib.sha256(prefix.encode()).hexdigest()[:8]
