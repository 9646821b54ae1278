"""Gifford2022 on files of the archive's form, against scikit-learn and numpy alone."""

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

PEOPLE = [f"sub-{number:02d}" for number in range(1, 11)]
IDENTIFIERS = ("Gifford2022.IT-ridge", "Gifford2022.IT-ridgecv")
EVERY = (*IDENTIFIERS, *(f"{i}-legacy" for i in IDENTIFIERS))
#: From .2 s before to .8 s after onset, as the archive's file has them.
BINS = [(round(-0.2 + n / 100, 2), round(-0.19 + n / 100, 2)) for n in range(100)]
#: Spec metrics 2.2, the list of Gifford2022.
ALPHAS = [
    *(0.01, 0.1, 0.5, 1, 10, 50, 100, 500, 1e3, 5e3),
    *np.linspace(1e4, 1e5, 4, endpoint=False),
    *np.linspace(1e5, 1e6, 4, endpoint=False),
    *np.linspace(1e6, 1e7, 5),
]


def electrodes(people=PEOPLE, channels=2):
    return {
        "subject": [p for p in people for _ in range(channels)],
        "neuroid_id": list(range(channels)) * len(people),
        "channel": [f"O{n}" for n in range(channels)] * len(people),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(
            archive, "Gifford2022", electrodes(), train=(80, 4), test=(30, 8), noise=1.5, bins=BINS
        )


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


def published(written, features, metric, power):
    """Spec metrics 2.2 to 2.4, person by person; bins 0 to .6 s count as electrodes."""
    train, test = (written.trials[part][..., 20:80] for part in ("train", "test"))
    shares = []
    for person in range(10):
        own = slice(2 * person, 2 * person + 2)
        y, y_test = (t[:, :, own].reshape(*t.shape[:2], 120) for t in (train, test))
        fit = Ridge(alpha=1) if metric == "ridge" else RidgeCV(alphas=ALPHAS)
        fit.fit(features[: len(y)], y.mean(axis=1))
        r = np.median(columnwise(fit.predict(features[len(y) :]), y_test.mean(axis=1)))
        c = reliability(y_test)
        shares.append(r * abs(r) / c if power == 1 else (r / c) ** 2)
    return np.mean(shares)


@pytest.mark.parametrize("identifier", EVERY)
def test_scores_are_those_of_scikit_learn(written, identifier):
    subject = mixed(written)
    metric = identifier.split("-")[1]
    power = 2 if identifier.endswith("legacy") else 1
    expected = published(written, subject.responses.values, metric, power)
    assert corteval.score(subject, quick(identifier)).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("identifier", EVERY)
def test_the_true_generator_is_at_the_ceiling_and_wrong_answers_at_chance(written, identifier):
    score = corteval.score(generator(written), quick(identifier, 200))
    ceiling = 1 / score.ceiling.value if identifier.endswith("legacy") else 1
    assert score.value == pytest.approx(ceiling, abs=0.06)
    assert score.interval.scope == "stimuli×subjects"
    assert score.ceiling.value == pytest.approx(written.reliability, abs=0.06)
    assert corteval.score(shuffled(generator(written), 1), quick(identifier)).value < 0.15


@pytest.mark.parametrize("identifier", EVERY)
def test_requests_are_as_published_and_refused_before_any_file_is_asked_for(archive, identifier):
    benchmark = registry.benchmarks.create(identifier)
    assert len(benchmark.card.summary) <= 100
    assert benchmark.requests() == (Recording("IT"),)
    assert benchmark.visual_degrees == 7
    score = corteval.score(RefusingSubject(), benchmark)
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert "IT" in score.reason


def test_each_electrode_counts_in_each_of_60_bins(written):
    score = corteval.score(generator(written), quick("Gifford2022.IT-ridge"))
    assert score.samples.sizes["neuroid"] == 10 * 2 * 60
    ids = score.samples["neuroid_id"].values.tolist()
    assert ids[:2] == ["sub-01.0@0", "sub-01.0@0.01"]
    assert ids[-1] == "sub-10.1@0.59"


def test_the_penalties_are_the_reduced_list():
    options = registry.benchmarks.create("Gifford2022.IT-ridgecv").metric_options
    np.testing.assert_allclose(options["alphas"], ALPHAS, rtol=1e-12)


def test_the_command_line_scores_it(written, capsys):
    assert main(["score", "pixels", "Gifford2022.IT-ridge", "--yes", "--json"]) == 0
    assert "scored" in capsys.readouterr().out


@pytest.mark.slow
def test_the_published_electrodes_and_bins_are_scored(archive):
    table = electrodes(channels=17)
    written = write(
        archive, "Gifford2022", table, train=(300, 4), test=(50, 10), noise=2.0, bins=BINS
    )
    score = corteval.score(generator(written), "Gifford2022.IT-ridgecv")
    assert score.samples.sizes["neuroid"] == 10 * 17 * 60
    assert score.value == pytest.approx(1, abs=0.06)
