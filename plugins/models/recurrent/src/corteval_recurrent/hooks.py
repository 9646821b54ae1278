"""Offers the verb ``corteval recurrent``."""

from __future__ import annotations

from corteval.hooks import CommandsWanted, hookimpl


@hookimpl
def corteval_commands(event: CommandsWanted) -> None:
    """Add the verb; its code is imported when it is used."""
    event.add("recurrent", "corteval_recurrent.command:command", "Train recurrent language models.")
