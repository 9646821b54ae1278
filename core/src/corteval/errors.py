"""Errors that carry a message for a person: what was wrong, the value, and the next step."""

from __future__ import annotations


class CortevalError(Exception):
    """Base of every error Corteval raises on purpose; ``str(error)`` is the whole message."""


class InvalidIdentifier(CortevalError):
    """An identifier that no plugin may have and no look-up accepts."""


class UnknownIdentifier(CortevalError):
    """A well-formed identifier that no installed plugin provides."""


class DuplicateIdentifier(CortevalError):
    """An identifier that several distributions provide, asked for without ``@distribution``."""


class PluginError(CortevalError):
    """A plugin that is installed but cannot be used; the cause is chained."""


class OptionError(CortevalError):
    """An option that a factory, a metric or a command does not take, or a value it refuses."""


class StimuliError(CortevalError):
    """A stimulus set that breaks its contract, or a stimulus that cannot be read."""


class AssemblyError(CortevalError):
    """An assembly that breaks its contract, or two that cannot be aligned without loss."""


class DatasetError(CortevalError):
    """A folder that is no usable data set; names file, row and next step."""


class NotInData(CortevalError):
    """A part that a data set does not have, or that only its user can provide."""


class UnsupportedRequest(CortevalError):
    """A request that a subject cannot answer."""


class UndefinedScore(CortevalError):
    """A comparison that has no value for a reason worth telling; never a silent NaN or 0."""


class ScoreFormatError(CortevalError):
    """Text that is not the JSON of a score."""


class FetchError(CortevalError):
    """A file that could not be had."""


class WrongContent(FetchError):
    """A file that can be had, but whose bytes are not the promised ones."""


class ArchiveError(FetchError):
    """An archive that is damaged or tries something an archive must not."""


class StoreError(CortevalError):
    """The store of artifacts cannot be used, or was asked for what it does not hold."""


class StorageFull(StoreError):
    """No room on the disk, in the quota or in a file for what was to be stored."""


class ConfigurationError(CortevalError):
    """A setting that cannot be understood."""
