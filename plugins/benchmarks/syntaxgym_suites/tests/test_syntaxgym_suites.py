import itertools
import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval import registry
from corteval.errors import AssemblyError, NotInData, OptionError
from corteval.model import LayerCommitment
from corteval.scoring import score
from corteval.stats.paired import compare
from corteval.surprisal import SurprisalReadout, SurprisalSpec, answer
from corteval.testing.subjects import ReplaySubject, shuffled
from corteval_syntaxgym.card import SUITES as FILES
from corteval_syntaxgym.formulas import Comparison, regions_of
from corteval_syntaxgym.suites import is_right
from corteval_syntaxgym_suites.card import CHANCE, LEADERBOARD, LEFT_OUT, SUITES
from corteval_syntaxgym_suites.replay import surprisals_for

#: Mean accuracy over the 31 suites of the leaderboard, and over all 842 items, of the released
#: outcomes (spec metrics 2.7, and README of corteval-syntaxgym).
OVER_SUITES = {"gpt2": 0.784, "gpt2-xl": 0.842, "grnn": 0.551, "jrnn": 0.563}
OVER_ITEMS = {"gpt2": 0.799, "gpt2-xl": 0.853, "grnn": 0.538, "jrnn": 0.603}

models = pytest.mark.parametrize("model", OVER_SUITES)


@pytest.fixture(scope="module")
def mean(mirror):
    return registry.benchmarks.create("SyntaxGym-mean")


@pytest.fixture(scope="module")
def one(mirror):
    """A benchmark of one suite, made once."""
    made = {}

    def create(name):
        if name not in made:
            made[name] = registry.benchmarks.create(f"SyntaxGym-{name}", resamples=0)
        return made[name]

    return create


@pytest.fixture(scope="module")
def whole(mirror):
    return registry.data.create("SyntaxGym", punctuation="attached")


class Words:
    """Extractor: surprisal of a text is the sum over its words, by a table or else `other`."""

    def __init__(self, bits, other=10.0, unit=1.0, first=True):
        self.bits, self.other, self.unit, self.first = bits, other, unit, first

    def units(self, layer):
        return {"neuroid_id": np.array(["surprisal"])}

    def __call__(self, stimuli, wanted):
        first = stimuli.table.groupby("context_id")["position"].transform("min")
        for text, begins in zip(
            stimuli.table["text"], stimuli.table["position"] == first, strict=True
        ):
            value = sum(self.bits.get(word, self.other) for word in text.split()) * self.unit
            yield {"surprisal": np.array([[value if self.first or not begins else np.nan]])}


BITS = SurprisalSpec()


def reader(bits, spec=BITS, **options):
    return LayerCommitment(
        identifier="reader",
        extractor=Words(bits, **options),
        layers={},
        modalities=frozenset({"text"}),
        readouts=(SurprisalReadout(spec=spec),),
    )


def test_there_is_a_benchmark_of_each_suite_and_the_leaderboard_has_31():
    assert set(SUITES) == set(FILES) and len(SUITES) == 34
    assert len(LEADERBOARD) == 31 and not set(LEFT_OUT) & set(LEADERBOARD)
    for name in SUITES:
        assert registry.benchmarks.card(f"SyntaxGym-{name}").data == (f"SyntaxGym.{name}",)


@models
def test_released_outcomes_have_the_released_accuracies(mean, whole, model):
    assert round(mean.released(model).value, 3) == OVER_SUITES[model]
    assert round(float(whole.outcomes().sel(model=model).mean()), 3) == OVER_ITEMS[model]


@pytest.mark.parametrize(
    "model", ["gpt2", *(pytest.param(m, marks=pytest.mark.slow) for m in [*OVER_SUITES][1:])]
)
def test_a_subject_that_replays_outcomes_has_the_accuracy_of_every_suite(one, mirror, model):
    """In each suite but fgd_hierarchy, whose predictions no surprisals fulfil."""
    right = total = 0
    for name in SUITES:
        if name == "fgd_hierarchy":
            continue
        benchmark = one(name)
        data = registry.data.create(f"SyntaxGym.{name}", punctuation="attached")
        outcomes = data.outcomes().sel(model=model)
        replayed = surprisals_for(data, benchmark.stimuli(), outcomes.values)
        found = score(ReplaySubject(responses=replayed), benchmark)
        assert found.value == float(outcomes.mean())
        np.testing.assert_array_equal(found.samples.values, outcomes.values)
        assert benchmark.released(model).value == found.value
        right, total = right + found.samples.values.sum(), total + outcomes.size
    hierarchy = one("fgd_hierarchy").released(model)
    right, total = right + hierarchy.samples.values.sum(), total + hierarchy.samples.size
    assert (total, round(right / total, 3)) == (842, OVER_ITEMS[model])


