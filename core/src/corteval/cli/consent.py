"""Asking before much is downloaded, or anything that is not for everybody."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Sequence

import click

from corteval import registry, settings
from corteval.cards import DataCard, human_size, total_size
from corteval.cli.tables import say
from corteval.errors import CortevalError, FetchError

#: Bytes that are downloaded unasked.
UNASKED = 100_000_000

yes_option = click.option(
    "-y", "--yes", is_flag=True, help="Download without asking, however much it is."
)


def ask_for_benchmarks(benchmarks: Iterable[str], *, yes: bool) -> None:
    """`ask` for the data of installed benchmarks."""
    cards = {card.identifier: card for name in benchmarks for card in _data_of(name)}
    ask(cards.values(), yes=yes)


def declined_benchmarks(benchmarks: Sequence[str], *, yes: bool) -> dict[str, str]:
    """`ask` for the data of benchmarks; those it was refused for, and why.

    Raises:
        FetchError: if none is left.
    """
    try:
        ask_for_benchmarks(benchmarks, yes=yes)
    except FetchError as refused:
        needed = {name: _data_of(name) for name in benchmarks}
        cards = {card.identifier: card for data in needed.values() for card in data}
        asked = {card.identifier for card in _asked_about(cards.values())}
        declined = [n for n, data in needed.items() if asked & {card.identifier for card in data}]
        if len(declined) == len(needed):
            raise
        say(f"{len(declined)} of {len(needed)} benchmarks are not scored: {refused}")
        return dict.fromkeys(declined, str(refused))
    return {}


def _data_of(benchmark: str) -> list[DataCard]:
    """Cards of its data, as far as they can be had; what is wrong is told when it is used."""
    found = []
    with contextlib.suppress(CortevalError):
        for name in registry.benchmarks.card(benchmark).data:
            with contextlib.suppress(CortevalError):
                found.append(registry.data_card(name))
    return found


def ask(cards: Iterable[DataCard], *, yes: bool) -> None:
    """Say what is about to be downloaded, and ask if that is much, unknown or restricted.

    Raises:
        FetchError: if the answer is no, or if nobody can be asked.
    """
    wanted = _asked_about(cards)
    if settings.offline() or not wanted:
        return
    total = _sum(wanted.values())
    for card, size in wanted.items():
        say(f"{card.identifier}: {human_size(size)}, licence {card.licence}, {card.access}")
        for note in card.notes:
            say(f"  {note}")
    if yes:
        return
    if not sys.stdin or not sys.stdin.isatty():
        raise FetchError(
            f"This would download files ({human_size(total)}), and there is nobody to ask. "
            "Say --yes to agree, or --offline to do without."
        )
    if not click.confirm(f"Download these files ({human_size(total)})?", err=True):
        raise FetchError("Nothing was downloaded.")


def _asked_about(cards: Iterable[DataCard]) -> dict[DataCard, int | None]:
    """Bytes that are lacking of sets whose download needs consent."""
    from corteval.fetch import is_cached

    wanted = {}
    for card in cards:
        lacking = [resource for resource in card.resources if not is_cached(resource)]
        if lacking:
            wanted[card] = total_size(lacking)
    free = {c: size for c, size in wanted.items() if c.access == "public" and size is not None}
    if (_sum(free.values()) or 0) <= UNASKED:
        return {card: size for card, size in wanted.items() if card not in free}
    return wanted


def _sum(sizes: Iterable[int | None]) -> int | None:
    """Total; None if one is unknown."""
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return total
