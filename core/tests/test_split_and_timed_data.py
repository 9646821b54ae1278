"""Neural benchmarks that fit on one data set and test on another, and those over time bins."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from corteval import registry
from corteval.assembly import neural
from corteval.benchmark import NeuralBenchmark
from corteval.cards import BenchmarkCard, DataCard, MetricCard
from corteval.errors import AssemblyError, OptionError, StimuliError
from corteval.requests import Recording, TimeBin
from corteval.score import Estimate, Score
from corteval.scoring import score
from corteval.stimulus_part import StimulusPart
from corteval.testing import toys
from corteval.testing.subjects import ReplaySubject

BINS = (TimeBin(50, 60), TimeBin(60, 70), TimeBin(70, 80))
UNITS = [f"n{n}" for n in range(6)]


def signal(seed, count=30, bins=0):
    """Responses (stimulus, neuroid[, bin])."""
    shape = (count, len(UNITS), bins) if bins else (count, len(UNITS))
    return np.random.default_rng(seed).standard_normal(shape)


@dataclass(frozen=True)
class Recorded:
    """Signal with noise of sd .5 in each of four trials."""

    member: str
    bins: int = 0
    width: float = 10
    order: tuple = tuple(UNITS)
    ids_from: str = ""

    def stimuli(self):
        shown = toys.images(30, seed=self.seed)
        table = shown.table.set_axis(self.ids, axis=0).rename_axis("stimulus_id")
        pixels = dict(zip(self.ids, shown.images.pixels.values(), strict=True))
        return replace(shown, table=table, images=toys.Pictures(pixels=pixels))

    @property
    def seed(self):
        return sum(map(ord, self.member))

    @property
    def ids(self):
        return [f"{self.ids_from or self.member}-{n}" for n in range(30)]

    def assembly(self):
        clean = signal(self.seed, bins=self.bins)[..., None]
        noise = 0.5 * np.random.default_rng(9).standard_normal((*clean.shape[:-1], 4))
        columns = {"neuroid_id": UNITS, "reliability": np.linspace(0, 1, len(UNITS))}
        made = neural(clean + noise, self.ids, columns, time_bins=self.time_bins)
        return made.isel(neuroid=[UNITS.index(u) for u in self.order])

    @property
    def time_bins(self):
        return [TimeBin(50 + self.width * n, 50 + self.width * (n + 1)) for n in range(self.bins)]


class MeanDifference:
    """1 - mean absolute difference; where there is a split, of the test rows only."""

    def __init__(self, seed=0):
        self.seed = seed

    def __call__(self, source, target):
        rows = np.ones(target.sizes["presentation"], bool)
        if "split" in target.coords:
            assert set(target["split"].values[:30]) == {"train"}
            rows = target["split"].values == "test"
        value = float(1 - np.abs(source.values - target.values)[rows].mean())
        return Score(value=value, raw=Estimate(value=value, quantity="similarity"))


class Trials:
    """Number of presentations it is given, as a ceiling would be."""

    def __init__(self, seed=0):
        self.seed = seed

    def __call__(self, assembly):
        assert "time_bin" not in assembly.dims
        assert assembly.sizes["trial"] == 4
        return Estimate(value=float(assembly.values.mean() ** 2 + 1), quantity="similarity")


def data(name, **options):
    options = {"member": name, **options}
    return DataCard(
        identifier=name, factory=f"{__name__}:Recorded", summary="", licence="MIT", options=options
    )


SPLIT = BenchmarkCard(
    identifier="Split.IT-difference",
    factory="corteval.benchmark:NeuralBenchmark",
    summary="",
    licence="MIT",
    data=("Train", "Test"),
    metric="difference",
    ceiling="count",
    target="IT",
)
TIMED = replace(SPLIT, identifier="Timed.IT-difference", data=("Timed",))


@pytest.fixture(autouse=True)
def plugins():
    metric = MetricCard(
        identifier="difference", factory=f"{__name__}:MeanDifference", summary="", licence="MIT"
    )
    ceiling = replace(metric, identifier="count", factory=f"{__name__}:Trials", role="ceiling")
    raw = replace(metric, identifier="by-trial", takes="trials")
    sets = [
        data("Train"),
        data("Test", order=tuple(reversed(UNITS))),
        data("Few", order=tuple(UNITS[:4])),
        data("Same", ids_from="Train"),
        data("Timed", bins=3),
    ]
    with registry.metrics.temporary(metric, ceiling, raw), registry.data.temporary(*sets):
        yield


def test_models_are_shown_both_sets_and_compared_on_the_second():
    made = NeuralBenchmark(card=SPLIT)
    assert len(made.stimuli()) == 60
    assert made.stimuli().image("Test-3").shape == toys.images().image("image-000").shape
    ideal = made.ideal_responses(0)
    assert list(ideal["neuroid_id"].values) == UNITS  # those of the second set, matched by id
    clean = signal(sum(map(ord, "Test")))
    assert np.abs(ideal.values[30:] - clean).mean() < 0.3
    result = score(ReplaySubject(responses=ideal), made)
    assert result.raw.value == 1
    assert set(result.provenance.digests) == {"stimuli", "assembly", "fitted_assembly"}


def test_the_ceiling_is_that_of_the_second_set():
    made = NeuralBenchmark(card=SPLIT)
    test = NeuralBenchmark(card=replace(SPLIT, data=("Test",)))
    assert made.ceiling() == test.ceiling()
    assert made.ceiling() != NeuralBenchmark(card=replace(SPLIT, data=("Train",))).ceiling()


def test_a_part_takes_stimuli_of_both_sets():
    parts = [StimulusPart(which=which) for which in ("selection", "report")]
    chosen, reported = (NeuralBenchmark(card=SPLIT).on(part) for part in parts)
    ids = set(chosen.stimuli().stimulus_ids), set(reported.stimuli().stimulus_ids)
    assert len(ids[0] | ids[1]) == 60
    assert not ids[0] & ids[1]
    assert chosen.ideal_responses(0).sizes["presentation"] == len(ids[0])


def test_neuroids_of_one_set_only_are_an_error_that_names_them():
    made = NeuralBenchmark(card=replace(SPLIT, data=("Train", "Few")))
    with pytest.raises(AssemblyError, match=r"2 neuroids are in one of two assemblies.*n4, n5"):
        made.ideal_responses(0)


def test_stimuli_of_both_sets_are_an_error():
    with pytest.raises(StimuliError, match="repeat: Train-0"):
        NeuralBenchmark(card=replace(SPLIT, data=("Train", "Same"))).stimuli()


@pytest.mark.parametrize("names", [(), ("Train", "Test", "Few")])
def test_other_numbers_of_data_sets_are_refused(names):
    with pytest.raises(OptionError, match=f"names {len(names)} data sets"):
        NeuralBenchmark(card=replace(SPLIT, data=names))


def test_neuroids_are_kept_by_bounds():
    made = NeuralBenchmark(card=SPLIT, neuroids={"reliability": {"at_least": 0.5}})
    assert list(made.ideal_responses(0)["neuroid_id"].values) == UNITS[3:]
    both = {"at_least": 0.3, "at_most": 0.5}
    one = NeuralBenchmark(card=SPLIT, neuroids={"reliability": both})
    assert list(one.ideal_responses(0)["neuroid_id"].values) == ["n2"]
    with pytest.raises(AssemblyError, match="at_least and at_most, not above"):
        NeuralBenchmark(card=SPLIT, neuroids={"reliability": {"above": 1}}).ideal_responses(0)


def test_several_time_bins_are_an_error_unless_it_is_said_what_is_done_with_them():
    with pytest.raises(AssemblyError, match="3 time bins"):
        NeuralBenchmark(card=TIMED).ideal_responses(0)
    with pytest.raises(OptionError, match="single, averaged, each, whole, not 'all'"):
        NeuralBenchmark(card=TIMED, over_time="all")


def test_averaged_data_are_those_of_one_bin():
    made = NeuralBenchmark(card=TIMED, over_time="averaged", time_bins=((50, 80),))
    whole = Recorded("Timed", bins=3).assembly().values.mean(axis=(2, 3))
    np.testing.assert_allclose(made.ideal_responses(0).values, whole)
    assert made.requests() == (Recording("IT", (TimeBin(50, 80),)),)


def test_bins_of_several_widths_are_not_averaged():
    from corteval.over_time import mean_of_bins

    odd = neural(signal(0, bins=2), [f"s{n}" for n in range(30)], {"neuroid_id": UNITS},
                 time_bins=[TimeBin(0, 10), TimeBin(10, 30)])  # fmt: skip
    with pytest.raises(AssemblyError, match="10, 20 ms wide"):
        mean_of_bins(odd)


def test_each_bin_is_compared_and_the_mean_is_the_score():
    made = NeuralBenchmark(card=TIMED, over_time="each")
    assert made.requests() == (Recording("IT", BINS),)
    ideal = made.ideal_responses(0)
    shifted = ideal + np.array([0.1, 0.2, 0.6])
    result = score(ReplaySubject(responses=shifted), made)
    assert result.raw.value == pytest.approx(1 - 0.3)
    assert "mean over 3 time bins" in result.raw.method
    values = Recorded("Timed", bins=3).assembly().values
    expected = np.mean([values[:, :, b].mean() ** 2 + 1 for b in range(3)])
    assert made.ceiling().value == pytest.approx(expected)


def test_a_subject_without_time_is_compared_with_each_bin():
    made = NeuralBenchmark(card=TIMED, over_time="each")
    static = made.ideal_responses(0).isel(time_bin=0, drop=True)
    result = score(ReplaySubject(responses=static), made)
    ideal = made.ideal_responses(0).values
    expected = np.mean([1 - np.abs(ideal[:, :, 0] - ideal[:, :, b]).mean() for b in range(3)])
    assert result.raw.value == pytest.approx(expected)


def test_a_metric_of_whole_responses_gets_all_bins():
    made = NeuralBenchmark(card=TIMED, over_time="whole")
    ideal = made.ideal_responses(0)
    assert ideal.dims == ("presentation", "neuroid", "time_bin")
    assert score(ReplaySubject(responses=ideal), made).raw.value == 1


def test_a_metric_of_trials_gets_trials():
    made = NeuralBenchmark(card=replace(SPLIT, data=("Test",), metric="by-trial"))
    assert "trial" in made._target.dims


@pytest.mark.parametrize("given", [0.79, (0.79, "similarity")])
def test_a_published_ceiling_normalises_and_says_that_it_has_no_error(given):
    card = replace(SPLIT, ceiling=None)
    made = NeuralBenchmark(card=card, published_ceiling=given, normalization="r/c")
    result = score(ReplaySubject(responses=made.ideal_responses(0)), made)
    assert result.value == pytest.approx(1 / 0.79)
    assert "published constant" in made.ceiling().method


@pytest.mark.parametrize("given", [0, -1.0, "high"])
def test_a_published_ceiling_is_a_number_above_zero(given):
    made = NeuralBenchmark(card=replace(SPLIT, ceiling=None), published_ceiling=given)
    with pytest.raises(OptionError, match="above 0"):
        made.ceiling()
