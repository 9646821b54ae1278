"""From images to a network's input, as its weights were evaluated or as Brain-Score does."""

from __future__ import annotations

from math import floor
from typing import Any, Literal

from torch import nn

from corteval.errors import OptionError
from corteval_pytorch import Preprocessing
from corteval_pytorch.preprocessing import Preprocess
from corteval_timm.library import timm

Resize = Literal["evaluation", "squash"]

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box")


def preprocessing_of(
    network: nn.Module, resize: Resize = "evaluation", image_size: int | None = None
) -> Preprocess:
    """Preprocessing for `network` by the configuration of its weights.

    Args:
        network: of timm.
        resize: ``"evaluation"`` is timm's own transform for evaluation, which mostly resizes the
            shorter side and cuts off the margin; ``"squash"`` shows the whole image, resized to
            the network's input by bilinear interpolation whatever its aspect, which is how
            Brain-Score shows images.
        image_size: pixels of the input; that of the configuration if None.

    Raises:
        OptionError: for inputs that are no RGB images, or another `resize`.
    """
    config = timm.data.resolve_model_data_config(network)
    channels, height, width = config["input_size"]
    if channels != 3:
        raise OptionError(f"The model takes images of {channels} channels; stimuli have 3.")
    if image_size is not None:
        if image_size < 1:
            raise OptionError(f"image_size is a number of pixels, not {image_size}.")
        config["input_size"] = (channels, image_size, image_size)
        height = width = image_size
    standard: dict[str, Any] = {"mean": tuple(config["mean"]), "std": tuple(config["std"])}
    if resize == "squash" and height == width:
        return Preprocessing(size=height, interpolation="bilinear", **standard)
    if resize not in ("evaluation", "squash"):
        raise OptionError(f"resize is 'evaluation' or 'squash', not {resize!r}.")
    if resize == "squash":
        config |= {"crop_mode": "squash", "crop_pct": 1.0, "interpolation": "bilinear"}
    return _expressed(config, standard) or timm.data.create_transform(**config, is_training=False)


def _expressed(config: dict[str, Any], standard: dict[str, Any]) -> Preprocessing | None:
    """The transform of timm as a `Preprocessing`, which the engine batches; None if it is none."""
    _, height, width = config["input_size"]
    interpolation = config["interpolation"]
    if height != width or interpolation not in _INTERPOLATIONS:
        return None
    scaled = floor(height / config["crop_pct"])
    if config["crop_mode"] == "center" and scaled >= height:
        return Preprocessing(
            size=scaled, resize="shortest", crop=height, interpolation=interpolation, **standard
        )
    if config["crop_mode"] == "squash" and scaled >= height:
        return Preprocessing(
            size=scaled, resize="squash", crop=height, interpolation=interpolation, **standard
        )
    return None
