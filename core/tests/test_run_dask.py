"""Runs by Dask: the same records as by any other executor, and deaths that cost one task."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from core.tests.test_run_faults import BENCHMARK, HERE, World, failure

from corteval.errors import OptionError
from corteval.run.cells import Cell
from corteval.run.dask_address import parsed
from corteval.run.dask_executor import imported
from corteval.run.executors import executor_named
from corteval.run.folder import Outcome, RunFolder
from corteval.run.order import Order
from corteval.run.plan import Plan, Task
from corteval.run.records import Records

SHORT = "dask://local?workers=1"


@pytest.mark.parametrize(
    ("address", "kind", "scheduler"),
    [
        ("dask://local?workers=3", "local", ""),
        ("dask://tcp://10.0.0.7:8786", "address", "tcp://10.0.0.7:8786"),
        ("dask://node7:8786?gpu=1", "address", "tcp://node7:8786"),
        ("dask://slurm?partition=gpu&gres=gpu:1", "slurm", ""),
    ],
)
def test_an_address_says_where_workers_are(address, kind, scheduler):
    found = parsed(address)
    assert (found.kind, found.scheduler) == (kind, scheduler)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("dask://locl", "neither a cluster nor a scheduler"),
        ("dask://local?worker=2", "no option 'worker'"),
        ("dask://local?workers=two", "workers is a number from 1 on"),
        ("dask://local?workers=2&workers=3", "given twice"),
        ("dask://slurm?jobs=0", "jobs is a number from 1 on"),
        ("dask://slurm?walltime=soon", "'soon' is no time"),
        ("dask://slurm?partition=", "partition has no value"),
        ("dask://pbs?gres=gpu:1", "no option 'gres'"),
    ],
)
def test_a_wrong_address_is_told(address, said):
    with pytest.raises(OptionError, match=said):
        executor_named(address, workers=1)


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OptionError, match=r"pip install 'corteval\[dask\]'"):
        executor_named("dask://local", workers=1)


def test_jobs_of_slurm_ask_for_what_the_address_says(tmp_path):
    if find_spec("dask_jobqueue") is None:
        pytest.skip("the extra corteval[dask] is not installed")
    before = signal.getsignal(signal.SIGINT)
    jobqueue = imported("dask_jobqueue.slurm")
    assert signal.getsignal(signal.SIGINT) is before  # Ctrl-C is still an interrupt
    address = parsed(
        "dask://slurm?partition=gpu&gres=gpu:1&gpu=1&cores=4&memory=16GiB&walltime=04:00:00"
        "&account=lab&directive=--constraint=a100&prologue=module load cuda&python=/a b/python"
    )
    options = address.job_options(tmp_path / "a folder", "1a2b")
    options.pop("scheduler_options")
    text = jobqueue.SLURMJob("tcp://10.0.0.1:8786", name="x", **options).job_script()
    lines = text.splitlines()
    for line in (
        "#SBATCH -p gpu", "#SBATCH -A lab", "#SBATCH --cpus-per-task=4", "#SBATCH --mem=16G",
        "#SBATCH -t 04:00:00", "#SBATCH --gres=gpu:1", "#SBATCH --constraint=a100",
        f'#SBATCH --output="{tmp_path}/a folder/slurm-%J.log"', "module load cuda",
    ):  # fmt: skip
        assert line in lines
    worker = lines[-1]
    assert worker.startswith("'/a b/python' -m distributed.cli.dask_worker")
    # one task at a time, and an end before that of the job: 4 h less two minutes
    assert worker.endswith("--nthreads 1 --memory-limit 0 --resources GPU=1 --lifetime 14280s")


def test_graphics_cards_that_are_visible_are_shared_out(monkeypatch):
    address = parsed("dask://local?gpu=2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,7")
    assert address.cards() == ["3", "5"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert address.cards() == ["0", "1"]


@pytest.fixture
def run(tmp_path):
    """A run of two models on two benchmarks that share stimuli."""
    cells = [Cell(model=m, benchmark=b) for m in "mn" for b in "ab"]
    keys = dict(zip(cells, "1234", strict=True))
    ceiling = Task(kind="ceiling", cells=(cells[0], cells[2]), keys=("1", "3"))
    tasks = [ceiling]
    for m in "mn":
        own = tuple(c for c in cells if c.model == m)
        pass_ = Task(kind="prepare", cells=own, keys=tuple(keys[c] for c in own))
        tasks.append(pass_)
        for cell in own:
            after = (pass_.identity, *([ceiling.identity] if cell.benchmark == "a" else []))
            tasks.append(Task(kind="score", cells=(cell,), keys=(keys[cell],), after=after))
    plan = Plan(
        models=("m", "n"), benchmarks=("a", "b"), seed=0, isolation="process", known=(),
        tasks=tuple(tasks),
    )  # fmt: skip
    return RunFolder.create(plan, tmp_path / "run")


def test_tasks_come_in_the_order_of_the_plan_and_after_what_they_build_on(run):
    order = Order(run)
    ceiling, first, second = order.next(), order.next(), order.next()
    assert [t.kind for t in (ceiling, first, second)] == ["ceiling", "prepare", "prepare"]
    assert order.next() is None
    order.ended(second)
    on_b = order.next()
    assert (on_b.cells[0].model, on_b.cells[0].benchmark) == ("n", "b")
    assert order.next() is None  # the ceiling of the other benchmark is not there yet
    order.ended(ceiling)
    assert order.next().cells[0] == Cell(model="n", benchmark="a")
    order.again(first, 0.0)
    assert order.next() == first
    assert len(order) == 5
    order.close()
    assert not order and order.next() is None


def test_what_is_done_already_is_not_sent(run):
    for task in run.plan.tasks[:-1]:
        run.finish(task, Outcome(status="done"))
    order = Order(run)
    assert (order.next(), order.next()) == (run.plan.tasks[-1], None)


def test_only_tasks_of_the_kinds_asked_for_are_sent(run):
    order = Order(run, ("ceiling",))
    assert (order.next(), order.next()) == (run.plan.tasks[0], None)


@pytest.fixture
def world(tmp_path):
    """A home, and plugins that are models of every kind of badness."""
    pytest.importorskip("distributed", reason="the extra corteval[dask] is not installed")
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name in ("hostile_models.py", "lingering_models.py"):
        (plugins / name).write_text((HERE / name).read_text())
    return World(tmp_path, plugins)


def events(world):
    """What happened in the only run."""
    lines = []
    for path in world.home.glob("runs/*/events.ndjson"):
        lines += path.read_text().splitlines()
    return [json.loads(line) for line in lines]


def starts(world, model):
    return sum(e["event"] == "started" and e.get("model") == model for e in events(world))


def wait_for(happened, seconds=120):
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def processes(*parts):
    """Numbers of the processes whose command lines have all `parts`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if all(part in command for part in parts):
                found.append(int(entry.name))
    return found


