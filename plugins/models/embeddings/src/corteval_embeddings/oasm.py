"""OASM: which place in which passage a text has, and nothing of what it says.

The orthogonal autocorrelated sequences model of Feghhi et al. (2024): an identity matrix over
presentations, blurred along time within each passage. It predicts whatever changes slowly from
presentations beside those to be predicted, and nothing about a passage of which it saw none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import xarray as xr

from corteval.cards import Modality
from corteval.errors import OptionError, UnsupportedRequest
from corteval.model import ANY_TARGET, LayerCommitment, Perturbation, describe
from corteval.reading import passages
from corteval.requests import Recording, Request
from corteval.stimuli import StimulusSet

LAYER = "ordinal"
#: For sentences in passages of four, 1.3 to 2.5 do about equally well under shuffled splits.
SIGMA = 2.0

_COORDINATES = frozenset({"neuroid_id", "layer", "channel"})


def blurred_identity(length: int, sigma: float) -> np.ndarray:
    """An identity blurred along time: exp(-(i - j)^2 / 2 sigma^2); the identity if sigma is 0.

    Args:
        length: presentations of a passage.
        sigma: standard deviation of the Gaussian, in presentations.

    Returns:
        (presentation i, unit j).
    """
    if sigma == 0:
        return np.eye(length)
    time = np.arange(length)
    return np.asarray(np.exp(-((time[:, None] - time) ** 2) / (2 * sigma**2)))


@final
@dataclass(frozen=True, kw_only=True)
class Places:
    """Extractor of one unit for each of given stimuli.

    Args:
        blocks: rows of each passage in reading order.
        ids: of the stimuli, in the order of rows.
        sigma: see `blurred_identity`.
    """

    blocks: Sequence[np.ndarray]
    ids: Sequence[str]
    sigma: float

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """One unit a stimulus, passage by passage."""
        order = [self.ids[row] for rows in self.blocks for row in rows]
        return {
            "neuroid_id": np.array([f"{layer}-{stimulus_id}" for stimulus_id in order]),
            "layer": np.full(len(order), layer),
            "channel": np.arange(len(order)),
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block."""
        values = np.zeros((len(stimuli), len(stimuli)))
        start = 0
        for rows in self.blocks:
            columns = np.arange(start, start + len(rows))
            values[np.ix_(rows, columns)] = blurred_identity(len(rows), self.sigma)
            start += len(rows)
        yield {layer: values[:, units] for layer, units in wanted.items()}


@final
@dataclass(frozen=True, kw_only=True)
class OrdinalPositions:
    """A subject with one unit for each stimulus of the call; every target has the same units.

    What it answers depends on the stimuli of the call alone: passages by ``context_id``, their
    parts in the order of ``position``. Stimuli without a context are passages of one part. Units
    are named by their stimuli and sorted by passage, so the order of rows does not matter.

    Args:
        identifier: name in tables.
        sigma: of the blur, in presentations.
        perturbations: applied to what is recorded.
    """

    identifier: str
    sigma: float
    perturbations: tuple[Perturbation, ...] = ()
    modalities: frozenset[Modality] = frozenset({"text"})
    visual_degrees: float | None = None
    notes: tuple[str, ...] = ("knows nothing but the place of a text in its passage",)

    def supports(self, request: Request) -> bool:
        """Recordings of any target."""
        if not isinstance(request, Recording):
            return False
        return request.units is None or request.units.coordinates <= _COORDINATES

    def respond(
        self, stimuli: StimulusSet, requests: Sequence[Request]
    ) -> dict[Request, xr.DataArray]:
        """Answer all `requests`, with as many units as there are stimuli."""
        for request in requests:
            if not self.supports(request):
                raise UnsupportedRequest(f"{self.identifier} cannot answer {describe(request)}.")
        if stimuli.modality not in self.modalities:
            raise UnsupportedRequest(f"{self.identifier} takes text, not {stimuli.modality}.")
        row = {stimulus_id: n for n, stimulus_id in enumerate(stimuli.stimulus_ids)}
        read = sorted(passages(stimuli), key=lambda p: (p.context_id, p.stimulus_ids))
        within = LayerCommitment(
            identifier=self.identifier,
            extractor=Places(
                blocks=[np.array([row[i] for i in p.stimulus_ids]) for p in read],
                ids=stimuli.stimulus_ids,
                sigma=self.sigma,
            ),
            layers={ANY_TARGET: LAYER},
            modalities=self.modalities,
        )
        for perturbation in self.perturbations:
            within = within.perturbed(perturbation)
        return within.respond(stimuli, requests)

    def perturbed(self, *perturbations: Perturbation) -> OrdinalPositions:
        """A new subject with units changed in what is recorded; this one stays as it is."""
        names = "+".join(perturbation.identifier for perturbation in perturbations)
        return replace(
            self,
            identifier=f"{self.identifier}+{names}",
            perturbations=(*self.perturbations, *perturbations),
        )


def build(sigma: float = SIGMA, *, identifier: str = "oasm") -> OrdinalPositions:
    """The subject `oasm`.

    Args:
        sigma: of the blur, in presentations.
        identifier: another name of the subject.
    """
    if not 0 <= sigma < float("inf"):
        raise OptionError(f"{identifier}: sigma is a number of presentations from 0, not {sigma}.")
    return OrdinalPositions(identifier=identifier, sigma=float(sigma))


def family(member: str) -> OrdinalPositions:
    """The subject ``oasm-sigma/<member>``, such as ``oasm-sigma/1.6``."""
    if not re.fullmatch(r"\d{1,4}(\.\d{1,4})?", member):
        raise OptionError(
            f"oasm-sigma/{member}: name a number of presentations, as in oasm-sigma/1.6."
        )
    return build(float(member), identifier=f"oasm-sigma/{member}")
