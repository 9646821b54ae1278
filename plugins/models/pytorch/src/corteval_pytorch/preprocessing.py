"""From pixels to a network's input, one image at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
import torch
from torch import Tensor

from corteval.errors import OptionError
from corteval.screen import place
from corteval.stimuli import StimulusSet

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


_RESIZES = ("squash", "shortest")
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box")


@final
@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Resize, crop and standardise RGB images: x = (pixel/255 - mean) / std.

    Args:
        size: pixels per side (``"squash"``) or of the shorter side (``"shortest"``).
        resize: ``"squash"`` changes the aspect to a square, ``"shortest"`` keeps it.
        crop: side of the square cut from the middle; None cuts nothing if squashed, and `size` if
            not.
        interpolation: of Pillow, which averages over the pixels it merges.
        mean, std: of the channels, for pixels from 0 to 1.
    """

    size: int = 224
    resize: Literal["squash", "shortest"] = "squash"
    crop: int | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box"] = "bilinear"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD

    def __post_init__(self) -> None:
        if self.size < 1:
            raise OptionError(f"Images are resized to one pixel at least, not to {self.size}.")
        if self.crop is not None and not 1 <= self.crop <= self.size:
            raise OptionError(f"An image of size {self.size} cannot be cropped to {self.crop}.")
        for name, choices in (("resize", _RESIZES), ("interpolation", _INTERPOLATIONS)):
            if getattr(self, name) not in choices:
                raise OptionError(
                    f"{name} {getattr(self, name)!r} is none of {', '.join(choices)}."
                )
        if len(self.mean) != len(self.std) or min(self.std) <= 0:
            raise OptionError(f"Means {self.mean} and deviations {self.std} do not fit together.")

    def pixels(self, image: Image) -> np.ndarray:
        """Resized and cropped, uint8 (height, width, channel)."""
        from PIL import Image as pillow

        resample = pillow.Resampling[self.interpolation.upper()]
        width, height = image.size
        if self.resize == "squash":
            wanted = (self.size, self.size)
        else:
            short = min(width, height)
            wanted = (int(self.size * width / short), int(self.size * height / short))
        if wanted != image.size:
            image = image.resize(wanted, resample)
        side = self.crop or (self.size if self.resize == "shortest" else None)
        pixels = np.asarray(image)
        if side is None:
            return pixels
        top, left = (round((n - side) / 2) for n in pixels.shape[:2])
        return pixels[top : top + side, left : left + side]

    def standardise(self, pixels: Tensor) -> Tensor:
        """Float32 (presentation, channel, height, width), laid out channels last.

        Args:
            pixels: uint8 (presentation, height, width, channel).
        """
        mean = torch.tensor(self.mean, device=pixels.device) * 255
        scale = 1 / (torch.tensor(self.std, device=pixels.device) * 255)
        x = pixels.permute(0, 3, 1, 2).to(torch.float32)  # keeps the layout of the pixels
        return x.sub_(mean[:, None, None]).mul_(scale[:, None, None])


#: What a network's owner gives: a `Preprocessing`, or any function from an RGB image to a tensor.
Preprocess = Preprocessing | Callable[["Image"], Any]


def prepared(
    preprocess: Preprocess, stimuli: StimulusSet, stimulus_id: str, screen_degrees: float | None
) -> np.ndarray | Tensor:
    """One stimulus, placed on the screen in memory, as pixels or as a tensor for a batch."""
    from PIL import Image

    image = stimuli.image(stimulus_id)
    if screen_degrees is not None:
        image = place(image, stimuli.visual_degrees, screen_degrees)
    picture = Image.fromarray(np.ascontiguousarray(image)).convert("RGB")
    if isinstance(preprocess, Preprocessing):
        return preprocess.pixels(picture)
    try:
        made = preprocess(picture)
    except Exception as error:  # the user's own
        raise OptionError(
            f"The preprocessing failed on stimulus {stimulus_id}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Tensor):
        made = torch.as_tensor(np.array(made))
    if made.ndim == 4 and made.shape[0] == 1:
        made = made[0]
    if made.ndim != 3 or (made.shape[0] > made.shape[2] and made.shape[2] in {1, 3}):
        raise OptionError(
            f"The preprocessing made a tensor of shape {tuple(made.shape)} of {stimulus_id}; it "
            "must be (channel, height, width)."
        )
    return made


def batched(preprocess: Preprocess, rows: list[Any], device: torch.device) -> Tensor:
    """The input of a network for a batch of prepared stimuli."""
    shapes = {tuple(row.shape) for row in rows}
    if len(shapes) > 1:
        raise OptionError(
            f"The preprocessing makes inputs of different shapes, {sorted(shapes)[:2]}; a batch "
            "needs one shape. Resize to a fixed size."
        )
    if isinstance(preprocess, Preprocessing):
        pixels = torch.from_numpy(np.stack(rows))
        return preprocess.standardise(pixels.to(device, non_blocking=True))
    stacked = torch.stack(rows).to(device, non_blocking=True)
    return stacked.contiguous(memory_format=torch.channels_last)
