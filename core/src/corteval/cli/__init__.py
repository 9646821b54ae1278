"""The command line: ``corteval VERB``; the module of a verb is imported only when it is used.

Exit codes: 0 ok, 1 error, 2 usage, 3 some cells failed, 130 interrupted; 141 if whoever read the
output left, as for any program that writes into a closed pipe. Data go to stdout, words to stderr.
"""

# A submodule becomes an attribute of its package, so `list` here may be the verb, not the type.
from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

import click

from corteval import __version__
from corteval.cli.streams import stdout_to_stderr
from corteval.cli.tables import print_json, say
from corteval.errors import (
    CortevalError,
    InvalidIdentifier,
    OptionError,
    PluginError,
    UnknownIdentifier,
)

if TYPE_CHECKING:
    from corteval.hooks import Command

ERROR, USAGE, SOME_FAILED, INTERRUPTED, NOBODY_READS = 1, 2, 3, 130, 141

#: Built-in verbs and the first line of their help, so that `corteval --help` imports none of them.
VERBS = {
    "list": "List installed models, benchmarks, metrics, data and suites.",
    "info": "Show what a plugin says of itself.",
    "score": "Score models on benchmarks.",
    "plan": "Show what a run would do: cells, time and memory.",
    "run": "Score models on benchmarks in parallel; goes on where it stopped.",
    "status": "Show how far a run is.",
    "retry": "Go on with a run, also with what failed.",
    "cancel": "Have the workers of a run stop, wherever they are.",
    "worker": "Take tasks of a run until none is left.",
    "slurm-script": "Print a script for sbatch: an array of jobs that take tasks of a run.",
    "verify": "Check every digest of the records.",
    "leaderboard": "Rank models by their mean over a suite or list of benchmarks.",
    "compare": "Compare two models on all benchmarks that both have scores on.",
    "report": "Write a page of all scores, with intervals, ceilings, ranks and what is missing.",
    "plot": "Draw scores, layers, RDMs or ceilings as PNG, SVG or PDF, and their numbers as CSV.",
    "recompute": "Compute some records once more, from nothing, and compare.",
    "layers": "Score the layers of a model, and choose one for each target.",
    "cite": "Print BibTeX of plugins and of what they use.",
    "data": "Show, download, register, pack and compare data sets.",
    "cache": "Show, verify and shrink the store of computed arrays.",
    "check": "Check that a plugin keeps its contract.",
    "doctor": "Find out what is wrong with this installation.",
}

_EXAMPLES = """\b
Examples:
  corteval list models
  corteval score pixels Cowley2023.V4-ridge
  corteval score 'pixels,gabor-*' 'Marques2020.*' --json
  corteval doctor

Every verb takes --json. Exit codes: 0 ok, 1 error, 2 usage, 3 some cells failed, 130 interrupted.
"""


