"""The bytes of one source into a part file: counted, hashed and, over the network, resumed."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import responses
from pathlib import Path
from time import sleep
from typing import BinaryIO
from urllib.parse import urljoin

import requests
import urllib3

from corteval.cards import Resource

#: Times a broken connection or a busy server is tried again.
RETRIES = 3
#: Seconds before the first of them; each further one waits twice as long.
BACKOFF = 1.0
#: Seconds to wait at most, whatever a server asks for.
LONGEST_WAIT = 60.0
#: Seconds to connect, and seconds without a byte.
TIMEOUT = (10.0, 60.0)
REDIRECTS = 10
CHUNK = 1 << 16
_HEADERS = {"User-Agent": "corteval", "Accept-Encoding": "identity"}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Report = Callable[[int], None]


class SourceFailed(Exception):
    """A source that does not have the file; ``str(failure)`` is the reason, free of addresses."""

    retries = 0

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Interrupted(SourceFailed):
    """A source that may do better soon; what has arrived stays."""

    retries = RETRIES


class WrongBytes(SourceFailed):
    """Bytes that cannot become the file; they are dropped."""

    retries = 1


def copy(source: Path, part: Path, resource: Resource, report: Report) -> None:
    """Leave the verified bytes of a file in `part`."""
    try:
        if not source.is_file():
            raise SourceFailed("there is no such file")
        size = source.stat().st_size
    except OSError as error:
        raise SourceFailed(error.strerror or "it cannot be read") from error
    if resource.size not in {size, None}:
        raise SourceFailed(f"it has {size} bytes instead of {resource.size}")
    try:
        with part.open("wb") as file:
            digest = hashlib.new(resource.algorithm)
            have = _store(_pieces(source), file, digest, 0, resource, report)
            _finish(file, digest, have, resource)
    except SourceFailed:
        part.unlink()
        raise


def download(url: str, part: Path, resource: Resource, report: Report) -> None:
    """Leave the verified bytes behind `url` in `part`, going on from what it already holds."""
    failures: Counter[type[SourceFailed]] = Counter()
    with requests.Session() as session:
        while True:
            try:
                return _attempt(session, url, part, resource, report)
            except SourceFailed as error:
                failure = error
            if failure.retries and _is_web_page(part, resource):
                failure = WrongBytes("the server sent an HTML page instead of the file")
            if isinstance(failure, WrongBytes):
                part.unlink(missing_ok=True)
            failures[type(failure)] += 1
            if failures[type(failure)] > failure.retries:
                tries = failures.total()
                raise type(failure)(f"{failure} ({tries} tries)" if tries > 1 else str(failure))
            backoff = BACKOFF * 2 ** (failures.total() - 1)
            sleep(min(max(backoff, failure.wait), LONGEST_WAIT))


def _attempt(
    session: requests.Session, url: str, part: Path, resource: Resource, report: Report
) -> None:
    """One request for what `part` lacks, if it lacks anything."""
    with part.open("a+b") as file:
        file.seek(0)
        digest = hashlib.file_digest(file, resource.algorithm)
        have = file.tell()
        if resource.size is not None and have > resource.size:
            raise WrongBytes("what an earlier run left is longer than the file")
        if have != resource.size and digest.hexdigest() != resource.digest:
            with _answer(session, url, have) as response:
                if not _resumes(response, have, resource.size):
                    have, digest = file.truncate(0), hashlib.new(resource.algorithm)
                missing = None if resource.size is None else resource.size - have
                have = _store(_body(response, missing), file, digest, have, resource, report)
        _finish(file, digest, have, resource)


def _store(
    chunks: Iterator[bytes],
    file: BinaryIO,
    digest: hashlib._Hash,
    have: int,
    resource: Resource,
    report: Report,
) -> int:
    """Append `chunks` to a file that has `have` bytes; how many it has then."""
    for chunk in chunks:
        file.write(chunk)
        digest.update(chunk)
        have += len(chunk)
        if resource.size is not None and have > resource.size:
            raise WrongBytes(f"more than the promised {resource.size} bytes arrived")
        report(have)
    return have


def _finish(file: BinaryIO, digest: hashlib._Hash, have: int, resource: Resource) -> None:
    """Put verified bytes on the disk for good."""
    if resource.size is not None and have < resource.size:
        raise Interrupted(f"it ended after {have} of {resource.size} bytes")
    found, name = digest.hexdigest(), resource.algorithm
    if found != resource.digest:
        raise WrongBytes(f"the bytes have {name} {found}, not {resource.digest}")
    file.flush()
    os.fsync(file.fileno())


def _pieces(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise SourceFailed(error.strerror or "it cannot be read") from error


def _answer(session: requests.Session, url: str, have: int) -> requests.Response:
    """Answer to a request for all bytes after `have`, after redirects."""
    headers = _HEADERS | ({"Range": f"bytes={have}-"} if have else {})
    for _ in range(REDIRECTS + 1):
        response = _get(session, url, headers)
        target = session.get_redirect_target(response)
        if target is None:
            return response
        response.close()
        url = _redirected(url, target)
    raise SourceFailed(f"it redirects more than {REDIRECTS} times")


def _get(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    try:
        return session.get(
            url, headers=headers, stream=True, timeout=TIMEOUT, allow_redirects=False
        )
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
        raise Interrupted(_cause(error)) from None
    except (requests.RequestException, ValueError) as error:
        raise SourceFailed(f"it cannot be asked ({type(error).__name__})") from None


def _redirected(url: str, target: str) -> str:
    try:
        new = urljoin(url, target)
    except ValueError:
        raise SourceFailed("it redirects to something that is no address") from None
    allowed = ("https://",) if url.startswith("https://") else ("https://", "http://")
    if not new.lower().startswith(allowed):
        schemes = [address.partition(":")[0][:20] for address in (url, new)]
        raise SourceFailed(f"it redirects from {schemes[0]} to {schemes[1]!a}, which is refused")
    return new


def _resumes(response: requests.Response, have: int, size: int | None) -> bool:
    """Whether the body goes on after `have` bytes; else it begins at the first."""
    status = response.status_code
    if status == 200:
        return False
    if status == 206:
        match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if match and int(match[1]) == have and (size is None or match[2] in {str(size), "*"}):
            return True
    if status in {206, 416}:
        of = "" if size is None else f" of {size}"
        raise WrongBytes(f"asked to go on after {have} bytes{of}, it answered otherwise")
    reason = f"it answered {status} ({responses.get(status, 'unknown status')})"
    if status in {408, 429} or status >= 500:
        raise Interrupted(reason, wait=_retry_after(response.headers.get("Retry-After", "")))
    raise SourceFailed(reason)


def _retry_after(text: str) -> float:
    """Seconds that a Retry-After header asks for; 0 if it cannot be understood."""
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return 0.0
    return (moment - datetime.now(UTC)).total_seconds()


def _body(response: requests.Response, missing: int | None) -> Iterator[bytes]:
    """The body as it is sent: a .gz labelled as encoding must not be decoded."""
    announced = response.raw.length_remaining or 0
    arrived = 0
    try:
        for chunk in response.raw.stream(CHUNK, decode_content=False):
            yield chunk  # also of a body of the wrong length: its start may tell what it is
            arrived += len(chunk)
            if missing is not None and announced > missing:
                raise WrongBytes(f"the server announces {announced} bytes instead of {missing}")
        if missing is None and arrived < announced:  # older versions of urllib3 do not tell
            raise Interrupted(f"it ended after {arrived} of {announced} bytes")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Interrupted(_cause(error)) from None


def _cause(error: BaseException) -> str:
    """What the operating system said, else the kind of error; never an address."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "it did not answer in time"
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.strerror:
            return link.strerror
        link = link.__cause__ or link.__context__
    return f"the connection broke ({type(error).__name__})"


def _is_web_page(part: Path, resource: Resource) -> bool:
    if resource.filename.lower().endswith((".html", ".htm")) or not part.exists():
        return False
    with part.open("rb") as file:
        head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html"))
