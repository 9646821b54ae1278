"""Offers the verb ``corteval pnas2021``."""

from __future__ import annotations

from corteval.hooks import CommandsWanted, hookimpl


@hookimpl
def corteval_commands(event: CommandsWanted) -> None:
    """Add the verb; its code is imported when it is used."""
    summary = "Write the published scores of Schrimpf et al. 2021."
    event.add("pnas2021", "corteval_pnas2021.command:command", summary)
