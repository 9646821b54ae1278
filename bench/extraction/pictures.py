"""Seeded images and networks that the measurements of extraction share."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from corteval.stimuli import StimulusSet

#: Five layers of increasing depth.
LAYERS = ("layer1", "layer2", "layer3", "layer4", "global_pool")


def network(name: str):
    """resnet18 or resnet50 of timm with random weights."""
    import torch

    from corteval_pytorch import declare_torchvision_operators

    declare_torchvision_operators()
    import timm

    torch.manual_seed(0)
    return timm.create_model(name).eval()


def pngs(folder: Path, count: int, pixels: int = 256) -> list[Path]:
    """PNG files of 1/f noise with a disc; written once."""
    folder.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[:pixels, :pixels] / pixels
    fy, fx = np.fft.fftfreq(pixels)[:, None], np.fft.rfftfreq(pixels)[None]
    amplitude = 1 / np.maximum(np.hypot(fy, fx), 1 / pixels)
    paths = [folder / f"image{number:05d}.png" for number in range(count)]
    for number, path in enumerate(paths):
        if path.exists():
            continue
        rng = np.random.default_rng(number)
        phases = rng.standard_normal((2, 3, *amplitude.shape))
        noise = np.fft.irfft2(amplitude * (phases[0] + 1j * phases[1]), s=(pixels, pixels))
        noise = noise / noise.std(axis=(1, 2), keepdims=True) * 40 + 118
        disc = np.hypot(x - rng.uniform(0.3, 0.7), y - rng.uniform(0.3, 0.7)) < 0.2
        image = np.clip(noise + disc * rng.uniform(-60, 60, (3, 1, 1)), 0, 255)
        Image.fromarray(image.transpose(1, 2, 0).astype(np.uint8)).save(path)
    return paths


def on_disk(paths: list[Path]) -> StimulusSet:
    """The files as stimuli."""
    index = pd.Index([path.stem for path in paths], name="stimulus_id")
    table = pd.DataFrame({"path": [str(path) for path in paths]}, index=index)
    return StimulusSet(identifier=f"{len(paths)} pictures", modality="image", table=table)


def decoded(paths: list[Path], pixels: int = 224) -> StimulusSet:
    """The files as stimuli in memory, resized already."""
    images = {}
    for path in paths:
        with Image.open(path) as opened:
            images[path.stem] = np.asarray(opened.convert("RGB").resize((pixels, pixels)))
    table = pd.DataFrame(index=pd.Index(list(images), name="stimulus_id"))
    return StimulusSet(
        identifier=f"{len(paths)} decoded", modality="image", table=table, images=images.__getitem__
    )
