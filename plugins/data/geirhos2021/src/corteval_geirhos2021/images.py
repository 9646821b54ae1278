"""Which of the files that a user provided is which stimulus."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from corteval.errors import StimuliError

_SUFFIXES = {".png", ".jpg", ".jpeg"}
_TRIAL = re.compile(r"\d{4}_[A-Za-z0-9-]+_(?:s\d+|dnn)_")
_CONDITION = re.compile(r"[^_]+_[a-z]+_\d+_")


def locate(folder: Path, stimulus_ids: Sequence[str], *, by_category: bool) -> dict[str, Path]:
    """Image file of each stimulus, found by its name anywhere in `folder`.

    A name matches with or without the trial that showed the image, and whatever its extension:
    ``0001_cl_dnn_cr_oven_40_n04111531_14126.png`` is ``cr_oven_40_n04111531_14126.png``. Where
    ids are names of images alone (`by_category`), condition, category and number are left out
    too. Other files are ignored.

    Raises:
        StimuliError: if a stimulus has no file, or several; says which.
    """
    wanted = {Path(i).stem: i for i in stimulus_ids}
    found: dict[str, Path] = {}
    for path in _images(folder):
        name = _TRIAL.sub("", path.stem, count=1)
        if by_category and name != path.stem:
            name = _CONDITION.sub("", name, count=1)
        stimulus_id = wanted.get(name)
        if stimulus_id is None:
            continue
        if stimulus_id in found:
            raise StimuliError(
                f"{folder} holds two files of stimulus {stimulus_id}: {found[stimulus_id]} and "
                f"{path}. Keep the one that was shown."
            )
        found[stimulus_id] = path
    missing = [i for i in stimulus_ids if i not in found]
    if missing:
        raise StimuliError(
            f"{folder} lacks {len(missing)} of {len(stimulus_ids)} images: "
            f"{', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}. Add them, or name "
            "another folder by the option `folder`."
        )
    return found


def subfolder(folder: Path, names: Iterable[str]) -> Path:
    """The first of these places below `folder` that exists, else `folder` itself."""
    return next((place for name in names if (place := folder / name).is_dir()), folder)


def _images(folder: Path) -> list[Path]:
    """Image files in a fixed order, without the ``._`` doubles that some archives hold."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
