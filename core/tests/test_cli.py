"""The command itself, its verbs, its lists and its tables."""

import importlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from core.tests.toy_commands import environment as environment
from core.tests.toy_commands import folder as folder
from core.tests.toy_commands import on_terminal, process, rows, run_json
from core.tests.toy_commands import run as run

import corteval.testing
from corteval import hooks, registry
from corteval.cli import VERBS, progress, tables
from corteval.cli.tables import layout


class TestGroup:
    @pytest.mark.parametrize("arguments", [["--help"], ["list"], ["score", "--help"]])
    def test_help_and_list_import_no_numerical_library(self, arguments, folder, tmp_path):
        heavy = {"numpy", "pandas", "xarray", "requests", "rich"}
        code = (
            "import sys; from corteval.cli import main; code = main(sys.argv[1:]);"
            f"sys.exit(repr(sorted({heavy} & set(sys.modules))) if code == 0 else code)"
        )
        clean = {k: v for k, v in os.environ.items() if not k.startswith("CORTEVAL_")}
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=clean
        )
        assert done.stderr.splitlines()[-1] == "[]"

    def test_table_of_verbs_agrees_with_their_own_help(self):
        own = {
            name: importlib.import_module(
                f"corteval.cli.{name.replace('-', '_')}"
            ).command.help.splitlines()[0]
            for name in VERBS
        }
        assert own == VERBS

    @pytest.mark.parametrize("path", [*map(str.split, VERBS), ["data", "ls"], ["data", "fetch"]])
    def test_help_of_a_verb_ends_with_examples_and_a_sketch_of_the_json(self, path, run):
        text = run(*path, "--help").out
        assert f"corteval {' '.join(path)}" in text.split("Examples:")[1]
        assert '"schema": "corteval.' in text.split("\n  JSON")[1]

    def test_version_is_printed(self, run):
        assert run("--version").out == f"corteval {corteval.__version__}\n"

    def test_unknown_verb_is_a_usage_error_with_a_suggestion(self, run):
        result = run("scroe")
        assert (result.code, result.out) == (2, "")
        assert "Did you mean score" in result.err

    def test_unknown_option_is_a_usage_error_also_as_json(self, run):
        answer = run_json(run, "list", "--wrong", code=2)
        assert answer["schema"] == "corteval.error/1"
        assert "--wrong" in answer["error"]["message"]

    def test_unexpected_exception_is_named_as_a_bug_without_traceback(self, run, monkeypatch):
        monkeypatch.setattr(registry, "find", lambda identifier: 1 / 0)
        result = run("info", "toy-quiet", "--json")
        assert result.code == 1
        assert "ZeroDivisionError" in result.err
        assert "This is a bug" in result.err and "CORTEVAL_DEBUG=1" in result.err
        assert "Traceback" not in result.err
        assert json.loads(result.out)["error"]["type"] == "ZeroDivisionError"

    def test_debug_shows_the_traceback(self, run, monkeypatch):
        monkeypatch.setattr(registry, "find", lambda identifier: 1 / 0)
        monkeypatch.setenv("CORTEVAL_DEBUG", "1")
        assert "Traceback" in run("info", "toy-quiet").err

    def test_closed_pipe_is_silent(self, environment):
        running = process("list")
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 128 + signal.SIGPIPE

    def test_closed_stdout_is_no_error(self, environment):
        script = f"exec {sys.executable} -m corteval list >&-"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
        assert (done.returncode, "Unexpected" in done.stderr) == (0, False)

    @pytest.mark.parametrize("arguments", [["list", "--json"], ["--help"]])
    def test_full_disk_is_named_as_such(self, environment, arguments):
        command = [sys.executable, "-m", "corteval", *arguments]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1
        assert "output could not be written: No space left" in done.stderr
        assert "bug" not in done.stderr and "Exception ignored" not in done.stderr

    def test_what_plugins_print_while_they_are_loaded_goes_to_stderr(
        self, environment, tmp_path, monkeypatch
    ):
        said = "print('by print'); os.write(1, b'by fd'); subprocess.run(['echo', 'by child'])\n"
        (tmp_path / "loud.py").write_text(f"import os, subprocess\n{said}")
        monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(tmp_path))
        out, err = process("list", "--json").communicate()
        assert json.loads(out)["schema"] == "corteval.list/1"
        for text in (b"by print", b"by fd", b"by child"):
            assert text in err

    def test_module_runs_the_same_command_line(self, environment):
        out, _ = process("--version").communicate()
        assert out == f"corteval {corteval.__version__}\n".encode()


