"""Makes `import torchvision` possible where its compiled operators cannot be loaded.

The torchvision of PyPI for Linux is built for CUDA. Beside a PyTorch for CPUs its library of
operators does not load, and from 0.16 on `import torchvision` then ends with "operator
torchvision::nms does not exist", for it attaches shape functions to two operators, `nms` and
`qnms`, without asking whether they are there. Declaring their schemas is enough: no image model
calls them, and who does is still told by torchvision that its operators are missing.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder
from importlib.util import find_spec
from pathlib import Path

import torch

_OPERATORS = ("nms", "qnms")
_ARGUMENTS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

#: Libraries of declarations; a schema lives as long as the library that declared it.
_KEPT: list[torch.library.Library] = []


def declare_torchvision_operators() -> None:
    """Declare `torchvision::nms` and `torchvision::qnms` if nothing provides them.

    Call it before importing torchvision, or anything that does (timm). It may be called any number
    of times, and does nothing where torchvision is not installed or is imported already, where the
    operators are registered, or where torchvision's own library can be loaded: that is tried
    first, the way torchvision does it, because its operators may not be declared a second time.
    """
    if "torchvision" in sys.modules or not _missing():
        return
    folder = _torchvision_folder()
    if folder is None:
        return
    _load_own_operators(folder)
    missing = _missing()
    if missing:
        # a fragment, since other libraries may hold operators of the same namespace
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in missing:
            library.define(name + _ARGUMENTS)
        _KEPT.append(library)


def _missing() -> list[str]:
    return [name for name in _OPERATORS if not hasattr(torch.ops.torchvision, name)]


def _torchvision_folder() -> Path | None:
    spec = find_spec("torchvision")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _load_own_operators(folder: Path) -> None:
    """Register the operators of torchvision's library, if it can be loaded."""
    finder = FileFinder(str(folder), (ExtensionFileLoader, EXTENSION_SUFFIXES))
    spec = finder.find_spec("_C")
    if spec is None or spec.origin is None:
        return
    if sys.platform == "win32":
        os.add_dll_directory(str(folder))
    try:
        torch.ops.load_library(spec.origin)
    except OSError:  # built for another PyTorch, or for CUDA where there is none
        return
