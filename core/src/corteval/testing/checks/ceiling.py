"""Checks of ceiling estimators: they rise with reliability and refuse data that cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.errors import UndefinedScore
from corteval.metric import Ceiling
from corteval.score import Estimate
from corteval.testing import CheckFailure
from corteval.testing.checks.metric import TOLERANCE, require_quantity
from corteval.testing.specimen import Specimen, global_random_state, once, require
from corteval.testing.subjects import reordered


def check_estimate(specimen: Specimen) -> None:
    """Value and error are finite, and the error is not negative."""
    require_finite(_estimate(specimen))


def check_quantity(specimen: Specimen) -> None:
    """The estimate says what it is, in a word that normalisations know."""
    require_quantity(_estimate(specimen))


def check_reliability(specimen: Specimen) -> None:
    """Reliable data have a higher ceiling than unreliable ones."""
    reliable, unreliable, _ = _inputs(specimen)
    estimator: Ceiling = specimen.seeded()
    high, low = estimator(reliable).value, estimator(unreliable).value
    require(
        high > low, f"The ceiling of reliable data is {high:.4g}, that of noisy ones {low:.4g}."
    )


def check_determinism(specimen: Specimen) -> None:
    """Two instances with one seed give the same estimate, whatever the global random state."""
    estimates = []
    for state in (0, 1):
        with global_random_state(state):
            estimates.append(specimen.seeded()(_inputs(specimen)[0]))
    require(
        asdict(estimates[0]) == asdict(estimates[1]),
        "Two instances give different estimates. Draw from numpy.random.default_rng(seed).",
    )


def check_unit_order(specimen: Specimen) -> None:
    """The order of neuroids does not matter."""
    straight = _estimate(specimen).value
    moved = specimen.seeded()(reordered("neuroid", 4)(_inputs(specimen)[0])).value
    require(
        abs(moved - straight) <= TOLERANCE,
        f"Another order of neuroids changes {straight:.6g} to {moved:.6g}.",
    )


def check_single_trial(specimen: Specimen) -> None:
    """Data with one trial raise UndefinedScore."""
    try:
        estimate: Estimate = specimen.seeded()(_inputs(specimen)[2])
    except UndefinedScore:
        return
    raise CheckFailure(
        f"One trial tells nothing of reliability, but the ceiling is {estimate.value:.4g}. Raise "
        "UndefinedScore with the reason."
    )


def require_finite(estimate: Estimate) -> None:
    """Fail unless value and error are finite and the error is not negative."""
    require(np.isfinite(estimate.value), f"The ceiling is {estimate.value}. Raise UndefinedScore.")
    require(
        estimate.error is None or (np.isfinite(estimate.error) and estimate.error >= 0),
        f"The error of the ceiling is {estimate.error}; it is a spread, so 0 or more.",
    )


def default_inputs() -> tuple[xr.DataArray, ...]:
    """60 stimuli, 12 units: ten trials of little noise, ten of much, one of little."""
    generator = np.random.default_rng(6)
    signal = generator.standard_normal((60, 12, 1))
    noise = generator.standard_normal((60, 12, 10))
    ids = [f"stimulus-{n:02d}" for n in range(60)]
    names = {"neuroid_id": [f"neuroid-{n:02d}" for n in range(12)]}
    trials = signal + 0.5 * noise, signal + 3.0 * noise, (signal + 0.5 * noise)[:, :, :1]
    return tuple(neural(values, ids, names) for values in trials)


@once
def _inputs(specimen: Specimen) -> Sequence[xr.DataArray]:
    inputs: Sequence[xr.DataArray] = specimen.inputs() or default_inputs()
    return inputs


@once
def _estimate(specimen: Specimen) -> Estimate:
    estimate: Estimate = specimen.seeded()(_inputs(specimen)[0])
    return estimate
