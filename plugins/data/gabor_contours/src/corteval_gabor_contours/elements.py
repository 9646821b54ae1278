"""Elements of a display, and how a contour among them is disturbed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import final

import numpy as np

from corteval.errors import OptionError
from corteval_gabor_contours.paths import CORNERS, along

#: Extent of every image in degrees of visual angle.
VISUAL_DEGREES = 8.0

#: Standard deviation of an element's envelope, its wavelength and contrast.
SIGMA_DEGREES, WAVELENGTH_DEGREES, CONTRAST = 0.13, 0.4, 0.9

#: Along a contour, elements are this far apart; no two elements of a display are nearer than the
#: second.
SPACING_DEGREES, NEAREST_DEGREES = 0.62, 0.5

#: Disturbances, and their levels: see `disturbed`.
DISTURBANCES: dict[str, tuple[float, ...]] = {
    "gaps": (0.2, 0.4, 0.6),
    "jitter": (20.0, 40.0, 60.0),
    "polarity": (0.15, 0.3, 0.5),
    "depth": (0.2, 0.4, 0.6),
}

#: What the levels are.
LEVELS: dict[str, str] = {
    "gaps": "share of the contour's elements of random orientation",
    "jitter": "largest turn of the contour's elements, in degrees",
    "polarity": "share of all elements with reversed contrast",
    "depth": "shift of one plane against the other, in degrees",
}

_TRIES = 3000


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Display:
    """Gabor elements on a grey screen. Lengths in degrees, from the centre, y downwards.

    Args:
        positions: (element, 2).
        angles: (element) of the stripes, in radians from the x axis towards y.
        polarity: (element) 1, or -1 for reversed contrast.
        on_contour: (element) whether it belongs to the contour; those come first, along it.
    """

    positions: np.ndarray
    angles: np.ndarray
    polarity: np.ndarray
    on_contour: np.ndarray


def display(label: str, generator: np.random.Generator) -> Display:
    """A contour of a class at a random place, size and tilt, among distractors.

    Contour elements are aligned with the path and `SPACING_DEGREES` apart; distractors lie at
    random places, at least `NEAREST_DEGREES` from all others, with random orientations, as many as
    fit in 3,000 tries. All elements have one polarity.

    Raises:
        OptionError: for an unknown class.
    """
    if label not in CORNERS:
        raise OptionError(f"There is no contour {label!r}; there are {', '.join(CORNERS)}.")
    radius = generator.uniform(1.9, 2.3)
    tilt = np.deg2rad(generator.uniform(-12, 12))
    centre = generator.uniform(-0.5, 0.5, 2)
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    corners = radius * CORNERS[label] @ turn + centre
    length = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T).sum()
    count = round(length / SPACING_DEGREES)
    places, angles = along(corners, count, generator.random())
    half = VISUAL_DEGREES / 2 - 2 * SIGMA_DEGREES
    found = list(places)
    tried = generator.uniform(-half, half, (_TRIES, 2))
    for taken in places:
        tried = _far_from(taken, tried)
    while len(tried):  # the first that is left is far from all before it
        found.append(tried[0])
        tried = _far_from(tried[0], tried)
    others = len(found) - count
    return Display(
        positions=np.array(found),
        angles=np.concatenate([angles, generator.uniform(0, np.pi, others)]),
        polarity=np.ones(len(found)),
        on_contour=np.arange(len(found)) < count,
    )


def _far_from(place: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    squared = ((candidates - place) ** 2).sum(axis=1)
    return np.asarray(candidates[squared >= NEAREST_DEGREES**2])


def disturbed(
    undisturbed: Display, kind: str, level: float, generator: np.random.Generator
) -> Display:
    """A display whose contour is disturbed.

    ``gaps``: a share `level` of the contour's elements, drawn, gets random orientations; where
    they lie stays as it is, so that the density of elements does not give the gaps away.
    ``jitter``: each of its elements is turned by an angle drawn evenly from ±`level` degrees.
    ``polarity``: a share `level` of all elements, of contour and distractors alike, has its
    contrast reversed, so that polarity says nothing of what belongs to the contour.
    ``depth``: the display is as if on two planes seen with one eye moved to the side: every second
    run of three elements along the contour, and every second distractor, lies on the farther plane
    and is shifted horizontally by `level` degrees, half of it to each side.

    Args:
        undisturbed: left as it is.
        kind: key of `DISTURBANCES`.
        level: see above; any from 0.
        generator: of what is drawn.

    Raises:
        OptionError: for an unknown kind, or a level that is none.
    """
    shares = ("gaps", "polarity")
    if kind not in DISTURBANCES or level < 0 or (kind in shares and level > 1):
        raise OptionError(
            f"Disturbances are {', '.join(DISTURBANCES)}, with levels from 0 and shares up to 1; "
            f"not {kind!r} at {level}."
        )
    count, contour = len(undisturbed.angles), int(undisturbed.on_contour.sum())
    if kind == "gaps":
        angles = undisturbed.angles.copy()
        turned = generator.permutation(contour)[: round(level * contour)]
        angles[turned] = generator.uniform(0, np.pi, contour)[turned]
        return replace(undisturbed, angles=angles)
    if kind == "jitter":
        angles = undisturbed.angles.copy()
        angles[:contour] += np.deg2rad(level) * generator.uniform(-1, 1, contour)
        return replace(undisturbed, angles=angles)
    if kind == "polarity":
        polarity = undisturbed.polarity.copy()
        polarity[generator.permutation(count)[: round(level * count)]] *= -1
        return replace(undisturbed, polarity=polarity)
    number = np.arange(count)
    far = np.where(undisturbed.on_contour, number // 3 % 2, number % 2).astype(bool)
    shift = np.where(far, level / 2, -level / 2)
    positions = undisturbed.positions + np.stack([shift, np.zeros(count)], axis=1)
    return replace(undisturbed, positions=positions)


@lru_cache(maxsize=1024)
def render(shown: Display, side_pixels: int) -> np.ndarray:
    """A display as a grey image, (row, column) uint8.

        x = ½ + ½ c Σ p e^{-r²/2σ²} cos(2π d/λ)

    with contrast c, polarity p, distance r from an element's centre and d from its middle stripe,
    cut off at 0 and 1.
    """
    pixel = VISUAL_DEGREES / side_pixels
    reach = int(np.ceil(4 * SIGMA_DEGREES / pixel))
    around = np.arange(-reach, reach + 1)
    # the pixels around each element: (element, row, 1) and (element, 1, column)
    middles = np.floor((shown.positions + VISUAL_DEGREES / 2) / pixel).astype(int)
    columns = middles[:, 0, None, None] + around[None, None, :]
    rows = middles[:, 1, None, None] + around[None, :, None]
    dx, dy = (
        (places + 0.5) * pixel - VISUAL_DEGREES / 2 - shown.positions[:, axis, None, None]
        for places, axis in ((columns, 0), (rows, 1))
    )
    angles = shown.angles[:, None, None]
    across = dy * np.cos(angles) - dx * np.sin(angles)
    envelope = np.exp(-(dx**2 + dy**2) / (2 * SIGMA_DEGREES**2))
    waves = shown.polarity[:, None, None] * envelope
    waves = waves * np.cos(2 * np.pi * across / WAVELENGTH_DEGREES)
    inside = (rows >= 0) & (rows < side_pixels) & (columns >= 0) & (columns < side_pixels)
    places = (rows * side_pixels + columns)[inside]
    light = np.bincount(places, waves[inside], minlength=side_pixels**2)
    levels = np.round(255 * (0.5 + 0.5 * CONTRAST * light).clip(0, 1)).astype(np.uint8)
    levels = levels.reshape(side_pixels, side_pixels)
    levels.setflags(write=False)  # it is shared by all who ask for it
    return levels
