"""Checks of subjects: they answer what they say, by the stimuli alone, and remember nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

import numpy as np
import xarray as xr

from corteval.assembly import check_behavioural, check_neural
from corteval.cards import ModelCard
from corteval.errors import AssemblyError, UnsupportedRequest
from corteval.model import ANY_TARGET, LayerCommitment, ModelCommitment, ablation, describe
from corteval.requests import (
    Label,
    NextWord,
    OneOf,
    ReadingTime,
    Recording,
    Request,
    TimeBin,
    UnitFilter,
)
from corteval.stimuli import StimulusSet
from corteval.testing import NotApplicable, toys
from corteval.testing.specimen import Specimen, global_random_state, once, require

#: How far equal answers may lie apart, relative to the largest response: float32 sums differ in
#: the order of addition when a batch has another size.
TOLERANCE = 1e-5

TARGETS = ("V1", "V2", "V4", "IT", "language_system")
TIME_BIN = TimeBin(70, 170)
_TASKS = {
    "image": (Label(("dog", "car")),),
    "video": (),
    "text": (Label(("dog", "car")), NextWord(), ReadingTime()),
}

Answers = Mapping[Request, xr.DataArray]


def check_identity(specimen: Specimen) -> None:
    """The subject is a ModelCommitment, and its name and modalities are the card's."""
    model, card = _model(specimen), specimen.card
    require(
        isinstance(model, ModelCommitment),
        f"{type(model).__name__} is no ModelCommitment; see corteval.model.",
    )
    require(
        model.identifier == card.identifier,
        f"The subject calls itself {model.identifier!r}; its card says {card.identifier!r}.",
    )
    declared = card.modalities if isinstance(card, ModelCard) else frozenset()
    require(
        model.modalities == declared,
        f"The subject takes {_listed(model.modalities)}; its card says {_listed(declared)}.",
    )


def check_answers(specimen: Specimen) -> None:
    """Answers are assemblies of finite values over the stimuli asked, in the order asked."""
    model = _model(specimen)
    for stimuli in _sets(specimen):
        requests = _answerable(model, stimuli)
        answers = model.respond(stimuli, requests)
        require(
            set(answers) == set(requests),
            f"{len(requests)} requests were made and {len(answers)} answered. respond() returns "
            "one answer for each request, under the request itself.",
        )
        for request, answer in answers.items():
            problem = _malformed(request, answer, stimuli)
            require(
                not problem, f"Answer to {describe(request)} of {stimuli.identifier}: {problem}"
            )


def check_stimulus_order(specimen: Specimen) -> None:
    """Permuted stimuli give the same responses, permuted."""
    model = _model(specimen)
    for stimuli in _sets(specimen):
        requests = _answerable(model, stimuli)
        order = np.random.default_rng(3).permutation(len(stimuli))
        moved = stimuli.select([stimuli.stimulus_ids[i] for i in order])
        straight = model.respond(stimuli, requests)
        wanted = {r: answer.isel(presentation=order) for r, answer in straight.items()}
        _require_same(
            wanted,
            model.respond(moved, requests),
            f"Permuting {stimuli.identifier} changes the answers. Return rows in the order of the "
            "stimuli, and let no row depend on its neighbours",
        )


def check_batch_size(specimen: Specimen) -> None:
    """Responses to all stimuli at once equal those to parts: a single one, two, the rest."""
    model = _model(specimen)
    for stimuli in _sets(specimen):
        requests = _answerable(model, stimuli)
        parts = [model.respond(part, requests) for part in _parts(stimuli)]
        together = {r: _joined([part[r] for part in parts]) for r in requests}
        _require_same(
            model.respond(stimuli, requests),
            together,
            f"Responses to {stimuli.identifier} depend on what else is shown in the same call. "
            "Put the network in evaluation mode",
        )


def check_determinism(specimen: Specimen) -> None:
    """Two instances give the same bits."""
    for stimuli in _sets(specimen):
        answers = []
        for _ in range(2):
            with global_random_state(0):  # that they use it is the business of the next check
                answers.append(_fresh_answers(specimen, stimuli))
        _require_same(
            answers[0],
            answers[1],
            f"Two instances answer {stimuli.identifier} differently. Seed whatever is drawn",
            tolerance=0,
        )


def check_global_random_state(specimen: Specimen) -> None:
    """The global random generators do not move, and so cannot matter."""
    for stimuli in _sets(specimen):
        with global_random_state(20260):  # an unusual seed, lest the subject set the same
            before = _state()
            _fresh_answers(specimen, stimuli)
            require(
                _state() == before,
                "Building the subject or asking it moves the global generator of random or "
                "numpy.random. Draw from numpy.random.default_rng(seed).",
            )


