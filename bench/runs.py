"""Overhead, scaling and memory of `corteval run`, and the speed of planning and status.

    python bench/runs.py [overhead isolated scaling large] [--json FILE]

- overhead: 10^4 cells that do next to nothing, beside a plain loop, `concurrent.futures` and joblib
  that call the same functions and keep nothing.
- isolated: the same with models in processes of their own, fewer cells.
- scaling: networks without training on real stimuli, 1 worker beside 2 (CORTEVAL_MIRROR for data).
- large: `plan` and `status` of 10^5 cells, and claims in their folder.

Everything goes through the installed command, in homes of its own. Seconds are of the wall clock;
processor seconds stand beside them, which other jobs on the machine change less. Set
OMP_NUM_THREADS=1. Prints ratios; `--json` writes all figures.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trivial

_ROLES = {"corteval.run.worker": "worker", "corteval.run.host": "model"}
_Figures = dict[str, Any]


@contextmanager
def world(models: int, benchmarks: int, *, isolated: bool = False) -> Iterator[dict[str, str]]:
    """Environment with that many plugins and an empty home."""
    with tempfile.TemporaryDirectory(prefix="bench-runs-") as folder:
        plugins = Path(folder, "plugins")
        plugins.mkdir()
        trivial.install(plugins, models, benchmarks, isolated=isolated)
        yield {**os.environ, "PYTHONPATH": str(plugins), "CORTEVAL_HOME": str(Path(folder, "home"))}


def children_of(pid: int) -> Iterator[int]:
    """All that descend from a process."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from children_of(child)


def role_of(pid: int) -> str:
    """What a process of a run is, by its command."""
    command = Path(f"/proc/{pid}/cmdline").read_text()
    return next((role for module, role in _ROLES.items() if module in command), "coordinator")


def resident_mib(pid: int) -> float:
    """Memory that no file backs."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon:")).split()[1]) / 1024


def ran(arguments: list[str], environment: dict[str, str], *, code: int = 0) -> _Figures:
    """Seconds of a command and its children, and the largest process in each role."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [sys.executable, "-m", "corteval", *arguments]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    peaks: dict[str, float] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            for pid in (process.pid, *_living(process.pid)):
                try:
                    role, held = role_of(pid), resident_mib(pid)
                except (OSError, StopIteration):  # it has just ended
                    continue
                peaks[role] = max(peaks.get(role, 0.0), held)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    out, _ = process.communicate()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != code:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}: {out[-2000:]!r}")
    return {
        "seconds": seconds,
        "processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mib": {role: round(held) for role, held in sorted(peaks.items())},
    }


def _living(pid: int) -> list[int]:
    try:
        return [*children_of(pid)]
    except OSError:
        return []


# References: the same functions, nothing kept


def cell(place: tuple[int, int]) -> float:
    """One cell by hand."""
    card = trivial_cards().BENCHMARKS[f"Trivial{place[1]:04d}.IT-nothing"]
    model = trivial.Model(place[0])
    return trivial.Benchmark(place[1], card)(model).value


def trivial_cards() -> Any:
    """The module of cards that `trivial.install` has written."""
    import trivial_cards as cards  # type: ignore[import-not-found]

    return cards


def looped(places: list[tuple[int, int]]) -> None:
    """One after the other."""
    for place in places:
        cell(place)


def pooled(places: list[tuple[int, int]]) -> None:
    """`concurrent.futures` with two processes."""
    with ProcessPoolExecutor(2) as pool:
        for _ in pool.map(cell, places, chunksize=1):
            pass


def joblibbed(places: list[tuple[int, int]]) -> None:
    """joblib with two processes."""
    from joblib import Parallel, delayed

    Parallel(n_jobs=2)(delayed(cell)(place) for place in places)


