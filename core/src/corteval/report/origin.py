"""Where scores come from: computed here, or published elsewhere and only shown."""

from __future__ import annotations

from corteval.score import Score

#: Beginning of the note of a score that others published and nothing here computed.
PUBLISHED = "published, not computed here"


def is_published(score: Score) -> bool:
    """Whether a note of `score` says that it was published and not computed here."""
    return any(note.startswith(PUBLISHED) for note in score.notes)
