"""Recurrent language models, their training, and a language of recurrent cells."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_recurrent.compiled import compile_cell
    from corteval_recurrent.known_cells import CELLS
    from corteval_recurrent.learning import train
    from corteval_recurrent.parsing import parse
    from corteval_recurrent.search import candidates
    from corteval_recurrent.training import Plan

__version__ = "0.1.0"

__all__ = ["train", "Plan", "parse", "compile_cell", "candidates", "CELLS"]

#: Imported on use: `corteval list` loads this package and needs none of it.
_MODULES = {
    "train": "learning",
    "Plan": "training",
    "parse": "parsing",
    "compile_cell": "compiled",
    "candidates": "search",
    "CELLS": "known_cells",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