def referenced(work: Callable[[list[tuple[int, int]]], None], count: int) -> _Figures:
    """Seconds of a reference, after one cell that imports what it needs."""
    places = [(n // 100, n % 100) for n in range(count)]
    cell(places[0])
    before, started = os.times(), time.perf_counter()
    work(places)
    seconds, after = time.perf_counter() - started, os.times()
    busy = sum(after[:4]) - sum(before[:4])
    return {"seconds": seconds, "processor_seconds": busy}


# What is measured


def overhead(models: int = 100, benchmarks: int = 100) -> _Figures:
    cells = models * benchmarks
    found: _Figures = {"cells": cells}
    with world(models, benchmarks) as environment:
        sys.path.insert(0, environment["PYTHONPATH"])
        os.environ["PYTHONPATH"] = environment["PYTHONPATH"]
        for work in (looped, pooled, joblibbed):
            found[work.__name__] = referenced(work, cells)
        sides = {"serial": ["--executor", "serial"]}
        sides |= {f"local, {n} workers": ["--workers", str(n)] for n in (1, 2)}
        for side, options in sides.items():
            home = f"{environment['CORTEVAL_HOME']} {side}"
            there = {**environment, "CORTEVAL_HOME": home}
            run = ["run", "trivial-*", "Trivial*", "-q", "--json", *options]
            found[side] = ran(run, there)
            found[f"{side}, again"] = ran(run, there)
    loop = found["looped"]
    print(f"{cells} cells that do next to nothing; x: seconds and processor seconds of the loop")
    for side, figures in found.items():
        if isinstance(figures, dict):
            ratios = [figures[n] / loop[n] for n in ("seconds", "processor_seconds")]
            print(
                f"  {side:24} {figures['seconds']:7.2f} s {cells / figures['seconds']:8.0f} cells/s"
                f"  x{ratios[0]:6.1f} x{ratios[1]:6.1f}  "
                f"processor {1000 * figures['processor_seconds'] / cells:6.2f} ms a cell  "
                f"{figures.get('peak_mib', '')}"
            )
    return found


def isolated(models: int = 10, benchmarks: int = 100) -> _Figures:
    found: _Figures = {"cells": models * benchmarks}
    with world(models, benchmarks, isolated=True) as environment:
        found |= ran(
            ["run", "trivial-*", "Trivial*", "-q", "--json", "--workers", "2"], environment
        )
    print(
        f"{found['cells']} cells, {models} models in processes of their own, 2 workers: "
        f"{found['seconds']:.1f} s, {found['cells'] / found['seconds']:.0f} cells/s, "
        f"MiB {found['peak_mib']}"
    )
    return found


def scaling(models: str, benchmarks: str) -> _Figures:
    found: _Figures = {"models": models, "benchmarks": benchmarks}
    for workers in (1, 2):
        with tempfile.TemporaryDirectory(prefix="bench-runs-") as home:
            environment = {**os.environ, "CORTEVAL_HOME": home}
            run = ["run", models, benchmarks, "-q", "--json", "-y", "--workers", str(workers)]
            found[f"{workers} workers"] = ran(run, environment)
    one, two = found["1 workers"], found["2 workers"]
    found["ratio"] = one["seconds"] / two["seconds"]
    print(f"{models} on {benchmarks}")
    for name in ("1 workers", "2 workers"):
        figures = found[name]
        print(
            f"  {name}: {figures['seconds']:.1f} s, processor {figures['processor_seconds']:.1f} s,"
            f" largest process in MiB {figures['peak_mib']}"
        )
    print(f"  1 worker / 2 workers: {found['ratio']:.2f}")
    return found


_CLAIMS = """
import json, sys, time
from corteval.run.folder import RunFolder
from corteval.run.order import Waiting
run = RunFolder(sys.argv[1])
waiting = Waiting(run.tasks.values())
seconds, claims, model = [], [], ""
for _ in range(300):
    started = time.perf_counter()
    task = next(t for t in waiting.in_turn(model, run.is_done) if (claim := run.claim(t)))
    seconds.append(time.perf_counter() - started)
    claims.append(claim)
    waiting.discard([task.identity])
    model = task.model
for claim in claims:
    run.release(claim)
seconds.sort()
print(json.dumps({"median_ms": 1000 * seconds[150], "p95_ms": 1000 * seconds[285]}))
"""


def large(models: int = 1000, benchmarks: int = 100) -> _Figures:
    found: _Figures = {"cells": models * benchmarks}
    with world(models, benchmarks) as environment:
        matrix = ["trivial-*", "Trivial*"]
        found["plan"] = ran(["plan", *matrix], environment)
        found["plan --json"] = ran(["plan", *matrix, "--json"], environment)
        folder = str(Path(environment["CORTEVAL_HOME"], "run"))
        run = ["run", *matrix, "-q", "--executor", "none", "--folder", folder]
        found["folder"] = ran(run, environment, code=3)  # nobody computes anything
        found["status"] = ran(["status", folder], environment)
        done = [sys.executable, "-c", _CLAIMS, folder]
        out = subprocess.run(done, env=environment, check=True, capture_output=True).stdout
        found["claim"] = json.loads(out)
    print(f"{found['cells']} cells")
    for name in ("plan", "plan --json", "status"):
        figures = found[name]
        print(
            f"  {name:12} {figures['seconds']:6.2f} s, processor {figures['processor_seconds']:.2f}"
            f" s, {figures['peak_mib'].get('coordinator', 0)} MiB"
        )
    claim = found["claim"]
    print(f"  next claim: median {claim['median_ms']:.2f} ms, p95 {claim['p95_ms']:.2f} ms")
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    names = ("overhead", "isolated", "scaling", "large")
    parser.add_argument("parts", nargs="*", choices=names, default=names)
    parser.add_argument("--json", type=Path)
    alike = ",".join(f"timm/resnet50{kind}" for kind in ("", "c", "d", "s"))
    parser.add_argument("--models", default=alike, help="Of scaling; four that take as long.")
    parser.add_argument("--benchmarks", default="Kriegeskorte2008.humanIT-rdm")
    parser.add_argument("--cells", type=int, default=10_000, help="Of overhead.")
    options = parser.parse_args()
    found: _Figures = {"load": os.getloadavg()[0], "cores": os.cpu_count()}
    for part in options.parts:
        if part == "overhead":
            found[part] = overhead(options.cells // 100, 100)
        elif part == "isolated":
            found[part] = isolated()
        elif part == "scaling":
            found[part] = scaling(options.models, options.benchmarks)
        else:
            found[part] = large()
        if options.json is not None:
            options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
