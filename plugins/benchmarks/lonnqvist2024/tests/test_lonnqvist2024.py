"""Curves on files as the archive has them: of people whose accuracy is known, and right answers."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr
from plugins.benchmarks.lonnqvist2024.tests.lonnqvist2024_files import (
    DEGREES,
    ENGINEERING,
    GROUPS,
    WORDS,
    written,
)

import corteval
from corteval import registry
from corteval.cli import main
from corteval.errors import UndefinedScore
from corteval.requests import Probabilities
from corteval.testing import toys
from corteval.testing.subjects import ReplaySubject

groups = pytest.mark.parametrize("identifier", list(GROUPS))
everything = pytest.mark.parametrize("identifier", [*GROUPS, ENGINEERING])


def created(identifier):
    options = {"metric_options": {"resamples": 0}}
    if identifier != ENGINEERING:
        options["ceiling_options"] = {"resamples": 0}
    return registry.benchmarks.create(identifier, **options)


def answering(benchmark, accuracy, seed=0):
    """Probabilities of which the larger one is right on a share of the images."""
    table = benchmark.stimuli().table
    truth = table["truth"].to_numpy(str)
    order = np.random.default_rng(seed).permutation(len(truth))
    right = np.isin(np.arange(len(truth)), order[: round(accuracy * len(truth))])
    same = np.where(right, truth == "same", truth != "same")
    p = np.where(same, 0.8, 0.2)
    answers = xr.DataArray(
        np.column_stack([1 - p, p]),
        dims=["presentation", "choice"],
        coords={"stimulus_id": ("presentation", list(table.index)), "choice": WORDS.tolist()},
    )
    return ReplaySubject(responses=answers)


def shares(benchmark):
    """Accuracy of each person, from the file."""
    trials = registry.data.create(benchmark.card.data[0]).assembly()
    right = trials.values == trials["truth"].values
    people = trials["subject"].values
    return np.array([right[people == p].mean() for p in np.unique(people)])


def closeness(model, person):
    """1 - |a_m - a_h| / max(a_h, 1 - a_h): spec ``metrics`` 2.7."""
    return 1 - abs(model - person) / max(person, 1 - person)


@groups
def test_who_is_right_as_often_as_people_scores_at_the_ceiling(archive, identifier):
    """Its accuracy has no noise, that of each person has, so 1 or a little above."""
    written(archive, identifier, people=12)
    benchmark = created(identifier)
    score = corteval.score(answering(benchmark, np.median(shares(benchmark))), benchmark)
    assert 1 <= score.value < 1.1


@groups
def test_score_and_ceiling_are_means_of_the_published_measure(archive, identifier):
    written(archive, identifier, people=8)
    benchmark = created(identifier)
    people = shares(benchmark)
    raw = np.mean([closeness(0.6, one) for one in people])
    ceiling = np.mean([closeness(a, b) for a, b in itertools.permutations(people, 2)])
    score = corteval.score(answering(benchmark, 0.6), benchmark)
    assert score.raw.value == pytest.approx(raw, abs=1e-12)
    assert score.value == pytest.approx(raw / ceiling, abs=1e-12)


@groups
def test_shuffled_answers_score_as_guesses_do(archive, identifier):
    """Their accuracy is one half up to a standard error of .05, at a scale of .6 to .8."""
    written(archive, identifier, people=10)
    benchmark = created(identifier)
    subject = answering(benchmark, 1.0)
    mixed = np.random.default_rng(4).permutation(100)
    wrong = ReplaySubject(responses=subject.responses.copy(data=subject.responses.values[mixed]))
    guess = np.mean([closeness(0.5, one) for one in shares(benchmark)])
    score = corteval.score(wrong, benchmark)
    assert score.value == pytest.approx(guess / score.ceiling.value, abs=0.25)


@groups
def test_chance_of_the_card_is_what_published_numbers_say_of_guessing(identifier):
    """AlexNet, right in .45 of the trials, has these raw scores and ceilings: spec section 3."""
    raw, ceiling = {
        "inlab_instructions": (0.586, 0.956),
        "inlab_no_instructions": (0.629, 0.843),
        "online_no_instructions": (0.782, 0.798),
    }[identifier.removeprefix("Lonnqvist2024.").partition("-")[0]]
    people = 0.45 / raw
    expected = closeness(0.5, people) / ceiling
    assert registry.benchmarks.card(identifier).chance == pytest.approx(expected, abs=0.005)


@everything
def test_the_request_is_a_fit_on_other_images_of_the_published_size(archive, identifier):
    written(archive, identifier, count=20, people=3)
    benchmark = created(identifier)
    (request,) = benchmark.requests()
    assert isinstance(request, Probabilities)
    assert len(request.fit) == 40
    assert set(request.fit.table.columns) == {"path", "label"}
    assert request.fit.visual_degrees == benchmark.stimuli().visual_degrees == DEGREES
    # both sets number their images from 0: they are told apart by what they show
    assert set(benchmark.stimuli().stimulus_ids) <= set(request.fit.stimulus_ids)
    assert not set(benchmark.stimuli().contents()) & set(request.fit.contents())


@everything
def test_who_gives_no_probabilities_is_not_applicable(archive, identifier):
    written(archive, identifier, count=20, people=3)
    score = corteval.score(toys.vision(), identifier)
    assert score.status == "not-applicable"
    assert "does not support the task Probabilities" in score.reason
    assert not any("/assy_" in path for path in archive.requests)


def test_engineering_accuracy_is_the_share_of_right_answers_and_has_no_ceiling(archive):
    written(archive, ENGINEERING)
    benchmark = created(ENGINEERING)
    for accuracy in (1.0, 0.45):
        score = corteval.score(answering(benchmark, accuracy), benchmark)
        assert score.value == score.raw.value == pytest.approx(accuracy, abs=1e-12)
    with pytest.raises(UndefinedScore):
        benchmark.ceiling()


def test_shuffled_engineering_answers_are_right_in_half_of_the_cases(archive):
    written(archive, ENGINEERING)
    benchmark = created(ENGINEERING)
    subject = answering(benchmark, 1.0)
    mixed = np.random.default_rng(4).permutation(100)
    wrong = ReplaySubject(responses=subject.responses.copy(data=subject.responses.values[mixed]))
    assert corteval.score(wrong, benchmark).value == pytest.approx(0.5, abs=0.2)
    assert registry.benchmarks.card(ENGINEERING).chance == 0.5


def test_pixels_read_a_label_that_is_written_in_the_image(archive, capsys):
    """Through the fitted read-out: right in all images, whose ids are also those of the fit."""
    written(archive, ENGINEERING)
    assert main(["score", "pixels", ENGINEERING, "--json", "--yes", "--no-store"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == 1


@pytest.mark.slow
@groups
def test_published_shape_is_scored_with_intervals(archive, identifier):
    written(archive, identifier, count=380)
    benchmark = registry.benchmarks.create(identifier)
    score = corteval.score(answering(benchmark, np.median(shares(benchmark))), benchmark)
    assert 1 <= score.value < 1.1
    assert score.interval.low < score.value < score.interval.high
    assert "subjects" in score.interval.scope
