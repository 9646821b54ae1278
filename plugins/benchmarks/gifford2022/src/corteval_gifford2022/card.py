"""Cards of the benchmarks on EEG responses to THINGS images."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

GIFFORD2022 = """@article{gifford2022large,
  title = {A large and rich {EEG} dataset for modeling human visual object recognition},
  author = {Gifford, Alessandro T. and Dwivedi, Kshitij and Roig, Gemma and Cichy, Radoslaw M.},
  journal = {NeuroImage}, volume = {264},
  year = {2022},
  doi = {10.1016/j.neuroimage.2022.119754}
}"""

_NOTES = (
    "EEG electrodes lie over many areas; as in Brain-Score, the model is asked for its IT",
    "each of 60 bins of 10 ms after onset is predicted from responses that the model gives once",
)

#: Bins of 10 ms from 0 to 600 ms after onset, in seconds as the file has them.
BINS_S = tuple((step / 100, (step + 1) / 100) for step in range(60))

#: Of the penalties, spec ``metrics`` 2.2.
ALPHAS = (
    *(0.01, 0.1, 0.5, 1.0, 10.0, 50.0, 100.0, 500.0, 1e3, 5e3),
    *(1e4 + 22_500.0 * step for step in range(4)),
    *(1e5 + 225_000.0 * step for step in range(4)),
    *(1e6 + 2_250_000.0 * step for step in range(5)),
)

#: By suffix of the identifier: in words, and options of the benchmark.
_FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("r^2 over reliability", {}),
    "-legacy": ("(r/c)^2 as published", {"share": "(r/c)^2"}),
}

#: By metric: in words, and options of the metric. Published fits are of each subject alone, so
#: each has a penalty of its own.
_FITS: dict[str, tuple[str, dict[str, Any]]] = {
    "ridge": ("ridge, alpha 1", {}),
    "ridgecv": (
        "ridge, alpha by leave-one-out",
        {"alpha_per": "subject", "alphas": ALPHAS},
    ),
}


def _card(metric: str, form: str = "") -> BenchmarkCard:
    words, options = _FORMS[form]
    fit, metric_options = _FITS[metric]
    return BenchmarkCard(
        identifier=f"Gifford2022.IT-{metric}{form}",
        factory="corteval_regression.per_subject:SubjectsBenchmark",
        summary=f"Human EEG, THINGS images, 10 people: {fit}, {words}",
        licence="MIT",
        bibtex=GIFFORD2022,
        data=("brainscore/Gifford2022_train", "brainscore/Gifford2022_test"),
        metric=f"{metric}-split",
        ceiling="internal_consistency",
        target="IT",
        species="human",
        parent=None if form else "IT",
        controls=RECORDING_CONTROLS["image"],
        options={
            **options,
            "bins_as_neuroids": True,
            # four trials of 16,540 images would not fit into most memories
            "train_options": {"average": True, "time_bins": BINS_S},
            "test_options": {"time_bins": BINS_S},
            "visual_degrees": 7.0,
            "metric_options": metric_options,
            "notes": _NOTES,
        },
    )


IT_RIDGE = _card("ridge")
IT_RIDGECV = _card("ridgecv")
IT_RIDGE_LEGACY = _card("ridge", "-legacy")
IT_RIDGECV_LEGACY = _card("ridgecv", "-legacy")
