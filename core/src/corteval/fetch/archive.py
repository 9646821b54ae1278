"""Unpacking archives of strangers: plain files and folders below one folder, all or none."""

from __future__ import annotations

import importlib
import json
import logging
import re
import shutil
import stat
import tarfile
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar, cast

from corteval import settings
from corteval.cards import Resource
from corteval.errors import ArchiveError
from corteval.fetch.download import fetch, sync_folder, writing

log = logging.getLogger(__name__)
T = TypeVar("T")

_CHUNK = 1 << 16
#: Bytes a tar may hold between the contents of two members: headers, padding, its end.
_BETWEEN = 1 << 20
_NAME_BYTES = 255
_PATH_BYTES = 4096
_BOMB = "as a bomb would (if it is none, allow more by ArchiveLimits)"
_DRIVE = re.compile(r"[A-Za-z]:")
_READERS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ": "lzma"}
_ZIP_KINDS = {stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a pipe"}
_TAR_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
}
_OTHER_KIND = "neither a plain file nor a folder"


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """What an archive may grow to; counted while unpacking, whatever its headers say.

    Args:
        max_ratio: bytes unpacked per byte of the archive.
        ratio_floor: bytes up to which any ratio is fine.
    """

    max_entries: int = 200_000
    max_bytes: int = 50 * 2**30
    max_ratio: float = 1000.0
    ratio_floor: int = 64 * 2**20


LIMITS = ArchiveLimits()


@dataclass(frozen=True, kw_only=True)
class _Member:
    """An entry as the archive has it; `chunks` are to be read before the next entry is taken."""

    name: str
    is_folder: bool
    size: int
    problem: str
    chunks: Iterator[bytes]


def fetch_archive(resource: Resource, limits: ArchiveLimits = LIMITS) -> Path:
    """Folder with the unpacked archive; unpacked again if a file of it is missing or cut short.

    Raises:
        FetchError: the archive cannot be had.
        ArchiveError: it was refused, and nothing was unpacked.
    """
    digest = resource.digest
    folder = settings.home() / "archives" / digest[:2] / digest
    if _is_complete(folder):
        return folder
    path = fetch(resource)
    with writing(folder):
        if not _is_complete(folder):
            if folder.exists():
                log.warning("%s is no longer complete; it is unpacked again.", folder)
            _manifest(folder).write_text(json.dumps(_unpack(path, folder, limits)), "utf-8")
    return folder


def unpack(path: Path, folder: Path, limits: ArchiveLimits = LIMITS) -> Path:
    """Unpack a zip or a tar (plain, gzip, bzip2, xz) into `folder`, which must be new or empty.

    Raises:
        ArchiveError: names the archive, the member and the reason; nothing was unpacked.
    """
    folder = folder.absolute()
    with writing(folder):
        if folder.exists() and any(folder.iterdir()):
            raise ArchiveError(f"{folder} is not empty; {path} is unpacked into a new folder only.")
        _unpack(path, folder, limits)
    return folder


def _manifest(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _is_complete(folder: Path) -> bool:
    try:
        sizes: dict[str, int] = json.loads(_manifest(folder).read_text("utf-8"))
        return folder.is_dir() and all(
            (folder / name).stat().st_size == size for name, size in sizes.items()
        )
    except (OSError, ValueError):  # a manifest cut short is no JSON
        return False


def _unpack(path: Path, folder: Path, limits: ArchiveLimits) -> dict[str, int]:
    """Replace `folder` by the contents of the archive; names and sizes of its files."""
    if not path.is_file():
        raise ArchiveError(f"{path} is not a file, so it cannot be unpacked; check the path.")
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)  # left by a process that was killed
    try:
        temporary.mkdir()
        sizes = _write(path, temporary, limits)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(folder.parent)
    return sizes


def _write(path: Path, folder: Path, limits: ArchiveLimits) -> dict[str, int]:
    largest = max(limits.max_ratio * path.stat().st_size, limits.ratio_floor)
    most = int(min(limits.max_bytes, largest))
    taken: dict[str, tuple[str, bool]] = {}
    sizes: dict[str, int] = {}
    used = 0
    for count, member in enumerate(_readable(path, _members(path)), start=1):
        name = "/".join(part for part in member.name.split("/") if part not in {"", "."})
        problem = member.problem or _problem_of_name(member.name) or _clash(name, member, taken)
        if max(count, len(taken)) > limits.max_entries:  # folders that no entry names count too
            problem = f"takes it beyond {limits.max_entries} files and folders, {_BOMB}"
        if problem:
            raise _refused(path, member, problem)
        target = folder / name
        (target if member.is_folder else target.parent).mkdir(parents=True, exist_ok=True)
        if not member.is_folder:
            sizes[name] = _write_file(path, member, target, used, most)
            used += sizes[name]
    return sizes


def _write_file(path: Path, member: _Member, target: Path, used: int, most: int) -> int:
    """Write a member's content after `used` of the `most` bytes there may be; its size."""
    size = 0
    with target.open("xb") as file:
        for chunk in _readable(path, member.chunks):
            size += len(chunk)
            if used + size > most:
                raise _refused(path, member, f"takes it beyond {most} bytes, {_BOMB}")
            file.write(chunk)
    if size != member.size:
        raise _refused(path, member, f"has {size} bytes where its header says {member.size}")
    return size


