"""Accuracies on made-up folders and on an imitation of the archive."""

import json
import random
from dataclasses import replace
from statistics import fmean as mean

import numpy as np
import pytest
import xarray as xr

import corteval
from corteval import registry
from corteval.cli import main
from corteval.errors import NotInData, OptionError, StimuliError, UndefinedScore
from corteval.requests import Label
from corteval.testing import run_checks, toys
from corteval.testing.subjects import ReplaySubject, shuffled
from corteval_brainscore.imitation import picture
from corteval_imagenet import benchmark
from corteval_imagenet.benchmark import TopOne
from corteval_imagenet.card import CORRUPTIONS
from corteval_imagenet.classes import synsets

ROBUST = tuple(f"ImageNet-C-{category}-top1" for category in CORRUPTIONS)
IDENTIFIERS = ("ImageNet-top1", *ROBUST, "ObjectNet-top1")
#: Two hundred of the classes, so that guessing among them is far from right.
CLASSES = synsets()[::5]
every = pytest.mark.parametrize("identifier", IDENTIFIERS)


def lay(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(number))


@pytest.fixture
def images(archive, monkeypatch):
    """Data of all benchmarks: an image or two of each class, provided or in the archive."""
    from corteval import settings

    place = settings.home() / "provided"
    for number, synset in enumerate(CLASSES):
        name = f"ILSVRC2012_val_{number + 1:08d}.JPEG"
        lay(place / "ImageNet" / synset / name, number)
    for kinds in CORRUPTIONS.values():
        for kind in kinds:
            for severity in range(1, 6):
                for number, synset in enumerate(CLASSES[::10]):
                    name = f"ILSVRC2012_val_{number + 1:08d}.JPEG"
                    folder = place / "ImageNet-C" / kind / str(severity) / synset
                    folder.mkdir(parents=True, exist_ok=True)
                    (folder / name).symlink_to(place / "ImageNet" / CLASSES[number] / name)
    rows = [
        {"image_id": f"{n}", "filename": f"{n}.png", "synset": synset, "label": "a thing"}
        for n, synset in enumerate(CLASSES)
    ]
    files = {row["filename"]: picture(n) for n, row in enumerate(rows)}
    archive.add_stimuli("BarbuMayo2019", rows, files, source="barbumayo2019")
    return place


def create(identifier, **options):
    data = {} if identifier == "ObjectNet-top1" else {"data_options": {"partial": True}}
    fewer = {"every": 1} if identifier in ROBUST else {}
    return registry.benchmarks.create(identifier, **data, **fewer, **options)


def of_answers(ids, answers):
    coords = {"stimulus_id": ("presentation", list(ids))}
    return ReplaySubject(
        responses=xr.DataArray(list(answers), dims=["presentation"], coords=coords)
    )


def partly_right(made, share, seed=0):
    """Answers that are right with a chance, and which of them are."""
    draw = random.Random(seed)
    ideal = made.ideal_responses(0)
    right = [draw.random() < share for _ in ideal.values]
    wrong = [draw.choice(synsets()) for _ in right]
    answers = [t if r else w for t, r, w in zip(ideal.values, right, wrong, strict=True)]
    right = [a == t for a, t in zip(answers, ideal.values, strict=True)]
    return of_answers(ideal["stimulus_id"].values, answers), right


@every
def test_the_true_classes_score_one_and_shuffled_ones_at_chance(images, identifier):
    made = create(identifier)
    ideal = ReplaySubject(responses=made.ideal_responses(0))
    assert corteval.score(ideal, made).value == 1
    scores = [corteval.score(shuffled(ideal, n), made).value for n in range(5)]
    # of 200 classes, and of 20 classes of 15 or 20 images
    assert mean(scores) <= (0.1 if identifier in ROBUST else 0.02)


@every
def test_the_score_is_the_share_of_right_answers(images, identifier):
    made = create(identifier)
    subject, right = partly_right(made, 0.6)
    result = corteval.score(subject, made)
    assert result.value == pytest.approx(mean(right), abs=1e-12)
    assert result.ceiling is None and result.raw.quantity == "accuracy"
    with pytest.raises(UndefinedScore):
        made.ceiling()


@every
def test_it_asks_for_a_thousand_classes_without_looking_at_data(identifier):
    assert registry.benchmarks.create(identifier).requests() == (Label(synsets()),)


