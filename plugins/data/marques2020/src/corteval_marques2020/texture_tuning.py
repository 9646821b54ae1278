"""Properties of responses to naturalistic textures and to noise with the same spectrum.

Every function takes the units along the last axis. The same formulas measure recorded units and a
subject's. Source: spec ``marques2020`` section 3, texture; Freeman, Ziemba et al. (2013), Ziemba et
al. (2016).
"""

from __future__ import annotations

import numpy as np

#: Added to both shares of variance, so that their ratio is bounded.
_FLOOR = 0.02


def texture_modulation_index(texture: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Mean over families of (t - n)/(t + n), t and n being family means.

    Families that drive the unit neither way (0/0) are left out; NaN if all are so.

    Args:
        texture, noise: (family, sample, unit) rates above the spontaneous one.
    """
    t, n = texture.mean(axis=1), noise.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        index = (t - n) / (t + n)
        defined = ~np.isnan(index)
        return np.asarray(np.where(defined, index, 0).sum(axis=0) / defined.sum(axis=0))


def sparseness(responses: np.ndarray) -> np.ndarray:
    """(1 - (mean r)² / mean r²) / (1 - 1/n): 0 if all n responses are equal, 1 if one stands out.

    Args:
        responses: (..., unit); all axes but the last are stimuli.
    """
    flat = responses.reshape(-1, responses.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        evenness = flat.mean(axis=0) ** 2 / (flat**2).mean(axis=0)
    return np.asarray((1 - evenness) / (1 - 1 / len(flat)))


def stabilised(spikes: np.ndarray) -> np.ndarray:
    """√x + √(x+1) of spike counts x, whose variance hardly depends on their mean."""
    return np.asarray(np.sqrt(spikes) + np.sqrt(spikes + 1))


def variance_ratio(counts: np.ndarray) -> np.ndarray:
    """Variance between families over that between samples of a family, by nested analysis.

        v_s = MS_s,   v_f = (MS_f - MS_s)/b,   T = v_s + v_f
        ratio = (v_f/T + .02) / (v_s/T + .02)

    with MS_s = Σ(s - family mean)²/(a(b-1)) and MS_f = b Σ(family mean - mean)²/(a-1), for a
    families of b samples. v_f, and so the ratio, may be negative.

    Args:
        counts: (family, sample, unit) stabilised spike counts.
    """
    families, samples = counts.shape[:2]
    means = counts.mean(axis=1)
    ms_sample = ((counts - means[:, None]) ** 2).sum(axis=(0, 1)) / (families * (samples - 1))
    ms_family = samples * ((means - means.mean(axis=0)) ** 2).sum(axis=0) / (families - 1)
    v_family = (ms_family - ms_sample) / samples
    total = ms_sample + v_family
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((v_family / total + _FLOOR) / (ms_sample / total + _FLOOR))
