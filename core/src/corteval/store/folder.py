"""The store: a folder of artifacts, which of them is in force, and how large it may become."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from corteval import settings
from corteval.cards import human_size
from corteval.errors import StoreError
from corteval.hooks import Progress, notify
from corteval.store import canonical, contents, leases
from corteval.store.artifact import Artifact
from corteval.store.contents import Damage, Entry, Removal
from corteval.store.disk import READ_ONLY, explained
from corteval.store.manifest import Identity

log = logging.getLogger(__name__)

#: Seconds after which what other processes have stored is counted again.
RECOUNT = 600.0
#: Artifacts published at once: most of the time goes into waiting for the disk.
PUBLISHING = 8


@final
class Store:
    """A folder of artifacts that many processes, also of several machines, may share."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser().absolute()

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and self.folder == other.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    def artifact(
        self, kind: str, key: Mapping[str, Any], *, rows: int = 0, rows_per_block: int = 256
    ) -> Artifact:
        """The artifact that `key` determines; nothing is read or written yet.

        Args:
            kind: sort of artifact, e.g. ``"activations"``.
            key: everything that determines the bytes, as JSON types; see `canonical.plain` for
                what is told apart and what is refused.
            rows: along the first axis; 0 for facts without arrays.
            rows_per_block: of all blocks but the last.

        Raises:
            StoreError: if the key cannot be told from another.
        """
        if not isinstance(key, Mapping):
            raise StoreError(f"The key is a {type(key).__name__}; give names and values.")
        identity = Identity(
            kind=kind, key=canonical.plain(key), rows=rows, rows_per_block=rows_per_block
        )
        return Artifact(self.folder, identity, self._published)

    @contextlib.contextmanager
    def claim(self, artifacts: Iterable[Artifact]) -> Iterator[None]:
        """Hold the leases of `artifacts`, which excludes other processes and threads.

        Waits for whoever holds one; ask `missing()` again inside. Leases are taken in order of
        digests, so that nobody waits in a circle. A thread may claim again what it has claimed.
        In a read-only store complete artifacts need no lease.
        """
        settings.store_limit()  # better said now than when the work is done
        ordered = {artifact.digest: artifact for artifact in artifacts}
        with contextlib.ExitStack() as stack:
            for digest in sorted(ordered):
                try:
                    stack.enter_context(self._lease(ordered[digest]))
                except StoreError as error:
                    cause = error.__cause__
                    read_only = isinstance(cause, OSError) and cause.errno in READ_ONLY
                    if not read_only or not ordered[digest].complete:
                        raise
            yield

    def publish(self, facts: Mapping[Artifact, Mapping[str, Any]]) -> None:
        """Publish several artifacts with their facts: much faster than one after the other.

        Raises:
            StoreError: of one that cannot be published; others may have been.
        """
        with ThreadPoolExecutor(PUBLISHING) as pool:
            for done in [pool.submit(each.publish, **told) for each, told in facts.items()]:
                done.result()

    def entries(self) -> list[Entry]:
        """All artifacts, by kind, the last used first."""
        with explained("The store cannot be listed", self.folder):
            return contents.entries(self.folder)

    def collect(self, max_bytes: int | None, *, age: float = contents.A_DAY) -> list[Removal]:
        """Remove damaged files, leftovers, and then what is unused for longest.

        Args:
            max_bytes: size to come down to; None removes no finished artifact.
            age: seconds after which an unfinished artifact is a leftover.
        """
        with explained("The store cannot be cleaned up", self.folder):
            return contents.collect(self.folder, max_bytes, age=age)[0]

    def verify(self) -> list[Damage]:
        """Hash everything; what is damaged is set aside, and computed again when needed."""

        def report(done: int, total: int) -> None:
            notify(Progress("verify the store", done, total, "bytes"))

        with explained("The store cannot be verified", self.folder):
            return contents.verify(self.folder, report)

    @contextlib.contextmanager
    def _lease(self, artifact: Artifact) -> Iterator[None]:
        what = f"{artifact.identity.kind} {artifact.digest[:12]}"
        path = contents.lease_of(artifact.folder)
        with contextlib.ExitStack() as stack:
            with explained(f"{what} cannot be claimed", self.folder):
                path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(leases.held(path, self.folder, what))
            yield

    def _published(self, artifact: Artifact) -> None:
        """Keep to the limit of the settings, as far as what is in use allows."""
        limit = settings.store_limit()
        if limit is None:
            return
        use = _uses.setdefault(self.folder, _Use())
        use.added += contents.size_of(artifact.folder)
        if not use.must_be_counted(limit):
            return
        use.added, use.counted = 0, time.monotonic()
        try:
            removed, use.total = contents.collect(self.folder, limit, keep={artifact.folder})
        except OSError as error:
            log.info("The store was not cleaned up: %s", error)
            return
        if removed:
            freed = human_size(sum(removal.bytes for removal in removed))
            log.info("%d artifacts were removed from %s (%s).", len(removed), self.folder, freed)
        if use.total > limit and not use.warned:
            use.warned = True
            log.warning(
                "The store at %s holds %s, more than the %s of store_limit: all of it is in use.",
                self.folder,
                human_size(use.total),
                human_size(limit),
            )


@dataclass
class _Use:
    """What this process knows of the size of a store, whose counting takes time."""

    total: int = 0
    added: int = 0
    counted: float | None = None
    warned: bool = False

    def must_be_counted(self, limit: int) -> bool:
        """Whether others, or this process, may have exceeded `limit` since it was counted."""
        if self.counted is None or time.monotonic() - self.counted > RECOUNT:
            return True
        if self.added > limit // 20:
            return True
        return self.total + self.added > limit and self.added > limit // 100


_uses: dict[Path, _Use] = {}


class _Default:
    """No store was chosen."""


_in_force: ContextVar[Store | type[_Default] | None] = ContextVar("store", default=_Default)


def active() -> Store | None:
    """The store in force: of the innermost `using`, else ``store`` in the home folder."""
    chosen = _in_force.get()
    return Store(settings.home() / "store") if isinstance(chosen, type) else chosen


@contextlib.contextmanager
def using(store: Store | None) -> Iterator[None]:
    """Use another store, or none, in the block; threads started in it do not inherit it."""
    token = _in_force.set(store)
    try:
        yield
    finally:
        _in_force.reset(token)
