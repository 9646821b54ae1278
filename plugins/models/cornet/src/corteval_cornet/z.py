"""CORnet-Z: feed-forward, one convolution an area."""

from __future__ import annotations

from collections import OrderedDict
from typing import final

import torch
from torch import nn

from corteval_cornet.decoder import decoder


def _area(features_in: int, features: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(features_in, features, kernel, stride, padding=kernel // 2),
            nonlin=nn.ReLU(),
            pool=nn.MaxPool2d(3, 2, padding=1),
            output=nn.Identity(),
        )
    )


@final
class CORnetZ(nn.Module):
    """Each area: convolution with bias (V1 7 x 7 stride 2, else 3 x 3), ReLU, maximum over 3 x 3.

    Weights are Xavier-uniform and biases zero. Source: spec ``models`` section 1, CORnet-Z.
    """

    def __init__(self) -> None:
        super().__init__()
        self.V1 = _area(3, 64, 7, 2)
        self.V2 = _area(64, 128, 3, 1)
        self.V4 = _area(128, 256, 3, 1)
        self.IT = _area(256, 512, 3, 1)
        self.decoder = decoder(512)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (batch, class) of images (batch, 3, height, width)."""
        logits: torch.Tensor = self.decoder(self.IT(self.V4(self.V2(self.V1(images)))))
        return logits
