"""Executors: who starts workers on a run. The run's folder is the whole state, so any may die."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from corteval import hooks
from corteval.errors import OptionError
from corteval.run.folder import RunFolder
from corteval.run.local import run_here
from corteval.run.worker import Limits, Worker, work

#: Called now and then to show progress.
Look = Callable[[], None]


class Executor(Protocol):
    """Works on a run until it is done or cancelled."""

    def __call__(self, run: RunFolder, limits: Limits, look: Look) -> None:
        """Start workers, wait for them, and call `look` meanwhile."""


def executor_named(name: str, *, workers: int) -> Executor:
    """The executor `name`.

    Args:
        name: ``serial``, ``local``, ``none`` or an address of Dask, see `dask_address`.
        workers: how many on this machine.

    Raises:
        OptionError: if there is none of that name, or it lacks what it needs.
    """
    if name == "serial":
        return _serial
    if name == "local":
        return lambda run, limits, look: run_here(run, workers=workers, limits=limits, look=look)
    if name == "none":
        return lambda run, limits, look: look()
    if name.startswith("dask://") or name == "dask":
        from corteval.run.dask_address import parsed
        from corteval.run.dask_executor import DaskExecutor

        return DaskExecutor(parsed(name if name != "dask" else "dask://local"), workers=workers)
    raise OptionError(
        f"There is no executor {name!r}; there are serial, local, dask://local, dask://slurm?..., "
        "dask://tcp://HOST:PORT, and none, which leaves the work to `corteval worker`."
    )


def _serial(run: RunFolder, limits: Limits, look: Look) -> None:
    """All tasks in this process, one after the other."""
    worker = Worker(run=run, name="serial", limits=limits)
    with worker, hooks.observing(worker):
        work(worker)
    look()
