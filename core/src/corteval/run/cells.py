"""Cells of a matrix, and what determines the score of each, as far as it is known before compute.

The key of a cell is the SHA-256 of the cards of model, benchmark, metric, ceiling and data, of the
versions and the source code of the packages behind them and of the packages of Corteval that these
require, and of the seed. A changed plugin, a raised version or another release of a metric gives
another key, hence a new record beside the old. A model that is made of another one, or is told to
use a data set, has their keys in its own.
Weights and stimuli are pinned by digest in the code of plugins; the digests of what was in fact
used are in every record, and `corteval recompute` compares them.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, final

from corteval import __version__, model_options, registry
from corteval.cards import BenchmarkCard, Card
from corteval.errors import CortevalError
from corteval.registry import Source
from corteval.store import canonical

#: Kinds of files in a package that may change what it computes.
_SUFFIXES = {".py", ".json", ".csv", ".npy", ".npz", ".toml", ".txt"}


_VERSION = canonical.text_of({"corteval": __version__})[1:-1]


@final
@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """One model on one benchmark.

    Args:
        model, benchmark: identifiers.
        seed: of the benchmark's resampling.
    """

    model: str
    benchmark: str
    seed: int = 0


@lru_cache(maxsize=1_000_000)
def key_of(cell: Cell) -> str:
    """Hexadecimal SHA-256 of what determines the score of `cell`.

    Raises:
        CortevalError: for names nobody has installed.
    """
    model, benchmark = _side("models", cell.model), _benchmark(cell.benchmark)
    # the canonical text of these four, whose names are in order; written out, for plans are large
    text = f'{{"benchmark":"{benchmark}",{_VERSION},"model":"{model}","seed":{int(cell.seed)}}}'
    return canonical.sha256(text.encode("ascii"))


def key_of_model(identifier: str) -> str:
    """Hexadecimal SHA-256 of the card of a model and of the package it comes from.

    Raises:
        CortevalError: for a name nobody has installed.
    """
    return _side("models", identifier)


@lru_cache(maxsize=100_000)
def _benchmark(identifier: str) -> str:
    card = registry.benchmarks.member_card(identifier)
    assert isinstance(card, BenchmarkCard)
    parts = [_side("benchmarks", identifier)]
    named = [("metrics", card.metric), ("metrics", card.ceiling)]
    for kind, name in [*named, *(("data", name) for name in card.data)]:
        if name:
            with contextlib.suppress(CortevalError):  # its use tells what is wrong
                parts.append(_side(kind, name))
    return canonical.digest_of(parts)


@lru_cache(maxsize=100_000)
def _side(kind: str, identifier: str) -> str:
    """Digest of a card, and of the package it comes from."""
    card = registry.KINDS[kind].member_card(identifier)
    source = registry.KINDS[kind].source(identifier)
    content = {
        "kind": kind,
        "card": _card_text(card),
        "distribution": source.distribution,
        "version": source.version,
        "source": source_digest(source),
        "requires": _required(source.distribution),
    }
    if kind == "models":
        options = model_options.parse(identifier)[1]
        content["options"] = model_options.named("", options)
        content["files"] = model_options.content_digest(registry.own_files(identifier))
        content["wraps"] = [_side("models", name) for name in registry.wrapped_models(identifier)]
        content["data"] = [_side("data", name) for name in _data_in(options)]
    return canonical.digest_of(content)


def _data_in(options: Mapping[str, Any]) -> list[str]:
    """Data sets that options name."""
    texts = (str(value) for _, value in sorted(options.items()) if isinstance(value, str))
    return [text for text in texts if text in registry.data]


@lru_cache(maxsize=10_000)
def _required(distribution: str) -> dict[str, tuple[str, str]]:
    """Version and source of the packages of Corteval that a distribution requires, by name.

    Those that another one requires are among them; extras are not.
    """
    found: dict[str, tuple[str, str]] = {}
    waiting = [distribution]
    while waiting:
        try:
            requirements = metadata.requires(waiting.pop()) or []
        except metadata.PackageNotFoundError:
            continue
        for text in requirements:
            name = re.split(r"[^\w.-]", text, maxsplit=1)[0].casefold().replace("_", "-")
            if not name.startswith("corteval-") or "extra ==" in text or name in found:
                continue
            with contextlib.suppress(metadata.PackageNotFoundError):
                package = name.replace("-", "_")
                found[name] = (metadata.version(name), _package_digest(package))
                waiting.append(name)
    found.pop(distribution.casefold(), None)
    return found


def _card_text(card: Card) -> str:
    """All that a card says but its factory, whose code the digest of the source holds.

    The factory of a plugin of one file is named by the place of the file.
    """
    told = [f.name for f in fields(card) if f.name != "factory"]
    return repr([(name, _ordered(getattr(card, name))) for name in told])


def _ordered(value: Any) -> Any:
    """`value` with sets and mappings in one order, so that its text is the same everywhere."""
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, Mapping):
        return sorted((str(name), _ordered(item)) for name, item in value.items())
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return [_ordered(item) for item in value]
    return repr(value)


def source_digest(source: Source) -> str:
    """SHA-256 over the files of the package, or the one file, that a plugin comes from."""
    if source.distribution == registry.RUNTIME:
        return hashlib.sha256(source.value.encode()).hexdigest()
    path = Path(source.value)
    if path.is_file():
        return _files_digest((path,))
    return _package_digest(source.value.partition(":")[0].partition(".")[0])


@lru_cache(maxsize=10_000)
def _package_digest(package: str) -> str:
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return ""
    if found is None or found.origin is None:
        return ""
    origin = Path(found.origin)
    if origin.name != "__init__.py":
        return _files_digest((origin,))
    files = (p for p in origin.parent.rglob("*") if p.suffix in _SUFFIXES and p.is_file())
    return _files_digest(tuple(sorted(files)), origin.parent)


def _files_digest(files: tuple[Path, ...], root: Path | None = None) -> str:
    sha = hashlib.sha256()
    for path in files:
        name = path.relative_to(root).as_posix() if root else ""
        data = path.read_bytes()
        sha.update(f"{name}|{len(data)}|".encode())
        sha.update(data)
    return sha.hexdigest()
