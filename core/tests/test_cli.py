import contextlib
import errno
import importlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

import corteval.testing
from corteval import hooks, registry, settings
from corteval.cards import Resource
from corteval.cli import VERBS, main, progress, tables
from corteval.cli.tables import layout
from corteval.score import Score

CONTENT = b"recorded responses"

TOYS = f'''
import os, sys, time
import numpy as np
import pandas as pd
from corteval.benchmark import BenchmarkCard
from corteval.cards import DataCard, MetricCard, ModelCard, ModelFamily, Resource
from corteval.errors import UndefinedScore
from corteval.model import LayerCommitment, record
from corteval.requests import Recording
from corteval.score import Estimate, Interval, Score
from corteval.stimuli import StimulusSet

class Extractor:
    def __init__(self, act): self.act = act
    def units(self, layer): return {{"neuroid_id": np.array(["a", "b"])}}
    def __call__(self, stimuli, wanted):
        self.act()
        yield {{layer: np.ones((len(stimuli), len(u))) for layer, u in wanted.items()}}

def loud():
    print("printed by the model")
    sys.__stdout__.write("written to the old stdout\\n")
    os.write(1, b"written to descriptor 1\\n")

def wrong(): raise RuntimeError("the model fell over")

ACTS = {{"quiet": lambda: None, "loud": loud, "wrong": wrong, "exits": lambda: sys.exit(0),
        "slow": lambda: time.sleep(float(os.environ.get("TOY_SECONDS", "0"))),
        "stopped": lambda: os.kill(os.getpid(), 2)}}

def build(act="quiet", target="V4", identifier="toy", member=None):
    return LayerCommitment(identifier=identifier, extractor=Extractor(ACTS[act]),
                           layers={{target: "layer"}}, visual_degrees=8.0, modalities={{"text"}})

def model(act, **more):
    options = {{"act": act, "identifier": f"toy-{{act}}"}} | more.pop("options", {{}})
    return ModelCard(**dict(identifier=f"toy-{{act}}", factory=f"{{__name__}}:build",
                     summary=f"A {{act}} toy", licence="MIT", options=options) | more)

QUIET = model("quiet", bibtex="@misc{{toy, title = {{Toy}}}}", parameters=1234567)
LOUD, WRONG, EXITS, SLOW, STOPPED = map(model, ("loud", "wrong", "exits", "slow", "stopped"))
BLIND = model("quiet", identifier="toy-blind", options={{"target": "IT"}},
              superseded_by="toy-quiet")
FUTURE = model("quiet", identifier="toy-future", interface=99)
FAMILY = ModelFamily(identifier="toyfamily", factory=f"{{__name__}}:build", summary="Many",
                     licence="MIT", members=("one", "two"))

class Benchmark:
    def __init__(self, card, seed=0, undefined=False):
        self.card, self.seed, self.undefined = card, seed, undefined
    def requests(self): return (Recording("V4"),)
    def ceiling(self): return Estimate(value=0.8)
    def __call__(self, model):
        if self.undefined: raise UndefinedScore("nothing varies")
        table = pd.DataFrame({{"text": ["x", "y"]}}, index=pd.Index(["1", "2"], name="stimulus_id"))
        record(model, StimulusSet(identifier="s", modality="text", table=table), "V4")
        interval = Interval(low=0.4, high=0.6, level=0.95, method="m", scope="s", resamples=9,
                            seed=self.seed)
        return Score(value=0.5, raw=Estimate(value=0.4), ceiling=self.ceiling(), interval=interval,
                     normalization="r/c", notes=("a note",))

def benchmark(name, **more):
    return BenchmarkCard(identifier=f"Toy.V4-{{name}}", factory=f"{{__name__}}:Benchmark",
                         summary="Toy", licence="MIT", target="V4", **more)

MEAN = benchmark("mean", data=("Toy",), metric="toymetric", ceiling="absent-ceiling",
                 bibtex="@misc{{toydata, title = {{Data}}}}\\n@misc{{other, title = {{Other}}}}")
UNDEFINED = benchmark("undefined", options={{"undefined": True}})
METRIC = MetricCard(identifier="toymetric", factory="toys:m", summary="Toy", licence="MIT",
                    bounds=(float("-inf"), 0.0))
TWO_KINDS = MetricCard(identifier="toy-quiet", factory="toys:m", summary="Toy", licence="MIT")
DATA = DataCard(identifier="Toy", factory="toys:d", summary="Toy", licence="CC0-1.0",
                bibtex="@misc{{toydata, title = {{Data}}}}", resources=(Resource(
                    url="https://toy.example/files/toy.bin", licence="CC0-1.0",
                    sha256="{sha256(CONTENT).hexdigest()}", size={len(CONTENT)}),))
BARE = DataCard(identifier="ToyBare", factory="toys:d", summary="Toy", licence="MIT",
                access="private")
'''

