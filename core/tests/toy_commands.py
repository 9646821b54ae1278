"""Commands that see toy plugins and nothing of the developer's own."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from hashlib import sha256
from types import SimpleNamespace

import pytest

from corteval import hooks, registry, settings
from corteval.cli import main

CONTENT = b"recorded responses"

TOYS = f'''
import os, sys, time
import numpy as np
import pandas as pd
from corteval.benchmark import BenchmarkCard
from corteval.cards import DataCard, MetricCard, ModelCard, ModelFamily, Resource
from corteval.errors import UndefinedScore
from corteval.model import LayerCommitment, record
from corteval.requests import Recording
from corteval.score import Estimate, Interval, Score
from corteval.stimuli import StimulusSet

class Extractor:
    def __init__(self, act): self.act = act
    def units(self, layer): return {{"neuroid_id": np.array(["a", "b"])}}
    def __call__(self, stimuli, wanted):
        self.act()
        yield {{layer: np.ones((len(stimuli), len(u))) for layer, u in wanted.items()}}

def loud():
    print("printed by the model")
    sys.__stdout__.write("written to the old stdout\\n")
    os.write(1, b"written to descriptor 1\\n")

def wrong(): raise RuntimeError("the model fell over")

ACTS = {{"quiet": lambda: None, "loud": loud, "wrong": wrong, "exits": lambda: sys.exit(0),
        "slow": lambda: time.sleep(float(os.environ.get("TOY_SECONDS", "0"))),
        "stopped": lambda: os.kill(os.getpid(), 2)}}

def build(act="quiet", target="V4", identifier="toy", member=None):
    return LayerCommitment(identifier=identifier, extractor=Extractor(ACTS[act]),
                           layers={{target: "layer"}}, visual_degrees=8.0, modalities={{"text"}})

def model(act, **more):
    options = {{"act": act, "identifier": f"toy-{{act}}"}} | more.pop("options", {{}})
    return ModelCard(**dict(identifier=f"toy-{{act}}", factory=f"{{__name__}}:build",
                     summary=f"A {{act}} toy", licence="MIT", options=options) | more)

QUIET = model("quiet", bibtex="@misc{{toy, title = {{Toy}}}}", parameters=1234567)
LOUD, WRONG, EXITS, SLOW, STOPPED = map(model, ("loud", "wrong", "exits", "slow", "stopped"))
BLIND = model("quiet", identifier="toy-blind", options={{"target": "IT"}},
              superseded_by="toy-quiet")
FUTURE = model("quiet", identifier="toy-future", interface=99)
FAMILY = ModelFamily(identifier="toyfamily", factory=f"{{__name__}}:build", summary="Many",
                     licence="MIT", members=("one", "two"))

class Benchmark:
    def __init__(self, card, seed=0, undefined=False):
        self.card, self.seed, self.undefined = card, seed, undefined
    def requests(self): return (Recording("V4"),)
    def ceiling(self): return Estimate(value=0.8)
    def __call__(self, model):
        if self.undefined: raise UndefinedScore("nothing varies")
        table = pd.DataFrame({{"text": ["x", "y"]}}, index=pd.Index(["1", "2"], name="stimulus_id"))
        record(model, StimulusSet(identifier="s", modality="text", table=table), "V4")
        interval = Interval(low=0.4, high=0.6, level=0.95, method="m", scope="s", resamples=9,
                            seed=self.seed)
        return Score(value=0.5, raw=Estimate(value=0.4), ceiling=self.ceiling(), interval=interval,
                     normalization="r/c", notes=("a note",))

def benchmark(name, **more):
    return BenchmarkCard(identifier=f"Toy.V4-{{name}}", factory=f"{{__name__}}:Benchmark",
                         summary="Toy", licence="MIT", target="V4", **more)

MEAN = benchmark("mean", data=("Toy",), metric="toymetric", ceiling="absent-ceiling",
                 bibtex="@misc{{toydata, title = {{Data}}}}\\n@misc{{other, title = {{Other}}}}")
UNDEFINED = benchmark("undefined", options={{"undefined": True}})
METRIC = MetricCard(identifier="toymetric", factory="toys:m", summary="Toy", licence="MIT",
                    bounds=(float("-inf"), 1.0))
TWO_KINDS = MetricCard(identifier="toy-quiet", factory="toys:m", summary="Toy", licence="MIT")
DATA = DataCard(identifier="Toy", factory="toys:d", summary="Toy", licence="CC0-1.0",
                bibtex="@misc{{toydata, title = {{Data}}}}", resources=(Resource(
                    url="https://toy.example/files/toy.bin", licence="CC0-1.0",
                    sha256="{sha256(CONTENT).hexdigest()}", size={len(CONTENT)}),))
BARE = DataCard(identifier="ToyBare", factory="toys:d", summary="Toy", licence="MIT",
                access="private")
'''

TWIN = """
from corteval.cards import ModelCard
TWIN = ModelCard(identifier="twin", factory="a:b", summary="A twin", licence="MIT")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Plugins, a mirror, and nothing of the developer's own configuration."""
    root = tmp_path_factory.mktemp("cli")
    (root / "plugins").mkdir()
    (root / "plugins/toys.py").write_text(TOYS)
    (root / "plugins/crash.py").write_text("import no_such_library\n")
    for name in ("left", "right"):
        (root / f"plugins/{name}.py").write_text(TWIN)
    mirrored = root / "mirror/toy.example/files/toy.bin"
    mirrored.parent.mkdir(parents=True)
    mirrored.write_bytes(CONTENT)
    return root


@pytest.fixture
def environment(folder, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CORTEVAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(folder / "plugins"))
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "_flags", {})
    registry.reload()
    hooks.reload()
    yield
    registry.reload()
    hooks.reload()


@pytest.fixture
def run(environment, capfd):
    def run(*arguments):
        code = main(arguments)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def run_json(run, *arguments, code=0):
    result = run(*arguments, "--json")
    assert result.code == code, result.err
    return json.loads(result.out)


def process(*arguments, **options):
    command = [sys.executable, "-m", "corteval", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def on_terminal(*arguments, stream="stdout"):
    """What a command prints on a terminal."""
    outer, inner = pty.openpty()
    other = {"stdout", "stderr"}.difference({stream}).pop()
    streams = {stream: inner, other: subprocess.DEVNULL}
    running = subprocess.Popen([sys.executable, "-m", "corteval", *arguments], **streams)
    os.close(inner)
    pieces = []
    with contextlib.suppress(OSError):  # how Linux says that nobody writes any more
        while piece := os.read(outer, 100_000):  # read at once: a terminal holds a few kB only
            pieces.append(piece)
    os.close(outer)
    assert running.wait() == 0
    return b"".join(pieces).decode().replace("\r", "")


def rows(text):
    """Cells of a printed table by header, which is how people read it."""
    header, *lines = text.splitlines()
    starts = [match.start() for match in re.finditer(r"(?<=  )\S|^\S", header)]
    ends = [*starts[1:], None]
    names = [header[a:b].strip() for a, b in zip(starts, ends, strict=True)]
    return [
        dict(
            zip(names, (line[a:b].strip() for a, b in zip(starts, ends, strict=True)), strict=True)
        )
        for line in lines
    ]


def read_to_the_end(terminal):
    """All that is written to a terminal until nobody can write any more."""
    read = b""
    while True:
        try:
            block = os.read(terminal, 100_000)
        except OSError:  # how Linux says it
            block = b""
        if not block:
            return read
        read += block
