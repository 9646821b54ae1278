"""Manipulated objects on files as the archive has them: people and models see different images."""

import json

import numpy as np
import pytest
import xarray as xr

import corteval
from corteval import registry
from corteval.cli import main
from corteval.errors import AssemblyError, UndefinedScore
from corteval.requests import Probabilities
from corteval.testing import battery, run_check, toys
from corteval.testing.subjects import ReplaySubject
from corteval_brainscore.imitation import picture
from corteval_maniquet2024.across_images import ConfusionsAcrossImages, TasksAcrossImages
from corteval_maniquet2024.tasks import images_of

METRICS = ("confusion_similarity", "tasks_consistency")
BENCHMARKS = [f"Maniquet2024-{m}{s}" for m in METRICS for s in ("", "-legacy")]
benchmarks = pytest.mark.parametrize("identifier", BENCHMARKS)
PUBLISHED = {"confusion_similarity": 0.53526, "tasks_consistency": 0.99810}
OBJECTS = np.array(["bird", "boat", "bus", "cat", "chair", "person", "plane", "tree"])
TASKS = {
    "control": ("control", "control"),
    "clutter_light": ("clutter", "light"),
    "clutter_heavy": ("clutter", "heavy"),
    "scrambling_highpass": ("phasescrambling", "highpass"),
    "scrambling_lowpass": ("phasescrambling", "lowpass"),
    "occlusion_few_large_blobs_low": ("occluder", "fewlarge-low"),
    "occlusion_few_large_deletion_high": ("occluder", "fewlarge-high"),
    "occlusion_many_small_blobs_high": ("occluder", "manysmall-high"),
    "occlusion_many_small_partial_viewing_high": ("occluder", "manysmall-high"),
}
CHANCE = dict(zip(TASKS, (0.97, 0.9, 0.7, 0.8, 0.6, 0.85, 0.5, 0.4, 0.4), strict=True))
ERRORS = np.random.default_rng(1).dirichlet(np.full(7, 0.5), 8)


def said(truth, task, generator, chance=CHANCE, errors=ERRORS):
    """A choice, right with the chance of the task, wrong as the object is mistaken."""
    if generator.random() < chance[task]:
        return str(OBJECTS[truth])
    return str(np.delete(OBJECTS, truth)[generator.choice(7, p=errors[truth])])


def images(archive, member, each, seed):
    """A set with `each` images of every object and kind; names as the archive's."""
    kinds = list(dict.fromkeys(TASKS.values()))
    rows = []
    for manipulation, details in kinds:
        for category in OBJECTS:
            for number in range(each):
                name = f"{number:03d}{seed}_{manipulation}_{details}_{category}"
                rows.append(
                    {
                        "stimulus_id": name,
                        "filename": f"{name}.png",
                        "manipulation": manipulation,
                        "manipulation_details": details,
                        "image_label": category,
                        "exemplar_number": number,
                    }
                )
    pictures = [picture(seed + n) for n in range(16)]
    archive.add_stimuli(
        member, rows, {row["filename"]: pictures[n % 16] for n, row in enumerate(rows)}
    )
    return rows


def written(archive, *, people=20, trials=300, each=12, silent=0.02, seed=0):
    """Trials of people with images of their own, and the two sets for models."""
    seen = images(archive, "Maniquet2024", 4, seed=10)
    shown = images(archive, "Maniquet2024-test", each, seed=40)
    images(archive, "Maniquet2024-train", 1, seed=70)
    by_kind = {}
    for row in seen:
        kind = row["manipulation"], row["manipulation_details"]
        by_kind.setdefault(kind, []).append(row)
    generator = np.random.default_rng(seed)
    names = list(TASKS)
    rows = []
    for person in range(people):
        for _ in range(trials):
            task = names[generator.integers(len(names))]
            pool = by_kind[TASKS[task]]
            row = pool[generator.integers(len(pool))]
            truth = int(np.flatnonzero(row["image_label"] == OBJECTS)[0])
            answer = said(truth, task, generator) if generator.random() > silent else "nan"
            rows.append((person, task, row, answer))
    along = ("presentation",)
    labels = [row["image_label"] for _, _, row, _ in rows]
    answers = [answer for *_, answer in rows]
    archive.add_assembly(
        "Maniquet2024",
        [float(a == b) for a, b in zip(answers, labels, strict=True)],
        along,
        {
            "stimulus_id": (along, [row["stimulus_id"] for _, _, row, _ in rows]),
            "manipulation": (along, [task.partition("_")[0] for _, task, _, _ in rows]),
            "manipulation_details": (along, [task for _, task, _, _ in rows]),
            "mask": (along, ["mask"] * len(rows)),
            "image_label": (along, labels),
            "prediction": (along, answers),
            "response": (along, answers),
            "reaction_time": (along, np.full(len(rows), 0.5)),
            "subject_id": (along, [person for person, *_ in rows]),
            "task": (along, [task for _, task, _, _ in rows]),
        },
        form="BehavioralAssembly",
    )
    return shown


