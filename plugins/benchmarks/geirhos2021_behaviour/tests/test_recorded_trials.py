"""Recorded trials as their authors store them, and images that may be there or not."""

import csv
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import fmean as mean

import pytest

import corteval
from corteval import registry, settings
from corteval.behavioural_benchmark import BehaviouralBenchmark
from corteval.errors import NotInData
from corteval.model import LayerCommitment
from corteval.readouts import Logits
from corteval.scoring import score_all
from corteval.testing import toys
from corteval_geirhos2021_behaviour.card import CHOICES
from corteval_recorded import subject

RAW_DATA = (
    "raw.githubusercontent.com/bethgelab/model-vs-human/"
    "79ed7cd1d9ac3a114e71b6638f0a98bdd627316c/raw-data"
)
IMAGES = (
    "raw.githubusercontent.com/rgeirhos/texture-vs-shape/"
    "ccd0c01d42c0a8a834e90ec141e7f24fa915dc23/stimuli"
)
HEADER = ("subj", "session", "trial", "rt", "object_response", "category", "condition", "imagename")
CUE_CONFLICT = "Geirhos2021.cue-conflict-error_consistency"


def rows(mirror, name):
    """All rows of all people."""
    for file in sorted((mirror / RAW_DATA / name).glob("*.csv")):
        yield from ({k.lower(): v for k, v in row.items()} for row in csv.DictReader(file.open()))


def kappa(one, other):
    agreeing = mean(a == b for a, b in zip(one, other, strict=True))
    a, b = mean(one), mean(other)
    expected = a * b + (1 - a) * (1 - b)
    return (agreeing - expected) / (1 - expected)


