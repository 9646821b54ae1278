"""Runs with models that crash, hang, hunt and fill: one cell is lost at most, and nothing else."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corteval.errors import OptionError
from corteval.run import isolation
from corteval.run.records import Records

HERE = Path(__file__).parent
BENCHMARK = "ToyData.IT-predictivity"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="processes are those of POSIX systems"),
]


@pytest.fixture
def world(tmp_path):
    """A home, and plugins that are models of every kind of badness."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "hostile_models.py").write_text((HERE / "hostile_models.py").read_text())
    return World(tmp_path, plugins)


class World:
    """Runs of the command line, in an environment of their own."""

    def __init__(self, folder, plugins):
        self.home = folder / "corteval home \N{SNOWMAN}"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CORTEVAL_")},
            "CORTEVAL_HOME": str(self.home),
            "CORTEVAL_PLUGIN_PATH": str(plugins),
            "HOME": str(folder),
            "OMP_NUM_THREADS": "1",
        }

    def start(self, *arguments, **more):
        return subprocess.Popen(
            [sys.executable, "-m", "corteval", *arguments],
            env=self.env | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *arguments, code=0, timeout=240, **more):
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=timeout)
        assert process.returncode == code, (process.returncode, out, err)
        return json.loads(out) if "--json" in arguments else out + err

    def run(self, models, *arguments, code=0, **more):
        return self("run", models, BENCHMARK, "--json", "-q", *arguments, code=code, **more)

    def records(self):
        kept = Records(self.home / "records")
        return {(r.cell.model, r.score.status): r for r in map(kept.read, kept.paths())}

    def leftovers(self):
        return [p for p in self.home.rglob("*") if p.name.endswith(".tmp")]


def failure(report):
    (found,) = report["failures"]
    return found


def test_executors_agree_byte_for_byte_and_a_second_run_does_nothing(world):
    first = world.run("toy-vision,chatters", "--workers", "2")
    assert (first["computed"], first["failures"]) == (2, [])
    here = {k: r.digest for k, r in world.records().items()}
    again = world.run("toy-vision,chatters", "--workers", "2")
    assert (again["computed"], again["cached"]) == (0, 2)
    elsewhere = world.home.with_name("elsewhere")
    more = {"CORTEVAL_HOME": str(elsewhere)}
    world.run("toy-vision,chatters", "--executor", "serial", **more)
    other = Records(elsewhere / "records")
    assert {r.digest for r in map(other.read, other.paths())} == set(here.values())
    assert "none damaged" in world("verify")


def test_pull_workers_do_a_run_together(world):
    world.run("raises", code=3)
    (folder,) = [p.parent for p in (world.home / "runs").glob("*/plan.json")]
    world("cancel", folder.name)
    for name in ("done", "attempts"):
        for path in (folder / name).iterdir():
            path.unlink()
    (folder / "cancelled").unlink()
    both = [world.start("worker", "--run", str(folder)) for _ in range(2)]
    assert [p.wait(120) for p in both] == [0, 0]
    events = [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines()]
    assert [e["event"] for e in events].count("failed") == 2  # one of the run, one of the pair


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        ("segfault", "crash", "SIGSEGV"),
        ("leaves", "crash", "exit code 7"),
        ("killed", "killed", "SIGKILL"),
        ("raises", "error", "the plugin is wrong"),
        ("full", "memory", "Unable to allocate"),
    ],
)
def test_a_bad_model_costs_its_cell_and_says_why(world, model, kind, said):
    report = world.run(f"{model},toy-vision", "--workers", "2", code=3)
    assert failure(report)["failure"] == kind and said in failure(report)["reason"]
    assert report["computed"] == 1 and report["unfinished"] == 0
    assert ("toy-vision", "scored") in world.records()
    if model == "segfault":
        assert "last words of a model" in failure(report)["reason"]


def test_transient_failures_are_tried_three_times_and_memory_twice(world):
    report = world.run("killed,full", "--workers", "1", code=3)
    assert len(report["failures"]) == 2
    (folder,) = (world.home / "runs").iterdir()
    events = [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines()]
    starts = [e["model"] for e in events if e["event"] == "started"]
    assert (starts.count("killed"), starts.count("full")) == (3, 2)


def test_what_went_wrong_once_goes_well_the_second_time(world):
    report = world.run("once", "--workers", "1")
    assert report["computed"] == 1
    assert world("status", "--json")["by_status"] == {"scored": 1}


def test_a_model_that_hangs_is_ended_and_others_go_on(world):
    report = world.run("hangs,toy-vision", "--workers", "1", "--timeout", "20", code=3)
    assert failure(report)["failure"] == "timeout" and report["computed"] == 1


