"""The read-out that all CORnets but R2 share: spatial mean and a linear classifier."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

#: Classes of ImageNet, in the order of the logits.
CLASSES = 1000


def decoder(features: int) -> nn.Sequential:
    """Logits of a (batch, features, height, width) tensor."""
    return nn.Sequential(
        OrderedDict(
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            linear=nn.Linear(features, CLASSES),
        )
    )
