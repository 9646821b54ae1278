"""Trials of people as model-vs-human publishes them: one csv an observer, one row a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.stimuli import StimulusSet
from corteval_geirhos2021.experiments import CHOICES, EXPERIMENTS, NO_ANSWER

#: Extent of the images on the screen, spec ``vision-benchmarks`` 3.
VISUAL_DEGREES = 3.0

# 0001_s5n_s01_0_bird_00_bird3-bird2.png: the first three differ from one observer to the next.
_PARTS_OF_NAME = ["trial", "code", "observer", "condition", "category", "number", "image"]


def read_trials(experiment: str, files: Sequence[Path]) -> xr.DataArray:
    """Behavioural assembly of an experiment: a presentation a trial, values are choices.

    An image's name says which observer saw it when; the `stimulus_id` leaves that out. It is
    ``bird3-bird2.png`` where image files are published under such names, and otherwise
    ``cr_oven_40_n04111531_14126.png``: condition, category, a number without meaning, and image.
    Reaction times are published in seconds, NaN where there was no answer within 1.5 s.

    Args:
        experiment: key of `EXPERIMENTS`.
        files: one an observer; their order is that of the assembly.
    """
    table = pd.concat(
        [pd.read_csv(file, dtype=str, keep_default_na=False) for file in files], ignore_index=True
    )
    name = table["imagename"].str.split("_", n=6, expand=True).set_axis(_PARTS_OF_NAME, axis=1)
    stimulus_id = name["image"]
    if not EXPERIMENTS[experiment].by_category:
        stimulus_id = name["condition"].str.cat(name[["category", "number", "image"]], sep="_")
    coords: dict[str, Any] = {
        "stimulus_id": stimulus_id.to_numpy(str),
        "subject": table["subj"].to_numpy(str),
        "trial_number": table["trial"].to_numpy(np.int64),
        "condition": table["condition"].to_numpy(str),
        "truth": table["category"].to_numpy(str),
        "rt_ms": 1000 * table["rt"].to_numpy(np.float64),
    }
    if experiment == "cue-conflict":
        shape_and_texture = stimulus_id.str.removesuffix(".png").str.split("-", expand=True)
        coords["content"] = shape_and_texture[0].to_numpy(str)
        coords["texture"] = shape_and_texture[1].str.rstrip("0123456789").to_numpy(str)
    return xr.DataArray(
        table["object_response"].to_numpy(str),
        dims=["presentation"],
        coords={name: ("presentation", values) for name, values in coords.items()},
        attrs={
            "choices": list(CHOICES),
            "no_answer": NO_ANSWER,
            "conditions_left_out_by_benchmarks": list(EXPERIMENTS[experiment].left_out),
        },
    )


def with_conditions(trials: xr.DataArray, conditions: Sequence[str]) -> xr.DataArray:
    """The trials of these conditions."""
    return trials[np.isin(trials["condition"].values, list(conditions))]


def stimuli_of(trials: xr.DataArray) -> pd.DataFrame:
    """What is known of each stimulus shown, indexed by stimulus_id in alphabetical order."""
    known = [c for c in ("truth", "texture", "content", "condition") if c in trials.coords]
    ids, first = np.unique(trials["stimulus_id"].values, return_index=True)
    columns = {name: trials[name].values[first] for name in known}
    return pd.DataFrame(columns, index=pd.Index(ids, name="stimulus_id"))


def stimulus_set(identifier: str, trials: xr.DataArray, paths: Mapping[str, Path]) -> StimulusSet:
    """The images shown in `trials`, which lie at `paths`, with what is known of each."""
    table = stimuli_of(trials)
    table.insert(0, "path", [str(paths[i]) for i in table.index])
    return StimulusSet(
        identifier=identifier, modality="image", table=table, visual_degrees=VISUAL_DEGREES
    )