def answering(shown, chance=CHANCE, errors=ERRORS, seed=5):
    """A subject that answers as a person does, to the images of models."""
    task_of = {kind: task for task, kind in TASKS.items()}
    generator = np.random.default_rng(seed)
    p = np.zeros((len(shown), len(OBJECTS)))
    for row, own in zip(shown, p, strict=True):
        truth = int(np.flatnonzero(row["image_label"] == OBJECTS)[0])
        task = task_of[row["manipulation"], row["manipulation_details"]]
        own[said(truth, task, generator, chance, errors) == OBJECTS] = 1
    coords = {
        "stimulus_id": ("presentation", [row["stimulus_id"] for row in shown]),
        "choice": OBJECTS.tolist(),
    }
    return ReplaySubject(responses=xr.DataArray(p, dims=["presentation", "choice"], coords=coords))


def created(identifier):
    options = {"metric_options": {"resamples": 0}}
    if not identifier.endswith("-legacy"):
        options["ceiling_options"] = {"resamples": 0}
    return registry.benchmarks.create(identifier, **options)


@pytest.mark.parametrize("metric", METRICS)
def test_the_true_generator_scores_at_the_ceiling(archive, metric):
    """r^2/c is 1 for answers without noise; those to 768 images have some, more of confusions."""
    shown = written(archive)
    score = corteval.score(answering(shown), created(f"Maniquet2024-{metric}"))
    assert score.normalization == "r^2/c"
    assert score.value == pytest.approx(1, abs=0.25 if metric == "confusion_similarity" else 0.1)


@pytest.mark.parametrize("metric", METRICS)
def test_legacy_scores_are_raw_ones_over_the_published_constant(archive, metric):
    shown = written(archive, trials=100)
    score = corteval.score(answering(shown), created(f"Maniquet2024-{metric}-legacy"))
    assert score.ceiling.value == PUBLISHED[metric]
    assert score.ceiling.error is None
    assert "published" in score.ceiling.method
    assert score.value == pytest.approx(score.raw.value / PUBLISHED[metric], abs=1e-12)


@benchmarks
def test_guesses_score_at_chance(archive, identifier):
    """Correlations of noise: over 56 pairs of objects .13, over nine tasks .35; means of 8."""
    shown, benchmark = written(archive, trials=100, each=6), created(identifier)
    answers = answering(shown).responses
    values = []
    for seed in range(8):
        guess = np.random.default_rng(seed).integers(8, size=len(shown))
        subject = ReplaySubject(responses=answers.copy(data=np.eye(8)[guess]))
        values.append(corteval.score(subject, benchmark).value)
    assert abs(np.mean(values)) < (0.4 if "tasks" in identifier else 0.3)


@pytest.mark.parametrize("metric", METRICS)
def test_answers_to_other_images_score_at_chance_but_for_a_liking_of_objects(archive, metric):
    """Who chooses the objects as often as people do confuses some of them as often."""
    shown, benchmark = written(archive, trials=100, each=6), created(f"Maniquet2024-{metric}")
    answers = answering(shown).responses
    values = []
    for seed in range(6):
        mixed = np.random.default_rng(seed).permutation(len(shown))
        wrong = ReplaySubject(responses=answers.copy(data=answers.values[mixed]))
        values.append(corteval.score(wrong, benchmark).value)
    assert abs(np.mean(values)) < (0.4 if metric == "tasks_consistency" else 0.2)


