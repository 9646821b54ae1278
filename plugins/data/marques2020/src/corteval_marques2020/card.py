"""Cards of the V1 property histograms, each with the paper it was published in."""

from __future__ import annotations

from corteval.cards import DataCard

MARQUES2020 = """@article{marques2021multiscale,
  title = {Multi-scale hierarchical neural network models that bridge from single neurons in the
           primate primary visual cortex to object recognition behavior},
  author = {Marques, Tiago and Schrimpf, Martin and DiCarlo, James J.},
  journal = {bioRxiv},
  year = {2021},
  doi = {10.1101/2021.03.01.433495}
}"""

DEVALOIS1982A = """@article{devalois1982orientation,
  title = {The orientation and direction selectivity of cells in macaque visual cortex},
  author = {De Valois, Russell L. and Yund, E. William and Hepler, Norva},
  journal = {Vision Research},
  volume = {22},
  pages = {531--544},
  year = {1982}
}"""

DEVALOIS1982B = """@article{devalois1982frequency,
  title = {Spatial frequency selectivity of cells in macaque visual cortex},
  author = {De Valois, Russell L. and Albrecht, Duane G. and Thorell, Lisa G.},
  journal = {Vision Research},
  volume = {22},
  pages = {545--559},
  year = {1982}
}"""

SCHILLER1976 = """@article{schiller1976frequency,
  title = {Quantitative studies of single-cell properties in monkey striate cortex.
           III. Spatial frequency},
  author = {Schiller, Peter H. and Finlay, Barbara L. and Volman, Susan F.},
  journal = {Journal of Neurophysiology},
  volume = {39},
  pages = {1334--1351},
  year = {1976}
}"""

CAVANAUGH2002 = """@article{cavanaugh2002nature,
  title = {Nature and interaction of signals from the receptive field center and surround in
           macaque V1 neurons},
  author = {Cavanaugh, James R. and Bair, Wyeth and Movshon, J. Anthony},
  journal = {Journal of Neurophysiology},
  volume = {88},
  pages = {2530--2546},
  year = {2002}
}"""


def _card(name: str, words: str, paper: str) -> DataCard:
    return DataCard(
        identifier=f"Marques2020.{name}",
        factory="corteval_marques2020.data:build",
        options={"name": name},
        summary=f"Distribution of {words} over macaque V1 units, and its gratings",
        licence="MIT",
        bibtex=f"{paper}\n\n{MARQUES2020}",
        species="macaque",
    )


PREFERRED_ORIENTATION = _card("preferred_orientation", "preferred orientation", DEVALOIS1982A)
PEAK_SPATIAL_FREQUENCY = _card("peak_spatial_frequency", "peak spatial frequency", DEVALOIS1982B)
SPATIAL_FREQUENCY_SELECTIVE = _card(
    "spatial_frequency_selective", "spatial-frequency selectivity", SCHILLER1976
)
SPATIAL_FREQUENCY_BANDWIDTH = _card(
    "spatial_frequency_bandwidth", "spatial-frequency bandwidth", SCHILLER1976
)
SURROUND_SUPPRESSION_INDEX = _card(
    "surround_suppression_index", "surround suppression", CAVANAUGH2002
)
STRONGLY_SUPPRESSED = _card("strongly_suppressed", "strong surround suppression", CAVANAUGH2002)
GRATING_SUMMATION_FIELD = _card("grating_summation_field", "grating summation field", CAVANAUGH2002)
SURROUND_DIAMETER = _card("surround_diameter", "surround diameter", CAVANAUGH2002)
SURROUND_GRATING_SUMMATION_FIELD_RATIO = _card(
    "surround_grating_summation_field_ratio", "surround to summation-field ratio", CAVANAUGH2002
)
