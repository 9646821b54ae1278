"""Verified downloads: a file is had with exactly the promised bytes, or not at all."""

from corteval.fetch.archive import ArchiveLimits, fetch_archive, unpack
from corteval.fetch.download import fetch, is_cached, local_path

__all__ = ["fetch", "fetch_archive", "is_cached", "local_path", "unpack", "ArchiveLimits"]
