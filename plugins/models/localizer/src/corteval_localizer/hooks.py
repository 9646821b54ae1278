"""Offers the verb ``corteval localize``."""

from __future__ import annotations

from corteval.hooks import CommandsWanted, hookimpl


@hookimpl
def corteval_commands(event: CommandsWanted) -> None:
    """Add the verb; its code is imported when it is used."""
    event.add("localize", "corteval_localizer.command:command", "Localize units of a model.")
