"""Settings and where each comes from: flag > environment > project file > user file > default.

The project file is the nearest ``corteval.toml`` in the working folder or above it; the user file
is ``corteval/config.toml`` in the user's configuration folder. Neither is needed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from corteval.errors import ConfigurationError


@dataclass(frozen=True)
class Setting:
    """A value and its origin, as ``corteval doctor`` prints them."""

    name: str
    value: str
    origin: str


#: name -> (environment variable, may a project file set it?, what it does)
KNOWN = {
    "home": ("CORTEVAL_HOME", True, "folder for downloads and results"),
    "mirror": ("CORTEVAL_MIRROR", True, "folder or address that holds files by host and path"),
    "offline": ("CORTEVAL_OFFLINE", True, "1 forbids every network connection"),
    "store_limit": ("CORTEVAL_STORE_LIMIT", True, "size the store is kept below; 0: no limit"),
    "store_verify": ("CORTEVAL_STORE_VERIFY", True, "full, size or off: checks before first use"),
    # Code is imported from here, so the folder one happens to stand in has no say.
    "plugin_path": ("CORTEVAL_PLUGIN_PATH", False, "folders with one-file plugins"),
}

_flags: dict[str, str] = {}


def set_flag(name: str, value: str) -> None:
    """Record a command-line flag for the rest of the process."""
    _flags[name] = value


def setting(name: str) -> Setting:
    """The setting in force, by the order of precedence of the module."""
    variable, in_project, _ = KNOWN[name]
    if name in _flags:
        return Setting(name, _flags[name], "flag")
    if os.environ.get(variable):
        return Setting(name, os.environ[variable], f"environment variable {variable}")
    for path in ([_project_file()] if in_project else []) + [_user_file()]:
        content = _read(path)
        if name in content:
            return Setting(name, _as_text(name, content[name], path), str(path))
    return Setting(name, _default(name), "default")


def as_environment() -> dict[str, str]:
    """The settings in force as environment variables: for processes that are to have the same."""
    found = {KNOWN[name][0]: setting(name).value for name in KNOWN}
    return {variable: value for variable, value in found.items() if value}


def home() -> Path:
    """Folder for everything Corteval keeps on disk; it need not exist yet."""
    return Path(setting("home").value).expanduser().absolute()


def offline() -> bool:
    """Whether the network is forbidden."""
    text = setting("offline").value.strip().lower()
    if text in {"", "0", "false", "no", "off"}:
        return False
    if text in {"1", "true", "yes", "on"}:
        return True
    raise ConfigurationError(
        f"offline = {text!r} ({setting('offline').origin}) is neither yes nor no; use 1 or 0."
    )


def store_limit() -> int | None:
    """Bytes the store may hold; None if there is no limit."""
    found = setting("store_limit")
    try:
        return parse_size(found.value) or None
    except ConfigurationError as error:
        raise ConfigurationError(f"store_limit ({found.origin}): {error}") from None


def store_verify() -> Literal["full", "size", "off"]:
    """How closely blocks of the store are looked at when a process first uses them."""
    found = setting("store_verify")
    match found.value.strip().lower():
        case "full" | "size" | "off" as policy:
            return policy
    raise ConfigurationError(
        f"store_verify = {found.value!r} ({found.origin}) should be full, size or off."
    )


def parse_size(text: str) -> int:
    """Bytes that a text such as ``"20GB"`` means; KiB, MiB, ... are powers of 1024.

    >>> parse_size("1.5 GB"), parse_size("4KiB"), parse_size("0")
    (1500000000, 4096, 0)
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?) ?(?:([kmgt]?)(i?)b)?", text.strip().lower())
    if match is None or (match[3] and not match[2]):
        raise ConfigurationError(f"{text!r} is no size; write e.g. 20GB, 512MiB or 0.")
    number, power = match[1], " kmgt".index(match[2] or " ")
    return int(float(number) * (1024 if match[3] else 1000) ** power)


def plugin_path() -> list[Path]:
    """Folders with one-file plugins, in order."""
    return [Path(p).expanduser() for p in setting("plugin_path").value.split(os.pathsep) if p]


def _default(name: str) -> str:
    if name == "home":
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return str(Path(cache) / "corteval")
    return {"store_limit": "50GB", "store_verify": "full"}.get(name, "")


def _project_file() -> Path | None:
    folder = Path.cwd()
    candidates = (parent / "corteval.toml" for parent in (folder, *folder.parents))
    return next((path for path in candidates if path.is_file()), None)


def _user_file() -> Path | None:
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    path = Path(config) / "corteval" / "config.toml"
    return path if path.is_file() else None


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    import tomllib  # only when there is a file: listing must stay quick

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    unknown = sorted(set(content) - set(KNOWN))
    if unknown:
        raise ConfigurationError(
            f"{path} sets {', '.join(unknown)}; known settings are {', '.join(KNOWN)}."
        )
    return content


def _as_text(name: str, value: Any, path: Path | None) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and name == "plugin_path":
        return os.pathsep.join(str(item) for item in value)
    raise ConfigurationError(f"{path}: {name} = {value!r} should be text.")
