"""Fourteen asymmetries on files in the archive's form."""

import csv
import json
from pathlib import Path
from statistics import fmean as mean

import numpy as np
import pytest
import xarray as xr

import corteval
import corteval_ferguson2024
from corteval import registry
from corteval.cli import main
from corteval.errors import AssemblyError, StimuliError
from corteval.requests import Probabilities
from corteval.testing import run_checks, toys
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitation import picture
from corteval_ferguson2024 import card as cards
from corteval_ferguson2024.asymmetry import asymmetry_weights

PAIRS = tuple(
    c.identifier.removeprefix("Ferguson2024").removesuffix("-value_delta")
    for c in vars(cards).values()
    if type(c).__name__ == "BenchmarkCard"
)
pairs = pytest.mark.parametrize("pair", PAIRS)
# fewest, more and most lapses: cards differ in nothing else that is computed with
QUICK = ("gray_hard", "round_f", "juncture")
some_pairs = pytest.mark.parametrize(
    "pair", [p if p in QUICK else pytest.param(p, marks=pytest.mark.slow) for p in PAIRS]
)
DISTRACTORS = (1, 5, 11)


def level_of(number):
    """Number of distractors of an image, as the program that reads the archive's says."""
    by_number = {1: (0, 1, 6, 7, 12, 13, 18, 19), 5: (2, 3, 8, 9, 14, 15, 20, 21)}
    return next((level for level, numbers in by_number.items() if number in numbers), 11)


def images(count):
    return [
        {
            "stimulus_id": f"{block}_block_{n}",
            "filename": f"{block}_block_{n}.png",
            "image_number": n,
            "block": block,
        }
        for block in ("first", "second")
        for n in range(count)
    ]