class TestPluginVerbs:
    @pytest.fixture
    def offers(self, environment, tmp_path, monkeypatch):
        """A distribution with a hook that offers verbs."""
        site = tmp_path / "site"
        (site / "toyverbs-1.dist-info").mkdir(parents=True)
        (site / "toyverbs-1.dist-info/METADATA").write_text("Name: toyverbs\nVersion: 1\n")
        (site / "toyverbs-1.dist-info/entry_points.txt").write_text(
            "[corteval.hooks]\ntoyverbs = toyverbs\nbroken = no_such_module\n"
        )
        code = """
            import click
            from corteval.hooks import hookimpl

            @hookimpl
            def corteval_commands(event):
                event.add("greet", "toyverbs:greet", "Say hello.")
                event.add("list", "toyverbs:greet", "Hide the built-in.")
                event.add("lost", "no_such_module:x", "Cannot be imported.")

            @click.command()
            def greet():
                click.echo("hello")
            """
        (site / "toyverbs.py").write_text(textwrap.dedent(code))
        monkeypatch.syspath_prepend(str(site))
        yield
        sys.modules.pop("toyverbs", None)

    def test_verb_of_a_plugin_runs_and_is_in_the_help(self, run, offers):
        assert run("greet").out == "hello\n"
        assert "Say hello." in run("--help").out

    def test_verb_that_would_hide_a_built_in_one_is_named_and_ignored(self, run, offers):
        result = run("--help")
        assert "'list' of toyverbs:greet is ignored" in result.err
        assert "Hide the built-in" not in result.out

    def test_verb_that_cannot_be_imported_is_an_error_that_names_it(self, run, offers):
        result = run("lost")
        assert result.code == 1
        assert "no_such_module:x" in result.err and "Traceback" not in result.err

    def test_doctor_tells_of_broken_hooks_and_refused_verbs(self, run, offers):
        problems = {p["about"]: p for p in run_json(run, "doctor", code=1)["problems"]}
        assert "ModuleNotFoundError" in problems["hook no_such_module (toyverbs)"]["chain"][0]
        assert "built in" in problems["command line"]["message"]


class TestList:
    def test_table_has_a_row_a_plugin(self, run):
        found = {(r["kind"], r["identifier"]): r for r in rows(run("list").out)}
        assert found["models", "toy-quiet"]["summary"] == "A quiet toy"
        assert found["models", "toy-quiet"]["distribution"] == "toys.py"
        assert found["data", "Toy"]["version"] == "1"
        assert ("models", "toyfamily/…") in found

    def test_kind_restricts_the_list(self, run):
        assert {r["kind"] for r in rows(run("list", "metrics").out)} == {"metrics"}

    def test_broken_and_duplicate_plugins_are_marked_and_lead_to_the_doctor(self, run):
        result = run("list", "models")
        found = {(r["identifier"], r["distribution"]): r["summary"] for r in rows(result.out)}
        assert found["crash", "crash.py"].startswith("BROKEN: ModuleNotFoundError")
        assert "interface 99" in found["toy-future", "toys.py"]
        assert found["twin", "left.py"].startswith("DUPLICATE, ask for twin@left.py")
        assert "2 broken" in result.err and "2 duplicate" in result.err
        assert "corteval doctor" in result.err

    def test_json_says_all_of_it(self, run):
        answer = run_json(run, "list")
        assert answer["schema"] == "corteval.list/1"
        found = {(p["kind"], p["identifier"]): p for p in answer["plugins"]}
        assert found["models", "toy-quiet"] == {
            "kind": "models",
            "identifier": "toy-quiet",
            "family": False,
            "distribution": "toys.py",
            "distribution_version": "",
            "version": 1,
            "summary": "A quiet toy",
            "licence": "MIT",
            "role": None,
            "target": None,
            "status": "ok",
            "error": None,
        }
        assert found["models", "toyfamily"]["family"] is True
        assert found["models", "twin"]["status"] == "duplicate"
        assert found["models", "crash"]["status"] == "broken"
        assert found["models", "crash"]["summary"] is None

    def test_singular_of_a_kind_will_do(self, run):
        assert run("list", "metric").out == run("list", "metrics").out

    def test_unknown_kind_is_a_usage_error(self, run):
        assert run("list", "brains").code == 2

    def test_a_pattern_restricts_the_list_to_what_it_matches(self, run):
        found = [r["identifier"] for r in rows(run("list", "models", "TOY-q*").out)]
        assert found == ["toy-quiet"]
        by_words = {r["identifier"] for r in rows(run("list", "models", "quiet toy").out)}
        assert (
            {"toy-quiet"} <= by_words < {r["identifier"] for r in rows(run("list", "models").out)}
        )
        nothing = run("list", "models", "zebra")
        assert (nothing.code, nothing.out) == (0, "")
        assert "matches 'zebra'" in nothing.err


