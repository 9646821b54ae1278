"""Where the process of a model runs: beside the worker, in its own environment, in a sandbox.

``"process"``
    this Python. Responses are not in the model's memory, but the model runs as you.
``"venv"``
    an environment of its own below ``<home>/environments``, made of the plugin and what it
    requires, once for each state of them: for plugins whose requirements contradict others'.
``"sandbox"``
    this Python inside bubblewrap (``bwrap``): without a network, with a file system that holds
    Python, the packages, the model's own files and what it is shown, and nothing else.
``"none"``
    in the worker, with the responses.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import unquote, urlsplit

from corteval import registry, settings
from corteval import store as stores
from corteval.errors import CortevalError, OptionError
from corteval.fetch import fetch_all
from corteval.run.cells import source_digest
from corteval.store import canonical
from corteval.store.disk import locked

log = logging.getLogger(__name__)

Isolation = Literal["none", "process", "venv", "sandbox"]

_HOST = ("-m", "corteval.run.host")
#: Of the system, as far as it is there.
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives")
_ALSO = ("/etc/ssl", "/etc/passwd", "/sys/devices/system/cpu", "/opt")


def check(name: str) -> None:
    """Whether `name` is a kind of isolation that can be had here.

    Raises:
        OptionError: if not, with what to install.
    """
    if name not in get_args(Isolation):
        raise OptionError(f"isolation is one of {', '.join(get_args(Isolation))}, not {name!r}.")
    if name == "sandbox":
        _check_bubblewrap()


@cache
def _check_bubblewrap() -> None:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise OptionError(
            "The isolation 'sandbox' needs bubblewrap, whose command bwrap is not here. On Debian: "
            "apt install bubblewrap. Or use --isolate process."
        )
    trial = [bwrap, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OptionError(
            "The isolation 'sandbox' needs bubblewrap, which cannot make a sandbox here: "
            f"{done.stderr.strip()[:300]}. The kernel may forbid user namespaces, as in many "
            "containers. Use --isolate process."
        )


def command_for(isolation: str, model: str, folder: Path) -> Sequence[str]:
    """What starts the process of `model`.

    Args:
        isolation: not ``"none"``.
        model: identifier.
        folder: in which it works, and where it finds what it is shown.

    Raises:
        OptionError, CortevalError: if it cannot be started.
    """
    check(isolation)
    if isolation == "venv":
        return (str(environment_of(model)), *_HOST)
    if isolation == "sandbox":
        return (*_bubblewrap(model, folder), sys.executable, *_HOST)
    return (sys.executable, *_HOST)


def _bubblewrap(model: str, folder: Path) -> list[str]:
    """Bubblewrap and its options: what is there, read-only, and that there is no network."""
    bwrap = shutil.which("bwrap")
    assert bwrap is not None  # check says what to do
    command = [bwrap, "--unshare-all", "--die-with-parent", "--new-session"]
    command += ["--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev"]
    for path in dict.fromkeys(_visible(model)):
        command += ["--ro-bind", str(path), str(path)]
    for device in Path("/dev").glob("nvidia*"):
        command += ["--dev-bind", str(device), str(device)]
    active = stores.active()
    if active is not None:  # of the store, what models record; ceilings tell of responses
        recorded = active.folder / "activations"
        recorded.mkdir(parents=True, exist_ok=True)
        command += ["--bind", str(recorded), str(recorded)]
    command += ["--ro-bind", str(folder), str(folder), "--chdir", str(folder)]
    return [*command, "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp"]


def _visible(model: str) -> Iterator[Path]:
    """Files and folders that the process may read."""
    named = [*_SYSTEM, *_ALSO, sys.base_prefix, sys.prefix, *_searched()]
    named += [str(path.absolute()) for path in settings.plugin_path()]
    named.append(os.environ.get("HF_HOME", str(Path.home() / ".cache" / "huggingface")))
    for name in named:
        path = Path(name)
        if name and path.is_absolute() and path.exists():
            yield path
    yield from registry.own_files(model)
    # from here, where there is a network
    yield from fetch_all(registry.models.member_card(model).resources)


def _searched() -> list[str]:
    """Where modules are found, without the folder somebody was in: ``python -m`` puts it first."""
    first, *others = sys.path
    was_in = not sys.flags.safe_path and Path(first or ".").absolute() == Path.cwd()
    return others if was_in else sys.path


def environment_of(model: str) -> Path:
    """Python of the environment of the plugin that provides `model`, made if there is none.

    Raises:
        CortevalError: if the plugin is no installed distribution, or pip fails.
    """
    source = registry.models.source(model)
    try:
        wanted = _with_local_requirements(source.distribution)
    except PackageNotFoundError as error:
        raise CortevalError(
            f"{model} comes from {source.value}, which is no installed package, so that no "
            "environment can be made for it. Use --isolate process."
        ) from error
    key = canonical.digest_of(
        {
            "python": sys.version,
            "specifications": sorted(wanted),
            "source": source_digest(source),
        }
    )
    folder = settings.home() / "environments" / f"{source.distribution}-{key[:16]}"
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            log.info("Making an environment for %s in %s.", source.distribution, folder)
            venv.create(folder, with_pip=True)
            _pip(python, wanted, source.distribution)
            (folder / "complete").touch()
    return python


def _pip(python: Path, wanted: Sequence[str], name: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-3:]
        raise CortevalError(
            f"The environment of {name} cannot be made; pip says: {' '.join(last)[-500:]}"
        )


def _with_local_requirements(name: str) -> list[str]:
    """Specifications for pip of a distribution, and of what it requires that came from a folder."""
    found: dict[str, str] = {}
    waiting = [name, "corteval"]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        try:
            own = distribution(current)
        except PackageNotFoundError:
            if current == name:
                raise
            continue  # pip finds it, or says that it cannot
        place = _folder_of(own)
        if place is None and current not in (name, "corteval"):
            continue
        found[current] = place or f"{current}=={own.version}"
        for requirement in own.requires or []:
            if "extra ==" not in requirement:
                waiting.append(re.split(r"[ ;<>=!~\[(]", requirement, maxsplit=1)[0])
    return [*found.values()]


def _folder_of(installed: Distribution) -> str | None:
    """The folder a distribution was installed from; None if it came from an index."""
    with contextlib.suppress(ValueError, TypeError):
        url = json.loads(installed.read_text("direct_url.json") or "{}").get("url", "")
        if url.startswith("file://"):
            return unquote(urlsplit(url).path)
    return None
