"""Cards of the control subjects."""

from __future__ import annotations

from corteval.cards import ModelCard, ModelFamily

PIXELS = ModelCard(
    identifier="pixels",
    factory="corteval_controls.pixels:build",
    summary="Mean luminance on a 14 x 14 grid",
    licence="MIT",
    parameters=0,
)

SENTENCE_LENGTH = ModelCard(
    identifier="sentence-length",
    factory="corteval_controls.sentence_length:build",
    summary="Characters and words of a text",
    licence="MIT",
    modalities=frozenset({"text"}),
    parameters=0,
)

_ENERGY_MODEL = """@article{adelson1985spatiotemporal,
  title = {Spatiotemporal energy models for the perception of motion},
  author = {Adelson, Edward H. and Bergen, James R.},
  journal = {Journal of the Optical Society of America A},
  volume = {2},
  number = {2},
  pages = {284--299},
  year = {1985}
}

@article{jones1987evaluation,
  title = {An evaluation of the two-dimensional Gabor filter model of simple receptive fields in
           cat striate cortex},
  author = {Jones, Judson P. and Palmer, Larry A.},
  journal = {Journal of Neurophysiology},
  volume = {58},
  number = {6},
  pages = {1233--1258},
  year = {1987}
}"""

GABOR_FILTERBANK = ModelCard(
    identifier="gabor-filterbank",
    factory="corteval_controls.gabor:build",
    options={"identifier": "gabor-filterbank"},
    summary="V1 energy model: simple and complex Gabor units, 12 orientations x 9 frequencies",
    licence="MIT",
    bibtex=_ENERGY_MODEL,
    parameters=0,
)

GABOR_45_DEGREES = ModelCard(
    identifier="gabor-45-degrees",
    factory="corteval_controls.gabor:build",
    options={"identifier": "gabor-45-degrees", "orientations_degrees": (45.0,)},
    summary="Negative control for orientation: the Gabor filter bank at 45 degrees only",
    licence="MIT",
    bibtex=_ENERGY_MODEL,
    parameters=0,
)

GABOR_2_4_CPD = ModelCard(
    identifier="gabor-2.4-cpd",
    factory="corteval_controls.gabor:build",
    options={"identifier": "gabor-2.4-cpd", "spatial_frequencies_cpd": (2.4,)},
    summary="Negative control for spatial frequency: the Gabor filter bank at 2.4 cpd only",
    licence="MIT",
    bibtex=_ENERGY_MODEL,
    parameters=0,
)

GABOR_COLOUR = ModelCard(
    identifier="gabor-colour",
    factory="corteval_controls.gabor_colour:build",
    summary="Gabor energy, and mean and spread of opponent colours, on a 5 x 5 grid",
    licence="MIT",
    bibtex=_ENERGY_MODEL,
    parameters=0,
)

RANDOM_CNN = ModelCard(
    identifier="random-cnn",
    factory="corteval_controls.random_cnn:build",
    summary="Four convolutional layers with random weights, averaged over a 5 x 5 grid",
    licence="MIT",
    bibtex="""@inproceedings{he2015delving,
  title = {Delving Deep into Rectifiers: Surpassing Human-Level Performance on {ImageNet}
           Classification},
  author = {He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian},
  booktitle = {IEEE International Conference on Computer Vision},
  year = {2015}
}""",
    parameters=1_099_648,
)

RANDOM_PROJECTION = ModelFamily(
    identifier="random-projection",
    factory="corteval_controls.projection:build",
    summary="Gaussian random projection of luminance; member = features[-seedN]",
    licence="MIT",
    members=("1000", "1000-seed1", "4096"),
)
