"""``corteval slurm-script``: an array of jobs that take tasks of a run, ready for ``sbatch``."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import click

from corteval.cli.options import json_option, mirror_option, offline_option, verbose_option
from corteval.cli.tables import print_json

if TYPE_CHECKING:
    from corteval.run.folder import RunFolder

_EPILOG = """\b
Examples:
  corteval run 'cornet-*' vision-v1 --executor none     # makes the folder of the run
  corteval slurm-script last --array 8 --time 04:00:00 --gpus 1 | sbatch
  corteval slurm-script 1a2b3c4d5e6f --array 100%10 --option=--constraint=a100 > run.sh

\b
Each job is a `corteval worker`: it needs no port and no scheduler of its own, only the folder of
the run and CORTEVAL_HOME on a disk that all nodes share. Before its time is over (SIGUSR1), and
when it is preempted (SIGTERM), a job puts away what it does, gives its leases back and goes into
the queue again. A worker that is killed is started again, and costs the task it was at.

\b
JSON:
  {"schema": "corteval.slurm-script/1", "run": "1a2b...", "folder": "/shared/...",
   "script": "#!/bin/bash\\n..."}
"""

#: Seconds before the end of a job at which it is told.
_LEAD = 120


@final
@dataclass(frozen=True, kw_only=True)
class Job:
    """What each job of the array asks for.

    Args:
        array: as of ``sbatch --array``.
        partition, time, gpus, cores, memory: empty leaves them to the cluster.
        restarts: how often a job may go into the queue again.
        lead_seconds: before its end at which it is told, if `time` is given.
        options: further ones of ``sbatch``.
        prologue: lines before the worker starts.
        timeout: of one task, in seconds.
        kinds: of tasks.
        max_seconds: after which a job takes no more tasks.
    """

    array: str
    partition: str = ""
    time: str = ""
    gpus: str = ""
    cores: int | None = None
    memory: str = ""
    restarts: int = 20
    lead_seconds: int = _LEAD
    options: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()
    timeout: float | None = None
    kinds: str = ""
    max_seconds: float | None = None


@click.command("slurm-script", epilog=_EPILOG)
@click.argument("run", required=False)
@click.option("--array", default="4", metavar="N", help="Jobs: 8, or 100%10 for 10 at a time.")
@click.option("--partition", default="", help="Of SLURM.")
@click.option("--time", "walltime", default="", metavar="D-HH:MM:SS", help="Of each job.")
@click.option("--gpus", default="", metavar="[TYPE:]N", help="Of each job.")
@click.option("--cores", type=click.IntRange(min=1), help="Of each job.")
@click.option("--memory", default="", metavar="SIZE", help="Of each job, as SLURM takes it: 16G.")
@click.option("--option", "options", multiple=True, metavar="TEXT", help="Another one of sbatch.")
@click.option(
    "--prologue", multiple=True, metavar="LINE", help="Before workers start: 'module load cuda'."
)
@click.option(
    "--restarts", type=click.IntRange(min=0), default=20, help="How often a job may start again."
)
@click.option(
    "--lead", type=click.IntRange(min=1), default=_LEAD, help="Seconds told before the end."
)
@click.option(
    "--max-seconds", type=float, help="After which no more tasks are taken; by --time otherwise."
)
@click.option("--kinds", default="", help="Of tasks to take, as of `corteval worker`.")
@click.option("--timeout", type=click.FloatRange(min=0.1), help="Seconds that one task may take.")
@offline_option
@mirror_option
@verbose_option
@json_option
def command(
    run: str | None,
    array: str,
    partition: str,
    walltime: str,
    gpus: str,
    cores: int | None,
    memory: str,
    options: tuple[str, ...],
    prologue: tuple[str, ...],
    restarts: int,
    lead: int,
    max_seconds: float | None,
    kinds: str,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Print a script for sbatch: an array of jobs that take tasks of a run.

    RUN is its folder or identity, or `last`, which is the default.
    """
    from corteval.run.status import run_named

    folder = run_named(run)
    job = Job(
        array=_array(array),
        partition=partition,
        time=walltime,
        gpus=gpus,
        cores=cores,
        memory=memory,
        restarts=restarts,
        lead_seconds=lead,
        options=options,
        prologue=prologue,
        timeout=timeout,
        kinds=kinds,
        max_seconds=max_seconds,
    )
    script = script_of(folder, job)
    if as_json:
        name = folder.folder.name
        print_json("corteval.slurm-script/1", run=name, folder=str(folder.folder), script=script)
    else:
        click.echo(script, nl=False)


