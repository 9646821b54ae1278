"""Factories of the CORnet subjects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from torch import nn

from corteval.model import LayerCommitment
from corteval.readouts import LogisticProbabilities, OddOneOutByDotProduct
from corteval_cornet.r import CORnetR
from corteval_cornet.s import CORnetS
from corteval_cornet.times import CORNET_R, CORNET_S, CORNET_Z, TimeMap, relative_of_s
from corteval_cornet.weights import Published, trained
from corteval_cornet.z import CORnetZ
from corteval_pytorch import (
    Preprocessing,
    commit,
    default_device,
    imagenet_logits,
    initialised,
    load_state,
)

_ADDRESS = "https://s3.amazonaws.com/cornet-models"


@final
@dataclass(frozen=True, kw_only=True)
class Variant:
    """A network, when its steps answer, and where its weights are published.

    Args:
        network: builds it with freshly drawn weights.
        times: its time map.
        published: its trained weights; None if no address is known.
    """

    network: Callable[[], nn.Module]
    times: TimeMap
    published: Published | None = None


def _public(letter: str, prefix: str) -> Published:
    return Published(url=f"{_ADDRESS}/cornet_{letter}-{prefix}.pth", prefix=prefix)


#: By identifier. Source: spec ``models`` section 1.
VARIANTS: Mapping[str, Variant] = {
    "cornet-s": Variant(network=CORnetS, times=CORNET_S, published=_public("s", "1d3f7974")),
    "cornet-z": Variant(network=CORnetZ, times=CORNET_Z, published=_public("z", "5c427c9c")),
    "cornet-r": Variant(
        network=lambda: CORnetR(biological_time=False),
        times=CORNET_R,
        published=_public("r", "5930a990"),
    ),
    "cornet-rt": Variant(
        network=lambda: CORnetR(biological_time=True),
        times=CORNET_R,
        published=_public("rt", "933c001c"),
    ),
    "cornet-s222": Variant(
        network=lambda: CORnetS(steps=(2, 2, 2)), times=relative_of_s((2, 2, 2), 100)
    ),
    "cornet-s444": Variant(
        network=lambda: CORnetS(steps=(4, 4, 4)), times=relative_of_s((4, 4, 4), 50)
    ),
    "cornet-s484": Variant(
        network=lambda: CORnetS(steps=(4, 8, 4), bottleneck=False),
        times=relative_of_s((4, 8, 4), 50),
    ),
    "cornet-s10": Variant(
        network=lambda: CORnetS(steps=(10, 10, 10), bottleneck=False),
        times=relative_of_s((10, 10, 10), 20),
    ),
}


def build(
    identifier: str, weights: str | Path | None = None, sha256: str | None = None
) -> LayerCommitment:
    """A trained CORnet.

    Args:
        identifier: key of `VARIANTS`.
        weights: file of trained weights (.pth or .safetensors); None looks into the mirror.
        sha256: of that file; needed if it is not the published one.

    Raises:
        FetchError: if there are no weights; says what to download and how to pass it.
        OptionError, WrongContent: if they are not what they should be.
    """
    variant = VARIANTS[identifier]
    found = trained(identifier, variant.published, weights, sha256)
    with initialised(0):
        network = variant.network()
    load_state(network, found.state, found.origin)
    return _commitment(identifier, network, variant.times, found.notes)


def build_untrained(identifier: str, seed: int = 0) -> LayerCommitment:
    """A CORnet with weights drawn as its training begins.

    Args:
        identifier: key of `VARIANTS`, and ``-untrained``.
        seed: of the weights.
    """
    variant = VARIANTS[identifier.removesuffix("-untrained")]
    with initialised(seed):
        network = variant.network()
    return _commitment(identifier, network, variant.times, (f"random weights (seed {seed})",))


def _commitment(
    identifier: str, network: nn.Module, layers: TimeMap, notes: tuple[str, ...]
) -> LayerCommitment:
    # Squashed to a square and normalised as ImageNet is, as the field scores these networks. They
    # were trained and validated on crops, so accuracies on ImageNet are others.
    return commit(
        network,
        Preprocessing(size=224, resize="squash"),
        layers,
        identifier=identifier,
        visual_degrees=8.0,
        readouts=(
            imagenet_logits("decoder.linear"),
            LogisticProbabilities(layer="decoder.avgpool"),
            OddOneOutByDotProduct(layer="decoder.avgpool"),
        ),
        notes=notes,
        device=default_device(),
    )