def write(archive, pair, gain=0.3, people=6, repetitions=3, seed=0, training=48, loss=0.0):
    """A study in the archive's form; accuracies by block and number of distractors, and trials.

    With eleven distractors, the second block is easier by `gain` and the first harder by `loss`;
    people are right by chance with these accuracies.
    """
    accuracy = {
        (block, level): 0.65 + {"second": gain, "first": -loss}[block] * level / 11
        for block in ("first", "second")
        for level in DISTRACTORS
    }
    member = f"Ferguson2024_{pair}"
    for name, count in ((member, 24), (f"{member}_training_stimuli", training // 2)):
        rows = images(count)
        files = {r["filename"]: picture(n + len(name)) for n, r in enumerate(rows)}
        archive.add_stimuli(name, rows, files, source="ferguson2024")
    generator = np.random.default_rng(seed)
    trials = [
        {
            "stimulus_id": row["stimulus_id"],
            "participant_id": f"P{person}",
            "response_time_ms": 500.0,
            "correct": int(
                generator.random() < accuracy[row["block"], level_of(row["image_number"])]
            ),
            "target_present": int(row["image_number"] % 2 == 0),
            "distractor_nums": f"{float(level_of(row['image_number']))}",
            "block": row["block"],
            "keypress_response": "f",
            "trial_type": "normal",
        }
        for person in range(people)
        for row in images(24)
        for _ in range(repetitions)
    ]
    order = generator.permutation(len(trials))
    trials = [trials[n] for n in order]
    archive.add_assembly(
        member,
        [t["correct"] for t in trials],
        ("presentation",),
        {name: (("presentation",), [t[name] for t in trials]) for name in trials[0]},
        stimulus_set=member,
        form="BehavioralAssembly",
        source="ferguson2024",
    )
    return accuracy, trials


def lapse_rate(pair):
    return registry.benchmarks.card(f"Ferguson2024{pair}-value_delta").options["metric_options"][
        "lapse_rate"
    ]


def asymmetry_by_loops(trials, lapses):
    """As the program of the published benchmark does it: by person, then lines joined."""
    means = {}
    for block in ("first", "second"):
        for level in DISTRACTORS:
            each = []
            for person in sorted({t["participant_id"] for t in trials}):
                of_it = [
                    t["correct"]
                    for t in trials
                    if (t["participant_id"], t["block"], t["distractor_nums"])
                    == (person, block, f"{float(level)}")
                ]
                if of_it:
                    each.append((mean(of_it) - lapses / 2) / (1 - lapses))
            means[block, level] = mean(each)
    low, middle, high = (means["second", d] - means["first", d] for d in DISTRACTORS)
    return (low + middle) / 2 * (5 - 1) + (middle + high) / 2 * (11 - 5)


def answering(right):
    """A subject that is right where it says, as probabilities."""
    odd = np.array(
        [(int(i.rpartition("_")[2]) % 2 == 0) == bool(r) for i, r in right.items()], float
    )
    return ReplaySubject(
        responses=xr.DataArray(
            np.stack([0.2 + 0.6 * odd, 0.8 - 0.6 * odd], axis=1),
            dims=["presentation", "choice"],
            coords={
                "stimulus_id": ("presentation", list(right)),
                "choice": ["oddball", "same"],
            },
        )
    )


def drawn(accuracy, seed):
    """Answers drawn with given accuracies, by stimulus."""
    generator = np.random.default_rng(seed)
    return {
        row["stimulus_id"]: generator.random()
        < accuracy[row["block"], level_of(row["image_number"])]
        for row in images(24)
    }


def as_trials(right):
    return [
        {
            "participant_id": "model",
            "block": i.partition("_")[0],
            "distractor_nums": f"{float(level_of(int(i.rpartition('_')[2])))}",
            "correct": int(r),
        }
        for i, r in right.items()
    ]


@pairs
def test_scores_are_those_of_plain_loops(archive, pair):
    accuracy, trials = write(archive, pair, people=4)
    lapses = lapse_rate(pair)
    right = drawn(accuracy, 3)
    result = corteval.score(answering(right), f"Ferguson2024{pair}-value_delta")
    own, theirs = (asymmetry_by_loops(t, lapses) for t in (as_trials(right), trials))
    assert result.raw.value == pytest.approx(np.exp(-0.75 * abs(own - theirs)), abs=1e-9)
    # the published benchmark rounds areas to four digits
    legacy = np.exp(-0.75 * abs(round(own, 4) - round(theirs, 4)))
    assert result.raw.value == pytest.approx(legacy, abs=1e-4)
    assert result.value == pytest.approx(result.raw.value / result.ceiling.value, abs=1e-12)
    assert result.samples.values == pytest.approx([own, theirs], abs=1e-9)


def test_the_ceiling_is_that_of_halves_of_the_trials_as_published(archive):
    _, trials = write(archive, "half", people=3)
    lapses = lapse_rate("half")
    made = registry.benchmarks.create(
        "Ferguson2024half-value_delta", ceiling_options={"lapse_rate": lapses, "splits": 12}
    )
    found = []
    for seed in range(12):
        np.random.seed(seed)  # noqa: NPY002 - as the published program does
        order = np.random.permutation(len(trials))  # noqa: NPY002
        middle = len(order) // 2
        a, b = (
            asymmetry_by_loops([trials[n] for n in part], lapses)
            for part in (order[:middle], order[middle:])
        )
        found.append(np.exp(-0.75 * abs(a - b)))
    ceiling = made.ceiling()
    assert ceiling.value == pytest.approx(np.mean(found), abs=1e-9)
    assert ceiling.error == pytest.approx(np.std(found), abs=1e-9)


@some_pairs
def test_ideal_answers_score_at_the_ceiling_and_shuffled_ones_like_guessing(archive, pair):
    write(archive, pair, gain=0.34)
    rates = {"lapse_rate": lapse_rate(pair)}
    made = registry.benchmarks.create(
        f"Ferguson2024{pair}-value_delta",
        metric_options={**rates, "resamples": 0},
        ceiling_options={**rates, "splits": 100},
    )
    ideal = ReplaySubject(responses=made.ideal_responses(0))
    best = corteval.score(ideal, made)
    # eight images of a kind do not allow each asymmetry; a lapse rate widens the gaps
    assert best.raw.value > 0.9
    assert best.value > 0.95  # above 1, since halves of few people are noisier than the whole
    theirs, lapses = best.samples.values[1], lapse_rate(pair)
    weights = asymmetry_weights(np.array(DISTRACTORS))
    spread = np.sqrt(2 * (weights**2).sum() * 0.25 / 8) / (1 - lapses)  # of guesses on 48 images
    noise = np.random.default_rng(0).normal(0, spread, 100_000)
    guessed = np.exp(-0.75 * np.abs(noise - theirs))
    raws = [corteval.score(shuffled(ideal, n), made).raw.value for n in range(20)]
    assert mean(raws) == pytest.approx(guessed.mean(), abs=4 * guessed.std() / np.sqrt(20))
    assert mean(raws) < 0.75 * best.raw.value


def test_the_true_generator_is_at_the_ceiling_as_far_as_its_images_allow(archive):
    """Mean over subjects that answer with the accuracies people have, against the closed form."""
    accuracy, _ = write(archive, "lle", gain=0.3, people=30)
    made = registry.benchmarks.create(
        "Ferguson2024lle-value_delta",
        metric_options={"resamples": 0},
        ceiling_options={"splits": 1},
    )
    raws = [corteval.score(answering(drawn(accuracy, n)), made).raw.value for n in range(60)]
    weights = asymmetry_weights(np.array(DISTRACTORS))
    variance = sum(
        w**2 * accuracy[b, d] * (1 - accuracy[b, d]) * (1 / 8 + 1 / (8 * 3 * 30))
        for b in ("first", "second")
        for d, w in zip(DISTRACTORS, weights, strict=True)
    )
    noise = np.random.default_rng(0).normal(0, np.sqrt(variance), 100_000)
    expected = np.exp(-0.75 * np.abs(noise))
    assert np.mean(raws) == pytest.approx(expected.mean(), abs=3 * expected.std() / np.sqrt(60))


@pairs
def test_it_asks_for_probabilities_before_trials_are_read_and_who_has_none_is_told(archive, pair):
    write(archive, pair, people=1)
    made = registry.benchmarks.create(f"Ferguson2024{pair}-value_delta")
    (request,) = made.requests()
    assert isinstance(request, Probabilities)
    table = request.fit.table
    assert set(table.columns) == {"path", "label"} and len(table) == 48
    even = [int(i.rpartition("_")[2]) % 2 == 0 for i in table.index]
    assert table["label"].tolist() == ["oddball" if e else "same" for e in even]
    assert request.fit.visual_degrees == 8
    archive.requests.clear()
    result = corteval.score(RefusingSubject(), made)
    assert result.status == "not-applicable"
    assert "does not support the task Probabilities" in result.reason
    assert not archive.requests  # people's trials are not read
    assert made.stimuli().visual_degrees == 8


def test_a_network_is_fitted_and_scored(archive):
    write(archive, "color", people=3)
    from corteval.model import LayerCommitment
    from corteval.readouts import LogisticProbabilities

    network = LayerCommitment(
        identifier="patches",
        extractor=toys.Patches(grid=2),
        layers={"IT": "patches"},
        readouts=(LogisticProbabilities(layer="patches"),),
        visual_degrees=8.0,
    )
    result = corteval.score(network, "Ferguson2024color-value_delta")
    assert result.status == "scored" and 0 < result.raw.value <= 1


def test_the_score_says_what_guessing_scores(archive):
    accuracy, trials = write(archive, "llh", gain=0.25)
    result = corteval.score(answering(drawn(accuracy, 1)), "Ferguson2024llh-value_delta")
    guessing = np.exp(-0.75 * abs(asymmetry_by_loops(trials, lapse_rate("llh"))))
    assert any(f"a raw score of {guessing:.3f}" in note for note in result.notes)
    assert "the published ceiling is the constant 0.812" in result.notes
    assert result.interval.low < result.value < result.interval.high
    assert result.interval.scope == "stimuli×subjects"


def test_published_ceilings_can_be_used(archive):
    accuracy, _ = write(archive, "llh", people=2)
    made = registry.benchmarks.create("Ferguson2024llh-value_delta", published_ceiling=0.812)
    result = corteval.score(answering(drawn(accuracy, 1)), made)
    assert result.ceiling.value == 0.812
    assert result.value == pytest.approx(result.raw.value / 0.812)


def test_trials_that_are_not_normal_do_not_count(archive):
    member = "Ferguson2024_lle"
    accuracy, trials = write(archive, "lle", people=2)
    warmup = [dict(t, trial_type="warmup", correct=0) for t in trials[:50]]
    both = [*trials, *warmup]
    archive.add_assembly(
        "Ferguson2024_half",
        [t["correct"] for t in both],
        ("presentation",),
        {name: (("presentation",), [t[name] for t in both]) for name in both[0]},
        stimulus_set=member,
        form="BehavioralAssembly",
        source="ferguson2024",
    )
    rows = images(24)
    files = {r["filename"]: picture(n) for n, r in enumerate(rows)}
    archive.add_stimuli("Ferguson2024_half_training_stimuli", rows, files, source="ferguson2024")
    result = corteval.score(answering(drawn(accuracy, 1)), "Ferguson2024half-value_delta")
    expected = asymmetry_by_loops(trials, lapse_rate("half"))
    assert result.samples.values[1] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"distractors": "set_size"}, "the trials have no 'set_size'; they have"),
        ({"only": {"trial_type": "warmup"}}, "no trials are {'trial_type': 'warmup'}"),
        ({"block": "keypress_response"}, "Blocks are first and second; found 'f'"),
    ],
)
def test_coordinates_that_are_not_there_are_told(archive, options, told):
    accuracy, _ = write(archive, "color", people=1)
    made = registry.benchmarks.create("Ferguson2024color-value_delta", **options)
    with pytest.raises(AssemblyError, match=told.replace("{", r"\{").replace("}", r"\}")):
        corteval.score(answering(drawn(accuracy, 1)), made)


