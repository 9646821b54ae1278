"""Peak memory of extraction above the network, where a straightforward way holds everything.

    python bench/extraction/memory.py [--images 10000]

First every layer of resnet18 through a projection to 1,000 features, then a layer of 512 x 56 x 56
units through a filter. Images are made in memory as they are shown. Beside the measured peak stands
what the responses alone would take: the whole layers, and what was asked for.
"""

import argparse
import multiprocessing
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from forward import measured
from pictures import network
from torch import nn

from corteval import store
from corteval.requests import Between, Recording, UnitFilter
from corteval.stimuli import StimulusSet
from corteval_pytorch import Preprocessing, SparseProjection, commit


def drawn(count: int, pixels: int = 64) -> StimulusSet:
    """Images drawn when they are asked for."""
    ids = [f"image{number:05d}" for number in range(count)]
    table = pd.DataFrame(index=pd.Index(ids, name="stimulus_id"))

    def image(stimulus_id: str) -> np.ndarray:
        rng = np.random.default_rng(int(stimulus_id[5:]))
        return rng.integers(0, 256, (pixels, pixels, 3), np.uint8)

    return StimulusSet(identifier=f"{count} images", modality="image", table=table, images=image)


def projected(count: int, folder: Path):
    net = network("resnet18")
    subject = commit(net, Preprocessing(), {"IT": "layer4"}, reduction=SparseProjection())
    layers = subject.extractor.layer_names()
    sizes = [int(np.prod(subject.extractor._shape(layer))) for layer in layers]
    print(
        f"{len(layers)} layers, {count} images: whole {4e-9 * count * sum(sizes):.0f} GB, "
        f"projected {4e-9 * count * sum(min(1000, size) for size in sizes):.1f} GB",
        flush=True,
    )

    def run():
        with store.using(store.Store(folder)):
            subject.extractor.prepare(drawn(count), layers)

    return run


def filtered(count: int, folder: Path):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 512, 7, stride=4, padding=3), nn.ReLU())
    subject = commit(net, Preprocessing(), {"V1": "1"})
    near = [Between(f"receptive_field_{axis}_degrees", 0, 1) for axis in "xy"]
    request = Recording("V1", units=UnitFilter(tuple(near)))
    print(
        f"512 x 56 x 56 units, {count} images: whole {4e-9 * count * 512 * 56**2:.0f} GB",
        flush=True,
    )

    def run():
        with store.using(store.Store(folder)):
            answer = subject.respond(drawn(count), [request])[request]
        print(f"  {answer.sizes['neuroid']} units kept, {answer.nbytes / 1e9:.2f} GB", flush=True)

    return run


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=10_000)
    options = parser.parse_args()
    context = multiprocessing.get_context("fork")
    for make, count in ((projected, options.images), (filtered, options.images // 5)):
        with tempfile.TemporaryDirectory() as folder:
            receive, send = context.Pipe(duplex=False)
            process = context.Process(
                target=measured, args=(lambda m=make, n=count, f=folder: m(n, Path(f)), send)
            )
            process.start()
            send.close()
            seconds, mebibytes = receive.recv()
            process.join()
            used = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
            print(f"  {seconds:.0f} s, peak {mebibytes:.0f} MiB, store {used / 1e9:.1f} GB")
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
