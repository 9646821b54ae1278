"""Coggan2024_fMRI on files of the archive's form, against numpy alone."""

from dataclasses import replace

import numpy as np
import pytest
from plugins.benchmarks.coggan2024_fmri.tests.coggan2024_fmri_files import (
    IDS,
    OFF,
    REGIONS,
    drawn,
    write,
)

import corteval
from corteval import registry
from corteval.assembly import neural
from corteval.cli import main
from corteval.errors import AssemblyError, OptionError
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitation import imitated
from corteval_coggan2024_fmri.similarities import responses_with_similarities

IDENTIFIERS = [f"Coggan2024_fMRI.{region}-rdm" for region in REGIONS]
EVERY = [*IDENTIFIERS, *(f"{i}-legacy" for i in IDENTIFIERS)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    hidden, rsms = drawn()
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, rsms, np.random.default_rng(1).permutation(24))
        yield dict(zip(REGIONS, hidden, strict=True)), dict(zip(REGIONS, rsms, strict=True))


def model_of(hidden, seed=3, units=400, noise=1.0):
    """Most units respond about zero, 30 strongly; one never."""
    rng = np.random.default_rng(seed)
    x = hidden @ rng.normal(size=(hidden.shape[1], units)) + noise * rng.normal(size=(24, units))
    x[:, :30] += 40 * rng.choice([-1, 1], 30)
    x[:, 30] = 0
    ids = {"neuroid_id": [f"u{n:03d}" for n in range(units)]}
    return ReplaySubject(responses=neural(x, IDS, ids))


def selected(x):
    """The spec's rule in plain numpy: units whose |mean| is above 3.1 sd of all means."""
    x = x[:, x.std(axis=0) != 0]
    means = x.mean(axis=0)
    x = x[:, abs(means) > 3.1 * means.std()]
    return np.corrcoef((x - x.mean(axis=0)) / x.std(axis=0))


def correlation(a, b):
    return np.corrcoef(a[OFF], b[OFF])[0, 1]


@pytest.mark.parametrize("identifier", EVERY)
def test_scores_are_those_of_plain_numpy(recorded, identifier):
    hidden, rsms = recorded
    region = identifier.split(".")[1].split("-")[0]
    subject = model_of(hidden[region])
    people = rsms[region]
    model = selected(subject.responses.values)
    r = np.mean([correlation(model, person) for person in people])
    c = np.mean(
        [correlation(p, np.delete(people, n, 0).mean(axis=0)) for n, p in enumerate(people)]
    )
    score = corteval.score(subject, identifier)
    expected = (r / c) ** 2 if identifier.endswith("legacy") else r / c
    assert score.raw.value == pytest.approx(r, abs=1e-9)
    assert score.ceiling.value == pytest.approx(c, abs=1e-9)
    assert score.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("identifier", EVERY)
def test_the_true_generator_is_at_the_ceiling_and_wrong_answers_at_chance(recorded, identifier):
    """Driven units linear in the causes agree with a person as the mean of eight others does."""
    hidden, _ = recorded
    region = identifier.split(".")[1].split("-")[0]
    causes = hidden[region]
    x = (causes - causes.mean(axis=0)) @ np.random.default_rng(5).normal(size=(6, 3000)) + 100.0
    ids = {"neuroid_id": [f"u{n:04d}" for n in range(3000)]}
    subject = ReplaySubject(responses=neural(x, IDS, ids))
    score = corteval.score(subject, identifier)
    assert 0.95 < score.value < 1.25
    wrong = [corteval.score(shuffled(subject, n), identifier).value for n in range(3)]
    assert np.mean(wrong) < 0.15


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_ideal_responses_have_the_mean_similarities(recorded, identifier):
    benchmark = registry.benchmarks.create(identifier)
    ideal = ReplaySubject(responses=benchmark.ideal_responses(0))
    assert corteval.score(ideal, benchmark).value > 0.98


@pytest.mark.parametrize("identifier", EVERY)
def test_requests_are_as_published_and_refused_before_any_file_is_asked_for(archive, identifier):
    region = identifier.split(".")[1].split("-")[0]
    benchmark = registry.benchmarks.create(identifier)
    assert len(benchmark.card.summary) <= 100
    assert benchmark.requests() == (Recording(region, (TimeBin(0, 250),)),)
    assert benchmark.visual_degrees == 9
    score = corteval.score(RefusingSubject(), benchmark)
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert region in score.reason


def test_a_model_without_driven_units_has_no_score(recorded):
    """Means that scatter about zero by a normal distribution rarely exceed 3.1 of their sd."""
    x = np.random.default_rng(0).normal(size=(24, 40))
    ids = {"neuroid_id": [f"u{n}" for n in range(40)]}
    score = corteval.score(ReplaySubject(responses=neural(x, IDS, ids)), IDENTIFIERS[0])
    assert score.status == "undefined"
    assert "3.1 standard deviations" in score.reason


def test_another_threshold_is_an_option(recorded):
    hidden, _ = recorded
    benchmark = registry.benchmarks.create(IDENTIFIERS[0], driven=0.0)
    assert "399 of 400" in " ".join(corteval.score(model_of(hidden["V1"]), benchmark).notes)


def test_made_responses_have_the_centred_similarities_and_are_all_driven_alike():
    similarities = np.corrcoef(np.random.default_rng(0).normal(size=(24, 40)))
    x = responses_with_similarities(similarities)
    centre = np.eye(24) - 1 / 24
    gram = centre @ similarities @ centre
    scale = np.sqrt(np.diag(gram))
    np.testing.assert_allclose(np.corrcoef(x - 1), gram / np.outer(scale, scale), atol=1e-9)
    np.testing.assert_allclose(x.std(axis=0), x.std(), rtol=1e-9)


def test_a_region_that_was_not_recorded_is_told(recorded):
    with pytest.raises(AssemblyError, match="IT, V1, V2, V4, not in V1x"):
        registry.benchmarks.create(IDENTIFIERS[0], card=_targeting("V1x")).ceiling()


def _targeting(target):
    return replace(registry.benchmarks.card(IDENTIFIERS[0]), target=target)


def test_wrong_options_are_told():
    with pytest.raises(OptionError, match="Normalisations are"):
        registry.benchmarks.create(IDENTIFIERS[0], normalization="r")


def test_the_command_line_scores_it(recorded, capsys):
    assert main(["score", "pixels", IDENTIFIERS[0], "--yes", "--json"]) == 0
    assert '"status": "scored"' in capsys.readouterr().out
