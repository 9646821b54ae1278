"""Where files lie, which sources are asked for them, and what to tell when none has them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from time import monotonic
from urllib.parse import quote, unquote, urlsplit

from corteval import settings
from corteval.cards import Resource, human_size
from corteval.errors import FetchError, WrongContent
from corteval.hooks import FetchFinished, FetchRequested, Progress, notify, provide

log = logging.getLogger(__name__)

#: Seconds between two reports of progress.
REPORT_EVERY = 0.1
#: Files of one set that are asked for side by side.
AT_A_TIME = 8
_UNSAFE = re.compile(r"[^A-Za-z0-9._+=@-]+")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def local_path(resource: Resource) -> Path:
    """Where the file lies once it is fetched."""
    digest = resource.digest
    return settings.home() / "downloads" / digest[:2] / digest / _filename(resource)


def is_cached(resource: Resource) -> bool:
    """Whether a file of the right size lies there; its bytes are not looked at."""
    return _has_size(local_path(resource), resource)


def fetch(resource: Resource) -> Path:
    """Path of the file, its bytes verified; a file that changed on the disk is fetched again.

    Raises:
        FetchError: says which sources were tried, why each failed, and what to do.
    """
    return _fetch(resource)


def fetch_all(resources: Sequence[Resource]) -> list[Path]:
    """Paths of several files, in order; a few are asked for at a time.

    Raises:
        FetchError: of the first one that could not be had; what has arrived stays.
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    if len(resources) < 2:
        return [fetch(resource) for resource in resources]
    task, total, stop = f"fetch {len(resources)} files", len(resources), Event()
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="corteval-fetch") as pool:
        jobs = [pool.submit(_fetch, resource, stop) for resource in resources]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                notify(Progress(task, done, total, "files"))
        except KeyboardInterrupt:
            stop.set()  # or it would be heard only when the files that are under way are here
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return [job.result() for job in jobs]


class _Stopped(Exception):
    """A file of a set is not wanted any more; its beginning stays."""


