"""Runs by SLURM: the script of an array of jobs, and a real queue of one node that runs it."""

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from core.tests.test_run_dask import contents, events, parent_of, starts, wait_for
from core.tests.test_run_faults import HERE, World

from corteval.cli import main
from corteval.run.folder import RunFolder
from corteval.run.plan import Plan

#: Programs of the Debian packages slurmctld, slurmd, slurm-client and munge.
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "squeue")
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"])


@pytest.fixture
def folder(tmp_path):
    """The folder of a run without tasks, at a place with all that shells trip over."""
    plan = Plan(models=(), benchmarks=(), seed=0, isolation="process", known=(), tasks=())
    return RunFolder.create(plan, tmp_path / "a \"b\" $c 'd'").folder


def script(capsys, folder, *options):
    assert main(["slurm-script", str(folder), *options]) == 0
    return capsys.readouterr().out


def directives(text):
    return [line.removeprefix("#SBATCH ") for line in text.splitlines() if "#SBATCH" in line]


def test_the_script_asks_for_what_the_options_say(capsys, folder):
    text = script(
        capsys, folder, "--array", "100%10", "--partition", "gpu", "--time", "1-00:00:00",
        "--gpus", "a100:2", "--cores", "4", "--memory", "16G", "--option=--constraint=new",
    )  # fmt: skip
    assert {
        "--array=1-100%10", "--partition=gpu", "--time=1-00:00:00", "--gpus=a100:2",
        "--cpus-per-task=4", "--mem=16G", "--constraint=new", "--requeue", "--signal=B:USR1@120",
    } <= set(directives(text))  # fmt: skip
    assert "\nlasting=86160 " in text  # a day less twice the two minutes it is told before


def test_without_options_the_cluster_decides(capsys, folder):
    names = {line.partition("=")[0] for line in directives(script(capsys, folder))}
    assert names == {"--job-name", "--array", "--output", "--open-mode", "--requeue"}


def test_a_shell_reads_names_in_the_script_as_they_are(capsys, folder, tmp_path, monkeypatch):
    home = tmp_path / "ho me; `x`"
    monkeypatch.setenv("CORTEVAL_HOME", str(home))
    text = script(capsys, folder)
    python = tmp_path / "python"  # in the place of the worker: prints what it is told
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$CORTEVAL_HOME" "$@"\n')
    python.chmod(0o755)
    text = text.replace(sys.executable, str(python))
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()
    assert told[:6] == [str(home), "-m", "corteval", "worker", "--run", str(folder)]


def test_a_time_that_slurm_does_not_take_is_told(capsys, folder):
    assert main(["slurm-script", str(folder), "--time", "soon"]) == 2
    assert "'soon' is no time" in capsys.readouterr().err


def test_the_script_is_there_as_json(capsys, folder):
    plain = script(capsys, folder)
    answer = json.loads(script(capsys, folder, "--json"))
    assert answer["schema"] == "corteval.slurm-script/1"
    assert (answer["folder"], answer["script"]) == (str(folder), plain)


CONFIGURATION = """\
ClusterName=toy
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=OFF
"""


class Slurm:
    """A queue of one node, which is this machine."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []

    def start(self):
        sockets = [socket.socket() for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in sockets]
        for one in sockets:
            one.close()
        host = socket.gethostname().partition(".")[0]
        text = CONFIGURATION.format(
            host=host, user=getpass.getuser(), folder=self.folder, ports=ports
        )
        for part in ("state", "spool"):
            (self.folder / part).mkdir()
        (self.folder / "slurm.conf").write_text(text)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        own = [f"--{n}={self.folder / ('munge.' + n)}" for n in ("socket", "pid-file", "log-file")]
        own += [f"--key-file={key}", f"--seed-file={self.folder / 'munge.seed'}"]
        self._spawn("munged", "--force", "--foreground", *own)
        wait_for((self.folder / "munge.socket").exists, 30)
        self._spawn("slurmctld", "-D", "-c")
        self._spawn("slurmd", "-D", "-c")
        wait_for(lambda: "idle" in self("sinfo", "--noheader", "--format=%t", check=False), 60)

    def _spawn(self, name, *arguments):
        with (self.folder / f"{name}.out").open("wb") as log:
            self.started.append(
                subprocess.Popen(
                    [shutil.which(name, path=PLACES), *arguments], env=self.env(),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )
            )  # fmt: skip

    def env(self):
        return {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": PLACES}

    def __call__(self, *command, check=True, **more):
        more = {"env": self.env(), **more}
        done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def jobs(self, *, state=""):
        """Numbers of the jobs in the queue."""
        states = [f"--states={state}"] if state else []
        return self("squeue", "--noheader", "--array", "--format=%A", *states).split()

    def stop(self):
        self("scancel", "--user", getpass.getuser(), check=False)
        deadline = time.monotonic() + 20
        while self("squeue", "--noheader", check=False) and time.monotonic() < deadline:
            time.sleep(0.2)
        for process in reversed(self.started):
            process.terminate()
        for process in reversed(self.started):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def slurm():
    """A queue, if the packages are there."""
    lacking = [name for name in NEEDED if shutil.which(name, path=PLACES) is None]
    if lacking:
        pytest.skip(
            f"no {', '.join(lacking)}; Debian has them: apt-get install --no-install-recommends "
            "slurmctld slurmd slurm-client munge"
        )
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # names of sockets must be short
    queue = Slurm(folder)
    try:
        try:
            queue.start()
        except AssertionError as error:  # such as in a container whose kernel lets no daemon run
            said = [f"{p.name}: {p.read_text()[-300:]}" for p in sorted(folder.glob("*.out"))]
            pytest.skip(f"SLURM is here and does not start: {error} {' '.join(said)}")
        yield queue
    finally:
        queue.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def world(tmp_path, slurm):
    """A home, plugins that are models of every kind of badness, and the queue."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name in ("hostile_models.py", "lingering_models.py"):
        (plugins / name).write_text((HERE / name).read_text())
    made = World(tmp_path, plugins)
    made.env |= {name: slurm.env()[name] for name in ("SLURM_CONF", "PATH")}
    yield made
    slurm("scancel", "--user", getpass.getuser())
    wait_for(lambda: not slurm.jobs(), 60)


