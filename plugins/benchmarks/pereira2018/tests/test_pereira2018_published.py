"""What the archive is known to hold: the file, and its shape."""

import time

import numpy as np
import pytest
from plugins.benchmarks.pereira2018.tests.pereira2018_files import write

import corteval
from corteval import registry

EXPERIMENTS = ("243sentences", "384sentences")


def test_the_cards_name_the_file_of_the_archive():
    (real,) = registry.data_card("brainscore/Pereira2018.language").resources
    for experiment in EXPERIMENTS:
        card = registry.data_card(f"Pereira2018.{experiment}")
        assert [(r.url, r.sha1) for r in card.resources] == [(real.url, real.sha1)]
        assert card.access == registry.data_card("brainscore/Pereira2018.language").access


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    """627 sentences, ten people and 13,553 voxels of the language atlas."""
    written = write(archive, topics=24, people=10, voxels=1356, noise=1.5)
    assert written.values.shape[0] == 24 * (10 + 16)
    started = time.monotonic()
    made = registry.benchmarks.create("Pereira2018.384sentences-ridge", nuisances=())
    first = corteval.score(written.generator(), made)
    computed = time.monotonic() - started
    assert first.samples.sizes["neuroid"] == 9 * 1356
    assert first.raw.value == pytest.approx(1 / np.sqrt(1 + 1.5**2), abs=0.02)
    assert first.value == pytest.approx(1, abs=0.1)
    started = time.monotonic()
    again = registry.benchmarks.create("Pereira2018.384sentences-ridge", nuisances=())
    assert corteval.score(written.generator(), again).value == first.value
    assert time.monotonic() - started < computed / 2  # the ceiling is found
