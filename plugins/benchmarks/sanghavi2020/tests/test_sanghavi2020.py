"""Sanghavi2020, SanghaviJozwik2020 and SanghaviMurty2020 on files in the archive's form."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from tests.archive_recordings import legacy, write

import corteval
from corteval import registry
from corteval.cli import cli
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import RefusingSubject, shuffled
from corteval_brainscore.imitation import imitated

#: As published: stimulus set, images, degrees, trials, strata.
PUBLISHED = {
    "Sanghavi2020": ("hvm", 5760, 8, 28, "object_name"),
    "SanghaviJozwik2020": ("BOLD5000", 4916, 8, 37, None),
    "SanghaviMurty2020": ("Rust2012", 300, 5, 50, None),
}
NAMES = list(PUBLISHED)
IDS = [f"{n}.{r}-{m}" for n in NAMES for r in ("V4", "IT") for m in ("pls", "pls-legacy")]
TWO_BINS = [(70, 170), (170, 270)]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """All three recordings, shared by the tests that need no others."""
    with imitated(tmp_path_factory.mktemp("archive")) as made:
        yield (
            made,
            {
                name: write(
                    made,
                    name,
                    shown,
                    neuroids={"V4": 8, "IT": 8},
                    stimuli=150,
                    trials=8,
                    bins=TWO_BINS,
                    course=[1, -1],  # what comes later would spoil the score
                    bin_coords={"time_bin_id": [0, 1]},
                    columns={"object_name": lambda n: f"object-{n % 8}"},
                    attrs={"image_size_degree": degrees},
                )
                for name, (shown, _, degrees, _, _) in PUBLISHED.items()
            },
        )


@pytest.fixture
def recorded(recordings):
    return lambda identifier: recordings[1][identifier.partition(".")[0]]


def region_of(identifier):
    return identifier.partition(".")[2].partition("-")[0]


def first_bin(data, region):
    subject = data.generator(region)
    return type(subject)(responses=subject.responses.isel(time_bin=[0]))


@pytest.mark.parametrize("identifier", IDS)
def test_the_true_generator_scores_at_the_ceiling(recorded, identifier):
    data = recorded(identifier)
    score = corteval.score(first_bin(data, region_of(identifier)), identifier)
    assert score.ceiling.value == pytest.approx(1 / (1 + 1 / 8), abs=0.04)
    assert score.value == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("identifier", IDS)
def test_shuffled_responses_score_at_chance(recorded, identifier):
    subject = shuffled(first_bin(recorded(identifier), region_of(identifier)), seed=3)
    assert abs(corteval.score(subject, identifier).value) < 0.15


@pytest.mark.parametrize("identifier", IDS)
def test_a_subject_without_the_region_is_refused_before_any_compute(recordings, identifier):
    archive, _ = recordings
    before = len(archive.requests)
    score = corteval.score(RefusingSubject(), identifier)
    assert score.status == "not-applicable"
    assert f"a recording of {region_of(identifier)}" in score.reason
    assert len(archive.requests) == before  # nothing was downloaded


@pytest.mark.parametrize("identifier", IDS)
def test_subjects_are_asked_what_was_published(recorded, identifier):
    recorded(identifier)
    name = identifier.partition(".")[0]
    _, images, degrees, trials, strata = PUBLISHED[name]
    benchmark = registry.benchmarks.create(identifier)
    asked = Recording(region_of(identifier), (TimeBin(70, 170),), trials=trials)
    assert benchmark.requests() == (asked,)
    assert benchmark.stimuli().visual_degrees == degrees
    assert f"{images:,}" in benchmark.card.summary
    assert benchmark.metric_options["cross_validation"]["stratify_by"] == strata


@pytest.mark.parametrize("name", NAMES)
def test_the_legacy_name_gives_exactly_the_fields_formula(recorded, name):
    data = recorded(name)
    subject, x = data.model()
    raw, error, ceiling = legacy(data, "IT", x, stratify_by=PUBLISHED[name][4])
    score = corteval.score(subject, f"{name}.IT-pls-legacy")
    assert score.raw.value == pytest.approx(raw, abs=1e-9)
    assert score.raw.error == pytest.approx(error, abs=1e-9)
    assert score.ceiling.value == pytest.approx(ceiling, abs=1e-9)
    assert score.value == pytest.approx(raw**2 / ceiling, abs=1e-9)
    assert score.normalization == "r^2/c"


def test_the_command_line_scores_pixels(recorded):
    recorded("SanghaviMurty2020")
    arguments = ["score", "pixels", "SanghaviMurty2020.V4-pls", "--yes", "--json"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    (found,) = [s for s in answer.get("scores", [answer]) if s["model"] == "pixels"]
    assert found["value"] == pytest.approx(1, abs=0.06)  # pixels see the nine greys


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    """300 images, 50 trials of each; the archive does not tell how many neuroids."""
    data = write(archive, "SanghaviMurty2020", "Rust2012", neuroids={"V4": 50, "IT": 50},
                 stimuli=300, trials=50, bins=TWO_BINS, course=[1, -1], noise=3.0)  # fmt: skip
    score = corteval.score(first_bin(data, "IT"), "SanghaviMurty2020.IT-pls")
    assert score.ceiling.value == pytest.approx(1 / (1 + 9 / 50), abs=0.02)
    assert score.value == pytest.approx(1, abs=0.04)
    assert np.shape(score.samples) == (10, 50)