class _Verbs(click.Group):
    """Built-in verbs and those of plugins, each imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*VERBS, *plugin_verbs()[0]]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in VERBS:
            module = f"corteval.cli.{cmd_name.replace('-', '_')}"
            return cast("click.Command", import_module(module).command)
        offer = plugin_verbs()[0].get(cmd_name)
        return None if offer is None else _plugin_command(offer)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        offers, refused = plugin_verbs()
        for reason in refused:
            say(f"Warning: {reason}")
        offered = {name: offer.summary for name, offer in offers.items()}
        for title, verbs in (("Commands", VERBS), ("Commands of plugins", offered)):
            if verbs:
                with formatter.section(title):
                    formatter.write_dl([*verbs.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            if args[0].startswith("-"):
                raise
        from difflib import get_close_matches

        close = get_close_matches(args[0], self.list_commands(ctx))
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise click.UsageError(f"There is no verb {args[0]!r}.{hint}", ctx)


@click.group("corteval", cls=_Verbs, epilog=_EXAMPLES)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; -vv says everything.")
@click.pass_context
def cli(context: click.Context, verbose: int) -> None:
    """Score models of vision and language against recordings of brains and behaviour."""
    from corteval.cli.logs import logging_to_stderr

    context.with_resource(logging_to_stderr(verbose))
    if context.invoked_subcommand in VERBS:
        _load_plugins()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    args = [*(sys.argv[1:] if arguments is None else arguments)]
    as_json = "--json" in args
    try:
        return _run(args)
    except (KeyboardInterrupt, click.Abort):
        return _fail("Interrupted", "Interrupted.", INTERRUPTED, as_json)
    except BrokenPipeError:
        return _discard_output()
    except click.ClickException as error:
        error.show()
        _print_envelope(type(error).__name__, error.format_message(), as_json)
        return error.exit_code
    except CortevalError as error:
        usage = isinstance(error, (InvalidIdentifier, UnknownIdentifier, OptionError))
        _show_traceback()
        return _fail(type(error).__name__, f"Error: {error}", USAGE if usage else ERROR, as_json)
    except OSError as error:
        if not _wrote_output(error):
            return _unexpected(error, as_json)
        _discard_output()
        text = f"Error: The output could not be written: {error.strerror}. Send it elsewhere."
        return _fail("OSError", text, ERROR, as_json=False)
    except Exception as error:
        return _unexpected(error, as_json)


def plugin_verbs() -> tuple[dict[str, Command], list[str]]:
    """Verbs that plugins offer, and in words the offers that were refused."""
    from corteval import hooks

    wanted = hooks.CommandsWanted()
    with stdout_to_stderr():
        hooks.notify(wanted)
    verbs: dict[str, Command] = {}
    refused = []
    for offer in wanted.commands:
        if offer.name in VERBS:
            refused.append(f"Verb {offer.name!r} of {offer.target} is ignored: it is built in.")
        elif offer.name in verbs:
            other = verbs[offer.name].target
            refused.append(f"Verb {offer.name!r} of {offer.target} is ignored: {other} has it too.")
        else:
            verbs[offer.name] = offer
    return verbs, refused


def _load_plugins() -> None:
    """Import cards now, where compiled code and children that print spoil no output."""
    from corteval import registry

    with stdout_to_stderr():
        for kind in registry.KINDS.values():
            try:
                kind.plugins()
            except CortevalError:  # the verb meets it again
                return


def _run(args: list[str]) -> int:
    if not sys.stdout:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if not sys.stderr:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    if "_CORTEVAL_COMPLETE" in os.environ:
        cli.main(args, prog_name="corteval")  # a shell asks for completions; click leaves by itself
    try:
        with cli.make_context("corteval", args) as context:
            cli.invoke(context)
    except click.exceptions.Exit as done:
        sys.stdout.flush()
        return done.exit_code
    sys.stdout.flush()
    return 0


def _plugin_command(offer: Command) -> click.Command:
    module, _, attribute = offer.target.partition(":")
    try:
        with stdout_to_stderr():
            command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"it is a {type(command).__name__}, no click command")
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"Verb {offer.name!r} ({offer.target}) cannot be used: {type(error).__name__}: {error}"
        ) from error
    return command


def _unexpected(error: Exception, as_json: bool) -> int:
    text = f"Unexpected {type(error).__name__}: {error}\nThis is a bug in Corteval or a plugin."
    if not _show_traceback():
        text += " CORTEVAL_DEBUG=1 in the environment shows the traceback; please report it."
    return _fail(type(error).__name__, text, ERROR, as_json)


def _fail(kind: str, text: str, code: int, as_json: bool) -> int:
    say(text)
    _print_envelope(kind, text.removeprefix("Error: "), as_json)
    return code


def _print_envelope(kind: str, message: str, as_json: bool) -> None:
    if as_json:
        try:
            print_json("corteval.error/1", error={"type": kind, "message": message})
        except OSError:  # nobody reads, or the disk is full; the words are on stderr
            _discard_output()


def _show_traceback() -> bool:
    if os.environ.get("CORTEVAL_DEBUG", "0") in {"", "0"}:
        return False
    import traceback

    traceback.print_exc()
    return True


def _wrote_output(error: OSError) -> bool:
    """Whether it was raised by writing to stdout, and not by what a verb does with files."""
    from inspect import unwrap
    from traceback import walk_tb

    *_, (frame, _) = walk_tb(error.__traceback__)
    writers = (click.echo, _run, unwrap(stdout_to_stderr))
    return frame.f_code in {writer.__code__ for writer in writers}


def _discard_output() -> int:
    """Nobody can read stdout: what is still buffered would raise again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOBODY_READS
