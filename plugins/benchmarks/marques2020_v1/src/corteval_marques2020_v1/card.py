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


#: The model's untrained twin, and oriented filters without a surround.
_CONTROLS = ("{model}-untrained", "gabor-filterbank")

_UNKNOWN_CHANCE = 1.0


def _card(
    name: str,
    words: str,
    parent: str | None,
    *,
    chance: float = _UNKNOWN_CHANCE,
    shown: str = "gratings",
    negative: str | None = None,
) -> BenchmarkCard:
    """Card of one property.

    Args:
        name: of the property.
        words: the same for readers.
        parent: group in which suites average it; None for what was packaged with the published
            benchmarks, but is none of them.
        chance: score of units spread evenly over the bins; of the properties that a unit has or
            has not, that of units that all have it, as units that respond at random do. 1 where the
            histogram is not known before the data are had: no score proves anything then, until a
            note of the score says what chance is on these data.
        shown: what measures the property.
        negative: control that is known to have another distribution.
    """
    return BenchmarkCard(
        identifier=f"Marques2020.V1-{name}",
        factory="corteval_marques2020_v1.benchmark:PropertyBenchmark",
        summary=f"Macaque V1, {shown}: distribution of {words} over units",
        licence="MIT",
        bibtex=MARQUES2020,
        data=(f"Marques2020.{name}",),
        metric="ks_similarity",
        target="V1",
        species="macaque",
        parent=parent,
        controls=_CONTROLS if negative is None else (*_CONTROLS, negative),
        chance=chance,
    )


PREFERRED_ORIENTATION = _card(
    "preferred_orientation",
    "preferred orientation",
    "V1-orientation",
    chance=0.99,
    negative="gabor-45-degrees",
)
PEAK_SPATIAL_FREQUENCY = _card(
    "peak_spatial_frequency",
    "peak spatial frequency",
    "V1-spatial_frequency",
    chance=0.84,
    negative="gabor-2.4-cpd",
)
SPATIAL_FREQUENCY_SELECTIVE = _card(
    "spatial_frequency_selective",
    "selectivity for spatial frequency",
    "V1-spatial_frequency",
    chance=0.84,
)
SPATIAL_FREQUENCY_BANDWIDTH = _card(
    "spatial_frequency_bandwidth",
    "spatial-frequency bandwidth",
    "V1-spatial_frequency",
    chance=0.80,
)
SURROUND_SUPPRESSION_INDEX = _card(
    "surround_suppression_index", "surround suppression", "V1-surround_modulation", chance=0.52
)
STRONGLY_SUPPRESSED = _card(
    "strongly_suppressed", "suppression by a tenth or more", None, chance=0.74
)
GRATING_SUMMATION_FIELD = _card(
    "grating_summation_field", "summation-field diameter", "V1-receptive_field_size", chance=0.74
)
SURROUND_DIAMETER = _card(
    "surround_diameter", "surround diameter", "V1-receptive_field_size", chance=0.67
)
SURROUND_GRATING_SUMMATION_FIELD_RATIO = _card(
    "surround_grating_summation_field_ratio",
    "surround over summation-field diameter",
    None,
    chance=0.70,
)

_ORIENTATION, _SELECTIVITY = "V1-orientation", "V1-response_selectivity"
_MODULATION, _MAGNITUDE = "V1-texture_modulation", "V1-response_magnitude"

CIRCULAR_VARIANCE = _card("circular_variance", "circular variance", _ORIENTATION)
OR_BANDWIDTH = _card("or_bandwidth", "orientation bandwidth", _ORIENTATION)
ORTH_PREF_RATIO = _card("orth_pref_ratio", "orthogonal over preferred response", _ORIENTATION)
OR_SELECTIVE = _card("or_selective", "selectivity for orientation", _ORIENTATION)
CV_BANDWIDTH_RATIO = _card("cv_bandwidth_ratio", "circular variance over bandwidth", _ORIENTATION)
OPR_CV_DIFF = _card("opr_cv_diff", "orthogonal ratio less circular variance", _ORIENTATION)
MAX_DC = _card("max_dc", "largest mean rate", _MAGNITUDE)
MODULATION_RATIO = _card("modulation_ratio", "modulation by a grating's phase", _SELECTIVITY)
TEXTURE_MODULATION_INDEX = _card(
    "texture_modulation_index", "texture modulation", _MODULATION, shown="textures"
)
ABS_TEXTURE_MODULATION_INDEX = _card(
    "abs_texture_modulation_index",
    "texture modulation of either sign",
    _MODULATION,
    shown="textures",
)
TEXTURE_SELECTIVITY = _card(
    "texture_selectivity", "selectivity for texture families", _SELECTIVITY, shown="textures"
)
TEXTURE_SPARSENESS = _card(
    "texture_sparseness", "sparseness over textures", _SELECTIVITY, shown="textures"
)
TEXTURE_VARIANCE_RATIO = _card(
    "texture_variance_ratio",
    "variance between over within texture families",
    _SELECTIVITY,
    shown="textures",
)
MAX_TEXTURE = _card("max_texture", "largest response to a texture", _MAGNITUDE, shown="textures")
MAX_NOISE = _card("max_noise", "largest response to matched noise", _MAGNITUDE, shown="textures")
