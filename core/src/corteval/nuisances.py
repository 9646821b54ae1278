"""What a subject explains beyond nuisances: simple subjects that know little of what is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.errors import UndefinedScore, UnknownIdentifier
from corteval.intervals import interval_of
from corteval.metric import Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording
from corteval.score import Estimate
from corteval.stimuli import StimulusSet

#: The metric, found in the registry, that divides variance between two bands of features.
METRIC = "unique_variance"
MODEL, NUISANCES = "model", "nuisances"

#: Penalties of each band: every second power of two of the grid in spec ``language-pitfalls`` 6.
ALPHAS = tuple(2.0**power for power in range(-5, 20, 2))

#: Names under which a score tells what came out.
UNIQUE, OMEGA = "unique variance", "omega"
R2_OF_BOTH, R2_OF_MODEL, R2_OF_NUISANCES = "R2 with nuisances", "R2 of model", "R2 of nuisances"

#: Below this share of variance explained, what part of it is shared is noise, and not told.
_TELLING = 0.01


def responses_of(
    names: Sequence[str], stimuli: StimulusSet, recording: Recording, model: str
) -> tuple[dict[str, xr.DataArray], tuple[str, ...]]:
    """Responses of nuisance subjects, and a note for each that is not installed.

    Args:
        names: identifiers of models; the scored one is no nuisance of its own.
        stimuli: what is shown.
        recording: what is asked for.
        model: identifier of the scored one.
    """
    found, notes = {}, []
    for name in names:
        if name.casefold() == model.casefold():
            continue
        try:
            subject: ModelCommitment = registry.models.create(name)
        except UnknownIdentifier:
            notes.append(f"the nuisance {name} is not installed: it is left out")
            continue
        found[name] = record(subject, stimuli, recording)
    return found, tuple(notes)


def beyond(
    source: xr.DataArray,
    target: xr.DataArray,
    nuisances: Mapping[str, xr.DataArray],
    *,
    cross_validation: Any,
    seed: int,
) -> tuple[dict[str, Estimate], tuple[str, ...]]:
    """Variance that `source` explains in `target` beyond `nuisances`, and the same in words.

        unique = R²(source and nuisances) - R²(nuisances)
        omega = 1 - unique / R²(source), in [0, 1]

    R² is of squared errors pooled over test sets; both bands of features are z-scored by each
    training set and have penalties of their own (banded ridge).

    Args:
        source: (presentation, neuroid) responses of the subject, in the order of `target`.
        target: (presentation, neuroid) recorded.
        nuisances: (presentation, neuroid) of each nuisance subject.
        cross_validation: options of `corteval.stats.splits.CrossValidation`, those of the score.
        seed: of the bootstrap.
    """
    named = " and ".join(nuisances)
    features = [source, *(assemblies.align(part, target) for part in nuisances.values())]
    values = [np.asarray(part.values, np.float64) for part in features]
    counts = [part.shape[1] for part in values]
    banded = assemblies.neural(
        np.concatenate(values, axis=1),
        target["stimulus_id"].values.astype(str).tolist(),
        {
            "neuroid_id": [f"{n}-{i}" for n, count in enumerate(counts) for i in range(count)],
            "band": np.repeat([MODEL, *[NUISANCES] * len(nuisances)], counts),
        },
    )
    try:
        metric: Metric = registry.metrics.create(
            METRIC,
            band=MODEL,
            standardise=True,
            alphas=ALPHAS,
            cross_validation=cross_validation,
            seed=seed,
        )
        score = metric(banded, target)
    except (UnknownIdentifier, UndefinedScore) as reason:
        return {}, (f"variance beyond {named} is not told: {reason}",)
    if score.raw is None:
        return {}, (f"variance beyond {named} is not told: {METRIC} gave none",)
    found = {
        UNIQUE: score.raw,
        R2_OF_BOTH: score.further["R2 of all bands"],
        R2_OF_MODEL: score.further[f"R2 of {MODEL}"],
        R2_OF_NUISANCES: score.further["R2 of the rest"],
        OMEGA: score.further["omega"],
    }
    return found, (in_words(found, named),)


def in_words(found: Mapping[str, Estimate], named: str) -> str:
    """One sentence on what `beyond` found."""
    unique, base, omega = (found[name].value for name in (UNIQUE, R2_OF_NUISANCES, OMEGA))
    interval = interval_of(unique, found[UNIQUE].replicates)
    between = (
        f" ({100 * interval.level:g} % interval {interval.low:+.3f} to {interval.high:+.3f})"
        if interval
        else ""
    )
    alone = found[R2_OF_MODEL].value
    shared = f"; they share {omega:.0%} of what it explains" if alone >= _TELLING else ""
    return f"beyond {named} (R2 {base:.3f}) it explains {unique:+.3f} of variance{between}{shared}"
