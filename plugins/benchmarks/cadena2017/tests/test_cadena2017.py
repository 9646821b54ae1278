"""Cadena2017 on files in the archive's form: neurons of several sessions, images not in all."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import ShuffleSplit
from tests.archive_recordings import write

import corteval
from corteval import registry
from corteval.cli import cli
from corteval.errors import AssemblyError
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, shuffled
from corteval_brainscore.imitation import imitated

IDS = ["Cadena2017-pls", "Cadena2017-pls-legacy"]


def not_shown(stimulus, repetition, neuroid):
    """Two sessions: the second lacks each seventh image, and trial 3 of each second image."""
    second = neuroid % 2 == 1
    return second & ((stimulus % 7 == 0) | ((stimulus % 2 == 0) & (repetition == 3)))


def written(archive, stimuli=175, trials=4, neuroids=8, missing=not_shown, noise=0.7, **options):
    return write(archive, "Cadena2017", "Cadena2017", neuroids={"V1": neuroids},
                 stimuli=stimuli, trials=trials, bins=[(40, 100)], missing=missing, noise=noise,
                 repetition_name="repetition_id", **options)  # fmt: skip


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
    score = corteval.score(data.generator("V1"), identifier)
    # half of the neurons have four trials of all images, half three of each second image
    of_one, of_other = (1 / (1 + 0.49 * n) for n in (1 / 4, (1 / 4 + 1 / 3) / 2))
    assert score.ceiling.value == pytest.approx((of_one + of_other) / 2, abs=0.03)
    assert score.value == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("identifier", IDS)
def test_shuffled_responses_score_at_chance(data, identifier):
    subject = shuffled(data.generator("V1"), seed=3)
    assert abs(corteval.score(subject, identifier).value) < 0.15


@pytest.mark.parametrize("identifier", IDS)
def test_a_subject_without_the_region_is_refused_before_any_compute(recording, identifier):
    archive, _ = recording
    before = len(archive.requests)
    score = corteval.score(RefusingSubject(), identifier)
    assert score.status == "not-applicable"
    assert "a recording of V1" in score.reason
    assert len(archive.requests) == before  # nothing was downloaded


@pytest.mark.parametrize("identifier", IDS)
def test_subjects_are_asked_what_was_published(data, identifier):
    benchmark = registry.benchmarks.create(identifier)
    assert benchmark.requests() == (Recording("V1", trials=2),)
    assert benchmark.stimuli().visual_degrees == 2
    assert "stratify_by" not in benchmark.metric_options["cross_validation"]


def test_images_that_a_neuron_was_never_shown_are_left_out(data):
    made = registry.data.create("Cadena2017")
    kept = {i for n, i in enumerate(data.ids) if n % 7}
    assert set(made.stimuli().stimulus_ids) == kept
    assembly = made.assembly()
    assert set(assembly["stimulus_id"].values) == kept
    assert assembly.isnull().any() and not assembly.mean("trial").isnull().any()


def means_in_file_order(data):
    """Complete images in the order of their first rows, and means over the trials there are."""
    values = data.values[:, :, 0]
    rows = data.of_first_appearance()
    means = np.stack([np.nanmean(values[data.stimulus == s], axis=0) for s in rows if s % 7])
    return [s for s in rows if s % 7], means


def test_the_legacy_name_gives_exactly_the_fields_raw_score(data):
    subject, x = data.model()
    rows, y = means_in_file_order(data)
    x, medians = x[rows], []
    for train, test in ShuffleSplit(10, train_size=0.9, random_state=1).split(x):
        predicted = PLSRegression(25, scale=False).fit(x[train], y[train]).predict(x[test])
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, y[test].T, strict=True)]
        medians.append(np.median(r))
    score = corteval.score(subject, "Cadena2017-pls-legacy")
    assert score.raw.value == pytest.approx(np.mean(medians), abs=1e-9)
    assert score.value == pytest.approx(np.mean(medians) ** 2 / score.ceiling.value, abs=1e-9)
    assert any("variance between and within images" in note for note in score.notes)


def test_the_ceiling_is_the_share_of_variance_of_means_that_is_signal(data):
    values, ceilings = data.values[:, :, 0], []
    for n in range(values.shape[1]):
        trials = [values[data.stimulus == s, n] for s in range(175) if s % 7]
        trials = [t[~np.isnan(t)] for t in trials]
        noise = np.mean([t.var(ddof=1) for t in trials])
        signal = max(0, np.concatenate(trials).var(ddof=1) - noise)
        ceilings.append(signal / (signal + noise * np.mean([1 / len(t) for t in trials])))
    found = registry.benchmarks.create("Cadena2017-pls").ceiling()
    assert found.value == pytest.approx(np.median(ceilings), abs=1e-9)


def test_recordings_without_an_image_of_all_neurons_are_refused(archive):
    written(
        archive, stimuli=20, missing=lambda stimulus, repetition, neuroid: stimulus % 8 == neuroid
    )
    with pytest.raises(AssemblyError, match="No image of brainscore/Cadena2017 has responses"):
        # every image lacks one of eight neurons
        registry.data.create("Cadena2017").assembly()


def test_the_command_line_scores_pixels(data):
    result = CliRunner().invoke(cli, ["score", "pixels", "Cadena2017-pls", "--yes", "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    (found,) = [s for s in answer.get("scores", [answer]) if s["model"] == "pixels"]
    assert found["value"] == pytest.approx(1, abs=0.06)  # pixels see the nine greys


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    """29,000 presentations of 7,250 images, 166 neurons; a seventh of the images lacks some."""
    data = written(archive, stimuli=7250, neuroids=166, noise=1.0, dtype=np.float32)
    assert len(data.values) == 29_000
    score = corteval.score(data.generator("V1"), "Cadena2017-pls")
    assert score.value == pytest.approx(1, abs=0.02)
