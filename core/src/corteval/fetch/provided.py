"""Files that only a user can provide: those a licence keeps from being downloaded."""

from __future__ import annotations

from pathlib import Path

from corteval import settings
from corteval.cards import check_identifier
from corteval.errors import NotInData


def provided(
    identifier: str, what: str, advice: str = "", *, folder: str | Path | None = None
) -> Path:
    """Folder with files that a user provided: ``<CORTEVAL_HOME>/provided/<identifier>``.

    Args:
        identifier: of the data set.
        what: belongs there, e.g. ``"the images of the experiment 'colour'"``.
        advice: where a user gets it, and how it is laid out.
        folder: another folder, named by the user.

    Raises:
        NotInData: if the folder is absent or empty; says what to put there.
    """
    check_identifier(identifier, member=True)
    place = settings.home() / "provided" / identifier if folder is None else Path(folder)
    place = place.expanduser().absolute()
    if place.is_dir() and any(place.iterdir()):
        return place
    state = "is empty" if place.is_dir() else "is no folder" if place.exists() else "does not exist"
    raise NotInData(
        f"{identifier}: {what} cannot be downloaded, and {place} {state}. "
        f"Put them there, or name another folder by the option `folder`. {advice}".strip()
    )
