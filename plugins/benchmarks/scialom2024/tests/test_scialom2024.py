"""44 benchmarks on files in the archive's form."""

import csv
import json
from itertools import combinations, permutations
from pathlib import Path
from statistics import fmean as mean

import numpy as np
import pytest
import xarray as xr
from plugins.benchmarks.scialom2024.tests.scialom2024_files import chosen, write

import corteval
from corteval import registry
from corteval.cli import main
from corteval.requests import Label
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_scialom2024.card import CHOICES

SHARES = (12, 16, 21, 27, 35, 46, 59, 77, 100)
ONE = ("rgb", "contours", *(f"{k}-{n}" for k in ("phosphenes", "segments") for n in SHARES))
ALL = ("phosphenes-all", "segments-all")
DISTANCE, CONSISTENCY, ACCURACY = (
    "BehavioralAccuracyDistance",
    "BehavioralErrorConsistency",
    "EngineeringAccuracy",
)
IDENTIFIERS = (
    *(f"Scialom2024_{n}{DISTANCE}" for n in (*ONE, *ALL)),
    *(f"Scialom2024_{n}{CONSISTENCY}" for n in ALL),
    *(f"Scialom2024_{n}{ACCURACY}" for n in ONE),
)
identifiers = pytest.mark.parametrize("identifier", IDENTIFIERS)
#: Of the conditions, those that differ in more than the number of pieces.
KINDS = ("rgb", "contours", "phosphenes-12", "segments-100", *ALL)


def kinds(names, name=lambda value: value):
    """Parameters of which those that repeat others are slow."""
    return [pytest.param(n, marks=[] if name(n) in KINDS else [pytest.mark.slow]) for n in names]


def name_of(identifier):
    name = identifier.removeprefix("Scialom2024_")
    for question in (DISTANCE, CONSISTENCY, ACCURACY):
        name = name.removesuffix(question)
    return name


def replay(answers):
    coords = {"stimulus_id": ("presentation", list(answers))}
    return ReplaySubject(
        responses=xr.DataArray(list(answers.values()), dims=["presentation"], coords=coords)
    )


def rights(answers, truth, condition):
    """Right answers by condition, in the order of images."""
    found = {}
    for i, t in truth.items():
        found.setdefault(condition[i], []).append(answers[i] == t)
    return found


def closeness(one, other):
    a, b = mean(one), mean(other)
    return 1 - abs(a - b) / max(b, 1 - b)


def kappa(one, other):
    agreeing = mean(a == b for a, b in zip(one, other, strict=True))
    a, b = mean(one), mean(other)
    expected = a * b + (1 - a) * (1 - b)
    return (agreeing - expected) / (1 - expected)


def compared(identifier, one, others):
    measure = kappa if identifier.endswith(CONSISTENCY) else closeness
    return mean(measure(one[c], other[c]) for other in others for c in one)


@pytest.mark.parametrize("identifier", kinds(IDENTIFIERS, name_of))
def test_scores_and_ceilings_are_those_of_plain_loops(archive, identifier):
    answers, truth, condition, chance = write(archive, name_of(identifier))
    subject = chosen(truth, chance, np.random.default_rng(9))
    made = registry.benchmarks.create(identifier)
    result = corteval.score(replay(subject), made)
    own = rights(subject, truth, condition)
    if identifier.endswith(ACCURACY):
        assert result.value == pytest.approx(mean(own[next(iter(own))]), abs=1e-12)
        assert result.ceiling is None
        return
    theirs = [rights(person, truth, condition) for person in answers.values()]
    assert result.raw.value == pytest.approx(compared(identifier, own, theirs), abs=1e-12)
    pairs = combinations if identifier.endswith(CONSISTENCY) else permutations
    among = mean(compared(identifier, a, [b]) for a, b in pairs(theirs, 2))
    assert result.ceiling.value == pytest.approx(among, abs=1e-12)
    assert result.value == pytest.approx(result.raw.value / among, abs=1e-12)