def contents(home):
    """Records without what differs from run to run, by name."""
    kept = Records(home / "records")
    return {p.name: json.dumps(json.loads(p.read_text())["content"]) for p in kept.paths()}


@pytest.mark.slow
def test_all_executors_make_the_same_records_byte_for_byte(world):
    names = "toy-vision,chatters"
    homes = {name: world.home.with_name(name) for name in ("serial", "local", "dask", "pull")}
    for name, executor in (("serial", "serial"), ("local", "local"), ("dask", "dask://local")):
        more = {"CORTEVAL_HOME": str(homes[name])}
        report = world.run(names, "--executor", executor, "--workers", "2", **more)
        assert (report["computed"], report["failures"]) == (2, [])
    more = {"CORTEVAL_HOME": str(homes["pull"])}
    folder = world.run(names, "--executor", "none", code=3, **more)["folder"]
    both = [world.start("worker", "--run", folder, **more) for _ in range(2)]
    assert [(p.communicate(timeout=240), p.returncode)[1] for p in both] == [0, 0]
    found = [contents(home) for home in homes.values()]
    assert len(found[0]) == 2
    assert all(other == found[0] for other in found[1:])


@pytest.mark.slow
def test_a_dask_worker_that_is_killed_costs_the_task_it_was_at(world):
    process = world.start(
        "run", "toy-vision,lingers", BENCHMARK, "-q", "--json",
        "--executor", "dask://local?workers=2",
    )  # fmt: skip
    wait_for((world.home.parent / "lingered").exists)
    wait_for(lambda: any(m == "toy-vision" for m, _ in world.records()))
    (lease,) = world.home.glob("runs/*/leases/*")
    os.kill(parent_of(json.loads(lease.read_text())["pid"]), signal.SIGKILL)
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert json.loads(out)["computed"] == 2
    assert (starts(world, "toy-vision"), starts(world, "lingers")) == (1, 2)


