"""Hebart2023_fmri on files of the archive's form, against scikit-learn and numpy alone."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import ShuffleSplit

import corteval
from corteval import registry
from corteval.cli import main
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitated_recordings import write
from corteval_brainscore.imitation import imitated

PEOPLE = ("01", "02", "03")
REGIONS = ("V1", "V2", "V4", "IT")
IDENTIFIERS = [f"Hebart2023_fmri.{r}-{m}" for r in REGIONS for m in ("ridge", "ridgecv")]
EVERY = [*IDENTIFIERS, *(f"{i}-legacy" for i in IDENTIFIERS)]
ALPHAS = [
    *(0.01, 0.1, 0.5, 1.0),
    *np.linspace(10, 100, 4, endpoint=False),
    *np.concatenate([np.linspace(10**p, 10 ** (p + 1), 18, endpoint=False) for p in (2, 3, 4, 5)]),
    *np.linspace(1e6, 1e7, 19),
]


def voxels():
    """As published: ids are numbers that repeat between people; every fourth voxel is noisy."""
    rows = [
        (person, region, number, 20.0 if number % 4 == 0 else 45.0)
        for person in PEOPLE
        for number, region in enumerate(np.repeat(REGIONS, 4 + int(person)))
    ]
    names = ("subject", "region", "neuroid_id", "nc_testset")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(archive, "Hebart2023_fmri", voxels(), test=(40, 12), noise=2.0, seed=4)


def quick(identifier, resamples=0):
    """Without intervals, which take most of the time, or with rough ones."""
    card = registry.benchmarks.card(identifier)
    few = {"resamples": resamples}
    options = {**card.options.get("metric_options", {}), **few}
    return registry.benchmarks.create(identifier, metric_options=options, ceiling_options=few)


def generator(written):
    return ReplaySubject(responses=written.causes, identifier="generator")


def mixed(written, units=25):
    """Units that know the causes in part."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(written.causes.sizes["presentation"], units))
    values[:, :4] += written.causes.values
    template = written.causes.isel(neuroid=[0] * units)
    ids = ("neuroid", [f"u{n:02d}" for n in range(units)])
    return ReplaySubject(responses=template.assign_coords(neuroid_id=ids).copy(data=values))


def reliability(trials):
    """Spec metrics 2.3, of (stimulus, trial, neuroid)."""
    halves = []
    numbers = np.arange(trials.shape[1])
    for first, second in ShuffleSplit(10, train_size=0.5, random_state=1).split(numbers):
        r = columnwise(trials[:, first].mean(axis=1), trials[:, second].mean(axis=1))
        halves.append(np.median(2 * r / (1 + r)))
    return np.mean(halves)


def columnwise(a, b):
    return np.array([np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T, strict=True)])


def published(written, features, region, metric, power):
    """Spec metrics 2.2 to 2.4, person by person."""
    table = voxels()
    train, test = written.trials["train"][..., 0], written.trials["test"][..., 0]
    shares = []
    for person in PEOPLE:
        kept = [
            s == person and r == region and n > 30
            for s, r, n in zip(table["subject"], table["region"], table["nc_testset"], strict=True)
        ]
        fit = Ridge(alpha=1) if metric == "ridge" else RidgeCV(alphas=ALPHAS)
        fit.fit(features[: len(train)], train.mean(axis=1)[:, kept])
        observed = test.mean(axis=1)[:, kept]
        r = np.median(columnwise(fit.predict(features[len(train) :]), observed))
        c = reliability(test[:, :, kept])
        shares.append(r * abs(r) / c if power == 1 else (r / c) ** 2)
    return np.mean(shares)


@pytest.mark.parametrize("identifier", EVERY)
def test_scores_are_those_of_scikit_learn(written, identifier):
    subject = mixed(written)
    region, metric = identifier.split(".")[1].removesuffix("-legacy").split("-")
    power = 2 if identifier.endswith("legacy") else 1
    expected = published(written, subject.responses.values, region, metric, power)
    assert corteval.score(subject, quick(identifier)).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("identifier", EVERY)
def test_the_true_generator_is_at_the_ceiling_and_wrong_answers_at_chance(written, identifier):
    score = corteval.score(generator(written), quick(identifier, 200))
    ceiling = 1 / score.ceiling.value if identifier.endswith("legacy") else 1
    assert score.interval.low < ceiling < score.interval.high + 0.07
    assert score.ceiling.value == pytest.approx(written.reliability, abs=0.1)
    assert corteval.score(shuffled(generator(written), 1), quick(identifier)).value < 0.15


@pytest.mark.parametrize("identifier", EVERY)
def test_requests_are_as_published_and_refused_before_any_file_is_asked_for(archive, identifier):
    region = identifier.split(".")[1].split("-")[0]
    benchmark = registry.benchmarks.create(identifier)
    assert len(benchmark.card.summary) <= 100
    assert benchmark.requests() == (Recording(region),)
    assert benchmark.visual_degrees == 10
    assert benchmark.neuroids == {"region": region, "nc_testset": {"at_least": 30}}
    score = corteval.score(RefusingSubject(), benchmark)
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert region in score.reason


def test_every_person_counts_once_however_many_voxels(written):
    """Ids that repeat between people are told apart, and only reliable voxels are scored."""
    score = corteval.score(generator(written), "Hebart2023_fmri.V1-ridge")
    people, counts = np.unique(score.samples["subject"].values, return_counts=True)
    assert list(people) == list(PEOPLE)
    assert len(set(score.samples["neuroid_id"].values)) == score.samples.sizes["neuroid"]
    table = voxels()
    expected = [
        sum(
            s == person and r == "V1" and n > 30
            for s, r, n in zip(table["subject"], table["region"], table["nc_testset"], strict=True)
        )
        for person in PEOPLE
    ]
    assert list(counts) == expected


def test_the_command_line_scores_it(written, capsys):
    assert main(["score", "pixels", "Hebart2023_fmri.IT-ridge", "--yes", "--json"]) == 0
    assert "scored" in capsys.readouterr().out


@pytest.mark.slow
def test_the_published_shape_is_scored(archive):
    rows = [
        (p, "V1", n, 45.0)
        for p, count in zip(PEOPLE, (385, 356, 174), strict=True)
        for n in range(count)
    ]
    names = ("subject", "region", "neuroid_id", "nc_testset")
    table = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    written = write(archive, "Hebart2023_fmri", table, train=(2000, 1), test=(100, 12), noise=2.5)
    score = corteval.score(generator(written), "Hebart2023_fmri.V1-ridgecv")
    assert score.value == pytest.approx(1, abs=0.05)
    assert score.ceiling.value == pytest.approx(written.reliability, abs=0.03)
    assert replace(score, notes=()).samples.sizes["neuroid"] == 915
