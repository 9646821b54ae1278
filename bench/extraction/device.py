"""A GPU beside the CPU of its machine: responses, images a second, memory of a batch.

    python bench/extraction/device.py [--images 2000] [--small]

Responses of networks with random weights are compared in float32 with those of the CPU, with
themselves once more, with other batches, and with what torch does by default on a GPU, where it
convolves in TF32. Then five layers of resnet18 are recorded into a new store beside the bare
forward pass, and the measured peak of a batch stands beside what torch says it allocated.
"""

import argparse
import os
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from forward import BATCH, decoding
from pictures import LAYERS, decoded, network, on_disk, pngs
from text import Syllables, passages
from text import subject as reader

from corteval import models, record, store
from corteval.requests import Recording
from corteval_pytorch import Preprocessing, commit, initialised
from corteval_pytorch.exactness import exact, repeatable

VISION = {"timm/resnet18": "IT", "cornet-s-untrained": "IT", "voneresnet50-untrained": "IT"}


def gap(found, expected) -> float:
    """Of the largest."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def subject_on(device, name):
    """A model by name; not every model's options name a device."""
    subject = models.create(name)
    subject.extractor.module.to(device)
    return subject


def in_batches(subject, rows):
    """`subject` with other batches."""
    extractor = subject.extractor
    name = "batch_rows" if hasattr(extractor, "batch_rows") else "batch_tokens"
    return replace(subject, extractor=replace(extractor, **{name: rows}))


def compared(name, made, stimuli, target, rows):
    """Print largest differences between devices, runs and batches."""
    with store.using(None):
        here = record(made("cpu"), stimuli, target).values
        there = record(made("cuda"), stimuli, target).values
        again = record(made("cuda"), stimuli, target).values
        other = record(in_batches(made("cuda"), rows), stimuli, target).values
        cpu = record(in_batches(made("cpu"), rows), stimuli, target).values
    print(
        f"{name:28} {here.shape}: CPU {gap(there, here):.1e}, again "
        f"{'equal' if np.array_equal(there, again) else f'{gap(again, there):.1e}'}, batches of "
        f"{rows} {gap(other, there):.1e} (on the CPU {gap(cpu, here):.1e})",
        flush=True,
    )


def by_default(count=32):
    """Print what TF32 changes, as torch sets it on a GPU."""
    net, x = network("resnet18").cuda(), torch.randn(count, 3, 224, 224, device="cuda")
    with torch.inference_mode():
        tf32 = net.forward_features(x).double().cpu().numpy()
        with exact(), repeatable():
            proper = net.forward_features(x).double().cpu().numpy()
        expected = net.double().forward_features(x.double()).cpu().numpy()
    print(
        f"resnet18 layer4 beside float64: {gap(tf32, expected):.1e} as torch sets it, "
        f"{gap(proper, expected):.1e} as Corteval computes",
        flush=True,
    )


def passages_of(small):
    """Text for a GPT-2 of random weights."""
    from corteval_transformers.library import transformers

    config = {"n_layer": 2, "n_embd": 128, "n_head": 4} if small else {}

    def made(device):
        with initialised(0):
            module = transformers.GPT2LMHeadModel(
                transformers.GPT2Config(use_cache=False, **config)
            ).eval()
        layers = tuple(f"transformer.h.{n}" for n in range(module.config.n_layer))
        return reader(module.to(device), Syllables(), layers)

    return made, passages()


def rates(count, folder):
    """Print images a second from images in memory and from files."""
    paths = pngs(folder, count)
    images, files = decoded(paths), on_disk(paths)
    net = network("resnet18").cuda()
    shelf = folder / "store"

    def stored(stimuli, subject):
        def run():
            shutil.rmtree(shelf, ignore_errors=True)
            with store.using(store.Store(shelf)):
                subject.extractor.prepare(stimuli, LAYERS)

        return run

    def passes(rows, layout, around):
        pixels = torch.from_numpy(np.stack([images.image(i) for i in images.stimulus_ids]))

        def run():
            with torch.inference_mode(), around():
                for start in range(0, count, rows):
                    x = Preprocessing().standardise(pixels[start : start + rows].cuda())
                    net(x.contiguous(memory_format=layout))
            torch.cuda.synchronize()

        return run

    ours = commit(net, Preprocessing(), {"IT": LAYERS}, batch_size=BATCH)
    last = commit(net, Preprocessing(), {"IT": "layer4"})
    half = commit(net, Preprocessing(), {"IT": "layer4"}, dtype="bfloat16")
    for subject in (ours, last, half):
        subject.extractor.layer_names()

    def one(stimuli, subject):
        def run():
            shutil.rmtree(shelf, ignore_errors=True)
            with store.using(store.Store(shelf)):
                subject.extractor.prepare(stimuli, ["layer4"])

        return run

    channels = torch.channels_last
    sides = {
        f"bare pass, float32, {BATCH}": passes(BATCH, channels, exact),
        f"bare pass, float32, {BATCH}, as it comes": passes(BATCH, torch.contiguous_format, exact),
        f"bare pass, TF32, {BATCH}": passes(BATCH, channels, torch.no_grad),
        "five layers stored, in memory": stored(images, ours),
        "five layers stored, PNG": stored(files, ours),
        "layer4 stored, in memory": one(images, last),
        "layer4 stored, PNG": one(files, last),
        "layer4 stored, bfloat16, PNG": one(files, half),
        "decoding of PNG alone": decoding(paths),
    }
    print(f"resnet18, {count} images, {os.cpu_count()} cores, {torch.cuda.get_device_name()}")
    first = None
    for side, run in sides.items():
        run()
        seconds = []
        for _ in range(2):
            started = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - started)
        first = first or min(seconds)
        print(f"  {side:36s} {count / min(seconds):8.0f} images/s x{min(seconds) / first:6.2f}")
    shutil.rmtree(shelf, ignore_errors=True)


def memory(folder):
    """Print measured peaks of batches on the device, and their extrapolation."""
    images = decoded(pngs(folder, 64))
    for name in ("resnet18", "resnet50"):
        net = network(name).cuda()
        extractor = commit(net, Preprocessing(), {"IT": "layer4"}, batch_size=64).extractor
        extractor.layer_names()
        peaks = {}
        with store.using(None):
            for count in (1, 4, 64):
                shown = images.select(images.stimulus_ids[:count])
                held, peak = extractor.device_peak_of(
                    lambda e=extractor, s=shown: e.prepare(s, LAYERS)
                )
                peaks[count] = (peak - held) / 2**20
        slope = (peaks[4] - peaks[1]) / 3
        guess = peaks[1] + 63 * slope
        print(
            f"{name}: {peaks[1]:.0f} MiB for 1, {peaks[4]:.0f} for 4, {peaks[64]:.0f} for 64 "
            f"(extrapolated {guess:.0f}: x{guess / peaks[64]:.2f})"
        )
    print(f"left: {extractor.device_limit()}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--compared", type=int, default=96)
    parser.add_argument("--small", action="store_true", help="a GPT-2 of two layers")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "bench-images")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("There is no CUDA device on this machine.")
    stimuli = decoded(pngs(options.folder, options.compared))
    by_default()
    for name, target in VISION.items():
        compared(name, lambda d, n=name: subject_on(d, n), stimuli, Recording(target), 7)
    made, text = passages_of(options.small)
    compared("GPT-2, random", made, text, Recording("language_system"), 300)
    memory(options.folder)
    rates(options.images, options.folder)


if __name__ == "__main__":
    main()
