import os
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import fmean as mean

import numpy as np
import pytest
import xarray as xr

import corteval
from corteval import registry
from corteval.cli import main
from corteval.errors import StimuliError, UndefinedScore
from corteval.model import LayerCommitment
from corteval.requests import Label
from corteval.testing import run_checks, toys
from corteval.testing.subjects import ReplaySubject, shuffled
from corteval_brainscore.imitation import picture
from corteval_hermann2020.benchmark import CueConflict
from corteval_hermann2020.card import CHOICES

BIAS, MATCH = "Hermann2020cueconflict-shape_bias", "Hermann2020cueconflict-shape_match"
MEMBER = "Geirhos2021_cue-conflict"
both = pytest.mark.parametrize("identifier", [BIAS, MATCH])


def rows(variations=1):
    """Every pair of categories, named as the archive names its images; some without conflict."""
    made = []
    for number in range(1, variations + 1):
        for shape in CHOICES:
            for texture in CHOICES:
                name = f"{shape}{number}-{texture}{number}"
                made.append(
                    {
                        "image_id": name,
                        "filename": f"{name}.png",
                        "truth": shape,
                        "category": shape,
                        "original_image_category": shape,
                        "conflict_image_category": texture,
                        "condition": 0,
                    }
                )
    return made


@pytest.fixture
def images(archive):
    made = rows()
    files = {row["filename"]: picture(n) for n, row in enumerate(made)}
    archive.add_stimuli(MEMBER, made, files, source="geirhos2021")
    return made


def of_answers(answers):
    """A subject that answers so, by stimulus."""
    ids = list(answers)
    return ReplaySubject(
        responses=xr.DataArray(
            [answers[i] for i in ids],
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", ids)},
        )
    )


def drawn(made, shape, texture, seed=0):
    """Answers of one who goes by shape and by texture with given chances, else guesses."""
    draw = random.Random(seed)
    return {
        row["image_id"]: draw.choices(
            (row["truth"], row["conflict_image_category"], draw.choice(CHOICES)),
            (shape, texture, 1 - shape - texture),
        )[0]
        for row in made
    }


def by_loops(made, answers):
    """Bias and match by counting."""
    counted = Counter()
    for row in made:
        shape, texture = row["truth"], row["conflict_image_category"]
        if shape != texture:
            counted["all"] += 1
            counted["shape"] += answers[row["image_id"]] == shape
            counted["texture"] += answers[row["image_id"]] == texture
    return {
        BIAS: counted["shape"] / (counted["shape"] + counted["texture"]),
        MATCH: counted["shape"] / counted["all"],
    }


@both
@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_counting(images, identifier, seed):
    answers = drawn(images, 0.3, 0.4, seed)
    result = corteval.score(of_answers(answers), identifier)
    assert result.value == pytest.approx(by_loops(images, answers)[identifier], abs=1e-12)
    assert result.raw.value == result.value and result.ceiling is None


@both
def test_who_goes_by_shape_scores_one_and_who_goes_by_texture_scores_zero(images, identifier):
    assert corteval.score(of_answers(drawn(images, 1, 0)), identifier).value == 1
    assert corteval.score(of_answers(drawn(images, 0, 1)), identifier).value == 0


@both
def test_shuffled_choices_score_at_chance(images, identifier):
    made = registry.benchmarks.create(identifier)
    ideal = ReplaySubject(responses=made.ideal_responses(0))
    assert corteval.score(ideal, made).value == 1
    scores = [corteval.score(shuffled(ideal, n), made).value for n in range(12)]
    # 240 images, of which a 16th is answered by the shape and as many by the texture
    assert mean(scores) == pytest.approx(made.card.chance, abs={BIAS: 0.1, MATCH: 0.02}[identifier])


