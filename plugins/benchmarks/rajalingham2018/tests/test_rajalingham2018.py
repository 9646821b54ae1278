"""Benchmarks of two objects, on files as the archive has them, from known probabilities."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr
from plugins.benchmarks.rajalingham2018.tests.rajalingham2018_files import subject, written
from scipy.stats import norm

import corteval
from corteval import registry
from corteval.cli import main
from corteval.requests import Probabilities
from corteval.testing import toys
from corteval.testing.subjects import ReplaySubject
from corteval_brainscore.imitation import picture
from corteval_rajalingham2018.data import of_half

BENCHMARKS = [
    "Rajalingham2018-i2n",
    "Rajalingham2018-i2n-legacy",
    "Rajalingham2018public-i2n",
    "Rajalingham2018public-i2n-legacy",
]
benchmarks = pytest.mark.parametrize("identifier", BENCHMARKS)


@pytest.fixture
def generator(archive):
    """A subject that has the probabilities behind the trials, of public and private images."""
    parts = [written(archive, access, seed=n) for n, access in enumerate(["public", "private"])]
    answers = xr.concat([part.responses for part in parts], "presentation")
    return ReplaySubject(responses=answers, identifier="generator")


def created(identifier, **options):
    """Without the resampling behind intervals, which does not move the value."""
    given = registry.benchmarks.card(identifier).options
    for part in ("metric_options", "ceiling_options"):
        options[part] = {**given.get(part, {}), "resamples": 0}
    if registry.benchmarks.card(identifier).ceiling is None:
        options.pop("ceiling_options")
    return registry.benchmarks.create(identifier, **options)


@benchmarks
def test_the_true_generator_scores_at_the_ceiling(generator, identifier):
    """1 up to the noise of 10 (2) halvings; z of few trials curves, so a little off it."""
    score = corteval.score(generator, created(identifier))
    assert score.status == "scored"
    assert score.value == pytest.approx(1, abs=0.1)


@benchmarks
def test_answers_to_other_images_score_at_chance(generator, identifier):
    """0 within four standard errors of a correlation over the cells of all images and objects."""
    mixed = np.random.default_rng(3).permutation(generator.responses.sizes["presentation"])
    wrong = generator.responses.copy(data=generator.responses.values[mixed])
    score = corteval.score(ReplaySubject(responses=wrong), created(identifier))
    cells = len(created(identifier).stimuli()) * 5
    assert abs(score.value) < 4 / np.sqrt(cells) / np.sqrt(0.5)


@benchmarks
def test_the_request_is_a_fit_on_labelled_images_of_eight_degrees(generator, identifier):
    benchmark = created(identifier)
    (request,) = benchmark.requests()
    assert isinstance(request, Probabilities)
    halved = identifier == "Rajalingham2018public-i2n"
    assert len(request.fit) == (30 if halved else 60)
    assert set(request.fit.table.columns) == {"path", "label"}
    assert request.fit.visual_degrees == benchmark.stimuli().visual_degrees == 8.0


@benchmarks
def test_who_gives_no_probabilities_is_not_applicable_before_any_trial_is_read(
    archive, generator, identifier
):
    score = corteval.score(toys.vision(), identifier)
    assert score.status == "not-applicable"
    assert "does not support the task Probabilities" in score.reason
    assert not any("/assy_" in path for path in archive.requests)


# As published, by plain loops


def published_score(p, trials, names):
    """Spec ``metrics`` 2.6 and 2.4: raw over the root of the ceiling, for each of two halvings."""
    order = np.arange(trials.sizes["presentation"])
    state = np.random.RandomState(0)
    ids = sorted(set(trials["stimulus_id"].values))
    truth = dict(zip(trials["stimulus_id"].values, trials["truth"].values, strict=True))
    facts = list(
        zip(
            trials["stimulus_id"].values,
            trials["truth"].values,
            trials["distractor"].values,
            trials.values,
            strict=True,
        )
    )
    model = {}
    for i, k in itertools.product(ids, names):
        if k != truth[i]:
            own, right = (float(p.sel(stimulus_id=i, choice=c)) for c in (k, truth[i]))
            model[i, k] = own / (own + right)
    ratios = []
    for _ in range(2):
        order = np.arange(len(facts))
        state.shuffle(order)
        half = len(facts) // 2
        first, second = (
            sensitivity(rates([facts[n] for n in part]), ids, truth, names)
            for part in (order[:half], order[half:])
        )
        own = sensitivity(model, ids, truth, names)
        ratios.append(correlated(own, first) / np.sqrt(correlated(first, second)))
    return np.mean(ratios)


def rates(facts):
    chosen, offered = {}, {}
    for i, _, k, choice in facts:
        offered[i, k] = offered.get((i, k), 0) + 1
        chosen[i, k] = chosen.get((i, k), 0) + (choice == k)
    return {cell: chosen[cell] / count for cell, count in offered.items()}


def sensitivity(alarms, ids, truth, names):
    """d'(image, k), clipped to ±5, minus its mean over the images of the same object."""
    shown = {t: [i for i in ids if truth[i] == t] for t in names}
    confused = {
        (k, t): np.mean([alarms[i, t] for i in shown[k] if (i, t) in alarms])
        for k, t in itertools.permutations(names, 2)
    }
    d = {}
    with np.errstate(invalid="ignore"):
        for i, k in alarms:
            value = norm.ppf(1 - alarms[i, k]) - norm.ppf(confused[k, truth[i]])
            d[i, k] = np.clip(value, -5, 5)
    mean = {
        (t, k): np.nanmean([d[i, k] for i in shown[t] if (i, k) in d])
        for t, k in itertools.permutations(names, 2)
    }
    return {(i, k): d[i, k] - mean[truth[i], k] for i, k in d}


