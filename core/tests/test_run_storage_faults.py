"""Runs on disks that are full, small, read-only or far away, short of memory, and killed."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from core.tests.test_run_faults import BENCHMARK, HERE, World, failure
from core.tests.test_run_records import record

from corteval.run.records import Records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="processes are those of POSIX systems"),
]


@pytest.fixture
def world(tmp_path):
    """A home, and plugins that are models of every kind of hunger."""
    return world_in(tmp_path)


def world_in(folder, name="plugins"):
    plugins = folder / name
    plugins.mkdir()
    (plugins / "storing_models.py").write_text((HERE / "storing_models.py").read_text())
    return World(folder, plugins)


@contextlib.contextmanager
def mounted(folder, options):
    """A small disk of its own at `folder`, and a function that mounts it with other options."""
    folder.mkdir(parents=True)

    def mount(chosen):
        command = ["mount", "-t", "tmpfs", "-o", chosen, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True).returncode == 0

    if os.geteuid() or not shutil.which("mount") or not mount(options):
        pytest.skip("a small disk cannot be mounted here: it takes root and `mount`")
    try:
        yield lambda chosen: mount(f"remount,{chosen}")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def under_limit(world, limit, *arguments, code):
    """A verb under a limit of the shell; the JSON."""
    line = f'ulimit {limit}; exec "$@"'
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "corteval", *arguments]
    done = subprocess.run(command, env=world.env, capture_output=True, text=True, timeout=240)
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def events(world):
    """What happened in all runs."""
    found = []
    for path in world.home.glob("runs/*/events.ndjson"):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return found


def starts(world, model):
    return sum(e["event"] == "started" and e.get("model") == model for e in events(world))


def blocks_of(world, model):
    """Blocks that a model computed, in order."""
    return (world.home.parent / f"blocks-{model}").read_text().split()


def stored(world):
    """What the store holds of blocks, by size and value."""
    files = (world.home / "store" / "activations").rglob("B*.npy")
    arrays = [np.load(path) for path in files]
    return sorted((a.size, float(a.min()), float(a.max())) for a in arrays)


# --- Disks (rows 7 and 8) ---


def test_a_full_disk_costs_what_does_not_fit_and_is_gone_on_with_when_there_is_room(world):
    with mounted(world.home, "size=20m") as mount:
        text = world("run", "large,small,toy-vision", BENCHMARK, "--workers", "1", code=3)
        assert "left" in text and "cache gc" in text  # said before anything was computed
        report = world("status", "--json", code=3)
        assert (failure(report)["failure"], report["finished"]) == ("storage", 2)
        for said in ("no space left", "CORTEVAL_HOME"):
            assert said in failure(report)["reason"]
        assert {model for model, _ in world.records()} == {"small", "toy-vision"}
        assert not world.leftovers()
        assert 1 <= len(stored(world)) - 8 < 8  # of the large one, what did fit
        assert mount("size=80m")
        again = world.run("large,small,toy-vision", "--workers", "1")
        assert (again["computed"], again["failures"]) == (1, [])
        assert sorted({*blocks_of(world, "large")}) == [str(n) for n in range(8)]
        assert len(blocks_of(world, "large")) == 8 + 1  # the one that did not fit, twice
        assert stored(world)[8:] == [(625_000, n, n) for n in range(8)]
        assert not world.leftovers()


@pytest.mark.parametrize(
    ("model", "options"), [("stuffs", "size=20m"), ("litters", "size=20m,nr_inodes=400")]
)
def test_a_disk_without_any_room_ends_the_run_with_that_as_the_reason(world, model, options):
    with mounted(world.home, options):
        names = f"{model},small,toy-vision"
        found = world("run", names, BENCHMARK, "--workers", "2", "--json", "-q", code=1)
        assert found["error"]["type"] == "StorageFull"
        assert "no space left" in found["error"]["message"]
        assert not world.leftovers()
        for path in (world.home / "records").rglob("*.json"):
            Records(world.home / "records").read(path)
        for ballast in world.home.glob("ballast-*"):
            ballast.unlink()
        again = world.run(names, "--workers", "2")
        assert (again["failures"], again["unfinished"]) == ([], 0)
        assert {m for m, s in world.records() if s == "scored"} == {model, "small", "toy-vision"}


def test_a_limit_of_file_sizes_is_a_full_disk_too(world):
    """As a quota says it; 512-byte blocks of the shell."""
    found = under_limit(
        world, "-f 6000", "run", "large,small,toy-vision", BENCHMARK, "-q", "--json", code=3
    )
    assert failure(found)["failure"] == "storage" and found["computed"] == 2
    assert "may not become that large" in failure(found)["reason"]
    assert not world.leftovers()
    again = world.run("large,small,toy-vision")
    assert (again["computed"], again["failures"]) == (1, [])


@pytest.mark.parametrize("part", ["store", "records", "runs"])
def test_a_part_of_the_home_that_is_read_only_is_told_before_anything_is_computed(world, part):
    with mounted(world.home / part, "size=4m") as mount:
        assert mount("ro")
        start = time.monotonic()
        world("plan", "small", BENCHMARK)
        planning, start = time.monotonic() - start, time.monotonic()
        text = world("run", "small", BENCHMARK, "-q", code=1)
        assert time.monotonic() - start < planning + 2
    assert "Read-only file system" in text and "CORTEVAL_HOME" in text
    assert str(world.home / part) in text
    assert not events(world)


# --- Memory (row 9) ---


@pytest.mark.parametrize("model", ["hungry", "polite"])
def test_a_model_that_gets_no_memory_is_tried_twice_and_others_go_on(world, model):
    report = world.run(f"{model},toy-vision", "--workers", "1", code=3)
    assert failure(report)["failure"] == "memory" and report["computed"] == 1
    assert starts(world, model) == 2
    assert {m for m, _ in world.records()} == {"toy-vision"}  # to be tried again another day


def new_group():
    """A new control group of memory, of version 1 or 2; None where none can be made."""
    own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    paths = {controllers: path.strip("/") for _, controllers, path in own}
    first = Path("/sys/fs/cgroup/memory")
    second = Path("/sys/fs/cgroup")
    parents = [first / paths["memory"]] if "memory" in paths else [second / paths[""], second]
    for parent in parents:
        group = parent / f"corteval-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            if "memory" not in paths:
                (parent / "cgroup.subtree_control").write_text("+memory")
            group.mkdir()
            return group
    return None


@contextlib.contextmanager
def limited_memory(limit):
    """A control group of so many bytes: the file into which a process writes its number."""
    group = new_group() if Path("/proc/self/cgroup").exists() else None
    if group is None:
        pytest.skip("no control group can be made here: it takes root and cgroups")
    try:
        name = "memory.max" if (group / "memory.max").exists() else "memory.limit_in_bytes"
        try:
            (group / name).write_text(str(limit))
        except OSError:
            pytest.skip("control groups of memory cannot be limited here")
        yield group / "cgroup.procs"
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


def test_the_limit_of_a_control_group_is_the_one_that_is_kept_to():
    limit = 700_000_000
    with limited_memory(limit) as group:
        line = f'echo $$ > {group}; exec "$@"'
        program = "from corteval.memory import tightest; print(*tightest(), sep='|')"
        command = ["sh", "-c", line, "sh", sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    name, left = done.stdout.strip().split("|")
    assert name == f"the control group {group.parent}"
    assert 0.8 * limit < int(left) < limit  # what Python itself holds is used up


def test_a_model_that_the_kernel_ends_for_want_of_memory_is_told_from_one_that_was_killed(world):
    with limited_memory(1_500_000_000) as group:
        arguments = ["run", "devours,toy-vision", BENCHMARK, "-q", "--json", "--workers", "1"]
        line = f'echo $$ > {group}; exec "$@"'
        command = ["sh", "-c", line, "sh", sys.executable, "-m", "corteval", *arguments]
        done = subprocess.run(command, env=world.env, capture_output=True, text=True, timeout=240)
        assert done.returncode == 3, (done.stdout, done.stderr)
    report = json.loads(done.stdout)
    assert failure(report)["failure"] == "memory" and report["computed"] == 1
    assert "kernel" in failure(report)["reason"] and starts(world, "devours") == 2


# --- Deaths (rows 1 and 2) ---


def test_of_a_recording_that_dies_again_and_again_one_block_a_death_is_computed_twice(world):
    world.run("dying,toy-vision", "--workers", "1", code=3)
    world.run("dying,toy-vision", "--workers", "1")
    deaths = len([*world.home.parent.glob("died-dying-*")])
    assert deaths == 4
    assert len(blocks_of(world, "dying")) == 8 + deaths
    assert stored(world) == [(1250, n, n) for n in range(8)]
    assert starts(world, "dying") == 1 + deaths


#: Ends a process of a run, once, at a call that changes the disk.
DEATH = """
import os, signal, sys

