"""FreemanZiemba2013 on files in the archive's form, whose origin is known."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from tests.archive_recordings import legacy, write

import corteval
from corteval import registry
from corteval.assembly import neural
from corteval.cli import cli
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitation import imitated

REGIONS = ("V1", "V2")
NAMES = ("FreemanZiemba2013", "FreemanZiemba2013public")
IDS = [f"{n}.{r}-{m}" for n in NAMES for r in REGIONS for m in ("pls", "pls-legacy")]
COLUMNS = {"texture_type": lambda n: ("noise", "texture")[n % 2]}
#: One millisecond each, beyond the window that is averaged on both sides.
BINS = [(start, start + 1) for start in range(48, 202)]
INSIDE = np.array([50 <= start < 200 for start, _ in BINS])
#: Outside the window the signal is turned round, and would spoil the mean.
COURSE = np.where(INSIDE, np.linspace(0.5, 1.5, len(BINS)), -40.0)
GAIN = COURSE[INSIDE].mean()


def written(archive, name, stimuli=135, trials=4, noise=5.0):
    access = "public" if name.endswith("public") else "private"
    return write(
        archive,
        f"FreemanZiemba2013.{access}",
        f"FreemanZiemba2013.aperture-{access}",
        neuroids=dict.fromkeys(REGIONS, 6),
        stimuli=stimuli,
        trials=trials,
        bins=BINS,
        course=COURSE,
        columns=COLUMNS,
        noise=noise,
    )


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Private and public recordings, shared by the tests that need no others."""
    with imitated(tmp_path_factory.mktemp("archive")) as made:
        yield made, {name: written(made, name) for name in NAMES}


@pytest.fixture
def recorded(recordings):
    return lambda identifier: recordings[1][identifier.partition(".")[0]]


def region_of(identifier):
    return identifier.partition(".")[2].partition("-")[0]


def generator(data, region):
    values = data.signal[:, data.regions == region]
    names = {"neuroid_id": [f"unit-{n}" for n in range(values.shape[1])]}
    return ReplaySubject(responses=neural(values, data.ids, names))


@pytest.mark.parametrize("identifier", IDS)
def test_the_true_generator_scores_at_the_ceiling(recorded, identifier):
    score = corteval.score(generator(recorded(identifier), region_of(identifier)), identifier)
    reliability = 1 / (1 + 25 / 150 / 4 / GAIN**2)
    assert score.ceiling.value == pytest.approx(reliability, abs=0.03)
    assert score.value == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("identifier", IDS)
def test_shuffled_responses_score_at_chance(recorded, identifier):
    subject = shuffled(generator(recorded(identifier), region_of(identifier)), seed=3)
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
    benchmark = registry.benchmarks.create(identifier)
    asked = Recording(region_of(identifier), (TimeBin(50, 200),), trials=20)
    assert benchmark.requests() == (asked,)
    assert benchmark.stimuli().visual_degrees == 4


@pytest.mark.parametrize("name", NAMES)
def test_the_legacy_name_gives_exactly_the_fields_formula(archive, name):
    data = written(archive, name, noise=20.0)
    subject, x = data.model()
    window = type(data)(**{**vars(data), "values": data.values[:, :, INSIDE]})
    raw, error, ceiling = legacy(window, "V1", x, stratify_by="texture_type", bin_means=True)
    score = corteval.score(subject, f"{name}.V1-pls-legacy")
    assert score.raw.value == pytest.approx(raw, abs=1e-9)
    assert score.raw.error == pytest.approx(error, abs=1e-9)
    assert score.ceiling.value == pytest.approx(ceiling, abs=1e-9)
    assert score.value == pytest.approx(raw**2 / ceiling, abs=1e-9)


def test_the_command_line_scores_pixels(recorded):
    recorded("FreemanZiemba2013public")
    arguments = ["score", "pixels", "FreemanZiemba2013public.V2-pls", "--yes", "--json"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    (found,) = [s for s in answer.get("scores", [answer]) if s["model"] == "pixels"]
    assert found["value"] == pytest.approx(1, abs=0.06)  # pixels see the nine greys


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    """6,300 presentations of 315 images, 102 V1 and 103 V2 neurons, 1-ms bins."""
    data = write(archive, "FreemanZiemba2013.private", "FreemanZiemba2013.aperture-private",
                 neuroids={"V1": 102, "V2": 103}, stimuli=315, trials=20, bins=BINS, course=COURSE,
                 columns=COLUMNS, noise=30.0, dtype=np.float32, level=0)  # fmt: skip
    score = corteval.score(generator(data, "V2"), "FreemanZiemba2013.V2-pls")
    assert score.ceiling.value == pytest.approx(1 / (1 + 900 / 150 / 20 / GAIN**2), abs=0.02)
    assert score.value == pytest.approx(1, abs=0.04)
    assert dict(score.samples.sizes) == {"split": 10, "neuroid": 103}
