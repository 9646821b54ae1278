"""Extraction of five layers beside the bare forward pass and a straightforward extractor.

    python bench/extraction/forward.py [--network resnet18] [--images 1000]

Every side runs in a process of its own on the same files. "decoded" sides have their images in
memory, resized; "PNG" sides start from files. The bare forward pass records nothing. Prints images
a second, ratios to it, and peak memory above the network.
"""

import argparse
import multiprocessing
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from pictures import LAYERS, decoded, network, on_disk, pngs
from PIL import Image

from corteval import store
from corteval_pytorch import IMAGENET_MEAN, IMAGENET_STD, Preprocessing, commit

BATCH = 32


def bare(net, stimuli, layout):
    """Forward passes over decoded images, batch by batch, recording nothing."""
    pixels = torch.from_numpy(np.stack([stimuli.image(i) for i in stimuli.stimulus_ids]))
    prepare = Preprocessing().standardise

    def run():
        with torch.inference_mode():
            for start in range(0, len(pixels), BATCH):
                net(prepare(pixels[start : start + BATCH]).contiguous(memory_format=layout))

    return run


def ours(net, stimuli, folder):
    """All layers recorded into a new store; nothing is handed out."""
    subject = commit(net, Preprocessing(), {"IT": LAYERS}, batch_size=BATCH)
    subject.extractor.layer_names()

    def run():
        shutil.rmtree(folder, ignore_errors=True)
        with store.using(store.Store(folder)):
            subject.extractor.prepare(stimuli, LAYERS)

    return run


def straightforward(net, paths):
    """Decode one after another, hook, move to numpy, append, and concatenate at the end."""
    mean, std = (torch.tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))

    def load(path):
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB").resize((224, 224), Image.BILINEAR))
        return (torch.from_numpy(pixels).permute(2, 0, 1).float() / 255 - mean) / std

    def run():
        kept = {layer: [] for layer in LAYERS}
        hooks = [
            net.get_submodule(layer).register_forward_hook(
                lambda m, i, out, layer=layer: kept[layer].append(out.flatten(1).numpy().copy())
            )
            for layer in LAYERS
        ]
        with torch.no_grad():
            for start in range(0, len(paths), BATCH):
                net(torch.stack([load(path) for path in paths[start : start + BATCH]]))
        for hook in hooks:
            hook.remove()
        return {layer: np.concatenate(parts) for layer, parts in kept.items()}

    return run


def decoding(paths):
    """Decoding and resizing alone, on all cores."""

    def load(path):
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB").resize((224, 224), Image.BILINEAR))

    def run():
        with ThreadPoolExecutor() as pool:
            for _ in pool.map(load, paths):
                pass

    return run


def resident() -> float:
    """Memory of this process that no file backs, in MiB: what a store maps can be taken back."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon:")]
    return int(line.split()[1]) / 1024


def measured(make, pipe):
    run = make()
    before, peak, done = resident(), [0.0], threading.Event()

    def watch():
        while not done.wait(0.01):
            peak[0] = max(peak[0], resident())

    threading.Thread(target=watch, daemon=True).start()
    started = time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    done.set()
    pipe.send((seconds, peak[0] - before))


def alone(make):
    """Seconds and peak memory of a side in a fresh process."""
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=measured, args=(make, send))
    process.start()
    send.close()  # so that a side that dies ends the wait
    result = receive.recv()
    process.join()
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "bench-images")
    options = parser.parse_args()
    paths = pngs(options.folder, options.images)
    shelf = options.folder / "store"
    name = options.network
    last, plain = torch.channels_last, torch.contiguous_format
    sides = {
        "bare forward, decoded, channels last": lambda: bare(network(name), decoded(paths), last),
        "bare forward, decoded, as it comes": lambda: bare(network(name), decoded(paths), plain),
        "Corteval, decoded, five layers stored": lambda: ours(network(name), decoded(paths), shelf),
        "decoding of PNG alone": lambda: decoding(paths),
        "Corteval, PNG, five layers stored": lambda: ours(network(name), on_disk(paths), shelf),
        "hook and concatenate, PNG": lambda: straightforward(network(name), paths),
    }
    print(f"{name}, {options.images} images, batches of {BATCH}, {torch.get_num_threads()} threads")
    runs = {side: [] for side in sides}
    for _ in range(options.repeats):  # in turn, so that all meet the same machine
        for side, make in sides.items():
            runs[side].append(alone(make))
    best = {side: min(found) for side, found in runs.items()}
    first = best["bare forward, decoded, channels last"][0]
    for side, (seconds, mebibytes) in best.items():
        print(
            f"  {side:40s} {seconds:7.2f} s {options.images / seconds:7.1f} images/s "
            f"x{seconds / first:5.2f} {mebibytes:7.0f} MiB"
        )
    shutil.rmtree(shelf, ignore_errors=True)


if __name__ == "__main__":
    main()
