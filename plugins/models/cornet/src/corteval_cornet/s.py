"""CORnet-S and its relatives S222, S444, S484 and S10: recurrence within V2, V4 and IT."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import final

import torch
from torch import nn
from torch.nn import functional

from corteval_cornet.decoder import decoder

#: Features within an area, as a multiple of those it puts out.
SCALE = 4


@final
class StridedConv2d(nn.Conv2d):
    """A convolution whose stride is said with every call.

    The same weights serve with stride 2 at the first step and 1 later. Were the stride an
    attribute that is changed in between, two threads could not share a network.
    """

    def forward(self, input: torch.Tensor, stride: int = 1) -> torch.Tensor:
        """Convolve `input` (batch, feature, height, width)."""
        return functional.conv2d(input, self.weight, self.bias, stride, self.padding)


@final
class RecurrentArea(nn.Module):
    r"""One area whose convolutions are shared over time steps, while normalisations are not.

    With x = conv_input(below), at each step t:

        s = norm_skip(skip(x)) if t = 0, else x
        y = ReLU(norm1_t(conv1(x)))                     1 x 1, to 4 times the features
        y = ReLU(norm2_t(conv2(y)))                     3 x 3, stride 2 if t = 0
        x = ReLU(norm3_t(conv3(y)) + s)                 1 x 1; the output of step t

    Source: spec ``models`` section 1, CORnet-S and Variants.

    Args:
        features_in, features: of the area below, and of this one.
        steps: time steps.
        bottleneck: without it there is no conv1, conv2 widens by itself, and skip is 3 x 3
            instead of 1 x 1 (S484 and S10).
    """

    def __init__(
        self, features_in: int, features: int, *, steps: int, bottleneck: bool = True
    ) -> None:
        super().__init__()
        self.steps = steps
        self.bottleneck = bottleneck
        wide = SCALE * features
        kernel = 1 if bottleneck else 3
        self.conv_input = nn.Conv2d(features_in, features, 1, bias=False)
        self.skip = nn.Conv2d(features, features, kernel, 2, padding=kernel // 2, bias=False)
        self.norm_skip = nn.BatchNorm2d(features)
        if bottleneck:
            self.conv1 = nn.Conv2d(features, wide, 1, bias=False)
        self.conv2 = StridedConv2d(wide if bottleneck else features, wide, 3, 2, 1, bias=False)
        self.conv3 = nn.Conv2d(wide, features, 1, bias=False)
        self.nonlin = nn.ReLU()
        self.output = nn.Identity()
        for step in range(steps):
            if bottleneck:
                self.add_module(f"norm1_{step}", nn.BatchNorm2d(wide))
            self.add_module(f"norm2_{step}", nn.BatchNorm2d(wide))
            self.add_module(f"norm3_{step}", nn.BatchNorm2d(features))

    def forward(self, below: torch.Tensor) -> torch.Tensor:
        """Output of the last step; `output` is called once a step."""
        x: torch.Tensor = self.conv_input(below)
        for step in range(self.steps):
            skipped = self.norm_skip(self.skip(x)) if step == 0 else x
            y = self.nonlin(self._norm(1, step)(self.conv1(x))) if self.bottleneck else x
            y = self.nonlin(self._norm(2, step)(self.conv2(y, stride=2 if step == 0 else 1)))
            y = self._norm(3, step)(self.conv3(y))
            x = self.output(self.nonlin(y + skipped))
        return x

    def _norm(self, layer: int, step: int) -> nn.Module:
        return self.get_submodule(f"norm{layer}_{step}")


@final
class CORnetS(nn.Module):
    """A feed-forward V1 and three recurrent areas.

    Convolutions are drawn from N(0, 2 / (k² · features out)). Source: spec ``models`` section 1.

    Args:
        steps: time steps of V2, V4 and IT.
        bottleneck: see `RecurrentArea`.
    """

    def __init__(self, *, steps: tuple[int, int, int] = (2, 4, 2), bottleneck: bool = True) -> None:
        super().__init__()
        self.V1 = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(3, 64, 7, 2, padding=3, bias=False),
                norm1=nn.BatchNorm2d(64),
                nonlin1=nn.ReLU(),
                pool=nn.MaxPool2d(3, 2, padding=1),
                conv2=nn.Conv2d(64, 64, 3, padding=1, bias=False),
                norm2=nn.BatchNorm2d(64),
                nonlin2=nn.ReLU(),
                output=nn.Identity(),
            )
        )
        self.V2 = RecurrentArea(64, 128, steps=steps[0], bottleneck=bottleneck)
        self.V4 = RecurrentArea(128, 256, steps=steps[1], bottleneck=bottleneck)
        self.IT = RecurrentArea(256, 512, steps=steps[2], bottleneck=bottleneck)
        self.decoder = decoder(512)
        draw_convolutions(self)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (batch, class) of images (batch, 3, height, width)."""
        logits: torch.Tensor = self.decoder(self.IT(self.V4(self.V2(self.V1(images)))))
        return logits


def draw_convolutions(network: nn.Module) -> None:
    """Draw the weights of all convolutions from N(0, 2 / (k² · features out))."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            height, width = module.kernel_size
            deviation = math.sqrt(2 / (height * width * module.out_channels))
            nn.init.normal_(module.weight, 0, deviation)
