"""Probabilities, odd ones out, labels as their own truth: what is asked and how it is compared."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from corteval import answers, registry
from corteval.behavioural_benchmark import BehaviouralBenchmark
from corteval.cards import BenchmarkCard, DataCard, MetricCard
from corteval.errors import AssemblyError, NotInData, OptionError
from corteval.readouts import LogisticProbabilities, OddOneOutByDotProduct
from corteval.requests import Label, OddOneOut, Probabilities
from corteval.score import Estimate, Score
from corteval.scoring import score
from corteval.testing import toys
from corteval.testing.subjects import ReplaySubject, shuffled

KINDS = ("bright", "dark")


def pictures(count, seed, name):
    """Bright and dark images by turns."""
    generator = np.random.default_rng(seed)
    ids = [f"{name}-{n}" for n in range(count)]
    level = {i: 170 if n % 2 == 0 else 80 for n, i in enumerate(ids)}
    pixels = {i: (level[i] + generator.integers(-30, 30, (24, 24))).astype(np.uint8) for i in ids}
    table = pd.DataFrame(
        {
            "kind": [KINDS[n % 2] for n in range(count)],
            "level": ["easy" if n < count // 2 else "hard" for n in range(count)],
        },
        index=pd.Index(ids, name="stimulus_id"),
    )
    made = toys.images(2)
    return replace(made, identifier=name, table=table, images=toys.Pictures(pixels=pixels))


@dataclass(frozen=True)
class Shown:
    """Images, and the trials of four people on them if there are `people`."""

    name: str = "test"
    seed: int = 1
    count: int = 20
    form: str = "none"

    def stimuli(self):
        return pictures(self.count, self.seed, self.name)

    def assembly(self):
        table = self.stimuli().table
        if self.form == "none":
            raise NotInData("Nobody was asked.")
        if self.form == "triplets":
            return self.triplets()
        generator = np.random.default_rng(2)
        right = np.tile(table["kind"].to_numpy(str), 4)
        wrong = np.where(right == "dark", "bright", "dark")
        said = np.where(generator.random(len(right)) < 0.8, right, wrong)
        coords = {
            "stimulus_id": ("presentation", np.tile(table.index.to_numpy(str), 4)),
            "subject": ("presentation", np.repeat(["a", "b", "c", "d"], self.count)),
            "level": ("presentation", np.tile(table["level"].to_numpy(str), 4)),
            "answer": ("presentation", right),
        }
        if self.form == "pairs":
            coords["truth"] = ("presentation", right)
            coords["distractor"] = ("presentation", wrong)
        return xr.DataArray(said, dims=["presentation"], coords=coords)

    def triplets(self):
        ids = self.stimuli().stimulus_ids
        three = [(ids[n], ids[n + 2], ids[n + 3]) for n in range(self.count - 3)]
        three += three[:2]  # two people saw the first two
        columns = {f"image_{k + 1}": ("presentation", [t[k] for t in three]) for k in range(3)}
        return xr.DataArray([t[2] for t in three], dims=["presentation"], coords=columns)


class Accuracy:
    def __init__(self, seed=0):
        self.seed = seed

    def __call__(self, source, target):
        said = source
        if "choice" in source.dims:
            said = xr.DataArray(
                source["choice"].values[source.values.argmax(axis=1)],
                dims=["presentation"],
                coords={"stimulus_id": source["stimulus_id"]},
            )
        given = dict(zip(said["stimulus_id"].values, said.values, strict=True))
        pairs = zip(target["stimulus_id"].values, target["truth"].values, strict=True)
        value = float(np.mean([given[i] == t for i, t in pairs]))
        return Score(value=value, raw=Estimate(value=value, quantity="accuracy"))


class People:
    def __init__(self, seed=0):
        self.seed = seed

    def __call__(self, assembly):
        return Estimate(value=0.8, quantity="accuracy")


def data(identifier, **options):
    return DataCard(
        identifier=identifier,
        factory=f"{__name__}:Shown",
        summary="",
        licence="MIT",
        options=options,
    )


CARD = BenchmarkCard(
    identifier="Shown.label-accuracy",
    factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
    summary="",
    licence="MIT",
    data=("Asked", "Fit"),
    metric="right",
    ceiling="people",
    target="label",
)


@pytest.fixture(autouse=True)
def plugins():
    metric = MetricCard(
        identifier="right", factory=f"{__name__}:Accuracy", summary="", licence="MIT"
    )
    ceiling = replace(metric, identifier="people", factory=f"{__name__}:People", role="ceiling")
    sets = [
        data("Asked", form="people"),
        data("Pairs", form="pairs"),
        data("Fit", name="fit", seed=2, count=30),
        data("Labelled"),
        data("Odd", form="triplets"),
    ]
    with registry.metrics.temporary(metric, ceiling), registry.data.temporary(*sets):
        yield


def subject():
    readouts = (LogisticProbabilities(layer="patches"), OddOneOutByDotProduct(layer="patches"))
    return replace(toys.vision(), readouts=readouts)


def probable(**options):
    fixed = {"task": "probabilities", "fit": "Fit", "fit_label": "kind", "truth": "answer"}
    return BehaviouralBenchmark(card=CARD, **{**fixed, **options})


# Probabilities


def test_a_subject_is_shown_labelled_stimuli_and_tells_how_probable_labels_are():
    made = probable()
    (request,) = made.requests()
    assert isinstance(request, Probabilities)
    assert list(request.fit.table.columns) == ["label"]
    assert set(request.fit.table["label"]) == set(KINDS)
    result = score(subject(), made)
    assert result.raw.value == 1
    assert result.chance == 0.5
    assert result.value == pytest.approx((1 - 0.5) / (0.8 - 0.5))
    assert set(result.provenance.digests) == {"assembly", "stimuli", "fitting_stimuli"}


def test_a_subject_without_read_out_is_not_applicable_with_the_request_named():
    result = score(toys.vision(), probable())
    assert result.status == "not-applicable"
    assert "Probabilities" in result.reason


def test_stimuli_that_were_fitted_on_are_told():
    leaky = BehaviouralBenchmark(
        card=replace(CARD, data=("Asked",)),
        task="probabilities",
        fit="Asked",
        fit_label="kind",
        truth="answer",
    )
    assert any("20 of 20 stimuli are among those" in n for n in score(subject(), leaky).notes)
    assert not any("among those" in n for n in score(subject(), probable()).notes)


def test_half_of_a_set_is_fitted_on_and_the_other_asked_for():
    halves = BehaviouralBenchmark(
        card=replace(CARD, data=("Asked",)),
        task="probabilities",
        fit="Asked",
        fit_label="kind",
        fit_only={"level": ("easy",)},
        only={"level": ("hard",)},
        truth="answer",
    )
    (request,) = halves.requests()
    assert len(request.fit) == len(halves.stimuli()) == 10
    assert not set(request.fit.stimulus_ids) & set(halves.stimuli().stimulus_ids)


def test_the_fitted_set_is_among_the_data_of_the_card():
    with pytest.raises(OptionError, match="name Other among the card's data"):
        probable(fit="Other")
    with pytest.raises(OptionError, match="needs `fit`"):
        BehaviouralBenchmark(card=CARD, task="probabilities")
    with pytest.raises(OptionError, match="no other"):
        BehaviouralBenchmark(card=CARD, fit="Fit")


def test_a_column_of_labels_that_is_missing_is_named_with_those_there_are():
    with pytest.raises(AssemblyError, match=r"Fit has no column 'sort' of labels; it has .*kind"):
        probable(fit_label="sort").requests()


# Which trials, which truth


def test_only_some_trials_are_kept_and_only_their_stimuli_shown():
    made = BehaviouralBenchmark(card=CARD, only={"level": "hard"}, truth="answer")
    assert made.stimuli().stimulus_ids == [f"test-{n}" for n in range(10, 20)]
    assert made.requests() == (Label(KINDS),)


def test_a_selection_that_finds_nothing_names_what_there_is():
    with pytest.raises(AssemblyError, match="No trial has level mad; there are easy, hard"):
        BehaviouralBenchmark(card=CARD, only={"level": "mad"}).stimuli()
    with pytest.raises(AssemblyError, match="no coordinate 'mood' to select by; they have answer"):
        BehaviouralBenchmark(card=CARD, only={"mood": "bad"}).stimuli()


@pytest.mark.parametrize("truth", ["answer", "kind"])
def test_the_right_answers_stand_with_trials_or_stimuli(truth):
    made = BehaviouralBenchmark(card=CARD, truth=truth)
    assert list(made._trials["truth"].values[:2]) == ["bright", "dark"]
    with pytest.raises(AssemblyError, match="Neither trials nor stimuli have 'sort'"):
        BehaviouralBenchmark(card=CARD, truth="sort").requests()


def test_labels_of_data_without_trials_are_the_right_answers():
    card = replace(CARD, data=("Labelled", "Fit"), ceiling=None)
    made = BehaviouralBenchmark(
        card=card, task="probabilities", fit="Fit", fit_label="kind", truth="kind"
    )
    result = score(subject(), made)
    assert result.value == result.raw.value == 1
    assert result.normalization == ""
    with pytest.raises(NotInData, match="Nobody was asked"):
        BehaviouralBenchmark(card=card, truth="sort").requests()


# Odd ones out


def odd():
    return BehaviouralBenchmark(
        card=replace(CARD, data=("Odd",), ceiling=None),
        task="odd_one_out",
        triplets=("image_1", "image_2", "image_3"),
        published_ceiling=(0.6767, "accuracy"),
    )


def test_each_triplet_is_asked_once_and_every_trial_counts():
    made = odd()
    (request,) = made.requests()
    assert isinstance(request, OddOneOut)
    assert len(request.triplets) == 17
    assert made._trials.sizes["presentation"] == 19
    result = score(subject(), made)
    x = subject()
    features = x.respond(made.stimuli(), [request])[request]
    chosen = {tuple(features[n].values[k] for n in answers.TRIPLET): features.values[k]
              for k in range(17)}  # fmt: skip
    trials = Shown(form="triplets").triplets()
    three = zip(*(trials[f"image_{k}"].values for k in (1, 2, 3)), strict=True)
    expected = np.mean([chosen[tuple(sorted(t))] == t[2] for t in three])
    assert result.raw.value == pytest.approx(expected)
    assert result.value == pytest.approx((expected - 1 / 3) / (0.6767 - 1 / 3))


def test_an_odd_one_that_is_none_of_the_three_is_an_error():
    trials = Shown(form="triplets").triplets()
    with pytest.raises(AssemblyError, match="none of the three, such as 'else'"):
        answers.with_triplets(trials.copy(data=["else"] * 19), ["image_1", "image_2", "image_3"])


# Ideal subjects


@pytest.mark.parametrize(
    "made",
    [
        lambda: probable(),
        lambda: BehaviouralBenchmark(card=CARD, truth="answer"),
        lambda: odd(),
    ],
    ids=["probabilities", "label", "odd"],
)
def test_one_of_the_people_is_at_the_ceiling_and_at_chance_with_answers_exchanged(made):
    benchmark = made()
    ideal = ReplaySubject(responses=benchmark.ideal_responses(0))
    assert score(ideal, benchmark).value > 0.8
    assert score(shuffled(ideal, 3), benchmark).value < 0.8
    again = benchmark.ideal_responses(0)
    xr.testing.assert_identical(again, ideal.responses)


def test_shares_of_choices_are_those_of_the_trials():
    trials = Shown(form="people").assembly()
    made = answers.shares(trials, KINDS)
    for row, stimulus in enumerate(made["stimulus_id"].values):
        said = trials.values[trials["stimulus_id"].values == stimulus]
        assert made.values[row, 0] == pytest.approx(np.mean(said == "bright"))


def test_odds_of_pairs_give_back_the_share_of_each_distractor():
    trials = Shown(form="pairs").assembly()
    made = answers.shares(trials, KINDS)
    np.testing.assert_allclose(made.sum("choice"), 1)
    for row, stimulus in enumerate(made["stimulus_id"].values):
        mine = trials.isel(presentation=trials["stimulus_id"].values == stimulus)
        other = KINDS.index(mine["distractor"].values[0])
        share = (np.mean(mine.values == mine["distractor"].values) * 4 + 0.5) / 5
        assert made.values[row, other] / made.values[row].sum() == pytest.approx(share)


def test_wrong_answers_of_which_no_more_is_known_are_another_choice():
    trials = xr.DataArray(
        [1.0, 0.0],
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", ["a", "b"]),
            "truth": ("presentation", ["dark", "dark"]),
        },
    )
    assert list(answers.drawn(trials, KINDS, 0).values) == ["dark", "bright"]


def test_the_place_of_a_stimulus_in_a_triplet_does_not_tell_that_it_is_odd():
    trials = answers.with_triplets(
        Shown(form="triplets").triplets(), ["image_1", "image_2", "image_3"]
    )
    three = np.array([trials[n].values for n in answers.TRIPLET])
    assert (np.sort(three, axis=0) == three).all()
    places = [row.tolist().index(odd) for row, odd in zip(three.T, trials.values, strict=True)]
    assert set(places) == {0, 1, 2}
