"""Cards of the benchmarks of robustness."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

_BIBTEX = """@inproceedings{hendrycks2019benchmarking,
  title = {Benchmarking Neural Network Robustness to Common Corruptions and Perturbations},
  author = {Hendrycks, Dan and Dietterich, Thomas},
  booktitle = {International Conference on Learning Representations},
  year = {2019}
}"""

_UNTRAINED = ("{model}-untrained",)
_SIMPLE = ("pixels", "gabor-colour", "random-cnn", *_UNTRAINED)


def _card(target: str, read: str) -> BenchmarkCard:
    middle = "" if target == "probabilities" else f".{target}"
    return BenchmarkCard(
        identifier=f"Shapes.robustness{middle}-accuracy",
        factory="corteval_robustness.benchmark:RobustnessBenchmark",
        summary=f"Recognition of shapes kept under 11 corruptions, {read}",
        licence="MIT",
        bibtex=_BIBTEX,
        data=("Shapes",),
        target=target,
        parent="engineering",
        controls=_SIMPLE,
        options={"label": "label", "together": "object_id", "severities": (1, 3, 5)},
    )


SHAPES = _card("probabilities", "by the subject's own read-out")
SHAPES_V1 = _card("V1", "by a linear read-out of V1")
SHAPES_IT = _card("IT", "by a linear read-out of IT")
