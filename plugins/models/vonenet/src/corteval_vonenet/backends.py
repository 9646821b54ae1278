"""Networks behind VOneNet's bottleneck: ResNet-50 and AlexNet without their first stages.

Parameters are called as in torchvision's networks, from which checkpoints of the field derive.
Source: He et al. 2016; Krizhevsky 2014; spec ``models`` section 2.
"""

from __future__ import annotations

from typing import final

import torch
from torch import nn
from torch.nn import functional

BOTTLENECK_CHANNELS = 64
CLASSES = 1000

_EXPANSION = 4
_DROPOUT = 0.5


@final
class ResidualBlock(nn.Module):
    """1 x 1, 3 x 3 (with the stride) and 1 x 1 convolutions, added to a shortcut.

    Args:
        channels_in: of the input.
        width: of the inner convolutions; the output has 4 times as many channels.
        stride: of the middle convolution; a shortcut that cannot be the identity is a 1 x 1
            convolution.
    """

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = _EXPANSION * width
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, channels_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels_out)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels_in != channels_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False),
                nn.BatchNorm2d(channels_out),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels_in, row, column) to (batch, 4 width, row / stride, column / stride)."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return functional.relu(y + (x if self.downsample is None else self.downsample(x)))


@final
class ResNet50BackEnd(nn.Module):
    """ResNet-50 from ``layer1`` on; it takes (batch, 64, 56, 56)."""

    def __init__(self) -> None:
        super().__init__()
        stages, channels = [], BOTTLENECK_CHANNELS
        for stage, blocks in enumerate((3, 4, 6, 3)):
            width = BOTTLENECK_CHANNELS * 2**stage
            parts = []
            for number in range(blocks):
                parts.append(ResidualBlock(channels, width, 2 if stage and not number else 1))
                channels = _EXPANSION * width
            stages.append(nn.Sequential(*parts))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, CLASSES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (batch, class)."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.as_tensor(self.fc(torch.flatten(self.avgpool(x), 1)))


@final
class AlexNetBackEnd(nn.Module):
    """AlexNet from its second convolution on; it takes (batch, 64, 56, 56)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(BOTTLENECK_CHANNELS, 192, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Dropout(_DROPOUT),
            nn.Linear(256 * 7 * 7, 4096),
            nn.ReLU(),
            nn.Dropout(_DROPOUT),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, CLASSES),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (batch, class)."""
        x = torch.flatten(self.avgpool(self.features(x)), 1)
        return torch.as_tensor(self.classifier(x))
