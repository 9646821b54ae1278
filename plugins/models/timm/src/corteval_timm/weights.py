"""Networks of timm with random weights, trained ones from where timm has them, or a file's."""

from __future__ import annotations

import contextlib
import socket
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn

from corteval import settings
from corteval.errors import FetchError, OptionError
from corteval_pytorch import initialised
from corteval_timm.library import timm

_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".tar")
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def random_network(name: str, seed: int, options: Mapping[str, Any]) -> nn.Module:
    """The model `name` with weights drawn by timm's own initialisation under `seed`."""
    with initialised(seed):
        return _create(name, options, pretrained=False)


def network_from_file(name: str, path: Path | str, options: Mapping[str, Any]) -> nn.Module:
    """The model `name` with the weights of a local file, read as tensors only.

    The file may be the one that timm would download: names that timm translates are translated.

    Raises:
        OptionError: there is no such file, it holds no tensors, or those of another model.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise OptionError(f"There is no file {file} with weights of {name}.")
    if file.suffix not in _SUFFIXES:
        raise OptionError(
            f"{file}: weights are read from {', '.join(_SUFFIXES)}, not {file.suffix}."
        )
    try:
        return _create(
            name, options, pretrained=True, pretrained_cfg_overlay={"file": str(file.absolute())}
        )
    except OptionError:
        raise
    except Exception as error:  # timm and torch raise many kinds
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise OptionError(
            f"{file} cannot be read as weights of {name}, of which it must hold all, as tensors "
            f"and nothing else: {reason}"
        ) from error


def trained_network(name: str, options: Mapping[str, Any], *, identifier: str) -> nn.Module:
    """The model `name` with its trained weights, downloaded by timm where they are not at hand.

    Args:
        name: of timm.
        options: of `timm.create_model`.
        identifier: of the subject, for messages.

    Raises:
        FetchError: they are not at hand and cannot be downloaded; with the next steps.
    """
    config = timm.get_pretrained_cfg(name)
    address = _address(config)
    host = urlsplit(address).hostname or ""
    offline = settings.offline()
    reason = (
        f"offline is set ({settings.setting('offline').origin})" if offline else _unreachable(host)
    )
    if reason and not config.hf_hub_id and not _torch_file(address).is_file():
        raise FetchError(_not_had(identifier, address, reason))
    try:
        with _hub_offline(bool(reason)):
            return _create(name, options, pretrained=True)
    except OSError as error:  # the hub's errors, those of torch.hub and those of connections
        raise FetchError(_not_had(identifier, address, reason or _first_line(error))) from error


def origin_of(name: str) -> str:
    """In words, which weights `trained_network` gave: repository, revision and licence."""
    config = timm.get_pretrained_cfg(name)
    words = config.hf_hub_id or config.url
    revision = _revision(config)
    words += f", revision {revision[:12]}" if revision else ""
    return f"weights {words} (licence: {config.license or 'not stated'})"


def _create(name: str, options: Mapping[str, Any], **arguments: Any) -> nn.Module:
    try:
        network: nn.Module = timm.create_model(name, **arguments, **options)
    except TypeError as error:
        raise OptionError(f"timm does not take these model_options for {name}: {error}") from error
    return network.eval()


def _address(config: Any) -> str:
    """Where timm looks first: the file on the hub, or an address of its own."""
    from huggingface_hub import constants

    if not config.hf_hub_id:
        return str(config.url or "")
    file = config.hf_hub_filename or _HUB_FILES[0]
    return f"{constants.ENDPOINT}/{config.hf_hub_id}/resolve/main/{file}"


def _revision(config: Any) -> str:
    """Commit of the repository from which the weights in the hub's folder came, if known."""
    from huggingface_hub import try_to_load_from_cache

    if not config.hf_hub_id:
        return ""
    for file in (config.hf_hub_filename,) if config.hf_hub_filename else _HUB_FILES:
        path = try_to_load_from_cache(config.hf_hub_id, file)
        if isinstance(path, str):
            return Path(path).parent.name
    return ""


def _unreachable(host: str) -> str:
    """Why `host` cannot be reached, if its name is not known here; the hub retries for a minute."""
    if not host or urllib.request.getproxies():
        return ""
    try:
        socket.getaddrinfo(host, 443)
    except OSError as error:
        return f"{host}: {error.strerror or error}"
    return ""


@contextlib.contextmanager
def _hub_offline(offline: bool) -> Iterator[None]:
    """Let the hub look into its folder only, without changing the environment."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or offline
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _torch_file(address: str) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(address).path).name


def _not_had(identifier: str, address: str, reason: str) -> str:
    from huggingface_hub import constants

    on_hub = address.startswith(constants.ENDPOINT)
    place = (
        f"HF_HOME ({constants.HF_HOME})"
        if on_hub
        else f"TORCH_HOME ({_torch_file(address).parent})"
    )
    return (
        f"The weights of {identifier} were not had: {address} ({reason}). With a connection they "
        f"are downloaded into {place}. Without one, bring that folder along, or the file: "
        f'corteval.models.create("{identifier}", weights="{Path(address).name}"). '
        f"Random weights need neither: {identifier}-untrained."
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
