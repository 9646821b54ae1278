"""Registered texts in passages: grouped and leaky folds, parts, nuisances and the figure."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest

import corteval
from corteval import hooks, registered, registry, settings
from corteval.cards import ModelCard
from corteval.cli import main
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.score import Score

WORDS = ("the", "old", "child", "sings", "of", "rivers", "near", "a", "slow", "house")
PASSAGES, LENGTH = 24, 4
GROUPED = "MyLab2026.first.language_system-ridgecv_zscored"


class Features:
    """Number of words, or which passage a text is of: a subject that only a leak rewards."""

    def __init__(self, kind):
        self.kind = kind

    def units(self, layer):
        size = 2 if self.kind == "words" else PASSAGES
        return {"neuroid_id": np.array([f"{self.kind}-{n}" for n in range(size)])}

    def __call__(self, stimuli, wanted):
        if self.kind == "words":
            counts = [(len(t.split()), len(t)) for t in stimuli.table["text"]]
            values = np.array(counts, float)
        else:
            number = [int(str(c).rpartition("p")[2]) for c in stimuli.table["context_id"]]
            values = np.eye(PASSAGES)[number]
        yield {layer: values[:, units] for layer, units in wanted.items()}


def build(kind):
    return LayerCommitment(
        identifier=kind,
        extractor=Features(kind),
        layers={ANY_TARGET: kind},
        modalities=frozenset({"text"}),
    )


def _card(kind):
    return ModelCard(
        identifier=kind,
        factory=f"{__name__}:build",
        options={"kind": kind},
        summary="Toy",
        licence="MIT",
        modalities=frozenset({"text"}),
    )


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(tmp_path)
    registry.reload()
    hooks.reload()
    with registry.models.temporary(_card("words"), _card("passages")):
        yield
    registry.reload()
    hooks.reload()


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


@pytest.fixture
def lab(tmp_path):
    """Two experiments; a response is a drift of its passage and the number of words."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "lab"
    folder.mkdir()
    with (folder / "sentences.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["stimulus_id", "sentence", "experiment", "passage", "place", "bold"])
        for experiment in ("first", "second"):
            for passage in range(PASSAGES):
                drift = rng.standard_normal()
                for place in range(LENGTH):
                    words = rng.choice(WORDS, rng.integers(3, 13))
                    bold = drift + 0.2 * len(words) + 0.3 * rng.standard_normal()
                    name = f"{experiment}-{passage}-{place}"
                    row = [name, " ".join(words), experiment, f"p{passage}", place, bold]
                    table.writerow(row)
    return folder


@pytest.fixture
def registration(lab, run):
    def register(*further):
        done = run(
            *("data", "register", lab, "--id", "MyLab2026", "--yes", "--modality", "text"),
            *("--stimuli", "sentences.csv", "--responses", "sentences.csv", "--value", "bold"),
            *("--target", "language_system", "--column", "context_id=passage"),
            *("--column", "position=place", "--group-by", "context_id", *further),
        )
        assert done.code == 0, done.err
        return done

    return register


def test_passages_of_two_experiments_with_the_same_names_are_told_apart(registration):
    registration("--parts", "experiment")
    stimuli = registry.data.create("MyLab2026").stimuli()
    assert stimuli.table["context_id"].nunique() == 2 * PASSAGES
    assert stimuli.table.at["second-3-0", "context_id"] == "second.p3"


def test_each_part_has_benchmarks_that_show_its_stimuli_alone(registration):
    registration("--parts", "experiment")
    benchmark = registry.benchmarks.create(GROUPED)
    assert len(benchmark.stimuli()) == PASSAGES * LENGTH
    assert set(benchmark.stimuli().table["experiment"]) == {"first"}


def test_metrics_that_divide_stimuli_have_a_leaky_variant_and_others_have_none(registration):
    registration("--parts", "experiment")
    names = {card.identifier for card in registry.benchmarks.where(data=("MyLab2026@registered",))}
    assert {GROUPED, f"{GROUPED}-shuffle"} <= names
    assert "legacy" in registry.benchmarks.card(f"{GROUPED}-shuffle").summary
    assert not any("rdm" in name and name.endswith("-shuffle") for name in names)


def test_data_without_groups_have_no_leaky_variants(tmp_path, run):
    folder = tmp_path / "plain"
    folder.mkdir()
    rows = [f"s{n},text number {n},{n % 7}" for n in range(40)]
    (folder / "s.csv").write_text("\n".join(["stimulus_id,text,bold", *rows]))
    done = run(
        *("data", "register", folder, "--id", "Plain", "--yes", "--modality", "text"),
        *("--stimuli", "s.csv", "--responses", "s.csv", "--value", "bold", "--target", "x"),
        *("--folds", "5", "--json"),
    )
    names = json.loads(done.out)["benchmarks"]
    assert names
    assert not any(name.endswith("-shuffle") for name in names)
    division = registry.benchmarks.card("Plain.x-ridgecv_zscored").options["metric_options"]
    assert division["cross_validation"]["count"] == 5


def test_a_subject_that_knows_the_passage_only_scores_where_folds_divide_passages(registration):
    registration("--parts", "experiment", "--nuisances", "words")
    honest = corteval.score("passages", GROUPED)
    leaky = corteval.score("passages", f"{GROUPED}-shuffle")
    assert honest.value == pytest.approx(0, abs=1e-9)
    assert leaky.value > 0.4
    assert any(note.startswith("leaky") for note in leaky.notes)
    assert not any(note.startswith("leaky") for note in honest.notes)
    assert corteval.score("words", GROUPED).value > 0.3


def test_what_a_subject_explains_beyond_nuisances_is_in_score_json_and_words(registration):
    registration("--parts", "experiment", "--nuisances", "words,nobody")
    score = corteval.score("passages", f"{GROUPED}-shuffle")
    assert score.further["unique variance"].value > 0.2
    assert "pooled R2" in score.further
    assert any("beyond words" in note for note in score.notes)
    assert any("nobody is not installed" in note for note in score.notes)
    again = Score.from_json(score.to_json())
    assert again == score
    assert score.summary()["further"]["unique variance"]["interval"]["low"] > 0
    itself = corteval.score("words", GROUPED)
    assert "unique variance" not in itself.further


def test_nuisances_see_no_more_than_what_is_shown(registration):
    seen = []
    registration("--parts", "experiment", "--nuisances", "words")
    original = Features.__call__

    def spy(self, stimuli, wanted):
        seen.append(set(stimuli.table.columns))
        return original(self, stimuli, wanted)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Features, "__call__", spy)
        corteval.score("passages", GROUPED, store=None)
    assert seen
    assert all(columns <= {"text", "context_id", "position"} for columns in seen)


