"""Each card against plain loops over the published files, known numbers, and people themselves."""

import csv
import itertools
import random
from collections import Counter
from dataclasses import replace
from functools import cache
from statistics import fmean as mean

import pandas as pd
import pytest

import corteval
from corteval import registry
from corteval.benchmark import Benchmark
from corteval_geirhos2019_behaviour.card import CHOICES
from corteval_recorded import subject

RAW_DATA = (
    "raw.githubusercontent.com/bethgelab/model-vs-human/"
    "79ed7cd1d9ac3a114e71b6638f0a98bdd627316c/raw-data"
)
FILES = {"cueconflict": "cue-conflict", "edge": "edge", "silhouette": "silhouette"}
CARDS = [
    *(f"{name}-{metric}" for name in FILES for metric in ("error_consistency", "accuracy")),
    "cueconflict-shape_bias",
]
PEOPLE = [f"subject-{number:02d}" for number in range(1, 11)]


# Plain loops over the files


@pytest.fixture(scope="module")
def answers_of(mirror):
    """What each person said to each image: `answers_of("edge")["subject-01"]["cat1.png"]`."""

    @cache
    def read(name):
        shown = set(registry.data.create(f"Geirhos2019.{name}").stimuli().stimulus_ids)
        people = {}
        for file in sorted((mirror / RAW_DATA / FILES[name]).glob("*.csv")):
            for row in csv.DictReader(file.open()):
                image = row["imagename"].split("_")[-1]
                if image in shown:
                    people.setdefault(row["subj"], {})[image] = row["object_response"]
        return people

    return read


def shape(image):
    return image.removesuffix(".png").split("-")[0].rstrip("0123456789")


def texture(image):
    return image.removesuffix(".png").split("-")[1].rstrip("0123456789")


def accuracy(one):
    return mean(answer == shape(image) for image, answer in one.items())


def kappa(one, other):
    agreeing = mean((one[i] == shape(i)) == (other[i] == shape(i)) for i in one)
    a, b = accuracy(one), accuracy(other)
    expected = a * b + (1 - a) * (1 - b)
    return (agreeing - expected) / (1 - expected)


def bias(one):
    for_shape = sum(answer == shape(image) for image, answer in one.items())
    for_texture = sum(answer == texture(image) for image, answer in one.items())
    return for_shape / (for_shape + for_texture)


def similarity(model, person):
    return 1 - abs(model - person) / max(person, 1 - person)


PLAIN = {
    "error_consistency": kappa,
    "accuracy": lambda one, other: accuracy(one),
    "shape_bias": lambda one, other: similarity(bias(one), bias(other)),
}


def plain_score(card, one, people):
    """Raw score by loops."""
    return mean(PLAIN[card.partition("-")[2]](one, other) for other in people.values())


def plain_ceiling(card, people):
    """Mean over ordered pairs of people."""
    compare = PLAIN[card.partition("-")[2]]
    return mean(compare(a, b) for a, b in itertools.permutations(people.values(), 2))


# Subjects


def replayed(answers, name="somebody"):
    table = pd.DataFrame({"stimulus_id": list(answers), "choice": list(answers.values())})
    return subject(table, identifier=name, no_response="na")


def said(people):
    """How often each answer was given to each image."""
    return {image: Counter(one[image] for one in people.values()) for image in people[PEOPLE[0]]}


def majority(people):
    """The choice of most people; of equal ones the first in the alphabet."""
    return {i: min(n, key=lambda c: (-n[c], c)) for i, n in said(people).items()}


def typical(people):
    """Is wrong as often as people are, on the images where most are, with what most then say."""
    answers = {image: shape(image) for image in people[PEOPLE[0]]}
    counts = said(people)
    errors = round(mean(sum(a != shape(i) for i, a in one.items()) for one in people.values()))
    for image in sorted(answers, key=lambda i: (counts[i][shape(i)], i))[:errors]:
        wrong = {answer: n for answer, n in counts[image].items() if answer != shape(image)}
        answers[image] = min(wrong, key=lambda c: (-wrong[c], c))
    return answers


def shuffled(answers, seed):
    given = list(answers.values())
    random.Random(seed).shuffle(given)
    return dict(zip(answers, given, strict=True))


def benchmark(card, **options) -> Benchmark:
    return registry.benchmarks.create(f"Geirhos2019.{card}", **options)


def quick(card):
    """Without the resampling behind intervals, which does not move the value."""
    return benchmark(card, metric_options={"resamples": 0}, ceiling_options={"resamples": 0})


# Known numbers


def test_ceilings_of_the_320_images_are_the_known_ones(mirror, reference):
    known = reference("real_data_numbers.json")["model_vs_human"]["subset_shipped"]["subset320"]
    consistency = benchmark("cueconflict-error_consistency").ceiling()
    assert consistency.value == pytest.approx(known["human_human_kappa"], abs=1e-9)
    right = benchmark("cueconflict-accuracy").ceiling()
    assert right.value == pytest.approx(known["human_accuracy_shape"], abs=1e-9)


@pytest.mark.parametrize("name", ["edge", "silhouette"])
def test_ceilings_of_edges_and_silhouettes_are_the_known_ones(mirror, reference, name):
    known = reference("real_data_numbers.json")["model_vs_human"]["human_only_17_datasets"][name]
    consistency = benchmark(f"{name}-error_consistency").ceiling().value
    mean_kappa = known["human_human_error_consistency_mean_over_conditions"]
    assert consistency == pytest.approx(mean_kappa, abs=1e-9)
    right = benchmark(f"{name}-accuracy").ceiling().value
    assert right == pytest.approx(known["accuracy_overall"], abs=1e-9)


