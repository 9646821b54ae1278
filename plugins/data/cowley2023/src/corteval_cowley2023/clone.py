"""Files of a session in a clone of the authors' repository, whose bytes nobody has pinned."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast, final

import numpy as np

from corteval import settings
from corteval.errors import ArchiveError, AssemblyError, NotInData
from corteval.fetch import provided, unpack
from corteval_cowley2023.card import COMMIT, REPOSITORY

#: Share of a mean by which it may differ from the published one: of rounding.
_ROUNDING = 1e-6


@final
@dataclass(frozen=True, kw_only=True)
class SessionFiles:
    """Paths of a session's files; of the responses, at least one is there.

    Args:
        images: zip of ``image0001.jpg`` and following.
        raw: single trials (neuron, image, repeat), padded by NaN.
        averaged: their mean (neuron, image).
    """

    images: Path
    raw: Path | None
    averaged: Path | None

    def sha256(self) -> dict[str, str]:
        """Digests of those that are there, by what they hold."""
        paths = {
            "images": self.images,
            "responses_raw": self.raw,
            "responses_averaged": self.averaged,
        }
        return {f"sha256_{name}": _sha256(path) for name, path in paths.items() if path}


def locate(session: str, folder: str | Path | None) -> SessionFiles:
    """Files of `session` below `folder`, or below the folder of provided files if it is None.

    Raises:
        NotInData: says which file is where expected.
    """
    place = provided(
        "Cowley2023",
        f"The files of session {session}, whose bytes are not known here,",
        f"A clone of {REPOSITORY} at commit {COMMIT[:7]} is laid out as needed.",
        folder=folder,
    )
    inner = place / "data_V4_responses"
    root = inner if inner.is_dir() else place
    images = root / "images" / f"images_{session}.zip"
    raw, averaged = (
        root / kind / f"responses_{session}.npy"
        for kind in ("responses_raw", "responses_repeat_averaged")
    )
    if not images.is_file():
        raise NotInData(
            f"Session {session} has no images: there is no {images}. Some sessions were published "
            f"without; else name a clone of {REPOSITORY} by the option `folder`."
        )
    if not raw.is_file() and not averaged.is_file():
        raise NotInData(
            f"Session {session} has no responses: there is neither {raw} nor {averaged}. "
            f"Name a complete clone of {REPOSITORY} by the option `folder`."
        )
    return SessionFiles(
        images=images,
        raw=raw if raw.is_file() else None,
        averaged=averaged if averaged.is_file() else None,
    )


def read_responses(files: SessionFiles) -> np.ndarray:
    """Single trials (neuron, image, repeat), or means (neuron, image) where there are no trials.

    Raises:
        AssemblyError: if an array is not as described, or the two disagree.
    """
    if files.raw is None:
        return _array(cast("Path", files.averaged), ndim=2)
    raw = _array(files.raw, ndim=3)
    recorded = np.isfinite(raw)
    if not recorded.any(axis=2).all():
        neuron, image = np.argwhere(~recorded.any(axis=2))[0]
        raise AssemblyError(
            f"{files.raw}: neuron {neuron} has no finite response to image {image + 1:04d}."
        )
    if files.averaged is not None:
        _require_same(np.nanmean(raw, axis=2), _array(files.averaged, ndim=2), files)
    return raw


def unpacked_images(files: SessionFiles) -> Path:
    """Folder with the images, unpacked once for each content of the zip.

    Raises:
        ArchiveError: if the zip is damaged or tries what an archive must not.
    """
    folder = settings.home() / "archives" / "provided" / _sha256(files.images)
    if not folder.is_dir():
        try:
            unpack(files.images, folder)
        except ArchiveError:
            if not folder.is_dir():  # else another process was quicker
                raise
    return folder


def _array(path: Path, *, ndim: int) -> np.ndarray:
    try:
        values: np.ndarray = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise AssemblyError(
            f"{path} is not a readable .npy file of numbers: {error}. Get it anew from "
            f"{REPOSITORY}."
        ) from error
    if values.ndim != ndim or values.dtype.kind != "f" or not values.size:
        dims = "(neuron, image, repeat)" if ndim == 3 else "(neuron, image)"
        raise AssemblyError(
            f"{path} holds {values.dtype} of shape {values.shape}; expected floats {dims}."
        )
    wrong = ~np.isfinite(values) if ndim == 2 else np.isinf(values)  # NaN pads trials
    if wrong.any():
        neuron, image = np.argwhere(wrong)[0, :2]
        raise AssemblyError(
            f"{path}: a response of neuron {neuron} to image {image + 1:04d} is not finite."
        )
    return values


def _require_same(means: np.ndarray, averaged: np.ndarray, files: SessionFiles) -> None:
    if means.shape != averaged.shape:
        raise AssemblyError(
            f"{files.raw} has {' x '.join(map(str, means.shape))} neurons and images, "
            f"{files.averaged} {' x '.join(map(str, averaged.shape))}. They are of one session?"
        )
    gap = np.abs(means - averaged)
    if (gap > _ROUNDING * np.maximum(np.abs(averaged), 1)).any():
        neuron, image = np.unravel_index(gap.argmax(), gap.shape)
        raise AssemblyError(
            f"{files.raw} and {files.averaged} disagree: neuron {neuron}, image {image + 1:04d}: "
            f"{means[neuron, image]:.6g} and {averaged[neuron, image]:.6g}. One is damaged, or of "
            f"another commit than {COMMIT[:7]}."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
