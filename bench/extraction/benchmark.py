"""A whole neural benchmark, and the choice among five layers, from PNG files to ceiled scores.

    python bench/extraction/benchmark.py [--device cuda]

Sizes of MajajHong2015 IT: 3,200 images, 46 trials, 168 sites, layer4 of resnet18 (random weights),
PLS in ten splits, split-half ceiling. The first score starts from an empty store; the second runs
no forward pass. One split is also fitted by scikit-learn on features recorded the plain way, and
the correlations are compared. The reference tool needed 772 s for the first on two cores of this
kind of machine, and 133 s for a choice among five layers on 640 images (spec `performance`).
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from forward import straightforward
from pictures import LAYERS, network, on_disk, pngs

import corteval
from corteval import registry, store
from corteval.assembly import neural
from corteval.benchmark import NeuralBenchmark
from corteval.cards import BenchmarkCard, DataCard
from corteval.stimuli import StimulusSet
from corteval_pytorch import Preprocessing, commit


class Recorded:
    """Responses that depend on the images: a random read-out of smoothed pixels, and noise."""

    def __init__(self, count: int, trials: int, sites: int) -> None:
        folder = Path(tempfile.gettempdir()) / "bench-images"
        self._stimuli = on_disk(pngs(folder, count))
        small = [self._stimuli.image(i)[::16, ::16].ravel() for i in self._stimuli.stimulus_ids]
        x = np.array(small, np.float32)
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        rng = np.random.default_rng(0)
        mean = np.tanh(x @ rng.standard_normal((x.shape[1], sites)).astype(np.float32) / 28)
        noise = rng.standard_normal((count, sites, trials), dtype=np.float32)
        self._responses = mean[:, :, None] + 2 * mean.std() * noise

    def stimuli(self) -> StimulusSet:
        return self._stimuli

    def assembly(self) -> xr.DataArray:
        names = [f"site{number}" for number in range(self._responses.shape[1])]
        return neural(self._responses, self._stimuli.stimulus_ids, {"neuroid_id": names})


DATA: dict[int, Recorded] = {}


def made(count: int) -> Recorded:
    """The data set of `count` images; made once, for its making is not measured."""
    return DATA[count]


def benchmark(count: int) -> NeuralBenchmark:
    card = BenchmarkCard(
        identifier=f"Made{count}.IT-pls",
        factory="corteval.benchmark:NeuralBenchmark",
        summary="made",
        licence="MIT",
        data=(f"Made{count}",),
        metric="pls",
        ceiling="internal_consistency",
        target="IT",
    )
    return NeuralBenchmark(card=card)


def timed(what: str, function, reference: float | None = None):
    started = time.perf_counter()
    result = function()
    seconds = time.perf_counter() - started
    ratio = (
        f", {reference:.0f} s of the reference tool: x{reference / seconds:.1f}"
        if reference
        else ""
    )
    print(f"{what}: {seconds:.1f} s{ratio}", flush=True)
    return result


def whole(shelf: store.Store, device: str) -> None:
    net = network("resnet18").to(device)
    subject = commit(net, Preprocessing(), {"IT": "layer4"})
    first = timed(
        "MajajHong-like benchmark, float32",
        lambda: corteval.score(subject, benchmark(3200), store=shelf),
        772,
    )
    passes = []
    net.register_forward_pre_hook(lambda *_: passes.append(1))
    task = benchmark(3200)
    again = timed("  once more", lambda: corteval.score(subject, task, store=shelf))
    same = "equal" if again.value == first.value else "DIFFERENT"
    print(f"  {first}; the second time {len(passes)} forward passes, {same}")
    half = commit(net, Preprocessing(), {"IT": "layer4"}, dtype="bfloat16")
    third = timed("  in bfloat16", lambda: corteval.score(half, benchmark(3200), store=shelf), 772)
    print(f"  {third}, differs by {abs(third.value - first.value):.1e}; {third.notes[0]}")


def against_scikit_learn() -> None:
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.model_selection import ShuffleSplit

    data = DATA[640]
    paths = [Path(p) for p in data.stimuli().table["path"]]
    x = straightforward(network("resnet18"), paths)()["layer4"].astype(np.float64)
    y = data.assembly().values.mean(axis=2).astype(np.float64)
    subject = commit(network("resnet18"), Preprocessing(), {"IT": "layer4"})
    with store.using(None):
        ours = corteval.record(subject, data.stimuli(), "IT").values
    gap = np.abs(ours - x).max() / np.abs(x).max()
    ((train, test),) = ShuffleSplit(1, train_size=0.9, random_state=1).split(x)
    r = []
    for features in (x, ours.astype(np.float64)):
        fit = PLSRegression(25, scale=False).fit(features[train], y[train])
        p = fit.predict(features[test])
        r.append([np.corrcoef(p[:, n], y[test, n])[0, 1] for n in range(y.shape[1])])
    print(
        f"640 images, plain extraction: responses differ by {gap:.1e} of the largest, "
        f"median r of scikit-learn's PLS by {abs(np.median(r[0]) - np.median(r[1])):.1e}"
    )


def choice(folder: Path, device: str) -> None:
    net = network("resnet18").to(device)
    subject = commit(net, Preprocessing(), {"IT": "layer4"})
    extractor = subject.extractor.recording_alongside(LAYERS)

    def run():
        with store.using(store.Store(folder)):
            return {
                layer: corteval.score(
                    replace(subject, layers={"IT": layer}, extractor=extractor), task
                ).value
                for layer in LAYERS
            }

    task = benchmark(640)
    print("  ", timed("Choice among five layers, 640 images", run, 133))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    print(f"{torch.get_num_threads()} threads, networks on {device}")
    cards = []
    for count, trials in ((3200, 46), (640, 46)):
        DATA[count] = Recorded(count, trials, 168)
        cards.append(
            DataCard(
                identifier=f"Made{count}",
                factory="corteval_bench:made",
                summary="made",
                licence="MIT",
                options={"count": count},
            )
        )
    import sys
    import types

    module = types.ModuleType("corteval_bench")
    module.made = made
    sys.modules["corteval_bench"] = module
    with registry.data.temporary(*cards), tempfile.TemporaryDirectory() as folder:
        choice(Path(folder) / "choice", device)
        whole(store.Store(Path(folder) / "whole"), device)
        against_scikit_learn()


if __name__ == "__main__":
    main()
