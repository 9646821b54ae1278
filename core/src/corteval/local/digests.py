"""``SHA256SUMS`` of a folder: written when it is packed, compared when it is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from corteval.errors import DatasetError
from corteval.local.description import outside

#: Name of the file; ``sha256sum --check`` reads it too.
FILE = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_digests(folder: Path) -> str:
    """Write ``SHA256SUMS`` over all files of `folder`; its own SHA-256, which stands for all."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / FILE)
    lines = (f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    (folder / FILE).write_text("".join(lines), encoding="utf-8", newline="\n")
    return sha256(folder / FILE)


def read_digests(folder: Path) -> Mapping[str, str]:
    """File, relative to `folder`, -> SHA-256 that it should have.

    Raises:
        DatasetError: if a line is none of sha256sum, or names a file elsewhere.
    """
    try:
        lines = (folder / FILE).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{folder / FILE} cannot be read: {error}. Get the set anew.") from error
    found = {}
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        if match is None or outside(match[2]):
            raise DatasetError(f"{folder / FILE}, row {number}: {line[:100]!r} is no digest.")
        found[match[2]] = match[1]
    return found


def verify(folder: Path) -> None:
    """Compare every file that ``SHA256SUMS`` lists with its digest.

    Raises:
        DatasetError: names the files that are missing or have other bytes.
    """
    problems = []
    for name, digest in read_digests(folder).items():
        path = folder / name
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{name} is missing")
        elif sha256(path) != digest:
            problems.append(f"{name} has other bytes")
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise DatasetError(
            f"{folder} is not what was packed: {'; '.join(problems[:5])}{more}. Get it anew; or, "
            f"if it was changed on purpose, delete {FILE} and register it as a new version."
        )
