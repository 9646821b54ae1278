"""Notes that say whether a score reaches the noise ceiling, on toys."""

from dataclasses import replace

import numpy as np
import pytest

from corteval import registry
from corteval.benchmark import NeuralBenchmark
from corteval.cards import MetricCard
from corteval.errors import UndefinedScore
from corteval.intervals import Replicates, interval_of
from corteval.score import Estimate, Score
from corteval.scoring import score
from corteval.testing import toys

SCOPE = {"scope": "stimuli", "sizes": (50,)}


class Flat:
    """A metric or ceiling of a given value, whose replicates spread evenly around it."""

    def __init__(self, value, spread=0.0, resamples=200, seed=0):
        self.value, self.spread, self.seed = value, spread, seed
        self.steps = np.linspace(-1, 1, resamples)

    def __call__(self, *assemblies):
        values = tuple(self.value + self.spread * self.steps)
        found = (Replicates(values=values, seed=self.seed, draw="d", **SCOPE),) if values else ()
        estimate = Estimate(value=self.value, quantity="correlation", replicates=found)
        if len(assemblies) == 1:
            return estimate
        return Score(value=self.value, raw=estimate)


CARDS = [
    MetricCard(
        identifier=name,
        factory=f"{__name__}:Flat",
        summary="s",
        licence="MIT",
        role="similarity" if name == "flat" else "ceiling",
        options=options,
    )
    for name, options in {
        "flat": {"value": 0.4, "spread": 0.1},
        "flat-upper": {"value": 0.8},
        "flat-lower": {"value": 0.5},
    }.items()
]


@pytest.fixture(autouse=True)
def registered():
    with toys.registered(), registry.metrics.temporary(*CARDS):
        yield


def benchmark(ceiling="flat-upper", lower="flat-lower", **options):
    card = replace(toys.BENCHMARK, metric="flat", ceiling=ceiling)
    return NeuralBenchmark(card=card, lower_bound=lower, **options)


def notes(**options):
    result = score("toy-vision", benchmark(metric_options=options))
    return [note for note in result.notes if "noise ceiling" in note]


def test_bounds_are_those_of_the_estimators_with_the_ceilings_options():
    lower, upper = benchmark().noise_bounds()
    assert (lower.value, upper.value) == (0.5, 0.8)
    assert benchmark().ceiling() == upper
    both = benchmark(ceiling_options={"value": 0.7}).noise_bounds()
    assert [bound.value for bound in both] == [0.7, 0.7]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.2, "below"), (0.44, "may reach"), (0.55, "may reach"), (0.7, "reaches")],
)
def test_a_note_says_whether_the_interval_lies_above_the_lower_bound(value, verdict):
    where, told = notes(value=value)
    assert where == "noise ceiling of raw scores: 0.5000 (flat-lower) to 0.8000 (flat-upper)"
    ratios = (Replicates(values=tuple((value + 0.1 * Flat(0).steps) / 0.5), draw="d", **SCOPE),)
    interval = interval_of(value / 0.5, ratios)
    assert told == (
        f"{verdict} the noise ceiling: {value / 0.5:.3f} of its lower bound "
        f"(95 % interval {interval.low:.3f} to {interval.high:.3f})"
    )


def test_without_replicates_the_values_decide():
    assert notes(value=0.49, resamples=0)[1] == "below the noise ceiling: 0.980 of its lower bound"
    assert notes(value=0.5, resamples=0)[1] == "reaches the noise ceiling: 1.000 of its lower bound"


def test_a_lower_bound_of_zero_is_shown_and_not_divided_by():
    with registry.metrics.temporary(replace(CARDS[2], identifier="z", options={"value": -0.01})):
        result = score("toy-vision", benchmark(lower="z"))
    (note,) = (note for note in result.notes if "noise ceiling" in note)
    assert note == "noise ceiling of raw scores: -0.0100 (z) to 0.8000 (flat-upper)"
    assert result.value == pytest.approx(0.4 / 0.8)


def test_the_score_itself_is_normalised_by_the_upper_bound_only():
    with_bounds, without = (score("toy-vision", benchmark(lower=n)) for n in ("flat-lower", None))
    assert replace(with_bounds, notes=(), provenance=None) == replace(
        without, notes=(), provenance=None
    )
    assert not any("noise ceiling" in note for note in without.notes)


def test_without_an_estimator_there_is_no_lower_bound():
    with pytest.raises(UndefinedScore, match=r"ToyData\.IT-predictivity names no lower bound"):
        benchmark(lower=None).noise_bounds()
