import numpy as np
import pandas as pd
import pytest

from corteval import models
from corteval.model import perform, record
from corteval.requests import Label, OddOneOut, Probabilities
from corteval.stimuli import StimulusSet

NAMES = ("pixels", "gabor-filterbank", "gabor-colour", "random-cnn", "random-projection/200")


@pytest.fixture(scope="module")
def images():
    generator = np.random.default_rng(0)
    pixels = {f"{label}-{n}": generator.integers(0, 256, (32, 32, 3), np.uint8)
              for label in ("disc", "cross", "star") for n in range(4)}  # fmt: skip
    table = pd.DataFrame(
        {"label": [i.partition("-")[0] for i in pixels]},
        index=pd.Index(list(pixels), name="stimulus_id"),
    )
    return StimulusSet(identifier="noise", modality="image", table=table, images=pixels.__getitem__)


@pytest.mark.parametrize("name", NAMES)
def test_a_control_tells_probabilities_and_finds_the_odd_one_out(name, images):
    model = models.create(name)
    fit = images.where(label="disc").stimulus_ids + images.where(label="cross").stimulus_ids
    task = Probabilities(images.select(fit))
    triplet = tuple(images.stimulus_ids[k] for k in (0, 5, 10))
    odd = OddOneOut((triplet,))
    assert model.supports(task) and model.supports(odd)
    assert not model.supports(Label(("disc", "cross")))
    shown = images.select(triplet)
    given = perform(model, shown, task)
    assert given["choice"].values.tolist() == ["cross", "disc"]
    np.testing.assert_allclose(given.sum("choice"), 1)
    x = record(model, shown, "behaviour").values.astype(float)
    similar = x @ x.T
    pairs = [similar[1, 2], similar[0, 2], similar[0, 1]]
    assert perform(model, shown, odd).values.tolist() == [triplet[int(np.argmax(pairs))]]


def test_sentence_length_tells_no_probabilities(images):
    assert not models.create("sentence-length").supports(Probabilities(images))
