"""Behavioural benchmarks with the metrics of corteval-behaviour, and people as subjects."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from corteval import registry
from corteval.behavioural_benchmark import BehaviouralBenchmark
from corteval.cards import BenchmarkCard, DataCard
from corteval.requests import ReadingTime
from corteval.score import NORMALIZATIONS, Score
from corteval.scoring import score
from corteval.stats.paired import compare
from corteval.stimuli import StimulusSet
from corteval.testing import run_checks
from corteval_behaviour import error_consistency
from corteval_recorded import subject as recorded

KINDS = np.array(["bear", "boat", "car", "oven"])
COUNT, PEOPLE = 120, 6
IDS = [f"image-{n:03d}" for n in range(COUNT)]
TRUTH = KINDS[np.arange(COUNT) % 4]
TEXTURE = KINDS[(np.arange(COUNT) % 4 + 1 + np.arange(COUNT) // 4 % 3) % 4]
CONDITION = np.where(np.arange(COUNT) % 3 == 0, "changed", "whole")
TASK = np.array([f"task-{n // 4 % 5}" for n in range(COUNT)])


def people(count=PEOPLE, seed=1):
    """Choices (person, image); some images are hard for everybody, and some tasks harder."""
    rng = np.random.default_rng(seed)
    easy = np.random.default_rng(0).random(COUNT) - 0.08 * (np.arange(COUNT) // 4 % 5)
    easy -= 0.2 * (CONDITION == "changed")
    wrong = np.where(rng.random((count, COUNT)) < 0.6, TEXTURE, rng.choice(KINDS, (count, COUNT)))
    return np.where(rng.random((count, COUNT)) < 0.35 + easy, TRUTH, wrong)


def reading_times():
    rng = np.random.default_rng(2)
    return 300 + 40 * rng.standard_normal(COUNT) + 20 * rng.standard_normal((PEOPLE, COUNT))


COLUMNS = {
    "stimulus_id": np.array(IDS),
    "truth": TRUTH,
    "texture": TEXTURE,
    "condition": CONDITION,
    "task": TASK,
    "word_within_sentence_id": np.arange(COUNT) % 12 + 1,
    "length": np.arange(COUNT) % 7 + 1,
    "log_frequency": np.sin(np.arange(COUNT)),
    "position": np.arange(COUNT) + 1,
    "block": np.where(np.arange(COUNT) % 2, "second", "first"),
    "distractors": np.arange(COUNT) // 2 % 3 * 4 + 1,
}


class People:
    """Trials of six people on 120 stimuli.

    Args:
        values: ``"choices"`` of four kinds, ``"right"`` (1 or 0) or reading ``"times"``.
        kept: names of the coordinates beyond the ids; all of them if None.
    """

    def __init__(self, values="choices", kept=None):
        self.values, self.kept = values, kept

    def stimuli(self):
        table = pd.DataFrame({"text": IDS}, index=pd.Index(IDS, name="stimulus_id"))
        return StimulusSet(identifier="people", modality="text", table=table)

    def assembly(self):
        values = {
            "choices": people(),
            "right": (people() == TRUTH).astype(float),
            "times": reading_times(),
        }[self.values]
        coords = {name: ("presentation", np.tile(c, PEOPLE)) for name, c in COLUMNS.items()}
        coords["subject"] = ("presentation", np.repeat([f"p{n}" for n in range(PEOPLE)], COUNT))
        if self.kept is not None:
            coords = {n: c for n, c in coords.items() if n in {"stimulus_id", *self.kept}}
        return xr.DataArray(values.ravel(), dims=["presentation"], coords=coords)


def benchmark(metric, ceiling, data="People", **options):
    card = BenchmarkCard(
        identifier=f"{data}.label-{metric}",
        factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
        summary="s",
        licence="MIT",
        bibtex="@misc{x, title = {x}}",
        data=(data,),
        metric=metric,
        ceiling=ceiling,
        options=options,
    )
    return BehaviouralBenchmark(card=card, **options)


def person(choices, identifier="somebody"):
    """A subject that replays a table of choices."""
    table = pd.DataFrame({"stimulus_id": IDS, "choice": choices})
    return recorded(table, identifier=identifier)


class Reader:
    """Needs the same time for a word whenever it reads it."""

    identifier, modalities, visual_degrees = "reader", frozenset({"text"}), None

    def __init__(self, times):
        self.times = times

    def supports(self, request):
        return isinstance(request, ReadingTime)

    def respond(self, stimuli, requests):
        ids = {"stimulus_id": ("presentation", IDS)}
        answer = xr.DataArray(self.times, dims=["presentation"], coords=ids)
        return dict.fromkeys(requests, answer.isel(presentation=slice(None, None, -1)))

    def perturbed(self, *perturbations):
        return self


@pytest.fixture(autouse=True)
def data():
    common = {"factory": f"{__name__}:People", "summary": "s", "licence": "MIT", "modality": "text"}
    choices = DataCard(identifier="People", **common)
    times = DataCard(identifier="Readers", options={"values": "times"}, **common)
    with registry.data.temporary(choices, times):
        yield


def accuracy(choices):
    return float(np.mean(np.asarray(choices) == TRUTH))


def majority():
    counts = np.array([(people() == kind).sum(axis=0) for kind in KINDS])
    return KINDS[counts.argmax(axis=0)]


@pytest.mark.parametrize(
    "choices", [TRUTH, majority(), np.full(COUNT, "car")], ids=["perfect", "majority", "chance"]
)
def test_accuracy_follows_the_closed_form_of_normalisation_above_chance(choices):
    result = score(person(choices), benchmark("accuracy", "human_accuracy"))
    human = np.mean([accuracy(one) for one in people()])
    assert result.status == "scored"
    assert result.raw.value == pytest.approx(accuracy(choices))
    assert result.ceiling.value == pytest.approx(human)
    assert result.value == pytest.approx((accuracy(choices) - 1 / 4) / (human - 1 / 4))
    assert result.interval.low <= result.value <= result.interval.high
    assert Score.from_json(result.to_json()) == result


def by_condition(one, other):
    """Mean of the plain function over conditions; `None` where it is undefined."""
    right = [np.asarray(choices) == TRUTH for choices in (one, other)]
    return [
        float(error_consistency(*(r[condition == CONDITION] for r in right)))
        for condition in ("changed", "whole")
    ]


def test_error_consistency_is_the_mean_of_the_plain_function_over_people_and_conditions():
    answers = people(1, seed=9)[0]
    result = score(person(answers), benchmark("error_consistency", "human_error_consistency"))
    raw = np.nanmean([by_condition(answers, one) for one in people()])
    pairs = itertools.combinations(people(), 2)
    ceiling = np.nanmean([by_condition(*pair) for pair in pairs])
    assert result.raw.value == pytest.approx(raw)
    assert result.ceiling.value == pytest.approx(ceiling)
    assert result.value == pytest.approx(raw / ceiling)
    assert (result.normalization, result.chance) == ("r/c", 0.0)


def test_the_majority_of_people_errs_as_people_do_and_one_that_always_errs_does_not():
    consistency = benchmark("error_consistency", "human_error_consistency")
    crowd = score(person(majority()), consistency)
    contrary = np.where(majority() == TRUTH, TEXTURE, TRUTH)
    assert crowd.value > 0.7
    assert score(person(contrary), consistency).value < -0.5


def test_shape_bias_of_a_person_like_the_others_is_near_theirs():
    bias = benchmark("shape_bias", "human_shape_bias")
    like, unlike = (score(person(c), bias) for c in (people(1, seed=9)[0], TEXTURE))
    assert like.value > 0.9 > 0.6 > unlike.value


def test_reading_times_of_readers_themselves_predict_best():
    reading = benchmark(
        "reading_time_correlation", "human_reading_time_correlation", "Readers",
        task="reading_time",
    )  # fmt: skip
    mean = reading_times().mean(axis=0)
    kept = np.arange(COUNT) % 12 != 0  # first words of sentences are left out
    own = score(Reader(mean), reading)
    assert own.raw.value == pytest.approx(1)
    assert own.normalization == "r^2/c"
    noisy = mean + np.random.default_rng(3).normal(0, 30, COUNT)
    other = score(Reader(noisy), reading)
    r = np.corrcoef(mean[kept], noisy[kept])[0, 1]
    assert other.raw.value == pytest.approx(r)
    assert other.value == pytest.approx(r**2 / other.ceiling.value)
    better = compare(own, other)
    assert better.difference > 0 and better.p_value < 0.05


def test_without_a_ceiling_subjects_can_still_be_compared():
    bare = benchmark("accuracy", None)
    first, second = (score(person(c), bare) for c in (TRUTH, people(1, seed=9)[0]))
    assert first.value == 1 and second.value == pytest.approx(accuracy(people(1, seed=9)[0]))
    assert (first.normalization, first.ceiling) == ("", None)
    assert compare(first, second).difference == pytest.approx(first.value - second.value)


FORMS = {"answers": ("choices", "right"), "choices": ("choices",), "times": ("times",)}


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        (card.identifier, values)
        for card in registry.metrics.where(role="similarity")
        if "legacy" not in card.identifier
        for values in FORMS.get(card.takes, ())
    ],
)
def test_every_metric_of_behaviour_scores_a_subject_on_data_of_its_form(metric, values):
    """Registered data offer a benchmark for each of these, so what `needs` lists must suffice."""
    card = registry.metrics.card(metric)
    there = {"subject", *COLUMNS}  # as registered data do it: the first ceiling that fits
    fitting = (c for c in card.ceilings if set(registry.metrics.card(c).needs) <= there)
    ceiling = next(fitting, None)
    kept = {
        "truth",
        "subject",
        *card.needs,
        *(registry.metrics.card(ceiling).needs if ceiling else ()),
    }
    lean = DataCard(
        identifier="Lean",
        factory=f"{__name__}:People",
        options={"values": values, "kept": kept},
        summary="s",
        licence="MIT",
    )
    timed = values == "times"
    options = {"task": "reading_time"} if timed else {}
    subject = Reader(reading_times()[0]) if timed else person(people(1, seed=9)[0])
    with registry.data.temporary(lean):
        result = score(subject, benchmark(metric, ceiling, "Lean", **options))
    assert result.status == "scored", result.reason
    assert np.isfinite(result.value)
    assert (result.normalization in NORMALIZATIONS) is (ceiling is not None)


def test_a_registered_benchmark_with_real_metrics_keeps_the_contract():
    made = benchmark("accuracy", "human_accuracy").card
    with registry.benchmarks.temporary(replace(made, identifier="People.label-accuracy")):
        results = run_checks("People.label-accuracy")
    assert not [r for r in results if not r.ok]
    assert {"requests", "ceiling"} <= {r.name for r in results if r.status == "passed"}