@models
def test_a_subject_that_replays_all_suites_differs_by_the_impossible_one_alone(mean, model):
    data = registry.data.create("SyntaxGym", punctuation="attached", suite=LEADERBOARD)
    outcomes = data.outcomes().sel(model=model)
    with pytest.raises(NotInData, match="fgd_hierarchy: no surprisals make an item right"):
        surprisals_for(data, mean.stimuli(), outcomes.values)
    replayed = surprisals_for(data, mean.stimuli(), outcomes.values, impossible="wrong")
    found, released = score(ReplaySubject(responses=replayed), mean), mean.released(model)
    of_hierarchy = outcomes[outcomes["suite"].values == "fgd_hierarchy"].mean()
    assert found.value + float(of_hierarchy) / 31 == pytest.approx(released.value, abs=1e-12)


def test_the_mean_is_that_of_its_suites(mean, one):
    values = np.random.default_rng(0).integers(1, 4, len(mean.stimuli())).astype(float)
    subject = ReplaySubject(responses=answer(values, mean.stimuli(), SurprisalSpec()))
    each = [score(subject, one(name)).value for name in LEADERBOARD]
    assert score(subject, mean).value == pytest.approx(np.mean(each), abs=1e-12)


def test_sentences_are_read_as_the_leaderboard_writes_them(one):
    """Regions joined by spaces, marks attached to what is before them, empty regions left out."""
    from corteval.reading import passages

    suite = registry.data.create("SyntaxGym.subordination_pp-pp").suites()[0]
    condition = suite.items[0].conditions[0]
    read = {p.context_id: p for p in passages(one("subordination_pp-pp").stimuli())}
    passage = read[f"subordination_pp-pp/1/{condition.name}"]
    words = " ".join(" ".join(condition.regions.values()).split())
    for mark in ".,!?;:":
        words = words.replace(f" {mark}", mark)
    assert passage.text == words
    apart = registry.benchmarks.create("SyntaxGym-subordination_pp-pp", punctuation="published")
    assert any(" ." in text for text in apart.stimuli().table["text"])
    assert not any(" ." in text for text in one("subordination_pp-pp").stimuli().table["text"])


def test_surprisal_of_a_region_is_the_sum_over_its_words(one):
    """Surprisal of a word is the number of its letters; plain loops tell which items are right."""
    benchmark = one("center_embed_mod")
    table = benchmark.stimuli().table
    bits = {word: float(len(word)) for text in table["text"] for word in text.split()}
    found = score(reader(bits), benchmark)
    letters = dict.fromkeys(zip(table["item"], table["condition"], strict=True), 0)
    for text, item, condition, region in zip(
        *(table[c] for c in ("text", "item", "condition", "region")), strict=True
    ):
        if region in (7, 8):
            letters[item, condition] += sum(len(word) for word in text.split())
    right = [letters[n, "plaus"] < letters[n, "implaus"] for n in range(1, 29)]
    assert found.samples.values.astype(bool).tolist() == right
    assert score(reader({}), one("number_prep")).value == 0  # equal surprisals are below none


def test_hand_made_surprisals_are_right_in_the_items_that_they_should_be(one):
    benchmark = one("mvrr")
    table = benchmark.stimuli().table
    bits = np.where(table["region"] == 5, 1.0, 7.0)
    columns = zip(table["item"], table["condition"], table["region"], strict=True)
    at = {(i, c): n for n, (i, c, region) in enumerate(columns) if region == 5}
    bits[at[3, "reduced_ambig"]] = 9.0  # right: 9 > 1, 9 > 1, 9 - 1 > 1 - 1
    bits[at[4, "reduced_ambig"]] = 9.0
    bits[at[4, "reduced_unambig"]] = 8.9  # right: 9 > 8.9, and 9 - 1 > 8.9 - 1
    bits[at[5, "reduced_ambig"]] = 9.0
    bits[at[5, "unreduced_ambig"]] = 8.0
    bits[at[5, "reduced_unambig"]] = 3.0  # wrong: 9 - 8 is not above 3 - 1
    subject = ReplaySubject(responses=answer(bits, benchmark.stimuli(), SurprisalSpec()))
    found = score(subject, benchmark)
    right = found.samples["item"].values[found.samples.values == 1]
    assert right.tolist() == ["mvrr.3", "mvrr.4"]
    assert found.value == 2 / 28