@pytest.mark.slow
def test_a_task_that_kills_its_dask_workers_is_lost_and_no_other(world):
    report = world.run("poison,toy-vision", "--executor", SHORT, code=3)
    assert failure(report)["failure"] == "lost" and "KilledWorker" in failure(report)["reason"]
    assert failure(report)["model"] == "poison"
    assert (report["computed"], report["unfinished"]) == (1, 0)
    assert (starts(world, "poison"), starts(world, "toy-vision")) == (3, 1)


@pytest.mark.slow
def test_failures_are_those_of_every_executor(world):
    report = world.run("killed,raises,toy-vision", "--executor", "dask://local?workers=2", code=3)
    kinds = {f["model"]: f["failure"] for f in report["failures"]}
    assert kinds == {"killed": "killed", "raises": "error"}
    assert (starts(world, "killed"), report["computed"]) == (3, 1)


@pytest.mark.slow
def test_an_interrupt_gives_leases_back_and_leaves_no_process(world):
    process = world.start("run", "lingers", BENCHMARK, "-q", "--executor", SHORT)
    wait_for((world.home.parent / "lingered").exists)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    (folder,) = (world.home / "runs").iterdir()
    assert not [*(folder / "leases").iterdir()]
    wait_for(lambda: not processes("corteval.run", str(folder)), seconds=10)
    assert world.run("lingers", "--executor", SHORT)["computed"] == 1


@pytest.mark.slow
def test_a_scheduler_that_dies_ends_the_run_and_nothing_published_is_computed_again(world):
    card = world.home.parent / "scheduler.json"
    here = ["--host", "127.0.0.1"]
    quiet = {"env": world.env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    python = [sys.executable, "-m"]
    scheduler = subprocess.Popen(
        [*python, "distributed.cli.dask_scheduler", *here, "--port", "0", "--no-dashboard",
         "--scheduler-file", str(card)], **quiet
    )  # fmt: skip
    worker = None
    try:
        wait_for(card.exists)
        address = json.loads(card.read_text())["address"]
        worker = subprocess.Popen(
            [*python, "distributed.cli.dask_worker", address, *here, "--nthreads", "2",
             "--no-dashboard", "--resources", "GPU=2"], cwd=world.home.parent, **quiet
        )  # fmt: skip
        process = world.start(
            "run", "toy-vision,lingers", BENCHMARK, "-q", "--executor", f"dask://{address}?gpu=1"
        )
        wait_for((world.home.parent / "lingered").exists)
        wait_for(lambda: any(m == "toy-vision" for m, _ in world.records()))
        scheduler.kill()
        _, err = process.communicate(timeout=120)
        assert process.returncode == 1 and "The Dask scheduler is gone" in err
    finally:
        for left in filter(None, (scheduler, worker)):
            left.kill()
    before = starts(world, "toy-vision")
    report = world.run("toy-vision,lingers", "--workers", "1")
    assert (report["computed"], report["cached"], report["failures"]) == (1, 1, [])
    assert starts(world, "toy-vision") == before == 1


@pytest.mark.slow
def test_models_see_only_the_graphics_card_of_their_worker(world):
    more = {"CUDA_VISIBLE_DEVICES": "5,6"}
    world.run("hunts", "--executor", "dask://local?workers=2&gpu=1", **more)
    found = json.loads((world.home.parent / "found.json").read_text())
    assert found["environment"]["CUDA_VISIBLE_DEVICES"] == "5"


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_is_told(world):
    text = world(
        "run", "toy-vision", BENCHMARK, "-q", "--executor", "dask://tcp://127.0.0.1:9", code=1
    )
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in text
