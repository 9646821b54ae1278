"""Real human trials, as assemblies."""

from functools import cache

import pandas as pd
import pytest
import xarray as xr

_MODEL_VS_HUMAN = (
    "raw.githubusercontent.com/bethgelab/model-vs-human/"
    "79ed7cd1d9ac3a114e71b6638f0a98bdd627316c/raw-data"
)
_NATURAL_STORIES = (
    "raw.githubusercontent.com/languageMIT/naturalstories/"
    "4700daad696e942f5aba23c957a7423d0de66612/naturalstories_RTS/processed_wordinfo.tsv"
)


@pytest.fixture(scope="session")
def human_trials(mirror):
    """Trials of a data set of model-vs-human: `human_trials("cue-conflict")`."""

    @cache
    def load(dataset):
        files = sorted((mirror / _MODEL_VS_HUMAN / dataset).glob("*.csv"))
        parts = [pd.read_csv(file, dtype=str, keep_default_na=False) for file in files]
        table = pd.concat(parts, ignore_index=True)
        # 0001_cop_s01_c30_knife_10_n03041632_7380.png: trial, session and subject differ
        names = table["imagename"].str.split("_", n=3).str[3]
        columns = {
            "stimulus_id": names,
            "subject": table["subj"],
            "condition": table["condition"],
            "truth": table["category"],
        }
        if dataset == "cue-conflict":
            texture = names.str.removesuffix(".png").str.rsplit("-", n=1).str[1]
            columns["texture"] = texture.str.rstrip("0123456789")
        return xr.DataArray(
            table["object_response"].to_numpy(str),
            dims=["presentation"],
            coords={n: ("presentation", c.to_numpy(str)) for n, c in columns.items()},
        )

    return load


@pytest.fixture(scope="session")
def natural_stories(mirror):
    """Words of the Natural Stories corpus with their mean self-paced reading times."""
    table = pd.read_csv(mirror / _NATURAL_STORIES, sep="\t", quoting=3)
    return table.sort_values(["item", "zone"], ignore_index=True)