def dying(call, part, when):
    genuine = getattr(os, call)

    def mine(arguments):
        if "corteval.run." not in " ".join(sys.orig_argv):
            return False
        named = [f"/proc/self/fd/{a}" if isinstance(a, int) else os.fspath(a) for a in arguments]
        named = [os.readlink(n) if n.startswith("/proc/self/fd") else n for n in named]
        if not any(part in n for n in named):
            return False
        try:
            os.mkdir(os.environ["HOME"] + "/dead")
        except FileExistsError:
            return False
        return True

    def wrapped(*arguments, **more):
        now = mine(arguments)
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = genuine(*arguments, **more)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(os, call, wrapped)

dying(*os.environ["PYTHON_DEATH"].split(" "))
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Digests of the records of a run that nothing disturbs."""
    world = world_in(tmp_path_factory.mktemp("undisturbed"))
    world.run("small,toy-vision", "--workers", "1")
    return digests(world.home)


def digests(home):
    """Scores to the last digit; keys of one-file plugins say where the file lies."""
    kept = Records(home / "records")
    return sorted((r.cell.model, replace(r, key="").digest) for r in map(kept.read, kept.paths()))


@pytest.mark.parametrize(
    "point",
    [
        "replace /records/ before",
        "replace /records/ after",
        "fsync /records/ before",
        "replace /done/ before",
        "replace /done/ after",
        "unlink /leases/ before",
        "replace manifest.json before",
        "replace manifest.json after",
        "fsync /activations/ after",
    ],
)
def test_death_while_something_is_published_is_got_over_within_the_run(
    world, tmp_path, undisturbed, point
):
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(DEATH)
    more = {"PYTHONPATH": str(shim), "PYTHON_DEATH": point}
    report = world.run("small,toy-vision", "--workers", "1", **more)
    assert (world.home.parent / "dead").is_dir(), "it did not die"
    assert (report["failures"], report["unfinished"]) == ([], 0)
    assert digests(world.home) == undisturbed
    assert "none damaged" in world("verify")
    assert stored(world) == [(12_500, n, n) for n in range(8)]
    again = world.run("small,toy-vision")
    assert (again["computed"], again["cached"]) == (0, 2)


# --- Clocks and names (rows 32 and 33) ---

#: A clock that jumps by an hour, there and back, at every look.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long jump(void) {
    static unsigned state;
    state = (state ? state : (unsigned)getpid()) * 1103515245u + 12345u;
    return ((long)((state >> 16) % 3) - 1) * 3600;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*genuine)(clockid_t, struct timespec *);
    if (!genuine)
        genuine = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = genuine(clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += jump();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec fine;
    int result = clock_gettime(CLOCK_REALTIME, &fine);
    now->tv_sec = fine.tv_sec;
    now->tv_usec = fine.tv_nsec / 1000;
    return result;
}

time_t time(time_t *now) {
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    if (now)
        *now = fine.tv_sec;
    return fine.tv_sec;
}
"""


