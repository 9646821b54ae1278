"""Cards of the V4 recordings of Cowley et al. 2023."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from corteval.cards import DataCard, Resource
from corteval.errors import OptionError
from corteval_cowley2023.sessions import SESSIONS, Session

REPOSITORY = "https://github.com/cowleygroup/V4_compact_models"
COMMIT = "f4552ad9d34a466ebc66658f72a08a8e5038f1cf"

_ROOT = (
    f"https://raw.githubusercontent.com/cowleygroup/V4_compact_models/{COMMIT}/data_V4_responses"
)
_LICENCE = "GPL-3.0-only"
_FACTORY = "corteval_cowley2023.data:Cowley2023"
_BIBTEX = """@article{cowley2023compact,
  title = {Compact deep neural network models of visual cortex},
  author = {Cowley, Benjamin R. and Stan, Patricia L. and Pillow, Jonathan W. and
            Smith, Matthew A.},
  journal = {bioRxiv},
  year = {2023},
  doi = {10.1101/2023.11.22.568315}
}"""
_NOT_STATED = (
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
    return Resource(url=f"{_ROOT}/{name}", sha256=sha256, size=size, licence=_LICENCE)


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
    factory=_FACTORY,
    summary="Spike counts of 50 macaque V4 neurons to 640 images, 6 to 10 repeats each",
    licence=_LICENCE,
    bibtex=_BIBTEX,
    species="macaque",
    resources=(PINNED["210325"].responses, PINNED["210325"].images),
    notes=(
        "Session 210325, one animal; other sessions of the authors' repository are read from a "
        "clone of it, see the package's README.",
        _NOT_STATED,
    ),
)


def _averages(session: str) -> DataCard:
    listed = SESSIONS[session]
    return DataCard(
        identifier=f"Cowley2023.{session}",
        factory=_FACTORY,
        summary=f"Mean spike counts of {listed.neurons} macaque V4 neurons to {listed.images:,} "
        "natural photographs",
        licence=_LICENCE,
        bibtex=_BIBTEX,
        species="macaque",
        options={"session": session},
        resources=(PINNED[session].responses, PINNED[session].images),
        notes=(
            "Averages over repeats only: the file of single trials is larger than 4 MiB and not "
            "pinned, so no ceiling can be computed. From a clone of the authors' repository, "
            "named by the option `folder`, the single trials are read.",
            _NOT_STATED,
            "Origin and rights of the photographs are not stated.",
        ),
    )


COWLEY2023_201025 = _averages("201025")
COWLEY2023_190923 = _averages("190923")


def session_card(
    session: str, folder: str | Path | None = None, identifier: str | None = None
) -> DataCard:
    """Card of a session in a clone of the authors' repository, for `registry.data.add`.

    Args:
        session: date of the recording, yymmdd.
        folder: the clone, or its folder ``data_V4_responses``; if None,
            ``<CORTEVAL_HOME>/provided/Cowley2023``.
        identifier: ``Cowley2023.<session>`` if None, which 201025 and 190923 have already.

    Raises:
        OptionError: if the authors list no such session.
    """
    listed = listed_session(session)
    place = {} if folder is None else {"folder": str(Path(folder).expanduser().absolute())}
    return DataCard(
        identifier=identifier or f"Cowley2023.{session}",
        factory=_FACTORY,
        summary=f"Spike counts of {listed.neurons} macaque V4 neurons to {listed.images:,} images",
        licence=_LICENCE,
        bibtex=_BIBTEX,
        species="macaque",
        options={"session": session, **place},
        notes=(
            f"Read from a clone of {REPOSITORY} that the user provides; its bytes are not pinned. "
            "Attributes of the assembly record their sha256.",
            _NOT_STATED,
            "Origin and rights of the images are not stated.",
        ),
    )


def listed_session(session: str) -> Session:
    """What the authors' readme says of a session.

    Raises:
        OptionError: with close names, if it lists no such session.
    """
    if session in SESSIONS:
        return SESSIONS[session]
    import difflib  # only for an error

    close = difflib.get_close_matches(str(session), SESSIONS, n=3) or list(SESSIONS)[:3]
    raise OptionError(
        f"Cowley2023 has no session {session!r}. Sessions are dates as text, yymmdd, such as "
        f"{', '.join(map(repr, close))}; the readme of {REPOSITORY} lists all 50."
    )
