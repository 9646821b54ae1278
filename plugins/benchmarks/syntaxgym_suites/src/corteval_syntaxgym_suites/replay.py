"""Surprisals that lead to given outcomes, to play outcomes back as a subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from corteval.errors import NotInData
from corteval.stimuli import StimulusSet
from corteval.surprisal import SurprisalSpec, answer
from corteval_syntaxgym.data import SyntaxGym
from corteval_syntaxgym.formulas import regions_of
from corteval_syntaxgym.suites import Suite, is_right

#: Bits of a region that no prediction is about.
_ELSEWHERE = 1.0
#: Draws after which predictions are taken to exclude each other.
_TRIES = 5000


def surprisals_for(
    data: SyntaxGym,
    stimuli: StimulusSet,
    outcomes: Sequence[bool] | np.ndarray,
    *,
    impossible: Literal["refused", "wrong"] = "refused",
) -> xr.DataArray:
    """Surprisals with which exactly the given items are right; whole numbers of bits.

    Args:
        data: suites.
        stimuli: of `data`.
        outcomes: whether an item is right, in the order of suites and their items.
        impossible: what becomes of an item that is to be right though its suite's predictions
            exclude each other: an error, or a wrong item.

    Raises:
        NotInData: if an item cannot be right (or wrong), and `impossible` is ``"refused"``.
    """
    bits: dict[str, float] = {}
    rest = iter(np.asarray(outcomes, bool).tolist())
    for suite in data.suites():
        patterns: dict[bool, dict[tuple[str, int], float] | None] = {}
        for item in suite.items:
            wanted = next(rest)
            if wanted not in patterns:
                patterns[wanted] = _pattern(suite, wanted)
                if patterns[wanted] is None and impossible == "wrong":
                    patterns[wanted] = _pattern(suite, False)
            pattern = patterns[wanted]
            if pattern is None:
                raise NotInData(
                    f"{suite.name}: no surprisals make an item {'right' if wanted else 'wrong'}."
                )
            for (condition, region), value in pattern.items():
                bits[f"{suite.name}.{item.number}.{condition}.{region}"] = value
    values = np.array([bits.get(i, _ELSEWHERE) for i in stimuli.stimulus_ids])
    return answer(values, stimuli, SurprisalSpec(bos=True, first_word="scored"))


def _pattern(suite: Suite, wanted: bool) -> dict[tuple[str, int], float] | None:
    """Surprisals of the regions that predictions are about; None if none were found."""
    about = sorted(
        {
            (part.condition, part.region)
            for prediction in suite.predictions
            for part in regions_of(prediction.statement)
            if part.region is not None
        }
    )
    generator = np.random.default_rng(0)
    for _ in range(_TRIES):
        drawn = generator.integers(1, 2 * len(about) + 1, len(about)).astype(float).tolist()
        found = dict(zip(about, drawn, strict=True))
        if is_right(suite, found) == wanted:
            return found
    return None