@pytest.fixture
def jumping(tmp_path):
    """The environment in which clocks of processes jump."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("a clock that jumps takes Linux and a C compiler")
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    more = {"LD_PRELOAD": str(library)}
    look = "import time; print(*{round(time.time() / 3600) for _ in range(60)})"
    hours = subprocess.run(
        [sys.executable, "-c", look], env=os.environ | more, capture_output=True, text=True
    ).stdout.split()
    assert len(hours) >= 3, "the clock does not jump"
    return more


def test_under_clocks_that_jump_two_runs_that_begin_together_compute_each_cell_once_or_alike(
    world, jumping, undisturbed
):
    matrices = ("small,toy-vision", "small,toy-vision", "toy-vision,draws")
    runs = [
        world.start("run", m, BENCHMARK, "-q", "--json", "--workers", "1", **jumping)
        for m in matrices
    ]
    said = [(p.communicate(timeout=240), p.returncode) for p in runs]
    assert [code for _, code in said] == [0, 0, 0], said
    assert len([*(world.home / "runs").iterdir()]) == 2
    found = [d for d in digests(world.home) if d[0] != "draws"]
    assert found == undisturbed
    finished = [
        (e["run"], e["model"])
        for path in world.home.glob("runs/*/events.ndjson")
        for e in (
            {**json.loads(line), "run": path.parent.name} for line in path.read_text().splitlines()
        )
        if e["event"] == "finished" and e.get("kind") == "score"
    ]
    assert len(finished) == len(set(finished)) == 4  # in each run, each cell once
    assert not [*world.home.glob("runs/*/leases/*")]
    started = [r.measured.started for r in world.records().values()]
    assert len(started) == 3


def test_spaces_newlines_quotes_and_emoji_in_paths_change_nothing(tmp_path, undisturbed):
    folder = tmp_path / "a b\n'c' \"$d\" \N{PILE OF POO}"
    folder.mkdir()
    world = world_in(folder, "plug ins\n\N{PILE OF POO}")
    temporary = folder / "t m p"
    temporary.mkdir()
    more = {"TMPDIR": str(temporary)}
    at = folder / "the run\n1"
    world.run("small,toy-vision", "--workers", "2", "--folder", str(at), **more)
    assert digests(world.home) == undisturbed
    assert world("status", str(at), "--json")["by_status"] == {"scored": 2}
    assert world("verify", "--json")["damage"] == []
    assert len(world("leaderboard", BENCHMARK, "--json")["ranked"]) == 2
    assert not [*temporary.iterdir()]  # what models were shown is gone


# --- Records that were edited or replayed (row 31) ---


def test_edited_and_replayed_records_are_named_and_left_out_of_boards_and_reports(world, tmp_path):
    kept = Records(world.home / "records")
    paths = {name: kept.add(record(0.5, model=name)) for name in ("toy-vision", "small", "large")}
    edited = paths["small"].read_text().replace('"value":0.5', '"value":0.9')
    paths["small"].write_text(edited)
    replayed = kept.folder / "better" / paths["toy-vision"].name
    replayed.parent.mkdir()
    replayed.write_bytes(paths["toy-vision"].read_bytes())
    text = world("verify", code=1)
    assert "4 records" in text and "2 damaged or changed" in text
    damage = {d["record"]: d["reason"] for d in world("verify", "--json", code=1)["damage"]}
    assert damage.keys() == {str(paths["small"]), str(replayed)}
    assert "content.score.raw, content.score.value" in damage[str(paths["small"])]
    assert "in the folder of another" in damage[str(replayed)]
    process = world.start("leaderboard", BENCHMARK, "--json")
    out, said = process.communicate(timeout=240)
    assert {row["model"] for row in json.loads(out)["ranked"]} == {"toy-vision", "large"}
    assert str(paths["small"]) in said and str(replayed) in said
    page = tmp_path / "page.html"
    world("report", BENCHMARK, "--output", str(page))
    assert "2 damaged records are left out" in page.read_text()


# --- What records say (rows 14, 21, 22, 42, 44) ---


def test_a_retry_is_told_by_the_record_since_chance_had_two_goes(world):
    world.run("draws,toy-vision", "--workers", "1")
    retries = {m: r.measured.retries for (m, _), r in world.records().items()}
    assert retries == {"draws": 1, "toy-vision": 0}
    assert [e["failure"] for e in events(world) if e["event"] == "retry"] == ["killed"]


def test_no_token_reaches_a_log_an_event_a_record_or_a_report(world, tmp_path):
    canaries = {
        "HF_TOKEN": "hf_canary_1234567890",
        "AWS_SECRET_ACCESS_KEY": "aws+canary/1234567890=",
        "PYTHON_PASSWORD": 'can"ary\\word 99',
    }
    text = world("run", "blabs,toy-vision", BENCHMARK, code=3, **canaries)
    text += world("status", code=3, **canaries) + world("leaderboard", BENCHMARK, **canaries)
    world("report", BENCHMARK, "--output", str(tmp_path / "page.html"), **canaries)
    files = [p for p in world.home.rglob("*") if p.is_file()] + [tmp_path / "page.html"]
    secrets = [*canaries.values(), "pass-word-9", "tok-9-en", 'can\\"ary', "1234567890"]
    for content in (text, *(p.read_bytes().decode("utf-8", "replace") for p in files)):
        assert not [s for s in secrets if s in content], content[:2000]
    said = "".join(p.read_text() for p in world.home.glob("runs/*/logs/model-*"))
    assert "HF_TOKEN=***" in said and "OMP_NUM_THREADS=1" in said
    assert "it failed with" in world.records()["blabs", "failed"].score.reason


CHANGING = """
from dataclasses import replace
from corteval.cards import ModelCard
from corteval.testing import toys