def write(path, trials):
    """Trials of a network as the field stores them: (category, condition, image name, answer)."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        for number, (category, condition, image, answer) in enumerate(trials, 1):
            table.writerow(("net", 1, number, "NaN", answer, category, condition, image))


def of_images_alone(row):
    """``bird3-bird2.png``: as the trials of 25 networks on the cue conflict are stored."""
    return row["imagename"].split("_")[6]


def of_trials_of_a_network(row):
    """``0001_cl_dnn_bw_cat_40_n02124075_1.png``: as model-vs-human stores trials of networks."""
    parts = row["imagename"].split("_", 3)
    return "_".join((parts[0], parts[1], "dnn", parts[3]))


@pytest.mark.parametrize(
    ("name", "spelled", "match", "left_out"),
    [
        ("cue-conflict", of_images_alone, "model-vs-human-image", set()),
        ("cue-conflict", of_trials_of_a_network, "model-vs-human-image", set()),
        ("colour", of_trials_of_a_network, "model-vs-human", {"cr"}),
        ("eidolonII", of_trials_of_a_network, "model-vs-human",
         {"1-3-10", "32-3-10", "64-3-10", "128-3-10"}),
    ],
)  # fmt: skip
def test_a_file_of_a_networks_trials_scores_what_plain_loops_over_it_give(
    mirror, tmp_path, name, spelled, match, left_out
):
    people, answers, truths, conditions, names = {}, {}, {}, {}, {}
    draw = random.Random(7)
    for row in rows(mirror, name):
        image = row["imagename"].split("_", 3)[3]
        people.setdefault(row["subj"], {})[image] = row["object_response"] == row["category"]
        truths[image], conditions[image] = row["category"], row["condition"]
        names.setdefault(image, spelled(row))
        if image not in answers:  # as a person did in three of four images, else by chance
            known = draw.random() < 0.75
            answers[image] = row["object_response"] if known else draw.choice(CHOICES)
    file = tmp_path / f"{name}_net_session-1.csv"
    write(file, [(truths[i], conditions[i], names[i], answers[i]) for i in answers])

    kappas, closeness = [], []
    for person in people.values():
        for condition in sorted(set(conditions.values()) - left_out):
            images = [i for i in person if conditions[i] == condition]
            own, theirs = [answers[i] == truths[i] for i in images], [person[i] for i in images]
            kappas.append(kappa(own, theirs))
            a, b = mean(own), mean(theirs)
            closeness.append(1 - abs(a - b) / max(b, 1 - b))
    network = subject(file, match=match)
    consistency = corteval.score(network, f"Geirhos2021.{name}-error_consistency")
    assert consistency.raw.value == pytest.approx(mean(kappas), abs=1e-12)
    distance = corteval.score(network, f"Geirhos2021.{name}-accuracy_distance")
    assert distance.raw.value == pytest.approx(mean(closeness), abs=1e-12)
    assert consistency.interval.low < consistency.value < consistency.interval.high


@pytest.mark.parametrize("network", ["resnet50", "cornet-s"])
def test_recorded_networks_score_as_known(mirror, reference, network):
    """Kappas of .0680 and .0665 and shape biases of .214 and .181, if you have the trials.

    They come without a licence, so that they are not downloaded: set CORTEVAL_RECORDED_TRIALS to
    a folder with them, as the README says.
    """
    folder = os.environ.get("CORTEVAL_RECORDED_TRIALS")
    pattern = f"texture-shape_cue-conflict_{network}_session-1.csv"
    file = next(Path(folder).rglob(pattern), None) if folder else None
    if file is None:
        pytest.skip(f"no {pattern} in CORTEVAL_RECORDED_TRIALS={folder!r}")
    known = reference("real_data_numbers.json")["model_vs_human"]
    known = known["texture_shape_humans_and_25_CNNs"]["texture-shape_cue-conflict"]
    model = subject(file, match="model-vs-human-image")
    consistency = corteval.score(model, CUE_CONFLICT)
    expected = known["models"][network]
    assert consistency.raw.value == pytest.approx(expected["human_kappa_mean"], abs=1e-9)
    check_shape_bias(model, expected["shape_bias"], known["human_shape_bias"])


def check_shape_bias(model, bias, of_people):
    """The registered metric says how near a bias lies to that of each person: b / b' if b < b'."""
    result = corteval.score(model, shape_bias_of_all_images())
    near = dict(zip(result.samples["subject"].values, result.samples.values, strict=True))
    assert len(near) == 10
    for person, other in of_people.items():
        assert bias < other and other > 0.5
        assert near[person] * other == pytest.approx(bias, abs=1e-9)


def shape_bias_of_all_images():
    """As the README tells: the card on 320 images, with the trials of all 1,280."""
    card = registry.benchmarks.card("Geirhos2019.cueconflict-shape_bias")
    card = replace(card, identifier="all-shape_bias", data=("Geirhos2021.cue-conflict",))
    return BehaviouralBenchmark(**card.arguments())


def test_shape_bias_of_trials_like_theirs_is_that_of_plain_loops(mirror, reference, tmp_path):
    """The same path as for the recorded networks, with a network that was made up."""
    known = reference("real_data_numbers.json")["model_vs_human"]
    of_people = known["human_only_17_datasets"]["cue-conflict"]["shape_bias_per_subject"]
    draw, trials, decided = random.Random(3), {}, []
    for row in rows(mirror, "cue-conflict"):
        image = of_images_alone(row)
        texture = image.removesuffix(".png").split("-")[1].rstrip("0123456789")
        if image not in trials:
            answer = draw.choices((row["category"], texture, draw.choice(CHOICES)), (2, 7, 3))[0]
            trials[image] = row["category"], "NaN", image, answer
            if row["category"] != texture and answer in (row["category"], texture):
                decided.append(answer == row["category"])
    file = tmp_path / "texture-shape_cue-conflict_net_session-1.csv"
    write(file, trials.values())
    assert 0.15 < mean(decided) < 0.35
    check_shape_bias(subject(file, match="model-vs-human-image"), mean(decided), of_people)


# Images


@pytest.fixture
def silhouettes(mirror):
    """The images of one set, provided by the user."""
    place = settings.home() / "provided" / "Geirhos2021.silhouette"
    shutil.copytree(mirror / IMAGES / "filled-silhouettes", place / "silhouette")
    yield place
    shutil.rmtree(place)


def person_of(mirror, name):
    (file,) = (mirror / RAW_DATA / name).glob("*subject-02*.csv")
    match = "model-vs-human-image" if name == "silhouette" else "model-vs-human"
    return subject(file, match=match)


def test_a_recorded_person_scores_the_same_with_and_without_images(mirror, request):
    person = person_of(mirror, "silhouette")
    without = corteval.score(person, "Geirhos2021.silhouette-error_consistency")
    request.getfixturevalue("silhouettes")
    seen = corteval.score(person, "Geirhos2021.silhouette-error_consistency")
    assert (without.value, without.interval) == (seen.value, seen.interval)
    assert any("images were not at hand" in note for note in without.notes)
    assert set(seen.provenance.digests) - set(without.provenance.digests) == {"stimuli"}


def network():
    """Looks at images, and has sixteen logits by the names of the buttons."""
    readout = Logits(layer="patches", classes=CHOICES)
    extractor = toys.Patches(grid=4)  # 2 x 4 x 4 units, of which the first sixteen are read
    return LayerCommitment(
        identifier="network",
        extractor=Halved(extractor),
        layers={"IT": "patches"},
        readouts=(readout,),
        visual_degrees=8.0,
    )


class Halved:
    """The first sixteen units of an extractor."""

    def __init__(self, extractor):
        self.extractor = extractor

    def units(self, layer):
        return {name: column[:16] for name, column in self.extractor.units(layer).items()}

    def __call__(self, stimuli, wanted):
        return self.extractor(stimuli, wanted)


@pytest.mark.parametrize("metric", ["error_consistency", "accuracy_distance"])
@pytest.mark.parametrize("name", ["colour", "silhouette", "uniform-noise"])
def test_without_images_a_network_is_told_what_to_put_where(mirror, name, metric):
    with pytest.raises(NotInData) as caught:
        corteval.score(network(), f"Geirhos2021.{name}-{metric}")
    told = str(caught.value)
    assert f"provided/Geirhos2021.{name} does not exist. Put them there" in told
    assert f"{name}.tar.gz of https://github.com/bethgelab/model-vs-human/releases" in told
    (cell,) = score_all([network()], [f"Geirhos2021.{name}-{metric}"])
    assert (cell.status, cell.reason) == ("failed", told)


def test_with_images_a_network_is_scored(mirror, silhouettes):
    result = corteval.score(network(), "Geirhos2021.silhouette-error_consistency")
    assert result.status == "scored"
    assert abs(result.value) < 0.3  # patches of luminance see no shapes


def test_images_in_a_folder_that_is_named_are_used(mirror):
    options = {"conditions": "benchmark", "folder": str(mirror / IMAGES / "filled-silhouettes")}
    made = registry.benchmarks.create(
        "Geirhos2021.silhouette-error_consistency", data_options=options
    )
    assert made.stimuli().image("cat1.png").shape[:2] == (224, 224)


@pytest.mark.parametrize(
    "identifier", [card.identifier for card in registry.benchmarks.where(target="label")
                   if card.identifier.startswith("Geirhos2021.")]
)  # fmt: skip
def test_who_cannot_label_is_not_applicable_before_anything_is_computed_or_read(
    identifier, monkeypatch
):
    """Neither a toy without classes can, nor a network of other classes."""
    from corteval.readouts import Logits

    def refuse(*arguments, **options):
        raise AssertionError("data were asked for")

    network = LayerCommitment(
        identifier="a network of digits",
        extractor=refuse,
        layers={"IT": "logits"},
        readouts=(Logits(layer="logits", classes=tuple("0123456789")),),
    )
    made = registry.benchmarks.create(identifier)
    monkeypatch.setattr(registry.data, "create", refuse)
    for model in (network, toys.vision()):
        result = corteval.score(model, made)
        assert result.status == "not-applicable"
        lacking = f"{model.identifier} does not support the task Label with 16 choices (airplane,"
        assert result.reason.startswith(lacking)
