"""The odd one out on files as the archive has them, of people who agree as often as is known."""

import json

import numpy as np
import pytest
import xarray as xr
from plugins.benchmarks.hebart2023.tests.hebart2023_files import AGREEMENT, odd_of, written

import corteval
from corteval import registry
from corteval.cli import main
from corteval.model import LayerCommitment
from corteval.readouts import OddOneOutByDotProduct
from corteval.requests import OddOneOut
from corteval.testing import toys
from corteval.testing.subjects import ReplaySubject

IDENTIFIER = "Hebart2023-match"


class Embedding:
    """Responses that are the things' places in the space that people use."""

    def __init__(self, rows):
        self.rows = rows

    def units(self, layer):
        return {"neuroid_id": np.array([f"axis-{n}" for n in range(self.rows.shape[1])])}

    def __call__(self, stimuli, wanted):
        for stimulus_id in stimuli.stimulus_ids:
            row = self.rows[int(stimulus_id)]
            yield {layer: row[None, units] for layer, units in wanted.items()}


def looker(rows):
    return LayerCommitment(
        identifier="embedding",
        extractor=Embedding(rows),
        layers={},
        visual_degrees=8.0,
        readouts=(OddOneOutByDotProduct(layer="space"),),
    )


def created():
    return registry.benchmarks.create(IDENTIFIER, metric_options={"resamples": 0})


def test_who_chooses_what_most_people_choose_scores_at_the_published_ceiling(archive):
    """1 within three standard errors of a share of 3000 trials, over the range above chance."""
    rows, _, _ = written(archive)
    score = corteval.score(looker(rows), IDENTIFIER, store=None)
    error = np.sqrt(AGREEMENT * (1 - AGREEMENT) / 3000) / (AGREEMENT - 1 / 3)
    assert score.value == pytest.approx(1, abs=3 * error)
    assert score.ceiling.value == AGREEMENT
    assert score.interval.low < 1 < score.interval.high


def test_another_space_scores_at_chance(archive):
    written(archive)
    other = np.random.default_rng(5).standard_normal((60, 8))
    error = np.sqrt(2 / 9 / 3000) / (AGREEMENT - 1 / 3)
    assert corteval.score(looker(other), created(), store=None).value == pytest.approx(
        0, abs=4 * error
    )


def test_the_score_is_accuracy_above_chance_over_that_of_the_ceiling(archive):
    """Spec ``metrics`` 2.4, from the trials as they were written."""
    rows, rest, odd = written(archive, triplets=200)
    mixed = rows + np.random.default_rng(2).standard_normal(rows.shape)
    right = np.mean(odd_of(mixed, np.column_stack([rest, odd])) == odd)
    score = corteval.score(looker(mixed), created(), store=None)
    assert 1 / 3 < right < 1
    assert score.raw.value == pytest.approx(right, abs=1e-12)
    assert score.value == pytest.approx((right - 1 / 3) / (AGREEMENT - 1 / 3), abs=1e-9)


def test_who_is_always_wrong_scores_below_zero(archive):
    """Published scores end at 0; what is kept here does not."""
    written(archive, triplets=50)
    benchmark = created()
    answers = benchmark.ideal_responses(0)
    names = [answers[name].values for name in ("first", "second", "third")]
    other = np.where(names[0] == answers.values, names[1], names[0])
    score = corteval.score(ReplaySubject(responses=answers.copy(data=other)), benchmark)
    assert score.value == pytest.approx((0 - 1 / 3) / (AGREEMENT - 1 / 3), abs=1e-9)


def test_answers_are_matched_by_triplet_whatever_their_order(archive):
    written(archive, triplets=50)
    benchmark = created()
    answers = benchmark.ideal_responses(0)
    straight = corteval.score(ReplaySubject(responses=answers), benchmark)
    turned = corteval.score(ReplaySubject(responses=answers[::-1]), benchmark)
    assert straight.value == turned.value == pytest.approx((2 / 3) / (AGREEMENT - 1 / 3))


def test_every_trial_counts_though_people_differ_on_a_triplet(archive):
    """Of 20 triplets each is in several of 200 trials, and is asked once."""
    rows, rest, odd = written(archive, things=6, triplets=200)
    shown = np.column_stack([rest, odd])
    answered = {}
    for triplet, chosen in zip(np.sort(shown, axis=1), odd, strict=True):
        answered.setdefault(tuple(triplet), set()).add(chosen)
    assert any(len(chosen) > 1 for chosen in answered.values())
    benchmark = created()
    (request,) = benchmark.requests()
    assert len(request.triplets) == len(answered) == 20
    score = corteval.score(looker(rows), benchmark, store=None)
    assert score.raw.value == pytest.approx(np.mean(odd_of(rows, shown) == odd), abs=1e-12)


def test_a_layer_that_does_not_respond_scores_as_guessing_does(archive):
    """It answers the first of three equals, whose place tells nothing of what people chose."""
    _, rest, odd = written(archive)
    first = np.sort(np.column_stack([rest, odd]).astype(str), axis=1)[:, 0]
    score = corteval.score(looker(np.zeros((60, 3))), created(), store=None)
    assert score.raw.value == pytest.approx(np.mean(first == odd.astype(str)), abs=1e-12)
    assert score.raw.value == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / 3000))


def test_the_request_is_all_triplets_of_things_eight_degrees_wide(archive):
    _, rest, odd = written(archive, triplets=50)
    benchmark = created()
    (request,) = benchmark.requests()
    assert isinstance(request, OddOneOut)
    asked = {frozenset(map(int, triplet)) for triplet in request.triplets}
    assert asked == {frozenset(three) for three in np.column_stack([rest, odd]).tolist()}
    assert benchmark.stimuli().visual_degrees == 8.0
    assert set(benchmark.stimuli().shown().table.columns) == {"path"}


def test_who_knows_no_odd_one_is_not_applicable(archive):
    written(archive, triplets=20)
    score = corteval.score(toys.vision(), IDENTIFIER)
    assert score.status == "not-applicable"
    assert "does not support the task OddOneOut" in score.reason


def test_ids_are_those_of_the_table_though_the_trials_hold_numbers(archive):
    written(archive, triplets=20)
    trials = registry.data.create("brainscore/Hebart2023").assembly()
    assert trials.dtype.kind in "iu"
    assert isinstance(trials, xr.DataArray)
    assert corteval.score(looker(np.eye(60)), created(), store=None).status == "scored"


def test_things_that_nobody_chose_are_shown_too(archive):
    """Trials are filed under the odd one, so that others do not count as recorded."""
    _, rest, odd = written(archive, triplets=10)
    assert set(rest.ravel()) - set(odd)
    shown = {int(i) for i in created().stimuli().stimulus_ids}
    assert shown == {*rest.ravel().tolist(), *odd.tolist()}


def test_pixels_are_scored_on_the_command_line(archive, capsys):
    written(archive, triplets=200)
    assert main(["score", "pixels", IDENTIFIER, "--json", "--yes", "--no-store"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["normalization"] == "(acc-chance)/(c-chance)"
    assert row["ceiling"]["value"] == AGREEMENT


@pytest.mark.slow
def test_all_published_triplets_are_scored(archive):
    rows, _, _ = written(archive, things=1854, triplets=453_642)
    score = corteval.score(looker(rows), IDENTIFIER, store=None)
    assert score.value == pytest.approx(1, abs=0.01)
