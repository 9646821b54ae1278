"""Which layers of an arbitrary network answer which recording target: a convention.

timm names the stages of a network (`feature_info`), from input to output. Of `n` stages, V1, V2, V4
and IT are the ones numbered

    ⌈n/4⌉, ⌈2n/4⌉, ⌈3n/4⌉, n        (from 1),

so that a ResNet's four layers are the four areas and a transformer's blocks are divided evenly.
Nothing is fitted to data. Stages that are no submodules of the network are left out; a network that
names no stage is taken apart into the members of its main sequence of blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from torch import nn

TARGETS = ("V1", "V2", "V4", "IT")

#: Where networks hold the pooled features of an image, the nearest to the classifier first.
_PENULTIMATE = ("head_drop", "head.drop", "head.global_pool", "global_pool", "fc_norm")

OUTPUT = "output"

#: Which element of its stages' outputs belongs to whole images, by class, if not the first: TNT
#: returns pixels within patches before patches.
_ELEMENTS = {"TNT": "[1]"}


def region_map(network: nn.Module) -> dict[str, str]:
    """The layer of each target by the module's convention."""
    found = stages(network)
    count = len(TARGETS)
    element = _ELEMENTS.get(type(network).__name__, "")
    return {
        target: found[ceil((k + 1) * len(found) / count) - 1] + element
        for k, target in enumerate(TARGETS)
    }


def stages(network: nn.Module) -> list[str]:
    """Dotted names of the stages of `network`, from input to output."""
    modules = dict(network.named_modules())
    named = dict.fromkeys(entry["module"] for entry in _feature_info(network))
    found = [_called(name, modules) for name in named if name in modules]
    return [name for name in found if name] or blocks(network)


def blocks(network: nn.Module) -> list[str]:
    """Members of the first sequence met on the way down the children with the most weights."""
    modules = dict(network.named_modules())
    prefix, module = "", network
    while True:
        members = [
            (f"{prefix}{name}", child)
            for name, child in module.named_children()
            if _weights(child) > 0
        ]
        if not members:
            return [prefix.removesuffix(".") or OUTPUT]
        if isinstance(module, (nn.Sequential, nn.ModuleList)) and len(members) > 1:
            return [name for member, _ in members if (name := _called(member, modules))]
        name, module = max(members, key=lambda member: _weights(member[1]))
        prefix = f"{name}."


def penultimate(network: nn.Module) -> str:
    """The layer with the features of the whole image; the output itself if none is known."""
    modules = dict(network.named_modules())
    return next((name for name in _PENULTIMATE if name in modules), OUTPUT)


def described(layers: Mapping[str, Any]) -> str:
    """`layers` in a note for the readers of a score."""
    return "layers by convention, at 1/4, 2/4, 3/4 and 4/4 of timm's stages: " + ", ".join(
        f"{target} {layer}" for target, layer in layers.items()
    )


def _feature_info(network: nn.Module) -> list[Mapping[str, Any]]:
    info = getattr(network, "feature_info", None)
    return list(getattr(info, "info", info) or [])


def _called(name: str, modules: Mapping[str, nn.Module]) -> str:
    """The last module within `name` that runs: lists are containers and never called."""
    while isinstance(modules[name], nn.ModuleList):
        if len(list(modules[name].children())) == 0:
            return ""
        name = f"{name}.{len(list(modules[name].children())) - 1}"
    return name


def _weights(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
