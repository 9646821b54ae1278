"""Trained weights: where they are published, and what to do as long as they are not here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final
from urllib.parse import urlsplit

from torch import Tensor

from corteval import settings
from corteval.errors import FetchError, OptionError, WrongContent
from corteval_pytorch import given_weights


@final
@dataclass(frozen=True, kw_only=True)
class Published:
    """A public file of weights of which only the beginning of the sha256 is known.

    Torch Hub names such files ``<name>-<first 8 hexadecimal digits of the sha256>.pth``. That is
    too little to download anything on a user's behalf, but tells a wrong file from the right one.

    Args:
        url: public address.
        prefix: how the sha256 begins.
    """

    url: str
    prefix: str

    @property
    def filename(self) -> str:
        """Last part of the address."""
        return self.url.rpartition("/")[2]

    @property
    def place(self) -> str:
        """Where a mirror laid out as by ``wget -x`` holds it."""
        address = urlsplit(self.url)
        return f"{address.netloc}{address.path}"

    def mirrored(self) -> Path | None:
        """The file in the folder named by CORTEVAL_MIRROR or ``--mirror``, if it is there."""
        mirror = settings.setting("mirror").value
        if not mirror or "://" in mirror:
            return None
        path = Path(mirror).expanduser() / self.place
        return path if path.is_file() else None


@final
@dataclass(frozen=True, kw_only=True)
class Trained:
    """Trained weights.

    Args:
        state: tensors by name.
        origin: where they come from, for messages.
        notes: what a reader of scores must know of them.
    """

    state: Mapping[str, Tensor]
    origin: str
    notes: tuple[str, ...] = ()


def trained(
    identifier: str, published: Published | None, weights: str | Path | None, sha256: str | None
) -> Trained:
    """The trained weights of a model, from a file that was checked.

    Args:
        identifier: of the model, for messages.
        published: what the file should be; None if nothing is published.
        weights: the file; None looks into the mirror.
        sha256: of the file, all of it or at least 8 digits, if it is not the published one.

    Raises:
        FetchError: if there is no file; says what to download and how to pass it.
        OptionError: if there is nothing to check the file against.
        WrongContent: if it is another file.
    """
    path = weights if weights is not None else published and published.mirrored()
    if path is None:
        raise _absent(identifier, published)
    if sha256 is None and published is None:
        raise OptionError(
            f"{identifier}: nothing is published to check {path} against; pass its sha256 too, "
            "as sha256sum prints it."
        )
    try:
        state = given_weights(path, sha256=sha256 or (published.prefix if published else None))
    except WrongContent as error:
        if sha256 is not None or published is None:
            raise
        raise WrongContent(
            f"{error} {published.filename} is expected. If you mean the file you gave, pass its "
            "sha256 too."
        ) from error
    given = f"weights given: {Path(path).name} (sha256 {sha256})"
    return Trained(state=state, origin=str(path), notes=() if sha256 is None else (given,))


def _absent(identifier: str, published: Published | None) -> FetchError:
    """The error that says how to come by the trained weights of `identifier`."""
    python = f'corteval.models.create("{identifier}", weights='
    untrained = f"use random weights instead: {identifier}-untrained"
    if published is None:
        lines = [
            f"{identifier} has no weights: no public address of them is known to this package.",
            f'  (1) from Python, {python}"FILE", sha256="...") with a file of yours',
            f"  (2) {untrained}",
        ]
        return FetchError("\n".join(lines))
    lines = [
        f"The trained weights of {identifier} are not here. Only the first 8 digits of their "
        "sha256 are known, and",
        "nothing is downloaded that cannot be verified. So download",
        f"  {published.url}",
        f"yourself (its sha256 must begin with {published.prefix}), and do one of these:",
        f"  (1) put it into FOLDER/{published.place.rpartition('/')[0]}/ and run",
        f"      corteval score {identifier} BENCHMARK --mirror FOLDER",
        f'  (2) from Python, {python}"{published.filename}")',
        f"  (3) without it, {untrained}",
    ]
    return FetchError("\n".join(lines))
