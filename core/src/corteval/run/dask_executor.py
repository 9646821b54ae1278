"""The executor `dask`: tasks of a run on a cluster that Dask knows or starts.

A task that crosses to a worker is the name of the run's folder and an identity, never an array.
What comes next is decided here, by the folder; so whatever of Dask dies, the same command goes on.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any, final

from corteval.errors import CortevalError, OptionError
from corteval.run import errand
from corteval.run.dask_address import SCHEDULER, Address
from corteval.run.errand import Terms, run_errand
from corteval.run.folder import TRANSIENT, Outcome, RunFolder
from corteval.run.order import Order
from corteval.run.placing import environment_anywhere
from corteval.run.plan import Task
from corteval.run.worker import Limits

log = logging.getLogger(__name__)

#: Seconds between two looks at what is on its way.
_LOOK = 0.01
#: Seconds until a task that somebody else holds is sent again.
_HELD = 1.0
#: Seconds between two counts of the workers.
_COUNT = 2.0
#: Seconds between two looks at whether jobs of a queue have ended and are to be submitted again.
_RENEWAL = 60.0
#: Seconds without any worker after which people are told.
_PATIENCE = 60.0
#: Workers that may die while they are at a task, which then is lost.
_MOST_KILLED = TRANSIENT["lost"]
#: A worker that starts again on a machine that is busy, or a job that is, must not be given up.
_CONFIGURATION = {"distributed.deploy.lost-worker-timeout": "180s"}
#: Errors of Dask itself on the way of one task, after which it is no use.
_MOST_BROKEN = 3

#: What to do where no scheduler answers.
_NEXT = "Start one with `dask scheduler`, and workers with `dask worker ADDRESS`."
_NEXT_OF_TLS = (
    "Start one with `dask scheduler --protocol tls --tls-ca-file CA --tls-cert CERT --tls-key "
    "KEY`, and workers alike. The certificate that `cert` names must be signed by the same "
    "authority (ca)."
)

#: Starts jobs once more that a queue has ended.
Renew = Callable[[], None]


@final
class DaskExecutor:
    """Has the tasks of a run done by Dask workers.

    Args:
        address: where they are, or how to start them.
        workers: how many on this machine, if the address does not say.

    Raises:
        OptionError: if Dask is not installed.
    """

    def __init__(self, address: Address, *, workers: int) -> None:
        self._address, self._workers = address, workers
        imported("distributed")
        if address.queue:
            imported("dask_jobqueue")

    def __call__(self, run: RunFolder, limits: Limits, look: Callable[[], None]) -> None:
        """Work on `run` until it is done or cancelled.

        Raises:
            KeyboardInterrupt: after workers were told to stop; a second one does not wait for them.
            CortevalError: if the workers cannot be reached, or do not work.
        """
        terms = Terms(
            folder=str(run.folder),
            session=secrets.token_hex(8),
            environment=environment_anywhere(),
            timeout_seconds=limits.timeout_seconds,
        )
        with self._connected(run) as (client, renew):
            front = _Front(client, run, terms, limits, self._address.gpus)
            try:
                front.work(look, renew)
            except BaseException:
                run.tell("interrupted")
                raise
            finally:
                if client.status == "running":
                    client.run(errand.stop, terms.session, on_error="ignore")
        look()

    @contextlib.contextmanager
    def _connected(self, run: RunFolder) -> Iterator[tuple[Any, Renew]]:
        """A client, and what keeps the number of its workers."""
        distributed = imported("distributed")
        imported("dask").config.set(_CONFIGURATION)
        _hush()
        with contextlib.ExitStack() as stack:
            cluster, renew = None, _nothing
            if self._address.kind == "local":
                cluster = stack.enter_context(_here(self._address, self._workers))
                renew = partial(_renewed, cluster)
            elif self._address.queue:
                cluster = stack.enter_context(_queue(self._address, run))
                renew = partial(_renewed, cluster)
                _submit(cluster, self._address)
            where = cluster if cluster is not None else self._address.scheduler
            more = {"security": _security(self._address)} if self._address.encrypted else {}
            try:
                client = distributed.Client(where, timeout=20, set_as_default=False, **more)
            except (OSError, TimeoutError) as error:
                raise CortevalError(
                    f"No Dask scheduler answers at {self._address.scheduler}: {error}. "
                    f"{_NEXT_OF_TLS if more else _NEXT}"
                ) from error
            yield stack.enter_context(client), renew


@final
class _Front:
    """What is on its way to workers, and what comes next."""

    def __init__(
        self, client: Any, run: RunFolder, terms: Terms, limits: Limits, gpus: int
    ) -> None:
        self._client, self._run, self._terms, self._limits = client, run, terms, limits
        self._gpus = gpus
        self._order = Order(run, limits.kinds)
        self._sent: dict[Any, Task] = {}
        self._broken: Counter[str] = Counter()
        self._number = 0
        self._events = run.folder / "events.ndjson"
        self._begin = self._events.stat().st_size if self._events.exists() else 0
        self._slots, self._counted, self._seen = 0, -_COUNT, time.monotonic()

    def work(self, look: Callable[[], None], renew: Renew) -> None:
        """Send tasks as their turn comes until all have ended."""
        started = renewed = time.monotonic()
        while self._order or self._sent:
            now = time.monotonic()
            late = self._limits.seconds is not None and now - started > self._limits.seconds
            if self._run.cancelled or late:
                self._order.close()
                if not self._slots:  # nobody is there to be waited for
                    return
            if now - renewed > _RENEWAL:
                renewed = now
                renew()
            self._count(now)
            while len(self._sent) < 2 * self._slots + 2 and (task := self._order.next()):
                self._send(task)
            ended = [future for future in self._sent if future.status != "pending"]
            for future in ended:
                self._take(self._sent.pop(future), future)
            look()
            if not ended:
                time.sleep(_LOOK)

    def _send(self, task: Task) -> None:
        self._number += 1
        needs = {"GPU": 1} if self._gpus and task.model else None
        future = self._client.submit(
            run_errand,
            self._terms,
            task.identity,
            key=f"{task.identity}-{self._terms.session}-{self._number}",
            pure=False,
            priority=-self._order.place(task),
            resources=needs,
        )
        self._sent[future] = task

    def _take(self, task: Task, future: Any) -> None:
        """Do what the end of an errand asks for."""
        if future.status == "finished":
            answer = future.result()
            self._broken.pop(task.identity, None)
            if answer == "done":
                self._order.ended(task)
            else:
                self._order.again(task, 0.0 if answer == "again" else _HELD)
        elif future.status == "error":
            self._wrong(task, future.exception())
        else:
            raise self._gone()

    def _wrong(self, task: Task, error: BaseException) -> None:
        """An errand that Dask could not bring to its end."""
        if type(error).__name__ == "KilledWorker":
            if self._deaths(task) >= _MOST_KILLED:
                self._lose(task)
                return
        elif isinstance(error, CortevalError):
            raise CortevalError(str(error)) from error
        else:
            self._broken[task.identity] += 1
            if self._broken[task.identity] >= _MOST_BROKEN:
                raise CortevalError(
                    f"Dask workers cannot do tasks of Corteval: {type(error).__name__}: {error}. "
                    "They need the same version of it, and of its plugins, as is installed here."
                ) from error
        self._order.again(task, _HELD)

    def _deaths(self, task: Task) -> int:
        """How many workers died while they were at a task; Dask also counts those that had it next.

        What a process that died left behind is counted by whoever takes the task (`RunFolder`).
        """
        counted = {"started": 1, "abandoned": 1}
        counted |= dict.fromkeys(("finished", "failed", "retry", "stopped"), -1)
        deaths = 0
        with contextlib.suppress(OSError), self._events.open("rb") as file:
            file.seek(self._begin)
            for line in file:
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    if event.get("task") == task.identity:
                        deaths += counted.get(event["event"], 0)
        return deaths

    def _lose(self, task: Task) -> None:
        """Keep that a task costs workers their lives, so that it is not sent once more."""
        outcome = Outcome(
            status="failed",
            failure="lost",
            reason="Dask workers died again and again while they had this task (KilledWorker).",
            worker="dask",
        )
        while not self._run.is_done(task.identity) and not self._run.finish(task, outcome):
            pass
        self._order.ended(task)

    def _count(self, now: float) -> None:
        """See how many tasks workers can do at once."""
        if now - self._counted < _COUNT:
            return
        self._counted = now
        try:
            self._slots = sum(self._client.nthreads().values())
        except OSError as error:
            raise self._gone() from error
        if self._slots:
            self._seen = now
        elif now - self._seen > _PATIENCE:
            self._seen = now
            log.warning(
                "There is no Dask worker yet; %d tasks wait. See the queue, and the logs of jobs "
                "in %s.", len(self._order) + len(self._sent), self._run.folder / "logs",
            )  # fmt: skip

    def _gone(self) -> CortevalError:
        return CortevalError(
            "The Dask scheduler is gone. What was finished is kept: the same command goes on, with "
            f"this or any other executor. Run {self._run.folder.name}: {self._run.folder}"
        )


def _security(address: Address) -> Any:
    """Certificates for a scheduler that wants some.

    Raises:
        OptionError: if they lack, or are none.
    """
    given = address.certificates()
    made = imported("distributed").Security(**given, require_encryption=True)
    lacking = [
        option
        for option, name in (("ca", "tls_ca_file"), ("cert", "tls_client_cert"))
        if not getattr(made, name)
    ]
    if lacking:
        raise OptionError(
            f"{address.scheduler} wants certificates, and {' and '.join(lacking)} is not told. "
            f"Write dask://{address.scheduler}?ca=CA.pem&cert=CERT.pem&key=KEY.pem, or set "
            "distributed.comm.tls in Dask's configuration."
        )
    try:
        made.get_connection_args("client")
    except (OSError, ValueError) as error:  # errors of ssl are OSErrors
        raise OptionError(
            f"The certificates for {address.scheduler} cannot be read: {error}. All three files "
            "are in PEM; the key is that of the certificate, and without a password."
        ) from error
    return made


def _here(address: Address, workers: int) -> Any:
    """A cluster on this machine; the first workers have the graphics cards, one each."""
    distributed = imported("distributed")
    cards = address.cards()
    common = {
        "nthreads": 1,
        "memory_limit": 0,
        "dashboard": False,
        "silence_logs": logging.CRITICAL,
    }
    specification = {}
    for number in range(address.number("workers", workers)):
        own: dict[str, Any] = {}
        if address.gpus:
            has = number < address.gpus
            own = {
                "resources": {"GPU": 1} if has else {},
                "env": {"CUDA_VISIBLE_DEVICES": cards[number] if has else ""},
            }
        options = {**common, **own, "host": "127.0.0.1"}
        specification[number] = {"cls": distributed.Nanny, "options": options}
    scheduler = {"host": "127.0.0.1", **SCHEDULER}
    return distributed.SpecCluster(
        workers=specification,
        scheduler={"cls": distributed.Scheduler, "options": scheduler},
    )


@contextlib.contextmanager
def _queue(address: Address, run: RunFolder) -> Iterator[Any]:
    """A cluster of jobs of a queueing system; its scheduler is in this process."""
    jobqueue = imported("dask_jobqueue")
    made = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster"}[address.kind]
    options = address.job_options(run.folder / "logs", run.folder.name)
    try:
        cluster = getattr(jobqueue, made)(**options)
    except (ValueError, OSError, RuntimeError) as error:
        raise CortevalError(f"No jobs of {address.kind} can be made: {error}") from error
    try:
        yield cluster
    finally:
        with contextlib.suppress(AssertionError):  # raised over jobs that were never submitted
            cluster.close()


def _submit(cluster: Any, address: Address) -> None:
    """Submit jobs; `cluster.scale` would do it later, and say to nobody what went wrong."""
    while len(cluster.worker_spec) < address.number("jobs", 1):
        cluster.worker_spec.update(cluster.new_worker_spec())
    try:
        cluster.sync(_settled, cluster)
    except (OSError, RuntimeError) as error:
        said = str(error).rpartition("stderr:")[2].strip() or str(error)
        raise CortevalError(f"No jobs can be submitted to {address.kind}: {said}") from error


def _renewed(cluster: Any) -> None:
    """Submit jobs again in the place of those whose worker is gone."""
    try:
        cluster.sync(_settled, cluster)
    except (OSError, RuntimeError) as error:
        log.warning("A job cannot be submitted again: %s", str(error).strip())


async def _settled(cluster: Any) -> None:
    await cluster


def _hush() -> None:
    """Have Dask log nothing, unless everything is wanted: what goes wrong is told by us."""
    if logging.getLogger().level > logging.DEBUG:
        for name in [*logging.getLogger().manager.loggerDict]:
            if name.partition(".")[0] in ("distributed", "dask_jobqueue"):
                logging.getLogger(name).setLevel(logging.CRITICAL)


def _nothing() -> None:
    return None


def imported(name: str) -> Any:
    """A module of Dask; Ctrl-C means what it meant before (dask_jobqueue would have it exit).

    Raises:
        OptionError: if it is not installed.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        return import_module(name)
    except ImportError as error:
        raise OptionError(
            "The executor dask needs Dask, which is not installed: pip install 'corteval[dask]'."
        ) from error
    finally:
        if signal.getsignal(signal.SIGINT) is not before:
            signal.signal(signal.SIGINT, before)
