"""Recorded decisions and responses, of people or of published models, as subjects."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_recorded.options import Options
    from corteval_recorded.replay import RecordedSubject, subject

__version__ = "0.1.0"

__all__ = ["subject", "RecordedSubject", "Options"]

#: Imported on use: `corteval list` and `corteval --help` load this package and need none of it.
_MODULES = {"subject": "replay", "RecordedSubject": "replay", "Options": "options"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
