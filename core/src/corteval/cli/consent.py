"""Asking before much is downloaded, or anything that is not for everybody."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable

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
    cards: dict[str, DataCard] = {}
    for benchmark in benchmarks:
        with contextlib.suppress(CortevalError):  # told when the benchmark is used
            for name in registry.benchmarks.card(benchmark).data:
                with contextlib.suppress(CortevalError):
                    cards[name] = registry.data_card(name)
    ask(cards.values(), yes=yes)


def ask(cards: Iterable[DataCard], *, yes: bool) -> None:
    """Say what is about to be downloaded, and ask if that is much, unknown or restricted.

    Raises:
        FetchError: if the answer is no, or if nobody can be asked.
    """
    from corteval.fetch import is_cached

    if settings.offline():
        return
    wanted = []
    for card in cards:
        lacking = [resource for resource in card.resources if not is_cached(resource)]
        if lacking:
            wanted.append((card, total_size(lacking)))
    sizes = [size for _, size in wanted]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    doubtful = any(card.access != "public" for card, _ in wanted)
    if not wanted or (total is not None and total <= UNASKED and not doubtful):
        return
    for card, size in wanted:
        say(f"{card.identifier}: {human_size(size)}, licence {card.licence}, {card.access}")
        for note in card.notes:
            say(f"  {note}")
    if yes:
        return
    if not sys.stdin or not sys.stdin.isatty():
        raise FetchError(
            f"This would download files ({human_size(total)}), and there is nobody to ask. "
            "Say --yes to agree."
        )
    if not click.confirm(f"Download these files ({human_size(total)})?", err=True):
        raise FetchError("Nothing was downloaded.")