def submitted(world, slurm, models, *options):
    """The folder of a run whose array of jobs was submitted."""
    folder = world.run(models, "--executor", "none", code=3)["folder"]
    text = world("slurm-script", folder, "--partition", "low", *options)
    slurm("sbatch", input=text, cwd=world.home, env=world.env)
    return folder


@pytest.mark.slow
def test_jobs_of_dask_and_an_array_make_the_records_of_this_machine(world, slurm):
    if find_spec("dask_jobqueue") is None:
        pytest.skip("the extra corteval[dask] is not installed")
    names = "toy-vision,chatters,killed"
    homes = {name: world.home.with_name(f"{name} home") for name in ("serial", "dask", "array")}
    address = "dask://slurm?partition=low&jobs=2&host=127.0.0.1&memory=1GB&walltime=00:30:00"
    for name, executor in (("serial", "serial"), ("dask", address)):
        more = {"CORTEVAL_HOME": str(homes[name])}
        report = world.run(names, "--executor", executor, code=3, **more)
        assert [(f["model"], f["failure"]) for f in report["failures"]] == [("killed", "killed")]
    wait_for(lambda: not slurm.jobs(), 60)
    world.env["CORTEVAL_HOME"] = str(homes["array"])
    world.home = homes["array"]
    submitted(world, slurm, names, "--array", "2", "--time", "00:30:00")
    wait_for(lambda: not slurm.jobs(), 180)
    status = world("status", "--json", code=3)
    assert (status["finished"], status["unfinished"]) == (2, 0)
    assert [(f["model"], f["failure"]) for f in status["failures"]] == [("killed", "killed")]
    assert starts(world, "killed") == 3
    found = [contents(home) for home in homes.values()]
    assert len(found[0]) == 2
    assert all(other == found[0] for other in found[1:])


@pytest.mark.slow
def test_a_worker_of_a_job_that_is_killed_costs_the_task_it_was_at(world, slurm):
    submitted(world, slurm, "lingers,toy-vision", "--array", "1")
    wait_for((world.home.parent / "lingered").exists)
    os.kill(holder(world), signal.SIGKILL)
    wait_for(lambda: not slurm.jobs(), 120)
    status = world("status", "--json")
    assert (status["finished"], status["unfinished"]) == (2, 0)
    assert (starts(world, "lingers"), starts(world, "toy-vision")) == (2, 1)
    assert [e["failure"] for e in events(world) if e["event"] == "retry"] == ["lost"]


def holder(world):
    """The process that is at a task."""
    (lease,) = world.home.glob("runs/*/leases/*")
    return json.loads(lease.read_text())["pid"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["preempted", "time nearly over"])
def test_a_job_that_must_leave_gives_its_task_back_and_goes_on_later(world, slurm, how):
    submitted(world, slurm, "toy-vision,lingers", "--array", "1", "--time", "00:30:00")
    wait_for((world.home.parent / "lingered").exists)
    (job,) = slurm.jobs()
    if how == "preempted":
        slurm("sbatch", "--partition=high", "--exclusive", "--output=/dev/null", "--wrap=sleep 1")
    else:
        slurm("scancel", "--batch", "--signal=USR1", job)
    wait_for(lambda: any(e["event"] == "stopped" for e in events(world)), 60)
    wait_for(lambda: "Restarts=1" in slurm("scontrol", "show", "job", job), 120)
    wait_for(lambda: not slurm.jobs(), 180)
    status = world("status", "--json")
    assert (status["finished"], status["unfinished"]) == (2, 0)
    assert (starts(world, "lingers"), starts(world, "toy-vision")) == (2, 1)
    assert not [e for e in events(world) if e["event"] in ("retry", "failed")]


@pytest.mark.slow
def test_a_job_that_is_cancelled_gives_its_task_back_and_stays_away(world, slurm):
    folder = submitted(world, slurm, "lingers", "--array", "1")
    wait_for((world.home.parent / "lingered").exists)
    pid = holder(world)
    assert parent_of(pid) > 1
    slurm("scancel", *slurm.jobs())
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), 60)
    assert not [*(Path(folder) / "leases").iterdir()]
    wait_for(lambda: not slurm.jobs(), 60)
