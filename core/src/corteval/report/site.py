"""A site of several pages: all scores, and a page for each model and benchmark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corteval import registry
from corteval.errors import OptionError
from corteval.report.cards import benchmark_page, model_page
from corteval.report.gathering import Gathered
from corteval.report.marks import Entries
from corteval.report.page import page
from corteval.run.records import folder_of
from corteval.store.disk import explained

#: The file by which a folder is known to be a site; it lists the pages.
MARKER = "corteval-site.txt"
_FIRST = "corteval.site/1"
_PAGE = re.compile(r"index\.html|(models|benchmarks)/[a-zA-Z0-9_-][a-zA-Z0-9._-]*\.html")


def site(gathered: Gathered, **options: Any) -> dict[str, str]:
    """Pages by relative path; the same bytes for the same records.

    Args:
        gathered: scores and records.
        options: of `page.page`.
    """
    board = gathered.board
    models = {model: f"models/{folder_of(model)}.html" for model in board.models}
    benchmarks = {name: f"benchmarks/{folder_of(name)}.html" for name in board.benchmarks}
    links = models, benchmarks
    pages = {"index.html": page(gathered, links=links, **options)}
    up = [{name: f"../{path}" for name, path in part.items()} for part in links]
    known = [frozenset(registry.models), frozenset(registry.benchmarks)]
    entries = Entries.of(gathered, options.get("track"))
    for model, path in models.items():
        curves = [c for c in options.get("layers", ()) if c.model == model]
        pages[path] = model_page(model, gathered, up[1], known[0], entries, curves)
    for benchmark, path in benchmarks.items():
        pages[path] = benchmark_page(benchmark, gathered, up[0], known[1], entries)
    return pages


def check_folder(folder: Path) -> None:
    """Whether `folder` may become a site: it is one, is empty, or is not there yet.

    Raises:
        OptionError: if not.
    """
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file; name a folder for the site.")
    if folder.is_dir() and any(folder.iterdir()) and _listed(folder) is None:
        raise OptionError(
            f"{folder} holds files and is no site of Corteval: it has no {MARKER}. Name an empty "
            "folder, or one that is not there yet."
        )


def write_site(folder: Path, pages: Mapping[str, str]) -> None:
    """Write `pages`; those of an earlier site in `folder` that are no longer among them go.

    Nothing else in the folder is touched.

    Raises:
        OptionError: see `check_folder`.
        StorageFull, StoreError
    """
    check_folder(folder)
    before = _listed(folder) or set()
    with explained("The site cannot be written", folder):
        folder.mkdir(parents=True, exist_ok=True)
        # first, so that a site that was cut off can be written again
        _write(folder / MARKER, "\n".join([_FIRST, *sorted(before | set(pages))]) + "\n")
        for path, text in pages.items():
            (folder / path).parent.mkdir(exist_ok=True)
            _write(folder / path, text)
        for path in sorted(before - set(pages)):
            (folder / path).unlink(missing_ok=True)
        _write(folder / MARKER, "\n".join([_FIRST, *sorted(pages)]) + "\n")


def _listed(folder: Path) -> set[str] | None:
    """Pages of the site in `folder`, as far as they are names of pages; None if it is none."""
    try:
        lines = (folder / MARKER).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    if not lines or lines[0] != _FIRST:
        return None
    return {line for line in lines[1:] if _PAGE.fullmatch(line)}


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))