def _fetch(resource: Resource, stop: Event | None = None) -> Path:
    """`fetch`; with `stop` as one file of a set, which has reports of its own."""
    path = local_path(resource)
    if _is_intact(path, resource):  # without the lock, so that a cache may be read-only
        return path
    with writing(path):
        if os.path.lexists(path):
            if _is_intact(path, resource):
                return path
            _set_aside(path)
        origin = _obtain(resource, path, stop)
    notify(FetchFinished(resource, path, origin))
    return path


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Lock `path` against other processes, which wait, and explain what the disk refuses."""
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            log.info("Another process is writing %s; waiting for it.", path)
            held = lock.acquire()
        with held:
            yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            problem = "there is no space left on the disk. Free some, or set CORTEVAL_HOME to"
        else:
            problem = f"{error.strerror or error}. Check its permissions, or set CORTEVAL_HOME to"
        raise FetchError(
            f"{path.name} cannot be written to {path.parent}: {problem} another folder."
        ) from error


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` outlast a power cut."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _filename(resource: Resource) -> str:
    name = _UNSAFE.sub("_", unquote(resource.filename.partition("#")[0])).strip(".")
    name = f"_{name}" if _DEVICE.fullmatch(name) else name
    return name[-100:].lstrip(".") or "file"  # a leading dot is kept for part and lock


def _has_size(path: Path, resource: Resource) -> bool:
    try:
        return path.is_file() and resource.size in {path.stat().st_size, None}
    except OSError:
        return False


def _is_intact(path: Path, resource: Resource) -> bool:
    if not _has_size(path, resource):
        return False
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, resource.algorithm).hexdigest() == resource.digest
    except OSError:
        return False


def _set_aside(path: Path) -> None:
    aside = path.with_name(f"{path.name}.corrupt")
    path.replace(aside)
    log.warning("%s no longer has the bytes it should have; it is now %s.", path, aside)


def _obtain(resource: Resource, path: Path, stop: Event | None) -> str:
    """Put the file at `path` from the first source that has it; that source."""
    from corteval.fetch.transfer import SourceFailed, WrongBytes, copy, download

    task = f"download {path.name}"
    part = path.with_name(f".{path.name}.part")
    failures, wrong = [], False
    for source, place in _sources(resource):
        report = _reporter(task, resource.size) if stop is None else _stopped_by(stop)
        try:
            if isinstance(place, Path):
                copy(place, part, resource, report)
            else:
                download(place, part, resource, report)
        except SourceFailed as failure:
            failures.append(f"{source}: {failure}")
            wrong |= isinstance(failure, WrongBytes)
            # of many files nobody wants to read this of each: the error tells it of one
            level = logging.WARNING if stop is None else logging.INFO
            log.log(level, "Could not get %s from %s", path.name, failures[-1])
            continue
        part.replace(path)
        sync_folder(path.parent)
        size = path.stat().st_size
        if stop is None:
            notify(Progress(task, size, size, "bytes"))
        return source
    # Outside of `except`: the errors of requests hold addresses with their queries.
    raise (WrongContent if wrong else FetchError)(_advice(resource, path, failures))


def _stopped_by(stop: Event) -> Callable[[int], None]:
    def report(completed: int) -> None:
        if stop.is_set():
            raise _Stopped

    return report


def _reporter(task: str, total: int | None) -> Callable[[int], None]:
    last = monotonic()

    def report(completed: int) -> None:
        nonlocal last
        if monotonic() - last >= REPORT_EVERY:
            last = monotonic()
            notify(Progress(task, completed, total, "bytes"))

    return report


def _sources(resource: Resource) -> Iterator[tuple[str, Path | str]]:
    """Names of the sources to ask, in order, and the path or address of the file in each."""
    provided = provide(FetchRequested(resource))
    if isinstance(provided, str | os.PathLike):
        yield f"hook {provided}", Path(provided)
    elif provided is not None:
        raise FetchError(f"A corteval_fetch hook returned {provided!r}; it should be a path.")
    yield from _mirrored(resource)
    if not settings.offline():
        yield _shown(resource.url), resource.url


def _mirrored(resource: Resource) -> Iterator[tuple[str, Path | str]]:
    mirror = settings.setting("mirror").value
    names = _names_in_mirror(resource.url)
    if mirror.startswith(("https://", "http://")):
        base, mark, query = mirror.partition("?")
        name = quote(names[0], safe="/:", errors="surrogateescape")
        address = f"{base.rstrip('/')}/{name}{mark}{query}"
        if not settings.offline():
            yield f"mirror {_shown(address).partition('%3F')[0]}", address
    elif mirror:
        files = [_folder(mirror) / name for name in names]
        file = next((file for file in files if file.is_file()), files[0])
        yield f"mirror {str(file).partition('?')[0]}", file


def _folder(mirror: str) -> Path:
    if not mirror.startswith("file:"):
        return Path(mirror).expanduser()
    from urllib.request import url2pathname

    return Path(url2pathname(urlsplit(mirror).path))


def _names_in_mirror(url: str) -> list[str]:
    """``host/path?query`` as ``wget -x`` names it, which decodes %-signs, and undecoded."""
    address, mark, query = url.partition("#")[0].partition("?")
    scheme, _, rest = _shown(address).partition("://")
    host, _, path = rest.partition("/")
    host = host.lower().removesuffix(":443" if scheme == "https" else ":80")
    parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
    raw = "/".join([host, *parts]) + mark + query.replace("/", "%2F")
    decoded = "/".join(_decoded(part) for part in raw.split("/"))
    return list(dict.fromkeys([decoded, raw]))


def _decoded(part: str) -> str:
    text = unquote(part, errors="surrogateescape")
    if text in {".", ".."}:
        return part
    return re.sub(r"[/\x00-\x1f\x7f]", lambda match: f"%{ord(match[0]):02X}", text)


def _shown(url: str) -> str:
    """`url` without what may be secret: user, password, query and fragment."""
    scheme, mark, rest = re.split(r"[?#]", url, maxsplit=1)[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _advice(resource: Resource, path: Path, failures: list[str]) -> str:
    offline = settings.setting("offline")
    if settings.offline():
        failures = [*failures, f"the network: not used, for offline is set ({offline.origin})"]
    name, mark, _ = _names_in_mirror(resource.url)[0].partition("?")
    query = " (its name goes on with '?' and the query of the address)" if mark else ""
    connect = "connect to the network"
    if offline.origin == "flag":
        connect += ", leave out `--offline`"
    elif settings.offline():
        connect += f", switch offline off ({offline.origin})"
    return "\n".join(
        [
            f"{path.name} ({human_size(resource.size)}, licence {resource.licence}) "
            "was not fetched.",
            *([resource.hint] if resource.hint else []),
            "Tried:",
            *(f"  - {failure}" for failure in failures),
            "To have it, do one of these:",
            f"  (1) {connect} and run the command again",
            f"  (2) download {_shown(resource.url)} elsewhere and put it at",
            f"      {path}",
            f"  (3) set CORTEVAL_MIRROR to a folder that holds {name}{query}",
        ]
    )