TWIN = """
from corteval.cards import ModelCard
TWIN = ModelCard(identifier="twin", factory="a:b", summary="A twin", licence="MIT")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Plugins, a mirror, and nothing of the developer's own configuration."""
    root = tmp_path_factory.mktemp("cli")
    (root / "plugins").mkdir()
    (root / "plugins/toys.py").write_text(TOYS)
    (root / "plugins/crash.py").write_text("import no_such_library\n")
    for name in ("left", "right"):
        (root / f"plugins/{name}.py").write_text(TWIN)
    mirrored = root / "mirror/toy.example/files/toy.bin"
    mirrored.parent.mkdir(parents=True)
    mirrored.write_bytes(CONTENT)
    return root


@pytest.fixture
def environment(folder, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CORTEVAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(folder / "plugins"))
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "_flags", {})
    registry.reload()
    hooks.reload()
    yield
    registry.reload()
    hooks.reload()


@pytest.fixture
def run(environment, capfd):
    def run(*arguments):
        code = main(arguments)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def run_json(run, *arguments, code=0):
    result = run(*arguments, "--json")
    assert result.code == code, result.err
    return json.loads(result.out)


def process(*arguments, **options):
    command = [sys.executable, "-m", "corteval", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def on_terminal(*arguments, stream="stdout"):
    """What a command prints on a terminal."""
    outer, inner = pty.openpty()
    other = {"stdout", "stderr"}.difference({stream}).pop()
    streams = {stream: inner, other: subprocess.DEVNULL}
    running = subprocess.Popen([sys.executable, "-m", "corteval", *arguments], **streams)
    os.close(inner)
    pieces = []
    with contextlib.suppress(OSError):  # how Linux says that nobody writes any more
        while piece := os.read(outer, 100_000):  # read at once: a terminal holds a few kB only
            pieces.append(piece)
    os.close(outer)
    assert running.wait() == 0
    return b"".join(pieces).decode().replace("\r", "")


def rows(text):
    """Cells of a printed table by header, which is how people read it."""
    header, *lines = text.splitlines()
    starts = [match.start() for match in re.finditer(r"(?<=  )\S|^\S", header)]
    ends = [*starts[1:], None]
    names = [header[a:b].strip() for a, b in zip(starts, ends, strict=True)]
    return [
        dict(
            zip(names, (line[a:b].strip() for a, b in zip(starts, ends, strict=True)), strict=True)
        )
        for line in lines
    ]


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


class TestInfo:
    def test_every_kind_with_the_identifier_is_shown(self, run):
        text = run("info", "TOY-quiet").out
        assert "toy-quiet (models)" in text and "toy-quiet (metrics)" in text
        assert "1,234,567" in text and "@misc{toy," in text

    def test_data_show_access_licence_size_and_state_of_files(self, run):
        facts = run("info", "Toy").out
        for fact in ("public", "CC0-1.0", "18 bytes", "toy.bin", "not downloaded", "toys.py"):
            assert fact in facts

    def test_benchmark_shows_its_parts(self, run):
        facts = run("info", "Toy.V4-mean").out
        for fact in ("toymetric", "absent-ceiling", "V4", "@misc{toydata"):
            assert fact in facts
        assert "Toy (CC0-1.0, public, 18 bytes)" in facts

    def test_what_says_nothing_is_left_out(self, run):
        facts = run("info", "toymetric").out + run("info", "ToyBare").out
        for name in ("symmetric", "options", "size"):
            assert name not in facts

    def test_member_of_a_family_and_distribution_can_be_named(self, run):
        assert "toyfamily/one (models)" in run("info", "toyfamily/one").out
        assert "A twin" in run("info", "twin@left.py").out

    def test_superseded_plugin_warns(self, run):
        assert "superseded by toy-quiet" in run("info", "toy-blind").err

    def test_json_holds_every_field(self, run):
        (card,) = run_json(run, "info", "Toy")["cards"]
        assert (card["kind"], card["size"], card["access"]) == ("data", len(CONTENT), "public")
        assert card["resources"][0]["downloaded"] is False
        (metric,) = run_json(run, "info", "toymetric")["cards"]
        assert metric["bounds"] == [None, 0.0]

    def test_unknown_identifier_is_a_usage_error_with_suggestions(self, run):
        answer = run_json(run, "info", "toy-quite", code=2)
        assert answer["error"]["type"] == "UnknownIdentifier"
        assert "toy-quiet" in answer["error"]["message"]

    def test_malformed_identifier_is_a_usage_error(self, run):
        assert run("info", "../etc").code == 2

    @pytest.mark.parametrize("name", ["twin", "toy-future"])
    def test_duplicate_and_broken_plugins_are_errors(self, run, name):
        result = run("info", name)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("Error: ")


def read_to_the_end(terminal):
    """All that is written to a terminal until nobody can write any more."""
    read = b""
    while True:
        try:
            block = os.read(terminal, 100_000)
        except OSError:  # how Linux says it
            block = b""
        if not block:
            return read
        read += block


class TestScore:
    def test_one_pair_prints_a_row_and_its_notes(self, run):
        result = run("score", "toy-quiet", "Toy.V4-mean")
        assert result.code == 0
        (row,) = rows(result.out)
        assert row == {
            "model": "toy-quiet",
            "benchmark": "Toy.V4-mean",
            "score": "0.5000",
            "95 % interval": "0.4000 to 0.6000",
            "raw": "0.4000",
            "ceiling": "0.8000",
            "normalization": "r/c",
            "status": "scored",
        }
        assert "note: a note" in result.err
        assert "[1/1] toy-quiet on Toy.V4-mean: 0.5000" in result.err

    def test_json_of_one_pair_is_one_object(self, run):
        answer = run_json(run, "score", "toy-quiet", "Toy.V4-mean", "--seed", "7")
        assert answer["schema"] == "corteval.score/1"
        assert (answer["model"], answer["value"]) == ("toy-quiet", 0.5)
        assert answer["interval"]["seed"] == 7

    def test_names_ignore_case_and_globs_expand_in_order_each_once(self, run):
        answer = run_json(run, "score", "TOY-BLIND,toy-[bq]*, toy-quiet", "toy.v4-*")
        pairs = [(cell["model"], cell["benchmark"]) for cell in answer]
        assert pairs == [
            (model, benchmark)
            for model in ("toy-blind", "toy-quiet")
            for benchmark in ("Toy.V4-mean", "Toy.V4-undefined")
        ]

    def test_undefined_and_not_applicable_are_answers(self, run):
        result = run("score", "toy-quiet,toy-blind", "Toy.V4-undefined")
        assert result.code == 0
        assert [r["status"] for r in rows(result.out)] == ["undefined", "not-applicable"]
        assert "nothing varies" in result.err and "does not support a recording of V4" in result.err

    def test_failed_cells_leave_the_others_alone_and_exit_3(self, run):
        models = "toy-wrong,toy-exits,toy-future,toy-quiet"
        result = run("score", models, "Toy.V4-mean")
        assert result.code == 3
        assert [r["status"] for r in rows(result.out)] == ["failed"] * 3 + ["scored"]
        for reason in ("the model fell over", "SystemExit", "interface 99"):
            assert reason in result.err
        assert "Traceback" not in result.err

    @pytest.mark.parametrize("arguments", [["-v", "score"], ["score", "-v"]])
    def test_verbose_shows_the_traceback_of_a_failure(self, run, arguments):
        assert "Traceback" in run(*arguments, "toy-wrong", "Toy.V4-mean").err
        assert "Traceback" not in run("score", "toy-wrong", "Toy.V4-mean").err

    def test_broken_plugin_matched_by_a_glob_is_a_failed_cell(self, run):
        answer = run_json(run, "score", "toy-f*", "Toy.V4-mean", code=3)
        assert (answer["model"], answer["status"]) == ("toy-future", "failed")

    def test_family_needs_a_member_and_globs_pass_it_over(self, run):
        assert run_json(run, "score", "ToyFamily/one", "Toy.V4-mean")["model"] == "toyfamily/one"
        assert "toyfamily/one" in run("score", "toyfamily", "Toy.V4-mean").err
        assert run("score", "toyfamily/*", "Toy.V4-mean").code == 2

    def test_distribution_is_kept(self, run):
        answer = run_json(run, "score", "Toy-Quiet@toys.py", "Toy.V4-mean")
        assert answer["model"] == "toy-quiet@toys.py"

    @pytest.mark.parametrize(
        ("models", "benchmarks"),
        [
            ("toy-loud,toy-quite", "Toy.V4-mean"),
            ("toy-loud", "Toy.V4-mean,Toi*"),
            ("toy-loud,a b", "Toy.V4-mean"),
            (",", "Toy.V4-mean"),
        ],
    )
    def test_what_matches_nothing_is_a_usage_error_before_any_compute(
        self, run, models, benchmarks
    ):
        result = run("score", models, benchmarks)
        assert (result.code, result.out) == (2, "")
        assert "printed by the model" not in result.err

    def test_suggestions_come_with_what_matches_nothing(self, run):
        assert "toy-quiet" in run("score", "toy-quite", "Toy.V4-mean").err
        assert "Toy.V4-mean" in run("score", "toy-quiet", "Toi.V4-m*").err

    @pytest.mark.parametrize(
        ("models", "benchmarks", "said"),
        [
            ("Toy.V4-mean", "toy-quiet", "Toy.V4-mean is a benchmark, not a model"),
            ("toy-quiet", "toy-q*", "toy-q* is a model, not a benchmark"),
        ],
    )
    def test_swapped_arguments_are_named_as_such(self, run, models, benchmarks, said):
        result = run("score", models, benchmarks)
        assert result.code == 2
        assert f"{said}. The order is MODELS BENCHMARKS." in result.err

    def test_duplicate_is_an_error_that_names_both_before_any_compute(self, run):
        result = run("score", "toy-loud,twin", "Toy.V4-mean")
        assert result.code == 1
        assert "twin@left.py" in result.err and "printed" not in result.err

    def test_what_plugins_print_goes_to_stderr(self, run):
        result = run("score", "toy-loud", "Toy.V4-mean", "--json")
        assert json.loads(result.out)["value"] == 0.5
        for text in ("printed by the model", "to the old stdout", "to descriptor 1"):
            assert text in result.err

    def test_quiet_draws_no_progress(self, run):
        assert "[1/1]" not in run("score", "toy-quiet", "Toy.V4-mean", "-q").err

    def test_records_are_written_whole(self, run, tmp_path):
        output = tmp_path / "records.jsonl"
        output.write_text("what was there before")
        run("score", "toy-quiet,toy-wrong", "Toy.V4-mean", "--output", str(output))
        records = [Score.from_json(line) for line in output.read_text().splitlines()]
        assert [r.status for r in records] == ["scored", "failed"]
        assert [path.name for path in tmp_path.iterdir()] == ["records.jsonl"]

    def test_impossible_output_is_refused_before_any_compute(self, run, tmp_path):
        for output in (tmp_path / "missing/records.jsonl", tmp_path):
            result = run("score", "toy-loud", "Toy.V4-mean", "--output", str(output))
            assert result.code == 2
            assert "printed" not in result.err

    def test_full_disk_costs_no_scores_and_leaves_no_half_file(self, run, tmp_path, monkeypatch):
        def full(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        result = run("score", "toy-quiet", "Toy.V4-mean", "--json", "--output", "r.jsonl")
        assert result.code == 1
        assert json.loads(result.out)["value"] == 0.5
        assert "No space left" in result.err
        assert list(tmp_path.iterdir()) == []

    def test_mirror_must_be_a_folder_or_an_address(self, run):
        assert run("score", "toy-quiet", "Toy.V4-mean", "--mirror", "nowhere").code == 2

    def test_ctrl_c_exits_130_and_keeps_what_is_done(self, environment, monkeypatch):
        monkeypatch.setenv("TOY_SECONDS", "60")
        running = process("score", "toy-quiet,toy-slow", "Toy.V4-mean")
        assert b"[1/2]" in running.stderr.readline()  # it is at work on the second
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=10)
        assert running.returncode == 130
        (row,) = rows(out.decode())
        assert (row["model"], row["status"]) == ("toy-quiet", "scored")
        assert err.endswith(b"Interrupted: 1 of 2 cells are done.\n")

    def test_interrupt_keeps_records_and_prints_one_json_list(self, run, tmp_path):
        models = "toy-quiet,toy-stopped"
        result = run("score", models, "Toy.V4-mean", "--json", "--output", "records.jsonl")
        assert result.code == 130
        assert [cell["model"] for cell in json.loads(result.out)] == ["toy-quiet"]
        assert result.err.endswith("Interrupted: 1 of 2 cells are done.\n")
        (record,) = (tmp_path / "records.jsonl").read_text().splitlines()
        assert Score.from_json(record).model == "toy-quiet"

    def test_interrupt_before_anything_is_done_prints_nothing_else(self, run, tmp_path):
        result = run("score", "toy-stopped", "Toy.V4-mean", "--output", "records.jsonl")
        assert (result.code, result.out, result.err) == (130, "", "Interrupted.\n")
        assert list(tmp_path.iterdir()) == []

    def test_terminal_gets_bars_for_long_work_and_keeps_none(self, environment, monkeypatch):
        monkeypatch.setenv("TOY_SECONDS", "1.6")
        monkeypatch.setenv("TERM", "xterm")
        outer, inner = pty.openpty()
        command = [sys.executable, "-m", "corteval", "score", "toy-slow", "Toy.V4-mean", "--json"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=inner)
        os.close(inner)
        drawn = read_to_the_end(outer).decode()  # at once: a terminal holds 4 kB
        out, _ = running.communicate(timeout=120)
        os.close(outer)
        assert json.loads(out)["value"] == 0.5
        assert "toy-slow on Toy.V4-mean" in drawn and "━" in drawn
        assert drawn.rstrip().endswith("note: a note")


class TestCite:
    def test_benchmark_brings_its_parts_and_corteval_each_entry_once(self, run):
        result = run("cite", "Toy.V4-mean", "toy-quiet")
        assert re.findall(r"@\w+\{(\w+)", result.out) == ["toydata", "other", "toy", "corteval"]
        assert "toymetric" in result.err  # has nothing to cite
        assert "absent-ceiling" in result.err  # is not installed

    def test_json_lists_cards(self, run):
        answer = run_json(run, "cite", "toy-quiet")
        assert answer["schema"] == "corteval.cite/1"
        found = {(c["kind"], c["identifier"]): c["bibtex"] for c in answer["citations"]}
        assert found["models", "toy-quiet"] == "@misc{toy, title = {Toy}}"
        assert found["software", "corteval"].startswith("@software{corteval,")

    def test_unknown_identifier_is_a_usage_error(self, run):
        assert run("cite", "nothing-of-this-name").code == 2


class TestDoctor:
    def test_problems_come_with_their_causes_and_exit_1(self, run):
        answer = run_json(run, "doctor", code=1)
        problems = {p["about"]: p for p in answer["problems"]}
        crash = problems["models crash (crash.py)"]
        assert re.match(r"ModuleNotFoundError.*crash\.py, line 1\)", crash["chain"][0])
        twins = [p for p in answer["problems"] if p["about"] == "models twin (left.py)"]
        assert "twin@left.py" in twins[0]["message"]
        text = run("doctor").out
        assert "caused by ModuleNotFoundError" in text and "interface 99" in text

    def test_healthy_installation_exits_0(self, run, monkeypatch):
        monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", "")
        registry.reload()
        result = run("doctor")
        assert result.code == 0, result.out
        assert "Problems: none" in result.out

    def test_settings_show_their_origin(self, run):
        found = {s["name"]: s for s in run_json(run, "doctor", code=1)["settings"]}
        assert set(found) == set(settings.KNOWN)
        assert "CORTEVAL_HOME" in found["home"]["origin"]
        assert found["mirror"]["origin"] == "default"

    def test_command_of_another_interpreter_is_explained(self, run, tmp_path, monkeypatch):
        other = tmp_path / "other" / "corteval"
        other.parent.mkdir()
        other.write_text("#!/bin/sh\n")
        other.chmod(0o755)
        monkeypatch.setenv("PATH", str(other.parent))
        problems = {p["about"]: p for p in run_json(run, "doctor", code=1)["problems"]}
        assert str(other) in problems["interpreter"]["message"]
        assert sys.executable in problems["interpreter"]["message"]

    @pytest.mark.parametrize(
        ("variable", "value", "about"),
        [
            ("CORTEVAL_HOME", "a-file/home", "home"),
            ("CORTEVAL_MIRROR", "unmounted", "mirror"),
            ("CORTEVAL_OFFLINE", "perhaps", "settings"),
            ("CORTEVAL_PLUGIN_PATH", "missing", "plugin_path"),
        ],
    )
    def test_bad_setting_is_a_problem(self, run, monkeypatch, variable, value, about):
        Path("a-file").touch()
        monkeypatch.setenv(variable, value)
        registry.reload()
        assert about in {p["about"] for p in run_json(run, "doctor", code=1)["problems"]}

    def test_unreadable_settings_file_is_one_problem(self, run):
        Path("corteval.toml").write_text("home = [")
        answer = run_json(run, "doctor", code=1)
        assert [p["about"] for p in answer["problems"] if "toml" in p["message"]] == ["settings"]


class TestData:
    def test_ls_says_what_is_here(self, run, folder):
        before = {r["identifier"]: r for r in rows(run("data", "ls").out)}
        assert (before["Toy"]["files"], before["Toy"]["size"]) == ("0/1", "18 bytes")
        assert before["ToyBare"]["files"] == "-"
        run("data", "fetch", "Toy", "--mirror", str(folder / "mirror"))
        after = {d["identifier"]: d for d in run_json(run, "data", "ls")["data"]}
        assert (after["Toy"]["files"], after["Toy"]["downloaded"]) == (1, 1)
        assert Path(after["Toy"]["location"]).is_dir()

    def test_fetch_prints_paths_of_verified_files(self, run, folder, tmp_path):
        result = run("data", "fetch", "toy", "--offline", "--mirror", str(folder / "mirror"))
        assert result.code == 0, result.err
        path = Path(result.out.strip())
        assert path.read_bytes() == CONTENT
        assert path.is_relative_to(tmp_path / "home")

    def test_fetch_as_json(self, run, folder):
        mirror = str(folder / "mirror")
        answer = run_json(run, "data", "fetch", "Toy", "ToyBare", "--mirror", mirror)
        assert answer["schema"] == "corteval.data-fetch/1"
        assert [f["identifier"] for f in answer["files"]] == ["Toy"]

    def test_data_without_files_say_so(self, run):
        result = run("data", "fetch", "ToyBare")
        assert (result.code, result.out) == (0, "")
        assert "nothing to download" in result.err

    def test_fetch_takes_comma_lists_and_patterns(self, run, folder):
        answer = run_json(run, "data", "fetch", "T*,toy", "--mirror", str(folder / "mirror"))
        assert [f["identifier"] for f in answer["files"]] == ["Toy"]
        assert "toy-blind is a model" in run("data", "fetch", "toy-blind").err

    def test_one_missing_file_does_not_stop_the_others(self, run, folder):
        absent = Resource(url="https://toy.example/absent.bin", sha256="0" * 64, size=3, licence="")
        lacking = replace(registry.data.card("Toy"), identifier="Lacking")
        first = replace(lacking, resources=(absent, *lacking.resources))
        other = replace(absent, url="https://toy.example/other.bin", sha256="1" * 64)
        second = replace(lacking, identifier="Lacking2", resources=(other,))
        with registry.data.temporary(first, second):
            mirror = ("--offline", "--mirror", str(folder / "mirror"))
            result = run("data", "fetch", "Lacking*", *mirror)
            answer = run_json(run, "data", "fetch", "Lacking*", *mirror, code=1)
        assert result.code == 1
        assert Path(result.out.strip()).read_bytes() == CONTENT
        assert "2 files or data sets could not be had" in result.err
        for name in ("absent.bin", "other.bin"):
            assert f"{name} (3 bytes, licence ) was not fetched" in answer["error"]["message"]

    def test_failed_download_is_an_error(self, run):
        answer = run_json(run, "data", "fetch", "Toy", "--offline", code=1)
        assert answer["error"]["type"] == "FetchError"


class TestCheck:
    @pytest.fixture
    def results(self, monkeypatch):
        """Make `run_checks` return results of the given statuses, and remember its arguments."""
        asked = []

        def give(*statuses):
            results = [
                corteval.testing.CheckResult(
                    name=f"c{n}", kind="models", identifier="toy-quiet", status=s, message="why"
                )
                for n, s in enumerate(statuses)
            ]

            def run_checks(identifier, **options):
                asked.append((identifier, options))
                return results

            monkeypatch.setattr(corteval.testing, "run_checks", run_checks)
            return asked

        return give

    def test_conformance_kit_runs_on_a_plugin(self, run):
        answer = run_json(run, "check", "toy-quiet", "--kind", "models", code=1)
        assert answer["schema"] == "corteval.check/1"
        statuses = {check["name"]: check["status"] for check in answer["checks"]}
        assert statuses["factory"] == "passed"

    @pytest.mark.parametrize(
        ("statuses", "code"),
        [
            (["passed", "skipped", "expected-failure"], 0),
            (["passed", "failed"], 1),
            (["passed", "unexpected-pass"], 1),
            (["skipped"], 1),
            ([], 1),
        ],
    )
    def test_exit_code_follows_the_results(self, run, results, statuses, code):
        results(*statuses)
        result = run("check", "toy-quiet")
        assert result.code == code
        assert [r["status"] for r in rows(result.out)] == statuses

    def test_checks_without_their_data_are_a_failure_told_once(self, run, monkeypatch):
        common = {"kind": "data", "identifier": "Toy", "message": "not fetched.\nTried: all"}
        passed = corteval.testing.CheckResult(name="card", status="passed", **common)
        lacking = replace(passed, name="schema", status="skipped", missing_data=True)
        results = [passed, lacking, replace(lacking, name="match")]
        monkeypatch.setattr(corteval.testing, "run_checks", lambda *_, **__: results)
        result = run("check", "Toy")
        assert result.code == 1
        messages = [row["message"] for row in rows(result.out)[1:]]
        assert messages == ["files could not be had, see below"] * 2
        assert "2 checks need files that could not be had, so nothing is known" in result.err
        assert result.err.count("not fetched.\nTried: all") == 1

    def test_expected_failures_are_passed_on(self, run, results):
        asked = results("passed")
        run("check", "toy-quiet", "--kind", "models", "--expect-fail", "c0=known = so")
        assert asked == [("toy-quiet", {"kind": "models", "expect_fail": {"c0": "known = so"}})]

    def test_expected_failure_without_reason_is_a_usage_error(self, run):
        assert run("check", "toy-quiet", "--expect-fail", "c0").code == 2


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
