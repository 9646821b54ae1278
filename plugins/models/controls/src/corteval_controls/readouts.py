"""Read-outs of the controls: what else than recordings they can be asked for."""

from __future__ import annotations

from corteval.readouts import LogisticProbabilities, OddOneOutByDotProduct, Readout


def fitted_to(layer: str) -> tuple[Readout, ...]:
    """Probabilities of labels and the odd one out of three, both from `layer`."""
    return (LogisticProbabilities(layer=layer), OddOneOutByDotProduct(layer=layer))