@pytest.mark.parametrize(
    "identifier", kinds([i for i in IDENTIFIERS if not i.endswith(ACCURACY)], name_of)
)
def test_the_true_generator_is_at_the_ceiling_and_shuffled_answers_at_chance(archive, identifier):
    answers, truth, condition, chance = write(archive, name_of(identifier), people=10)
    made = registry.benchmarks.create(identifier, metric_options={
        **registry.benchmarks.card(identifier).options.get("metric_options", {}), "resamples": 0
    })  # fmt: skip
    generator = np.random.default_rng(1)
    subjects = [replay(chosen(truth, chance, generator)) for _ in range(6)]
    values = [corteval.score(s, made).value for s in subjects]
    # a subject and a person differ as two people do
    assert mean(values) == pytest.approx(1, abs=0.3 if identifier.endswith(CONSISTENCY) else 0.06)
    guessing = [corteval.score(shuffled(s, n), made).raw.value for n, s in enumerate(subjects)]
    if identifier.endswith(CONSISTENCY):
        assert mean(guessing) == pytest.approx(0, abs=0.08)
    else:
        theirs = [rights(person, truth, condition) for person in answers.values()]
        twelfth = {c: [1 / 12] for c in set(condition.values())}
        assert mean(guessing) == pytest.approx(compared(identifier, twelfth, theirs), abs=0.06)


@pytest.mark.parametrize("name", kinds(ONE))
def test_who_is_always_right_has_accuracy_one_and_who_is_shuffled_a_twelfth(archive, name):
    _, truth, _, _ = write(archive, name, people=2)
    subject = replay(truth)
    assert corteval.score(subject, f"Scialom2024_{name}{ACCURACY}").value == 1
    made = registry.benchmarks.create(f"Scialom2024_{name}{ACCURACY}")
    values = [corteval.score(shuffled(subject, n), made).value for n in range(6)]
    assert mean(values) == pytest.approx(1 / 12, abs=0.06)


@identifiers
def test_it_asks_for_the_twelve_categories_before_anything_is_read(archive, identifier):
    write(archive, name_of(identifier), people=2, images=12)
    made = registry.benchmarks.create(identifier)
    assert made.requests() == (Label(CHOICES),)
    result = corteval.score(RefusingSubject(), made)
    assert result.status == "not-applicable"
    assert "does not support the task Label with 12 choices (Banana," in result.reason
    assert not archive.requests
    assert made.stimuli().visual_degrees == 8


def test_networks_of_imagenet_can_answer():
    from corteval_pytorch import imagenet_logits

    assert imagenet_logits("output").supports(Label(CHOICES))


def test_identifiers_and_numbers_of_people_are_the_published_ones():
    path = Path(__file__).parents[5] / "shared" / "reference" / "brainscore_benchmarks.csv"
    if not path.is_file():
        pytest.skip(f"no {path}")
    rows = [r for r in csv.DictReader(path.open()) if r["plugin"] == "scialom2024"]
    assert sorted(r["registry_id"] for r in rows) == sorted(IDENTIFIERS)
    for row in rows:
        card = registry.benchmarks.card(row["registry_id"])
        assert card.metric == row["metric"]
        assert f"{row['num_stimuli']} " in card.summary
        if row["subjects"]:
            assert card.summary.startswith(f"{row['subjects']} people")


@pytest.mark.slow
def test_it_runs_at_full_size(archive):
    write(archive, "rgb", people=50)
    write(archive, "phosphenes-all", people=25, images=132)  # 528 images in four parts
    for identifier, rows in (
        (f"Scialom2024_rgb{DISTANCE}", 2400),
        (f"Scialom2024_phosphenes-all{CONSISTENCY}", 13200),
    ):
        made = registry.benchmarks.create(identifier)
        data = registry.data.create(f"brainscore/Scialom2024_{name_of(identifier)}")
        assert data.assembly().size == rows
        result = corteval.score(ReplaySubject(responses=made.ideal_responses(0)), made)
        assert result.value == pytest.approx(1, abs=0.25)


def test_it_is_scored_on_the_command_line(archive, tmp_path, capsys):
    _, truth, _, chance = write(archive, "segments-46")
    subject = chosen(truth, chance, np.random.default_rng(9))
    file = tmp_path / "net.csv"
    file.write_text("stimulus_id,choice\n" + "".join(f"{i},{a}\n" for i, a in subject.items()))
    assert main(["recorded", "add", str(file), "--id", "net"]) == 0
    capsys.readouterr()
    identifier = f"Scialom2024_segments-46{DISTANCE}"
    assert main(["score", "recorded/net", identifier, "--json", "--yes"]) == 0
    printed = capsys.readouterr().out
    expected = corteval.score(replay(subject), identifier).value
    assert json.loads(printed) and f"{expected:.10f}"[:10] in printed
