"""CORnet-R and CORnet-RT: every area is recurrent, in unrolled or in biological time."""

from __future__ import annotations

from typing import final

import torch
from torch import nn

from corteval_cornet.decoder import decoder

#: Time steps of one presentation.
STEPS = 5


@final
class RecurrentArea(nn.Module):
    """One area with a state, which is its last output.

    output(t) = ReLU(GN(conv1(ReLU(GN(conv_input(below))) + output(t - 1)))), with output(-1) = 0;
    GN is group normalisation in 32 groups. Source: spec ``models`` section 1, CORnet-RT / R.
    """

    def __init__(self, features_in: int, features: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_input = nn.Conv2d(features_in, features, kernel, stride, padding=kernel // 2)
        self.norm_input = nn.GroupNorm(32, features)
        self.nonlin_input = nn.ReLU()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(32, features)
        self.nonlin1 = nn.ReLU()
        self.output = nn.Identity()

    def forward(self, below: torch.Tensor, state: torch.Tensor | None) -> torch.Tensor:
        """Output of one step from the output of the area `below` and the own `state`."""
        drive = self.nonlin_input(self.norm_input(self.conv_input(below)))
        return self._settle(drive if state is None else drive + state)

    def unreached(self, below: torch.Tensor) -> torch.Tensor:
        """Output of a step in which nothing has come from `below` yet: the input branch is zero."""
        kernel, stride = self.conv_input.kernel_size[0], self.conv_input.stride[0]
        padding = kernel // 2
        size = ((n + 2 * padding - kernel) // stride + 1 for n in below.shape[2:])
        return self._settle(below.new_zeros(len(below), self.conv_input.out_channels, *size))

    def _settle(self, total: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.output(self.nonlin1(self.norm1(self.conv1(total))))
        return output


@final
class CORnetR(nn.Module):
    """Four recurrent areas over five steps; weights as PyTorch draws them.

    At step 0 only V1 is reached. From step 1 on an area reads what the area below put out in the
    step before (RT), or has just put out in the same step (R, the older form).

    Args:
        biological_time: True for CORnet-RT, False for CORnet-R.
    """

    def __init__(self, *, biological_time: bool) -> None:
        super().__init__()
        self.biological_time = biological_time
        self.V1 = RecurrentArea(3, 64, 7, 4)
        self.V2 = RecurrentArea(64, 128, 3, 2)
        self.V4 = RecurrentArea(128, 256, 3, 2)
        self.IT = RecurrentArea(256, 512, 3, 2)
        self.decoder = decoder(512)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (batch, class) of images (batch, 3, height, width)."""
        higher = (self.V2, self.V4, self.IT)
        outputs = [self.V1(images, None)]
        for area in higher:
            outputs.append(area.unreached(outputs[-1]))
        for _ in range(1, STEPS):
            before = outputs
            outputs = [self.V1(images, before[0])]
            for number, area in enumerate(higher, start=1):
                below = before if self.biological_time else outputs
                outputs.append(area(below[number - 1], before[number]))
        logits: torch.Tensor = self.decoder(outputs[-1])
        return logits