MODEL = ModelCard(identifier="changing", factory=f"{__name__}:build", summary="s", licence="MIT")

def build():
    return replace(toys.vision(), identifier="changing", extractor=toys.Patches(grid=GRID))
"""

PICTURES = """
from dataclasses import dataclass, replace
import numpy as np
from corteval.testing import toys

DATA = replace(toys.DATA, identifier="Pictures", factory=f"{__name__}:Pictures")
BENCHMARK = replace(toys.BENCHMARK, identifier="Pictures.IT", data=("Pictures",))

@dataclass(frozen=True, kw_only=True)
class Pictures:
    def stimuli(self):
        shown = toys.ToyData().stimuli()
        pixels = {i: np.array(shown.image(i)) for i in shown.stimulus_ids}
        pixels["image-000"][0, 0, 0] = PIXEL
        return replace(shown, images=toys.Pictures(pixels=pixels))

    def assembly(self):
        return toys.ToyData().assembly()
"""


def test_what_changed_is_computed_anew_nothing_else_is_and_old_records_stay(world):
    plugins = Path(world.env["CORTEVAL_PLUGIN_PATH"])
    model, data = plugins / "changing.py", plugins / "pictures.py"
    both = f"{BENCHMARK},Pictures.IT"

    def run():
        found = world("run", "changing,toy-vision", both, "--json", "-q", "--workers", "1")
        return found["computed"], found["cached"]

    def names():
        kept = Records(world.home / "records")
        return {p.stem: kept.read(p) for p in kept.paths()}

    model.write_text(CHANGING.replace("GRID", "4"))
    data.write_text(PICTURES.replace("PIXEL", "7"))
    assert run() == (4, 0)
    first = names()
    model.write_text(CHANGING.replace("GRID", "5"))
    assert run() == (2, 2)  # the model's cells
    second = names()
    data.write_text(PICTURES.replace("PIXEL", "8"))
    assert run() == (2, 2)  # those of the data
    third = names()
    assert first.keys() < second.keys() < third.keys() and len(third) == 8
    assert {r.cell.model for n, r in second.items() if n not in first} == {"changing"}
    assert {r.cell.benchmark for n, r in third.items() if n not in second} == {"Pictures.IT"}
    stimuli = {r.parents["stimuli"] for r in third.values() if r.cell.benchmark == "Pictures.IT"}
    assert len(stimuli) == 2
    assert run() == (0, 4)


TWICE = """
from corteval.cards import ModelCard
from corteval.testing import toys
CARD = ModelCard(identifier="twice", factory=f"{__name__}:build", summary="s", licence="MIT")
def build():
    return toys.vision()
"""


def test_of_two_packages_with_one_identifier_a_run_wants_to_know_which(world, tmp_path):
    site = tmp_path / "site"
    for name in ("first", "second"):
        info = site / f"dist_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"twice_{name}.py").write_text(TWICE)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{name}\nVersion: 1.0\n")
        entry = f"[corteval.models]\ntwice = twice_{name}:CARD\n"
        (info / "entry_points.txt").write_text(entry)
    more = {"PYTHONPATH": str(site)}
    text = world("run", "twice,toy-vision", BENCHMARK, "-q", code=1, **more)
    assert "dist-first" in text and "dist-second" in text and "twice@dist-" in text
    assert not events(world)
    names = "twice@dist-first,twice@dist-second,toy-vision"
    assert world.run(names, "--workers", "1", **more)["computed"] == 3
    models = {r.cell.model: r.score.model for r in world.records().values()}
    assert models == {name: name for name in names.split(",")}
    assert "none damaged" in world("verify")
