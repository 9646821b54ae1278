"""``corteval cite``: BibTeX of plugins, of the parts they use, and of Corteval."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import click

from corteval import __version__, registry
from corteval.cards import BenchmarkCard, Card
from corteval.cli.options import json_option, verbose_option
from corteval.cli.tables import print_json, say
from corteval.errors import CortevalError

_EPILOG = """\b
Examples:
  corteval cite Cowley2023.V4-ridge >> paper.bib
  corteval cite pixels Marques2020.V1-preferred_orientation --json

\b
JSON:
  {"schema": "corteval.cite/1",
   "citations": [{"kind": "benchmarks", "identifier": "...", "bibtex": "@article{..."}, ...,
                 {"kind": "software", "identifier": "corteval", "bibtex": "@software{..."}]}
"""

_CORTEVAL = f"""@software{{corteval,
  title = {{Corteval: scoring models of vision and language against recordings of brains and
           behaviour}},
  author = {{{{The Corteval developers}}}},
  version = {{{__version__}}}
}}"""

_ENTRY = re.compile(r"^[ \t]*(?=@\w+\s*\{)", re.MULTILINE)
_KEY = re.compile(r"@\w+\s*\{\s*([^,\s}]+)")


@click.command("cite", epilog=_EPILOG)
@click.argument("identifiers", nargs=-1, required=True)
@verbose_option
@json_option
def command(identifiers: tuple[str, ...], as_json: bool) -> None:
    """Print BibTeX of plugins and of what they use.

    A benchmark brings along its data, metric and ceiling. Every entry is printed once; Corteval's
    own comes last.
    """
    named = [item for identifier in identifiers for item in registry.find(identifier)]
    parts = (item for kind, card in named for item in _with_parts(kind, card))
    once = {(kind, card.identifier): card for kind, card in parts}
    citations = {key: card.bibtex.strip() for key, card in once.items() if card.bibtex.strip()}
    citations["software", "corteval"] = _CORTEVAL
    if as_json:
        entries = [{"kind": k, "identifier": i, "bibtex": b} for (k, i), b in citations.items()]
        print_json("corteval.cite/1", citations=entries)
    else:
        click.echo("\n\n".join(_entries(citations)))
    for kind, identifier in [key for key in once if key not in citations]:
        say(f"{identifier} ({kind}) names nothing to cite.")


def _with_parts(kind: str, card: Card) -> Iterator[tuple[str, Card]]:
    """The card and, of a benchmark, what it is made of."""
    yield kind, card
    if not isinstance(card, BenchmarkCard):
        return
    metrics = [("metrics", name) for name in (card.metric, card.ceiling) if name]
    for part_kind, name in [*(("data", name) for name in card.data), *metrics]:
        try:
            yield part_kind, registry.KINDS[part_kind].card(name)
        except CortevalError as error:
            say(f"{card.identifier} uses {name}, which is left out: {error}")


def _entries(citations: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Single BibTeX entries, each key once: BibTeX refuses a file that repeats one."""
    seen: dict[str, str] = {}
    for (_, identifier), bibtex in citations.items():
        for entry in filter(None, map(str.strip, _ENTRY.split(bibtex))):
            match = _KEY.match(entry)
            key = match[1].casefold() if match else entry
            if key not in seen:
                yield entry
            elif seen[key].split() != entry.split():
                text = f"{identifier} cites {key} differently; the first entry is kept."
                say(text)
            seen.setdefault(key, entry)
