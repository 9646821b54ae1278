"""``corteval data``: what data sets there are on disk, and how to get them there."""

from __future__ import annotations

import os
from typing import Any

import click

from corteval import registry
from corteval.cards import DataCard
from corteval.cli.options import json_option, mirror_option, offline_option, quiet_option
from corteval.cli.tables import human_size, one_line, print_json, print_table

_LS_EPILOG = """\b
Examples:
  corteval data ls
  corteval data ls --json

\b
JSON:
  {"schema": "corteval.data-ls/1",
   "data": [{"identifier": "Cowley2023", "access": "public", "licence": "GPL-3.0-only",
             "size": 4401603, "files": 2, "downloaded": 2, "location": "/home/me/..."}]}
"""

_FETCH_EPILOG = """\b
Examples:
  corteval data fetch Cowley2023
  corteval data fetch Cowley2023 --offline --mirror /shared/mirror

\b
JSON:
  {"schema": "corteval.data-fetch/1",
   "files": [{"identifier": "Cowley2023", "url": "https://...", "path": "/home/me/..."}]}
"""


@click.group("data", epilog=f"{_LS_EPILOG}\n{_FETCH_EPILOG}")
def command() -> None:
    """Show and download data sets."""


@command.command("ls", epilog=_LS_EPILOG)
@json_option
def ls(as_json: bool) -> None:
    """Show data sets and how much of them is downloaded."""
    plugins = registry.data.plugins()
    holdings = [_holding(plugin.card) for plugin in plugins if plugin.card]
    if as_json:
        print_json("corteval.data-ls/1", data=holdings)
    else:
        header = ("identifier", "access", "licence", "size", "files", "location")
        print_table(header, [_row(holding) for holding in holdings])
    for plugin in plugins:
        if plugin.error:
            click.echo(f"{plugin.identifier} is broken: {one_line(plugin.error)}", err=True)


@command.command("fetch", epilog=_FETCH_EPILOG)
@click.argument("identifiers", nargs=-1, required=True)
@offline_option
@mirror_option
@quiet_option
@json_option
def fetch(identifiers: tuple[str, ...], quiet: bool, as_json: bool) -> None:
    """Download the files of data sets and print where they are.

    Files that are here already are only checked.
    """
    from corteval.cli.progress import working

    cards = [registry.data.card(identifier) for identifier in identifiers]
    with working(quiet=quiet):
        files = [fetched for card in cards for fetched in _fetch_all(card)]
    if as_json:
        print_json("corteval.data-fetch/1", files=files)
    else:
        for fetched in files:
            click.echo(fetched["path"])


def _fetch_all(card: DataCard) -> list[dict[str, str]]:
    from corteval.fetch import fetch as fetch_resource

    if not card.resources:
        text = f"{card.identifier} ({card.access}) consists of no files: nothing to download."
        click.echo(text, err=True)
    return [
        {"identifier": card.identifier, "url": item.url, "path": str(fetch_resource(item))}
        for item in card.resources
    ]


def _holding(card: DataCard) -> dict[str, Any]:
    from corteval.fetch import is_cached, local_path

    folders = {str(local_path(resource).parent) for resource in card.resources}
    return {
        "identifier": card.identifier,
        "access": card.access,
        "licence": card.licence,
        "size": card.size,
        "files": len(card.resources),
        "downloaded": sum(is_cached(resource) for resource in card.resources),
        "location": os.path.commonpath(folders) if folders else None,
    }


def _row(holding: dict[str, Any]) -> tuple[str, ...]:
    files = holding["files"]
    return (
        holding["identifier"],
        holding["access"],
        holding["licence"],
        human_size(holding["size"]) if files else "-",
        f"{holding['downloaded']}/{files}" if files else "-",
        holding["location"] or "-",
    )
