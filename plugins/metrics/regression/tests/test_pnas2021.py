"""The protocol of PNAS 2021 on parts made in the test; benchmarks compare it with plain loops."""

import numpy as np
import pytest

from corteval import registry
from corteval.assembly import neural
from corteval.cards import BenchmarkCard, DataCard
from corteval.errors import OptionError
from corteval.stimuli import StimulusSet
from corteval.testing.subjects import ReplaySubject
from corteval_regression.pnas2021 import PNAS2021Benchmark


class Sentences:
    """Responses of four people to forty sentences, linear in two causes."""

    def __init__(self, first=0):
        rng = np.random.default_rng(2)
        self.ids = [f"s{n}" for n in range(first, first + 40)]
        self.causes = rng.standard_normal((80, 2))[first : first + 40]
        weights = rng.standard_normal((2, 12))
        noise = np.random.default_rng(first).standard_normal((40, 12))
        self.values = self.causes @ weights + 0.5 * noise

    def stimuli(self):
        import pandas as pd

        table = pd.DataFrame({"text": self.ids}, index=pd.Index(self.ids, name="stimulus_id"))
        return StimulusSet(identifier="sentences", modality="text", table=table)

    def assembly(self):
        people = [f"p{n // 3}" for n in range(12)]
        columns = {"neuroid_id": [f"n{n}" for n in range(12)], "subject": people}
        return neural(self.values, self.ids, columns)


@pytest.fixture
def data():
    cards = [
        DataCard(
            identifier=f"Sentences{n}",
            factory=f"{__name__}:Sentences",
            summary="forty sentences",
            licence="MIT",
            modality="text",
            options={"first": n},
        )
        for n in (0, 40)
    ]
    with registry.data.temporary(cards[0]), registry.data.temporary(cards[1]):
        yield tuple(card.identifier for card in cards)


def card(data, metric="linear", ceiling="subject_extrapolation"):
    return BenchmarkCard(
        identifier="Sentences-pnas2021",
        factory="corteval_regression.pnas2021:PNAS2021Benchmark",
        summary="a test",
        licence="MIT",
        data=data,
        metric=metric,
        ceiling=ceiling,
        target="language_system",
    )


def generator():
    values = np.concatenate([Sentences(n).causes for n in (0, 40)])
    names = {"neuroid_id": ["a", "b"]}
    return ReplaySubject(responses=neural(values, [f"s{n}" for n in range(80)], names))


def test_what_two_experiments_share_is_averaged_before_medians(data):
    ceiling_options = {"bootstraps": 5}
    both, first, second = (
        PNAS2021Benchmark(card=card(names), ceiling_of="score", ceiling_options=ceiling_options)(
            generator()
        )
        for names in (data, data[:1], data[1:])
    )
    mean = (first.samples.sortby("neuroid_id") + second.samples.sortby("neuroid_id")) / 2
    np.testing.assert_allclose(both.samples.sortby("neuroid_id"), mean, atol=1e-12)
    by_person = mean.values[np.argsort(mean["subject"].values, kind="stable")].reshape(4, 3)
    expected = np.median(np.median(by_person, axis=1))
    assert both.raw.value == pytest.approx(expected, abs=1e-12)
    assert both.value == pytest.approx(expected / both.ceiling.value, abs=1e-12)


def test_shares_of_single_ceilings_are_medians_over_people(data):
    made = PNAS2021Benchmark(card=card(data[:1]), ceiling_options={"bootstraps": 5})
    score = made(generator())
    medians = score.samples.groupby("subject").median()
    assert score.value == pytest.approx(float(np.median(medians)), abs=1e-12)
    assert score.raw.value == pytest.approx(score.value * score.ceiling.value, abs=1e-12)


def test_parts_that_do_not_fit_are_refused(data):
    with pytest.raises(OptionError, match="score or neuroid"):
        PNAS2021Benchmark(card=card(data), ceiling_of="voxel")
    with pytest.raises(OptionError, match="names no ceiling"):
        PNAS2021Benchmark(card=card(data, ceiling=None))
    with pytest.raises(OptionError, match="no ceilings of single neuroids"):
        PNAS2021Benchmark(card=card(data, ceiling="linear")).ceiling()
    with pytest.raises(OptionError, match="cka is no regression"):
        PNAS2021Benchmark(card=card(data, metric="cka"))(generator())