def check_statelessness(specimen: Specimen) -> None:
    """An answer does not depend on what was asked before."""
    model: ModelCommitment = specimen.create()
    sets = _sets(specimen)
    for stimuli, other in zip(sets, [*sets[1:], sets[0]], strict=True):
        requests = _answerable(model, stimuli)
        before = model.respond(stimuli, requests)
        model.respond(other.select(other.stimulus_ids[::-1]), _answerable(model, other)[-1:])
        _require_same(
            before,
            model.respond(stimuli, requests),
            f"The answers to {stimuli.identifier} changed after another call. A subject keeps "
            "nothing between calls",
            tolerance=0,
        )


def check_stimuli_untouched(specimen: Specimen) -> None:
    """Asking leaves the stimulus set as it was."""
    model = _model(specimen)
    for stimuli, pristine in zip(_sets(specimen), _sets(specimen), strict=True):
        model.respond(stimuli, _answerable(model, stimuli))
        require(
            stimuli.table.equals(pristine.table),
            f"The table of {stimuli.identifier} was changed. Work on a copy.",
        )
        for stimulus_id in stimuli.stimulus_ids if stimuli.images else ():
            require(
                np.array_equal(stimuli.image(stimulus_id), pristine.image(stimulus_id)),
                f"The pixels of {stimulus_id} were changed in place. Work on a copy.",
            )


def check_perturbed(specimen: Specimen) -> None:
    """perturbed() returns a new subject with units silenced and leaves the old one as it was."""
    model: ModelCommitment = specimen.create()
    stimuli = _sets(specimen)[0]
    recordings = [r for r in _answerable(model, stimuli) if isinstance(r, Recording)]
    if not recordings:
        raise NotApplicable("It supports no recording, so there is nothing to silence.")
    request = recordings[0]
    name, before = model.identifier, model.respond(stimuli, [request])
    silenced = model.perturbed(ablation(request.target))
    require(
        silenced is not model and silenced.identifier != name,
        "perturbed() returns a new subject, with an identifier that tells it apart.",
    )
    require(
        not silenced.respond(stimuli, [request])[request].values.any(),
        f"After the ablation of {request.target} its units still respond; they should be 0.",
    )
    _require_same(
        before,
        model.respond(stimuli, [request]),
        "perturbed() changed the subject it was called on. Leave that one as it is",
        tolerance=0,
    )


def check_honest_supports(specimen: Specimen) -> None:
    """What supports() affirms is answered as asked; what it denies raises UnsupportedRequest."""
    model = _model(specimen)
    for stimuli in _sets(specimen):
        few = stimuli.select(stimuli.stimulus_ids[:3])
        for task in _TASKS[few.modality]:
            _kept_word(model, few, task)
        for target in _targets(model):
            plain = _kept_word(model, few, Recording(target))
            _check_time_bin(model, few, target)
            if plain is not None:
                _check_unit_filter(model, few, target, plain["neuroid_id"].values.tolist())


@once
def _model(specimen: Specimen) -> ModelCommitment:
    model: ModelCommitment = specimen.create()
    return model


def _sets(specimen: Specimen) -> list[StimulusSet]:
    """Toy stimuli, made anew, of the modalities of the card."""
    wanted = specimen.card.modalities if isinstance(specimen.card, ModelCard) else ()
    sets = [toys.images(), toys.images(seed=1, visual_degrees=None)] if "image" in wanted else []
    sets += [toys.sentences(), toys.passages()] if "text" in wanted else []
    if not sets:
        raise NotApplicable(f"The kit has no toy stimuli of modality {_listed(wanted)}.")
    return sets


def _targets(model: ModelCommitment) -> list[str]:
    own = model.layers.keys() - {ANY_TARGET} if isinstance(model, LayerCommitment) else ()
    return list(dict.fromkeys([*TARGETS, *sorted(own)]))


def _answerable(model: ModelCommitment, stimuli: StimulusSet) -> list[Request]:
    requests: list[Request] = [Recording(target) for target in _targets(model)]
    requests += _TASKS[stimuli.modality]
    supported = [request for request in requests if model.supports(request)]
    if not supported:
        raise NotApplicable(
            f"It supports no recording of {', '.join(_targets(model))} and no task of the kit."
        )
    return supported


def _fresh_answers(specimen: Specimen, stimuli: StimulusSet) -> Answers:
    model: ModelCommitment = specimen.create()
    return model.respond(stimuli, _answerable(model, stimuli))


def _parts(stimuli: StimulusSet) -> list[StimulusSet]:
    """One stimulus, two, the rest; contexts are kept whole, for they are read as a whole."""
    ids = stimuli.stimulus_ids
    context = stimuli.table["context_id"] if "context_id" in stimuli.table.columns else ids
    wholes = list(dict.fromkeys(context))
    groups = (wholes[:1], wholes[1:3], wholes[3:])
    members = ([i for i, c in zip(ids, context, strict=True) if c in group] for group in groups)
    return [stimuli.select(part) for part in members if part]


