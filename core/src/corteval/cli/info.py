"""``corteval info``: what a card says, in readable form."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from corteval import registered, registry
from corteval.cards import (
    BenchmarkCard,
    Card,
    DataCard,
    Family,
    Part,
    Resource,
    SuiteCard,
    human_size,
    total_size,
)
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import fact_lines, print_json, say
from corteval.errors import CortevalError

_EPILOG = """\b
Examples:
  corteval info Cowley2023.V4-ridge
  corteval info pixels@corteval-controls
  corteval info random-projection/1000-seed3 --json

\b
JSON:
  {"schema": "corteval.info/1",
   "cards": [{"kind": "data", "identifier": "Cowley2023", "distribution": "...",
              "distribution_version": "...", "entry_point": "module:CARD", "size": 4401603,
              "resources": [{"url": "...", "sha256": "...", "size": 1841475, "licence": "...",
                             "downloaded": true}], ...every field of the card}]}
"""

_APART = {
    "identifier",
    "bibtex",
    "resources",
    "notes",
    "editions",
}  # not in the list of facts, or at its end
_FILES_SHOWN = 6


@click.command("info", epilog=_EPILOG)
@click.argument("identifier")
@verbose_option
@json_option
def command(identifier: str, as_json: bool) -> None:
    """Show what a plugin says of itself.

    IDENTIFIER may be `identifier@distribution` or `family/member`; options behind a model do not
    change its card. If there are plugins of several
    kinds with this identifier, all are shown.
    """
    found = [
        (kind, card, registry.KINDS[kind].source(identifier))
        for kind, card in registry.find(identifier)
    ]
    if as_json:
        print_json("corteval.info/1", cards=[_content(*item) for item in found])
    else:
        click.echo("\n\n".join(_text(*item) for item in found))
    for _, card, _ in found:
        if card.superseded_by:
            text = f"Warning: {card.identifier} is superseded by {card.superseded_by}; use that."
            say(text)


def _text(kind: str, card: Card, source: registry.Source) -> str:
    family = "/…" if isinstance(card, Family) else ""
    lines = [f"{card.identifier}{family} ({kind})", *fact_lines(_facts(card, source))]
    return "\n".join(lines) + (f"\n\n{card.bibtex.strip()}" if card.bibtex.strip() else "")


def _facts(card: Card, source: registry.Source) -> Iterator[tuple[str, str]]:
    yield "distribution", f"{source.distribution} {source.version}"
    yield "entry point", source.value
    for field in fields(card):
        value = getattr(card, field.name)
        if isinstance(card, BenchmarkCard) and field.name == "data":
            yield from (("data", _described(name)) for name in card.data)
        elif field.name not in _APART and not _says_nothing(value):
            yield field.name.replace("_", " "), _words(value)
    if source.distribution == registry.REGISTERED and isinstance(card, DataCard):
        yield from _registration_facts(card, Path(source.value))
    if isinstance(card, SuiteCard):
        from corteval.suites import Suite

        for edition, parts in card.editions.items():
            yield f"edition {edition}", _parts(parts)
        for name, weight in Suite(card=card).weights.items():
            yield "weight", f"{weight:.4f} {name}"
    if card.resources:
        yield "size", human_size(total_size(card.resources))
    many = len(card.resources) > _FILES_SHOWN
    for resource in card.resources[: _FILES_SHOWN - 1 if many else None]:
        state = "downloaded" if _downloaded(resource) else "not downloaded"
        size = human_size(resource.size)
        yield "file", f"{resource.filename}: {size}, {resource.licence}, {state}; {resource.url}"
    if many:
        here = sum(map(_downloaded, card.resources))
        rest = len(card.resources) - _FILES_SHOWN + 1
        yield "files", f"{rest} more; {here} of {len(card.resources)} are downloaded"
    for note in getattr(card, "notes", ()):
        yield "note", note


def _parts(parts: Iterable[Part]) -> str:
    """Members and weights of a suite, groups in parentheses."""
    return ", ".join(
        part.name
        + (f" ({_parts(part.parts)})" if part.parts else "")
        + (f" x {part.weight:g}" if part.weight != 1 else "")
        for part in parts
    )


def _registration_facts(card: DataCard, file: Path) -> Iterator[tuple[str, str]]:
    registration = registered.read(file)
    facts = registration.facts
    yield "folder", str(registration.folder)
    yield "registered", f"{registration.registered}, digest {registration.digest[:12]}"
    yield "targets", ", ".join(facts.targets)
    fewest, most = facts.trials
    yield "trials", f"{most}" if fewest == most else f"{fewest} to {most}"
    yield "coordinates", ", ".join(facts.coordinates)
    if facts.group:
        yield "kept together", f"stimuli of one {facts.group}"
    data = (f"{card.identifier}@{registry.REGISTERED}",)
    for benchmark in registry.benchmarks.where(data=data):
        yield "benchmark", benchmark.identifier


def _described(name: str) -> str:
    """A data set: its name and, if it is installed, what somebody who wants it must know."""
    with contextlib.suppress(CortevalError):
        card = registry.data_card(name)
        facts = [card.licence, card.access]
        if card.resources:
            facts.append(human_size(card.size))
        return f"{name} ({', '.join(facts)})"
    return f"{name} (not installed)"


def _says_nothing(value: Any) -> bool:
    return value is False or value in (None, "", (), {}, frozenset())


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        telling = {name: item for name, item in value.items() if item != {}}
        return ", ".join(f"{name}={item!r}" for name, item in telling.items())
    if isinstance(value, (tuple, set, frozenset)):
        return ", ".join(map(str, value if isinstance(value, tuple) else sorted(value)))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _content(kind: str, card: Card, source: registry.Source) -> dict[str, Any]:
    content = {field.name: getattr(card, field.name) for field in fields(card)}
    resources = [
        {**{f.name: getattr(r, f.name) for f in fields(r)}, "downloaded": _downloaded(r)}
        for r in card.resources
    ]
    return {
        "kind": kind,
        "identifier": card.identifier,
        "family": isinstance(card, Family),
        "distribution": source.distribution,
        "distribution_version": source.version,
        "entry_point": source.value,
        **content,
        "size": total_size(card.resources),
        "resources": resources,
    }


def _downloaded(resource: Resource) -> bool:
    from corteval.fetch import is_cached

    return is_cached(resource)
