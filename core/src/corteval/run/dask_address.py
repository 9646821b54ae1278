"""Addresses of the executor `dask`: a cluster on this machine, a scheduler, or jobs of a queue.

Such as ``dask://local?workers=2&gpu=1``, ``dask://tcp://node7:8786``,
``dask://tls://node7:8786?ca=ca.pem&cert=me.pem&key=me.key`` and
``dask://slurm?partition=gpu&gres=gpu:1&gpu=1&jobs=8&cores=4&memory=16GB&walltime=04:00:00``.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final
from urllib.parse import parse_qsl

from corteval.errors import OptionError

PREFIX = "dask://"

#: Options of jobs: of all queueing systems, and of one each.
_JOBS = (
    "account", "cores", "directive", "gpu", "host", "interface", "jobs", "memory", "partition",
    "prologue", "python", "tasks", "walltime",
)  # fmt: skip
OPTIONS: Mapping[str, Sequence[str]] = {
    "local": ("gpu", "workers"),
    "address": ("ca", "cert", "gpu", "key"),
    "slurm": (*_JOBS, "gres"),
    "pbs": (*_JOBS, "resources"),
    "sge": (*_JOBS, "resources"),
}
#: Those that may be given several times.
_SEVERAL = ("directive", "prologue")

#: Options of a scheduler of our own: no ports that others use, and no death of a worker is hidden.
SCHEDULER: Mapping[str, Any] = {
    "dashboard_address": ":0",
    "dashboard": False,
    "allowed_failures": 0,
}

#: Seconds before the end of a job at which its worker takes no more tasks.
_LEAD = 120


@final
@dataclass(frozen=True, kw_only=True)
class Address:
    """What an address says.

    Args:
        kind: a name of `OPTIONS`.
        scheduler: its address, of the kind ``"address"``.
        options: values by name.
    """

    kind: str
    scheduler: str = ""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def queue(self) -> bool:
        """Whether workers are jobs of a queueing system."""
        return self.kind not in ("local", "address")

    @property
    def gpus(self) -> int:
        """Workers with a graphics card on this machine; elsewhere 1 if tasks of models need one."""
        return self.number("gpu", 0)

    def text(self, name: str) -> str | None:
        """Value of an option that may be given once."""
        values = self.options.get(name, ())
        return values[0] if values else None

    def number(self, name: str, default: int) -> int:
        """Value of an option that counts something."""
        text = self.text(name)
        return default if text is None else int(text)

    def cards(self) -> list[str]:
        """Graphics cards of this machine that may be used, one for each worker that has one."""
        visible = [c for c in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if c.strip()]
        return visible[: self.gpus] if visible else [str(n) for n in range(self.gpus)]

    @property
    def encrypted(self) -> bool:
        """Whether the scheduler is talked to by certificates."""
        return self.scheduler.startswith("tls://")

    def certificates(self) -> dict[str, str]:
        """Arguments of Dask's `Security`: files that options name; Dask's own settings without.

        Raises:
            OptionError: if one is not there.
        """
        found = {"ca": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}
        given = {option: Path(text).expanduser() for option in found if (text := self.text(option))}
        for option, path in given.items():
            if not path.is_file():
                raise OptionError(
                    f"{self.scheduler}: there is no file {path}, which {option} names. It is in "
                    "PEM, as openssl writes it; `dask scheduler --tls-ca-file` takes the same."
                )
        return {found[option]: str(path) for option, path in given.items()}

    def job_options(self, logs: Path, run: str) -> dict[str, Any]:
        """Arguments of the cluster that Dask makes of jobs."""
        tasks = self.number("tasks", 1)
        walltime = self.text("walltime") or "01:00:00"
        given: dict[str, Any] = {
            # so many threads as tasks at once, whatever cores a task uses; memory is the queue's
            "worker_extra_args": ["--nthreads", str(tasks), "--memory-limit", "0"],
            "job_extra_directives": [*self.options.get("directive", ())],
            "job_script_prologue": [*self.options.get("prologue", ())],
            "cores": self.number("cores", 1),
            "memory": self.text("memory") or "4GB",
            "processes": 1,
            "walltime": walltime,
            "queue": self.text("partition"),
            "account": self.text("account"),
            "interface": self.text("interface"),
            "python": shlex.quote(self.text("python") or sys.executable),
            "job_name": f"corteval-{run}",
            "scheduler_options": dict(SCHEDULER),
        }
        if self.text("host"):
            given["scheduler_options"]["host"] = self.text("host")
        if self.gpus:
            given["worker_extra_args"] += ["--resources", "GPU=1"]
        lifetime = seconds_of(walltime) - _LEAD
        if lifetime > _LEAD:  # before the queue ends it: its tasks are given back and go elsewhere
            given["worker_extra_args"] += ["--lifetime", f"{lifetime}s"]
        if self.kind == "slurm":
            quoted = str(logs / "slurm-%J.log").replace('"', '\\"')
            given["job_extra_directives"] += [f'--output="{quoted}"']
            if self.text("gres"):
                given["job_extra_directives"] += [f"--gres={self.text('gres')}"]
        else:
            given["resource_spec"] = self.text("resources")
            if self.kind == "sge":
                given["project"] = given.pop("account")
        return given


def parsed(text: str) -> Address:
    """What an address says.

    Raises:
        OptionError: for what none can say.
    """
    where, _, query = text.removeprefix(PREFIX).partition("?")
    kind = where if where in OPTIONS and where != "address" else "address"
    if kind == "address" and not re.fullmatch(r"(?:\w+://)?[^/\s]+:\d+/?", where):
        raise OptionError(
            f"{text!r} names neither a cluster nor a scheduler. Write dask://local, "
            "dask://slurm?partition=NAME&jobs=4, dask://pbs?..., dask://sge?..., or the address of "
            "a scheduler: dask://tcp://HOST:PORT, or dask://tls://HOST:PORT?ca=...&cert=...&key=..."
        )
    options: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        _check(text, kind, name, value, given=name in options)
        options[name] = (*options.get(name, ()), value)
    scheduler = where if "://" in where else f"tcp://{where}"
    found = Address(kind=kind, scheduler=scheduler if kind == "address" else "", options=options)
    told = sorted({"ca", "cert", "key"} & options.keys())
    if told and not found.encrypted:
        raise OptionError(
            f"{text!r}: {', '.join(told)} is of addresses that begin with tls://, and this one "
            f"begins with {scheduler.partition('://')[0]}://."
        )
    return found


def _check(text: str, kind: str, name: str, value: str, *, given: bool) -> None:
    if name not in OPTIONS[kind]:
        raise OptionError(
            f"{text!r}: there is no option {name!r} of dask://{kind}; there are "
            f"{', '.join(sorted(OPTIONS[kind]))}."
        )
    if given and name not in _SEVERAL:
        raise OptionError(f"{text!r}: {name} is given twice.")
    if not value:
        raise OptionError(f"{text!r}: {name} has no value.")
    if name in ("cores", "gpu", "jobs", "tasks", "workers"):
        least = 0 if name == "gpu" else 1
        if not re.fullmatch(r"\d{1,6}", value) or int(value) < least:
            raise OptionError(f"{text!r}: {name} is a number from {least} on, not {value!r}.")
    if name == "walltime":
        seconds_of(value)


def seconds_of(walltime: str) -> int:
    """Seconds of a time as queueing systems take it.

    >>> [seconds_of(text) for text in ("90", "10:30", "01:00:00", "2-12", "1-0:5")]
    [5400, 630, 3600, 216000, 86700]
    """
    match = re.fullmatch(r"(?:(\d{1,4})-)?(\d{1,6})(?::(\d{1,2}))?(?::(\d{1,2}))?", walltime)
    if match is None:
        raise OptionError(
            f"{walltime!r} is no time of a queue: write minutes, MM:SS, HH:MM:SS or D-HH:MM:SS."
        )
    days, *rest = (None if part is None else int(part) for part in match.groups())
    first, second, third = rest
    if days is not None:  # days-hours:minutes:seconds
        return 86_400 * days + 3600 * (first or 0) + 60 * (second or 0) + (third or 0)
    if second is None:
        return 60 * (first or 0)
    if third is None:
        return 60 * (first or 0) + second
    return 3600 * (first or 0) + 60 * second + third
