"""Cards of the IT benchmark. Parts and parameters are all there is: core does the rest."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

RAJALINGHAM2020 = """@article{rajalingham2020inferior,
  title = {The inferior temporal cortex is a potential cortical precursor of orthographic processing
           in untrained monkeys},
  author = {Rajalingham, Rishi and Kar, Kohitij and Sanghavi, Sachi and Dehaene, Stanislas and
            DiCarlo, James J.},
  journal = {Nature Communications},
  volume = {11},
  number = {1},
  pages = {3886},
  year = {2020},
  doi = {10.1038/s41467-020-17714-3}
}"""

VISUAL_DEGREES, TRIALS = 8, 33


def _card(metric: str, words: str, *, order: str = "ids", **options: Any) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Rajalingham2020.IT-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Macaque IT, 616 letter strings: {words}",
        licence="MIT",
        bibtex=RAJALINGHAM2020,
        data=("brainscore/Rajalingham2020",),
        metric="pls",
        ceiling="internal_consistency",
        target="IT",
        species="macaque",
        parent="IT",
        controls=RECORDING_CONTROLS["image"],
        options={
            "neuroids": {"region": "IT"},
            "model_trials": TRIALS,
            "data_options": {"visual_degrees": VISUAL_DEGREES},
            "metric_options": {"cross_validation": {"order": order}},
            **options,
        },
    )


IT_PLS = _card("pls", "PLS, explained variance over reliability")
IT_PLS_LEGACY = _card(
    "pls-legacy",
    "PLS, splits by the order of rows as published; r^2/c",
    order="rows",
    notes=("legacy: splits follow the order of the data's rows",),
)
