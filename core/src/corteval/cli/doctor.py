"""``corteval doctor``: what is installed, which settings are in force, and what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from corteval import __version__, hooks, registry, settings
from corteval.cards import human_size
from corteval.cli import ERROR, plugin_verbs
from corteval.cli.options import json_option, verbose_option
from corteval.cli.streams import stdout_to_stderr
from corteval.cli.tables import chain, fact_lines, print_json
from corteval.errors import CortevalError

_EPILOG = """\b
Examples:
  corteval doctor
  python -m corteval doctor        # of the interpreter in use, whatever `corteval` on PATH is
  corteval doctor --json | jq .problems

\b
JSON:
  {"schema": "corteval.doctor/1", "environment": {"python": "3.12.1", ...},
   "settings": [{"name": "home", "value": "...", "origin": "default"}, ...],
   "problems": [{"about": "...", "message": "...", "chain": ["ImportError: ...", ...]}]}

Exit code 1 if there is a problem.
"""

_LIBRARIES = ("numpy", "pandas", "xarray", "click", "pluggy", "requests", "rich")


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A problem in words, and the exceptions that led to it."""

    about: str
    message: str
    chain: tuple[str, ...] = ()


@click.command("doctor", epilog=_EPILOG)
@verbose_option
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Find out what is wrong with this installation.

    Imports the code of every plugin, which `corteval list` does not.
    """
    environment = _environment()
    with stdout_to_stderr():
        problems = [*_problems()]
    origins = [_in_force(name) for name in settings.KNOWN]
    if as_json:
        content = {"settings": [*map(asdict, origins)], "problems": [*map(asdict, problems)]}
        print_json("corteval.doctor/1", environment=environment, **content)
    else:
        facts = [
            (s.name, f"{s.value or '(empty)'} [{s.origin}]: {settings.KNOWN[s.name][2]}")
            for s in origins
        ]
        click.echo("\n".join(["Environment", *fact_lines(environment.items())]))
        click.echo("\n".join(["Settings", *fact_lines(facts)]))
        click.echo(f"Problems: {len(problems) or 'none'}")
        for problem in problems:
            click.echo(f"  {problem.about}: {problem.message}")
            for line in problem.chain:
                click.echo(f"    caused by {line}")
    if problems:
        context.exit(ERROR)


def _environment() -> dict[str, str]:
    try:
        home = settings.home()
        disk = human_size(shutil.disk_usage(_existing(home)).free)
    except CortevalError:  # told among the problems
        disk = "unknown"
    return {
        "corteval": f"{__version__} in {Path(__file__).parent.parent}",
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "corteval on PATH": shutil.which("corteval") or "none; use `python -m corteval`",
        "free disk at home": disk,
        **{library: _version(library) or "not installed" for library in _LIBRARIES},
    }


def _version(distribution: str) -> str | None:
    from importlib_metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _in_force(name: str) -> settings.Setting:
    try:
        return settings.setting(name)
    except CortevalError:  # told among the problems
        return settings.Setting(name, "", "a settings file that cannot be read")


def _problems() -> Iterator[Trouble]:
    said = set()
    for examine in (
        _interpreter,
        _libraries,
        _settings,
        _home,
        _mirror,
        _plugins,
        _references,
        _hooks,
    ):
        try:
            yield from examine()
        except CortevalError as error:  # a bad settings file stops several of them
            if str(error) not in said:
                yield _trouble(examine.__name__.strip("_"), str(error), error.__cause__)
            said.add(str(error))


def _interpreter() -> Iterator[Trouble]:
    """The classic trap: `pip` of one environment, `corteval` of another."""
    found = shutil.which("corteval")
    if found is None:
        return
    own = {Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))}
    if (user := f"{os.name}_user") in sysconfig.get_scheme_names():
        own.add(Path(sysconfig.get_path("scripts", user)))
    places = {Path(found).parent.absolute(), Path(found).resolve().parent}
    if not places & {folder.absolute() for folder in own}:
        yield Trouble(
            about="interpreter",
            message=f"`corteval` on PATH is {found}, but this is {sys.executable}: they see "
            "different plugins. Activate the environment you mean, or use `python -m corteval`.",
        )


def _libraries() -> Iterator[Trouble]:
    for name in _LIBRARIES:
        if _version(name) is None:
            yield Trouble(about=name, message=f"it is not installed. pip install {name}")


def _settings() -> Iterator[Trouble]:
    settings.offline()  # each raises if its value cannot be understood
    settings.store_limit()
    settings.store_verify()
    for folder in settings.plugin_path():
        if not folder.is_dir():
            yield Trouble(about="plugin_path", message=f"there is no folder {folder}")


def _home() -> Iterator[Trouble]:
    home = settings.home()
    existing = _existing(home)
    if not existing.is_dir():
        yield Trouble(about="home", message=f"{home} cannot be a folder: {existing} is a file")
        return
    if not os.access(existing, os.W_OK | os.X_OK):
        yield Trouble(about="home", message=f"{existing} is not writable; set CORTEVAL_HOME")


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _mirror() -> Iterator[Trouble]:
    mirror = settings.setting("mirror").value
    if mirror and "://" not in mirror and not Path(mirror).expanduser().is_dir():
        yield Trouble(about="mirror", message=f"there is no folder {mirror}; is it mounted?")


def _plugins() -> Iterator[Trouble]:
    unusable = (p for plugins in registry.KINDS.values() for p in plugins.unusable())
    for problem in [*registry.problems(), *unusable]:
        source = f"{problem.source.distribution} {problem.source.version}".strip()
        about = f"{problem.kind} {problem.identifier} ({source})"
        cause = problem.error.__cause__ if problem.error else None
        yield _trouble(about, problem.reason, cause)


def _references() -> Iterator[Trouble]:
    """Benchmarks that name a metric, a ceiling or data that nobody provides."""
    for card in registry.benchmarks.where():
        parts = [("metrics", card.metric), ("metrics", card.ceiling or "")]
        for kind, identifier in parts + [("data", name) for name in card.data]:
            try:
                if identifier:
                    registry.KINDS[kind].card(identifier)
            except CortevalError as error:
                yield _trouble(f"benchmark {card.identifier}", str(error), error.__cause__)


def _hooks() -> Iterator[Trouble]:
    for problem in hooks.problems():
        about = f"hook {problem.value} ({problem.distribution})"
        yield _trouble(about, "it cannot be loaded and is ignored", problem.error)
    for refused in plugin_verbs()[1]:
        yield Trouble(about="command line", message=refused)


def _trouble(about: str, message: str, cause: BaseException | None) -> Trouble:
    return Trouble(about=about, message=message, chain=tuple(chain(cause)))