def test_stimuli_without_numbers_are_told(archive):
    write(archive, "color", people=1)
    made = registry.benchmarks.create("Ferguson2024color-value_delta", number="index")
    with pytest.raises(StimuliError, match="has no column 'index'; it has filename, image_number"):
        made.requests()
    made = registry.benchmarks.create("Ferguson2024color-value_delta", number="block")
    with pytest.raises(StimuliError, match="are no whole numbers, such as that of first_block_0"):
        made.requests()


def test_cards_have_the_published_numbers(reference):
    del reference  # the numbers are in a table, which is read here
    path = Path(__file__).parents[5] / "shared" / "reference" / "brainscore_benchmarks.csv"
    if not path.is_file():
        pytest.skip(f"no {path}")
    rows = [r for r in csv.DictReader(path.open()) if r["plugin"] == "ferguson2024"]
    assert sorted(r["registry_id"] for r in rows) == sorted(
        f"Ferguson2024{p}-value_delta" for p in PAIRS
    )
    readme = (Path(corteval_ferguson2024.__file__).parents[2] / "README.md").read_text()
    for row in rows:
        ceiling, raw, score = row["numbers_in_tests_for_exact_id"].split(";")
        card = registry.benchmarks.card(row["registry_id"])
        assert card.summary.startswith(f"{row['subjects']} people")
        assert card.options["notes"] == (f"the published ceiling is the constant {float(ceiling)}",)
        pair = row["registry_id"].removeprefix("Ferguson2024").removesuffix("-value_delta")
        published = " | ".join(f".{n.partition('.')[2]}" for n in (ceiling, raw, score))
        assert f"| {pair} | {row['subjects']} | {published} |" in readme


