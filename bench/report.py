"""Size of a page and a site of 300 models and 100 benchmarks, and times in a real browser.

    python bench/report.py [MODELS BENCHMARKS]

Makes page and site of synthetic scores and says how long that takes; opens the page from the disk
in Debian's chromium through playwright; and prints bytes, first paint, and the time from an input
to the next frame for sorting and filtering: the median and the longest of some tries, and the
processor time of the page's thread, which other jobs on the machine change less.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from corteval.intervals import Interval, Replicates
from corteval.report.gathering import Gathered
from corteval.report.page import page
from corteval.report.site import site
from corteval.score import Estimate, Score
from corteval.stats.board import Board

_TRIES = 7

#: Milliseconds from a change to the end of the frame that shows it.
_TIMED = """(change) => new Promise((done) => {
  const started = performance.now();
  eval(change);
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
})"""


def synthetic(models: int, benchmarks: int) -> Gathered:
    rng = np.random.default_rng(0)
    scores = []
    for m in range(models):
        for b in range(benchmarks):
            model, benchmark = f"model-{m}", f"Author{b}.IT-ridge"
            if rng.random() < 0.02:
                scores.append(
                    Score.unscored("undefined", "one unit", model=model, benchmark=benchmark)
                )
                continue
            value = float(rng.random())
            draws = value + 0.05 * rng.standard_normal(100)
            low, high = np.quantile(draws, [0.025, 0.975])
            interval = Interval(
                low=low,
                high=high,
                level=0.95,
                method="bootstrap",
                scope="stimuli",
                resamples=100,
                seed=0,
            )
            replicates = Replicates(scope="stimuli", sizes=(1000,), values=tuple(draws))
            raw = Estimate(value=value, replicates=(replicates,))
            scores.append(
                Score(value=value, raw=raw, interval=interval, model=model, benchmark=benchmark)
            )
    return Gathered(board=Board.of(scores), history={})


def timed(tab: Page, changes: list[str]) -> tuple[list[float], float]:
    """Milliseconds of each change, and their mean processor time."""
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_s() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    before = busy_s()
    times = [float(tab.evaluate(_TIMED, change)) for change in changes]
    return times, 1000 * (busy_s() - before) / len(changes)


def filled(field: str, text: str) -> str:
    element = f"document.getElementById('{field}')"
    return f"{element}.value = '{text}'; {element}.dispatchEvent(new Event('input'))"


def clicked(column: int) -> str:
    return f"document.querySelectorAll('#table thead button')[{column}].click()"


def made(what: str, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Pages, after their number, bytes and seconds have been printed."""
    started, busy = time.perf_counter(), time.process_time()
    pages = make()
    size = sum(len(text.encode()) for text in pages.values())
    print(f"{what}: {len(pages)} files, {size:,} bytes, processor", end=" ")
    print(f"{time.process_time() - busy:.1f} s, {time.perf_counter() - started:.1f} s in all")
    return pages


def main() -> None:
    models, benchmarks = (int(a) for a in sys.argv[1:3] or (300, 100))
    gathered = synthetic(models, benchmarks)
    source = made(f"page of {models} x {benchmarks}", lambda: {"": page(gathered)})[""]
    made("site, that page included", lambda: site(gathered))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "report.html"
        file.write_text(source)
        running = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        paints, ready, band = [], [], []
        for _ in range(_TRIES):
            # the measurement calls eval, which the page's own policy rightly forbids
            tab = running.new_context(bypass_csp=True).new_page()
            tab.goto(file.as_uri())
            name = "performance.getEntriesByName('first-contentful-paint')[0]"
            tab.wait_for_function(name)
            paints.append(float(tab.evaluate(f"{name}.startTime")))
            timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
            tab.wait_for_function(f"{timing} > 0")
            ready.append(float(tab.evaluate(timing)))
            tab.wait_for_function("document.querySelector('#plot').uncertainty")
            band.append(float(tab.evaluate("performance.now()")))
        models_typed = ["1", "12", "", "-1", "model-2", "", "9"]
        found: dict[str, tuple[list[float], float | None]] = {
            "first contentful paint": (paints, None),
            "loaded, scripts included": (ready, None),
            "band of the scatter drawn": (band, None),
            "sort": timed(tab, [clicked(n % benchmarks) for n in (5, 5, 0, 1, 2, 50, 60)]),
            "filter of models": timed(tab, [filled("find-model", t) for t in models_typed]),
            "sort while filtered": timed(tab, [clicked(n) for n in (5, 5, 7)]),
            "all models again": timed(tab, [filled("find-model", "")]),
            "filter of benchmarks": timed(
                tab, [filled("find-benchmark", t) for t in ("1", "12", "", "-1", "9", "")]
            ),
        }
        running.close()
    for what, (times, busy_ms) in found.items():
        told = "" if busy_ms is None else f"  processor {busy_ms:7.0f} ms"
        print(f"{what:26} median {statistics.median(times):7.0f} ms", end="")
        print(f"  longest {max(times):7.0f} ms{told}")


if __name__ == "__main__":
    main()
