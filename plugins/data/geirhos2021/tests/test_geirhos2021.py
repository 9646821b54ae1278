"""Trials against numbers that independent code computed from the same files."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from corteval import registry
from corteval.errors import NotInData, OptionError
from corteval_geirhos2021 import card
from corteval_geirhos2021.experiments import CHOICES, CONDITIONS_LEFT_OUT, EXPERIMENTS

#: With reference numbers, which name some conditions differently.
REFERRED = [
    "colour",
    "contrast",
    "cue-conflict",
    "edge",
    "eidolonI",
    "false-colour",
    "high-pass",
    "low-pass",
    "silhouette",
    "stylized",
]
RENAMED = {
    "false-colour": {"False": "false", "True": "true"},
    "high-pass": {"1.0": "1", "3.0": "3"},
}

#: Images of the published benchmarks, after what they leave out (their registry).
STIMULI_OF_BENCHMARKS = {
    "colour": 640,
    "contrast": 800,
    "cue-conflict": 1280,
    "edge": 160,
    "eidolonI": 800,
    "eidolonII": 640,
    "eidolonIII": 480,
    "false-colour": 560,
    "high-pass": 640,
    "low-pass": 800,
    "phase-scrambling": 640,
    "power-equalisation": 560,
    "rotation": 960,
    "silhouette": 160,
    "sketch": 800,
    "stylized": 800,
    "uniform-noise": 800,
}


@pytest.fixture(scope="module")
def trials_of(mirror):
    """Trials of an experiment: `trials_of("colour")`."""
    read = {}

    def trials(name):
        if name not in read:
            read[name] = registry.data.create(f"Geirhos2021.{name}").assembly()
        return read[name]

    return trials


@pytest.fixture(scope="module")
def known_of(reference):
    numbers = reference("real_data_numbers.json")["model_vs_human"]
    return numbers["human_only_17_datasets"].__getitem__


def by_condition(name, trials, known):
    """What is known of each condition, and its trials."""
    for condition, value in known.items():
        named = RENAMED.get(name, {}).get(condition, condition)
        yield value, trials[trials["condition"].values == named]


def accuracy(trials):
    return registry.metrics.create("human_accuracy", resamples=0)(trials).value


def consistency(trials):
    return registry.metrics.create("human_error_consistency", resamples=0)(trials).value


def agreements(trials):
    """Share of stimuli on which two people are both right or both wrong, and kappa, by pair."""
    of = trials["subject"].values
    right = [
        (own.values == own["truth"].values)[np.argsort(own["stimulus_id"].values)]
        for own in (trials[of == name] for name in np.unique(of))
    ]
    observed = [(a == b).mean() for a, b in itertools.combinations(right, 2)]
    expected = [
        a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
        for a, b in itertools.combinations(right, 2)
    ]
    return observed, [(o - e) / (1 - e) for o, e in zip(observed, expected, strict=True)]


def shape_bias_of(trials):
    """Through the registered metric: a source that always says the shape has a bias of 1, so that
    the similarity to the bias b of one subject is 1 - (1 - b) / b."""
    ids, first = np.unique(trials["stimulus_id"].values, return_index=True)
    source = xr.DataArray(
        trials["truth"].values[first],
        dims=["presentation"],
        coords={"stimulus_id": ("presentation", ids)},
    )
    target = trials.drop_vars("subject")
    return 1 / (2 - registry.metrics.create("shape_bias", resamples=0)(source, target).value)


def test_there_are_17_experiments_with_85120_trials(trials_of):
    assert len(EXPERIMENTS) == 17
    assert sum(trials_of(name).sizes["presentation"] for name in EXPERIMENTS) == 85_120


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_person_saw_each_stimulus_once(trials_of, name):
    trials, experiment = trials_of(name), EXPERIMENTS[name]
    people, shown = np.unique(trials["subject"].values), np.unique(trials["stimulus_id"].values)
    assert (len(people), len(shown)) == (experiment.subjects, experiment.stimuli)
    for person in people:
        own = trials[trials["subject"].values == person]
        assert sorted(own["stimulus_id"].values) == list(shown)
        assert sorted(own["trial_number"].values) == list(range(1, len(shown) + 1))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_who_did_not_answer_has_no_reaction_time(trials_of, name):
    trials = trials_of(name)
    silent = trials.values == "na"
    np.testing.assert_array_equal(np.isnan(trials["rt_ms"].values), silent)
    times = trials["rt_ms"].values[~silent]
    assert times.min() > 200 and times.max() < 1501  # they had 1.5 s
    assert set(trials.values[~silent]) == set(CHOICES) == set(trials["truth"].values)
    assert trials.attrs["choices"] == list(CHOICES)


@pytest.mark.parametrize("name", REFERRED)
def test_trials_are_as_many_as_known(trials_of, known_of, name):
    trials, known = trials_of(name), known_of(name)
    assert trials.sizes["presentation"] == known["trials"]
    assert len(np.unique(trials["subject"].values)) == known["subjects"]
    renamed = RENAMED.get(name, {})
    expected = sorted(renamed.get(c, c) for c in known["conditions"])
    assert sorted(np.unique(trials["condition"].values)) == expected


@pytest.mark.parametrize("name", REFERRED)
def test_people_are_right_as_often_as_known(trials_of, known_of, name):
    trials, known = trials_of(name), known_of(name)
    assert accuracy(trials) == pytest.approx(known["accuracy_overall"], abs=1e-9)
    for value, part in by_condition(name, trials, known["accuracy_by_condition"]):
        assert accuracy(part) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("name", REFERRED)
def test_people_err_together_as_known(trials_of, known_of, name):
    trials, known = trials_of(name), known_of(name)
    mean = known["human_human_error_consistency_mean_over_conditions"]
    assert consistency(trials) == pytest.approx(mean, abs=1e-9)
    observed, kappas = [], []
    kappa_of = known["human_human_error_consistency_by_condition"]
    for value, part in by_condition(name, trials, kappa_of):
        assert consistency(part) == pytest.approx(value, abs=1e-9)
        of_pairs = agreements(part)
        assert np.mean(of_pairs[1]) == pytest.approx(value, abs=1e-9)
        observed.append(np.mean(of_pairs[0]))
        kappas += of_pairs[1]
    mean = known["human_human_observed_consistency_mean_over_conditions"]
    assert np.mean(observed) == pytest.approx(mean, abs=1e-9)
    extremes = known["human_pairs_kappa_min_max"]
    assert [min(kappas), max(kappas)] == pytest.approx(extremes, abs=1e-9)


def test_the_shape_bias_of_people_is_as_known(trials_of, known_of, reference):
    trials, known = trials_of("cue-conflict"), known_of("cue-conflict")
    pooled = known["shape_bias_human_mean_over_all_trials"]
    assert shape_bias_of(trials) == pytest.approx(pooled["shape-bias"], abs=1e-9)
    conflicting = trials["truth"].values != trials["texture"].values
    for cue, share in (("truth", "shape"), ("texture", "texture")):
        chosen = (trials.values == trials[cue].values) & conflicting
        assert chosen.mean() == pytest.approx(pooled[f"fraction-correct-{share}"], abs=1e-9)
    for subject, bias in known["shape_bias_per_subject"].items():
        own = trials[trials["subject"].values == subject]
        assert shape_bias_of(own) == pytest.approx(bias, abs=1e-9)


def test_the_seventeen_ceilings_are_the_published_ones(mirror):
    # spec vision-benchmarks 3: .318 to .511, mean .431
    ceilings = {}
    for name, stimuli in STIMULI_OF_BENCHMARKS.items():
        data = registry.data.create(f"Geirhos2021.{name}", conditions="benchmark")
        trials = data.assembly()
        assert len(np.unique(trials["stimulus_id"].values)) == stimuli
        assert not set(data.left_out) & set(trials["condition"].values)
        ceilings[name] = consistency(trials)
    assert round(min(ceilings.values()), 3) == 0.318
    assert round(max(ceilings.values()), 3) == 0.511
    assert round(float(np.mean(list(ceilings.values()))), 3) == 0.431


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_conditions_that_are_left_out_were_shown(trials_of, name):
    trials = trials_of(name)
    assert set(CONDITIONS_LEFT_OUT[name]) < set(trials["condition"].values)
    told = trials.attrs["conditions_left_out_by_benchmarks"]
    assert tuple(told) == CONDITIONS_LEFT_OUT[name]


def test_conditions_can_be_chosen_by_name(trials_of, mirror):
    chosen = registry.data.create("Geirhos2021.contrast", conditions=["c50", "c30"]).assembly()
    assert set(chosen["condition"].values) == {"c30", "c50"}
    one = registry.data.create("Geirhos2021.contrast", conditions="c30").assembly()
    everything = trials_of("contrast")
    expected = everything[everything["condition"].values == "c30"]
    xr.testing.assert_identical(one, expected)


@pytest.mark.parametrize("conditions", ["c31", ["c30", "all"], []])
def test_a_condition_that_was_not_shown_is_an_error(mirror, conditions):
    data = registry.data.create("Geirhos2021.contrast", conditions=conditions)
    with pytest.raises(OptionError, match="it has c01, c03, c05, c10, c100, c15, c30, c50"):
        data.assembly()


def test_an_unknown_experiment_is_an_error():
    with pytest.raises(OptionError, match="'texture'; there are colour, contrast"):
        registry.data.create("Geirhos2021.edge", experiment="texture")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_without_images_it_is_told_where_they_belong(name):
    with pytest.raises(NotInData) as caught:
        registry.data.create(f"Geirhos2021.{name}").stimuli()
    assert f"provided/Geirhos2021.{name}" in str(caught.value)
    assert f"{name}.tar.gz" in str(caught.value)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_stimulus_ids_are_what_recorded_names_match_by(trials_of, mirror, name):
    rule = pytest.importorskip("corteval_recorded.matching").rule
    match = rule("model-vs-human-image" if EXPERIMENTS[name].by_category else "model-vs-human")
    file = next((mirror / card.TRIALS[name][0].url.removeprefix("https://")).parent.glob("*.csv"))
    recorded = pd.read_csv(file, dtype=str)["imagename"].map(match)
    assert sorted(recorded) == list(np.unique(trials_of(name)["stimulus_id"].values))


def test_every_file_of_the_mirror_belongs_to_a_card(mirror):
    sums = (mirror / "SHA256SUMS").read_text().splitlines()
    known = dict(line.split("  ", 1)[::-1] for line in sums)
    files = [file for name in EXPERIMENTS for file in card.TRIALS[name]]
    pinned = {file.url.removeprefix("https://"): file.sha256 for file in files}
    assert pinned == {
        p: s for p, s in known.items() if "/model-vs-human/" in p and "/raw-data/" in p
    }


def test_licences_are_those_of_the_publisher(mirror):
    overview = next(mirror.rglob("model-vs-human/*/licenses/LICENSES_OVERVIEW.md")).read_text()
    words = {"CC-BY-4.0": "CC-BY-4.0 license", "MIT": "MIT license"}
    for name in EXPERIMENTS:
        licence = registry.data.card(f"Geirhos2021.{name}").licence
        paragraph = next(
            p for p in overview.split("\n\n") if name in p.partition(":")[0].split(", ")
        )
        assert words.get(licence, "ImageNet license") in paragraph


def test_three_degrees_are_those_of_the_authors_screen():
    """256 pixels at 123 cm on a screen of 1200 pixels and 30.2 cm in height."""
    from corteval_geirhos2021.trials import VISUAL_DEGREES

    side_cm = 256 * 30.2 / 1200
    degrees = math.degrees(2 * math.atan(side_cm / 2 / 123))
    assert pytest.approx(degrees, abs=0.05) == VISUAL_DEGREES
