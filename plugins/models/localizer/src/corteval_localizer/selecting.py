"""Selection of units by t and p over all layers together, and control masks of random units."""

from __future__ import annotations

import numpy as np

from corteval.errors import OptionError
from corteval_localizer.localizer import Procedure, Selection


def selected(t: np.ndarray, p: np.ndarray, selection: Selection) -> np.ndarray:
    """Mask (unit) of the units that `selection` takes.

    Args:
        t, p: of all units, layer after layer.
        selection: see there, for ties too.

    Raises:
        OptionError: if more units are asked for than have a t.
    """
    defined = np.flatnonzero(~np.isnan(t))
    if selection.fdr is not None:
        mask = np.zeros(len(t), bool)
        adjusted = adjusted_p(p[defined], selection.procedure)
        mask[defined] = (adjusted <= selection.fdr) & (t[defined] > 0)
        return mask
    count = selection.top
    if count is None:
        assert selection.fraction is not None
        # a share such as .29 of 100 units is 29 units, not 28.999...
        count = max(1, int(np.floor(selection.fraction * len(t) * (1 + 1e-12))))
    if count > len(defined):
        raise OptionError(
            f"{count} units are to be selected, of which {len(defined)} respond differently to "
            f"different stimuli ({len(t)} units in all). Select fewer, or localize in more layers."
        )
    order = defined[np.argsort(-t[defined], kind="stable")]
    mask = np.zeros(len(t), bool)
    mask[order[:count]] = True
    return mask


def adjusted_p(p: np.ndarray, procedure: Procedure) -> np.ndarray:
    """Adjust p for a false discovery rate.

    With p sorted, p_(1) ≤ ... ≤ p_(m),

        adjusted p_(i) = min over j ≥ i of min(1, c m p_(j) / j)

    with c = 1 (Benjamini & Hochberg 1995), or c = Σ 1/k over k = 1..m (Benjamini & Yekutieli 2001).
    """
    m = len(p)
    if not m:
        return np.asarray(p, np.float64)
    ranks = np.arange(1, m + 1)
    factor = float(np.sum(1 / ranks)) if procedure == "BY" else 1.0
    order = np.argsort(p, kind="stable")
    scaled = factor * m * p[order] / ranks
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def random_units(
    t: np.ndarray,
    mask: np.ndarray,
    layer: np.ndarray,
    *,
    seed: int,
    percentiles: tuple[float, float] = (0.0, 100.0),
    by_layer: bool = True,
) -> np.ndarray:
    """Mask (unit) of as many random units as `mask` has, none of them in it.

    Args:
        t: of all units; units without one are not drawn.
        mask: of the units to be controlled for.
        layer: number of the layer of each unit.
        seed: of the draw.
        percentiles: of t, over all units that have one, between which a unit must lie.
        by_layer: draw as many units in each layer as `mask` has there.

    Raises:
        OptionError: if there are not so many other units.
    """
    defined = ~np.isnan(t)
    low, high = percentiles
    if not 0 <= low < high <= 100:
        raise OptionError(f"percentiles are two of 0 to 100, the lower first, not {percentiles}.")
    # by rank: a percentile between an infinite t and another is none
    rank = np.full(len(t), -1.0)
    order = np.flatnonzero(defined)[np.argsort(t[defined], kind="stable")]
    rank[order] = 100 * (np.arange(len(order)) + 0.5) / max(1, len(order))
    free = defined & ~mask & (rank >= low) & (rank <= high)
    generator = np.random.default_rng([seed, 0x10CA])
    drawn = np.zeros(len(t), bool)
    for number in np.unique(layer) if by_layer else [None]:
        here = np.ones(len(t), bool) if number is None else layer == number
        count, candidates = int((mask & here).sum()), np.flatnonzero(free & here)
        if count > len(candidates):
            raise OptionError(
                f"{count} random units are to be drawn of {len(candidates)} that are not selected"
                f"{'' if number is None else ' in a layer'}. Use by_layer=False, wider "
                "percentiles, or select fewer units."
            )
        drawn[generator.choice(candidates, count, replace=False)] = True
    return drawn
