"""HMAX as a network: images to the best matches of patches of eight sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn

from corteval.errors import OptionError
from corteval_hmax.layers import C1, C1_SIZES, C2, PATCH_SIZES, S1, S1_SIZES, S2, Response

SIZE_PIXELS = 224

#: Smallest side of an image: filters of 37 pixels and their borders leave little of a smaller one.
_LEAST_PIXELS = 64


@final
class HMAX(nn.Module):
    """Four stages; submodules ``s1_0`` to ``s1_15``, ``c1_0`` to ``c1_7``, ``s2_*``, ``c2_*``.

    ``c2_k`` holds the best matches of patches of size 2 (k + 1), (batch, patch).

    Args:
        patches: by size (2, 4, ..., 16), arrays (patch, orientation, row, column).
        response: of S2 units.
        sigma: of Gaussian S2 units.
    """

    def __init__(
        self,
        patches: Mapping[int, Tensor],
        *,
        response: Response = "euclidean",
        sigma: float = 1.0,
    ) -> None:
        super().__init__()
        for name, stage in s1_and_c1().items():
            self.add_module(name, stage)
        for number, size in enumerate(PATCH_SIZES):
            self.add_module(f"s2_{number}", S2(patches[size]))
            self.add_module(f"c2_{number}", C2(response, sigma))

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1 or 3, row, column), black at 0, to (batch, all patches).

        Colours are averaged. Brightness has no unit: responses do not depend on its scale.
        """
        stages = dict(self.named_children())
        found = bands(stages, images)
        matches = [
            stages[f"c2_{k}"](stages[f"s2_{k}"](band) for band in found)
            for k in range(len(PATCH_SIZES))
        ]
        return torch.cat(matches, dim=1)


def s1_and_c1() -> dict[str, nn.Module]:
    """The stages that have nothing to learn, by name; S1's last size takes no part."""
    stages: dict[str, nn.Module] = {
        f"s1_{n}": S1(size) for n, size in enumerate(S1_SIZES[: 2 * len(C1_SIZES)])
    }
    return stages | {f"c1_{k}": C1(size) for k, size in enumerate(C1_SIZES)}


def bands(stages: Mapping[str, nn.Module], images: Tensor) -> list[Tensor]:
    """C1 responses to `images` (batch, 1 or 3, row, column), one tensor a band.

    Raises:
        OptionError: if the images are too small.
    """
    return [one_band(stages, images, number) for number in range(len(C1_SIZES))]


def one_band(stages: Mapping[str, nn.Module], images: Tensor, number: int) -> Tensor:
    """C1 responses of one band: (batch, orientation, row, column)."""
    if min(images.shape[-2:]) < _LEAST_PIXELS:
        raise OptionError(
            f"HMAX needs images of at least {_LEAST_PIXELS} x {_LEAST_PIXELS} pixels, not "
            f"{images.shape[-2]} x {images.shape[-1]}."
        )
    grey = images.mean(dim=1, keepdim=True)
    pair = (stages[f"s1_{n}"](grey) for n in (2 * number, 2 * number + 1))
    return torch.as_tensor(stages[f"c1_{number}"](*pair))