class TestTables:
    def test_nothing_is_cut_where_there_is_no_terminal(self):
        assert layout([["a", "x" * 500]], None) == ["a  " + "x" * 500]

    def test_last_column_wraps_on_a_terminal(self):
        lines = layout([["name", "word " * 20]], 40)
        assert max(map(len, lines)) <= 40
        assert all(line.startswith(" " * 6) for line in lines[1:])

    def test_last_column_goes_under_its_row_on_a_narrow_terminal(self):
        assert layout([["n" * 30, "word " * 4]], 40) == ["n" * 30, "    word word word word"]

    def test_text_of_a_plugin_cannot_steer_the_terminal(self):
        assert layout([["a\nb", "\x1b[31mred"]], None) == ["a b  \N{REPLACEMENT CHARACTER}[31mred"]

    def test_table_wider_than_the_terminal_becomes_a_block_a_row(self, environment, monkeypatch):
        monkeypatch.setenv("COLUMNS", "50")
        monkeypatch.setenv("NO_COLOR", "1")
        text = on_terminal("score", "toy-quiet,toy-slow", "Toy.V4-mean")
        quiet, slow = text.split("\n\n")
        assert quiet.splitlines()[0] == "toy-quiet  Toy.V4-mean"
        assert "  score          0.5000" in slow.splitlines()
        assert "  95 % interval  0.4000 to 0.6000" in slow.splitlines()

    def test_words_wrap_on_a_terminal_and_keep_their_indentation(self, environment, monkeypatch):
        monkeypatch.setenv("COLUMNS", "30")
        text = on_terminal("data", "fetch", "ToyBare", stream="stderr")
        assert text == "ToyBare (private) has nothing\nto download.\n"
        assert tables._wrapped("  (1) word word", 12) == "  (1) word\n  word"

    def test_terminal_gets_bold_headers_unless_colour_is_off(self, environment, monkeypatch):
        monkeypatch.setenv("COLUMNS", "160")
        assert "\x1b[1mkind" in on_terminal("list", "data")
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b" not in on_terminal("list", "data")


class TestProgress:
    def test_log_files_get_a_line_a_task_every_few_seconds(self, monkeypatch, capsys):
        clock = iter([0, 1, 6, 7, 12, 13])
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
        lines = progress.Lines()
        for done in range(1, 7):
            lines.corteval_progress(hooks.Progress("fetching", done * 1000, 6000, "bytes"))
        said = capsys.readouterr().err.splitlines()
        assert said == ["fetching: 3.0 kB of 6.0 kB", "fetching: 5.0 kB of 6.0 kB"]

    def test_of_unknown_total_only_what_is_done_is_said(self, monkeypatch, capsys):
        clock = iter([0, 6, 12, 18, 19])
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
        lines = progress.Lines()
        for done in (1000, 2000):
            lines.corteval_progress(hooks.Progress("fetching", done, None, "bytes"))
        for done in (3, 4000):
            lines.corteval_progress(hooks.Progress("counting", done, None, "words"))
        said = capsys.readouterr().err.splitlines()
        assert said == ["fetching: 2.0 kB", "counting: 4,000 words"]

    def test_a_bar_of_unknown_total_is_drawn_and_vanishes_when_its_end_is_told(self):
        bars = progress.Bars()
        for done in (0, 1000, 2000):
            bars.corteval_progress(hooks.Progress("fetching", done, None, "bytes"))
        (task,) = bars._bars.tasks
        assert (task.total, task.completed, task.fields["amount"]) == (None, 2000, "2.0 kB")
        bars.corteval_progress(hooks.Progress("fetching", 2000, 2000, "bytes"))
        assert bars._bars.tasks == []


def test_no_store_holds_for_one_command_only():
    import click
    from click.testing import CliRunner

    from corteval import store
    from corteval.cli.options import no_store_option

    @click.command()
    @no_store_option
    def show():
        click.echo(repr(store.active()))

    assert CliRunner().invoke(show, ["--no-store"]).output == "None\n"
    assert store.active() is not None
