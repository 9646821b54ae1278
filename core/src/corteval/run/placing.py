"""Names of models, and settings, that mean the same in every folder: paths are named in full.

A run builds models in other folders, and on other machines, than the one in which somebody typed
their names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corteval import model_options, registry, settings
from corteval.errors import OptionError

#: Option by which families take the folder of a member.
_OPTION = "folder"


def placed(model: str) -> str:
    """`model` with the whole path of the folder that it is made of, if that lies in this folder.

    ``hf/mine`` becomes ``hf/mine:folder=/home/me/mine`` where there is a folder ``mine``.

    Raises:
        OptionError: if its family does not let the folder be named.
    """
    identifier, options = model_options.parse(model)
    if _OPTION in options:
        return _rooted(identifier, options)
    here = {Path(name).resolve() for name in _within(identifier) if Path(name).exists()}
    found = [path for path in registry.own_files(identifier) if path in here] if here else []
    if not found:
        return model
    named = model_options.named(identifier, {**options, _OPTION: str(found[0])})
    try:
        registry.models.check_options(named)
    except OptionError as error:
        raise OptionError(
            f"{model} is made of {found[0]}, which is found by its name in this folder only, and "
            "its family has no option that would name it. Processes of a run work in other "
            "folders; `corteval score` in this one finds it."
        ) from error
    return named


def setting_anywhere(name: str) -> str:
    """The setting in force, with paths that are found from any folder."""
    value = settings.setting(name).value
    is_address = value.startswith(("https://", "http://", "file:"))
    if name in ("home", "mirror") and value and not is_address:
        return str(Path(value).expanduser().absolute())
    if name == "plugin_path":
        return os.pathsep.join(str(path.absolute()) for path in settings.plugin_path())
    return value


def environment_anywhere() -> dict[str, str]:
    """The settings in force as environment variables, for processes in any folder."""
    found = {settings.KNOWN[name][0]: setting_anywhere(name) for name in settings.KNOWN}
    return {variable: value for variable, value in found.items() if value}


def _rooted(identifier: str, options: dict[str, Any]) -> str:
    """The name with the path of its folder, as it is found from here."""
    text = options[_OPTION]
    if isinstance(text, str) and Path(text).expanduser().exists():
        options = {**options, _OPTION: str(Path(text).expanduser().resolve())}
    return model_options.named(identifier, options)


def _within(identifier: str) -> Iterator[str]:
    """Parts of a member's name that may be a path: families put words before and after it."""
    member = identifier.partition("@")[0].partition("/")[2]
    begins = [0, *(n + 1 for n, letter in enumerate(member) if letter == "/")]
    ends = [*(n for n, letter in enumerate(member) if letter == "-"), len(member)]
    for begin in begins if member else ():
        yield from (member[begin:end] for end in ends if end > begin)