def test_the_conformance_kit_passes_on_an_imitation_of_the_archive(archive):
    write(archive, "color", gain=0.35, loss=0.6)
    results = run_checks("Ferguson2024color-value_delta")
    assert [r for r in results if not r.ok] == []
    passed = {r.name for r in results if r.status == "passed"}
    assert {"perfect_subject", "shuffled_subject", "requests", "row_order", "ceiling"} <= passed


@pytest.mark.slow
def test_it_runs_at_full_size(archive):
    write(archive, "round_f", people=30, repetitions=3, training=1920)
    made = registry.benchmarks.create("Ferguson2024round_f-value_delta")
    (request,) = made.requests()
    assert len(request.fit) == 1920
    result = corteval.score(ReplaySubject(responses=made.ideal_responses(0)), made)
    # published for real trials of this shape: .874, sd .088
    assert 0.75 < result.ceiling.value < 0.95


def test_it_is_scored_on_the_command_line(archive, monkeypatch, capsys):
    from corteval.cards import ModelCard

    accuracy, _ = write(archive, "color", people=2)
    monkeypatch.setattr(
        corteval_ferguson2024, "made", lambda: answering(drawn(accuracy, 1)), raising=False
    )
    card = ModelCard(
        identifier="replayed", factory="corteval_ferguson2024:made", licence="MIT", summary="x"
    )
    with registry.models.temporary(card):
        assert main(["score", "replayed", "Ferguson2024color-value_delta", "--json", "--yes"]) == 0
    printed = capsys.readouterr().out
    expected = corteval.score(answering(drawn(accuracy, 1)), "Ferguson2024color-value_delta").value
    assert json.loads(printed) and f"{expected:.10f}"[:10] in printed
