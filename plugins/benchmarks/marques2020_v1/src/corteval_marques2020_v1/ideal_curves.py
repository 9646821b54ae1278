"""Tuning of ideal units to orientation, phase and textures that shows a wanted property.

What has a closed form is computed from it; where the property has none, the unit takes the curve of
a bank whose property is nearest to the wanted one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from corteval_marques2020 import texture_tuning
from corteval_marques2020_v1 import tuning
from corteval_marques2020_v1.rates import MEDIAN_SPONTANEOUS

ORIENTATIONS = 15.0 * np.arange(12)
PHASES = 45.0 * np.arange(8)
FAMILIES = SAMPLES = 15

#: Properties of an orientation curve, and whether nearness is that of logarithms.
CURVE_PROPERTIES: Mapping[str, tuple[Callable[[np.ndarray], np.ndarray], bool]] = {
    "circular_variance": (tuning.circular_variance, False),
    "or_bandwidth": (tuning.orientation_bandwidth, False),
    "orth_pref_ratio": (tuning.orthogonal_preferred_ratio, False),
    "or_selective": (tuning.orientation_selective, False),
    "cv_bandwidth_ratio": (tuning.variance_bandwidth_ratio, True),
    "opr_cv_diff": (tuning.orthogonal_ratio_less_variance, False),
}
TEXTURE_PROPERTIES = (
    "texture_modulation_index",
    "abs_texture_modulation_index",
    "texture_selectivity",
    "texture_sparseness",
    "texture_variance_ratio",
    "max_texture",
    "max_noise",
)

#: Rate above the spontaneous one of an ideal unit that is driven well.
_DRIVEN = 40.0
#: Middle and amplitude of stabilised counts: 1 is no spike at all, 4 some 35 per second.
_STABILISED, _SPREAD = 4.0, 1.0


def orientation_curves(prop: str, wanted: np.ndarray) -> np.ndarray:
    """(12, unit) curves with peak 1 and the wanted property; flat where it shall be undefined."""
    _, geometric = CURVE_PROPERTIES[prop]
    shown, bank = _sorted(prop)
    missing = np.isnan(wanted)
    if geometric:
        shown, wanted = np.log(shown), np.log(wanted)
    return np.where(missing, 1.0, bank[:, _nearest(shown, np.where(missing, shown[0], wanted))])


def cycles(ratios: np.ndarray) -> np.ndarray:
    """(8 phases, unit) responses of mean 1 whose first harmonic is `ratios`, from 0 to 2.

    1 + m cos φ for a ratio m up to 1; above, a mixture with one that responds at phase 0 only.
    """
    cosine = np.cos(np.deg2rad(PHASES))[:, None]
    once = np.where(PHASES == 0, float(len(PHASES)), 0.0)[:, None]
    beyond = np.clip(ratios - 1, 0, 1)
    return np.asarray((1 - beyond) * (1 + np.minimum(ratios, 1) * cosine) + beyond * once)


def texture_rates(prop: str, wanted: np.ndarray) -> np.ndarray:
    """(type, family, sample, unit) spikes per second of units with the wanted property."""
    shape = (FAMILIES, SAMPLES, len(wanted))
    driven = np.full(shape, _DRIVEN)
    if prop in {"texture_modulation_index", "abs_texture_modulation_index"}:
        return _rates(driven * (1 - wanted), driven * (1 + wanted))
    if prop == "max_texture":
        return _rates(driven, np.broadcast_to(wanted, shape))
    if prop == "max_noise":
        return _rates(np.broadcast_to(wanted, shape), driven)
    if prop == "texture_selectivity":
        falling = _DRIVEN * _falling(FAMILIES, wanted)
        return _rates(driven, np.broadcast_to(falling[:, None], shape))
    if prop == "texture_sparseness":
        falling = _DRIVEN * _falling(FAMILIES * SAMPLES, wanted)
        return _rates(np.zeros(shape), falling.reshape(shape))
    counts = _counts(wanted)
    textures = 10 * ((counts**2 - 1) / (2 * counts)) ** 2  # inverse of stabilising
    return np.stack([np.full(shape, _DRIVEN), textures])


def _rates(noise: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """Rates of units that respond so much above their spontaneous rate."""
    return np.asarray(np.stack([noise, texture]) + MEDIAN_SPONTANEOUS)


def _falling(count: int, sparseness: np.ndarray) -> np.ndarray:
    """(count, unit) responses exp(-s i) that are as sparse as wanted."""
    bank = np.exp(-np.arange(count)[:, None] * np.logspace(-6, 3, 2000))
    return bank[:, _nearest(texture_tuning.sparseness(bank), sparseness)]


def _nearest(ascending: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Places in `ascending` of the values nearest to the wanted ones."""
    right = np.clip(np.searchsorted(ascending, wanted), 1, len(ascending) - 1)
    nearer_left = wanted - ascending[right - 1] <= ascending[right] - wanted
    return np.where(nearer_left, right - 1, right)


def _counts(ratios: np.ndarray) -> np.ndarray:
    """(family, sample, unit) stabilised counts whose variance ratio is `ratios`.

    With q the ratio, the share of variance between families is F = (1.02 q - .02)/(1 + q). Sums of
    a pattern a over families and a pattern b over samples, of variance 1 each and weighted α and β,
    have MS_s = β² and MS_f = 15 α², so F = (α² - β²/15)/(α² + 14/15 β²).
    """
    share = (1.02 * ratios - 0.02) / (1 + ratios)
    alpha2 = (share * (1 - 1 / SAMPLES) + 1 / SAMPLES) / (1 - share)
    pattern = np.linspace(-1, 1, FAMILIES)
    pattern = pattern / pattern.std(ddof=1)
    alpha, beta = np.sqrt(alpha2 / (1 + alpha2)), np.sqrt(1 / (1 + alpha2))
    between = alpha * pattern[:, None, None]
    within = beta * pattern[None, :, None]
    return np.asarray(_STABILISED + _SPREAD * (between + within) / 2)


@cache
def _sorted(prop: str) -> tuple[np.ndarray, np.ndarray]:
    """Curves of the bank in which the property is defined, by ascending values of it."""
    bank = _bank()
    shown = CURVE_PROPERTIES[prop][0](bank)
    order = np.argsort(shown)[: np.isfinite(shown).sum()]
    return shown[order], bank[:, order]


@cache
def _bank() -> np.ndarray:
    """(12, curve) von Mises curves around 0 on floors of several heights, peak 1.

    In some the response to the orthogonal orientation is another one.
    """
    sharpness = np.concatenate([[0], np.logspace(-1.5, 2, 80)])
    tuned = np.exp(sharpness * (np.cos(2 * np.deg2rad(ORIENTATIONS))[:, None] - 1))
    floors = np.linspace(0, 0.9, 13)
    plain = (tuned[:, :, None] * (1 - floors) + floors).reshape(len(ORIENTATIONS), -1)
    curves = [plain]
    for response in np.linspace(0, 0.9, 10):
        other = plain.copy()
        other[len(ORIENTATIONS) // 2] = response
        curves.append(other)
    return np.concatenate(curves, axis=1)