@benchmarks
def test_the_request_is_a_fit_on_the_training_set_of_eight_degrees(archive, identifier):
    written(archive, people=2, trials=20, each=1)
    benchmark = created(identifier)
    (request,) = benchmark.requests()
    assert isinstance(request, Probabilities)
    assert request.fit.identifier == "brainscore/Maniquet2024-train"
    assert set(request.fit.table.columns) == {"path", "label"}
    assert request.fit.visual_degrees == benchmark.stimuli().visual_degrees == 8.0
    assert benchmark.stimuli().identifier == "brainscore/Maniquet2024-test"


@benchmarks
def test_who_gives_no_probabilities_is_not_applicable(archive, identifier):
    written(archive, people=2, trials=20, each=1)
    score = corteval.score(toys.vision(), identifier)
    assert score.status == "not-applicable"
    assert "does not support the task Probabilities" in score.reason
    assert not any("/assy_" in path for path in archive.requests)


# As published, by plain loops


def published_confusions(truth, choice):
    counts = np.array([[np.sum((truth == t) & (choice == c)) for c in OBJECTS] for t in OBJECTS])
    return counts[~np.eye(len(OBJECTS), dtype=bool)]


def own_choices(shown, subject):
    choice = OBJECTS[subject.responses.values.argmax(axis=1)]
    return np.array([row["image_label"] for row in shown]), choice


def test_legacy_confusions_are_correlated_counts(archive):
    """Spec ``metrics`` 2.7: Pearson of the off-diagonal confusions, answers that are none left out.

    With a number of images that differs between objects, so that counts are not shares.
    """
    shown = written(archive, trials=60)
    subject = answering(shown)
    trials = registry.data.create("brainscore/Maniquet2024").assembly()
    human = published_confusions(trials["image_label"].values, trials["prediction"].values)
    own = published_confusions(*own_choices(shown, subject))
    raw = np.corrcoef(human, own)[0, 1]
    score = corteval.score(subject, created("Maniquet2024-confusion_similarity-legacy"))
    assert score.raw.value == pytest.approx(raw, abs=1e-12)
    assert score.value == pytest.approx(raw / 0.53526, abs=1e-12)


def test_default_confusions_are_correlated_shares(archive):
    shown = written(archive, trials=60)
    subject = answering(shown)
    trials = registry.data.create("brainscore/Maniquet2024").assembly()
    human = published_confusions(trials["image_label"].values, trials["prediction"].values)
    answered = np.isin(trials["prediction"].values, OBJECTS)
    totals = [np.sum((trials["image_label"].values == t) & answered) for t in OBJECTS]
    own = published_confusions(*own_choices(shown, subject))
    expected = np.corrcoef(human / np.repeat(totals, 7), own)[0, 1]  # as many images of each
    score = corteval.score(subject, created("Maniquet2024-confusion_similarity"))
    assert score.raw.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("suffix", ["", "-legacy"])
def test_consistency_of_tasks_is_the_correlation_of_accuracies(archive, suffix):
    """Two tasks of people may have the same images of models; no answer is a wrong one."""
    shown = written(archive, trials=60)
    subject = answering(shown)
    trials = registry.data.create("brainscore/Maniquet2024").assembly()
    right = trials["prediction"].values == trials["image_label"].values
    truth, choice = own_choices(shown, subject)
    human, own = [], []
    for task, (manipulation, details) in sorted(TASKS.items()):
        human.append(right[trials["task"].values == task].mean())
        kind = [
            row["manipulation"] == manipulation and row["manipulation_details"] == details
            for row in shown
        ]
        own.append((truth == choice)[kind].mean())
    raw = np.corrcoef(human, own)[0, 1]
    score = corteval.score(subject, created(f"Maniquet2024-tasks_consistency{suffix}"))
    assert score.raw.value == pytest.approx(raw, abs=1e-12)
    if suffix:
        assert score.value == pytest.approx(raw / 0.99810, abs=1e-12)


# The benchmark's own subject, and what is missing