@every
def test_who_cannot_label_is_not_applicable_before_any_data_are_read(identifier, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("data were asked for")

    made = registry.benchmarks.create(identifier)
    monkeypatch.setattr(registry.data, "create", refuse)
    result = corteval.score(toys.vision(), made)
    assert result.status == "not-applicable"
    assert "does not support the task Label with 1000 choices (n01440764," in result.reason


@pytest.mark.parametrize("identifier", IDENTIFIERS[:-1])
def test_without_images_one_is_told_what_to_put_where(identifier, tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path))
    subject = of_answers(["a"], [synsets()[0]])
    name = "ImageNet" if identifier == "ImageNet-top1" else "ImageNet-C"
    with pytest.raises(NotInData, match=f"provided/{name} does not exist. Put them there"):
        corteval.score(subject, identifier)


# Conditions


@pytest.mark.parametrize("category", CORRUPTIONS)
def test_samples_are_the_accuracies_of_each_corruption_and_severity(images, category):
    made = create(f"ImageNet-C-{category}-top1")
    subject, right = partly_right(made, 0.5)
    ids = subject.responses["stimulus_id"].values
    result = corteval.score(subject, made)
    assert result.samples.sizes["condition"] == 5 * len(CORRUPTIONS[category])
    for condition, value in zip(
        result.samples["condition"].values, result.samples.values, strict=True
    ):
        of_it = [r for i, r in zip(ids, right, strict=True) if i.startswith(f"{condition}-")]
        assert len(of_it) == 20 and value == pytest.approx(mean(of_it), abs=1e-12)
    assert set(result.samples["noise_type"].values) == set(CORRUPTIONS[category])
    assert set(result.samples["noise_level"].values) == set("12345")


def test_samples_of_clean_images_are_the_accuracies_of_each_class(images):
    made = create("ImageNet-top1")
    subject, right = partly_right(made, 0.5)
    result = corteval.score(subject, made)
    assert result.samples["condition"].values.tolist() == list(CLASSES)
    assert result.samples.values.tolist() == [float(r) for r in right]


def test_every_tenth_image_is_the_same_five_of_each_class_in_all_conditions(tmp_path):
    for kind in CORRUPTIONS["noise"]:
        for severity in range(1, 6):
            for synset in synsets()[:4]:
                folder = tmp_path / kind / str(severity) / synset
                folder.mkdir(parents=True)
                first = 50 * synsets().index(synset)
                for number in range(first, first + 50):
                    (folder / f"ILSVRC2012_val_{number:08d}.JPEG").touch()
    options = {"folder": str(tmp_path), "partial": True}
    made = registry.benchmarks.create("ImageNet-C-noise-top1", data_options=options)
    table = made.stimuli().table
    assert len(table) == 15 * 20
    groups = table.groupby(["noise_type", "noise_level"], sort=False)
    shown = [tuple(group["image"]) for _, group in groups]
    assert len(shown) == 15 and len(set(shown)) == 1
    assert (table.groupby("synset").size() == 15 * 5).all()


def test_a_corruption_that_is_missing_is_told(images):
    import shutil

    shutil.rmtree(images / "ImageNet-C" / "fog" / "3")
    with pytest.raises(StimuliError, match=r"snow/1 holds 20 of 50000 images"):
        registry.data.create("ImageNet-C-weather").stimuli()
    for part in ("snow", "frost"):
        shutil.rmtree(images / "ImageNet-C" / part)
    with pytest.raises(StimuliError, match=r"snow/1 is no folder. Unpack the whole of weather.tar"):
        registry.data.create("ImageNet-C-weather").stimuli()
    left = registry.data.create("ImageNet-C-weather", partial=True).stimuli()
    assert len(left) == 9 * 20
    with pytest.raises(OptionError, match="no category 'rain'"):
        registry.data.create("ImageNet-C-weather", category="rain")


# Intervals


def test_versions_of_one_photograph_are_drawn_together(images):
    made = create("ImageNet-C-blur-top1")
    stimuli = made.stimuli().table
    recognised = {image for n, image in enumerate(sorted(set(stimuli["image"]))) if n % 2}
    answers = [
        synset if image in recognised else "n01440764"
        for synset, image in zip(stimuli["synset"], stimuli["image"], strict=True)
    ]
    result = corteval.score(of_answers(stimuli.index, answers), made)
    n = len(set(stimuli["image"]))
    p = result.value
    alone = np.sqrt(p * (1 - p) / (n - 1))  # as if each photograph were one answer
    assert result.raw.error == pytest.approx(alone, rel=0.01)
    half = (result.interval.high - result.interval.low) / 2
    assert half == pytest.approx(2.1 * alone, rel=0.15)  # t with 19 degrees of freedom
    assert result.raw.replicates[0].sizes == (n,)


