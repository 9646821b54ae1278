"""Models that answer other than asked, and metrics of nonsense: a plugin file for tests."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from corteval.cards import ModelCard
from corteval.testing import toys
from corteval.testing.toys import BENCHMARK, DATA, PREDICTIVITY, RELIABILITY, VISION  # noqa: F401

HERE = __name__


def card(name):
    return ModelCard(
        identifier=name,
        factory=f"{HERE}:Model",
        summary="s",
        licence="MIT",
        options={"identifier": name},
    )


def measuring(name):
    """A metric and the benchmark that uses it."""
    metric = replace(
        toys.PREDICTIVITY,
        identifier=f"toy-{name}",
        factory=f"{HERE}:Measure",
        options={"does": name},
    )
    benchmark = replace(toys.BENCHMARK, identifier=f"ToyData.{name}", metric=f"toy-{name}")
    return metric, benchmark


TURNED, SHORT, STRANGE = card("turned"), card("short"), card("strange")
TWICE, TRIALS = card("twice"), card("trials")
BLIND, GAPPY, ENDLESS = card("blind"), card("gappy"), card("endless")

ABOVE, ON_ABOVE = measuring("above")
BELOW, ON_BELOW = measuring("below")
NO_NUMBER, ON_NO_NUMBER = measuring("nan")
COMPLEX, ON_COMPLEX = measuring("complex")
SHAPED, ON_SHAPED = measuring("shaped")
PLAIN, ON_PLAIN = measuring("plain")


@dataclass(frozen=True)
class Model:
    """The toy model of images, whose answers are changed."""

    identifier: str

    modalities = frozenset({"image"})
    visual_degrees = 8.0

    def supports(self, request):
        return toys.vision().supports(request)

    def perturbed(self, *perturbations):
        return self

    def respond(self, stimuli, requests):
        answers = toys.vision().respond(stimuli, requests)
        return {r: getattr(self, f"_{self.identifier}")(a) for r, a in answers.items()}

    def _turned(self, answer):
        return answer.isel(presentation=np.random.default_rng(0).permutation(answer.shape[0]))

    def _short(self, answer):
        return answer.isel(presentation=slice(3, None))

    def _strange(self, answer):
        ids = [f"x-{n}" for n in range(answer.sizes["presentation"])]
        return answer.assign_coords(stimulus_id=("presentation", ids))

    def _twice(self, answer):
        return xr.concat([answer, answer.isel(presentation=[0, 1])], "presentation")

    def _trials(self, answer):
        return xr.concat([answer, answer + 1.0], "trial").transpose(..., "trial")

    def _blind(self, answer):
        return xr.zeros_like(answer)

    def _gappy(self, answer):
        changed = answer.astype(float).copy()
        changed[4, 0] = np.nan
        return changed

    def _endless(self, answer):
        changed = answer.astype(float).copy()
        changed[4, 0] = np.inf
        return changed


class Measure:
    """The toy metric, whose value is changed."""

    def __init__(self, does, seed=0):
        self.does, self.seed = does, seed

    def __call__(self, source, target):
        score = toys.Predictivity(seed=self.seed)(source, target)
        values = {"above": 1.7, "below": -0.4, "nan": np.nan, "complex": 1j, "shaped": [0.1, 0.2]}
        if self.does == "plain":
            return 0.5
        return replace(score, raw=replace(score.raw, value=values[self.does]))