@pytest.mark.parametrize("metric", METRICS)
def test_ideal_responses_are_choices_as_people_make_them(archive, metric):
    written(archive)
    benchmark = created(f"Maniquet2024-{metric}")
    ideal = benchmark.ideal_responses(0)
    assert np.array_equal(np.unique(ideal.values), [0, 1])
    assert (ideal.values.sum(axis=1) == 1).all()
    assert ideal.equals(created(f"Maniquet2024-{metric}").ideal_responses(0))
    assert corteval.score(ReplaySubject(responses=ideal), benchmark).value > 0.75


def test_a_coordinate_of_another_name_is_an_option(archive):
    written(archive, people=2, trials=50)
    benchmark = registry.benchmarks.create(BENCHMARKS[0], answer="reply")
    with pytest.raises(AssemblyError, match=r"no coordinate 'reply'.*options answer"):
        benchmark.ceiling()
    benchmark = registry.benchmarks.create(BENCHMARKS[0], manipulation="kind")
    with pytest.raises(AssemblyError, match=r"no column kind; it has .*options label"):
        benchmark.stimuli()


@pytest.mark.parametrize(("task", "kind"), TASKS.items())
def test_the_name_of_a_task_tells_its_images(task, kind):
    assert images_of(task) == kind


def test_a_task_whose_name_does_not_tell_its_images_is_an_option():
    with pytest.raises(AssemblyError, match=r"'blur_strong' does not follow.*option images"):
        images_of("blur_strong")
    assert images_of("blur_strong", {"blur_strong": ("blur", "strong")}) == ("blur", "strong")


def rows(truth, choice, **coords):
    count = len(truth)
    coords = {"stimulus_id": [f"i{n}" for n in range(count)], "truth": truth, **coords}
    return xr.DataArray(
        list(choice),
        dims=["presentation"],
        coords={name: ("presentation", list(values)) for name, values in coords.items()},
    )


def test_answers_without_errors_have_no_confusions():
    perfect = rows("abcd" * 5, "abcd" * 5)
    with pytest.raises(UndefinedScore, match="confuse nothing"):
        ConfusionsAcrossImages()(perfect, rows("abcd" * 5, "bcda" * 5))


def test_objects_that_people_were_not_asked_are_refused():
    with pytest.raises(AssemblyError, match="right answers that the target has not: e"):
        ConfusionsAcrossImages()(rows("abe", "bbe"), rows("abcd", "bcda"))


def test_a_task_that_the_source_has_not_done_is_named():
    target = rows("ab" * 3, "ab" * 3, task=["x", "y", "z"] * 2)
    with pytest.raises(AssemblyError, match="no answers in 1 tasks, such as 'z'"):
        TasksAcrossImages()(rows("ab", "ab", task=["x", "y"]), target)
    two = rows("ab", "ab", task=["x", "y"])
    with pytest.raises(UndefinedScore, match="at least three; there are 2"):
        TasksAcrossImages()(two, two)


def test_pixels_are_scored_on_the_command_line(archive, capsys):
    written(archive, people=6, trials=60, each=2)
    assert main(["score", "pixels", BENCHMARKS[0], "--json", "--yes", "--no-store"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["status"] == "scored"
    assert any("other images than people" in note for note in row["notes"])


@pytest.mark.slow
@benchmarks
def test_published_shape_is_scored_with_intervals(archive, identifier):
    """218 people, 13,600 images."""
    shown = written(archive, people=218, trials=300, each=213)
    assert len(shown) >= 13_600
    score = corteval.score(answering(shown), identifier)
    assert score.interval.low <= score.value <= score.interval.high
    if not identifier.endswith("-legacy"):
        assert score.value == pytest.approx(1, abs=0.05)


@pytest.mark.slow
@benchmarks
def test_it_keeps_the_contract_of_benchmarks(archive, identifier):
    """But for two that take means here: one draw over few tasks or pairs is chance."""
    written(archive, people=12, trials=200, each=8)
    for plan in battery(identifier):
        if plan.name in ("perfect_subject", "shuffled_subject"):
            continue
        result = run_check(plan)
        assert result.status == "passed" or plan.name == "ceiling", result.message
