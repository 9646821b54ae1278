"""Bracci2019 on files of the archive's form, against scipy and numpy alone."""

import numpy as np
import pytest
from plugins.benchmarks.bracci2019.tests.bracci2019_files import IDS, VOXELS, drawn, write
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

import corteval
from corteval import registry
from corteval.assembly import neural
from corteval.cli import main
from corteval.errors import AssemblyError, OptionError
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitation import imitated

PUBLISHED = "Bracci2019.anteriorVTC-rdm-legacy"
OURS = "Bracci2019.anteriorVTC-rdm"
every = pytest.mark.parametrize("identifier", [OURS, PUBLISHED])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Causes, and centred (person, stimulus, voxel) responses of the anterior region."""
    hidden, values = drawn()
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, values, innermost=False)
        own = values[:, VOXELS[0] + VOXELS[1] :]
        yield hidden, (own - own.mean(axis=0)).transpose(2, 0, 1)


def subject_with(values):
    ids = {"neuroid_id": [f"u{n}" for n in range(values.shape[1])]}
    return ReplaySubject(responses=neural(values, IDS, ids))


def population(hidden, units=2000):
    """Units that are linear in the causes, as people's voxels are."""
    weights = np.random.default_rng(9).normal(size=(hidden.shape[1], units))
    return subject_with((hidden - hidden.mean(axis=0)) @ weights)


def lower_bound(people):
    rdms = np.stack([pdist(p, "correlation") for p in people])
    others = [np.delete(rdms, n, axis=0).mean(axis=0) for n in range(len(rdms))]
    return np.mean([spearmanr(o, r).statistic for o, r in zip(others, rdms, strict=True)])


def test_people_are_compared_one_by_one_as_scipy_does(recorded):
    hidden, people = recorded
    subject = population(hidden + np.random.default_rng(1).normal(size=hidden.shape))
    model = pdist(subject.responses.values, "correlation")
    raw = np.mean([spearmanr(model, pdist(p, "correlation")).statistic for p in people])
    score = corteval.score(subject, OURS)
    assert score.raw.value == pytest.approx(raw, abs=1e-9)
    assert score.ceiling.value == pytest.approx(lower_bound(people), abs=1e-9)
    assert score.value == pytest.approx(raw / lower_bound(people), abs=1e-9)
    assert score.interval.scope == "stimuli×subjects"


def test_legacy_averages_voxels_of_one_number_over_people(recorded):
    hidden, people = recorded
    subject = population(hidden)
    model = pdist(subject.responses.values, "correlation")
    raw = spearmanr(model, pdist(people.mean(axis=0), "correlation")).statistic
    score = corteval.score(subject, PUBLISHED)
    assert score.raw.value == pytest.approx(raw, abs=1e-9)
    assert score.value == pytest.approx(raw / lower_bound(people), abs=1e-9)


def test_the_true_generator_is_at_the_ceiling_and_wrong_answers_at_chance(recorded):
    """It agrees with a person at least as well as the mean of eleven others does."""
    hidden, _ = recorded
    score = corteval.score(population(hidden), OURS)
    assert 1 <= score.value < 1.15
    wrong = [corteval.score(shuffled(population(hidden), n), OURS).value for n in range(4)]
    assert abs(np.mean(wrong)) < 0.15


@every
def test_ideal_responses_reach_the_ceiling_and_wrong_ones_are_at_chance(recorded, identifier):
    benchmark = registry.benchmarks.create(identifier)
    ideal = ReplaySubject(responses=benchmark.ideal_responses(0))
    assert corteval.score(ideal, benchmark).value >= 1
    wrong = [corteval.score(shuffled(ideal, n), benchmark).value for n in range(4)]
    assert abs(np.mean(wrong)) < 0.15


@every
def test_requests_are_as_published_and_refused_before_any_file_is_asked_for(archive, identifier):
    benchmark = registry.benchmarks.create(identifier)
    assert len(benchmark.card.summary) <= 100
    assert benchmark.requests() == (Recording("IT", (TimeBin(70, 170),)),)
    assert (benchmark.visual_degrees, benchmark.neuroids) == (8, {"roi": 2})
    score = corteval.score(RefusingSubject(), benchmark)
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert "IT" in score.reason


def test_labels_of_values_with_people_innermost_are_mended_by_position(archive):
    _, values = drawn(noise=0.2, seed=2)
    write(archive, values, innermost=True)
    own = values[:, VOXELS[0] + VOXELS[1] :]
    people = (own - own.mean(axis=0)).transpose(2, 0, 1)
    mended = registry.benchmarks.create(OURS, relabel=True)
    assert mended.ceiling().value == pytest.approx(lower_bound(people), abs=1e-9)
    as_stored = registry.benchmarks.create(OURS)
    assert as_stored.ceiling().value != pytest.approx(mended.ceiling().value, abs=1e-3)


def test_labels_that_are_not_person_by_person_are_not_mended(archive):
    archive.add_recording("Bracci2019", stimuli=5, trials=1, neuroids=4)
    with pytest.raises(AssemblyError, match="labelled anew"):
        registry.benchmarks.create(OURS, relabel=True).ceiling()


def test_wrong_options_are_told():
    with pytest.raises(OptionError, match="separate or averaged"):
        registry.benchmarks.create(OURS, people="pooled")


def test_the_command_line_scores_it(recorded, capsys):
    assert main(["score", "pixels", OURS, "--yes", "--json"]) == 0
    assert '"status": "scored"' in capsys.readouterr().out