@both
def test_intervals_are_those_of_the_binomial_distribution(images, identifier):
    answers = drawn(images, 0.3, 0.4)
    result = corteval.score(of_answers(answers), identifier)
    conflicts = [r for r in images if r["truth"] != r["conflict_image_category"]]
    either = sum(
        answers[r["image_id"]] in (r["truth"], r["conflict_image_category"]) for r in conflicts
    )
    n = either if identifier == BIAS else len(conflicts)
    error = np.sqrt(result.value * (1 - result.value) / n)
    half = (result.interval.high - result.interval.low) / 2
    assert half == pytest.approx(1.96 * error, rel=0.12)
    assert result.raw.error == pytest.approx(error, rel=0.01)


@both
def test_images_without_conflict_are_not_shown_and_labels_never(images, identifier):
    shown = []

    class Watching:
        identifier, modalities, visual_degrees = "watching", frozenset({"image"}), 8.0

        def supports(self, request):
            return isinstance(request, Label)

        def respond(self, stimuli, requests):
            shown.append(stimuli)
            answers = of_answers(dict.fromkeys(stimuli.stimulus_ids, "cat"))
            return answers.respond(stimuli, requests)

        def perturbed(self, *perturbations):
            return self

    corteval.score(Watching(), identifier)
    (stimuli,) = shown
    assert len(stimuli) == 16 * 15
    assert set(stimuli.table.columns) == {"path"}


@both
def test_it_asks_for_the_sixteen_categories_without_looking_at_data(identifier):
    (request,) = registry.benchmarks.create(identifier).requests()
    assert request == Label(CHOICES) and len(set(CHOICES)) == 16


