"""Checks of data sets: stable content, one schema, and nothing shown that gives answers away."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval.cards import DataCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, NotInData
from corteval.stimuli import SHOWN, StimulusSet
from corteval.testing import NotApplicable
from corteval.testing.specimen import Specimen, once, require

_ABSOLUTE = re.compile(r"^(?:[/\\~]|[A-Za-z]:[/\\]|file:)")


def check_stimuli_digest(specimen: Specimen) -> None:
    """Two instances give stimuli of one digest."""
    first = _stimuli(specimen).digest()
    second = specimen.create().stimuli().digest()
    require(
        first == second,
        f"Two instances give stimuli of digests {first[:12]} and {second[:12]}. Seed what is "
        "drawn, and fix the order.",
    )


def check_assembly_digest(specimen: Specimen) -> None:
    """Two instances give assemblies of one digest."""
    first = assemblies.digest(_assembly(specimen))
    second = assemblies.digest(specimen.create().assembly())
    require(
        first == second,
        f"Two instances give assemblies of digests {first[:12]} and {second[:12]}. Seed what is "
        "drawn, and fix the order.",
    )


def check_schema(specimen: Specimen) -> None:
    """The assembly is neural or behavioural, or of another form whose dims the docs name."""
    assembly = _assembly(specimen)
    problems = []
    for form in (assemblies.check_neural, assemblies.check_behavioural):
        try:
            form(assembly)
        except AssemblyError as error:
            problems.append(str(error))
        else:
            return
    source = specimen.create()
    words = f"{type(source).__doc__} {getattr(source.assembly, '__doc__', '')}"
    unnamed = [str(d) for d in assembly.dims if not re.search(rf"\b{re.escape(str(d))}\b", words)]
    require(
        not unnamed,
        f"The assembly is neither neural ({problems[0]}) nor behavioural ({problems[1]}). If its "
        f"form is another, name its dims in the docstring of {type(source).__name__}; "
        f"{', '.join(unnamed)} is not there.",
    )


def check_modality(specimen: Specimen) -> None:
    """The stimuli are of the modality that the card names."""
    stimuli = _stimuli(specimen)
    declared = specimen.card.modality if isinstance(specimen.card, DataCard) else ""
    require(
        stimuli.modality == declared,
        f"The stimuli are of modality {stimuli.modality}; the card says {declared}.",
    )


def check_stimuli_match(specimen: Specimen) -> None:
    """Every stimulus shown has responses, and every response a stimulus."""
    assembly = _assembly(specimen)
    if "stimulus_id" not in assembly.coords:
        raise NotApplicable("Its assembly is not by stimulus.")
    recorded, shown = set(assembly["stimulus_id"].values), set(_stimuli(specimen).stimulus_ids)
    for what, lone in (
        ("responses to stimuli that are not in the set", sorted(recorded - shown)),
        ("stimuli without responses", sorted(shown - recorded)),
    ):
        require(not lone, f"There are {len(lone)} {what}, such as {', '.join(lone[:3])}.")


def check_stimuli_load(specimen: Specimen) -> None:
    """The first and the last stimulus can be read."""
    stimuli = _stimuli(specimen)
    for stimulus_id in (stimuli.stimulus_ids[0], stimuli.stimulus_ids[-1]):
        if stimuli.modality == "text":
            text = stimuli.table.at[stimulus_id, "text"]
            require(isinstance(text, str) and text, f"The text of {stimulus_id} is {text!r}.")
        elif stimuli.modality == "image":
            image = stimuli.image(stimulus_id)
            shaped = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
            require(
                image.dtype == np.uint8 and shaped and image.size,
                f"Image {stimulus_id} is {image.dtype} of shape {image.shape}; images are uint8, "
                "(height, width) or (height, width, 3).",
            )


def check_portable_ids(specimen: Specimen) -> None:
    """No stimulus id is a path of somebody's disk."""
    local = [i for i in _stimuli(specimen).stimulus_ids if _ABSOLUTE.match(i)]
    require(
        not local,
        f"{len(local)} stimulus ids are absolute paths, such as {local[:1]}. Ids are the same on "
        "every computer: use the file's name.",
    )


def check_hidden_columns(specimen: Specimen) -> None:
    """What a subject is shown has no labels, conditions or other columns of the experimenter."""
    leaked = sorted(map(str, set(_stimuli(specimen).shown().table.columns) - set(SHOWN)))
    require(
        not leaked,
        f"A subject would be shown the columns {', '.join(leaked)}. Return a "
        f"corteval.stimuli.StimulusSet, which shows {', '.join(SHOWN)} only.",
    )


@once
def _stimuli(specimen: Specimen) -> StimulusSet:
    source: DataSource = specimen.create()
    try:
        return source.stimuli()
    except NotInData as reason:
        raise NotApplicable(str(reason)) from reason


@once
def _assembly(specimen: Specimen) -> xr.DataArray:
    source: DataSource = specimen.create()
    try:
        return source.assembly()
    except NotInData as reason:
        raise NotApplicable(str(reason)) from reason
