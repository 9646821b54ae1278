"""Builds the members of the family ``recorded/<name>``."""

from __future__ import annotations

from importlib.resources import as_file, files

from corteval.cards import check_identifier
from corteval_recorded import shelf
from corteval_recorded.replay import RecordedSubject, subject


def build(member: str, match: str | None = None) -> RecordedSubject:
    """The recording of this name.

    Args:
        member: name given to ``corteval recorded add``, or ``example``.
        match: rule by which stimuli find their record, instead of the one it was added with.
    """
    check_identifier(member)
    if member != shelf.EXAMPLE:
        return shelf.load(member, match=match)
    with as_file(files("corteval_recorded") / "example.csv") as path:
        return subject(
            path,
            identifier=f"recorded/{shelf.EXAMPLE}",
            match=match or "exact",
            notes=("an example: its decisions about the toy stimuli of the kit are made up",),
        )