@both
def test_who_cannot_label_is_not_applicable_before_any_data_are_read(identifier, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("data were asked for")

    made = registry.benchmarks.create(identifier)
    monkeypatch.setattr(registry.data, "create", refuse)
    result = corteval.score(toys.vision(), made)
    assert result.status == "not-applicable"
    assert "does not support the task Label with 16 choices (airplane," in result.reason


def test_who_chooses_neither_has_no_bias(images):
    answers = {
        row["image_id"]: next(
            c for c in CHOICES if c not in (row["truth"], row["conflict_image_category"])
        )
        for row in images
    }
    result = corteval.score(of_answers(answers), BIAS)
    assert result.status == "undefined"
    assert "neither shape nor texture in any of 240 images" in result.reason
    assert corteval.score(of_answers(answers), MATCH).value == 0


def test_a_network_of_imagenet_answers_in_the_sixteen_categories(images):
    from corteval_pytorch import imagenet_logits

    class Logits:
        """1,000 logits from the colour of an image."""

        def units(self, layer):
            return {"neuroid_id": np.array([f"{n}" for n in range(1000)])}

        def __call__(self, stimuli, wanted):
            for name in stimuli.stimulus_ids:
                values = np.cos(stimuli.image(name).mean() * np.arange(1, 1001) / 7)
                yield {layer: values[None, units] for layer, units in wanted.items()}

    network = LayerCommitment(
        identifier="network",
        extractor=Logits(),
        layers={"IT": "logits"},
        readouts=(imagenet_logits("logits"),),
        visual_degrees=8.0,
    )
    assert network.supports(Label(CHOICES))
    assert corteval.score(network, MATCH).value == pytest.approx(1 / 16, abs=0.06)


def test_a_table_without_categories_says_which_columns_it_has(archive):
    table = [{"stimulus_id": "a", "filename": "a.png", "shape": "cat", "texture": "dog"}]
    archive.add_stimuli(MEMBER, table, {"a.png": picture(1)}, source="geirhos2021")
    with pytest.raises(StimuliError, match="no column original_image_category or truth; they have"):
        corteval.score(of_answers({"a": "cat"}), BIAS)
    named = registry.benchmarks.create(BIAS, shape=("shape",))
    assert corteval.score(of_answers({"a": "cat"}), named).value == 1


@both
def test_it_has_no_ceiling(images, identifier):
    made = registry.benchmarks.create(identifier)
    with pytest.raises(UndefinedScore):
        made.ceiling()
    assert any(
        "not normalised" in n for n in corteval.score(of_answers(drawn(images, 1, 0)), made).notes
    )


@both
def test_the_conformance_kit_passes_on_an_imitation_of_the_archive(archive, identifier):
    made = rows(5)
    files = {row["filename"]: picture(n) for n, row in enumerate(made)}
    archive.add_stimuli(MEMBER, made, files, source="geirhos2021")
    results = run_checks(identifier)
    assert [r for r in results if not r.ok] == []
    passed = {r.name for r in results if r.status == "passed"}
    assert {"perfect_subject", "shuffled_subject", "requests", "row_order", "seed"} <= passed


def test_it_is_scored_on_the_command_line(images, tmp_path, capsys):
    file = tmp_path / "net.csv"
    answers = drawn(images, 0.2, 0.5)
    trials = "".join(f"{name},{choice}\n" for name, choice in answers.items())
    file.write_text(f"stimulus_id,choice\n{trials}")
    assert main(["recorded", "add", str(file), "--id", "net"]) == 0
    capsys.readouterr()
    assert main(["score", "recorded/net", "Hermann2020cueconflict-*", "--json", "--yes"]) == 0
    printed = capsys.readouterr().out
    for value in by_loops(images, answers).values():
        assert f"{value:.12f}"[:12] in printed


# Real people


def people(identifier):
    trials = registry.data.create(identifier).assembly()
    for name in np.unique(trials["subject"].values):
        yield name, trials[trials["subject"].values == name]


def on(identifier, data):
    card = registry.benchmarks.card(identifier)
    return CueConflict(**replace(card, data=(data,)).arguments())


def test_the_biases_of_people_on_all_images_are_those_known(mirror, reference):
    known = reference("real_data_numbers.json")["model_vs_human"]
    known = known["human_only_17_datasets"]["cue-conflict"]["shape_bias_per_subject"]
    made = on(BIAS, "Geirhos2021.cue-conflict")
    found = {}
    for name, trials in people("Geirhos2021.cue-conflict"):
        result = corteval.score(ReplaySubject(responses=trials), made)
        found[name] = result.value
        assert any("images were not at hand" in note for note in result.notes)
    assert len(found) == 10
    assert found == pytest.approx(known, abs=1e-12)


@both
def test_a_person_on_a_quarter_of_the_images_scores_what_counting_gives(mirror, identifier):
    made = on(identifier, "Geirhos2019.cueconflict")
    for _, trials in list(people("Geirhos2019.cueconflict"))[:3]:
        columns = (trials[n].values for n in ("stimulus_id", "truth", "texture"))
        table = [
            {"image_id": i, "truth": s, "conflict_image_category": t}
            for i, s, t in zip(*columns, strict=True)
        ]
        answers = dict(zip(trials["stimulus_id"].values, trials.values, strict=True))
        result = corteval.score(ReplaySubject(responses=trials), made)
        assert result.value == pytest.approx(by_loops(table, answers)[identifier], abs=1e-12)
        assert result.interval.low < result.value < result.interval.high


@pytest.mark.parametrize(("identifier", "value"), [(BIAS, 0.21392405), (MATCH, 0.14083333)])
def test_the_recorded_resnet50_scores_what_was_published(mirror, identifier, value):
    """If you have the trials, which have no licence; see the README."""
    from corteval_recorded import subject

    folder = os.environ.get("CORTEVAL_RECORDED_TRIALS")
    pattern = "texture-shape_cue-conflict_resnet50_session-1.csv"
    file = next(Path(folder).rglob(pattern), None) if folder else None
    if file is None:
        pytest.skip(f"no {pattern} in CORTEVAL_RECORDED_TRIALS={folder!r}")
    network = subject(file, match="model-vs-human-image")
    result = corteval.score(network, on(identifier, "Geirhos2021.cue-conflict"))
    assert result.value == pytest.approx(value, abs=1e-8)