def _refused(path: Path, member: _Member, problem: str) -> ArchiveError:
    name = ascii(member.name if len(member.name) <= 100 else member.name[:97] + "...")
    return ArchiveError(
        f"{path} is refused: member {name} {problem}. Nothing was unpacked; tell its publisher."
    )


def _readable(path: Path, items: Iterator[T]) -> Iterator[T]:
    """`items`, with all that the standard library raises for a damaged archive as one error."""
    try:
        yield from items
    except Exception as error:  # it has no common base: zlib, struct, OSError, RecursionError, ...
        raise ArchiveError(
            f"{path} is damaged, or neither zip nor tar: {ascii(str(error))[1:-1]}. "
            "Nothing was unpacked; get it anew or tell its publisher."
        ) from error


def _problem_of_name(name: str) -> str:
    parts = name.split("/")
    try:
        lengths = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return "has a name that is not UTF-8"
    problems = {
        "has a NUL in its name": "\0" in name,
        "has a backslash in its name": "\\" in name,
        "has an absolute path": name.startswith("/"),
        "leaves its folder with '..'": ".." in parts,
        "names a drive": any(_DRIVE.match(part) for part in parts),
        f"has a name of more than {_NAME_BYTES} bytes": max(lengths) > _NAME_BYTES,
        f"has a path of more than {_PATH_BYTES} bytes": sum(lengths) + len(parts) > _PATH_BYTES,
    }
    return next((problem for problem, found in problems.items() if found), "")


def _clash(name: str, member: _Member, taken: dict[str, tuple[str, bool]]) -> str:
    """Enter `name` and the folders above it in `taken`, or say what is there already."""
    if not name:
        return "" if member.is_folder else "has no name"
    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        part = "/".join(parts[:depth])
        is_folder = member.is_folder or depth < len(parts)
        key = unicodedata.normalize("NFD", unicodedata.normalize("NFD", part).casefold())
        if key not in taken:
            taken[key] = part, is_folder
        elif taken[key][0] != part:
            return f"differs from {taken[key][0]!a} in case or Unicode form only"
        elif not (is_folder and taken[key][1]):
            return "has a name that another member has"
    return ""


def _members(path: Path) -> Iterator[_Member]:
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"PK"):
        yield from _zip_members(path)
    else:
        module = next((_READERS[magic] for magic in _READERS if start.startswith(magic)), "io")
        with importlib.import_module(module).open(path, "rb") as stream:
            yield from _tar_members(_Rationed(stream))


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            yield _Member(
                name=info.orig_filename,  # `filename` stops at a NUL
                is_folder=info.orig_filename.endswith("/"),
                size=info.file_size,
                problem=_problem_of_zip(info),
                chunks=_zip_chunks(archive, info),
            )


def _problem_of_zip(info: zipfile.ZipInfo) -> str:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return f"is {_ZIP_KINDS.get(mode, _OTHER_KIND)}"
    if info.flag_bits & 1:
        return "is encrypted"
    # `zipfile` decompresses all it has read at once by other methods: a few kB become gigabytes.
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "is compressed by another method than deflate"
    return ""


def _zip_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as source:
        while chunk := source.read(_CHUNK):
            yield chunk


def _tar_members(rationed: _Rationed) -> Iterator[_Member]:
    stream = cast("IO[bytes]", rationed)
    archive = tarfile.TarFile(fileobj=stream, encoding="utf-8", errors="surrogateescape")
    while info := archive.next():
        plain = info.isdir() or (info.isreg() and not info.issparse())
        yield _Member(
            name=info.name,
            is_folder=info.isdir(),
            size=info.size,
            problem="" if plain else f"is {_TAR_KINDS.get(info.type, _OTHER_KIND)}",
            chunks=_tar_chunks(archive, info, rationed),
        )
        rationed.left = _BETWEEN
    if rationed.latest.strip(b"\0") or len(rationed.latest) != tarfile.BLOCKSIZE:
        raise tarfile.ReadError("a header is broken or the end is missing")
    while rationed.read(_CHUNK):  # up to the checksum of a compressed tar
        pass


def _tar_chunks(
    archive: tarfile.TarFile, info: tarfile.TarInfo, rationed: _Rationed
) -> Iterator[bytes]:
    with cast("IO[bytes]", archive.extractfile(info)) as source:
        rationed.left = _BETWEEN
        while chunk := source.read(_CHUNK):
            yield chunk
            rationed.left = _BETWEEN


class _Rationed:
    """A stream read forward, at most `left` bytes before it is told that more is wanted.

    `tarfile` reads a header of any length into memory, follows sizes backwards, and takes a
    broken header for the end; `latest` tells what it saw last.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.left = _BETWEEN
        self.latest = b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise tarfile.ReadError("its headers, or what follows its end, are too long")
        self.left -= size
        self.latest = self._stream.read(size)
        return self.latest

    def seek(self, position: int) -> int:
        if position < self._stream.tell():
            raise tarfile.ReadError("a header points backwards")
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()
