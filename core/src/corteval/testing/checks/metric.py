"""Checks of similarity metrics: best on the same, indifferent to order, never a silent NaN."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, get_args

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.cards import MetricCard
from corteval.errors import AssemblyError, CortevalError, UndefinedScore
from corteval.metric import Metric
from corteval.score import Estimate, Quantity, Score
from corteval.testing import CheckFailure, NotApplicable
from corteval.testing.specimen import Specimen, global_random_state, once, require
from corteval.testing.subjects import reordered

#: Raw scores this close are the same: iterative fits stop a little earlier or later.
TOLERANCE = 1e-4


class Inputs(NamedTuple):
    """What a metric is tried on; `ideal` is as good a source for `target` as can be."""

    source: xr.DataArray
    target: xr.DataArray
    noise: xr.DataArray
    ideal: xr.DataArray


def check_identity(specimen: Specimen) -> None:
    """The best source gets the upper bound, or nine tenths of it if there is a fit in between."""
    low, high = _card(specimen).bounds
    inputs = _inputs(specimen)
    best = raw(_metric(specimen)(inputs.ideal, inputs.target))
    enough = 0.9 * high if high > 0 else high - 1e-6
    require(
        not np.isfinite(high) or best.value >= enough,
        f"Data compared with themselves get {best.value:.4g}; the card's upper bound is {high:g}.",
    )
    slack = 1e-9 * max(1.0, abs(best.value))
    require(
        low - slack <= best.value <= high + slack,
        f"Data compared with themselves get {best.value:.6g}, outside the card's bounds "
        f"{low:g} to {high:g}.",
    )


def check_noise(specimen: Specimen) -> None:
    """A source of noise scores below the best source, or has no score."""
    metric, inputs = _metric(specimen), _inputs(specimen)
    best = raw(metric(inputs.ideal, inputs.target)).value
    try:
        noise = raw(metric(inputs.noise, inputs.target)).value
    except UndefinedScore:
        return
    require(noise < best, f"Noise gets {noise:.4g}; data compared with themselves {best:.4g}.")


def check_quantity(specimen: Specimen) -> None:
    """The raw estimate says what it is, in a word that normalisations know."""
    require_quantity(raw(_scored(specimen)))


def check_unit_order(specimen: Specimen) -> None:
    """The order of neuroids matters neither in the source nor in the target."""
    metric, inputs = _metric(specimen), _inputs(specimen)
    straight = raw(_scored(specimen)).value
    change = reordered("neuroid", 4)
    for what, source, target in (
        ("source", change(inputs.source), inputs.target),
        ("target", inputs.source, change(inputs.target)),
    ):
        moved = raw(metric(source, target)).value
        require(
            abs(moved - straight) <= TOLERANCE,
            f"Another order of the {what}'s neuroids changes {straight:.6g} to {moved:.6g}.",
        )


def check_presentation_order(specimen: Specimen) -> None:
    """Rows are matched by stimulus, or refused; never compared by position."""
    inputs = _inputs(specimen)
    if not ("presentation" in inputs.source.dims and "presentation" in inputs.target.dims):
        raise NotApplicable("Source and target share no presentations.")
    try:
        moved = raw(_metric(specimen)(reordered("presentation", 4)(inputs.source), inputs.target))
    except AssemblyError:
        return
    straight = raw(_scored(specimen)).value
    require(
        abs(moved.value - straight) <= TOLERANCE,
        f"With its rows in another order the source gets {moved.value:.6g}, not {straight:.6g}. "
        "Match rows with corteval.assembly.align(source, target).",
    )


def check_symmetry(specimen: Specimen) -> None:
    """Source and target may be swapped if the card says so."""
    if not _card(specimen).symmetric:
        raise NotApplicable("Its card does not call it symmetric.")
    inputs = _inputs(specimen)
    straight = raw(_scored(specimen)).value
    swapped = raw(_metric(specimen)(inputs.target, inputs.source)).value
    require(
        abs(swapped - straight) <= TOLERANCE,
        f"The card says symmetric, but swapping changes {straight:.6g} to {swapped:.6g}.",
    )


def check_determinism(specimen: Specimen) -> None:
    """Two instances with one seed give the same score, whatever the global random state."""
    inputs = _inputs(specimen)
    texts = []
    for state in (0, 1):
        with global_random_state(state):
            score: Score = specimen.seeded()(inputs.source, inputs.target)
            texts.append(replace(score, provenance=None).to_json())
    require(
        texts[0] == texts[1],
        "Two instances give different scores. Draw from numpy.random.default_rng(seed).",
    )


def check_missing_values(specimen: Specimen) -> None:
    """One NaN raises a CortevalError; or is left out of the source, if the card says so."""
    metric, inputs = _metric(specimen), _inputs(specimen)
    if _card(specimen).missing == "omitted":
        value = metric(_with_nan(inputs.source), inputs.target).value
        require(np.isfinite(value), f"NaN is to be left out of the source, but it gives {value}.")
        return
    for what, source, target in (
        ("source", _with_nan(inputs.source), inputs.target),
        ("target", inputs.source, _with_nan(inputs.target)),
    ):
        try:
            score = metric(source, target)
        except CortevalError:
            continue
        raise CheckFailure(
            f"With one NaN in the {what} it returns {score.value:.4g}. Refuse it, for instance "
            "with corteval.assembly.responses_matrix."
        )


def check_constant_source(specimen: Specimen) -> None:
    """A constant source gets a finite score or UndefinedScore."""
    inputs = _inputs(specimen)
    try:
        score = _metric(specimen)(xr.zeros_like(inputs.source), inputs.target)
    except UndefinedScore:
        return
    require(
        score.status != "scored" or np.isfinite(score.value),
        f"A constant source is scored {score.value}. Raise UndefinedScore with the reason.",
    )


def check_json_round_trip(specimen: Specimen) -> None:
    """The score survives being written as JSON."""
    require_round_trip(_scored(specimen))


def raw(score: Score) -> Estimate:
    """The raw estimate, which a metric must set."""
    require(score.raw is not None, "The score has no raw estimate. Set Score.raw.")
    assert score.raw is not None
    return score.raw


def require_quantity(estimate: Estimate) -> None:
    """Fail unless the quantity is known."""
    known = get_args(Quantity)
    require(
        estimate.quantity in known,
        f"The estimate calls itself {estimate.quantity!r}; it is one of {', '.join(known)}.",
    )


def require_round_trip(score: Score) -> None:
    """Fail unless `score` is the same after `to_json` and `from_json`."""
    try:
        same = Score.from_json(score.to_json()) == score
    except (CortevalError, TypeError, ValueError) as error:
        raise CheckFailure(f"The score cannot be written and read as JSON: {error}") from error
    require(same, "The score differs after to_json and from_json. Use plain numbers and text.")


def default_inputs() -> Inputs:
    """60 stimuli, 12 units; the target is a noisy linear map of the source.

    Stimuli have a coordinate ``split`` (``train`` or ``test``), neuroids a ``subject``, for
    metrics that use them.
    """
    generator = np.random.default_rng(5)
    ids = [f"stimulus-{n:02d}" for n in range(60)]
    x, noise, spread = (generator.standard_normal((60, 12)) for _ in range(3))
    y = x @ generator.standard_normal((12, 12)) / np.sqrt(12) + 0.3 * spread
    split = {"split": ["test" if n % 4 == 3 else "train" for n in range(60)]}
    source, target, unrelated = (
        neural(
            values,
            ids,
            {
                "neuroid_id": [f"{name}-{n:02d}" for n in range(12)],
                "subject": [f"subject-{n % 3}" for n in range(12)],
            },
            presentation=split,
        )
        for name, values in (("source", x), ("target", y), ("noise", noise))
    )
    return Inputs(source, target, unrelated, ideal=target)


@once
def _inputs(specimen: Specimen) -> Inputs:
    made = specimen.inputs()
    if made is None:
        return default_inputs()
    source, target, noise = made
    return Inputs(source, target, noise, ideal=source)


@once
def _metric(specimen: Specimen) -> Metric:
    metric: Metric = specimen.seeded()
    return metric


@once
def _scored(specimen: Specimen) -> Score:
    return _metric(specimen)(_inputs(specimen).source, _inputs(specimen).target)


def _card(specimen: Specimen) -> MetricCard:
    assert isinstance(specimen.card, MetricCard)
    return specimen.card


def _with_nan(assembly: xr.DataArray) -> xr.DataArray:
    changed = assembly.astype(np.float64)
    changed.values.flat[changed.size // 2] = np.nan
    return changed
