"""Scores of models on benchmarks, layer by layer, as published."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
import xarray as xr

from corteval.errors import NotInData
from corteval.fetch import fetch
from corteval.stimuli import StimulusSet
from corteval_pnas2021.card import SCORES

#: What a model without training is called.
UNTRAINED = "-untrained"


@final
class PNAS2021:
    """A score table: models x layers x benchmarks, with most combinations absent."""

    def table(self) -> pd.DataFrame:
        """The file's 4,885 rows in its order.

        Columns: model; trained (False for names that end in ``-untrained``); benchmark; layer
        (empty for GLUE and wikitext-2, which take a whole model); score and error as published,
        NaN where there is none. Scores on brains and reading times are correlations over their
        ceilings, unclipped; those of GLUE its own measures; that of wikitext-2 a cross-entropy in
        nats per token, whose exponential is the perplexity. Errors are the authors', and 0 for
        some scores that are missing.
        """
        table = pd.read_csv(fetch(SCORES), encoding="utf-8-sig")  # the file has a byte order mark
        table["layer"] = table["layer"].fillna("")
        table["trained"] = ~table["model"].str.endswith(UNTRAINED)
        return table[["model", "trained", "benchmark", "layer", "score", "error"]]

    def assembly(self) -> xr.DataArray:
        """The scores: dim entry 4,885, one for each row of the file.

        Coordinates along entry: model, trained, benchmark, layer and error; see `table`.
        """
        table = self.table()
        coords = {
            name: ("entry", table[name].to_numpy(str)) for name in ("model", "benchmark", "layer")
        }
        return xr.DataArray(
            table["score"].to_numpy(np.float64),
            dims=["entry"],
            coords={
                **coords,
                "trained": ("entry", table["trained"].to_numpy(bool)),
                "error": ("entry", table["error"].to_numpy(np.float64)),
            },
        )

    def stimuli(self) -> StimulusSet:
        """None: these are scores, computed from other data sets.

        Raises:
            NotInData: always.
        """
        raise NotInData(
            "PNAS2021 is a table of scores and has no stimuli; use table() or assembly(). "
            "What models were shown is in Pereira2018, Fedorenko2016, Blank2014, NaturalStories "
            "and Wikitext2."
        )