def test_the_base_does_not_matter(one):
    words = sorted({w for text in one("mvrr").stimuli().table["text"] for w in text.split()})
    bits = {word: n % 7 + 0.1 for n, word in enumerate(words)}
    in_bits = score(reader(bits), one("mvrr"))
    in_nats = score(reader(bits, SurprisalSpec(base="nats"), unit=np.log(2)), one("mvrr"))
    assert in_bits.value == in_nats.value
    np.testing.assert_array_equal(in_bits.samples.values, in_nats.samples.values)
    assert any(json.dumps("nats") in note for note in in_nats.notes)


def test_a_first_region_without_context_counts_nothing_and_no_prediction_is_about_one(one, whole):
    bits = {"the": 1.0, "that": 3.0, "what": 2.0, "I": 0.5}
    with_first, without = reader(bits), reader(bits, first=False)
    assert score(with_first, one("fgd_pp")).value == score(without, one("fgd_pp")).value
    sentences = one("fgd_pp").stimuli().table["context_id"].nunique()
    assert any(f"{sentences} first regions" in n for n in score(without, one("fgd_pp")).notes)
    for predictions in whole.predictions().values():
        for prediction in predictions:
            assert all(part.region and part.region > 1 for part in regions_of(prediction.statement))


def test_a_later_region_without_surprisal_is_named(one):
    stimuli = one("cleft").stimuli()
    values = np.where(np.array(stimuli.stimulus_ids) == "cleft.7.vp_match.3", np.nan, 1.0)
    subject = ReplaySubject(responses=answer(values, stimuli, SurprisalSpec()))
    with pytest.raises(AssemblyError, match=r"1 regions .* cleft.7.vp_match.3"):
        score(subject, one("cleft"))


def test_numbers_that_do_not_say_that_they_are_surprisal_are_refused(one):
    plain = answer(np.ones(len(one("cleft").stimuli())), one("cleft").stimuli(), SurprisalSpec())
    with pytest.raises(AssemblyError, match="no surprisal"):
        score(ReplaySubject(responses=plain.drop_attrs()), one("cleft"))


def test_subjects_without_surprisal_are_not_applicable_before_any_compute(one):
    class Never:
        def units(self, layer):
            raise AssertionError("it was asked")

        def __call__(self, stimuli, wanted):
            raise AssertionError("it was asked")

    deaf = LayerCommitment(identifier="deaf", extractor=Never(), layers={"*": "x"})
    found = score(deaf, one("cleft"))
    assert found.status == "not-applicable"
    assert found.reason == "deaf does not support the task ReadingTime."


@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_the_order_of_sentences_does_not_matter(one, seed):
    """A subject that reads sentences in another order, or returns rows in one, scores the same."""
    benchmark = one("npz_obj")
    order = np.random.default_rng(seed).permutation(len(benchmark.stimuli()))
    values = np.random.default_rng(1).integers(1, 4, len(order)).astype(float)
    responses = answer(values, benchmark.stimuli(), SurprisalSpec())
    first = score(ReplaySubject(responses=responses), benchmark)
    moved = score(ReplaySubject(responses=responses.isel(presentation=order)), benchmark)
    assert moved.value == first.value
    outcomes = first.samples.astype(bool)
    turned = outcomes.isel(item=np.random.default_rng(seed).permutation(outcomes.size))
    assert benchmark.of_outcomes(turned).value == first.value


def chance_of(suite, draws):
    """Share of draws (draw, region) of which all predictions hold, in plain loops."""
    about = sorted(
        {(r.condition, r.region) for p in suite.predictions for r in regions_of(p.statement)}
    )
    rows = draws(len(about))
    return np.mean([is_right(suite, dict(zip(about, row, strict=True))) for row in rows])


