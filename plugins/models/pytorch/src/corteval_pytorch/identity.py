"""What determines a network's responses, as JSON: its weights, its settings, and its source code.

Two networks of one fingerprint give the same responses, up to rounding. Weights and buffers enter
by their bytes, modules by class and plain attributes, and all code of the plugin that defines a
class by the bytes of its files, so that an edited plugin is another model.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import inspect
import itertools
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

#: Raised when this package computes other responses from the same network.
ENGINE = 1

#: Packages whose classes are identified by version, since their files are many.
_BY_VERSION = frozenset({"torch", "numpy", "builtins"})

#: Attributes every module has, which say nothing about its responses, or are hashed elsewhere.
_COMMON = frozenset(vars(nn.Module())) | {"training", "inplace"}

_DEPTH = 6
_MOST_FILES = 100


def weights_digest(network: nn.Module) -> str:
    """SHA-256 over names, types, shapes and bytes of all parameters and buffers."""
    sha = hashlib.sha256()
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        sha.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        _update(sha, tensor)
    return sha.hexdigest()


def settings_digest(network: nn.Module) -> str:
    """SHA-256 over the classes of all submodules and their plain attributes, such as strides."""
    sha = hashlib.sha256()
    for name, module in network.named_modules():
        plain = {k: v for k, v in vars(module).items() if k not in _COMMON}
        sha.update(f"{name}|{_qualified(type(module))}|{described(plain)}\n".encode())
    return sha.hexdigest()


def source_digest(things: Iterable[Any]) -> str:
    """SHA-256 over the source code of the packages that define the classes and functions given.

    A package of up to 100 files counts whole, with every module of a plugin; of a larger one, the
    files that define something. Code without a file, as in a notebook, counts by its bytecode.
    """
    files: dict[str, str] = {}
    for thing in things:
        module = sys.modules.get(thing.__module__ or "")
        top = (thing.__module__ or "").partition(".")[0]
        if top in _BY_VERSION:
            files[top] = f"{top} {getattr(sys.modules.get(top), '__version__', '')}"
            continue
        file = getattr(module, "__file__", None)
        if file is None or not Path(file).is_file():
            files[_qualified(thing)] = _code_of(thing)
            continue
        for path in _package_files(top, Path(file)):
            files[str(path)] = ""
    sha = hashlib.sha256()
    # by content alone: where a package lies is no part of what it computes
    for content in sorted(text or _file_digest(Path(path)) for path, text in files.items()):
        sha.update(content.encode())
    return sha.hexdigest()


def definers(network: nn.Module) -> list[Any]:
    """The classes behind a network, each once."""
    return list(dict.fromkeys(type(module) for module in network.modules()))


def described(value: Any, depth: int = _DEPTH) -> Any:
    """`value` as text that is equal for equal values and free of memory addresses."""
    if isinstance(value, (str, int, float, bool, type(None), torch.dtype, torch.device, enum.Enum)):
        return repr(value)
    if isinstance(value, (Tensor, np.ndarray)):
        tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
        sha = hashlib.sha256(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        _update(sha, tensor)
        return sha.hexdigest()
    if depth == 0 or isinstance(value, nn.Module):
        return _qualified(type(value))
    inner = functools.partial(described, depth=depth - 1)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inner(k)}: {inner(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(inner, value)) + "]"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(inner, value))) + "}"
    if isinstance(value, functools.partial):
        return f"{inner(value.func)}({inner(value.args)}, {inner(value.keywords)})"
    if isinstance(value, type):
        return _qualified(value)
    if isinstance(value, types.MethodType):
        return f"{inner(value.__self__)}.{value.__name__}"
    if callable(value) and hasattr(value, "__code__"):
        closure = [cell.cell_contents for cell in value.__closure__ or ()]
        return f"{_qualified(value)}#{_code_of(value)}{inner(closure)}{inner(value.__defaults__)}"
    if is_dataclass(value):
        content = {f.name: getattr(value, f.name) for f in fields(value)}
        return f"{_qualified(type(value))}{inner(content)}"
    state = vars(value) if hasattr(value, "__dict__") else {}
    return f"{_qualified(type(value))}{inner(state)}"


def definers_of(value: Any) -> list[Any]:
    """Classes and functions whose source matters for `value`, a preprocessing or a callable."""
    if isinstance(value, functools.partial):
        return definers_of(value.func)
    if isinstance(value, (types.FunctionType, type)):
        return [value]
    found: list[Any] = [type(value)]
    for part in getattr(value, "transforms", ()):
        found += definers_of(part)
    return found


def _update(sha: Any, tensor: Tensor) -> None:
    flat = tensor.detach().cpu().contiguous()
    if flat.numel():
        sha.update(flat.view(-1).view(torch.uint8).numpy().data)


def _qualified(thing: Any) -> str:
    return f"{thing.__module__}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"


def _package_files(top: str, file: Path) -> list[Path]:
    folder = next((p for p in file.parents if p.name == top), None)
    if folder is None or top == "__main__":
        return [file]
    # a large package is not walked to its end
    found = list(itertools.islice(folder.rglob("*.py"), _MOST_FILES + 1))
    return sorted(found) if len(found) <= _MOST_FILES else [file]


@functools.lru_cache(maxsize=10_000)
def _file_digest(path: Path) -> str:
    """As it was when it was first asked for, which is when its code was loaded, or soon after."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _code_of(thing: Any) -> str:
    """Digest of the bytecode of a function, or of all functions of a class."""
    functions: list[Callable[..., Any]] = (
        [v for v in vars(thing).values() if inspect.isfunction(v)]
        if isinstance(thing, type)
        else [thing]
    )
    sha = hashlib.sha256()
    for function in functions:
        _add_code(sha, function.__code__)
    return sha.hexdigest()


def _add_code(sha: Any, code: types.CodeType) -> None:
    sha.update(code.co_code)
    sha.update(repr(code.co_names).encode())
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _add_code(sha, constant)
        else:
            sha.update(repr(constant).encode())
