"""Cards of the benchmarks of contour integration."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

_BIBTEX = """@article{field1993contour,
  title = {Contour integration by the human visual system: evidence for a local ``association
           field''},
  author = {Field, David J. and Hayes, Anthony and Hess, Robert F.},
  journal = {Vision Research},
  volume = {33},
  number = {2},
  pages = {173--193},
  year = {1993}
}"""


def _card(target: str, read: str) -> BenchmarkCard:
    middle = "" if target == "probabilities" else f".{target}"
    return BenchmarkCard(
        identifier=f"GaborContours.integration{middle}-accuracy",
        factory="corteval_contour_integration.benchmark:ContourBenchmark",
        summary=f"Class of a contour across gaps, jitter, polarity and depth, {read}",
        licence="MIT",
        bibtex=_BIBTEX,
        data=("GaborContours",),
        target=target,
        parent="engineering",
        controls=("pixels", "gabor-colour", "random-cnn", "{model}-untrained"),
        chance=1 / 4,
    )


PROBABILITIES = _card("probabilities", "by the subject's own read-out")
V1 = _card("V1", "by a linear read-out of V1")
IT = _card("IT", "by a linear read-out of IT")