def orders(count):
    return np.array(list(itertools.permutations(range(count))), float)


@pytest.mark.parametrize("name", SUITES)
def test_chance_is_that_of_surprisals_drawn_from_one_distribution(whole, name):
    (suite,) = [s for s in whole.suites() if s.name == name]
    rng = np.random.default_rng(0)
    found = chance_of(suite, lambda n: rng.normal(size=(2000, n)))
    assert found == pytest.approx(CHANCE[name], abs=0.04)
    if all(
        isinstance(part, Comparison) and "-" not in p.formula and "+" not in p.formula
        for p in suite.predictions
        for part in _comparisons(p.statement)
    ) and name != "fgd_hierarchy":  # fmt: skip
        assert chance_of(suite, orders) == pytest.approx(CHANCE[name], abs=1e-12)


def _comparisons(statement):
    if isinstance(statement, Comparison):
        return [statement]
    return _comparisons(statement.left) + _comparisons(statement.right)


def test_interactions_hold_in_a_quarter_to_a_third_of_draws_from_any_distribution(whole):
    (suite,) = [s for s in whole.suites() if s.name == "mvrr"]
    rng = np.random.default_rng(0)
    for draws in (rng.exponential, rng.lognormal, lambda size: -rng.lognormal(sigma=3, size=size)):
        found = chance_of(suite, lambda n, draws=draws: draws(size=(3000, n)))
        assert 1 / 4 - 0.03 < found < 1 / 3 + 0.03


def test_a_subject_that_mixes_up_regions_is_near_chance(mean):
    rng = np.random.default_rng(3)
    values = rng.exponential(size=len(mean.stimuli()))
    subject = ReplaySubject(responses=answer(values, mean.stimuli(), SurprisalSpec()))
    assert score(subject, mean).value == pytest.approx(mean.card.chance, abs=0.05)
    assert score(shuffled(subject, 1), mean).value == pytest.approx(mean.card.chance, abs=0.05)


def test_the_interval_of_a_suite_is_that_of_a_share(one, mirror):
    """Of 40 items, beside the standard error of a binomial share."""
    benchmark = registry.benchmarks.create("SyntaxGym-cleft", resamples=2000)
    items = benchmark.released("gpt2").samples["item"].values
    right = np.arange(40) < 24
    outcomes = xr.DataArray(
        right, dims=["item"], coords={"item": items, "suite": ("item", ["cleft"] * 40)}
    )
    found = benchmark.of_outcomes(outcomes)
    half = (found.interval.high - found.interval.low) / 2
    error = np.sqrt(0.6 * 0.4 / 39)
    assert found.value == 0.6
    assert half == pytest.approx(2.02 * error, rel=0.1)
    assert (found.interval.scope, found.raw.replicates[0].sizes) == ("items", (40,))


def test_the_interval_of_the_mean_is_that_of_independent_suites(mean):
    found = mean.released("gpt2")
    suites = found.samples["suite"].values
    shares = {name: found.samples.values[suites == name] for name in LEADERBOARD}
    variance = sum(r.var(ddof=1) / len(r) for r in shares.values()) / 31**2
    half = (found.interval.high - found.interval.low) / 2
    assert half == pytest.approx(1.96 * np.sqrt(variance), rel=0.1)


def test_models_are_compared_on_the_same_draws(mean):
    difference = compare(mean.released("gpt2-xl"), mean.released("grnn"))
    assert difference.difference == pytest.approx(0.8424 - 0.5514, abs=1e-3)
    assert difference.p_value < 0.01
    with pytest.raises(OptionError, match="No outcomes of 'gpt3'"):
        mean.released("gpt3")


def test_outcomes_of_other_items_are_refused(one):
    outcomes = one("mvrr").released("gpt2").samples.astype(bool)
    with pytest.raises(AssemblyError, match="has 28 items, the outcomes 27"):
        one("mvrr").of_outcomes(outcomes[1:])


def test_predictions_that_exclude_each_other_are_said_to(one):
    found = score(reader({"the": 1.0}), one("fgd_hierarchy"))
    assert found.value == 0
    assert any("exclude each other" in note for note in found.notes)
    with pytest.raises(NotInData, match="no surprisals fulfil"):
        one("fgd_hierarchy").ideal_responses(0)
