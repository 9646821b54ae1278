"""Cards of the benchmarks on generalisation over image domains."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

BAGUS2022 = """@inproceedings{bagus2022primate,
  title = {Primate inferotemporal cortex neurons generalize better to novel image distributions than
           analogous deep neural networks units},
  author = {Bagus, Ayu Marliawaty I Gusti and Marques, Tiago and Sanghavi, Sachi and
            DiCarlo, James J and Schrimpf, Martin},
  booktitle = {SVRHM 2022 Workshop @ NeurIPS},
  year = {2022}
}"""

_BINS = ((70.0, 170.0),)


def _ridge(words: str, splits: str, form: str = "") -> BenchmarkCard:
    options: dict[str, Any] = {
        "splits": splits,
        "visual_degrees": 8.0,
        "model_trials": 63,
        "time_bins": _BINS,
        "data_options": {"time_bins": _BINS},
        "notes": (
            "neuroids with a reliability of .7 over all stimuli, chosen on the trials that are "
            "tested on",
        ),
    }
    return BenchmarkCard(
        identifier=f"Igustibagus2024-ridge{form}",
        factory="corteval_igustibagus2024.neural:DomainTransfer",
        summary=f"Macaque IT over image domains: ridge, {words}",
        licence="MIT",
        bibtex=BAGUS2022,
        data=("brainscore/Igustibagus2024",),
        metric="ridge",
        ceiling="internal_consistency",
        target="IT",
        species="macaque",
        parent=None if form else "IT",
        controls=RECORDING_CONTROLS["image"],
        options=options,
    )


RIDGE = _ridge("folds that share no background, r^2 over reliability", "groups")
RIDGE_LEGACY = _ridge(
    "published random splits, r^2 over reliability",
    "published",
    "-legacy",
)
READOUT = BenchmarkCard(
    identifier="Igustibagus2024.IT_readout-accuracy",
    factory="corteval_igustibagus2024.readout:ObjectReadout",
    summary="Objects read out from a model's IT in 13 domains, trained in one: two-way accuracy",
    licence="MIT",
    bibtex=BAGUS2022,
    data=("brainscore/Igustibagus2024",),
    target="IT",
    parent="engineering",
    controls=RECORDING_CONTROLS["image"],
    chance=0.5,
    options={"visual_degrees": 8.0, "time_bins": _BINS},
)