def test_failures_are_retried_when_asked_for(world):
    world.run("raises", code=3)
    assert world.run("raises", code=3)["computed"] == 0
    (folder,) = (world.home / "runs").iterdir()
    before = (folder / "events.ndjson").read_text().count('"started"')
    world("retry", "--failed", "-q", code=3)
    assert (folder / "events.ndjson").read_text().count('"started"') == before + 1


def test_a_model_that_meddles_changes_nobody_elses_score(world):
    world.run("toy-vision", "--workers", "1")
    alone = world.records()["toy-vision", "scored"].digest
    fresh = {"CORTEVAL_HOME": str(world.home.with_name("fresh"))}
    world.run("meddles,toy-vision", "--workers", "1", **fresh)
    kept = Records(world.home.with_name("fresh") / "records")
    digests = {r.cell.model: r.digest for r in map(kept.read, kept.paths())}
    assert digests["toy-vision"] == alone


def test_a_model_that_prints_without_end_fills_no_disk(world):
    world.run("chatters")  # 20 MB
    (folder,) = (world.home / "runs").iterdir()
    sizes = [p.stat().st_size for p in (folder / "logs").iterdir()]
    assert max(sizes) <= 10_000_000


def test_a_model_that_hunts_finds_neither_responses_nor_names(world):
    world.run("hunts", "--workers", "1")
    found = json.loads((world.home.parent / "found.json").read_text())
    # the toy data have 30 or so stimuli of several neuroids and trials: nothing of that shape
    assert not [s for s, _ in found["arrays"] if len(s) >= 2 and min(s) > 1 and s[-1] > 3]
    assert found["ids"] == [f"s{n:06d}" for n in range(len(found["ids"]))]
    assert found["columns"] == [] and found["name"] == "stimuli"
    assert not [n for n in found["environment"] if n.startswith("CORTEVAL")]
    text = json.dumps([found["environment"], found["command"], found["folder"]])
    assert "ToyData" not in text and "predictivity" not in text
    assert {Path(name).suffix for name, _ in found["siblings"]} == {".npy"}
    assert len({moment for _, moment in found["siblings"]}) == 1
    assert not [f for f in found["files"] if "records" in f or "plan.json" in f]
    plugins = {m for m in found["modules"] if m.startswith("corteval_") and "." in m}
    assert not [m for m in plugins if not m.endswith((".card", ".cards", "hooks"))][:5]


def why_no_sandbox():
    """What keeps bubblewrap from working here."""
    try:
        isolation.check("sandbox")
    except OptionError as error:
        return str(error)
    return ""


@pytest.mark.skipif(bool(why_no_sandbox()), reason=why_no_sandbox())
def test_in_a_sandbox_there_is_neither_a_network_nor_a_home(world, tmp_path, monkeypatch):
    secret, beside = world.home.parent / "responses.csv", tmp_path / "desk" / "responses.csv"
    beside.parent.mkdir()
    for file in (secret, beside):
        file.write_text("1,2,3")
    monkeypatch.chdir(beside.parent)  # `python -m` searches it for modules
    report = world.run("prowls,toy-vision", "--workers", "1", "--isolate", "sandbox")
    assert report["computed"] == 2
    (folder,) = (world.home / "runs").iterdir()
    said = "".join(p.read_text() for p in (folder / "logs").glob("model-*"))
    (line,) = [n for n in said.splitlines() if n.startswith("found: ")]
    found = json.loads(line.removeprefix("found: "))
    assert not found["network"] and not found["home"]
    assert not {str(secret), str(beside)} & {*found["readable"]}
    # what it is shown, what was recorded, and the sandbox's own: no run, record or data set
    assert not [n for n in found["readable"] if "records" in n or "runs" in n or "data" in n]
    assert {r.isolation for r in world.records().values()} == {"sandbox"}


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_ends_the_run_and_the_same_command_goes_on(world, times):
    process = world.start("run", "slow,toy-vision", BENCHMARK, "-q", "--workers", "1", "--json")
    events = world.home / "runs"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any('"started"' in p.read_text() for p in events.glob("*/events.ndjson")):
            break
        time.sleep(0.1)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    process.communicate(timeout=60)
    assert process.returncode == 130
    (folder,) = events.iterdir()
    assert not [*(folder / "leases").iterdir()] or times == 2
    report = world.run("slow,toy-vision", "--workers", "1")
    assert report["failures"] == [] and report["unfinished"] == 0
    assert {m for m, s in world.records()} == {"slow", "toy-vision"}
    assert not world.leftovers()


