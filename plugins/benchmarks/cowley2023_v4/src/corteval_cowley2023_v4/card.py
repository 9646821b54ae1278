"""Cards of the V4 benchmarks. Parts and parameters are all there is: core builds the rest."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

COWLEY2023 = """@article{cowley2023compact,
  title = {Compact deep neural network models of visual cortex},
  author = {Cowley, Benjamin R. and Stan, Patricia L. and Pillow, Jonathan W. and
            Smith, Matthew A.},
  journal = {bioRxiv},
  year = {2023},
  doi = {10.1101/2023.11.22.568315}
}"""


_FIELD_OF_VIEW = "images have no stated size in degrees and fill the model's field of view"

#: The session is the only stratum, which gives the splits that published numbers on these data were
#: computed with.
_SPLITS = {"cross_validation": {"stratify_by": "session"}}


def _card(
    metric: str,
    words: str,
    *notes: str,
    data: str = "Cowley2023",
    shown: str = "640 images, 50 neurons",
    ceiling: str | None = None,
    options: dict[str, Any],
) -> BenchmarkCard:
    """Card of one session and metric; without a ceiling it is raw and averaged with no other."""
    name = "V4" if data == "Cowley2023" else data.removeprefix("Cowley2023.")
    return BenchmarkCard(
        identifier=f"Cowley2023.{name}-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Macaque V4, {shown}: {words}",
        licence="MIT",
        bibtex=COWLEY2023,
        data=(data,),
        metric=metric,
        ceiling=ceiling,
        target="V4",
        species="macaque",
        parent="V4" if ceiling else None,
        controls=RECORDING_CONTROLS["image"],
        options={**options, "notes": ("one animal, one session", *notes, _FIELD_OF_VIEW)},
    )


def _predicted(metric: str, words: str) -> BenchmarkCard:
    """Neurons are predicted, and how reliable each of them is bounds how well."""
    return _card(
        metric,
        words,
        ceiling="internal_consistency",
        options={"trials": 6, "metric_options": _SPLITS},  # every image has at least six
    )


def _compared(metric: str, words: str) -> BenchmarkCard:
    """Patterns over all neurons are compared, for which these data give no ceiling."""
    why = (
        "one animal, so bounds over subjects do not exist, and the reliability of single neurons "
        "does not bound this metric; noise keeps a perfect model below 1"
    )
    return _card(metric, words, why, options={"trials": 6})


def _averages(session: str, neurons: int) -> BenchmarkCard:
    """A session of which there are means over repeats, from which no ceiling follows."""
    return _card(
        "ridge",
        "ridge regression, correlation without ceiling",
        "only means over repeats are published here, so the neurons' reliability is unknown: "
        "compare models, not sessions",
        "the v4compact models were mapped to these neurons with half of these images",
        data=f"Cowley2023.{session}",
        shown=f"1,200 photographs, {neurons} neurons",
        options={"metric_options": _SPLITS},
    )


V4_PLS = _predicted("pls", "partial least squares, explained variance over reliability")
V4_RIDGE = _predicted("ridge", "ridge regression, explained variance over reliability")
V4_RIDGECV = _predicted("ridgecv", "ridge regression, penalty by leave-one-out, explained variance")
V4_LINEAR = _predicted("linear", "least squares, explained variance over reliability")
V4_NEURON_TO_NEURON = _predicted("neuron_to_neuron", "best single model unit, explained variance")
V4_RDM = _compared("rdm", "Spearman's correlation of RDMs, without ceiling")
V4_CKA = _compared("cka", "debiased linear CKA, without ceiling")
RIDGE_201025 = _averages("201025", 89)
RIDGE_190923 = _averages("190923", 33)
