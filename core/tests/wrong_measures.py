"""Toy metrics, ceilings and data that are right but for one thing."""

from dataclasses import replace

import numpy as np
import xarray as xr
from core.tests.wrong_models import jitter, like, unit_bias

from corteval.errors import UndefinedScore
from corteval.score import Estimate, Score
from corteval.testing import toys


def rescored(score, change, **fields):
    value = change(score.raw.value)
    return replace(score, value=value, raw=replace(score.raw, value=value, **fields))


def with_dates(score):
    return replace(score, samples=xr.DataArray(np.array(["2020-01-01"], "M8[ns]"), dims="day"))


def ignoring_source(right):
    def metric(source, target):
        right(source, target)
        return right(target, target)

    return metric


def by_position(right):
    def metric(source, target):
        ids = ("presentation", target["stimulus_id"].values)
        return right(source.assign_coords(stimulus_id=ids), target)

    return metric


def silent(right):
    def metric(source, target):
        try:
            return right(source, target)
        except UndefinedScore:
            return Score(value=np.nan, raw=Estimate(value=np.nan))

    return metric


WRONG_METRICS = {
    "identity": lambda right: lambda s, t: rescored(right(s, t), lambda r: r / 2),
    "identity/bounds": lambda right: lambda s, t: rescored(right(s, t), lambda r: r * 2),
    "noise": ignoring_source,
    "quantity": lambda right: lambda s, t: rescored(right(s, t), float, quantity="R2"),
    "unit_order": lambda right: lambda s, t: rescored(right(s, t), lambda r: r - unit_bias(s)),
    "unit_order/target": lambda right: (
        lambda s, t: rescored(right(s, t), lambda r: r - unit_bias(t))
    ),
    "presentation_order": by_position,
    "determinism": lambda right: lambda s, t: rescored(right(s, t), lambda r: r - jitter()),
    "missing_values": lambda right: lambda s, t: right(s.fillna(0), t),
    "missing_values/target": lambda right: lambda s, t: right(s, t.fillna(0)),
    "constant_source": silent,
    "json_round_trip": lambda right: lambda s, t: with_dates(right(s, t)),
}


def wrong_metric(how, seed=0):
    return WRONG_METRICS[how](toys.Predictivity(seed=seed))


def guessing(right):
    def ceiling(assembly):
        try:
            return right(assembly)
        except UndefinedScore:
            return Estimate(value=0.0)

    return ceiling


def estimating(change):
    def wrong(right):
        def ceiling(assembly):
            estimate = right(assembly)
            return replace(estimate, **change(estimate.value, assembly))

        return ceiling

    return wrong


WRONG_CEILINGS = {
    "estimate": estimating(lambda value, data: {"error": -1.0}),
    "quantity": estimating(lambda value, data: {"quantity": "noise"}),
    "reliability": estimating(lambda value, data: {"value": 1 - value}),
    "determinism": estimating(lambda value, data: {"value": value + jitter()}),
    "unit_order": estimating(lambda value, data: {"value": value - unit_bias(data)}),
    "single_trial": guessing,
}


def wrong_ceiling(how, seed=0):
    return WRONG_CEILINGS[how](toys.Reliability(seed=seed))


def stimuli_with(**changes):
    return lambda right: like(
        right, "assembly", stimuli=lambda: replace(right.stimuli(), **changes)
    )


def with_random_extent(right):
    return stimuli_with(visual_degrees=8 + np.random.default_rng().random())(right)


def without_last(right):
    ids = right.stimuli().stimulus_ids[:-1]
    return like(right, "assembly", stimuli=lambda: right.stimuli().select(ids))


def with_last_image_as_float(right):
    stimuli = right.stimuli()
    last = stimuli.stimulus_ids[-1]
    pixels = {**stimuli.images.pixels, last: stimuli.image(last).astype(float)}
    return stimuli_with(images=toys.Pictures(pixels=pixels))(right)


def with_paths_as_ids(right):
    def renamed(stimulus_id):
        return f"/home/me/{stimulus_id}.png"

    stimuli, assembly = right.stimuli(), right.assembly()
    pixels = {renamed(i): stimuli.image(i) for i in stimuli.stimulus_ids}
    ids = ("presentation", [renamed(i) for i in assembly["stimulus_id"].values])
    moved = replace(
        stimuli, table=stimuli.table.rename(index=renamed), images=toys.Pictures(pixels=pixels)
    )
    return like(
        right, stimuli=lambda: moved, assembly=lambda: assembly.assign_coords(stimulus_id=ids)
    )


def showing_labels(right):
    stimuli = right.stimuli()
    labelled = replace(stimuli, table=stimuli.table.assign(label="dog"))
    members = ("identifier", "modality", "table", "digest", "stimulus_ids", "image")
    leaky = like(labelled, *members, shown=lambda: labelled)
    return like(right, "assembly", stimuli=lambda: leaky)


def assembly_with(change):
    return lambda right: like(right, "stimuli", assembly=lambda: change(right.assembly()))


WRONG_DATA = {
    "stimuli_digest": with_random_extent,
    "assembly_digest": assembly_with(lambda assembly: assembly + jitter()),
    "schema": assembly_with(lambda assembly: assembly.rename(neuroid="cell")),
    "stimuli_match": without_last,
    "stimuli_load": with_last_image_as_float,
    "portable_ids": with_paths_as_ids,
    "hidden_columns": showing_labels,
}


def wrong_data(how):
    return WRONG_DATA[how](toys.ToyData())