def test_draws_that_are_not_listed_have_the_same_distribution(images, monkeypatch):
    made = create("ImageNet-C-blur-top1", resamples=4000)
    subject, _ = partly_right(made, 0.7)
    listed = corteval.score(subject, made)
    monkeypatch.setattr(benchmark, "_LISTED", 0)
    pooled = corteval.score(subject, made)
    a, b = (np.array(s.raw.replicates[0].values) for s in (listed, pooled))
    assert listed.value == pooled.value
    assert b.mean() == pytest.approx(a.mean(), abs=4 * a.std() / np.sqrt(4000))
    assert b.std() == pytest.approx(a.std(), rel=0.06)
    assert np.quantile(b, [0.025, 0.975]) == pytest.approx(np.quantile(a, [0.025, 0.975]), abs=0.01)
    assert listed.raw.replicates[0].draw != pooled.raw.replicates[0].draw


def test_draws_of_two_subjects_belong_together_if_photographs_are_few(images):
    made = create("ImageNet-top1")
    draws = {
        corteval.score(partly_right(made, 0.5, seed)[0], made).raw.replicates[0].draw
        for seed in (1, 2)
    }
    assert len(draws) == 1


@pytest.mark.slow
def test_fifty_thousand_images_need_no_table_of_draws():
    import tracemalloc

    made = TopOne(card=registry.benchmarks.card("ImageNet-top1"))
    right = np.random.default_rng(0).random(50_000) < 0.76
    names = np.array([f"{n:08d}" for n in range(50_000)])
    tracemalloc.start()
    (found,) = made._replicates(right, np.arange(50_000), names)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.std(found.values) == pytest.approx(np.sqrt(0.76 * 0.24 / 50_000), rel=0.1)
    assert peak < 50e6


# The archive


def test_corrupted_images_of_the_archive_are_taken_every_tenth_row(archive):
    rows, files = [], {}
    for kind in CORRUPTIONS["digital"]:
        for level in range(1, 6):
            for number, synset in enumerate(CLASSES[:20], 1):
                name = f"{kind}_{level}_ILSVRC2012_val_{number:08d}.png"
                rows.append(
                    {"image_id": name, "filename": name, "synset": synset, "noise_type": kind,
                     "noise_level": level}
                )  # fmt: skip
                files[name] = picture(number)
    archive.add_stimuli("imagenet_c.digital", rows, files, source="hendrycks2019")
    card = registry.benchmarks.card("ImageNet-C-digital-top1")
    made = TopOne(**replace(card, data=("brainscore/imagenet_c.digital",)).arguments())
    assert made.stimuli().stimulus_ids == [row["image_id"] for row in rows][::10]
    result = corteval.score(ReplaySubject(responses=made.ideal_responses(0)), made)
    assert result.value == 1 and result.samples.sizes["condition"] == 20
    assert result.raw.replicates[0].sizes == (2,)  # two photographs in all conditions
    assert "every tenth image, as the published benchmark" in result.notes


def test_labels_that_are_no_classes_are_refused(archive):
    rows = [{"image_id": "1", "filename": "1.png", "synset": "kettle"}]
    archive.add_stimuli("BarbuMayo2019", rows, {"1.png": picture(1)}, source="barbumayo2019")
    with pytest.raises(
        StimuliError, match="1 labels are no classes of ILSVRC 2012, such as 'kettle'"
    ):
        registry.benchmarks.create("ObjectNet-top1").stimuli()
    named = registry.benchmarks.create("ObjectNet-top1", label="class")
    with pytest.raises(StimuliError, match="has no column 'class'; it has filename, synset"):
        named.stimuli()


@pytest.mark.parametrize("options", [{"every": 0}, {"resamples": -1}])
def test_nonsense_is_refused(options):
    with pytest.raises(OptionError):
        registry.benchmarks.create("ImageNet-top1", **options)


def test_the_conformance_kit_passes_on_objects_of_the_archive(images):
    results = run_checks("ObjectNet-top1")
    assert [r for r in results if not r.ok] == []
    passed = {r.name for r in results if r.status == "passed"}
    assert {"perfect_subject", "shuffled_subject", "requests", "row_order", "seed"} <= passed


def test_it_is_scored_on_the_command_line(images, tmp_path, capsys):
    made = registry.benchmarks.create("ObjectNet-top1")
    subject, right = partly_right(made, 0.4)
    answers = zip(subject.responses["stimulus_id"].values, subject.responses.values, strict=True)
    file = tmp_path / "net.csv"
    file.write_text("stimulus_id,choice\n" + "".join(f"{i},{a}\n" for i, a in answers))
    assert main(["recorded", "add", str(file), "--id", "net"]) == 0
    capsys.readouterr()
    assert main(["score", "recorded/net", "ObjectNet-top1", "--json", "--yes"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["value"] == pytest.approx(mean(right)) or str(mean(right)) in printed