def correlated(one, other):
    pairs = [(one[c], other[c]) for c in one if c in other]
    x, y = np.array([pair for pair in pairs if not np.isnan(pair).any()]).T
    return np.corrcoef(x, y)[0, 1]


@pytest.mark.parametrize("access", ["private", "public"])
def test_legacy_is_the_mean_of_ratios_of_two_halvings(archive, access):
    if access == "private":
        written(archive, "public", seed=0, objects=5, each=4, trials=1)
    written(archive, access, seed=1, objects=5, each=6, trials=8)
    trials = registry.data.create(f"brainscore/Rajalingham2018.{access}").assembly()
    names = sorted(set(trials["truth"].values))
    ids = sorted(set(trials["stimulus_id"].values))
    other = np.random.default_rng(7).dirichlet(np.ones(5), len(ids))
    model = subject(other, ids, names)
    identifier = f"Rajalingham2018{'public' if access == 'public' else ''}-i2n-legacy"
    expected = published_score(
        model.responses.set_index(presentation="stimulus_id").rename(presentation="stimulus_id"),
        trials,
        names,
    )
    assert corteval.score(model, created(identifier)).value == pytest.approx(expected, abs=1e-9)


def test_default_divides_by_the_root_of_the_consistency_of_halves(generator):
    score = corteval.score(generator, created("Rajalingham2018-i2n"))
    assert score.normalization == "r/sqrt(c)"
    assert score.value == pytest.approx(score.raw.value / np.sqrt(score.ceiling.value), abs=1e-12)


# Halves of the public images


def test_no_public_image_is_tested_that_was_fitted_on(generator):
    benchmark = created("Rajalingham2018public-i2n")
    (request,) = benchmark.requests()
    fitted, tested = set(request.fit.stimulus_ids), set(benchmark.stimuli().stimulus_ids)
    assert len(fitted) == len(tested) == 30
    assert not fitted & tested
    trials = registry.data.create("Rajalingham2018.public-test").assembly()
    assert set(trials["stimulus_id"].values) == tested


def test_published_public_benchmark_says_that_it_tests_what_it_was_fitted_on(generator):
    score = corteval.score(generator, created("Rajalingham2018public-i2n-legacy"))
    assert any("60 of 60 stimuli are among those" in note for note in score.notes)


def test_halves_have_as_many_images_of_each_object_and_do_not_depend_on_their_order():
    ids = [f"image-{n:03d}" for n in range(90)]
    objects = np.repeat(["a", "b", "c"], 30).tolist()
    fit, test = (of_half(ids, objects, half) for half in ("fit", "test"))
    assert sorted(fit + test) == ids
    for half in (fit, test):
        shown = [objects[ids.index(i)] for i in half]
        assert [shown.count(o) for o in "abc"] == [15, 15, 15]
    backwards = of_half(ids[::-1], objects[::-1], "fit")
    assert set(backwards) == set(fit)


def test_a_table_without_labels_is_refused_with_its_columns(archive):
    rows = [{"image_id": "a", "filename": "a.png", "kind": "x"}]
    archive.add_stimuli("objectome.public", rows, {"a.png": picture(1)})
    with pytest.raises(corteval.errors.AssemblyError, match=r"no column 'image_label'.*kind"):
        registry.data.create("Rajalingham2018.public-fit").stimuli()


def test_a_half_has_a_name():
    with pytest.raises(corteval.errors.OptionError, match="fit and test, not 'third'"):
        registry.data.create("Rajalingham2018.public-fit", half="third")


# End to end


def test_pixels_with_a_fitted_readout_are_scored_on_the_command_line(generator, capsys):
    code = main(["score", "pixels", "Rajalingham2018-i2n", "--json", "--yes", "--no-store"])
    row = json.loads(capsys.readouterr().out)
    assert code == 0
    assert row["status"] == "scored"
    assert row["value"] < 0.5
    assert row["provenance"]["digests"].keys() >= {"stimuli", "assembly", "fitting_stimuli"}


@pytest.mark.slow
def test_the_published_number_of_trials_is_scored_with_intervals(archive):
    written(archive, "public", seed=0, objects=24, each=90, trials=1)
    private = written(archive, "private", seed=1, objects=24, each=10)
    score = corteval.score(private, "Rajalingham2018-i2n")
    assert score.value == pytest.approx(1, abs=0.05)
    assert score.interval.low <= score.value <= score.interval.high
