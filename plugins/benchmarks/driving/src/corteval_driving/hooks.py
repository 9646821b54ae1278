"""Offers the verb ``corteval drive``."""

from __future__ import annotations

from corteval.hooks import CommandsWanted, hookimpl


@hookimpl
def corteval_commands(event: CommandsWanted) -> None:
    """Add the verb; its code is imported when it is used."""
    event.add("drive", "corteval_driving.command:command", "Choose stimuli that drive responses.")
