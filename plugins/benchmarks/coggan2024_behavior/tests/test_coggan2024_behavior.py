"""Occluded objects on files as the archive has them, of people whose chances are known."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr

import corteval
from corteval import registry
from corteval.cli import main
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.requests import Probabilities
from corteval.testing import battery, run_check, toys
from corteval.testing.subjects import ReplaySubject
from corteval_brainscore.imitation import picture
from corteval_coggan2024_behavior.conditions import (
    ConditionAccuracySimilarity,
    HumanConditionAccuracySimilarity,
)

DEFAULT = "Coggan2024_behavior-ConditionWiseAccuracySimilarity"
BENCHMARKS = [DEFAULT, f"{DEFAULT}-legacy"]
benchmarks = pytest.mark.parametrize("identifier", BENCHMARKS)
OBJECTS = np.array(["bear", "bison", "elephant", "hare", "jeep", "lamp", "sportsCar", "teapot"])
OCCLUDERS = [f"occluder-{n}" for n in range(9)]
COLOURS = ["black", "white"]
VISIBILITIES = [0.1, 0.2, 0.4, 0.6, 0.8]
CONDITIONS = list(itertools.product(OCCLUDERS, COLOURS))
CHANCE = np.random.default_rng(0).uniform(0.2, 0.95, len(CONDITIONS))


def written(archive, *, people=10, each=15, unoccluded=8, seed=0):
    """Images of their own for each person, and what they said, as the archive has them."""
    generator = np.random.default_rng(seed)
    rows, answers, right = [], [], []
    for person in range(people):
        shown = [(t, c, VISIBILITIES) for t, c in CONDITIONS for _ in range(each)]
        shown += [("unoccluded", "none", [1.0])] * unoccluded
        for trial, (occluder, colour, visible) in enumerate(shown):
            kind = str(generator.choice(OBJECTS))
            number = len(rows)
            name = f"{number:05}_sub-{person:02}_trial-{trial:03}"
            rows.append(
                {
                    "stimulus_id": name,
                    "filename": f"{name}.png",
                    "subject": f"sub-{person:02}",
                    "trial": trial,
                    "object_class": kind,
                    "occluder_type": occluder,
                    "occluder_color": colour,
                    "visibility": float(generator.choice(visible)),
                    "repetition": 0,
                }
            )
            chance = 0.99 if colour == "none" else CHANCE[CONDITIONS.index((occluder, colour))]
            right.append(float(generator.random() < chance))
            answers.append(kind if right[-1] else str(generator.choice(OBJECTS[kind != OBJECTS])))
    pictures = [picture(n) for n in range(16)]
    files = {row["filename"]: pictures[n % 16] for n, row in enumerate(rows)}
    archive.add_stimuli("Coggan2024_behavior", rows, files)
    order = generator.permutation(len(rows))
    along = ("presentation",)
    archive.add_assembly(
        "Coggan2024_behavior",
        np.array(answers)[order],
        along,
        {
            "stimulus_id": (along, np.array([row["stimulus_id"] for row in rows])[order]),
            "human_accuracy": (along, np.array(right)[order]),
        },
        stimulus_set="Coggan2024_behavior",
        form="BehavioralAssembly",
    )
    fitting = [
        {"stimulus_id": f"{n:04}_fit", "filename": f"fit_{n}.png", "image_label": OBJECTS[n % 8]}
        for n in range(24)
    ]
    archive.add_stimuli(
        "Coggan2024_behavior_fitting",
        fitting,
        {row["filename"]: picture(100 + n) for n, row in enumerate(fitting)},
    )
    return rows


def answering(rows, chance, seed=9):
    """Answers that are right with the chance of the condition, as probabilities of 1."""
    generator = np.random.default_rng(seed)
    p = np.zeros((len(rows), len(OBJECTS)))
    for row, own in zip(rows, p, strict=True):
        condition = row["occluder_type"], row["occluder_color"]
        known = chance[CONDITIONS.index(condition)] if condition in CONDITIONS else 1.0
        right = np.flatnonzero(row["object_class"] == OBJECTS)[0]
        own[right if generator.random() < known else (right + generator.integers(1, 8)) % 8] = 1
    coords = {
        "stimulus_id": ("presentation", [row["stimulus_id"] for row in rows]),
        "choice": OBJECTS.tolist(),
    }
    return ReplaySubject(responses=xr.DataArray(p, dims=["presentation", "choice"], coords=coords))


def created(identifier):
    given = registry.benchmarks.card(identifier).options
    unsampled = {
        part: {**given[part], "resamples": 0} for part in ("metric_options", "ceiling_options")
    }
    return registry.benchmarks.create(identifier, **unsampled)


def test_the_true_generator_scores_at_the_ceiling(archive):
    """Over 150 images a condition it has a standard error of .04, where conditions spread by .2."""
    rows = written(archive)
    score = corteval.score(answering(rows, CHANCE), created(DEFAULT))
    assert score.normalization == "r/c"
    assert score.value == pytest.approx(1, abs=0.06)


def test_on_the_images_of_each_person_the_true_generator_has_the_noise_of_a_person(archive):
    """So r is the correlation of two people, and (r/c)^2 below 1: r of 15 images is near .9."""
    rows = written(archive)
    score = corteval.score(answering(rows, CHANCE), created(f"{DEFAULT}-legacy"))
    assert score.normalization == "(r/c)^2"
    assert 0.6 < score.value < 1


@benchmarks
def test_other_conditions_hard_for_the_model_score_at_chance(archive, identifier):
    """Correlations over 18 conditions scatter by .24; means over eight orders by .09."""
    rows, benchmark = written(archive, people=4, each=8), created(identifier)
    values = []
    for seed in range(8):
        mixed = np.random.default_rng(seed).permutation(CHANCE)
        values.append(corteval.score(answering(rows, mixed), benchmark).value)
    assert abs(np.mean(values)) < 0.27


@benchmarks
def test_answers_to_other_images_score_at_chance(archive, identifier):
    """All conditions are then equally hard: the correlation is noise of standard error .24."""
    rows, benchmark = written(archive, people=4, each=8), created(identifier)
    answers = answering(rows, CHANCE).responses
    values = []
    for seed in range(6):
        mixed = np.random.default_rng(seed).permutation(len(rows))
        wrong = ReplaySubject(responses=answers.copy(data=answers.values[mixed]))
        values.append(corteval.score(wrong, benchmark).value)
    assert abs(np.mean(values)) < 0.3


@benchmarks
def test_the_request_is_a_fit_on_the_fitting_set_of_ten_degrees(archive, identifier):
    written(archive, people=2, each=1)
    benchmark = created(identifier)
    (request,) = benchmark.requests()
    assert isinstance(request, Probabilities)
    assert set(request.fit.table["label"]) == set(OBJECTS)
    assert set(request.fit.table.columns) == {"path", "label"}
    assert request.fit.visual_degrees == benchmark.stimuli().visual_degrees == 10.0


@benchmarks
def test_who_gives_no_probabilities_is_not_applicable(archive, identifier):
    written(archive, people=2, each=1)
    score = corteval.score(toys.vision(), identifier)
    assert score.status == "not-applicable"
    assert "does not support the task Probabilities" in score.reason
    assert not any("/assy_" in path for path in archive.requests)


# As published, by plain loops


def accuracies(rows, right):
    """Accuracy by (person, condition) of occluded images."""
    found = {}
    for row, one in zip(rows, right, strict=True):
        if row["visibility"] < 1:
            key = row["subject"], row["occluder_type"], row["occluder_color"]
            found.setdefault(key, []).append(one)
    people = sorted({key[0] for key in found})
    return np.array([[np.mean(found[person, *c]) for c in CONDITIONS] for person in people])


def test_legacy_is_the_published_formula(archive):
    """Spec ``metrics`` 2.4: (r/c)^2, r on the images of each person, c leave-one-out."""
    rows = written(archive, people=6, each=5)
    trials = registry.data.create("brainscore/Coggan2024_behavior").assembly()
    correct = dict(zip(trials["stimulus_id"].values, trials["human_accuracy"].values, strict=True))
    people = accuracies(rows, [correct[row["stimulus_id"]] for row in rows])
    subject = answering(rows, CHANCE)
    said = OBJECTS[subject.responses.values.argmax(axis=1)]
    model = accuracies(rows, [s == row["object_class"] for s, row in zip(said, rows, strict=True)])
    r = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(people, model, strict=True)])
    c = np.mean(
        [
            np.corrcoef(people[s], np.delete(people, s, axis=0).mean(axis=0))[0, 1]
            for s in range(len(people))
        ]
    )
    score = corteval.score(subject, created(f"{DEFAULT}-legacy"))
    assert score.raw.value == pytest.approx(r, abs=1e-12)
    assert score.ceiling.value == pytest.approx(c, abs=1e-12)
    assert score.value == pytest.approx((r / c) ** 2, abs=1e-12)


def test_default_takes_the_models_accuracy_on_the_images_of_all(archive):
    rows = written(archive, people=6, each=5)
    trials = registry.data.create("brainscore/Coggan2024_behavior").assembly()
    correct = dict(zip(trials["stimulus_id"].values, trials["human_accuracy"].values, strict=True))
    people = accuracies(rows, [correct[row["stimulus_id"]] for row in rows])
    subject = answering(rows, CHANCE)
    said = OBJECTS[subject.responses.values.argmax(axis=1)]
    right = [s == row["object_class"] for s, row in zip(said, rows, strict=True)]
    model = accuracies([{**row, "subject": "all"} for row in rows], right)[0]
    r = np.mean([np.corrcoef(person, model)[0, 1] for person in people])
    assert corteval.score(subject, created(DEFAULT)).raw.value == pytest.approx(r, abs=1e-12)


def test_images_without_an_occluder_do_not_count(archive):
    rows = written(archive, people=4, each=4)
    subject = answering(rows, CHANCE)
    blind = subject.responses.copy()
    blind.values[[row["visibility"] == 1 for row in rows]] = np.eye(8)[0]
    benchmark = created(DEFAULT)
    straight = corteval.score(subject, benchmark).value
    assert corteval.score(ReplaySubject(responses=blind), benchmark).value == straight


# Metric and ceiling by themselves


def people_of(accuracy):
    """A trial of each image, right or wrong in the shares given, (person, condition)."""
    each = 20
    right = np.arange(each) < np.rint(np.asarray(accuracy) * each)[:, :, None]
    count, conditions = right.size, right.shape[1]
    coords = {
        "stimulus_id": [f"i{n}" for n in range(count)],
        "subject": np.repeat([f"p{n}" for n in range(len(right))], conditions * each),
        "condition": np.tile(np.repeat([f"c{n}" for n in range(conditions)], each), len(right)),
    }
    return xr.DataArray(
        right.ravel().astype(float),
        dims=["presentation"],
        coords={name: ("presentation", values) for name, values in coords.items()},
    )


def test_a_person_drawn_twice_is_not_among_the_others():
    """Replicates of the ceiling come from draws of people; alike people leave them at 1."""
    alike = people_of([[0.2, 0.5, 0.9, 0.7]] * 6)
    estimate = HumanConditionAccuracySimilarity(resamples=50)(alike)
    assert estimate.value == pytest.approx(1)
    by_scope = {r.scope: np.array(r.values) for r in estimate.replicates}
    assert np.nanmin(by_scope["subjects"]) == pytest.approx(1)


def test_two_conditions_tell_nothing():
    with pytest.raises(UndefinedScore, match="at least three; condition tell 2 apart"):
        HumanConditionAccuracySimilarity()(people_of([[0.2, 0.9]] * 3))


def test_one_person_has_no_others():
    with pytest.raises(UndefinedScore, match="there is one"):
        HumanConditionAccuracySimilarity()(people_of([[0.2, 0.5, 0.9]]))


def test_accuracies_that_do_not_vary_leave_no_score():
    with pytest.raises(UndefinedScore, match="all equal"):
        HumanConditionAccuracySimilarity()(people_of([[0.5, 0.5, 0.5]] * 3))


def test_wrong_options_are_refused():
    with pytest.raises(OptionError, match="names of coordinates"):
        ConditionAccuracySimilarity(conditions="condition")
    with pytest.raises(OptionError, match="'all' or 'own', not 'each'"):
        ConditionAccuracySimilarity(images="each")
    with pytest.raises(AssemblyError, match="coordinate 'visibility'"):
        HumanConditionAccuracySimilarity(below=("visibility", 1.0))(
            people_of([[0.2, 0.5, 0.9]] * 2)
        )


def test_pixels_are_scored_on_the_command_line(archive, capsys):
    written(archive, people=5, each=2)
    assert main(["score", "pixels", DEFAULT, "--json", "--yes", "--no-store"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["status"] == "scored"
    assert row["normalization"] == "r/c"


@pytest.mark.slow
def test_published_shape_is_scored_with_intervals(archive):
    """30 people of 752 images each: 18 conditions and 32 without an occluder."""
    rows = written(archive, people=30, each=40, unoccluded=32)
    assert len(rows) == 22_560
    score = corteval.score(answering(rows, CHANCE), DEFAULT)
    assert score.value == pytest.approx(1, abs=0.02)
    assert score.interval.low < 1 < score.interval.high


@pytest.mark.slow
@benchmarks
def test_it_keeps_the_contract_of_benchmarks(archive, identifier):
    """But for one that takes a mean here: one draw over 18 conditions is chance."""
    written(archive, people=6, each=10)
    for plan in battery(identifier):
        if plan.name in ("shuffled_subject",):
            continue
        result = run_check(plan)
        assert result.status == "passed" or plan.name == "ceiling", result.message
