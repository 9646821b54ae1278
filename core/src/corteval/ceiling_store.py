"""Ceilings that take minutes, kept in the store under what determines them.

A second score on the same data finds the ceiling there. Data, splits, options and the source code
of the estimator are all in the key, so that nothing out of date is ever found.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from corteval.errors import StoreError
from corteval.score import Estimate, Score
from corteval.store import Store, active
from corteval.store.artifact import Artifact

log = logging.getLogger(__name__)

#: Of artifacts.
KIND = "ceiling"

T = TypeVar("T")


def kept(key: Mapping[str, Any], compute: Callable[[], Estimate]) -> Estimate:
    """The estimate of `key`: from the store in force, else computed and put there.

    Of several processes one computes, and the others wait for it. An error of `compute` is nothing
    to keep. A store that cannot be written to costs the next computation, not this one's result.

    Args:
        key: everything that determines the estimate, as JSON types; see `source_of`.
        compute: makes it.
    """

    def read(artifact: Artifact) -> Estimate | None:
        facts = artifact.facts
        return None if facts is None else Score.from_json(facts["record"]).raw

    def write(artifact: Artifact, made: Estimate) -> None:
        artifact.publish(record=Score(value=made.value, raw=made).to_json())

    return _once(
        lambda store: store.artifact(KIND, {**key, "form": "estimate"}), read, compute, write
    )


def kept_rows(key: Mapping[str, Any], rows: int, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """As `kept`, of an array with `rows` rows, such as ceilings of single neuroids."""

    def read(artifact: Artifact) -> np.ndarray | None:
        return np.array(artifact.block(0)) if artifact.complete else None

    def write(artifact: Artifact, made: np.ndarray) -> None:
        artifact.write(0, np.ascontiguousarray(made))
        artifact.publish()

    def named(store: Store) -> Artifact:
        return store.artifact(KIND, {**key, "form": "rows"}, rows=rows, rows_per_block=rows)

    return _once(named, read, compute, write)


def _once(
    named: Callable[[Store], Artifact],
    read: Callable[[Artifact], T | None],
    compute: Callable[[], T],
    write: Callable[[Artifact, T], None],
) -> T:
    store, made = active(), None
    if store is None:
        return compute()
    artifact = named(store)
    try:
        found = read(artifact)
        if found is not None:
            return found
        with store.claim([artifact]):
            found = read(artifact)
            if found is not None:
                return found
            made = compute()
            write(artifact, made)
            return made
    except StoreError as error:
        log.warning("The ceiling is not kept for the next time: %s", error)
        return compute() if made is None else made


def source_of(*modules: str) -> str:
    """SHA-256 over the source code of the packages that `modules` are in.

    Args:
        modules: dotted names; of ``corteval.stats.splits`` the package ``corteval.stats`` counts,
            of a plugin's module the whole plugin.
    """
    return _source_of(tuple(modules))


@lru_cache(maxsize=64)
def _source_of(modules: tuple[str, ...]) -> str:
    sha = hashlib.sha256()
    for name in modules:
        top, _, rest = name.partition(".")
        package = f"{top}.{rest.partition('.')[0]}" if top == "corteval" and rest else top
        file = getattr(sys.modules.get(package), "__file__", None)
        if file is None:  # of a notebook: never taken for another
            sha.update(f"{package} without a file".encode())
            continue
        path = Path(file)
        files = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
        for each in files:
            sha.update(f"{package}/{each.relative_to(path.parent).as_posix()}\0".encode())
            sha.update(each.read_bytes())
    return sha.hexdigest()
