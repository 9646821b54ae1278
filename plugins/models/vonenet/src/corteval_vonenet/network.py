"""VOneNet as one network: V1, bottleneck and back-end, or V1 alone."""

from __future__ import annotations

from collections import OrderedDict
from typing import final

import torch
from torch import nn

from corteval_cornet.decoder import decoder
from corteval_cornet.s import RecurrentArea, draw_convolutions
from corteval_vonenet.backends import BOTTLENECK_CHANNELS
from corteval_vonenet.block import VOneBlock


@final
class VOneNet(nn.Module):
    """A VOneBlock, and behind it what is given.

    Args:
        vone_block: V1.
        back_end: takes the 64 channels of the bottleneck; None leaves V1 alone.
    """

    def __init__(self, vone_block: VOneBlock, back_end: nn.Module | None = None) -> None:
        super().__init__()
        self.vone_block = vone_block
        if back_end is not None:
            cells = len(vone_block.simple_conv_q0.weight)
            self.bottleneck = nn.Conv2d(cells, BOTTLENECK_CHANNELS, 1, bias=False)
            nn.init.kaiming_normal_(self.bottleneck.weight, mode="fan_out", nonlinearity="relu")
            self.model = back_end

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (batch, class), or the responses of V1 if it is alone."""
        x = images
        for part in self.children():
            x = part(x)
        return x

    def windowed(self, layer: str, rows: slice, columns: slice) -> VOneNet | None:
        """V1 at some rows and columns only, if `layer` is a part of it."""
        if layer.partition(".")[0] != "vone_block":
            return None
        return VOneNet(self.vone_block.windowed(rows, columns))


def cornet_s_back_end() -> nn.Module:
    """V2, V4, IT and decoder of CORnet-S; it takes (batch, 64, 56, 56)."""
    network = nn.Sequential(
        OrderedDict(
            V2=RecurrentArea(BOTTLENECK_CHANNELS, 128, steps=2),
            V4=RecurrentArea(128, 256, steps=4),
            IT=RecurrentArea(256, 512, steps=2),
            decoder=decoder(512),
        )
    )
    draw_convolutions(network)
    return network
