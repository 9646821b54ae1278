"""Start-up of the command line beside the bare interpreter and the imports it avoids.

    python bench/startup.py [--plugins 200] [--runs 15]

Installs throw-away plugins on a temporary path and prints, for each command, the median and
smallest wall time of a process and its ratio to `python -c pass` in the same run.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CARD = """
from corteval.cards import ModelCard
CARD = ModelCard(identifier="{name}", factory="{module}:build", summary="s", licence="MIT")
"""


def install(folder: Path, count: int) -> None:
    for number in range(count):
        name, module = f"bench-{number}", f"bench_{number}"
        (folder / f"{module}.py").write_text(CARD.format(name=name, module=module))
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[corteval.models]\n{name} = {module}:CARD\n")


def seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plugins", type=int, default=200)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    python = [sys.executable, "-c"]
    commands = {
        "python -c pass": [*python, "pass"],
        "corteval --help": [sys.executable, "-m", "corteval", "--help"],
        "corteval list": [sys.executable, "-m", "corteval", "list"],
        "import xarray": [*python, "import xarray"],
        "import sklearn": [*python, "import sklearn.linear_model"],
    }
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), options.plugins)
        environment = {**os.environ, "PYTHONPATH": folder}
        times = {name: [seconds(c, environment)][:0] for name, c in commands.items()}  # warm up
        for _ in range(options.runs):  # in turn, so that all meet the same machine
            for name, command in commands.items():
                times[name].append(seconds(command, environment))
    bare = statistics.median(times["python -c pass"])
    print(f"{options.plugins} plugins, {options.runs} runs; seconds as a process")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:18} median {median:.3f}  least {min(values):.3f}  x{median / bare:.1f}")


if __name__ == "__main__":
    main()
