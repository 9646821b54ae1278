"""Cards of the V1 property benchmarks."""

from __future__ import annotations

from corteval.cards import BenchmarkCard

MARQUES2020 = """@article{marques2021multiscale,
  title = {Multi-scale hierarchical neural network models that bridge from single neurons in the
           primate primary visual cortex to object recognition behavior},
  author = {Marques, Tiago and Schrimpf, Martin and DiCarlo, James J.},
  journal = {bioRxiv},
  year = {2021},
  doi = {10.1101/2021.03.01.433495}
}"""


def _card(name: str, words: str, parent: str, *, flat: float) -> BenchmarkCard:
    """Card of one property; `flat` is the score of units spread evenly over the bins."""
    return BenchmarkCard(
        identifier=f"Marques2020.V1-{name}",
        factory="corteval_marques2020_v1.benchmark:PropertyBenchmark",
        summary=f"Macaque V1, gratings: distribution of {words} over units",
        licence="MIT",
        bibtex=MARQUES2020,
        data=(f"Marques2020.{name}",),
        metric="ks_similarity",
        target="V1",
        species="macaque",
        parent=parent,
        chance=flat,
    )


PREFERRED_ORIENTATION = _card(
    "preferred_orientation", "preferred orientation", "V1-orientation", flat=0.99
)
PEAK_SPATIAL_FREQUENCY = _card(
    "peak_spatial_frequency", "peak spatial frequency", "V1-spatial_frequency", flat=0.84
)
