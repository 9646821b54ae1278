"""Cards of the benchmarks on the mean response of five people to a thousand sentences."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

TUCKUTE2024 = """@article{tuckute2024driving,
  title = {Driving and suppressing the human language network using large language models},
  author = {Tuckute, Greta and Sathe, Aalok and Srikant, Shashank and Taliaferro, Maya and
            Wang, Mingye and Schrimpf, Martin and Kay, Kendrick and Fedorenko, Evelina},
  journal = {Nature Human Behaviour}, volume = {8}, pages = {544--561},
  year = {2024},
  doi = {10.1038/s41562-023-01783-7}
}"""

#: Penalties of the published ridge regression (spec ``metrics``, Language 2.2).
_ALPHAS = tuple(10.0**power for power in range(-3, 4))

#: As published; sentences have nothing to do with each other, so that random splits do not leak.
_SPLITS = {"folds": "shuffle", "order": "rows", "group_by": None}

_NOTES = (
    "raw score: the archive has the mean of five people only, from which no ceiling follows; the "
    "authors report a noise ceiling of r = .559 for it",
    "one response a sentence: comparisons of patterns, such as RDMs, have no value here",
)


def _card(form: str, summary: str, metric: str, **options: Any) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Tuckute2024-{form}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Human language network (fMRI), mean of 5 people, 1,000 sentences: {summary}",
        licence="MIT",
        bibtex=TUCKUTE2024,
        data=("brainscore/Tuckute2024.language",),
        metric=metric,
        target="language_system",
        species="human",
        parent="Tuckute2024",
        controls=RECORDING_CONTROLS["text"],
        options={
            # a subject that predicts a constant has r = 0
            "metric_options": {"cross_validation": _SPLITS, "constant": "zero", **options},
            "nuisances": ("sentence-features",),
            "notes": _NOTES,
        },
    )


RIDGE = _card("ridge", "ridge", "ridgecv", alphas=_ALPHAS)
LINEAR = _card("linear", "least squares", "linear")
