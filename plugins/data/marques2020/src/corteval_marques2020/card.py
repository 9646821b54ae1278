"""Cards of the V1 property histograms, each with the paper it was published in."""

from __future__ import annotations

from corteval.cards import Access, DataCard, Resource

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

RINGACH2002 = """@article{ringach2002orientation,
  title = {Orientation selectivity in macaque V1: diversity and laminar dependence},
  author = {Ringach, Dario L. and Shapley, Robert M. and Hawken, Michael J.},
  journal = {Journal of Neuroscience},
  volume = {22},
  pages = {5639--5651},
  year = {2002},
  doi = {10.1523/JNEUROSCI.22-13-05639.2002}
}"""

FREEMANZIEMBA2013 = """@article{freeman2013functional,
  title = {A functional and perceptual signature of the second visual area in primates},
  author = {Freeman, Jeremy and Ziemba, Corey M. and Heeger, David J. and Simoncelli, Eero P. and
            Movshon, J. Anthony},
  journal = {Nature Neuroscience},
  volume = {16},
  pages = {974--981},
  year = {2013},
  doi = {10.1038/nn.3402}
}"""

_ARCHIVE = "https://brainscore-storage.s3.amazonaws.com/brainio-brainscore"
_LICENCE = "none recorded in the registry"
_HINT = (
    "These are files of Brain-Score's archive, whose registry does not say who may have them. If "
    "you have them, or the authors' own files, name the folder by the option `folder`."
)


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


def _recorded(
    name: str, words: str, paper: str, access: Access, known: str, *resources: Resource
) -> DataCard:
    """Card of a property that is counted from the values of recorded units."""
    return DataCard(
        identifier=f"Marques2020.{name}",
        factory="corteval_marques2020.data:build_recorded",
        options={"name": name},
        summary=f"Distribution of {words} over V1 units, and its stimuli",
        licence=_LICENCE,
        bibtex=f"{paper}\n\n{MARQUES2020}",
        species="macaque",
        access=access,
        resources=resources,
        notes=(known, "Nobody tried the addresses, and no real file was read, when this was made."),
    )


def _stored(file: str, sha1: str) -> Resource:
    return Resource(url=f"{_ARCHIVE}/{file}", sha1=sha1, licence=_LICENCE, hint=_HINT)


def _ringach(name: str, words: str) -> DataCard:
    return _recorded(
        name,
        words,
        RINGACH2002,
        "public",
        "Metadata of Brain-Score's benchmarks call these data public; its registry does not say.",
        _stored("assy_shapley_Ringach2002.nc", "0f3e19140bd9f930109879a38e574471d9576cf5"),
    )


def _texture(name: str, words: str) -> DataCard:
    return _recorded(
        name,
        words,
        FREEMANZIEMBA2013,
        "private",
        "Metadata of Brain-Score's benchmarks say that these data are not public.",
        _stored(
            "assy_movshon_FreemanZiemba2013_V1_properties.nc",
            "e665522d9a32e6cd6c3ebc61ff65fd3899c8d3e6",
        ),
        _stored(
            "stimulus_FreemanZiemba2013_properties.csv", "6f7bcb5d0c01e81c9fbdcec9bf586cbb579a9b02"
        ),
        _stored(
            "stimulus_FreemanZiemba2013_properties.zip", "c64a0d6b447676a6d5cff3d3625a5f294e62ff97"
        ),
    )


CIRCULAR_VARIANCE = _ringach("circular_variance", "circular variance")
OR_BANDWIDTH = _ringach("or_bandwidth", "orientation bandwidth")
ORTH_PREF_RATIO = _ringach("orth_pref_ratio", "orthogonal over preferred response")
OR_SELECTIVE = _ringach("or_selective", "orientation selectivity")
CV_BANDWIDTH_RATIO = _ringach("cv_bandwidth_ratio", "circular variance over bandwidth")
OPR_CV_DIFF = _ringach("opr_cv_diff", "orthogonal ratio less circular variance")
MAX_DC = _ringach("max_dc", "largest mean rate")
MODULATION_RATIO = _ringach("modulation_ratio", "modulation by a grating's phase")
TEXTURE_MODULATION_INDEX = _texture("texture_modulation_index", "texture modulation")
ABS_TEXTURE_MODULATION_INDEX = _texture(
    "abs_texture_modulation_index", "texture modulation of either sign"
)
TEXTURE_SELECTIVITY = _texture("texture_selectivity", "selectivity for texture families")
TEXTURE_SPARSENESS = _texture("texture_sparseness", "sparseness over textures")
TEXTURE_VARIANCE_RATIO = _texture(
    "texture_variance_ratio", "variance between over within texture families"
)
MAX_TEXTURE = _texture("max_texture", "largest response to a texture")
MAX_NOISE = _texture("max_noise", "largest response to matched noise")
