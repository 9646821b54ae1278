"""Igustibagus2024 on files of the archive's form, against scikit-learn and numpy alone."""

import numpy as np
import pytest
from plugins.benchmarks.igustibagus2024.tests.igustibagus2024_files import (
    IDS,
    NEUROIDS,
    OBJECTS,
    TRIALS,
    table,
    write,
)
from scipy.stats import norm
from sklearn.linear_model import Ridge
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

import corteval
from corteval import registry
from corteval.assembly import neural
from corteval.cli import main
from corteval.errors import AssemblyError, OptionError, StimuliError, UndefinedScore
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitation import imitated
from corteval_igustibagus2024.readout import ALPHAS, DERIVED, DOMAINS, two_way

RIDGE, LEGACY = "Igustibagus2024-ridge", "Igustibagus2024-ridge-legacy"
READOUT = "Igustibagus2024.IT_readout-accuracy"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(archive)


def subject_with(values):
    ids = {"neuroid_id": [f"u{n:03d}" for n in range(values.shape[1])]}
    return ReplaySubject(responses=neural(values, IDS, ids))


def columnwise(a, b):
    return np.array([np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T, strict=True)])


def halves(values):
    """Spec metrics 2.3, (halving, neuroid), missing trials left out."""
    found = []
    for first, second in ShuffleSplit(10, train_size=0.5, random_state=1).split(np.arange(TRIALS)):
        r = columnwise(*(np.nanmean(values[:, part], axis=1) for part in (first, second)))
        found.append(2 * r / (1 + r))
    return np.array(found)


def test_legacy_is_what_the_published_rule_gives_in_scikit_learn(written):
    causes, values, order = written
    rows = table()
    reliable = halves(values).mean(axis=0) > 0.7
    assert reliable.sum() == NEUROIDS - 3
    kept = [n for n in order if rows[n][0] != "Else" and rows[n][1] != "skeleton"]
    y = np.nanmean(values, axis=1)[kept][:, reliable]
    x = causes[kept] + 0.7 * np.random.default_rng(1).normal(size=(len(kept), 5))
    labels = np.array([rows[n][2] for n in kept])
    background = np.array([rows[n][3] for n in kept])
    medians = []
    shuffle = StratifiedShuffleSplit(10, train_size=0.9, test_size=0.1, random_state=1)
    for train, test in shuffle.split(x, labels):
        tested = set(background[test].tolist()) - {0}
        train = [n for n in train if background[n] not in tested]
        predicted = Ridge(alpha=1).fit(x[train], y[train]).predict(x[test])
        medians.append(np.median(columnwise(predicted, y[test])))
    ceiling = np.mean(np.median(halves(values[kept][:, :, reliable]), axis=1))
    shown = np.zeros((len(IDS), 5))
    shown[kept] = x
    score = corteval.score(subject_with(shown), LEGACY)
    assert score.raw.value == pytest.approx(np.mean(medians), abs=1e-9)
    assert score.raw.error == pytest.approx(np.std(medians) / np.sqrt(10), abs=1e-9)
    assert score.ceiling.value == pytest.approx(ceiling, abs=1e-9)
    assert score.value == pytest.approx(np.mean(medians) ** 2 / ceiling, abs=1e-9)


@pytest.mark.parametrize("identifier", [RIDGE, LEGACY])
def test_the_true_generator_is_at_the_ceiling_and_wrong_answers_at_chance(written, identifier):
    causes, *_ = written
    score = corteval.score(subject_with(causes), identifier)
    assert score.value == pytest.approx(1, abs=0.08)
    assert score.interval.low < 1
    assert not any("leaky" in note for note in score.notes if identifier == RIDGE)
    assert corteval.score(shuffled(subject_with(causes), 1), identifier).value < 0.15


@pytest.mark.parametrize("identifier", [RIDGE, LEGACY])
def test_recognising_backgrounds_does_not_help(written, identifier):
    """Units that tell backgrounds apart predict nothing of one that was not fitted on."""
    background = np.array([row[3] for row in table()])
    units = np.eye(41)[background][:, 1:] + 1e-6 * np.random.default_rng(0).normal(size=(460, 40))
    score = corteval.score(subject_with(units), identifier)
    assert score.status == "undefined" or score.value < 0.1


def test_no_fold_divides_a_background_and_images_without_one_stand_alone(written):
    benchmark = registry.benchmarks.create(RIDGE)
    means = benchmark.ideal_responses(0)
    group, background = means["background_group"].values, means["background_id"].values
    assert len(set(group[background == 0])) == (background == 0).sum()
    assert len(set(group[background != 0])) == 40
    with_skeletons = registry.benchmarks.create(RIDGE, styles=("skeleton",))
    assert with_skeletons.ideal_responses(0).sizes["presentation"] == 40


@pytest.mark.parametrize(("identifier", "trials"), [(RIDGE, 63), (LEGACY, 63), (READOUT, 1)])
def test_requests_are_as_published_and_refused_before_any_file_is_asked_for(
    archive, identifier, trials
):
    benchmark = registry.benchmarks.create(identifier)
    assert len(benchmark.card.summary) <= 100
    assert benchmark.requests() == (Recording("IT", (TimeBin(70, 170),), trials=trials),)
    assert benchmark.visual_degrees == 8
    score = corteval.score(RefusingSubject(), benchmark)
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert "IT" in score.reason


# The read-out


def read_out(**options):
    return registry.benchmarks.create(READOUT, **{"count": 20, **options})


