"""``corteval data``: what data sets there are on disk, and how to get them there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from corteval import registered, registry
from corteval.cards import DataCard, DataFamily, human_size
from corteval.cli.consent import ask, yes_option
from corteval.cli.local_data import diff, export, register, rm
from corteval.cli.options import (
    json_option,
    mirror_option,
    offline_option,
    quiet_option,
    verbose_option,
)
from corteval.cli.selection import expand
from corteval.cli.tables import one_line, print_json, print_table, say
from corteval.errors import CortevalError, FetchError

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
  corteval data fetch 'Marques2020.*,Cowley2023'
  corteval data fetch Cowley2023 --offline --mirror /shared/mirror

\b
JSON:
  {"schema": "corteval.data-fetch/1",
   "files": [{"identifier": "Cowley2023", "url": "https://...", "path": "/home/me/..."}]}
"""


@click.group("data", epilog=f"{_LS_EPILOG}\n{_FETCH_EPILOG}")
def command() -> None:
    """Show, download, register, pack and compare data sets."""


@command.command("ls", epilog=_LS_EPILOG)
@verbose_option
@json_option
def ls(as_json: bool) -> None:
    """Show data sets and how much of them is downloaded."""
    plugins = registry.data.plugins()
    holdings = [
        {**_holding(plugin.card), **_place(plugin)}
        for plugin in plugins
        if isinstance(plugin.card, DataCard)
    ]
    families = [plugin.card for plugin in plugins if isinstance(plugin.card, DataFamily)]
    if as_json:
        print_json("corteval.data-ls/1", data=holdings)
    else:
        header = ("identifier", "access", "licence", "size", "files", "location")
        print_table(header, [_row(holding) for holding in holdings])
        for family in families:
            say(f"{family.identifier}/…: {len(family.members)} more. {family.summary}")
    for plugin in plugins:
        if plugin.error:
            say(f"{plugin.identifier} is broken: {one_line(plugin.error)}")


@command.command("fetch", epilog=_FETCH_EPILOG)
@click.argument("identifiers", nargs=-1, required=True)
@yes_option
@offline_option
@mirror_option
@quiet_option
@verbose_option
@json_option
def fetch(identifiers: tuple[str, ...], yes: bool, quiet: bool, as_json: bool) -> None:
    """Download the files of data sets and print where they are.

    Before more than 100 MB, files of unknown size or data that are not public are downloaded, you
    see licences, restrictions and sizes and are asked. Files that are here already are only
    checked. IDENTIFIERS may be comma lists and patterns, as
    those of `corteval score`. A file that cannot be had does not stop the others.
    """
    from corteval.cli.progress import working

    names = dict.fromkeys(name for text in identifiers for name in expand("data", text))
    files: list[dict[str, str]] = []
    errors: list[CortevalError] = []
    cards = []
    for name in names:
        try:
            cards.append(registry.data_card(name))
        except CortevalError as error:  # of a plugin that cannot be used
            errors.append(error)
    ask(cards, yes=yes)
    with working(quiet=quiet):
        for card in cards:
            _fetch_all(card, files, errors)
    if as_json and not errors:
        print_json("corteval.data-fetch/1", files=files)
    elif not as_json:
        for fetched in files:
            click.echo(fetched["path"])
    if errors:
        raise _together(errors)


for _verb in (register, rm, export, diff):
    command.add_command(_verb)


def _fetch_all(card: DataCard, files: list[dict[str, str]], errors: list[CortevalError]) -> None:
    """Add the files of `card` to `files`, and to `errors` why some could not be had."""
    from corteval.fetch import fetch as fetch_resource

    if not card.resources:
        say(f"{card.identifier} ({card.access}) has nothing to download.")
    for item in card.resources:
        try:
            path = str(fetch_resource(item))
        except FetchError as error:
            errors.append(error)
        else:
            files.append({"identifier": card.identifier, "url": item.url, "path": path})


def _together(errors: Sequence[CortevalError]) -> CortevalError:
    if len(errors) == 1:
        return errors[0]
    texts = [f"{len(errors)} files or data sets could not be had.", *map(str, errors)]
    return FetchError("\n\n".join(texts))


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


def _place(plugin: registry.Plugin[Any]) -> dict[str, Any]:
    """Where a registered set lies; it was never downloaded."""
    if plugin.source.distribution != registry.REGISTERED:
        return {}
    registration = registered.read(Path(plugin.source.value))
    size = sum(size for size, _ in registration.states.values())
    here = len(registration.digests)
    return {
        "size": size,
        "files": here,
        "downloaded": here,
        "location": str(registration.folder),
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
