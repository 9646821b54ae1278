"""Benchmarks of behaviour against hand-made people: what is asked, compared and normalised."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.behavioural_benchmark import BehaviouralBenchmark
from corteval.benchmark import NO_CEILING
from corteval.cards import BenchmarkCard, DataCard, MetricCard
from corteval.errors import AssemblyError, NotInData, OptionError, UndefinedScore
from corteval.requests import Label, ReadingTime, Recording
from corteval.score import Estimate, Score
from corteval.scoring import score, score_all
from corteval.stimuli import StimulusSet
from corteval.testing import run_checks

KINDS = ("cat", "dog", "car", "owl")
IDS = [f"s{n:02d}" for n in range(40)]
TRUTH = [KINDS[n % 4] for n in range(40)]
PEOPLE = 5


def people():
    """Choices (person, stimulus) of five people, each right in about 80 % of the trials."""
    rng = np.random.default_rng(3)
    guess = rng.choice(KINDS, (PEOPLE, 40))
    return np.where(rng.random((PEOPLE, 40)) < 0.75, np.array(TRUTH), guess)


def seconds():
    """Reading times (person, word)."""
    rng = np.random.default_rng(4)
    return 0.3 + 0.1 * rng.random(40) + 0.02 * rng.standard_normal((PEOPLE, 40))


class Trials:
    """What people answered, a row a trial.

    Args:
        values: ``"choices"``, ``"right"`` (1 or 0) or ``"times"``.
        truth: where the right answers are told: ``"trials"``, ``"stimuli"`` or nowhere.
    """

    def __init__(self, values="choices", truth="trials"):
        self.values, self.truth = values, truth

    def stimuli(self):
        columns = {"text": IDS} | ({"truth": TRUTH} if self.truth == "stimuli" else {})
        table = pd.DataFrame(columns, index=pd.Index(IDS, name="stimulus_id"))
        return StimulusSet(identifier="people", modality="text", table=table)

    def assembly(self):
        made = {
            "choices": people(),
            "right": (people() == np.array(TRUTH)).astype(float),
            "times": seconds(),
        }[self.values]
        coords = {
            "stimulus_id": ("presentation", IDS * PEOPLE),
            "subject": ("presentation", np.repeat([f"p{n}" for n in range(PEOPLE)], 40)),
        }
        if self.truth == "trials":
            coords["truth"] = ("presentation", TRUTH * PEOPLE)
        return xr.DataArray(made.ravel(), dims=["presentation"], coords=coords)


class Person:
    """Gives the same answer to a stimulus whenever it is asked for it."""

    identifier, modalities, visual_degrees = "person", frozenset({"text"}), None

    def __init__(self, answers, tasks=(Label,)):
        self.answers = dict(zip(IDS, answers, strict=True))
        self.tasks, self.asked, self.shown = tasks, [], []

    def supports(self, request):
        return isinstance(request, self.tasks)

    def respond(self, stimuli, requests):
        self.asked += requests
        self.shown.append(list(stimuli.table.columns))
        ids = stimuli.stimulus_ids[::-1]  # in an order of its own
        answer = xr.DataArray(
            [self.answers[i] for i in ids],
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", ids)},
        )
        return dict.fromkeys(requests, answer)

    def perturbed(self, *perturbations):
        return self


def majority():
    """The choice of most people for each stimulus; of equal ones the first in the alphabet."""
    columns = people().T.tolist()
    return [min(Counter(c).items(), key=lambda item: (-item[1], item[0]))[0] for c in columns]


def of_chance():
    """Says cat to everything, which is right for a quarter of the stimuli."""
    return ["cat"] * 40


# Metrics that compare by plain loops


class Accuracy:
    def __init__(self, seed=0, worth=1.0):
        self.seed, self.worth = seed, worth

    def __call__(self, source, target):
        truth = dict(zip(target["stimulus_id"].values, target["truth"].values, strict=True))
        answers = zip(source["stimulus_id"].values, source.values, strict=True)
        right = [float(answer == truth[i]) for i, answer in answers]
        value = self.worth * float(np.mean(right))
        return Score(value=value, raw=Estimate(value=value, quantity="accuracy"))


class Agreement(Accuracy):
    """Share of trials in which people said the same: a similarity, whose chance is not known."""

    def __call__(self, source, target):
        said = dict(zip(source["stimulus_id"].values, source.values, strict=True))
        same = [said[i] == v for i, v in zip(target["stimulus_id"].values, target.values,
                                              strict=True)]  # fmt: skip
        value = float(np.mean(same))
        return Score(value=value, raw=Estimate(value=value, quantity="similarity"))


class Times(Accuracy):
    def __call__(self, source, target):
        means = target.groupby("stimulus_id").mean()
        source = assemblies.in_order(source, means["stimulus_id"].values)
        value = float(np.corrcoef(source.values, means.values)[0, 1])
        return Score(value=value, raw=Estimate(value=value, quantity="correlation"))


class Fixed:
    """A ceiling of a given value."""

    def __init__(self, value=0.8, quantity="accuracy", seed=0):
        self.value, self.quantity = value, quantity

    def __call__(self, assembly):
        return Estimate(value=self.value, quantity=self.quantity)


class HumanAccuracy(Fixed):
    def __call__(self, assembly):
        right = assembly.values == assembly["truth"].values
        return Estimate(value=float(right.mean()), quantity="accuracy")


def card(kind, identifier, factory, **fields):
    fields = {"summary": "s", "licence": "MIT", "bibtex": "@misc{x, title = {x}}"} | fields
    return kind(identifier=identifier, factory=f"{__name__}:{factory}", **fields)


BENCHMARK = BenchmarkCard(
    identifier="People.label-accuracy",
    factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
    summary="s",
    licence="MIT",
    bibtex="@misc{x, title = {x}}",
    data=("People",),
    metric="toy_accuracy",
    ceiling="toy_human_accuracy",
)
AGREEMENT = replace(
    BENCHMARK, identifier="People.label-agreement", metric="toy_agreement", ceiling="toy_fixed"
)
READING = replace(
    BENCHMARK,
    identifier="Readers.reading-times",
    data=("Readers",),
    metric="toy_times",
    ceiling=None,
    options={"task": "reading_time"},
)


@pytest.fixture(autouse=True)
def plugins():
    text = {"modality": "text"}
    with (
        registry.data.temporary(
            card(DataCard, "People", "Trials", **text),
            card(DataCard, "Labelled", "Trials", options={"truth": "stimuli"}, **text),
            card(DataCard, "Untold", "Trials", options={"truth": ""}, **text),
            card(DataCard, "Blank", "Trials", options={"truth": "", "values": "right"}, **text),
            card(DataCard, "Readers", "Trials", options={"truth": "", "values": "times"}, **text),
        ),
        registry.metrics.temporary(
            card(MetricCard, "toy_accuracy", "Accuracy"),
            card(MetricCard, "toy_agreement", "Agreement"),
            card(MetricCard, "toy_times", "Times"),
            card(MetricCard, "toy_fixed", "Fixed", role="ceiling"),
            card(MetricCard, "toy_human_accuracy", "HumanAccuracy", role="ceiling"),
        ),
        registry.benchmarks.temporary(BENCHMARK, AGREEMENT, READING),
    ):
        yield


def share_right(answers):
    return sum(a == b for a, b in zip(answers, TRUTH, strict=True)) / len(TRUTH)


HUMAN = float(np.mean([share_right(one) for one in people()]))


# Accuracy above chance


@pytest.mark.parametrize(
    ("answers", "accuracy"),
    [(TRUTH, 1.0), (of_chance(), 0.25), (majority(), share_right(majority()))],
    ids=["perfect", "chance", "majority"],
)
def test_accuracy_is_normalised_above_chance(answers, accuracy):
    result = score(Person(answers), "People.label-accuracy")
    assert result.status == "scored"
    assert result.raw.value == pytest.approx(accuracy)
    assert result.ceiling.value == pytest.approx(HUMAN)
    assert result.value == pytest.approx((accuracy - 1 / 4) / (HUMAN - 1 / 4))
    assert (result.normalization, result.chance) == ("(acc-chance)/(c-chance)", 0.25)


def test_subjects_are_ordered_as_people_would_order_them():
    perfect, chance, crowd = (
        score(Person(answers), BehaviouralBenchmark(card=BENCHMARK)).value
        for answers in (TRUTH, of_chance(), majority())
    )
    assert chance == pytest.approx(0, abs=1e-12)
    assert chance < 1 < crowd <= perfect  # most people together err less than one of them


def test_chance_is_that_of_the_choices_that_are_offered():
    choices = (*KINDS, "boat", "bird", "bus", "bee")
    result = score(Person(majority()), BehaviouralBenchmark(card=BENCHMARK, choices=choices))
    assert result.chance == 1 / 8
    expected = (share_right(majority()) - 1 / 8) / (HUMAN - 1 / 8)
    assert result.value == pytest.approx(expected)


def test_a_named_normalisation_knows_no_chance():
    named = BehaviouralBenchmark(card=BENCHMARK, normalization="r/c")
    result = score(Person(of_chance()), named)
    assert (result.value, result.normalization) == (pytest.approx(0.25 / HUMAN), "r/c")


def test_people_who_guess_allow_no_score():
    guessing = BehaviouralBenchmark(
        card=replace(BENCHMARK, ceiling="toy_fixed"), ceiling_options={"value": 0.25}
    )
    result = score(Person(TRUTH), guessing)
    assert result.status == "undefined"
    assert "ceiling is 0.25, not above 0.25" in result.reason


def test_what_is_no_accuracy_has_no_chance_taken_off():
    similar = BehaviouralBenchmark(card=AGREEMENT, ceiling_options={"quantity": "similarity"})
    result = score(Person(majority()), similar)
    agreeing = np.mean([one == np.array(majority()) for one in people()])
    assert result.raw.value == pytest.approx(agreeing)
    assert result.value == pytest.approx(agreeing / 0.8)
    assert (result.normalization, result.chance) == ("r/c", 0.0)


# What the subject is asked


def test_the_right_answers_are_offered_in_order_of_the_alphabet_and_never_shown():
    person = Person(TRUTH)
    for data in ("People", "Labelled"):
        card = replace(AGREEMENT, data=(data,), ceiling=None)
        assert BehaviouralBenchmark(card=card).requests() == (Label(("car", "cat", "dog", "owl")),)
        score(person, BehaviouralBenchmark(card=card))
    assert person.asked == [Label(("car", "cat", "dog", "owl"))] * 2
    assert person.shown == [["text"]] * 2


def test_choices_that_are_given_are_offered_as_they_are():
    given = BehaviouralBenchmark(card=BENCHMARK, choices=("owl", "cat"))
    assert given.requests() == (Label(("owl", "cat")),)
    listed = registry.benchmarks.create("People.label-accuracy", choices=["owl", "cat"])
    assert listed.requests() == (Label(("owl", "cat")),)
    assert hash(listed.requests()[0]) is not None


def test_without_right_answers_what_people_said_is_offered():
    card = replace(AGREEMENT, data=("Untold",))
    said = tuple(sorted(set(people().ravel().tolist())))
    assert BehaviouralBenchmark(card=card).requests() == (Label(said),)


def test_where_nothing_tells_which_answers_are_right_people_are_told_what_to_add():
    blank = BehaviouralBenchmark(card=replace(BENCHMARK, identifier="B", data=("Blank",)))
    with pytest.raises(AssemblyError, match=r"^B: the trials do not say .* column 'truth', or the"):
        blank.requests()
    (result,) = score_all([Person(TRUTH)], [blank])
    assert result.status == "failed" and "'truth'" in result.reason
    given = replace(blank, choices=KINDS)
    assert given.requests() == (Label(KINDS),)


def test_another_task_is_refused():
    with pytest.raises(OptionError, match="reading_time, not 'sort'"):
        BehaviouralBenchmark(card=BENCHMARK, task="sort")


@pytest.mark.parametrize(
    ("benchmark", "tasks", "lacking"),
    [
        ("People.label-accuracy", (ReadingTime, Recording), "the task Label"),
        ("Readers.reading-times", (Label,), "the task ReadingTime"),
    ],
)
def test_a_subject_that_cannot_do_the_task_is_not_applicable_and_never_asked(
    benchmark, tasks, lacking
):
    person = Person(TRUTH, tasks)
    result = score(person, benchmark)
    assert (result.status, person.asked) == ("not-applicable", [])
    assert lacking in result.reason


# Reading times


def test_reading_times_are_compared_word_by_word():
    person = Person(seconds().mean(axis=0) * 7 + 1, (ReadingTime,))
    result = score(person, "Readers.reading-times")
    assert person.asked == [ReadingTime()]
    assert result.raw.value == pytest.approx(1)
    surprisal = np.random.default_rng(5).random(40)
    other = score(Person(surprisal, (ReadingTime,)), "Readers.reading-times")
    expected = np.corrcoef(surprisal, seconds().mean(axis=0))[0, 1]
    assert other.value == other.raw.value == pytest.approx(expected)


def test_reading_times_have_no_chance_of_guessing():
    timed = BehaviouralBenchmark(card=replace(BENCHMARK, ceiling="toy_fixed"), task="reading_time")
    result = score(Person(TRUTH, (ReadingTime,)), timed)
    assert (result.chance, result.value) == (0.0, pytest.approx(1 / 0.8))


# What a score says


def test_without_a_ceiling_the_raw_score_is_the_score():
    bare = BehaviouralBenchmark(card=replace(BENCHMARK, ceiling=None))
    result = score(Person(majority()), bare)
    assert result.value == result.raw.value == pytest.approx(share_right(majority()))
    assert (result.normalization, result.ceiling, result.chance) == ("", None, 0.0)
    assert f"not normalised: {NO_CEILING}" in result.notes
    with pytest.raises(UndefinedScore, match=NO_CEILING):
        bare.ceiling()


def test_a_score_names_what_it_was_computed_on():
    result = score(Person(TRUTH), "People.label-accuracy", seed=6)
    assert result.provenance.digests == {
        "stimuli": Trials().stimuli().digest(),
        "assembly": assemblies.digest(Trials().assembly()),
    }
    assert result.provenance.seed == 6
    assert result.provenance.access == {"People": "public"}
    assert set(result.provenance.cards) == {
        "benchmarks/People.label-accuracy",
        "metrics/toy_accuracy",
        "metrics/toy_human_accuracy",
        "data/People",
    }
    assert Score.from_json(result.to_json()) == result


def test_options_reach_metric_and_ceiling_and_notes_the_reader():
    tuned = BehaviouralBenchmark(
        card=replace(BENCHMARK, ceiling="toy_fixed"),
        metric_options={"worth": 0.5},
        ceiling_options={"value": 0.5},
        notes=("half of it",),
    )
    result = score(Person(TRUTH), tuned)
    assert (result.raw.value, result.ceiling.value) == (0.5, 0.5)
    assert result.value == pytest.approx(1)
    assert result.notes[-1] == "half of it"
    with pytest.raises(OptionError, match="weight"):
        score(Person(TRUTH), replace(tuned, metric_options={"weight": 1}))


def test_data_that_are_not_behaviour_are_refused():
    class Neural(Trials):
        def assembly(self):
            return assemblies.neural(np.ones((40, 2)), IDS, {"neuroid_id": ["a", "b"]})

    globals()["Neural"] = Neural
    with registry.data.temporary(card(DataCard, "Neural", "Neural", modality="text")):
        with pytest.raises(AssemblyError, match="may have choice"):
            score(Person(TRUTH), BehaviouralBenchmark(card=replace(BENCHMARK, data=("Neural",))))


@pytest.mark.parametrize("identifier", ["People.label-accuracy", "Readers.reading-times"])
def test_a_behavioural_benchmark_keeps_the_contract(identifier):
    results = {r.name: r for r in run_checks(identifier, kind="benchmarks")}
    assert not [r for r in results.values() if not r.ok]
    passed = {name for name, r in results.items() if r.status == "passed"}
    assert {"card", "factory", "requests"} <= passed
    assert ("ceiling" in passed) is (identifier == "People.label-accuracy")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (IDS[:39], r"No response to 1 stimuli: s39"),
        ([*IDS, "extra"], "1 stimuli that were not asked: extra"),
        ([*IDS, "s07"], "stand in several rows: s07"),
    ],
)
def test_a_subject_gives_one_answer_to_each_stimulus_and_no_other(rows, message):
    class Odd(Person):
        def respond(self, stimuli, requests):
            ids = {"stimulus_id": ("presentation", rows)}
            return {r: xr.DataArray(["cat"] * len(rows), ids, ["presentation"]) for r in requests}

    (result,) = score_all([Odd(TRUTH)], ["People.label-accuracy"])
    assert result.status == "failed"
    assert message in result.reason


# Images that nobody has provided

WHERE = "Hidden: the images do not lie in provided/Hidden. Put them there."


class Hidden(Trials):
    """Trials whose images only a user can provide; one may be in a modality that is read."""

    def stimuli(self):
        raise NotInData(WHERE)


class Looker(Person):
    """Looks at every image before it answers."""

    identifier, modalities = "looker", frozenset({"image"})

    def respond(self, stimuli, requests):
        self.asked += requests
        for stimulus_id in stimuli.stimulus_ids:
            stimuli.image(stimulus_id)
        return super().respond(stimuli, requests)


class Network(Looker):
    """Looks up by content what it has computed before, as networks do."""

    def respond(self, stimuli, requests):
        stimuli.digest()
        return super().respond(stimuli, requests)


@pytest.fixture
def hidden():
    with registry.data.temporary(
        card(DataCard, "Hidden", "Hidden"), card(DataCard, "Unread", "Hidden", modality="text")
    ):
        yield BehaviouralBenchmark(
            card=replace(BENCHMARK, identifier="Hidden.label-accuracy", data=("Hidden",)),
            visual_degrees=3.0,
        )


def test_without_images_who_needs_none_is_scored_as_with_them(hidden):
    answers = majority()
    blind, seen = score(Person(answers), hidden), score(Person(answers), "People.label-accuracy")
    assert (blind.status, blind.value, blind.raw) == ("scored", seen.value, seen.raw)
    assert any("images were not at hand" in note for note in blind.notes)
    assert not any("at hand" in note for note in seen.notes)
    assert set(blind.provenance.digests) == {"assembly"}
    assert blind.provenance.digests["assembly"] == seen.provenance.digests["assembly"]


def test_without_images_the_ids_of_the_trials_are_shown_at_their_size(hidden):
    stimuli = hidden.stimuli()
    assert (stimuli.stimulus_ids, stimuli.visual_degrees) == (IDS, 3.0)
    assert (stimuli.modality, list(stimuli.table.columns)) == ("image", [])


@pytest.mark.parametrize("subject", [Looker, Network])
def test_without_images_who_looks_is_told_what_to_put_where(hidden, subject):
    with pytest.raises(NotInData) as caught:
        score(subject(TRUTH), hidden)
    assert str(caught.value) == WHERE
    (result,) = score_all([subject(TRUTH)], [hidden])
    assert (result.status, result.reason) == ("failed", WHERE)


def test_without_images_who_cannot_do_the_task_is_never_asked(hidden):
    blind = Looker(TRUTH, tasks=(Recording,))
    assert (score(blind, hidden).status, blind.asked) == ("not-applicable", [])


def test_texts_that_are_not_in_the_data_are_missed_before_anybody_is_asked(hidden):
    person = Person(TRUTH)
    with pytest.raises(NotInData, match="Put them there"):
        score(person, replace(hidden, card=replace(BENCHMARK, data=("Unread",))))
    assert person.asked == []


def test_images_that_are_there_but_damaged_are_an_error_of_their_own(hidden):
    class Damaged(Trials):
        def stimuli(self):
            raise AssemblyError("one image is damaged")

    globals()["Damaged"] = Damaged
    with registry.data.temporary(card(DataCard, "Damaged", "Damaged")):
        with pytest.raises(AssemblyError, match="one image is damaged"):
            score(Person(TRUTH), replace(hidden, card=replace(BENCHMARK, data=("Damaged",))))


def test_the_right_answers_in_the_trials_are_offered_without_a_look_at_the_stimuli():
    class Untouched(Trials):
        def stimuli(self):
            raise RuntimeError("they were asked for")

    globals()["Untouched"] = Untouched
    with registry.data.temporary(card(DataCard, "Untouched", "Untouched")):
        benchmark = BehaviouralBenchmark(card=replace(BENCHMARK, data=("Untouched",)))
        assert benchmark.requests() == (Label(("car", "cat", "dog", "owl")),)


# People against the others


@pytest.mark.parametrize("number", range(PEOPLE))
def test_a_person_is_scored_against_the_others_alone(number):
    own, others = people()[number], np.delete(people(), number, axis=0)
    benchmark = BehaviouralBenchmark(
        card=replace(BENCHMARK, metric="toy_agreement", ceiling="toy_human_accuracy"),
        normalization="r/c",
        leave_out=f"p{number}",
    )
    result = score(Person(own), benchmark)
    agreeing = sum(own[s] == one[s] for one in others for s in range(40)) / others.size
    right = sum(one[s] == TRUTH[s] for one in others for s in range(40)) / others.size
    assert result.raw.value == pytest.approx(agreeing)
    assert result.ceiling.value == pytest.approx(right)
    assert f"compared with people other than p{number}" in result.notes
    assert not any("all answers are those of" in note for note in result.notes)


def test_a_person_among_those_it_is_compared_with_is_told_of():
    bare = BehaviouralBenchmark(card=replace(AGREEMENT, ceiling=None))
    result = score(Person(people()[3]), bare)
    (note,) = (note for note in result.notes if "all answers are those of" in note)
    assert "those of p3, with whom" in note and "leave_out='p3'" in note
    other = score(Person(majority()), bare)
    assert not any("all answers are those of" in note for note in other.notes)


def test_what_is_offered_does_not_depend_on_who_is_left_out():
    card = replace(AGREEMENT, data=("Untold",))
    everybody = BehaviouralBenchmark(card=card).requests()
    assert BehaviouralBenchmark(card=card, leave_out="p0").requests() == everybody


def test_stimuli_that_only_the_left_out_person_saw_are_not_shown():
    class Uneven(Trials):
        def assembly(self):
            trials = super().assembly()
            whose = trials["subject"].values == "p1"
            late = np.isin(trials["stimulus_id"].values, IDS[30:])
            return trials.isel(presentation=whose | ~late)

    globals()["Uneven"] = Uneven
    with registry.data.temporary(card(DataCard, "Uneven", "Uneven", modality="text")):
        uneven = BehaviouralBenchmark(card=replace(BENCHMARK, data=("Uneven",)), leave_out="p1")
        assert uneven.stimuli().stimulus_ids == IDS[:30]
        assert score(Person(people()[1]), uneven).status == "scored"


def test_a_person_who_did_not_take_part_cannot_be_left_out():
    with pytest.raises(OptionError, match=r"'p9' leaves out nobody; .* p0, p1, p2, p3, p4\."):
        score(Person(TRUTH), BehaviouralBenchmark(card=BENCHMARK, leave_out="p9"))


def test_the_only_person_cannot_be_left_out():
    class Alone(Trials):
        def assembly(self):
            return super().assembly().isel(presentation=slice(0, 40))

    globals()["Alone"] = Alone
    with registry.data.temporary(card(DataCard, "Alone", "Alone", modality="text")):
        alone = BehaviouralBenchmark(card=replace(BENCHMARK, data=("Alone",)), leave_out="p0")
        with pytest.raises(OptionError, match="leaves out everybody"):
            score(Person(TRUTH), alone)


def test_nobody_is_left_out_of_trials_that_do_not_say_whose_they_are():
    class Pooled(Trials):
        def assembly(self):
            return super().assembly().drop_vars("subject")

    globals()["Pooled"] = Pooled
    with registry.data.temporary(card(DataCard, "Pooled", "Pooled", modality="text")):
        pooled = BehaviouralBenchmark(card=replace(BENCHMARK, data=("Pooled",)), leave_out="p0")
        with pytest.raises(AssemblyError, match="no coordinate 'subject'"):
            score(Person(TRUTH), pooled)
