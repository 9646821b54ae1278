"""What is to be cited: BibTeX of plugins, of the parts they use, of what records used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from corteval import __version__, registry
from corteval.cards import BenchmarkCard, Card
from corteval.errors import CortevalError, OptionError

if TYPE_CHECKING:
    from corteval.score import Score

#: The entry of Corteval itself.
CORTEVAL = f"""@software{{corteval,
  title = {{Corteval: scoring models of vision and language against recordings of brains and
           behaviour}},
  author = {{{{The Corteval developers}}}},
  version = {{{__version__}}}
}}"""

_ENTRY = re.compile(r"^[ \t]*(?=@\w+\s*\{)", re.MULTILINE)
_KEY = re.compile(r"@\w+\s*\{\s*([^,\s}]+)")

#: Kind and identifier of a plugin.
Name = tuple[str, str]


@final
@dataclass(frozen=True, kw_only=True)
class Citations:
    """Entries to cite, and what is to be said of them.

    Args:
        bibtex: what each plugin names, by kind and identifier; Corteval's own comes last.
        silent: plugins that name nothing.
        remarks: what is left out, or may be of another version, in words.
    """

    bibtex: Mapping[Name, str]
    silent: tuple[Name, ...] = ()
    remarks: tuple[str, ...] = ()

    def entries(self) -> tuple[list[str], list[str]]:
        """Single entries, each key once since BibTeX refuses others, and what differed."""
        seen: dict[str, str] = {}
        first_of: dict[str, str] = {}
        differing: dict[str, list[str]] = {}
        for (_, identifier), bibtex in self.bibtex.items():
            for entry in filter(None, map(str.strip, _ENTRY.split(bibtex))):
                match = _KEY.match(entry)
                key = match[1].casefold() if match else entry
                first = seen.setdefault(key, entry)
                first_of.setdefault(key, identifier)
                if first.split() != entry.split():
                    differing.setdefault(key, []).append(identifier)
        said = [
            f"The work {key} is described by {first_of[key]} in other words than by "
            f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}; the "
            f"entry of {first_of[key]} is printed. Check its details before you publish it."
            for key, names in differing.items()
        ]
        return [*seen.values()], said


def of_cards(named: Iterable[tuple[str, Card]], remarks: Iterable[str] = ()) -> Citations:
    """Of plugins by kind, and of the data, metric and ceiling of benchmarks among them."""
    said = [*remarks]
    cards = {
        (part_kind, part.identifier): part
        for kind, card in named
        for part_kind, part in _with_parts(kind, card, said)
    }
    bibtex = {name: card.bibtex.strip() for name, card in cards.items() if card.bibtex.strip()}
    return Citations(
        bibtex={**bibtex, ("software", "corteval"): CORTEVAL},
        silent=tuple(name for name in cards if name not in bibtex),
        remarks=tuple(dict.fromkeys(said)),
    )


def of_names(models: Iterable[str], benchmarks: Iterable[str]) -> Citations:
    """Of models and benchmarks by name; those that are not installed are remarked on."""
    wanted = [("models", name) for name in models] + [("benchmarks", name) for name in benchmarks]
    remarks: list[str] = []
    found = [*_installed(wanted, remarks)]  # and their remarks
    return of_cards(found, remarks)


def of_scores(scores: Iterable[Score]) -> Citations:
    """Of every card that provenance says the scores were computed with."""
    used: dict[Name, set[int]] = {}
    unknown = 0
    for score in scores:
        cards = {} if score.provenance is None else score.provenance.cards
        unknown += not cards
        for name, version in cards.items():
            kind, _, identifier = name.partition("/")
            used.setdefault((kind, identifier), set()).add(version)
    many = (
        "1 score does not say what it was"
        if unknown == 1
        else (f"{unknown} scores do not say what they were")
    )
    remarks = [f"{many} computed with."] if unknown else []
    cards_of = [*_installed(used, remarks)]
    order = [*registry.KINDS]
    for kind, card in cards_of:
        versions = used.get((kind, card.identifier), set())
        if versions - {card.version}:
            listed = ", ".join(map(str, sorted(versions)))
            remarks.append(
                f"{card.identifier} was used in version {listed}; its entries are those of version "
                f"{card.version}."
            )
    return of_cards(sorted(cards_of, key=lambda found: order.index(found[0])), remarks)


def _installed(wanted: Iterable[Name], remarks: list[str]) -> Iterator[tuple[str, Card]]:
    """Cards of plugins by name; of what is not installed, a remark."""
    for kind, name in wanted:
        try:
            if kind not in registry.KINDS:
                raise OptionError(f"{kind!r} is no kind of plugin.")
            if not {name, name.partition("@")[0].partition("/")[0]} & {*registry.KINDS[kind]}:
                raise OptionError("it is not installed.")
            yield kind, registry.KINDS[kind].member_card(name)
        except CortevalError as error:
            remarks.append(f"{name} is left out of the entries to cite: {error}")


def _with_parts(kind: str, card: Card, remarks: list[str]) -> Iterator[tuple[str, Card]]:
    """The card and, of a benchmark, what it is made of."""
    yield kind, card
    if not isinstance(card, BenchmarkCard):
        return
    metrics = [("metrics", name) for name in (card.metric, card.ceiling) if name]
    parts: Sequence[Name] = [*(("data", name) for name in card.data), *metrics]
    for part_kind, name in parts:
        try:
            yield part_kind, registry.KINDS[part_kind].card(name)
        except CortevalError as error:
            remarks.append(f"{card.identifier} uses {name}, which is left out: {error}")
