"""Cards of the benchmarks of recognition behind bubbles."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard

_BIBTEX = """@article{tang2018recurrent,
  title = {Recurrent computations for visual pattern completion},
  author = {Tang, Hanlin and Schrimpf, Martin and Lotter, William and Moerman, Charlotte and
            Paredes, Ana and Ortega Caro, Josue and Hardesty, Walter and Cox, David and
            Kreiman, Gabriel},
  journal = {Proceedings of the National Academy of Sciences},
  volume = {115},
  number = {35},
  pages = {8835--8840},
  year = {2018},
  doi = {10.1073/pnas.1719397115}
}"""

_READ: dict[str, tuple[str, dict[str, Any]]] = {
    "accuracy": ("a linear read-out", {}),
    "hopfield": ("RNN_h, a Hopfield network that completes patterns", {"completion": "hopfield"}),
    "rnn5": (
        "RNN_5, a recurrent layer that completes patterns",
        {"completion": "rnn5", "most_units": 512},
    ),
}


def _card(target: str, read: str) -> BenchmarkCard:
    words, options = _READ[read]
    middle = "" if target == "IT" else f".{target}"
    return BenchmarkCard(
        identifier=f"Shapes.occlusion{middle}-{read}",
        factory="corteval_occlusion.benchmark:OcclusionBenchmark",
        summary=f"Shapes behind bubbles: {words} of {target} that knows whole images",
        licence="MIT",
        bibtex=_BIBTEX,
        data=("Shapes",),
        target=target,
        parent="engineering",
        controls=("pixels", "gabor-colour", "random-cnn", "{model}-untrained"),
        chance=1 / 8,
        options={
            "label": "label",
            "together": "object_id",
            # on the grey of the cover, so that what is hidden looks like what is not there
            "data_options": {"ground_contrast": 0.0},
            **options,
        },
    )


IT_ACCURACY, IT_HOPFIELD, IT_RNN5 = (_card("IT", read) for read in _READ)
V1_ACCURACY, V1_HOPFIELD, V1_RNN5 = (_card("V1", read) for read in _READ)
