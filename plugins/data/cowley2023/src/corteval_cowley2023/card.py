"""Card of the V4 recordings of Cowley et al. 2023."""

from __future__ import annotations

from corteval.cards import DataCard, Resource

_ROOT = (
    "https://raw.githubusercontent.com/cowleygroup/V4_compact_models/"
    "f4552ad9d34a466ebc66658f72a08a8e5038f1cf/data_V4_responses"
)
_LICENCE = "GPL-3.0-only"

RESPONSES = Resource(
    url=f"{_ROOT}/responses_raw/responses_210325.npy",
    sha256="4008dbbf31a47d9b1b8d8da609f4a7a3433c7071f0e45c611c220b217dd75b76",
    size=2_560_128,
    licence=_LICENCE,
)
IMAGES = Resource(
    url=f"{_ROOT}/images/images_210325.zip",
    sha256="992774eca3508a2ad01accb1a31f5f3e3d90248c49f4eec314f2a915a263e454",
    size=1_841_475,
    licence=_LICENCE,
)

COWLEY2023 = DataCard(
    identifier="Cowley2023",
    factory="corteval_cowley2023.data:Cowley2023",
    summary="Spike counts of 50 macaque V4 neurons to 640 images, 6 to 10 repeats each",
    licence=_LICENCE,
    bibtex="""@article{cowley2023compact,
  title = {Compact deep neural network models of visual cortex},
  author = {Cowley, Benjamin R. and Stan, Patricia L. and Pillow, Jonathan W. and
            Smith, Matthew A.},
  journal = {bioRxiv},
  year = {2023},
  doi = {10.1101/2023.11.22.568315}
}""",
    species="macaque",
    resources=(RESPONSES, IMAGES),
)