def test_an_interrupt_is_answered_at_once_and_the_last_line_tells_how_to_go_on(world):
    process = world.start("run", "slow", BENCHMARK, "--workers", "1")
    runs = world.home / "runs"
    while not any('"started"' in p.read_text() for p in runs.glob("*/events.ndjson")):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if line.startswith("Stopping; "):
            break
    assert "Ctrl-C again kills" in line
    (folder,) = runs.iterdir()
    assert '"interrupted"' not in (folder / "events.ndjson").read_text()  # workers stop after it
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    last = err.splitlines()[-1]
    assert last == f"Next: `corteval retry {folder.name} --workers 1` goes on."
    told = world(*last.split("`")[1].split()[1:], "--json", "-q")
    assert (told["unfinished"], told["by_status"]) == (0, {"scored": 1})


def test_what_was_set_by_flags_holds_where_models_run(world, tmp_path):
    mirror = tmp_path / "a mirror"
    mirror.mkdir()
    world.run("tells", "--workers", "1", "--mirror", str(mirror), "--offline")
    (folder,) = (world.home / "runs").iterdir()
    said = "".join(p.read_text() for p in (folder / "logs").glob("model-*"))
    (line,) = [n for n in said.splitlines() if n.startswith("found: ")]
    found = json.loads(line.removeprefix("found: "))
    assert found == {"mirror": str(mirror), "offline": "1"}


def test_paths_from_the_working_folder_hold_where_models_run(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a mirror").mkdir()
    more = {"CORTEVAL_HOME": "own home", "CORTEVAL_PLUGIN_PATH": "plugins"}
    world.run("tells", "--workers", "1", "--mirror", "a mirror", **more)
    (folder,) = (tmp_path / "own home" / "runs").iterdir()
    said = "".join(p.read_text() for p in (folder / "logs").glob("model-*"))
    (line,) = [n for n in said.splitlines() if n.startswith("found: ")]
    assert json.loads(line.removeprefix("found: "))["mirror"] == str(tmp_path / "a mirror")


def test_each_record_says_where_its_own_model_ran(world):
    world.run("toy-vision,recorded-one", "--workers", "1")
    where = {model: r.isolation for (model, _), r in world.records().items()}
    assert where == {"toy-vision": "process", "recorded-one": "none"}


def test_a_run_that_is_terminated_frees_its_leases(world):
    process = world.start("run", "slow", BENCHMARK, "-q", "--workers", "1")
    runs = world.home / "runs"
    while not any('"started"' in p.read_text() for p in runs.glob("*/events.ndjson")):
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    (folder,) = runs.iterdir()
    assert not [*(folder / "leases").iterdir()]


def test_runs_that_are_killed_again_and_again_lose_nothing(world):
    names = "toy-vision,once,slow"
    for wait in (2.0, 4.0, 6.0, 8.0):
        process = world.start("run", names, BENCHMARK, "-q", "--workers", "2")
        time.sleep(wait)
        for pid in _tree(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.communicate(timeout=60)
        for path in (world.home / "records").rglob("*.json"):
            Records(world.home / "records").read(path)  # whole, or not there
    report = world.run(names, "--workers", "2")
    assert report["failures"] == [] and report["unfinished"] == 0
    assert {m for m, s in world.records()} == set(names.split(","))


def _tree(pid):
    """A process and all it started."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            if parent == pid:
                found += _tree(int(entry.name))
    return found


def test_two_runs_of_the_same_share_the_work(world):
    both = [
        world.start("run", "slow,toy-vision", BENCHMARK, "-q", "--workers", "1", "--json")
        for _ in range(2)
    ]
    codes = [(p.communicate(timeout=240), p.returncode)[1] for p in both]
    assert codes == [0, 0]
    (folder,) = (world.home / "runs").iterdir()
    events = [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines()]
    finished = [e["model"] for e in events if e["event"] == "finished" and e["kind"] == "score"]
    assert sorted(finished) == ["slow", "toy-vision"]


def test_a_home_that_cannot_be_written_to_is_told_before_anything_is_computed(world):
    world.home.parent.joinpath("file").write_text("")
    text = world(
        "run", "toy-vision", BENCHMARK, "-q", code=1,
        CORTEVAL_HOME=str(world.home.parent / "file" / "below"),
    )  # fmt: skip
    assert "cannot be kept" in text and "CORTEVAL_HOME" in text


@pytest.mark.parametrize("name", ["C", "C.UTF-8", "tr_TR.UTF-8"])
def test_the_locale_changes_nothing(world, name):
    world.run("toy-vision")
    here = world.records()["toy-vision", "scored"].digest
    elsewhere = world.home.with_name("elsewhere")
    world.run("toy-vision", CORTEVAL_HOME=str(elsewhere), LC_ALL=name, LANG=name)
    kept = Records(elsewhere / "records")
    assert [r.digest for r in map(kept.read, kept.paths())] == [here]
