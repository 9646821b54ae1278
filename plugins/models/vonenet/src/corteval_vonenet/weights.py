"""Trained weights of VOneNets: where they are published, and how a user's file is read."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from corteval.errors import FetchError, OptionError
from corteval_pytorch import given_weights, load_state

_ADDRESS = "https://vonenet-models.s3.us-east-2.amazonaws.com"

#: Tensors of adversarial training that say nothing about responses.
_OF_TRAINING = ("vone_block.div_u", "vone_block.div_t")


def absent(identifier: str, filename: str, sha1: str | None) -> FetchError:
    """The error that says how to come by the trained weights of `identifier`."""
    known = f" Only its sha1 is known: {sha1}." if sha1 else ""
    return FetchError(
        f"The trained weights of {identifier} are not here. Their sha256 is not known, and "
        "Corteval downloads nothing it cannot verify, so fetch them yourself:\n"
        f"  download {_ADDRESS}/{filename}{known}\n"
        "Then do one of these:\n"
        f'  (1) from Python, corteval.models.create("{identifier}", weights="{filename}", '
        'sha256="...")\n'
        "  (2) use random weights behind the same V1: an identifier that ends in -untrained"
    )


def load(
    network: nn.Module, path: Path, sha256: str | None, *, trust: bool, identifier: str
) -> None:
    """Load a user's file into `network`, filters of V1 included.

    Raises:
        OptionError: there is no such file, its sha256 was not given, or it is of another network.
        WrongContent: it has another sha256.
    """
    if sha256 is None and path.is_file():
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        raise OptionError(
            f"{identifier}: nothing is published to check {path} against. If it is the file you "
            f"mean, pass sha256={found!r} too."
        )
    # the public checkpoints hold the settings of their training in a Namespace of argparse
    with torch.serialization.safe_globals([argparse.Namespace]):
        state = given_weights(path, sha256=sha256, trust=trust)
    kept: dict[str, Tensor] = {n: t for n, t in state.items() if n not in _OF_TRAINING}
    load_state(network, kept, str(path))
