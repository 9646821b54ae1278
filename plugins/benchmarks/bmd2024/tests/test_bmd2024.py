"""Four sets of objects on files in the archive's form."""

import json
from itertools import permutations
from statistics import fmean as mean

import numpy as np
import pytest
import xarray as xr
from plugins.benchmarks.bmd2024.tests.bmd2024_files import answered, write

import corteval
from corteval import registry
from corteval.cli import main
from corteval.requests import Label
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_bmd2024.card import CHOICES

SETS = {"texture_1": 51, "texture_2": 52, "dotted_1": 54, "dotted_2": 54}
sets = pytest.mark.parametrize("name", SETS)


def identifier(name):
    return f"BMD2024.{name}Behavioral-accuracy_distance"


def replay(answers):
    coords = {"stimulus_id": ("presentation", list(answers))}
    return ReplaySubject(
        responses=xr.DataArray(list(answers.values()), dims=["presentation"], coords=coords)
    )


def accuracy(answers, truth):
    return mean(answers[i] == truth[i] for i in truth)


def closeness(a, b):
    return 1 - abs(a - b) / max(b, 1 - b)


@sets
def test_scores_and_ceilings_are_those_of_plain_loops(archive, name):
    answers, truth, chance = write(archive, name)
    subject = answered(truth, chance, np.random.default_rng(9))
    result = corteval.score(replay(subject), identifier(name))
    own = accuracy(subject, truth)
    theirs = [accuracy(person, truth) for person in answers.values()]
    assert result.raw.value == pytest.approx(mean(closeness(own, b) for b in theirs), abs=1e-12)
    pairs = mean(closeness(a, b) for a, b in permutations(theirs, 2))
    assert result.ceiling.value == pytest.approx(pairs, abs=1e-12)
    assert result.value == pytest.approx(result.raw.value / pairs, abs=1e-12)


@sets
def test_the_true_generator_is_at_the_ceiling_and_shuffled_answers_far_below(archive, name):
    _, truth, chance = write(archive, name, people=12)
    made = registry.benchmarks.create(identifier(name), metric_options={"resamples": 0})
    generator = np.random.default_rng(1)
    subjects = [replay(answered(truth, chance, generator)) for _ in range(8)]
    values = [corteval.score(s, made).value for s in subjects]
    assert mean(values) == pytest.approx(1, abs=0.03)
    right = mean(corteval.score(shuffled(s, 3), made).raw.value for s in subjects)
    # right in a tenth, where people are in about .82
    assert right == pytest.approx(closeness(0.1, 0.82), abs=0.1)


@sets
def test_it_asks_for_the_ten_categories_at_eight_degrees_and_who_cannot_is_told(archive, name):
    write(archive, name, people=2, images=20)
    made = registry.benchmarks.create(identifier(name))
    assert made.requests() == (Label(CHOICES),)
    result = corteval.score(RefusingSubject(), made)
    assert result.status == "not-applicable"
    assert "does not support the task Label with 10 choices (airplane," in result.reason
    assert not archive.requests  # nothing was downloaded so far
    assert made.stimuli().visual_degrees == 8


@sets
def test_networks_of_imagenet_can_answer(name):
    from corteval_pytorch import imagenet_logits

    (request,) = registry.benchmarks.create(identifier(name)).requests()
    assert imagenet_logits("output").supports(request)


@pytest.mark.slow
@sets
def test_it_runs_at_full_size(archive, name):
    answers, _, _ = write(archive, name, people=SETS[name])
    made = registry.benchmarks.create(identifier(name))
    assert registry.data.create(f"brainscore/BMD2024.{name}").assembly().size == SETS[name] * 100
    one = corteval.score(replay(answers["S00"]), made)
    assert one.value == pytest.approx(1, abs=0.1)
    assert "all answers are those of S00" in " ".join(one.notes)
    assert registry.benchmarks.card(identifier(name)).summary.startswith(f"{SETS[name]} people")


def test_it_is_scored_on_the_command_line(archive, tmp_path, capsys):
    _, truth, chance = write(archive, "texture_2", people=4)
    subject = answered(truth, chance, np.random.default_rng(9))
    file = tmp_path / "net.csv"
    file.write_text("stimulus_id,choice\n" + "".join(f"{i},{a}\n" for i, a in subject.items()))
    assert main(["recorded", "add", str(file), "--id", "net"]) == 0
    capsys.readouterr()
    assert main(["score", "recorded/net", identifier("texture_2"), "--json", "--yes"]) == 0
    printed = capsys.readouterr().out
    expected = corteval.score(replay(subject), identifier("texture_2")).value
    assert json.loads(printed) and f"{expected:.10f}"[:10] in printed
