"""``corteval list``: everything that is installed, loadable or not."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

import click

from corteval import registry
from corteval.cards import Family
from corteval.cli.options import Kind, json_option, verbose_option
from corteval.cli.tables import one_line, print_json, print_table, say
from corteval.registered import LEAKY

_EPILOG = """\b
Examples:
  corteval list
  corteval list benchmarks
  corteval list benchmarks V4
  corteval list models 'cornet-*'
  corteval list --json | jq -r '.plugins[] | select(.status == "ok") | .identifier'

\b
JSON:
  {"schema": "corteval.list/1",
   "plugins": [{"kind": "models", "identifier": "pixels", "family": false,
                "distribution": "corteval-controls", "distribution_version": "0.1.0",
                "version": 1, "summary": "...", "licence": "MIT",
                "role": "similarity" | "ceiling" (metrics only, else null),
                "target": "V4" (benchmarks only, else null),
                "status": "ok" | "broken" | "duplicate", "error": null}]}
"""


#: Distribution to begin with, by kind.
_FIRST = {
    "suites": "vision-suites",
    "benchmarks": "marques2020-v1",
    "metrics": "regression",
    "data": "cowley2023",
}


@click.command("list", epilog=_EPILOG)
@click.argument("kind", required=False, type=Kind())
@click.argument("pattern", required=False)
@verbose_option
@json_option
def command(kind: str | None, pattern: str | None, as_json: bool) -> None:
    """List installed models, benchmarks, metrics, data and suites.

    KIND restricts the list to one of these, PATTERN to those whose identifier it matches; without
    `*`, `?` and `[...]`, to those that have it in identifier, target or summary. Case is ignored. A
    family of models is shown as `prefix/…`.
    """
    kinds = [kind] if kind else [*registry.KINDS]
    entries = [entry for name in kinds for entry in _entries(name)]
    if pattern is not None:
        entries = [entry for entry in entries if _matches(entry, pattern.casefold())]
        if not entries and not as_json:
            say(f"Nothing that is installed matches {pattern!r}.")
            return
    if as_json:
        print_json("corteval.list/1", plugins=entries)
    elif entries:
        entries = _folded(entries)
        header = ("kind", "identifier", "version", "distribution", "summary")
        print_table(header, [_row(entry) for entry in entries], heading=2)
    else:
        what = "Nothing is" if kind is None else f"No {kind} are"
        first = _FIRST.get(kind or "", "controls")
        say(f"{what} installed yet; start with `pip install corteval-{first}`.")
    counts = Counter(entry["status"] for entry in entries if entry["status"] != "ok")
    if counts:
        troubles = " and ".join(f"{n} {status}" for status, n in counts.items())
        say(f"{troubles}: `corteval doctor` says more.")


def _entries(kind: str) -> list[dict[str, Any]]:
    """A plugin a row; what its card says is None if it is broken."""
    plugins = registry.KINDS[kind].plugins()
    providers = Counter(plugin.identifier.casefold() for plugin in plugins)
    return [
        {
            "kind": kind,
            "identifier": plugin.identifier,
            "family": isinstance(plugin.card, Family),
            "distribution": plugin.source.distribution,
            "distribution_version": plugin.source.version,
            **{
                name: getattr(plugin.card, name, None)
                for name in ("version", "summary", "licence", "role", "target")
            },
            "status": "broken"
            if plugin.error
            else "duplicate"
            if providers[plugin.identifier.casefold()] > 1
            else "ok",
            "error": one_line(plugin.error) if plugin.error else None,
        }
        for plugin in plugins
    ]


def _matches(entry: dict[str, Any], pattern: str) -> bool:
    identifier = entry["identifier"].casefold()
    if set(pattern) & set("*?["):
        return fnmatchcase(identifier, pattern)
    words = (identifier, entry["target"] or "", entry["summary"] or "")
    return any(pattern in text.casefold() for text in words)


def _folded(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`entries`, with the benchmarks of one registered set and target, one a metric, in one."""
    folded: dict[Any, dict[str, Any]] = {}
    for number, entry in enumerate(entries):
        if entry["kind"] != "benchmarks" or entry["distribution"] != registry.REGISTERED:
            folded[number] = entry
            continue
        card = registry.benchmarks.card(entry["identifier"])
        start = entry["identifier"].removesuffix(LEAKY).removesuffix(card.metric)
        known = folded.setdefault(start, {**entry, "identifier": start, "summary": ""})
        shown = entry["identifier"].removeprefix(start)
        known["summary"] += f"{', ' if known['summary'] else 'one for each of: '}{shown}"
    return [*folded.values()]


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    summary = entry["summary"]
    if entry["role"] == "ceiling":
        summary = f"Ceiling: {summary}"
    if entry["status"] == "duplicate":
        summary = f"DUPLICATE, ask for {entry['identifier']}@{entry['distribution']}: {summary}"
    if entry["status"] == "broken":
        summary = f"BROKEN: {entry['error']}"
    return (
        entry["kind"],
        entry["identifier"]
        + ("/…" if entry["family"] else "…" * entry["identifier"].endswith("-")),
        str(entry["version"] or "-"),
        f"{entry['distribution']} {entry['distribution_version']}",
        summary,
    )
