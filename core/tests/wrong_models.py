"""Toy models that are right but for one thing."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from corteval.errors import UnsupportedRequest
from corteval.requests import Recording
from corteval.testing import toys


def jitter():
    return 1e-9 * np.random.default_rng().random()


def unit_bias(responses):
    """A number that depends on which unit comes first, and on nothing else of the order."""
    return 0.01 * float(np.abs(responses.isel(neuroid=0)).mean())


def like(right, *members, **changes):
    return SimpleNamespace(**{name: getattr(right, name) for name in members} | changes)


def model_like(right, **changes):
    members = ("identifier", "modalities", "visual_degrees", "supports", "respond", "perturbed")
    return like(right, *members, **changes)


def answering(right, change):
    def respond(stimuli, requests):
        return {r: change(a) for r, a in right.respond(stimuli, requests).items()}

    return model_like(right, respond=respond)


def with_nan(answer):
    return answer.where(answer["neuroid_id"] != answer["neuroid_id"][0])


def in_sorted_order(answer):
    return answer.copy(data=answer.values[np.argsort(answer["stimulus_id"].values)])


def with_entropy(right):
    offset = np.random.default_rng().random()
    return answering(right, lambda answer: answer + offset)


def with_global_generator(right):
    def respond(stimuli, requests):
        np.random.random()  # noqa: NPY002
        return right.respond(stimuli, requests)

    return model_like(right, respond=respond)


def remembering(right):
    last: list[Any] = []

    def respond(stimuli, requests):
        offset = float(bool(last) and last != list(requests))
        last[:] = requests
        return {r: a + offset for r, a in right.respond(stimuli, requests).items()}

    return model_like(right, respond=respond)


def scribbling(right):
    def respond(stimuli, requests):
        stimuli.table["seen"] = True
        return right.respond(stimuli, requests)

    return model_like(right, respond=respond)


def painting(right):
    def respond(stimuli, requests):
        for stimulus_id in stimuli.stimulus_ids:
            pixels = stimuli.image(stimulus_id)
            pixels |= 1
        return right.respond(stimuli, requests)

    return model_like(right, respond=respond)


def perturbed_in_place(right):
    current = [right]

    def perturbed(*perturbations):
        current[0] = right.perturbed(*perturbations)
        return current[0]

    return model_like(right, perturbed=perturbed, respond=lambda *a: current[0].respond(*a))


def deaf_to(right, **ignored):
    """Answers recordings as if some of their fields were not there."""

    def respond(stimuli, requests):
        heard = [replace(r, **ignored) if isinstance(r, Recording) else r for r in requests]
        answers = right.respond(stimuli, heard)
        return {r: answers[h] for r, h in zip(requests, heard, strict=True)}

    return model_like(right, respond=respond)


def without_units(request):
    if getattr(request, "units", None):
        raise UnsupportedRequest("This toy takes no filters.")
    return request


WRONG_MODELS = {
    "identity": lambda right: model_like(right, identifier="someone-else"),
    "identity/modalities": lambda right: model_like(right, modalities=frozenset({"text"})),
    "answers": lambda right: answering(right, with_nan),
    "stimulus_order": lambda right: answering(right, in_sorted_order),
    "batch_size": lambda right: answering(right, lambda a: a - 0.1 * a.mean("presentation")),
    "determinism": with_entropy,
    "global_random_state": with_global_generator,
    "stimuli_untouched": scribbling,
    "stimuli_untouched/pixels": painting,
    "statelessness": remembering,
    "perturbed": perturbed_in_place,
    "perturbed/itself": lambda right: model_like(right, perturbed=lambda *_: right),
    "honest_supports": lambda right: model_like(
        right, supports=lambda r: right.supports(r) and not getattr(r, "time_bins", ())
    ),
    "honest_supports/unfiltered": lambda right: model_like(
        right,
        supports=lambda r: right.supports(r) and not getattr(r, "units", None),
        respond=lambda stimuli, requests: right.respond(
            stimuli, [without_units(r) for r in requests]
        ),
    ),
    "honest_supports/units": lambda right: deaf_to(right, units=None),
    "honest_supports/time": lambda right: deaf_to(right, time_bins=()),
}


def wrong_model(how):
    return WRONG_MODELS[how](toys.vision())
