"""Islam2021 on files of the archive's form, against plain loops and the metric itself."""

import math
import random

import numpy as np
import pandas as pd
import pytest
from plugins.benchmarks.islam2021.tests.islam2021_files import table, write

import corteval
from corteval import registry
from corteval.assembly import neural
from corteval.cli import main
from corteval.errors import OptionError, StimuliError
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import RefusingSubject, ReplaySubject
from corteval_brainscore.imitation import imitated, png
from corteval_distribution.factors import factor_dimensionality
from corteval_islam2021.pairs import drawn_pairs

REGIONS = ("V1", "V2", "V4", "IT")
IDENTIFIERS = [
    f"Islam2021-{f}_{r.lower()}_dimensionality" for f in ("shape", "texture") for r in REGIONS
]
every = pytest.mark.parametrize("identifier", IDENTIFIERS)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield pd.DataFrame(write(archive)).set_index("stimulus_id")


def loops(frame, seed=1751):
    """The published way of drawing partners, by searching the table for each image."""
    drawn = random.Random(seed)
    found = []
    for number in range(len(frame)):
        row = frame.iloc[number]
        factor = drawn.choice(["shape", "texture"])
        if factor == "shape":
            others = [t for t in sorted(frame["texture"].unique()) if t != row["texture"]]
            texture = drawn.choice(others)
            same = (frame["original_image_id"] == row["original_image_id"]) & (
                frame["texture"] == texture
            )
            (partner,) = np.flatnonzero(same)
        else:
            others = [s for s in sorted(frame["shape"].unique()) if s != row["shape"]]
            shape = drawn.choice(others)
            same = (frame["texture"] == row["texture"]) & (frame["shape"] == shape)
            partner = drawn.choice(list(np.flatnonzero(same)))
        found.append((number, int(partner), factor))
    return found


def subject_with(values, frame):
    ids = {"neuroid_id": [f"u{n:04d}" for n in range(values.shape[1])]}
    return ReplaySubject(responses=neural(values, list(frame.index), ids))


def test_partners_are_those_of_the_published_search(written):
    pairs = drawn_pairs(
        written, texture="texture", shape="shape", image="original_image_id", seed=1751
    )
    assert list(zip(*(column.tolist() for column in pairs), strict=True)) == loops(written)


@every
def test_scores_are_those_of_the_metric_on_the_published_pairs(written, identifier):
    rng = np.random.default_rng(1)
    shape, texture = (np.unique(written[c], return_inverse=True)[1] for c in ("shape", "texture"))
    values = rng.normal(size=(20, 37))[shape] + rng.normal(size=(5, 37))[texture] + 3
    values += rng.normal(size=values.shape)
    first, second, factors = map(np.array, zip(*loops(written), strict=True))
    expected = factor_dimensionality(values[first], values[second], factors)
    score = corteval.score(subject_with(values, written), identifier)
    assert score.value == expected[identifier.split("-")[1].split("_")[0]]
    assert (score.ceiling.value, score.normalization) == (1, "r/c")
    assert score.interval.low < score.value < score.interval.high


@every
def test_who_codes_the_factor_alone_has_the_largest_share_there_is(written, identifier):
    """It is e / (1 + 2 e); knowing nothing gives 1 / (2 + e)."""
    benchmark = registry.benchmarks.create(identifier)
    subject = ReplaySubject(responses=benchmark.selective_responses(0))
    assert corteval.score(subject, benchmark).value == pytest.approx(
        math.e / (1 + 2 * math.e), abs=0.02
    )
    noise = np.random.default_rng(2).normal(size=(len(written), 1000))
    ignorant = corteval.score(subject_with(noise, written), identifier).value
    assert ignorant == pytest.approx(1 / (2 + math.e), abs=0.01)
    assert benchmark.card.chance == pytest.approx(1 / (2 + math.e))


@every
def test_requests_are_as_published_and_refused_before_any_file_is_asked_for(archive, identifier):
    region = identifier.split("_")[1].upper()
    benchmark = registry.benchmarks.create(identifier)
    assert len(benchmark.card.summary) <= 100
    assert benchmark.requests() == (Recording(region, (TimeBin(70, 170),)),)
    assert benchmark.visual_degrees is None
    score = corteval.score(RefusingSubject(), benchmark)
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert region in score.reason


def test_units_read_in_blocks_give_the_same(written, monkeypatch):
    values = np.random.default_rng(3).normal(size=(len(written), 50))
    whole = corteval.score(subject_with(values, written), IDENTIFIERS[0])
    monkeypatch.setattr("corteval_islam2021.pairs._BUDGET", 16 * len(written) * 7)
    blocks = corteval.score(subject_with(values, written), IDENTIFIERS[0])
    assert blocks.value == whole.value
    assert blocks.interval.low == pytest.approx(whole.interval.low, abs=1e-6)


def test_constant_units_have_no_share(written):
    score = corteval.score(subject_with(np.ones((len(written), 3)), written), IDENTIFIERS[0])
    assert (score.status, "varies" in score.reason) == ("undefined", True)


def test_tables_without_partners_are_told(written):
    options = {"texture": "texture", "shape": "shape", "image": "original_image_id"}
    with pytest.raises(StimuliError, match="no column style"):
        drawn_pairs(written, **{**options, "texture": "style"})
    with pytest.raises(StimuliError, match="no partner of the same"):
        drawn_pairs(written.iloc[:30], **options)


def test_wrong_options_are_told():
    with pytest.raises(OptionError, match="shape or texture"):
        registry.benchmarks.create(IDENTIFIERS[0], factor="colour")


def test_the_command_line_scores_it(written, capsys):
    assert main(["score", "pixels", IDENTIFIERS[0], "--yes", "--json"]) == 0
    assert '"status": "scored"' in capsys.readouterr().out


@pytest.mark.slow
def test_the_published_number_of_images_is_scored(archive):
    rows = table(photographs=219)[:21_900]
    archive.add_stimuli(
        "Islam2021", rows, {row["filename"]: png(np.zeros((1, 1, 3), np.uint8)) for row in rows}
    )
    frame = pd.DataFrame(rows).set_index("stimulus_id")
    values = np.random.default_rng(0).normal(size=(len(rows), 500)).astype(np.float32)
    score = corteval.score(subject_with(values, frame), IDENTIFIERS[3], store=None)
    assert score.value == pytest.approx(1 / (2 + math.e), abs=0.005)
