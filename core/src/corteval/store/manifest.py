"""What an artifact is, and the manifest that says so, which is read with mistrust."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

from corteval.errors import StoreError
from corteval.store import blocks, canonical
from corteval.store.blocks import Block, Damaged
from corteval.store.disk import replacing, sync, write_all

#: Rises when older code could misread what newer code writes; part of every digest.
SCHEMA = 1
NAME = "manifest.json"

#: A folder name on every system: no upper case, no device of Windows.
KIND = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)$)[a-z][a-z0-9_-]{0,11}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Bytes of a manifest: key, facts, and so many for each block.
_LARGEST, _A_BLOCK = 4 * canonical.LONGEST, 160


class Foreign(Damaged):
    """A sound manifest of another artifact."""


@final
@dataclass(frozen=True, kw_only=True)
class Identity:
    """All that determines the bytes of an artifact.

    Args:
        kind: sort of artifact, e.g. ``"activations"``; a folder has its name.
        key: JSON types.
        rows: along the first axis, over all blocks; 0 for facts without arrays.
        rows_per_block: of every block but the last, which may be shorter.
    """

    kind: str
    key: dict[str, Any]
    rows: int
    rows_per_block: int

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or not KIND.fullmatch(self.kind):
            raise StoreError(
                f"The kind {self.kind!a} cannot name a folder: use 1 to 12 lower-case letters, "
                "digits, '-' and '_', a letter first."
            )
        counts = {"rows": self.rows, "rows_per_block": self.rows_per_block}
        for name, count in counts.items():
            if type(count) is not int or count < (name != "rows"):
                raise StoreError(f"{name} = {count!r} is no number of rows.")
        if self.blocks > blocks.MOST:
            raise StoreError(
                f"{self.rows:,} rows make {self.blocks:,} blocks of {self.rows_per_block:,}; at "
                f"most {blocks.MOST:,} are allowed. Raise rows_per_block."
            )

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.rows // self.rows_per_block)

    def rows_of(self, index: int) -> int:
        """Rows of one block."""
        return min(self.rows_per_block, self.rows - index * self.rows_per_block)

    @property
    def content(self) -> dict[str, Any]:
        """What is hashed."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "key": self.key,
            "rows": self.rows,
            "rows_per_block": self.rows_per_block,
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of `content`."""
        return canonical.digest_of(self.content)


@final
@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A published artifact: what it is, its blocks, and what whoever made it tells."""

    identity: Identity
    blocks: tuple[Block, ...]
    facts: dict[str, Any]


def write(folder: Path, manifest: Manifest) -> None:
    """Put the manifest of an artifact, and its blocks, on the disk for good.

    Raises:
        StoreError: if it is too long.
    """
    arrays = manifest.blocks
    content = manifest.identity.content | {
        "digest": manifest.identity.digest,
        "dtype": arrays[0].dtype if arrays else None,
        "shape": [manifest.identity.rows, *arrays[0].shape[1:]] if arrays else None,
        "blocks": [{"bytes": block.bytes, "sha256": block.sha256} for block in arrays],
        "facts": manifest.facts,
    }
    content["check"] = _check(content)
    data = json.dumps(content, indent=1).encode("ascii")
    if len(data) > _limit(len(arrays)):
        raise StoreError(
            f"The manifest of {manifest.identity.kind} would have {len(data):,} bytes; at most "
            f"{_limit(len(arrays)):,} are allowed. Give fewer facts; arrays belong into blocks."
        )
    with replacing(folder / NAME) as file:
        write_all(file.descriptor, data)
        sync([file.path, *(folder / block.name for block in arrays)])
    sync([folder, *folder.parents[:3]])  # up to the store, whose folders may be new


def read(path: Path, wanted: Identity | None) -> Manifest:
    """The manifest at `path`, if it is one of `wanted`, or of any artifact if that is None.

    Raises:
        Foreign: it is one of another artifact.
        Damaged: it is none.
        FileNotFoundError: there is nothing.
    """
    try:
        content = canonical.parse(_bytes(path, blocks.MOST if wanted is None else wanted.blocks))
        manifest = _understand(content)
        digest = manifest.identity.digest
    except (ValueError, KeyError, TypeError, RecursionError, StoreError) as error:
        reason = str(error)[:200]  # of which the file may be the author
        raise Damaged(f"it is no manifest of schema {SCHEMA}: {reason}") from error
    if content["digest"] != digest:
        raise Foreign("its digest is not that of its key")
    if path.parent.name != digest or (wanted is not None and wanted.digest != digest):
        raise Foreign(f"it belongs to {digest[:12]}, another artifact")
    return manifest


def _bytes(path: Path, count: int) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is no file")
    with path.open("rb") as file:
        data = file.read(_limit(count) + 1)
    if len(data) > _limit(count):
        raise ValueError(f"it has more than {_limit(count)} bytes")
    return data


def _limit(count: int) -> int:
    return _LARGEST + _A_BLOCK * count


def _check(content: dict[str, Any]) -> str:
    """Digest of everything a manifest says, so that one changed digit is noticed."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return canonical.sha256(text.encode("ascii"))


def _understand(content: Any) -> Manifest:
    """`content` as a manifest, its types and sizes checked."""
    if not isinstance(content, dict):
        raise ValueError("it is no object")
    if type(content.get("schema")) is not int or content["schema"] != SCHEMA:
        raise ValueError(f"its schema is {str(content.get('schema'))[:20]!a}")
    if content.pop("check", None) != _check(content):
        raise ValueError("it has changed since it was written")
    if not isinstance(content["key"], dict) or not isinstance(content["facts"], dict):
        raise ValueError("its key or its facts are no object")
    identity = Identity(
        kind=content["kind"],
        key=content["key"],
        rows=content["rows"],
        rows_per_block=content["rows_per_block"],
    )
    return Manifest(identity=identity, blocks=_arrays(identity, content), facts=content["facts"])


def _arrays(identity: Identity, content: dict[str, Any]) -> tuple[Block, ...]:
    entries, shape, dtype = content["blocks"], content["shape"], content["dtype"]
    if not isinstance(entries, list) or len(entries) != identity.blocks:
        raise ValueError(f"it should list {identity.blocks} blocks")
    if not entries:
        return ()
    if not isinstance(shape, list) or shape[:1] != [identity.rows] or not isinstance(dtype, str):
        raise ValueError("its shape or dtype is none")
    found = []
    for index, entry in enumerate(entries):
        if set(entry) != {"bytes", "sha256"} or not _SHA256.fullmatch(entry["sha256"]):
            raise ValueError(f"what it says of block {index} cannot be understood")
        block = Block(
            index=index,
            dtype=dtype,
            shape=(identity.rows_of(index), *shape[1:]),
            bytes=entry["bytes"],
            sha256=entry["sha256"],
        )
        if block.bytes != blocks.size_of(block.dtype, block.shape):
            raise ValueError(f"block {index} cannot have {str(block.bytes)[:20]} bytes")
        found.append(block)
    return tuple(found)
