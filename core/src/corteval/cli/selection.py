"""Comma lists of identifiers and patterns, as people name plugins on the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from corteval import model_options, registry
from corteval.cards import Family
from corteval.errors import CortevalError, PluginError, UnknownIdentifier

if TYPE_CHECKING:
    from corteval.suites import Suite

_ONE = {
    "models": "model",
    "benchmarks": "benchmark",
    "metrics": "metric",
    "data": "data set",
    "suites": "suite",
}


def expand(kind: str, text: str, *, hint: str = "") -> list[str]:
    """Identifiers that the comma list `text` stands for, in its order, each once.

    A suite stands for its benchmarks. Options may stand behind models (`corteval.model_options`).
    Broken plugins are among them: it is their use that fails.

    Args:
        kind, text: key of `registry.KINDS`, and what was typed.
        hint: told to those who name a plugin of another kind.

    Raises:
        UnknownIdentifier: for a name or pattern that nothing matches.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise UnknownIdentifier(f"No {kind} are named. `corteval list {kind}` shows all.")
    try:
        return [*dict.fromkeys(name for part in parts for name in _named(kind, part))]
    except UnknownIdentifier:
        for part in parts:
            other = _first_kind((kind, *registry.KINDS), part)
            taken = {kind, None} | ({"suites"} if kind == "benchmarks" else set())
            if other not in taken:
                if not set(part) & set("*?["):
                    registry.KINDS[str(other)].card(part)  # raises why it cannot be loaded
                raise UnknownIdentifier(
                    f"{part} is a {_ONE[str(other)]}, not a {_ONE[kind]}. {hint}".strip()
                ) from None
        raise


def suites_in(text: str) -> list[Suite]:
    """Suites that the comma list `text` of benchmarks names."""
    from corteval.suites import named

    found = []
    for part in text.split(","):
        with contextlib.suppress(CortevalError):
            found.append(named(part.strip()))
    return found


def _named(kind: str, part: str) -> list[str]:
    if kind == "models" and ":" in part:
        return _with_options(part)
    if set(part) & set("*?["):
        return _matching(kind, part)
    if kind == "benchmarks" and part.partition("@")[0] in registry.suites:
        from corteval.suites import named

        return [_canonical(kind, member) for member in named(part).weights]
    return [_canonical(kind, part)]


def _with_options(part: str) -> list[str]:
    """Models that `part` names, each with the options behind it; the first that cannot is told."""
    name, options = model_options.parse(part)
    options = model_options.rooted(options)
    found = [model_options.named(base, options) for base in _named("models", name)]
    for identifier in found:
        registry.models.check_options(identifier)
    return found


def _first_kind(kinds: Sequence[str], part: str) -> str | None:
    for kind in kinds:
        with contextlib.suppress(CortevalError):
            _named(kind, part)
            return kind
    return None


def _matching(kind: str, pattern: str) -> list[str]:
    wanted = pattern.casefold()
    plugins = [p for p in registry.KINDS[kind].plugins() if not isinstance(p.card, Family)]
    found = [p.identifier for p in plugins if fnmatchcase(p.identifier.casefold(), wanted)]
    if found:
        return found
    from difflib import get_close_matches

    names = {p.identifier.casefold(): p.identifier for p in plugins}
    close = [names[key] for key in get_close_matches(wanted.strip("*?"), names, cutoff=0.4)]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    if "/" in pattern:
        hint = " Members of a family are named in full."
    raise UnknownIdentifier(
        f"None of the installed {kind} matches {pattern!r}.{hint} `corteval list {kind}` shows all."
    )


def _canonical(kind: str, text: str) -> str:
    name, at, distribution = text.partition("@")
    try:
        card = registry.KINDS[kind].card(text)
    except PluginError:  # broken, but it has a name
        found = [p.identifier for p in registry.KINDS[kind].plugins()]
        same = [identifier for identifier in found if identifier.casefold() == name.casefold()]
        return f"{same[0] if same else name}{at}{distribution}"
    if isinstance(card, Family):
        registry.KINDS[kind].member_card(text)  # raises, and says which members there are
    return f"{card.identifier}{at}{distribution}"
