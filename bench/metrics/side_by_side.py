"""Time, peak memory and agreement of several ways to compute one thing, on the same arrays.

Each side runs in a process of its own, forked after the arrays were made, so its peak memory is
what it adds to them. The first side is the reference. Of sides that take under two seconds the
fastest of three runs counts: the first one meets cold memory.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

Side = Callable[[], np.ndarray]

HEADER = f"{'':58s} {'seconds':>9s} {'ratio':>7s} {'MB':>7s} {'largest difference':>19s}"


def compare(title: str, sides: Mapping[str, Side], *, shares: Mapping[str, float] = {}) -> None:
    """Run every side and print seconds, ratio to the first, memory above the arrays, difference.

    Args:
        title: what is computed, and the sizes.
        sides: functions that return comparable arrays; the first is the reference.
        shares: of the work that a side does, where a full run would take too long; its seconds are
            scaled, and the part of the first axis it returns is compared.
    """
    print(title, flush=True)
    reference_seconds, reference = None, None
    for name, side in sides.items():
        seconds, megabytes, result = _alone(side)
        seconds /= shares.get(name, 1.0)
        if reference is None:
            reference_seconds, reference = seconds, result
        common = min(len(np.atleast_1d(reference)), len(np.atleast_1d(result)))
        gap = np.abs(np.atleast_1d(reference)[:common] - np.atleast_1d(result)[:common])
        part = f" (scaled from {shares[name]:.0%})" if shares.get(name, 1) < 1 else ""
        print(
            f"  {name + part:56s} {seconds:9.3f} {reference_seconds / seconds:7.1f} "
            f"{megabytes:7.0f} {np.nanmax(gap):19.1e}",
            flush=True,
        )


def _alone(side: Side) -> tuple[float, float, np.ndarray]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(side, theirs))
    process.start()
    theirs.close()
    try:
        measured = ours.recv()
    except EOFError:
        raise SystemExit("A side died without an answer: its traceback is above.") from None
    process.join()
    return measured


def _measured(side: Side, pipe: object) -> None:
    before, peak, done = _resident(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], _resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    seconds = []
    while len(seconds) < 3 and sum(seconds) < 2:
        started = time.perf_counter()
        result = np.asarray(side())
        seconds.append(time.perf_counter() - started)
    done.set()
    watcher.join()
    pipe.send((min(seconds), max(peak[0], _resident()) - before, result))


def _resident() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
