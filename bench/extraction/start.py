"""Start-up of `corteval score` to its first batch beside the bare import of torch and the model.

    python bench/extraction/start.py [--runs 5]

Needs the data of Cowley2023 at hand (CORTEVAL_MIRROR, or fetched before). The first batch is where
the network is first called on stimuli; the bare side imports torch and builds the same network.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

BARE = """
import torch
from corteval_cornet.s import CORnetS
CORnetS()
"""

OURS = """
import os, sys, time
import corteval_pytorch.passes as passes
show = passes._Recorder._show
def first(self, rows, prepared):
    os._exit(0)
passes._Recorder._show = first
from corteval.cli import main
main(["score", "cornet-s-untrained", "Cowley2023.V4-ridge", "-q"])
"""


def seconds(code: str, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    sides: dict[str, list[float]] = {"bare": [], "corteval score": []}
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "CORTEVAL_HOME": home}
        for side, code in (("bare", BARE), ("corteval score", OURS)):
            seconds(code, environment)  # data fetched, files in memory
            del side
        for _ in range(options.runs):
            sides["bare"].append(seconds(BARE, environment))
            sides["corteval score"].append(seconds(OURS, environment))
    bare = statistics.median(sides["bare"])
    for side, values in sides.items():
        median = statistics.median(values)
        print(f"{side:16} median {median:.2f} s  x{median / bare:.2f}")


if __name__ == "__main__":
    main()
