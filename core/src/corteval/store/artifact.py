"""One artifact: its blocks are written, verified, published and read here."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, final

import numpy as np

from corteval import settings
from corteval.errors import StoreError
from corteval.store import blocks, canonical, manifest
from corteval.store.blocks import Block, Damaged, Policy
from corteval.store.disk import TEMPORARY, explained, names_in, set_aside
from corteval.store.manifest import Foreign, Identity, Manifest

log = logging.getLogger(__name__)

#: Threads that hash blocks; hashing lets other threads run.
_HASHING = min(4, os.cpu_count() or 1)

#: Paths of damaged files that could not be renamed, or are gone, and were spoken of already.
_told: set[str] = set()
#: Manifests whose time of last use this process has set.
_touched: set[str] = set()


@final
class Artifact:
    """Blocks of rows, and facts, under the digest of what determines them.

    `Store.artifact` makes one; nothing is on the disk until something is written. All methods may
    be called from several threads. Between processes, whoever holds the lease (`Store.claim`)
    writes; reading needs none.
    """

    def __init__(
        self, store: Path, identity: Identity, published: Callable[[Artifact], None] | None = None
    ) -> None:
        self.identity = identity
        self.folder = store / identity.kind / identity.digest[:2] / identity.digest
        self._store = store
        self._published = published
        self._lock = threading.RLock()
        self._found: dict[int, Block] = {}
        self._like: tuple[str, tuple[int, ...]] | None = None
        self._read: tuple[tuple[int, ...], Manifest] | None = None

    def __repr__(self) -> str:
        return f"<Artifact {self.identity.kind} {self.digest[:12]}: {self.blocks} blocks>"

    @property
    def digest(self) -> str:
        """Hexadecimal SHA-256 of the canonical JSON of kind, key and numbers of rows."""
        return self.identity.digest

    @property
    def blocks(self) -> int:
        """Number of blocks; none if there are facts only."""
        return self.identity.blocks

    def rows_of(self, index: int) -> slice:
        """Rows of block `index`."""
        self._check_index(index)
        start = index * self.identity.rows_per_block
        return slice(start, start + self.identity.rows_of(index))

    @property
    def facts(self) -> dict[str, Any] | None:
        """What `publish` was given; None if the artifact is not published, or no longer whole."""
        with self._lock, self._explained("read"), self._telling() as damage:
            known = self._manifest(damage)
            if known is None or not self._names_agree(known):
                return None
            self._touch()
            return copy.deepcopy(known.facts)

    @property
    def complete(self) -> bool:
        """Whether it is published and every block is sound."""
        return not self.missing() and self.facts is not None

    def missing(self) -> tuple[int, ...]:
        """Blocks to compute: not finished, or found damaged, which are set aside with a warning.

        Files are hashed when this process meets them first, or meets them changed; the setting
        ``store_verify`` may relax that for published blocks.
        """
        return self.examine()[0]

    def examine(self, policy: Policy | None = None) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """As `missing`, and what was found damaged, in words."""
        policy = policy or settings.store_verify()
        with self._lock, self._explained("read"), self._telling() as damage:
            self._found = self._settle(range(self.blocks), damage, policy)
            found = [*self._found.values()]
            self._like = (found[0].dtype, found[0].shape[1:]) if found else None
            missing = tuple(index for index in range(self.blocks) if index not in self._found)
        return missing, tuple(damage)

    def write(self, index: int, array: np.ndarray) -> None:
        """Store a block: whole or not at all, whatever happens.

        Raises:
            StorageFull: no room; nothing is left behind.
            StoreError: the array is not that block, or the store cannot be written to.
        """
        self._check_index(index)
        what = f"Block {index} of {self.identity.kind} {self.digest[:12]}"
        array = blocks.check_array(array, self.identity.rows_of(index), what)
        like = (array.dtype.str, array.shape[1:])
        with self._lock:
            if self._like not in {None, like}:
                raise StoreError(
                    f"{what} is {_words(like)}; other blocks are {_words(self._like)}."
                )
            self._like = like
        with explained(f"{what} cannot be written", self._store):
            self.folder.mkdir(parents=True, exist_ok=True)
            block = blocks.write(self.folder, index, array)
        with self._lock:
            self._found[index] = block
        _told.discard(str(self.folder / block.name))

    def publish(self, **facts: Any) -> None:
        """Declare the artifact finished; of one that is finished already nothing changes.

        Args:
            facts: JSON types: timings, seed, versions of what computed it, ...

        Raises:
            StoreError: a block is missing, or facts are no JSON.
        """
        canonical.text_of(facts, "facts")
        missing = self.missing()
        if missing:
            listed = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
            raise StoreError(
                f"{self} cannot be published: {len(missing)} blocks are missing ({listed}). "
                "Compute what missing() lists first."
            )
        with self._lock, self._explained("published"):
            known = self._manifest([])  # the damaged are out of the way since missing()
            parts = tuple(self._found[index] for index in range(self.blocks))
            if known is None or known.blocks != parts:
                self.folder.mkdir(parents=True, exist_ok=True)
                new = Manifest(
                    identity=self.identity, blocks=parts, facts=canonical.plain(facts, "facts")
                )
                manifest.write(self.folder, new)
            self._tidy({block.name for block in parts})
        if self._published is not None:
            self._published(self)

    def block(self, index: int) -> np.ndarray:
        """A block, verified, mapped into memory and read-only.

        Raises:
            StoreError: it is not there, or damaged; `missing` tells what to compute.
        """
        self._check_index(index)
        policy = settings.store_verify()
        with self._lock, self._explained("read"), self._telling() as damage:
            block = self._checked(index, policy) or self._settle([index], damage, policy).get(index)
            if block is not None:
                self._found[index] = block
                self._touch()
                return _mapped(self.folder / block.name)
        reason = f" ({'; '.join(damage)})" if damage else ""
        raise StoreError(
            f"Block {index} of {self} is not in the store{reason}. Compute what missing() lists."
        )

    def _explained(self, done: str) -> contextlib.AbstractContextManager[None]:
        return explained(f"{self.identity.kind} {self.digest[:12]} cannot be {done}", self._store)

    @contextlib.contextmanager
    def _telling(self) -> Iterator[list[str]]:
        """A list for damage in words, which become one warning."""
        damage: list[str] = []
        yield damage
        if damage:
            log.warning(
                "%s is damaged; what is lost is computed again: %s", self, "; ".join(damage)
            )

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.blocks:
            raise StoreError(f"{self} has no block {index!r}.")

    def _checked(self, index: int, policy: Policy) -> Block | None:
        """Block `index` as it was found before, if its file is still that."""
        block = self._found.get(index)
        try:
            return block and self._examine(block.name, index, block, policy)
        except (Damaged, FileNotFoundError):
            return None

    def _examine(self, name: str, index: int, expected: Block | None, policy: Policy) -> Block:
        rows = self.identity.rows_of(index)
        return blocks.examine(self.folder / name, rows=rows, expected=expected, policy=policy)

    def _settle(
        self, indices: Iterable[int], damage: list[str], policy: Policy
    ) -> dict[int, Block]:
        """Sound blocks among `indices`; what is not sound is set aside and told in `damage`."""
        known = self._manifest(damage)
        listed = known.blocks if known else ()
        names = self._names()

        def settle(index: int) -> tuple[Block | None, list[str]]:
            expected = listed[index] if listed else None
            return self._first_sound(index, names.get(index, []), expected, policy)

        indices = [*indices]
        strict: Policy = policy if listed else "full"
        if sum(self._is_new(names.get(index, []), strict) for index in indices) > 1:
            with ThreadPoolExecutor(_HASHING) as pool:
                settled = [*pool.map(settle, indices)]
        else:
            settled = [settle(index) for index in indices]
        for _, told in settled:
            damage += told
        found = {block.index: block for block, _ in settled if block is not None}
        return self._of_one_kind(found, listed, damage)

    def _is_new(self, names: list[str], policy: Policy) -> bool:
        return any(not blocks.is_known(self.folder / name, policy) for name in names)

    def _first_sound(
        self, index: int, names: list[str], expected: Block | None, policy: Policy
    ) -> tuple[Block | None, list[str]]:
        """The published file of a block, else the newest that is sound."""
        damage: list[str] = []
        if expected is not None and expected.name in names:
            names = [expected.name, *(name for name in names if name != expected.name)]
        for name in names:
            path = self.folder / name
            wanted = expected if expected is not None and name == expected.name else None
            try:
                return self._examine(name, index, wanted, policy), damage
            except FileNotFoundError:  # by another process, meanwhile
                continue
            except Damaged as error:
                if blocks.is_unchanged(path, error):
                    damage += self._set_aside(path, f"block {index}: {error}")
        if expected is not None and not damage:
            path = self.folder / expected.name
            if str(path) not in _told:
                _told.add(str(path))
                damage.append(f"block {index} is gone")
        return None, damage

    def _of_one_kind(
        self, found: dict[int, Block], listed: tuple[Block, ...], damage: list[str]
    ) -> dict[int, Block]:
        """`found` without blocks that cannot belong together; the published ones are right."""
        kinds = {(block.dtype, block.shape[1:]) for block in found.values()}
        right = {(block.dtype, block.shape[1:]) for block in listed}
        if len(kinds | right) <= 1:
            return found
        sound = {i: b for i, b in found.items() if (b.dtype, b.shape[1:]) in right}
        for block in found.values():
            if block.index not in sound:
                reason = f"block {block.index}: it is {block.dtype} {block.shape}, unlike others"
                damage += self._set_aside(self.folder / block.name, reason)
        return sound

    def _set_aside(self, path: Path, reason: str) -> list[str]:
        """Rename a damaged file; what to tell, which is nothing if it was told before."""
        aside = set_aside(path)
        if aside is not None:
            _told.add(str(path))  # that it is gone now is no news
            return [f"{reason} (kept as {aside.name})"]
        if str(path) in _told or not os.path.lexists(path):
            return []
        _told.add(str(path))
        return [f"{reason} (it cannot be renamed)"]

    def _names(self) -> dict[int, list[str]]:
        """Names of files by block, the newest first."""
        names: dict[int, list[str]] = {}
        for name in names_in(self.folder):
            match = blocks.NAME.fullmatch(name)
            if match and int(match[1]) < self.blocks:
                names.setdefault(int(match[1]), []).append(name)
        for several in names.values():
            if len(several) > 1:
                several.sort(key=self._age)
        return names

    def _age(self, name: str) -> tuple[int, str]:
        try:
            return -(self.folder / name).stat().st_mtime_ns, name
        except OSError:
            return 0, name

    def _names_agree(self, known: Manifest) -> bool:
        return {block.name for block in known.blocks} <= set(names_in(self.folder))

    def _manifest(self, damage: list[str]) -> Manifest | None:
        """The manifest on the disk; one that is damaged, or another's, is set aside."""
        path = self.folder / manifest.NAME
        try:
            seen = _sight(path)
            if self._read is None or self._read[0] != seen:
                self._read = (seen, manifest.read(path, self.identity))
            return self._read[1]
        except FileNotFoundError:
            return None
        except Damaged as error:
            strangers = blocks.NAME.fullmatch if isinstance(error, Foreign) else lambda _: False
            for name in [*filter(strangers, names_in(self.folder)), manifest.NAME]:
                damage += self._set_aside(self.folder / name, f"{name}: {error}")
            return None

    def _touch(self) -> None:
        """Note that the artifact is in use, once a process."""
        path = self.folder / manifest.NAME
        if str(path) in _touched:
            return
        _touched.add(str(path))
        with contextlib.suppress(OSError):  # a read-only store, or not yet published
            os.utime(path)

    def _tidy(self, keep: set[str]) -> None:
        """Remove what killed processes left, and blocks that others have replaced."""
        for name in names_in(self.folder):
            if name not in keep and (blocks.NAME.fullmatch(name) or TEMPORARY.fullmatch(name)):
                with contextlib.suppress(OSError):
                    (self.folder / name).unlink()


def _sight(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _mapped(path: Path) -> np.ndarray:
    try:
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:  # nobody has looked at it: store_verify is off
        raise StoreError(f"{path} is no array: {error}. Remove it and compute it again.") from error
    return array


def _words(like: tuple[str, tuple[int, ...]] | None) -> str:
    return "unknown" if like is None else f"{like[0]} (rows, {', '.join(map(str, like[1]))})"
