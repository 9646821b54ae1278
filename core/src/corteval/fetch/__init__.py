"""Verified downloads: a file is had with exactly the promised bytes, or not at all."""

from corteval.fetch.archive import ArchiveLimits, fetch_archive, unpack
from corteval.fetch.download import fetch, fetch_all, is_cached, local_path
from corteval.fetch.provided import provided

__all__ = [
    "fetch",
    "fetch_all",
    "fetch_archive",
    "is_cached",
    "local_path",
    "provided",
    "unpack",
    "ArchiveLimits",
]
