"""What makes a packed data set a Python package: cards, entry points and words for people."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr

from corteval import __version__, registered, registry
from corteval.cards import Card, DataCard
from corteval.local.description import Description
from corteval.local.package import FOLDER
from corteval.local.registration import card_fields, described, facts_of, labelled
from corteval.stimuli import StimulusSet

#: Digits of the digest in the version of the package.
_DIGITS = 12


def distribution_name(identifier: str) -> str:
    """Name of the distribution that carries a data set.

    >>> distribution_name("MyLab_2026.b")
    'corteval-data-mylab-2026-b'
    """
    return f"corteval-data-{re.sub(r'[^a-z0-9]+', '-', identifier.lower()).strip('-')}"


def module_name(identifier: str) -> str:
    """Name of its import package."""
    return distribution_name(identifier).replace("-", "_")


def write_package(
    description: Description,
    stimuli: StimulusSet,
    assembly: xr.DataArray,
    root: Path,
    digest: str,
) -> None:
    """Write all of a package but its data, which lie in ``src/<module>/dataset``.

    Args:
        description, stimuli, assembly: of the data set.
        root: folder of the package.
        digest: SHA-256 that stands for all files of the data set.
    """
    data, benchmarks = _cards(description, stimuli, assembly, digest)
    package = root / "src" / module_name(description.id)
    texts = {
        root / "pyproject.toml": _pyproject(description, benchmarks, digest),
        root / "README.md": _readme(description, data, benchmarks, digest),
        root / "LICENSE": _licence(description),
        package / "__init__.py": f'"""The data set {description.id}, packed by Corteval."""\n',
        package / "card.py": _card_module(description, data, benchmarks),
        package / "py.typed": "",
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")


def _cards(
    description: Description, stimuli: StimulusSet, assembly: xr.DataArray, digest: str
) -> tuple[DataCard, list[Card]]:
    """Card of the data set, and those of its benchmarks by the metrics installed here."""
    complete = labelled(assembly, stimuli)
    said = card_fields(description, stimuli, complete)
    said["summary"] = said["summary"].removeprefix("Registered: ")
    said["notes"] = (*said["notes"], f"SHA-256 of {FOLDER}/SHA256SUMS: {digest}")
    data = DataCard(
        identifier=description.id,
        factory="corteval.local.package:from_package",
        options={"package": module_name(description.id)},
        **said,
    )
    registration = registered.Registration(
        file=description.folder,
        identifier=description.id,
        folder=description.folder,
        description=described(description),
        digests={},
        states={},
        digest=digest,
        registered=datetime.now(UTC).isoformat(timespec="seconds"),
        card=said,
        facts=facts_of(description, stimuli, complete),
    )
    metrics = {card.identifier: card for card in registry.metrics.where()}
    distribution = distribution_name(description.id)
    return data, [*registered.benchmark_cards(registration, metrics, distribution)]


def _card_module(description: Description, data: DataCard, benchmarks: Sequence[Card]) -> str:
    classes = "BenchmarkCard, DataCard" if benchmarks else "DataCard"
    lines = [
        f'"""Cards of {description.id} and its benchmarks, written by `corteval data export`."""',
        "",
        "from __future__ import annotations",
        "",
        f"from corteval.cards import {classes}",
        "",
        f"DATA = {_literal(data)}",
        *(f"{_constant(n)} = {_literal(card)}" for n, card in enumerate(benchmarks)),
    ]
    return "\n".join(lines) + "\n"


def _literal(card: Card) -> str:
    """Python that makes `card`."""
    values = {field.name: getattr(card, field.name) for field in fields(card)}
    lines = [
        f"    {name}={values[name]!r}," for name in values if values[name] != _default(card, name)
    ]
    return "\n".join([f"{type(card).__name__}(", *lines, ")"])


def _default(card: Card, name: str) -> Any:
    field = next(field for field in fields(card) if field.name == name)
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _constant(number: int) -> str:
    return f"BENCHMARK_{number + 1}"


def _pyproject(description: Description, benchmarks: Sequence[Card], digest: str) -> str:
    module = module_name(description.id)
    lines = [
        "[build-system]",
        'requires = ["flit_core>=3.9"]',
        'build-backend = "flit_core.buildapi"',
        "",
        "[project]",
        f"name = {_text(distribution_name(description.id))}",
        f"version = {_text(f'0.1.0+sha{digest[:_DIGITS]}')}",
        f"description = {_text(f'The data set {description.id} for Corteval')}",
        'readme = "README.md"',
        'license-files = ["LICENSE"]',
        'requires-python = ">=3.11"',
    ]
    if description.visibility == "private":  # package indexes refuse what says this
        lines.append('classifiers = ["Private :: Do Not Upload"]')
    lines += [
        f"dependencies = [{_text(f'corteval>={__version__}')}]",
        "",
        '[project.entry-points."corteval.data"]',
        f"{_text(description.id)} = {_text(f'{module}.card:DATA')}",
    ]
    if benchmarks:
        lines += ["", '[project.entry-points."corteval.benchmarks"]']
    for number, card in enumerate(benchmarks):
        lines.append(f"{_text(card.identifier)} = {_text(f'{module}.card:{_constant(number)}')}")
    return "\n".join([*lines, "", "[tool.flit.module]", f"name = {_text(module)}", ""])


def _readme(
    description: Description, data: DataCard, benchmarks: Sequence[Card], digest: str
) -> str:
    name, module = distribution_name(description.id), module_name(description.id)
    private = (
        "**These data are private**: whoever has them may score models on them, and may pass on "
        "neither them nor results of single neuroids or stimuli.\n\n"
        if description.visibility == "private"
        else ""
    )
    try_it = (
        f"corteval score MODELS '{benchmarks[0].identifier}'" if benchmarks else "corteval list"
    )
    return (
        f"# {name}\n\n"
        f"The data set {description.id}: {data.summary}.\n\n{private}"
        f"Licence: {description.licence or 'not stated'}. "
        f"{f'Cite: {description.citation}' if description.citation else ''}\n\n"
        "Install it, in this folder,\n\n"
        f"```\npip install .\ncorteval info {description.id}\n{try_it}\n```\n\n"
        "or register its folder without installing anything:\n\n"
        f"```\ncorteval data register src/{module}/{FOLDER}\n```\n\n"
        "`sha256sum --check SHA256SUMS` in that folder says whether every byte is as it was "
        f"packed (SHA-256 of SHA256SUMS: `{digest}`). Stimuli are in `stimuli.csv`, responses in "
        f"`{description.responses.file}`; `dataset.toml` says what they are.\n"
    )


def _licence(description: Description) -> str:
    cited = f"\nPlease cite:\n\n{description.citation}\n" if description.citation else ""
    return f"{description.id}: {description.licence or 'no licence was stated'}\n{cited}"


def _text(value: str) -> str:
    """A string in TOML."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
