"""Cards of the V4 recordings of Cowley et al. 2023."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from corteval.cards import DataCard, Resource
from corteval_cowley2023.sessions import SESSIONS

REPOSITORY = "https://github.com/cowleygroup/V4_compact_models"
COMMIT = "f4552ad9d34a466ebc66658f72a08a8e5038f1cf"

_ROOT = (
    f"https://raw.githubusercontent.com/cowleygroup/V4_compact_models/{COMMIT}/data_V4_responses"
)
LICENCE = "GPL-3.0-only"
FACTORY = "corteval_cowley2023.data:Cowley2023"
BIBTEX = """@article{cowley2023compact,
  title = {Compact deep neural network models of visual cortex},
  author = {Cowley, Benjamin R. and Stan, Patricia L. and Pillow, Jonathan W. and
            Smith, Matthew A.},
  journal = {bioRxiv},
  year = {2023},
  doi = {10.1101/2023.11.22.568315}
}"""
NOT_STATED = (
    "The onset of the 100 ms in which spikes were counted and the images' extent in degrees are "
    "not stated by the authors."
)


@final
@dataclass(frozen=True, kw_only=True)
class Pinned:
    """Files of a session whose bytes are known.

    Args:
        images: a zip of them.
        responses: single trials (neuron, image, repeat) or their mean (neuron, image).
    """

    images: Resource
    responses: Resource


def _file(name: str, sha256: str, size: int) -> Resource:
    return Resource(url=f"{_ROOT}/{name}", sha256=sha256, size=size, licence=LICENCE)


#: Sessions that can be downloaded.
PINNED = {
    "210325": Pinned(
        images=_file(
            "images/images_210325.zip",
            "992774eca3508a2ad01accb1a31f5f3e3d90248c49f4eec314f2a915a263e454",
            1_841_475,
        ),
        responses=_file(
            "responses_raw/responses_210325.npy",
            "4008dbbf31a47d9b1b8d8da609f4a7a3433c7071f0e45c611c220b217dd75b76",
            2_560_128,
        ),
    ),
    "201025": Pinned(
        images=_file(
            "images/images_201025.zip",
            "3abb63679107665eab7220bdeaf7863832a1df943bf3d7792501f5082a55b2e8",
            4_131_376,
        ),
        responses=_file(
            "responses_repeat_averaged/responses_201025.npy",
            "f729f3dc0d29aa38bd380c0da9e39aba916f9e2580949929b65d1714e7217a8a",
            854_528,
        ),
    ),
    "190923": Pinned(
        images=_file(
            "images/images_190923.zip",
            "e99a4df1c7476bdc4d565ff4408bc421976ecc3a22c41af6bfd0cfbddb508c0c",
            4_024_034,
        ),
        responses=_file(
            "responses_repeat_averaged/responses_190923.npy",
            "741672d36541ce39930c8a3b5bd1cfd33c187aa47b1549c9c5569bc21aa97a28",
            316_928,
        ),
    ),
}

COWLEY2023 = DataCard(
    identifier="Cowley2023",
    factory=FACTORY,
    summary="Spike counts of 50 macaque V4 neurons to 640 images, 6 to 10 repeats each",
    licence=LICENCE,
    bibtex=BIBTEX,
    species="macaque",
    resources=(PINNED["210325"].responses, PINNED["210325"].images),
    notes=(
        "Session 210325, one animal; other sessions of the authors' repository are read from a "
        "clone of it, see the package's README.",
        NOT_STATED,
    ),
)


def _averages(session: str) -> DataCard:
    listed = SESSIONS[session]
    return DataCard(
        identifier=f"Cowley2023.{session}",
        factory=FACTORY,
        summary=f"Mean spike counts of {listed.neurons} macaque V4 neurons to {listed.images:,} "
        "natural photographs",
        licence=LICENCE,
        bibtex=BIBTEX,
        species="macaque",
        options={"session": session},
        resources=(PINNED[session].responses, PINNED[session].images),
        notes=(
            "Averages over repeats only: the file of single trials is larger than 4 MiB and not "
            "pinned, so no ceiling can be computed. From a clone of the authors' repository, "
            "named by the option `folder`, the single trials are read.",
            NOT_STATED,
            "Origin and rights of the photographs are not stated.",
        ),
    )


COWLEY2023_201025 = _averages("201025")
COWLEY2023_190923 = _averages("190923")
