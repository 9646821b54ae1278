"""Cards of sessions that a user has in a clone of the authors' repository."""

from __future__ import annotations

import difflib
from pathlib import Path

from corteval.cards import DataCard
from corteval.errors import OptionError
from corteval_cowley2023.card import BIBTEX, FACTORY, LICENCE, NOT_STATED, REPOSITORY
from corteval_cowley2023.sessions import SESSIONS, Session


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
        factory=FACTORY,
        summary=f"Spike counts of {listed.neurons} macaque V4 neurons to {listed.images:,} images",
        licence=LICENCE,
        bibtex=BIBTEX,
        species="macaque",
        options={"session": session, **place},
        notes=(
            f"Read from a clone of {REPOSITORY} that the user provides; its bytes are not pinned. "
            "Attributes of the assembly record their sha256.",
            NOT_STATED,
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
    close = difflib.get_close_matches(str(session), SESSIONS, n=3) or list(SESSIONS)[:3]
    raise OptionError(
        f"Cowley2023 has no session {session!r}. Sessions are dates as text, yymmdd, such as "
        f"{', '.join(map(repr, close))}; the readme of {REPOSITORY} lists all 50."
    )
