"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

from corteval import registry, settings


def _offline(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        settings.set_flag("offline", "1")


def _mirror(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    if "://" not in value and not Path(value).expanduser().is_dir():
        raise click.BadParameter(f"{value!r} is neither an existing folder nor an address.")
    settings.set_flag("mirror", value)


def _no_store(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        from corteval import store

        context.with_resource(store.using(None))


def _verbose(context: click.Context, option: click.Parameter, value: int) -> None:
    from corteval.cli.logs import say_more

    say_more(value)


class Kind(click.Choice[str]):
    """A kind of plugin; its singular will do."""

    def __init__(self) -> None:
        super().__init__(tuple(registry.KINDS))

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The kind that `value` names."""
        plural = f"{value}s"
        return super().convert(plural if plural in self.choices else value, param, ctx)


verbose_option = click.option(
    "-v",
    "--verbose",
    count=True,
    expose_value=False,
    callback=_verbose,
    help="Say more on stderr; -vv says everything.",
)
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
run_option = click.option(
    "--run",
    metavar="RUN",
    help="Only the cells of a run: its identity or folder, or `last`.",
)
no_store_option = click.option(
    "--no-store",
    is_flag=True,
    expose_value=False,
    callback=_no_store,
    help="Keep no responses of models for the next time.",
)
