"""Data sources: the 92 images, and their dissimilarities in brains and judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final, get_args

import numpy as np
import xarray as xr

from corteval.errors import OptionError
from corteval.stimuli import StimulusSet
from corteval_kriegeskorte2008 import files

Sessions = Literal["mean", "separate"]

_CORRELATION = "1 - Pearson's r of response patterns"


@final
@dataclass(frozen=True, kw_only=True)
class HumanIT:
    """Human IT, by functional magnetic resonance imaging.

    RDMs have dims ``subject``, ``presentation`` and ``presentation_2``.

    Args:
        sessions: of each of the four subjects there are two; their ``"mean"``, or ``"separate"``
            for eight RDMs, of which two of one person are not independent.
    """

    sessions: Sessions = "mean"

    def __post_init__(self) -> None:
        if self.sessions not in get_args(Sessions):
            known = ", ".join(get_args(Sessions))
            raise OptionError(f"The option sessions is one of {known}, not {self.sessions!r}.")

    def stimuli(self) -> StimulusSet:
        """92 RGB images of 175 x 175 pixels: objects, faces and body parts on grey."""
        return _stimuli()

    def assembly(self) -> xr.DataArray:
        """RDMs (subject, presentation, presentation_2).

        Coordinates of ``subject``: ``person`` and, where they are separate, ``session``.
        """
        rdms = files.human_it()
        if self.sessions == "mean":
            persons = list(dict.fromkeys(person for person, _ in rdms))
            means = [(rdms[person, 1] + rdms[person, 2]) / 2 for person in persons]
            return _rdms(means, subject={"subject": persons, "person": persons}, unit=_CORRELATION)
        return _rdms(
            list(rdms.values()),
            subject={
                "subject": [f"{person}-{session}" for person, session in rdms],
                "person": [person for person, _ in rdms],
                "session": [session for _, session in rdms],
            },
            unit=_CORRELATION,
        )

    def model_rdms(self) -> dict[str, xr.DataArray]:
        """RDMs of eight models, see `model_rdms`."""
        return model_rdms()


@final
@dataclass(frozen=True, kw_only=True)
class MonkeyIT:
    """674 neurons of macaque IT.

    The RDM has dims ``presentation`` and ``presentation_2``.
    """

    def stimuli(self) -> StimulusSet:
        """92 RGB images of 175 x 175 pixels: objects, faces and body parts on grey."""
        return _stimuli()

    def assembly(self) -> xr.DataArray:
        """RDM (presentation, presentation_2)."""
        return _rdm(files.monkey_it(), unit=_CORRELATION, neuroids=674)

    def model_rdms(self) -> dict[str, xr.DataArray]:
        """RDMs of eight models, see `model_rdms`; one of them, monkeyIT, is this assembly."""
        return model_rdms()


@final
@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Similarity judgements of 16 human subjects, by arranging the images on a screen.

    RDMs have dims ``subject``, ``presentation`` and ``presentation_2``.
    """

    def stimuli(self) -> StimulusSet:
        """92 RGB images of 175 x 175 pixels: objects, faces and body parts on grey."""
        return _stimuli()

    def assembly(self) -> xr.DataArray:
        """RDMs (subject, presentation, presentation_2); their unit is arbitrary."""
        rdms = files.behaviour()
        return _rdms(list(rdms.values()), subject={"subject": list(rdms)}, unit="arbitrary")

    def model_rdms(self) -> dict[str, xr.DataArray]:
        """RDMs of eight models, see `model_rdms`."""
        return model_rdms()


def model_rdms() -> dict[str, xr.DataArray]:
    """RDMs (presentation, presentation_2) that were published with the data, by name.

    ``animacy`` and ``FaceBodyManmadeNatobj`` are categorical, ``monkeyIT`` is that of the 674
    neurons, ``Silhouette`` is of the objects' outlines; ``EVA``, ``HMAX``, ``V1`` and ``RADON``
    are computational models. Any is a source for the metrics that compare RDMs.
    """
    return {name: _rdm(rdm, model=name) for name, rdm in files.models().items()}


def _stimuli() -> StimulusSet:
    return StimulusSet(
        identifier="Kriegeskorte2008",
        modality="image",
        table=files.categories(),
        images=files.photographs(),
    )


def _rdms(
    values: Sequence[np.ndarray], subject: Mapping[str, Sequence[Any]], **attrs: Any
) -> xr.DataArray:
    """RDMs (subject, presentation, presentation_2) with coordinates along ``subject``."""
    whole = xr.concat([_rdm(rdm) for rdm in values], "subject")
    columns = {name: ("subject", list(column)) for name, column in subject.items()}
    return whole.assign_coords(columns).assign_attrs(attrs)


def _rdm(values: np.ndarray, **attrs: Any) -> xr.DataArray:
    ids = list(files.STIMULUS_IDS)
    return xr.DataArray(
        values,
        coords={"stimulus_id": ("presentation", ids), "stimulus_id_2": ("presentation_2", ids)},
        dims=["presentation", "presentation_2"],
        attrs=attrs,
    )
