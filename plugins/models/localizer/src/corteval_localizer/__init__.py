"""Functional localizers: units of a subject that prefer one condition to another."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_localizer.localization import Localization, localize, random_control
    from corteval_localizer.localizer import PRESETS, Localizer, Selection
    from corteval_localizer.units import localized
    from corteval_localizer.validation import Effect, Validation, validate

__version__ = "0.1.0"

__all__ = [
    "localize",
    "localized",
    "validate",
    "random_control",
    "Localizer",
    "Selection",
    "PRESETS",
    "Localization",
    "Validation",
    "Effect",
]

#: Imported on use: `corteval list` loads this package and needs none of it.
_MODULES = {
    "localize": "localization",
    "random_control": "localization",
    "Localization": "localization",
    "localized": "units",
    "validate": "validation",
    "Validation": "validation",
    "Effect": "validation",
    "Localizer": "localizer",
    "Selection": "localizer",
    "PRESETS": "localizer",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
