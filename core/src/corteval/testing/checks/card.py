"""Checks of cards: complete, light to import, and naming a factory that can be called."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import lru_cache

from corteval import registry
from corteval.cards import BenchmarkCard, DataCard
from corteval.testing import NotApplicable
from corteval.testing.specimen import Specimen, factory_problem, require

#: What a card module must not import, so that listing many plugins stays quick.
HEAVY = ("numpy", "pandas", "xarray", "scipy", "sklearn", "torch", "PIL", "requests")

_ENTRY = re.compile(r"@[A-Za-z]+\s*\{\s*[^\s,{}]+\s*,")

#: Imports a module by name, or a file as the registry does; tells on stderr which of HEAVY came.
_IMPORT = """
import importlib.util, sys
before, (name, *heavy) = set(sys.modules), sys.argv[1:]
if name.endswith(".py"):
    spec = importlib.util.spec_from_file_location("one_file_plugin", name)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
else:
    importlib.import_module(name)
print("HEAVY", *sorted(set(heavy) & (set(sys.modules) - before)), file=sys.stderr)
"""


def check_card(specimen: Specimen) -> None:
    """The card is complete: name, summary, licence, version, citation and pinned files."""
    card, asked = specimen.card, specimen.identifier.partition("@")[0]
    require(
        card.identifier.casefold() == asked.casefold(),
        f"{asked} is registered with a card that calls itself {card.identifier}. Make them equal.",
    )
    summary = card.summary
    require(
        summary.strip() and len(summary) <= 100 and summary.isprintable(),
        f"The summary is one line of 1 to 100 characters; this one has {len(summary)}: "
        f"{summary[:120]!r}.",
    )
    require(card.licence.strip(), "The licence is empty. Name the SPDX identifier.")
    require(
        isinstance(card.version, int) and card.version >= 1,
        f"The version is {card.version!r}. It counts from 1 and rises when scores change.",
    )
    cited = isinstance(card, BenchmarkCard | DataCard)
    require(
        card.bibtex.strip() or not cited,
        "The card has no bibtex. Whoever uses these data must be able to cite them.",
    )
    problem = bibtex_problem(card.bibtex)
    require(not problem, f"The bibtex is malformed: {problem}.")
    for resource in card.resources:
        require(
            resource.size != 0 and resource.licence.strip(),
            f"{resource.url} is not described: give its size in bytes (it says {resource.size}) "
            f"and its licence (it says {resource.licence!r}).",
        )


def check_light_import(specimen: Specimen) -> None:
    """Importing the card's module brings no heavy library with it and prints nothing."""
    source = registry.KINDS[specimen.kind].source(specimen.identifier)
    if source.distribution in {registry.RUNTIME, registry.REGISTERED}:
        raise NotApplicable("The card lies in no module of its own.")
    module = source.value if source.value.endswith(".py") else source.value.partition(":")[0]
    done = _imported(module) if module.endswith(".py") else _imported_once(module, tuple(sys.path))
    *_, last = ["", *done.stderr.strip().splitlines()]
    require(done.returncode == 0, f"{module} cannot be imported alone: {last or 'it exits'}")
    heavy = done.stderr.strip().rpartition("HEAVY")[2].split()
    require(
        not heavy,
        f"{module} imports {', '.join(heavy)}. A card module imports the standard library and "
        "corteval.cards only; import the rest in the factory's module.",
    )
    require(
        not done.stdout,
        f"{module} prints on import: {done.stdout[:200]!r}. Standard output is data; say nothing.",
    )


def _imported(module: str, path: tuple[str, ...] | None = None) -> subprocess.CompletedProcess[str]:
    """A process of its own that imports `module` and ends."""
    places = os.pathsep.join(p for p in path or sys.path if p)
    return subprocess.run(
        [sys.executable, "-c", _IMPORT, module, *HEAVY],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )


#: Many cards lie in one module; a file may be another one at the next check.
_imported_once = lru_cache(maxsize=None)(_imported)


def check_factory(specimen: Specimen) -> None:
    """The factory can be imported, is callable and takes the card's options."""
    problem = factory_problem(specimen.card)
    require(not problem, problem)


def bibtex_problem(text: str) -> str:
    """What is wrong with BibTeX entries; empty if nothing."""
    entries, start, depth = [], 0, 0
    for brace in re.finditer(r"(?<!\\)[{}]", text):
        depth += 1 if brace[0] == "{" else -1
        if depth < 0:
            return f"a brace closes that was not opened, in {text[start : brace.end()][-40:]!r}"
        if depth == 0:
            entries.append(text[start : brace.end()].strip())
            start = brace.end()
    if depth:
        return f"{depth} braces are not closed"
    entries += [text[start:].strip()] if text[start:].strip() else []
    odd = next((entry for entry in entries if not _ENTRY.match(entry)), None)
    return "" if odd is None else f"an entry starts with @type{{key, but one with {odd[:40]!r}"
