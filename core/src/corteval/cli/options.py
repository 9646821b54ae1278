"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

from corteval import settings


def _offline(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        settings.set_flag("offline", "1")


def _mirror(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    if "://" not in value and not Path(value).expanduser().is_dir():
        raise click.BadParameter(f"{value!r} is neither an existing folder nor an address.")
    settings.set_flag("mirror", value)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Draw no progress.")
offline_option = click.option(
    "--offline", is_flag=True, expose_value=False, callback=_offline, help="Forbid the network."
)
mirror_option = click.option(
    "--mirror",
    metavar="PATH_OR_URL",
    expose_value=False,
    callback=_mirror,
    help="Take downloads from here, by host and path.",
)
