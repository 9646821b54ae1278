"""``corteval cache``: what the store of computed arrays holds, and how to shrink it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corteval import settings
from corteval.cards import human_size
from corteval.cli import ERROR
from corteval.cli.options import json_option, quiet_option, verbose_option
from corteval.cli.tables import print_json, print_table, say
from corteval.errors import ConfigurationError

if TYPE_CHECKING:
    from corteval.store import Damage, Entry, Removal, Store

_LS_EPILOG = """\b
Examples:
  corteval cache
  corteval cache ls --json

\b
JSON:
  {"schema": "corteval.cache-ls/1", "folder": "/home/me/...", "bytes": 73400320,
   "limit": 50000000000, "downloads": {"folder": "/home/me/...", "bytes": 4401603},
   "artifacts": [{"kind": "activations", "digest": "...", "what": "resnet-18, layer4",
                  "bytes": 73400320, "last_used": "2026-01-31T12:00:00+00:00",
                  "state": "complete" | "unfinished" | "damaged" | "in use",
                  "key": {...}, "facts": {...}}]}
"""

_GC_EPILOG = """\b
Examples:
  corteval cache gc --max-size 10GB
  corteval cache gc

\b
JSON:
  {"schema": "corteval.cache-gc/1", "freed": 73400320,
   "removed": [{"kind": "activations", "digest": "...", "bytes": 73400320,
                "reason": "not used for longest" | "unfinished" | "damaged"}]}
"""

_VERIFY_EPILOG = """\b
Examples:
  corteval cache verify
  corteval cache verify --json

\b
JSON:
  {"schema": "corteval.cache-verify/1", "artifacts": 12, "bytes": 73400320,
   "damage": [{"kind": "activations", "digest": "...", "message": "block 3: ..."}]}

Exit code 1 if something was damaged.
"""

_CLEAR_EPILOG = """\b
Examples:
  corteval cache clear
  corteval cache clear --yes --json

\b
JSON:
  {"schema": "corteval.cache-clear/1", "freed": 73400320, "removed": [... as `cache gc`]}
"""

_ALL = "\n".join((_LS_EPILOG, _GC_EPILOG, _VERIFY_EPILOG, _CLEAR_EPILOG))


def _bytes(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else settings.parse_size(value)
    except ConfigurationError as error:
        raise click.BadParameter(str(error)) from error


@click.group("cache", epilog=_ALL, invoke_without_command=True)
@verbose_option
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show, verify and shrink the store of computed arrays."""
    if context.invoked_subcommand is None:
        _list(as_json)


@command.command("ls", epilog=_LS_EPILOG)
@verbose_option
@json_option
def ls(as_json: bool) -> None:
    """Show what is stored, the last used first, and how large the downloads are."""
    _list(as_json)


@command.command("gc", epilog=_GC_EPILOG)
@click.option(
    "--max-size",
    metavar="SIZE",
    callback=_bytes,
    help="Size to keep; the limit in force if left out.",
)
@verbose_option
@json_option
def gc(max_size: int | None, as_json: bool) -> None:
    """Remove leftovers and then what was not used for longest.

    Nothing that a living process works on is touched. What is removed is computed again when it
    is needed. Unfinished artifacts are left alone for a day, as somebody may go on with them.
    """
    limit = settings.store_limit() if max_size is None else max_size
    _print_removed("corteval.cache-gc/1", _store().collect(limit), as_json)


@command.command("verify", epilog=_VERIFY_EPILOG)
@quiet_option
@verbose_option
@json_option
@click.pass_context
def verify(context: click.Context, quiet: bool, as_json: bool) -> None:
    """Hash everything; what is damaged is set aside and computed again when it is needed."""
    from corteval.cli.progress import working

    store = _store()
    with working(quiet=quiet):
        damage = store.verify()
    found = store.entries()
    size = sum(entry.bytes for entry in found)
    if as_json:
        facts = {"artifacts": len(found), "bytes": size, "damage": [*map(asdict, damage)]}
        print_json("corteval.cache-verify/1", **facts)
    elif damage:
        print_table(("kind", "digest", "damage"), [*map(_damage_row, damage)], heading=2)
    wrong = f"{len(damage)} files were damaged" if damage else "nothing is damaged"
    say(f"{_count(len(found))} ({human_size(size)}) verified: {wrong}.")
    if damage:
        context.exit(ERROR)