def _joined(parts: list[xr.DataArray]) -> xr.DataArray:
    return xr.concat(parts, "presentation", coords="different", compat="equals")


def _malformed(request: Request, answer: xr.DataArray, stimuli: StimulusSet) -> str:
    """What is wrong with `answer`; empty if nothing."""
    try:
        (check_neural if isinstance(request, Recording) else check_behavioural)(answer)
    except AssemblyError as error:
        return str(error)
    ids = list(answer["stimulus_id"].values)
    if ids != stimuli.stimulus_ids:
        return f"its stimulus ids start {ids[:3]}, but {stimuli.stimulus_ids[:3]} were shown first."
    if answer.dtype.kind in "fc" and not np.isfinite(answer.values).all():
        return f"{int((~np.isfinite(answer.values)).sum())} values are NaN or infinite."
    if isinstance(request, Label) and not set(answer.values.ravel()) <= set(request.choices):
        return f"{sorted(set(answer.values.ravel()))[:4]} are not among {request.choices}."
    return ""


def _kept_word(
    model: ModelCommitment, stimuli: StimulusSet, request: Request
) -> xr.DataArray | None:
    """The answer if `request` is supported; fail if supports() and respond() disagree."""
    what, supported = describe(request), model.supports(request)
    try:
        answer = model.respond(stimuli, [request])[request]
    except UnsupportedRequest as error:
        require(not supported, f"supports() affirms {what}, but respond() refuses it: {error}")
        return None
    require(supported, f"supports() denies {what}; respond() must raise UnsupportedRequest.")
    return answer


def _check_time_bin(model: ModelCommitment, stimuli: StimulusSet, target: str) -> None:
    answer = _kept_word(model, stimuli, Recording(target, (TIME_BIN,)))
    if answer is None:
        return
    require("time_bin" in answer.dims, f"{target} in {TIME_BIN} is answered without a time bin.")
    ends = [answer[f"time_bin_{end}_ms"].values.tolist() for end in ("start", "end")]
    require(
        ends == [[TIME_BIN.start_ms], [TIME_BIN.end_ms]],
        f"{target} was asked in {TIME_BIN}; the answer has time bins from {ends[0]} to {ends[1]}.",
    )


def _check_unit_filter(
    model: ModelCommitment, stimuli: StimulusSet, target: str, neuroid_ids: list[str]
) -> None:
    kept = list(dict.fromkeys([neuroid_ids[0], neuroid_ids[-1]]))
    units = UnitFilter((OneOf("neuroid_id", tuple(kept)),))
    answer = _kept_word(model, stimuli, Recording(target, units=units))
    require(
        answer is not None,
        f"A recording of {target} is supported, but not of single units of it by neuroid_id. "
        "Every unit has an id: keep the units asked for.",
    )
    assert answer is not None
    got = answer["neuroid_id"].values.tolist()
    require(sorted(got) == sorted(kept), f"Units {kept} were asked; the answer holds {got[:5]}.")


def _require_same(
    wanted: Answers, got: Answers, complaint: str, *, tolerance: float = TOLERANCE
) -> None:
    difference = _difference(wanted, got, tolerance=tolerance)
    require(not difference, f"{complaint} ({difference}).")


def _difference(wanted: Answers, got: Answers, *, tolerance: float) -> str:
    """What tells two sets of answers apart; empty if they are the same."""
    for request, a in wanted.items():
        b, what = got[request], describe(request)
        for name in {"stimulus_id", "neuroid_id"} & set(a.coords):
            if name not in b.coords or list(a[name].values) != list(b[name].values):
                return f"{what}: {name} differs"
        if a.shape != b.shape:
            return f"{what}: shapes {a.shape} and {b.shape}"
        if a.dtype.kind not in "fiu":
            if not np.array_equal(a.values, b.values):
                return f"{what}: values differ"
            continue
        x, y = a.values.astype(np.float64), b.values.astype(np.float64)
        scale = np.nanmax(np.abs(x), initial=0) or 1.0
        gap = np.abs(x - y)[~(np.isnan(x) & np.isnan(y))].max(initial=0) / scale
        if not gap <= tolerance:
            return f"{what}: up to {gap:.2g} of the largest response, {tolerance:g} allowed"
    return ""


def _state() -> str:
    """State of the global generators, as text that can be compared."""
    states = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002 it is the point
    return json.dumps(states, default=lambda array: array.tolist())


def _listed(names: object) -> str:
    return " and ".join(sorted(map(str, names))) if isinstance(names, frozenset) else str(names)
