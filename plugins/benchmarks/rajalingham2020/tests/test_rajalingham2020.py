"""Rajalingham2020 on files in the archive's form, whose origin is known."""

import json

import pytest
from click.testing import CliRunner
from tests.archive_recordings import legacy, write

import corteval
from corteval import registry
from corteval.cli import cli
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, shuffled
from corteval_brainscore.imitation import imitated

IDS = ["Rajalingham2020.IT-pls", "Rajalingham2020.IT-pls-legacy"]


def written(archive, stimuli=150, trials=8, neuroids=8, **options):
    counts = {"V4": 3, "IT": neuroids}
    return write(archive, "Rajalingham2020", "Rajalingham2020", neuroids=counts,
                 stimuli=stimuli, trials=trials, **options)  # fmt: skip


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """One recording, shared by the tests that need no other."""
    with imitated(tmp_path_factory.mktemp("archive")) as made:
        yield made, written(made)


@pytest.fixture
def data(recording):
    return recording[1]


@pytest.mark.parametrize("identifier", IDS)
def test_the_true_generator_scores_at_the_ceiling(data, identifier):
    score = corteval.score(data.generator("IT"), identifier)
    assert score.ceiling.value == pytest.approx(1 / (1 + 1 / 8), abs=0.04)
    assert score.value == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("identifier", IDS)
def test_shuffled_responses_score_at_chance(data, identifier):
    subject = shuffled(data.generator("IT"), seed=3)
    assert abs(corteval.score(subject, identifier).value) < 0.15


@pytest.mark.parametrize("identifier", IDS)
def test_a_subject_without_the_region_is_refused_before_any_compute(recording, identifier):
    archive, _ = recording
    before = len(archive.requests)
    score = corteval.score(RefusingSubject(), identifier)
    assert score.status == "not-applicable"
    assert "a recording of IT" in score.reason
    assert len(archive.requests) == before  # nothing was downloaded


@pytest.mark.parametrize("identifier", IDS)
def test_subjects_are_asked_what_was_published(data, identifier):
    benchmark = registry.benchmarks.create(identifier)
    assert benchmark.requests() == (Recording("IT", trials=33),)
    assert benchmark.stimuli().visual_degrees == 8
    assert "stratify_by" not in benchmark.metric_options["cross_validation"]


def test_the_legacy_name_gives_exactly_the_fields_formula(data):
    subject, x = data.model()
    raw, error, ceiling = legacy(data, "IT", x)
    score = corteval.score(subject, "Rajalingham2020.IT-pls-legacy")
    assert score.raw.value == pytest.approx(raw, abs=1e-9)
    assert score.raw.error == pytest.approx(error, abs=1e-9)
    assert score.ceiling.value == pytest.approx(ceiling, abs=1e-9)
    assert score.value == pytest.approx(raw**2 / ceiling, abs=1e-9)


def test_the_command_line_scores_pixels(data):
    arguments = ["score", "pixels", "Rajalingham2020.IT-pls", "--yes", "--json"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    (found,) = [s for s in answer.get("scores", [answer]) if s["model"] == "pixels"]
    assert found["value"] == pytest.approx(1, abs=0.06)  # pixels see the nine greys


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    """616 images, 33 trials of each; the archive does not tell how many neuroids."""
    data = written(archive, stimuli=616, trials=33, neuroids=200, noise=3.0)
    score = corteval.score(data.generator("IT"), "Rajalingham2020.IT-pls")
    assert score.ceiling.value == pytest.approx(1 / (1 + 9 / 33), abs=0.02)
    assert score.value == pytest.approx(1, abs=0.03)