def test_all_1280_images_of_a_users_clone_have_the_known_ceilings(mirror, reference, tmp_path):
    known = reference("real_data_numbers.json")["model_vs_human"]["subset_shipped"]["all1280"]
    everything = benchmark("cueconflict-error_consistency", data_options={"folder": str(tmp_path)})
    assert everything.ceiling().value == pytest.approx(known["human_human_kappa"], abs=1e-9)


@pytest.mark.parametrize("card", CARDS)
def test_ceilings_are_means_over_pairs_of_people(answers_of, card):
    people = answers_of(card.partition("-")[0])
    assert quick(card).ceiling().value == pytest.approx(plain_ceiling(card, people), abs=1e-12)


# People, and better and worse


@pytest.mark.parametrize("card", CARDS)
def test_a_person_against_the_others_lies_at_the_ceiling_on_average(answers_of, card):
    people = answers_of(card.partition("-")[0])
    whole, raws, values = quick(card), [], []
    for name, own in people.items():
        others = {n: answers for n, answers in people.items() if n != name}
        result = corteval.score(replayed(own, name), replace(whole, leave_out=name))
        assert result.raw.value == pytest.approx(plain_score(card, own, others), abs=1e-12)
        assert result.ceiling.value == pytest.approx(plain_ceiling(card, others), abs=1e-12)
        assert f"compared with people other than {name}" in result.notes
        raws.append(result.raw.value)
        values.append(result.value)
    assert mean(raws) == pytest.approx(whole.ceiling().value, abs=1e-12)
    # ratios to the ceiling among nine vary around 1, and their mean lies a little above
    assert mean(values) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("card", CARDS)
def test_who_errs_where_people_err_as_often_as_they_do_reaches_the_ceiling(answers_of, card):
    people = answers_of(card.partition("-")[0])
    ideal = typical(people)
    result = corteval.score(replayed(ideal, "typical"), quick(card))
    assert result.raw.value == pytest.approx(plain_score(card, ideal, people), abs=1e-12)
    assert result.value > 0.99


def test_the_majority_errs_too_rarely_to_be_consistent_with_people(answers_of):
    """It is right on nearly all edges, so that few errors are left to agree on."""
    people = answers_of("edge")
    crowd = replayed(majority(people), "majority")
    assert corteval.score(crowd, quick("edge-accuracy")).value > 1.1
    consistency = corteval.score(crowd, quick("edge-error_consistency"))
    raw = plain_score("edge-error_consistency", majority(people), people)
    assert consistency.raw.value == pytest.approx(raw, abs=1e-12)
    assert 0.5 < consistency.value < 0.8


@pytest.mark.parametrize("card", CARDS)
def test_shuffled_choices_score_at_chance(answers_of, card):
    ideal = typical(answers_of(card.partition("-")[0]))
    made = quick(card)
    scores = [corteval.score(replayed(shuffled(ideal, n)), made).value for n in range(20)]
    assert mean(scores) == pytest.approx(made.card.chance, abs=0.04)


def test_the_chance_of_shape_bias_is_that_of_a_bias_of_one_half(answers_of):
    people = answers_of("cueconflict")
    guessing = mean(similarity(0.5, bias(one)) for one in people.values())
    made = quick("cueconflict-shape_bias")
    assert made.card.chance == pytest.approx(guessing / made.ceiling().value, abs=0.005)


def test_who_sees_textures_has_not_the_shape_bias_of_people(answers_of):
    textures = {image: texture(image) for image in answers_of("cueconflict")[PEOPLE[0]]}
    result = corteval.score(replayed(textures, "textures"), quick("cueconflict-shape_bias"))
    assert result.value == pytest.approx(0, abs=1e-12)
    wrong = corteval.score(replayed(textures), quick("cueconflict-accuracy"))
    assert wrong.value < 0  # below chance: in none of the 320 do shape and texture agree


# As users do it


def test_a_persons_own_file_is_scored_and_told_of(mirror, answers_of):
    (file,) = (mirror / RAW_DATA / "edge").glob("*subject-03*.csv")
    person = subject(file, match="model-vs-human-image")
    result = corteval.score(person, "Geirhos2019.edge-accuracy")
    assert result.raw.value == pytest.approx(accuracy(answers_of("edge")["subject-03"]))
    assert result.interval.low < result.value < result.interval.high
    assert set(result.provenance.digests) == {"stimuli", "assembly"}
    (told,) = (note for note in result.notes if "all answers are those of" in note)
    assert "subject-03" in told


@pytest.mark.parametrize("card", CARDS)
def test_who_cannot_label_is_not_applicable_before_anything_is_computed_or_read(card, monkeypatch):
    """Neither a toy without classes can, nor a network of other classes."""
    from corteval.model import LayerCommitment
    from corteval.readouts import Logits
    from corteval.testing import toys

    def refuse(*arguments, **options):
        raise AssertionError("data were asked for")

    network = LayerCommitment(
        identifier="a network of digits",
        extractor=refuse,
        layers={"IT": "logits"},
        readouts=(Logits(layer="logits", classes=tuple("0123456789")),),
    )
    made = benchmark(card)
    monkeypatch.setattr(registry.data, "create", refuse)
    for model in (network, toys.vision()):
        result = corteval.score(model, made)
        assert result.status == "not-applicable"
        lacking = f"{model.identifier} does not support the task Label with 16 choices (airplane,"
        assert result.reason.startswith(lacking)


def test_cards_ask_for_the_buttons_that_people_had(mirror):
    for name in FILES:
        assert registry.data.create(f"Geirhos2019.{name}").choices == CHOICES
    for card in CARDS:
        (request,) = benchmark(card).requests()
        assert request.choices == CHOICES