def test_unknown_parts_and_folds_are_told(lab, run):
    arguments = (
        *("data", "register", lab, "--id", "Odd", "--yes", "--modality", "text"),
        *("--stimuli", "sentences.csv", "--responses", "sentences.csv", "--value", "bold"),
    )
    done = run(*arguments, "--parts", "experimnet")
    assert done.code == 1
    assert "experiment" in done.out + done.err
    assert run(*arguments, "--folds", "1").code == 2


def test_registrations_of_before_are_read_as_they_were(registration):
    registration("--parts", "experiment", "--folds", "6")
    (file,) = registered.files()
    content = json.loads(file.read_text())
    for name in ("folds", "part_by", "parts", "nuisances"):
        del content["facts"][name]
    file.write_text(json.dumps(content))
    assert registered.read(file).facts.folds == 0
    assert registered.read(file).facts.parts == ()


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_one_command_writes_the_figure_and_its_numbers(registration, run, tmp_path, suffix):
    pytest.importorskip("matplotlib")
    registration("--parts", "experiment", "--nuisances", "words")
    file = tmp_path / f"leak{suffix}"
    done = run("score", "passages,words", f"{GROUPED}*", "--figure", file, "-q")
    assert done.code == 0, done.err
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert file.read_bytes().startswith(start)
    rows = list(csv.DictReader(file.with_suffix(".csv").open()))
    assert [(r["model"], r["benchmark"] == GROUPED) for r in rows] == [
        ("passages", True),
        ("passages", False),
        ("words", True),
        ("words", False),
    ]
    assert float(rows[1]["value"]) == pytest.approx(
        corteval.score("passages", f"{GROUPED}-shuffle").value
    )


def test_a_figure_that_cannot_be_drawn_is_refused_before_anything_is_computed(run):
    done = run("score", "words", "Nothing.at-all", "--figure", "leak.gif")
    assert done.code == 2
    assert ".png, .svg, .pdf" in done.err
