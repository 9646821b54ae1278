"""Subjects around timm's networks: members of the family, and classic models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from corteval.errors import OptionError
from corteval.model import LayerCommitment
from corteval.readouts import LogisticProbabilities, Logits, OddOneOutByDotProduct, Readout
from corteval_pytorch import commit, default_device, imagenet_categories
from corteval_timm import weights as sources
from corteval_timm.inputs import Resize, preprocessing_of
from corteval_timm.library import timm
from corteval_timm.names import Member, parse, trained_ones
from corteval_timm.regions import OUTPUT, described, penultimate, region_map


def build(
    member: str,
    *,
    seed: int | None = None,
    weights: Path | str | None = None,
    layers: Mapping[str, Any] | None = None,
    resize: Resize = "evaluation",
    image_size: int | None = None,
    visual_degrees: float = 8.0,
    model_options: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
    device: str | None = None,
    dtype: str = "float32",
    identifier: str | None = None,
    layers_from: str = "",
) -> LayerCommitment:
    """A model of timm as a subject.

    Args:
        member: timm's name. With a tag, as in ``resnet18.a1_in1k``, trained weights are
            downloaded; without, or ending in ``-untrained``, weights are random.
        seed: of random weights, 0 if None; ``-seedN`` at the end of the name says the same.
        weights: a local file with weights (safetensors, or a checkpoint of tensors only), instead
            of a download.
        layers: recording target -> layers, laid over the convention of `corteval_timm.regions`.
        resize: how images come to the size of the input, see `corteval_timm.inputs`.
        image_size: pixels of the input; if None those the network is built for.
        visual_degrees: field of view.
        model_options: further arguments of `timm.create_model`, such as ``{"img_size": 384}``.
        batch_size, dtype: see `corteval_pytorch.commit`.
        device: the first GPU if None, else the CPU.
        identifier: name in tables.
        layers_from: who chose `layers`, for the notes; empty if the caller did.
    """
    named = parse(member)
    if named.seed is not None and seed is not None:
        if named.seed not in (0, seed):
            raise OptionError(f"timm/{member} names one seed and the option seed={seed} another.")
        named = Member(architecture=named.architecture, tag=named.tag, seed=seed)
    if seed and (named.seed is None or weights is not None):
        raise OptionError(f"timm/{member}: seed={seed}, but only random weights are drawn.")
    options = dict(model_options or {})
    name = identifier or f"timm/{member}"
    network, note = _network(named, weights, options, name)
    pixels = _size(network, image_size, options)
    given = dict(layers or {})
    convention = {t: layer for t, layer in region_map(network).items() if t not in given}
    return commit(
        network,
        preprocessing_of(network, resize, pixels),
        given | convention,
        identifier=name,
        visual_degrees=visual_degrees,
        readouts=_readouts(network),
        notes=(note,),
        layer_notes=(
            *([f"layers {layers_from}"] if given and layers_from else []),
            *([described(convention)] if convention else []),
        ),
        batch_size=batch_size,
        device=device or default_device(),
        dtype=dtype,
    )


def _network(
    named: Member, weights: Path | str | None, options: Mapping[str, Any], identifier: str
) -> tuple[nn.Module, str]:
    """The network, and a note on its weights."""
    if weights is not None:
        return sources.network_from_file(named.name, weights, options), (
            f"weights of the file {Path(weights).name}"
        )
    if named.seed is None:
        network = sources.trained_network(named.name, options, identifier=identifier)
        return network, sources.origin_of(named.name)
    network = sources.random_network(named.name, named.seed, options)
    return network, f"random weights (seed {named.seed}); {trained_ones(named.architecture)}"


def _size(network: nn.Module, image_size: int | None, options: Mapping[str, Any]) -> int | None:
    """Pixels of the input; None for those of the weights' configuration."""
    config: Mapping[str, Any] = getattr(network, "pretrained_cfg", {})
    own = tuple(config.get("input_size") or ())[1:]
    built = options.get("img_size")
    if built is None and config.get("fixed_input_size") and image_size not in (None, *own):
        raise OptionError(
            f"{config.get('architecture')} is built for inputs of {' x '.join(map(str, own))} "
            f"pixels; for {image_size}, give model_options={{'img_size': {image_size}}}."
        )
    return built if image_size is None and isinstance(built, int) else image_size


def _readouts(network: nn.Module) -> tuple[Readout, ...]:
    features = penultimate(network)
    fitted: tuple[Readout, ...] = (
        LogisticProbabilities(layer=features),
        OddOneOutByDotProduct(layer=features),
    )
    subset = timm.data.infer_imagenet_subset(network)
    if not subset or getattr(network, "num_classes", 0) == 0:
        return fitted
    return (imagenet_logits(subset), *fitted)


def imagenet_logits(subset: str = "imagenet-1k") -> Logits:
    """Labels from logits over ImageNet's classes.

    A choice is a WordNet number (``n02510455``) or any of the words of a class (``"giant panda"``,
    ``"panda"``); a word of several classes, such as ``"crane"``, stands for all of them. Of the
    1,000 classes, it may be a category (``"cat"``), see `corteval_pytorch.imagenet_categories`.
    """
    info = timm.data.ImageNetInfo(subset)
    synsets = info.label_names()
    choices: dict[str, list[str]] = {}
    if subset == "imagenet-1k":
        choices |= {name: list(members) for name, members in imagenet_categories().items()}
    for synset in synsets:
        for word in info.label_name_to_description(synset).split(", "):
            choices.setdefault(word.casefold(), []).append(synset)
    return Logits(layer=OUTPUT, classes=synsets, choices=choices)
