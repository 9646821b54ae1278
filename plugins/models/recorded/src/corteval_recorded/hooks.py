"""Offers the verb ``corteval recorded``."""

from __future__ import annotations

from corteval.hooks import CommandsWanted, hookimpl


@hookimpl
def corteval_commands(event: CommandsWanted) -> None:
    """Add the verb; its code is imported when it is used."""
    event.add("recorded", "corteval_recorded.command:command", "Keep recorded subjects.")
