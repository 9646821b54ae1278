"""Placing images on a subject's screen by degrees of visual angle, in memory."""

from __future__ import annotations

import numpy as np

from corteval.stimuli import StimulusSet

#: Grey level of the screen around an image.
BACKGROUND = 128


def place(image: np.ndarray, image_degrees: float | None, screen_degrees: float) -> np.ndarray:
    """Crop or pad `image` so that it spans the screen, with its pixels unchanged.

    The screen has ``round(screen_degrees / image_degrees * n)`` pixels where the image has `n`.
    A larger image is cropped at its centre; a smaller one is pasted centred on grey 128. An image
    of unknown extent fills the screen. Source: spec ``marques2020`` section 1, screen placement.

    Args:
        image: uint8, (height, width) or (height, width, channel).
        image_degrees: extent of the image.
        screen_degrees: extent of the subject's field of view.
    """
    if image_degrees is None or image_degrees == screen_degrees:
        return image
    ratio = screen_degrees / image_degrees
    height, width = (max(1, round(ratio * n)) for n in image.shape[:2])
    if ratio < 1:
        top, left = round((image.shape[0] - height) / 2), round((image.shape[1] - width) / 2)
        return image[top : top + height, left : left + width]
    placed = np.full((height, width, *image.shape[2:]), BACKGROUND, np.uint8)
    top, left = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    placed[top : top + image.shape[0], left : left + image.shape[1]] = image
    return placed


def luminance(stimuli: StimulusSet, stimulus_id: str, screen_degrees: float) -> np.ndarray:
    """Image on the screen as float32 luminance in [0, 1]: the mean of its colour channels.

    Returns:
        (height, width) array in the image's own resolution.
    """
    image = place(stimuli.image(stimulus_id), stimuli.visual_degrees, screen_degrees)
    grey = image if image.ndim == 2 else image.mean(axis=2, dtype=np.float32)
    return grey.astype(np.float32) / np.float32(255)
