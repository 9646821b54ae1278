"""From arbitrary activations to firing rates, by one affine map for the whole population.

Source: spec ``marques2020`` section 2, step 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from corteval.errors import UndefinedScore

#: Spikes per second: median of the units' maxima, median spontaneous rate, largest maximum, and the
#: threshold above spontaneous from which a unit counts as responsive.
MEDIAN_MAXIMUM = 33.8
MEDIAN_SPONTANEOUS = 0.82
LARGEST_MAXIMUM = 243.1
RESPONSE_THRESHOLD = 5.0


@dataclass(frozen=True)
class FiringRate:
    """rate = max(0, slope · max(0, activation) + offset), in spikes per second."""

    slope: float
    offset: float

    def __call__(self, activations: np.ndarray) -> np.ndarray:
        """Rates of the same shape."""
        return np.maximum(self.slope * np.maximum(activations, 0) + self.offset, 0)


def fit(orientation: np.ndarray, blank: np.ndarray) -> FiringRate:
    """The map that gives responsive units the published median maximum and spontaneous rate.

    A unit is responsive if its maximum lies above blank by more than 5/243.1 of the largest such
    difference.

    Args:
        orientation: (..., phase, unit) rectified activations to the orientation set.
        blank: (unit) rectified activations to the blank screen.

    Raises:
        UndefinedScore: if gratings drive no unit more than the blank screen does.
    """
    cycle_means = orientation.mean(axis=-2)
    maximum = cycle_means.reshape(-1, cycle_means.shape[-1]).max(axis=0)
    drive = maximum - blank
    responsive = drive > RESPONSE_THRESHOLD / LARGEST_MAXIMUM * drive.max()
    if not responsive.any() or drive.max() <= 0:
        raise UndefinedScore("Gratings drive no unit more than the blank screen does.")
    spontaneous = float(np.median(blank[responsive]))
    spread = float(np.median(maximum[responsive])) - spontaneous
    if spread <= 0:
        raise UndefinedScore("The median unit responds no more to gratings than to a blank screen.")
    slope = (MEDIAN_MAXIMUM - MEDIAN_SPONTANEOUS) / spread
    return FiringRate(slope, MEDIAN_SPONTANEOUS - slope * spontaneous)