def test_a_unit_for_each_object_is_always_right_and_wrong_answers_are_at_chance(written):
    benchmark = read_out()
    ideal = ReplaySubject(responses=benchmark.ideal_responses(0))
    score = corteval.score(ideal, benchmark)
    assert (score.value, score.ceiling) == (1.0, None)
    assert list(score.samples["domain"].values) == list(DOMAINS)
    labels = np.array([OBJECTS.index(row[2]) for row in table()])
    noisy = subject_with(np.eye(10)[labels] + 0.1 * np.random.default_rng(0).normal(size=(460, 10)))
    assert corteval.score(noisy, benchmark).value > 0.99
    wrong = [corteval.score(shuffled(noisy, n), benchmark).value for n in range(3)]
    assert np.mean(wrong) == pytest.approx(0.5, abs=0.04)


def test_noisy_units_of_objects_are_read_out_as_theory_says():
    """A unit for each object, of height m and noise 1: its own beats another by m, sd sqrt 2.

    With many images to train on, a choice is right with probability Phi(m / sqrt 2).
    """
    rng = np.random.default_rng(3)
    which = np.tile(np.arange(10), 300)
    train, test = (2.0 * np.eye(10)[which] + rng.normal(size=(3000, 10)) for _ in range(2))
    right = two_way(train, np.array(OBJECTS)[which], test, np.array(OBJECTS)[which])
    assert right.mean() == pytest.approx(norm.cdf(2 / np.sqrt(2)), abs=0.01)


def test_choices_are_those_of_ridge_regressions_with_the_penalty_left_one_out():
    rng = np.random.default_rng(0)
    labels = np.array(OBJECTS[:4] * 5)
    x, unseen = rng.normal(size=(20, 30)), rng.normal(size=(12, 30))
    x[:, :4] += np.eye(4)[[OBJECTS.index(name) for name in labels]] * 3
    answers = np.array(OBJECTS[:4] * 3)
    scaled = (x - x.mean(axis=0)) / np.linalg.norm(x - x.mean(axis=0), axis=0)
    names = np.unique(labels)
    targets = np.where(labels[:, None] == names, 1.0, -1.0)

    def outputs(train, y, test, alpha):
        fit = Ridge(alpha=alpha).fit(train, y)
        return fit.predict(test)

    losses = []
    for alpha in ALPHAS:
        left = [
            outputs(np.delete(scaled, n, 0), np.delete(targets, n, 0), scaled[[n]], alpha)[0]
            for n in range(20)
        ]
        losses.append(np.mean((np.array(left) - targets) ** 2))
    best = ALPHAS[int(np.argmin(losses))]
    test = (unseen - x.mean(axis=0)) / np.linalg.norm(x - x.mean(axis=0), axis=0)
    out = outputs(scaled, targets, test, best)
    expected = [
        np.mean(
            [out[i, names == own][0] > out[i, names == other][0] for other in names if other != own]
        )
        for i, own in enumerate(answers)
    ]
    np.testing.assert_allclose(two_way(x, labels, unseen, answers), expected, atol=1e-12)


def test_images_made_from_a_tested_photograph_are_tested_with_it(written):
    benchmark = read_out(count=7)
    responses = benchmark.ideal_responses(0)
    _, times = benchmark._tested(responses.values)
    ids = responses["stimulus_id"].values.tolist()
    of = dict(zip(ids, times.tolist(), strict=True))
    for number, (source, style, _, background) in enumerate(table()):
        if source == "Silhouette" and style in DERIVED:
            assert of[IDS[number]] == of[IDS[background - 1]]
    assert sum(of[i] for i in IDS[:40]) == 7 * 30
    assert {of[i] for i in IDS[200:440]} == {7.0}  # domains of thirty are tested as a whole


def test_the_seed_moves_the_interval_alone(written):
    labels = np.array([OBJECTS.index(row[2]) for row in table()])
    units = np.eye(10)[labels] + np.random.default_rng(1).normal(size=(460, 10))
    first, again, other = (
        corteval.score(subject_with(units), read_out(seed=seed)) for seed in (0, 0, 5)
    )
    assert first.value == again.value == other.value
    assert first.interval.low == again.interval.low != other.interval.low
    assert first.interval.low < first.value < first.interval.high


def test_an_accuracy_has_no_ceiling():
    with pytest.raises(UndefinedScore, match="no data bound"):
        read_out().ceiling()


def test_columns_and_domains_that_lack_are_told(written):
    with pytest.raises(StimuliError, match="no column category_name"):
        read_out(label="category_name").ideal_responses(0)
    with pytest.raises(StimuliError, match="no image of pencil"):
        benchmark = read_out(domains={**DOMAINS, "pencil": ("Art", "pencil")})
        corteval.score(subject_with(np.zeros((460, 3))), benchmark)
    with pytest.raises(AssemblyError, match="no coordinate 'background'"):
        registry.benchmarks.create(RIDGE, background="background").ceiling()


def test_wrong_options_are_told():
    with pytest.raises(OptionError, match="groups or published"):
        registry.benchmarks.create(RIDGE, splits="random")
    with pytest.raises(OptionError, match="impossible"):
        read_out(count=0)


def test_the_command_line_scores_it(written, capsys):
    assert main(["score", "pixels", RIDGE, "--yes", "--json"]) == 0
    assert '"status": "scored"' in capsys.readouterr().out


@pytest.mark.slow
def test_a_thousand_splits_are_read_out(written):
    labels = np.array([OBJECTS.index(row[2]) for row in table()])
    units = np.random.default_rng(0).normal(size=(460, 300))
    units[:, :10] += 3 * np.eye(10)[labels]
    few, many = (
        corteval.score(subject_with(units), read_out(count=n), store=None) for n in (100, 1000)
    )
    assert many.value == pytest.approx(few.value, abs=0.01)
