import numpy as np
import pytest
import torch
from PIL import Image

from corteval import models
from corteval.errors import OptionError
from corteval.model import record
from corteval.testing import toys
from corteval_hmax.network import HMAX
from corteval_hmax.patches import random_patches


def test_hmax_without_patches_says_how_to_give_some():
    with pytest.raises(OptionError) as raised:
        models.create("hmax")
    for way in ("patches_from=", "patches=", "hmax-random-patches"):
        assert way in str(raised.value)


def test_random_patches_are_admitted_with_every_score():
    subject = models.create("hmax-random-patches", count=3, seed=4)
    (note,) = subject.notes
    assert "random S2 patches (seed 4)" in note and "not HMAX as published" in note


def test_areas_are_matches_of_the_committed_patches():
    subject = models.create("hmax-random-patches", count=3)
    stimuli = toys.images(1)
    squashed = Image.fromarray(stimuli.image("image-000")).resize((224, 224), Image.BILINEAR)
    pixels = torch.from_numpy(np.array(squashed)).permute(2, 0, 1)[None].float()
    matches = HMAX(random_patches(0, 3))(pixels)[0].numpy().reshape(8, 3)
    for target, number in {"V1": 7, "V2": 3, "V4": 0, "IT": 2}.items():
        responses = record(subject, stimuli, target)
        np.testing.assert_allclose(responses.values[0], matches[number], rtol=1e-4)


def test_patches_come_from_a_file(tmp_path):
    file = tmp_path / "patches.npz"
    drawn = random_patches(0, 3)
    np.savez(file, **{f"size_{s}": p.numpy() for s, p in drawn.items()})
    given = models.create("hmax", patches=file)
    stimuli = toys.images(2)
    expected = record(models.create("hmax-random-patches", count=3), stimuli, "V4")
    np.testing.assert_array_equal(record(given, stimuli, "V4").values, expected.values)
    assert "patches.npz" in given.notes[0]


def test_patches_are_drawn_from_a_folder(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(2):
        pixels = generator.integers(0, 256, (150, 200, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    subject = models.create("hmax", patches_from=tmp_path, count=3)
    responses = record(subject, toys.images(2), "IT")
    assert responses.shape == (2, 3)
    assert "2 images" in subject.notes[0]


def test_two_sources_of_patches_are_refused(tmp_path):
    with pytest.raises(OptionError, match="Give one of"):
        models.create("hmax", patches=tmp_path / "a.npz", patches_from=tmp_path)
