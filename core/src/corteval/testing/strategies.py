"""Hypothesis strategies for what crosses borders: stimulus sets and neural assemblies.

Needs ``pip install hypothesis``; nothing else of Corteval imports this module.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from hypothesis import strategies as st

from corteval.assembly import neural
from corteval.cards import Modality
from corteval.requests import TimeBin
from corteval.stimuli import StimulusSet
from corteval.testing.toys import Pictures

#: Ids as they occur: numbers as text, file names, other alphabets, spaces. Never empty.
identifiers = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12
)


def _ids(min_size: int, max_size: int) -> st.SearchStrategy[list[str]]:
    return st.lists(identifiers, min_size=min_size, max_size=max_size, unique=True)


@st.composite
def stimulus_sets(
    draw: st.DrawFn, modality: Modality = "image", *, min_size: int = 1, max_size: int = 6
) -> StimulusSet:
    """Sets of in-memory images of any size and extent, or of texts with or without contexts."""
    ids = draw(_ids(min_size, max_size))
    index = pd.Index(ids, name="stimulus_id")
    if modality == "text":
        texts = draw(st.lists(st.text(max_size=20), min_size=len(ids), max_size=len(ids)))
        table = pd.DataFrame({"text": texts}, index=index)
        if draw(st.booleans()):
            contexts = st.lists(st.sampled_from("ab"), min_size=len(ids), max_size=len(ids))
            table["context_id"] = draw(contexts)
            table["position"] = draw(st.permutations(range(len(ids))))
        return StimulusSet(identifier="drawn texts", modality="text", table=table)
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sides = st.integers(1, 24)
    pixels = {}
    for stimulus_id in ids:
        shape = (draw(sides), draw(sides), *draw(st.sampled_from([(), (3,)])))
        pixels[stimulus_id] = generator.integers(0, 256, shape, dtype=np.uint8)
    return StimulusSet(
        identifier="drawn images",
        modality=modality,
        table=pd.DataFrame(index=index),
        visual_degrees=draw(st.none() | st.floats(0.5, 60)),
        images=Pictures(pixels=pixels),
    )


@st.composite
def neural_assemblies(
    draw: st.DrawFn,
    *,
    min_presentations: int = 1,
    max_presentations: int = 12,
    max_neuroids: int = 6,
    time_bins: bool | None = None,
    trials: bool | None = None,
) -> xr.DataArray:
    """Finite neural assemblies of any scale, with time bins and trials or without.

    Args:
        draw: given by hypothesis.
        min_presentations, max_presentations, max_neuroids: bounds of sizes.
        time_bins, trials: whether there is such a dimension; drawn if None.
    """
    stimulus_ids = draw(_ids(min_presentations, max_presentations))
    neuroid_ids = draw(_ids(1, max_neuroids))
    timed = draw(st.booleans()) if time_bins is None else time_bins
    repeated = draw(st.booleans()) if trials is None else trials
    starts = draw(st.lists(st.integers(-100, 500), min_size=1, max_size=3, unique=True))
    bins = [TimeBin(start, start + 50) for start in sorted(starts)] if timed else []
    shape = [len(stimulus_ids), len(neuroid_ids), *([len(bins)] if bins else [])]
    shape += [draw(st.integers(1, 4))] if repeated else []
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-6, 6))
    values = draw(st.floats(-1, 1)) * scale + scale * generator.standard_normal(shape)
    return neural(values, stimulus_ids, {"neuroid_id": neuroid_ids}, time_bins=bins)
