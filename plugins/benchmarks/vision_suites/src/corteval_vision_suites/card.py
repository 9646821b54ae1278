"""Cards of the vision suites. An edition never changes: a new list is a new edition."""

from __future__ import annotations

from corteval.cards import Part, SuiteCard


def _properties(name: str, *properties: str) -> Part:
    """A group of V1 properties."""
    return Part(name, parts=tuple(Part(f"Marques2020.V1-{prop}") for prop in properties))


#: Properties that are published as histograms, in the groups of Marques et al. (2021). Two that
#: were packaged with them but are none of their benchmarks are left out.
_V1_PROPERTIES = (
    _properties("orientation", "preferred_orientation"),
    _properties(
        "spatial_frequency",
        "peak_spatial_frequency",
        "spatial_frequency_selective",
        "spatial_frequency_bandwidth",
    ),
    _properties("receptive_field_size", "grating_summation_field", "surround_diameter"),
    _properties("surround_modulation", "surround_suppression_index"),
)

VISION_V1 = SuiteCard(
    identifier="vision-v1",
    summary="Properties of single V1 units: four groups, equal weights; no download",
    licence="MIT",
    editions={"1.0": _V1_PROPERTIES},
)

VISION_NEURAL = SuiteCard(
    identifier="vision-neural",
    summary="Responses of macaque V1, V2, V4 and IT by PLS on public data: equal weights of areas",
    licence="MIT",
    editions={
        "1.0": (
            Part("FreemanZiemba2013public.V1-pls"),
            Part("FreemanZiemba2013public.V2-pls"),
            Part("V4", parts=(Part("MajajHong2015public.V4-pls"), Part("Cowley2023.V4-pls"))),
            Part("MajajHong2015public.IT-pls"),
        )
    },
)

_DISTORTIONS = (
    "colour", "contrast", "cue-conflict", "edge", "eidolonI", "eidolonII", "eidolonIII",
    "false-colour", "high-pass", "low-pass", "phase-scrambling", "power-equalisation", "rotation",
    "silhouette", "sketch", "stylized", "uniform-noise",
)  # fmt: skip

VISION_BEHAVIOUR = SuiteCard(
    identifier="vision-behaviour",
    summary="Human object recognition: confusions of clean images, errors under 17 distortions",
    licence="MIT",
    editions={
        "1.0": (
            Part("Rajalingham2018public-i2n"),
            Part(
                "distortions",
                parts=tuple(Part(f"Geirhos2021.{name}-error_consistency") for name in _DISTORTIONS),
            ),
        )
    },
)

VISION_OPEN = SuiteCard(
    identifier="vision-open",
    summary="Every normalised vision benchmark on data that Corteval downloads for anyone",
    licence="MIT",
    editions={
        "1.0": (
            Part("V1", parts=_V1_PROPERTIES),
            Part(
                "V4",
                parts=tuple(
                    Part(f"Cowley2023.V4-{metric}")
                    for metric in ("pls", "ridge", "ridgecv", "linear", "neuron_to_neuron")
                ),
            ),
            Part("IT", parts=(Part("Kriegeskorte2008.humanIT-rdm"),)),
            Part("similarity_judgements", parts=(Part("Kriegeskorte2008.behaviour-rdm"),)),
        )
    },
)