def script_of(run: RunFolder, job: Job) -> str:
    """The script of an array of jobs for `run`.

    Raises:
        OptionError: for a time that SLURM does not take.
    """
    from corteval.run.dask_address import seconds_of
    from corteval.run.placing import setting_anywhere
    from corteval.settings import KNOWN, setting

    seconds = seconds_of(job.time) if job.time else None
    lasting = job.max_seconds
    if lasting is None and seconds is not None:
        lasting = max(seconds - 2 * job.lead_seconds, seconds // 2)
    worker = [sys.executable, "-m", "corteval", "worker", "--run", str(run.folder)]
    if job.kinds:
        worker += ["--kinds", job.kinds]
    if job.timeout is not None:
        worker += ["--timeout", f"{job.timeout:g}"]
    directives = {
        "job-name": f"corteval-{run.folder.name}",
        "array": job.array,
        "partition": job.partition,
        "time": job.time,
        "gpus": job.gpus,
        "cpus-per-task": str(job.cores or ""),
        "mem": job.memory,
        "output": str(run.folder / "logs" / "slurm-%A_%a.log"),
        "open-mode": "append",
        "signal": f"B:USR1@{job.lead_seconds}" if job.time else "",
    }
    lines = [f"#SBATCH --{name}={_quoted(value)}" for name, value in directives.items() if value]
    lines += ["#SBATCH --requeue", *(f"#SBATCH {option}" for option in job.options)]
    said = [(KNOWN[name][0], setting(name)) for name in KNOWN]
    exports = [
        f"export {variable}={shlex.quote(setting_anywhere(one.name))}"
        for variable, one in said
        if one.value and (one.name == "home" or one.origin != "default")
    ]
    return _SCRIPT.format(
        directives="\n".join(lines),
        exports="\n".join(exports),
        prologue="".join(f"{line}\n" for line in job.prologue),
        worker=" ".join(shlex.quote(part) for part in worker),
        lasting=0 if lasting is None else max(1, int(lasting)),
        restarts=job.restarts,
    )


def _array(text: str) -> str:
    """Indices of an array; a number is how many."""
    number, mark, at_once = text.partition("%")
    if not (number.isascii() and number.isdigit()):
        return text  # SLURM's own way to write them
    if not int(number):
        raise click.BadParameter("an array has one job at least.", param_hint="--array")
    return f"1-{int(number)}{mark}{at_once}"


def _quoted(value: str) -> str:
    """A value as sbatch reads it in a script."""
    plain = all(c.isalnum() or c in "-_./:,%@=" for c in value)
    return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


_SCRIPT = """\
#!/bin/bash
{directives}

# Workers that take tasks of a run of Corteval until none is left; submit with sbatch.
{exports}
{prologue}
lasting={lasting}    # seconds after which no more tasks are taken; 0: no end
restarts={restarts}   # how often this job may go into the queue again
name="slurm-${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}-${{SLURM_ARRAY_TASK_ID:-0}}"

told=
trap 'told=${{told:-USR1}}; kill -USR1 "$worker" 2> /dev/null' USR1    # the time is nearly over
trap 'told=TERM; kill -TERM "$worker" 2> /dev/null' TERM             # preempted, or cancelled

again() {{    # into the queue once more, unless somebody cancelled this job
    [ "${{SLURM_RESTART_COUNT:-0}}" -lt "$restarts" ] || return
    [ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)" = RUNNING ] || return
    scontrol requeue "$SLURM_JOB_ID"
    sleep 60 &    # until it is taken away
    wait $!
}}

deaths=0
while [ -z "$told" ]; do
    left=()
    if [ "$lasting" -gt 0 ]; then
        [ "$SECONDS" -lt "$lasting" ] || {{ again; exit 0; }}
        left=(--max-seconds "$((lasting - SECONDS))")
    fi
    born=$SECONDS
    {worker} --name "$name" "${{left[@]}}" &
    worker=$!
    wait "$worker"
    code=$?
    while kill -0 "$worker" 2> /dev/null; do    # a signal ended the waiting, not yet the worker
        wait "$worker"
        code=$?
    done
    [ -z "$told" ] || break
    if [ "$code" -eq 0 ]; then
        [ "$lasting" -eq 0 ] || [ "$SECONDS" -lt "$lasting" ] || again
        exit 0
    fi
    [ "$code" -gt 128 ] || exit "$code"    # it says what is wrong, and would again
    if [ "$((SECONDS - born))" -lt 10 ]; then deaths=$((deaths + 1)); else deaths=0; fi
    [ "$deaths" -lt 10 ] || exit "$code"
    echo "The worker was killed (exit code $code); another one goes on." >&2
done
again
"""
