"""Factories of the VOneNet subjects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from torch import nn

from corteval.model import LayerCommitment
from corteval.readouts import LogisticProbabilities, OddOneOutByDotProduct
from corteval.requests import TimeBin
from corteval_cornet.times import CORNET_S
from corteval_pytorch import (
    Preprocessing,
    commit,
    default_device,
    imagenet_logits,
    initialised,
)
from corteval_vonenet.backends import BOTTLENECK_CHANNELS, AlexNetBackEnd, ResNet50BackEnd
from corteval_vonenet.block import SIZE_PIXELS, VISUAL_DEGREES, Noise, VOneBlock, vone_block
from corteval_vonenet.cells import cell_coordinates, map_coordinates
from corteval_vonenet.gabors import CLASS_SF_MAX_CPD, CORRELATION, TRAINING_SF_MAX_CPD, gabors
from corteval_vonenet.network import VOneNet, cornet_s_back_end
from corteval_vonenet.weights import absent, load

_V1 = "vone_block"


@final
@dataclass(frozen=True, kw_only=True)
class Variant:
    """A network behind V1, what its layers stand for, and where its weights are published.

    Args:
        back_end: builds the network with freshly drawn weights.
        layers: recording target -> layer.
        behaviour: layer from which probabilities and similarity are read.
        logits: layer of ImageNet logits.
        noise: of V1.
        filename: of the published weights.
        sha1: of that file, if known.
    """

    back_end: Callable[[], nn.Module]
    layers: Mapping[str, Any]
    behaviour: str
    logits: str
    noise: Noise | None
    filename: str
    sha1: str | None = None


def _resnet(
    layers: tuple[str, str, str, str],
    filename: str,
    *,
    noise: Noise | None = "neuronal",
    sha1: str | None = None,
) -> Variant:
    return Variant(
        back_end=ResNet50BackEnd,
        layers=dict(zip(("V1", "V2", "V4", "IT"), layers, strict=True)),
        behaviour="model.avgpool",
        logits="model.fc",
        noise=noise,
        filename=filename,
        sha1=sha1,
    )


def _cornet_times() -> Mapping[str, Mapping[TimeBin, str]]:
    """Time map of CORnet-S, with V1 in front."""
    later = {
        area: {when: f"model.{layer}" for when, layer in CORNET_S[area].items()}
        for area in ("V2", "V4", "IT")
    }
    return {"V1": dict.fromkeys(CORNET_S["V1"], "vone_block.output-t0"), **later}


#: By identifier. Source of layers and file names: spec ``models`` section 2.
VARIANTS: Mapping[str, Variant] = {
    "voneresnet50": _resnet(
        ("model.layer2.0", "model.layer3.3", "model.layer3.0", "model.layer4.0"),
        "voneresnet50_e70.pth.tar",
    ),
    "voneresnet50-ns": _resnet(
        (_V1, "model.layer3.1", "model.layer2.1", "model.layer4.0"),
        "voneresnet50_ns_e70.pth.tar",
        noise=None,
        sha1="c270528818d6d7fc67a6aec86919d47311ad6221",
    ),
    "voneresnet50-at": _resnet(
        ("model.layer2.2", "model.layer3.0", "model.layer2.3", "model.layer4.0"),
        "voneresnet50_at_e96.pth.tar",
    ),
    "vonealexnet": Variant(
        back_end=AlexNetBackEnd,
        layers={
            "V1": "bottleneck",
            "V2": "model.features.2",
            "V4": "model.features.2",
            "IT": "model.avgpool",
        },
        behaviour="model.classifier.5",
        logits="model.classifier.6",
        noise=None,
        filename="vonealexnet_e70.pth.tar",
    ),
    "vonecornet-s": Variant(
        back_end=cornet_s_back_end,
        layers=_cornet_times(),
        behaviour="model.decoder.avgpool",
        logits="model.decoder.linear",
        noise="neuronal",
        filename="vonecornets_e70.pth.tar",
    ),
}


def build_v1(
    identifier: str = "vonenet-v1",
    noise: Noise | None = "neuronal",
    seed: int = 0,
    gabor_seed: int = 0,
    sf_min_cpd: float = 0.0,
    sf_max_cpd: float = CLASS_SF_MAX_CPD,
    correlation: float = CORRELATION,
    rand_param: bool = False,
) -> LayerCommitment:
    """V1 alone.

    Args:
        identifier: name in tables.
        noise: ``"neuronal"``, ``"gaussian"`` or None.
        seed: of the noise.
        gabor_seed: of the filters and their colours.
        sf_min_cpd, sf_max_cpd: bins of spatial frequency beyond are cut off.
        correlation: between size and frequency of filters.
        rand_param: filters are drawn evenly, not like those of neurons.
    """
    parameters = gabors(
        gabor_seed,
        sf_min_cpd=sf_min_cpd,
        sf_max_cpd=sf_max_cpd,
        correlation=correlation,
        rand_param=rand_param,
    )
    cells = cell_coordinates(parameters)
    return _commitment(
        identifier,
        VOneNet(vone_block(parameters, seed=gabor_seed, noise=noise)),
        {"V1": _V1},
        coordinates={_V1: cells},
        stochastic=noise is not None,
        seed=seed,
    )


def build(
    identifier: str,
    weights: str | Path | None = None,
    sha256: str | None = None,
    trust: bool = False,
    seed: int = 0,
) -> LayerCommitment:
    """A trained VOneNet; the filters of its V1 come from the file too.

    Args:
        identifier: key of `VARIANTS`.
        weights: file of trained weights, as published or as safetensors.
        sha256: of that file.
        trust: let a checkpoint with more than tensors and settings in it run code.
        seed: of the noise.

    Raises:
        FetchError: without `weights`; says what to download and how to pass it.
    """
    variant = VARIANTS[identifier]
    if weights is None:
        raise absent(identifier, variant.filename, variant.sha1)
    path = Path(weights).expanduser()
    v1 = vone_block(gabors(sf_max_cpd=TRAINING_SF_MAX_CPD), noise=variant.noise)
    with initialised(0):
        network = VOneNet(v1, variant.back_end())
    load(network, path, sha256, trust=trust, identifier=identifier)
    note = f"weights {path.name} given by the user (sha256 {sha256})"
    places = map_coordinates(len(v1.simple_conv_q0.weight))
    return _variant_commitment(identifier, variant, network, places, seed=seed, notes=(note,))


def build_untrained(
    identifier: str,
    seed: int = 0,
    noise_seed: int = 0,
    gabor_seed: int = 0,
    sf_max_cpd: float = TRAINING_SF_MAX_CPD,
) -> LayerCommitment:
    """A VOneNet whose V1 is as drawn and whose bottleneck and back-end have random weights.

    Args:
        identifier: key of `VARIANTS`, and ``-untrained``.
        seed: of the random weights.
        noise_seed: of the noise.
        gabor_seed: of the filters and their colours.
        sf_max_cpd: of the filters; 6 as where the public weights were trained, 9 as in
            ``vonenet-v1``.
    """
    variant = VARIANTS[identifier.removesuffix("-untrained")]
    parameters = gabors(gabor_seed, sf_max_cpd=sf_max_cpd)
    v1: VOneBlock = vone_block(parameters, seed=gabor_seed, noise=variant.noise)
    with initialised(seed):
        network = VOneNet(v1, variant.back_end())
    note = f"random weights behind V1 (seed {seed})"
    cells = cell_coordinates(parameters)
    return _variant_commitment(identifier, variant, network, cells, seed=noise_seed, notes=(note,))


def _variant_commitment(
    identifier: str,
    variant: Variant,
    network: VOneNet,
    cells: Mapping[str, np.ndarray],
    *,
    seed: int,
    notes: tuple[str, ...],
) -> LayerCommitment:
    v1 = {"bottleneck": map_coordinates(BOTTLENECK_CHANNELS), _V1: cells, f"{_V1}.output": cells}
    return _commitment(
        identifier,
        network,
        variant.layers,
        coordinates=v1,
        stochastic=variant.noise is not None,
        seed=seed,
        readouts=(
            imagenet_logits(variant.logits),
            LogisticProbabilities(layer=variant.behaviour),
            OddOneOutByDotProduct(layer=variant.behaviour),
        ),
        notes=notes,
    )


def _commitment(
    identifier: str, network: VOneNet, layers: Mapping[str, Any], **options: Any
) -> LayerCommitment:
    half = (0.5, 0.5, 0.5)
    return commit(
        network,
        Preprocessing(size=SIZE_PIXELS, resize="squash", mean=half, std=half),
        layers,
        identifier=identifier,
        visual_degrees=VISUAL_DEGREES,
        device=default_device(),
        **options,
    )
