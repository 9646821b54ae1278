"""Papale2025 on files of the archive's form, against scikit-learn and numpy alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import ShuffleSplit

import corteval
from corteval import registry
from corteval.cli import main
from corteval.errors import AssemblyError, OptionError
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitated_recordings import write
from corteval_brainscore.imitation import imitated
from corteval_regression.recordings import bins_as_neuroids

REGIONS = ("V1", "V4", "IT")
METRICS = ("ridge", "ridgecv")
IDENTIFIERS = [f"Papale2025.{region}-{metric}" for region in REGIONS for metric in METRICS]
EVERY = [*IDENTIFIERS, *(f"{i}-legacy" for i in IDENTIFIERS)]

#: Alphas that are published for vision: see spec metrics 2.2.
ALPHAS = [
    *(0.01, 0.1, 0.5, 1.0),
    *np.linspace(10, 100, 4, endpoint=False),
    *np.concatenate([np.linspace(10**p, 10 ** (p + 1), 18, endpoint=False) for p in (2, 3, 4, 5)]),
    *np.linspace(1e6, 1e7, 19),
]


def sites(per_group=3):
    """Two animals with sites in each region; in each group one that is not reliable enough."""
    rows = [
        (animal, region, f"{animal}-{region}-{n}", 0.1 if n == 0 else 0.31 + n / 10)
        for animal, more in (("monkeyN", 0), ("monkeyF", 2))
        for region in REGIONS
        for n in range(per_group + 1 + more)
    ]
    names = ("subject", "region", "neuroid_id", "reliability")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(archive, "Papale2025", sites(), noise=1.2, seed=3)


def quick(identifier):
    """Without intervals, which take most of the time."""
    card = registry.benchmarks.card(identifier)
    without = {"resamples": 0}
    options = {**card.options.get("metric_options", {}), **without}
    return registry.benchmarks.create(identifier, metric_options=options, ceiling_options=without)


def generator(written):
    return ReplaySubject(responses=written.causes, identifier="generator", visual_degrees=18.0)


def published(written, features, region, metric, power):
    """Score of `features` as spec metrics 2.2 to 2.4 tell, in scikit-learn and numpy."""
    table = sites()
    animal, where, reliability = (np.array(table[c]) for c in ("subject", "region", "reliability"))
    train, test = written.trials["train"][..., 0], written.trials["test"][..., 0]
    x, x_test = features[: len(train)], features[len(train) :]
    shares = []
    for subject in ("monkeyF", "monkeyN"):
        kept = (animal == subject) & (where == region) & (reliability > 0.3)
        y, y_test = train.mean(axis=1)[:, kept], test.mean(axis=1)[:, kept]
        fit = Ridge(alpha=1) if metric == "ridge" else RidgeCV(alphas=ALPHAS)
        predicted = fit.fit(x, y).predict(x_test)
        r = np.median([np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, y_test.T, strict=True)])
        halves = []
        trials = np.arange(test.shape[1])
        for first, second in ShuffleSplit(10, train_size=0.5, random_state=1).split(trials):
            a, b = (test[:, h][:, :, kept].mean(axis=1) for h in (first, second))
            each = np.array([np.corrcoef(u, v)[0, 1] for u, v in zip(a.T, b.T, strict=True)])
            halves.append(np.median(2 * each / (1 + each)))
        c = np.mean(halves)
        shares.append(r * abs(r) / c if power == 1 else (r / c) ** 2)
    return np.mean(shares)


@pytest.mark.parametrize("identifier", EVERY)
def test_scores_are_those_of_scikit_learn(written, identifier):
    features = np.random.default_rng(5).normal(size=(160, 30))
    features[:, :4] += written.causes.values
    subject = ReplaySubject(
        responses=written.causes.isel(neuroid=[0] * 30)
        .assign_coords(neuroid_id=("neuroid", [f"u{n:02d}" for n in range(30)]))
        .copy(data=features)
    )
    region, metric = identifier.removeprefix("Papale2025.").removesuffix("-legacy").split("-")
    power = 2 if identifier.endswith("legacy") else 1
    score = corteval.score(subject, quick(identifier))
    expected = published(written, features, region, metric, power)
    assert score.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_the_true_generator_is_at_the_ceiling_and_wrong_answers_at_chance(written, identifier):
    subject = generator(written)
    score = corteval.score(subject, identifier)
    assert score.status == "scored"
    assert score.interval.low < 1 < score.interval.high + 0.05
    assert score.ceiling.value == pytest.approx(written.reliability, abs=0.07)
    assert corteval.score(shuffled(subject, 1), quick(identifier)).value < 0.15


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_legacy_scores_of_the_true_generator_exceed_one_by_the_reliability(written, identifier):
    old, new = (
        corteval.score(generator(written), quick(i)) for i in (f"{identifier}-legacy", identifier)
    )
    assert old.value == pytest.approx(new.value / written.reliability, rel=0.08)


@pytest.mark.parametrize("identifier", EVERY)
def test_who_cannot_be_recorded_is_not_applicable_before_any_file_is_asked_for(archive, identifier):
    region = identifier.split(".")[1].split("-")[0]
    score = corteval.score(RefusingSubject(), identifier)  # the archive is empty
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert region in score.reason


@pytest.mark.parametrize("identifier", EVERY)
def test_requests_and_card_say_what_was_published(identifier):
    benchmark = registry.benchmarks.create(identifier)
    region = identifier.split(".")[1].split("-")[0]
    assert len(benchmark.card.summary) <= 100
    assert benchmark.requests() == (Recording(region),)
    assert benchmark.visual_degrees == 18
    assert benchmark.neuroids == {"region": region, "reliability": {"at_least": 0.3}}
    assert benchmark.card.data == ("brainscore/Papale2025_train", "brainscore/Papale2025_test")
    assert benchmark.card.species == "macaque"
    assert benchmark.card.parent == (None if identifier.endswith("legacy") else region)


def test_stimuli_are_shown_at_18_degrees_without_labels(written):
    shown = []

    class Looking:
        identifier, modalities, visual_degrees = "looking", frozenset({"image"}), 8.0

        def supports(self, request):
            return True

        def respond(self, stimuli, requests):
            shown.append(stimuli)
            return generator(written).respond(stimuli, requests)

        def perturbed(self, *perturbations):
            return self

    assert corteval.score(Looking(), "Papale2025.V1-ridge").status == "scored"
    (stimuli,) = shown
    assert (stimuli.visual_degrees, list(stimuli.table.columns)) == (18.0, ["path"])


def test_raw_over_ceiling_is_the_score_and_samples_name_subjects(written):
    score = corteval.score(generator(written), "Papale2025.V1-ridge")
    assert score.raw.value / score.ceiling.value == pytest.approx(score.value, abs=1e-12)
    assert sorted(set(score.samples["subject"].values)) == ["monkeyF", "monkeyN"]
    assert score.samples.sizes == {"split": 1, "neuroid": 8}
    assert "monkeyF r" in score.raw.method


def test_the_order_of_rows_and_units_does_not_matter(written):
    subject = generator(written)
    turned = replace(
        subject,
        responses=subject.responses.isel(presentation=slice(None, None, -1), neuroid=[2, 0, 3, 1]),
    )
    first, second = (corteval.score(s, "Papale2025.V4-ridgecv") for s in (subject, turned))
    assert second.value == pytest.approx(first.value, abs=1e-9)


def test_recorded_responses_played_back_reach_the_ceiling(written):
    benchmark = registry.benchmarks.create("Papale2025.IT-ridge")
    score = corteval.score(ReplaySubject(responses=benchmark.ideal_responses(0)), benchmark)
    assert score.value > 0.9


def test_with_five_subjects_and_more_intervals_speak_for_subjects(archive):
    animals = [f"a{n}" for n in range(6) for _ in range(4)]
    table = {
        "subject": animals,
        "region": ["V1"] * 24,
        "neuroid_id": [f"n{n}" for n in range(24)],
        "reliability": [0.9] * 24,
    }
    written = write(archive, "Papale2025", table)
    score = corteval.score(generator(written), "Papale2025.V1-ridge")
    assert score.interval.scope == "stimuli×subjects"
    assert score.interval.low < score.value < score.interval.high


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say(archive):
    """Twelve recordings of one truth, of which 95 % intervals should miss at most two."""
    held = 0
    for seed in range(12):
        prefix = f"Again{seed}"
        written = write(archive, prefix, sites(6), seed=seed)
        benchmark = registry.benchmarks.create(
            "Papale2025.V1-ridge",
            card=_on(prefix),
            metric_options={"resamples": 300},
            ceiling_options={"resamples": 300},
        )
        interval = corteval.score(generator(written), benchmark, store=None).interval
        held += interval.low <= 1 <= interval.high
    assert held >= 10


def _on(prefix):
    card = registry.benchmarks.card("Papale2025.V1-ridge")
    return replace(card, data=(f"brainscore/{prefix}_train", f"brainscore/{prefix}_test"))


def test_time_bins_become_neuroids_bin_after_bin(written):
    data = registry.data.create("brainscore/Papale2025_test").assembly()
    timed = data.isel(time_bin=[0, 0]).assign_coords(
        time_bin_start_ms=("time_bin", [0.0, 10.0]), time_bin_end_ms=("time_bin", [10.0, 20.0])
    )
    flat = bins_as_neuroids(timed)
    assert flat.sizes == {"presentation": 40, "neuroid": 2 * data.sizes["neuroid"], "trial": 6}
    np.testing.assert_array_equal(flat.values[:, 1::2], data.values[:, :, 0])
    first = data["neuroid_id"].values[0]
    assert list(flat["neuroid_id"].values[:2]) == [f"{first}@0", f"{first}@10"]
    with pytest.raises(AssemblyError, match="no time bins"):
        bins_as_neuroids(data.isel(time_bin=0))


def test_wrong_options_are_told():
    with pytest.raises(OptionError, match="share is"):
        registry.benchmarks.create("Papale2025.V1-ridge", share="r")
    with pytest.raises(OptionError, match="two data sets"):
        registry.benchmarks.create(
            "Papale2025.V1-ridge", card=replace(_on("x"), data=("brainscore/x",))
        ).ceiling()


def test_data_without_subjects_are_refused(archive):
    table = {c: v for c, v in sites().items() if c != "subject"}
    written = write(archive, "Papale2025", table)
    with pytest.raises(AssemblyError, match="coordinate 'subject'"):
        corteval.score(generator(written), "Papale2025.V1-ridge")


def test_the_command_line_scores_it(written, capsys):
    assert main(["score", "pixels", "Papale2025.V1-ridge", "--yes", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    cell = shown if isinstance(shown, dict) else shown[0]
    assert (cell["benchmark"], cell["status"]) == ("Papale2025.V1-ridge", "scored")


@pytest.mark.slow
def test_the_published_shape_of_test_trials_and_sites_is_scored(archive):
    counts = {("monkeyF", "V1"): 332, ("monkeyN", "V1"): 410}
    rows = [
        (subject, region, f"{subject}-{n}", 0.5)
        for (subject, region), c in counts.items()
        for n in range(c)
    ]
    names = ("subject", "region", "neuroid_id", "reliability")
    table = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    written = write(archive, "Papale2025", table, train=(2000, 1), test=(100, 30), noise=2.0)
    score = corteval.score(generator(written), "Papale2025.V1-ridgecv")
    assert score.ceiling.value == pytest.approx(written.reliability, abs=0.02)
    assert score.value == pytest.approx(1, abs=0.05)