@command.command("clear", epilog=_CLEAR_EPILOG)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@verbose_option
@json_option
def clear(yes: bool, as_json: bool) -> None:
    """Remove everything that no living process works on; downloads stay."""
    store = _store()
    found = store.entries()
    if found and not yes:
        if not sys.stdin or not sys.stdin.isatty():
            raise click.UsageError("Nobody can be asked here; give --yes to remove everything.")
        size = human_size(sum(entry.bytes for entry in found))
        click.confirm(f"Remove {_count(len(found))} ({size}) from {store.folder}?", True, err=True)
    _print_removed("corteval.cache-clear/1", store.collect(0, age=0), as_json)


def _store() -> Store:
    from corteval import store

    return store.active() or store.Store(settings.home() / "store")


def _list(as_json: bool) -> None:
    store = _store()
    found = store.entries()
    size = sum(entry.bytes for entry in found)
    limit, home = settings.store_limit(), settings.home()
    downloads = sum(_size_of(home / name) for name in ("downloads", "archives"))
    if as_json:
        print_json(
            "corteval.cache-ls/1",
            folder=str(store.folder),
            bytes=size,
            limit=limit,
            downloads={"folder": str(home), "bytes": downloads},
            artifacts=[*map(_as_json, found)],
        )
        return
    print_table(("kind", "what", "size", "last used", "state"), map(_row, found), heading=2)
    most = f" of {human_size(limit)}" if limit else ""
    say(f"Store {store.folder}: {human_size(size)}{most} in {_count(len(found))}.")
    say(f"Downloads in {home}: {human_size(downloads)} (`corteval data ls`).")


def _print_removed(schema: str, removed: Sequence[Removal], as_json: bool) -> None:
    freed = sum(removal.bytes for removal in removed)
    if as_json:
        print_json(schema, freed=freed, removed=[*map(asdict, removed)])
    elif removed:
        rows = [(r.kind, r.digest[:12], human_size(r.bytes), r.reason) for r in removed]
        print_table(("kind", "digest", "size", "reason"), rows, heading=2)
    say(f"{human_size(freed)} freed.")


def _row(entry: Entry) -> tuple[str, ...]:
    used = datetime.fromtimestamp(entry.last_used).strftime("%Y-%m-%d %H:%M")
    return entry.kind, _what(entry), human_size(entry.bytes), used, entry.state


def _as_json(entry: Entry) -> dict[str, Any]:
    used = datetime.fromtimestamp(entry.last_used, UTC).isoformat(timespec="seconds")
    return asdict(entry) | {"last_used": used, "what": _what(entry)}


def _damage_row(damage: Damage) -> tuple[str, ...]:
    return damage.kind, damage.digest[:12], damage.message


def _what(entry: Entry) -> str:
    """Identifier and layer that the key names, wherever it does; else the digest."""
    names: dict[str, str] = {}
    for name, value in _walk(entry.key or {}):
        if name in {"identifier", "model", "layer"} and isinstance(value, str):
            names.setdefault(name, value)
    if "identifier" in names:
        names.pop("model", None)  # a digest, where the name is known
    told = [names[name] for name in ("identifier", "model", "layer") if name in names]
    return ", ".join(told) or entry.digest[:12]


def _walk(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values in an object, then in the objects it holds."""
    yield from content.items()
    for value in content.values():
        if isinstance(value, Mapping):
            yield from _walk(value)


def _count(artifacts: int) -> str:
    return "1 artifact" if artifacts == 1 else f"{artifacts} artifacts"


def _size_of(folder: Path) -> int:
    return sum(
        path.stat(follow_symlinks=False).st_size for path in folder.rglob("*") if path.is_file()
    )
