"""Ten benchmarks on files in the archive's form."""

import csv
import json
from itertools import permutations
from pathlib import Path
from statistics import fmean as mean

import numpy as np
import pytest
import xarray as xr
from plugins.benchmarks.malania2007.tests.malania2007_files import (
    ALONE,
    ELEVATIONS,
    FLANKED,
    LEVELS,
    table,
    write,
)
from scipy.stats import norm

import corteval
import corteval_malania2007
from corteval import registry
from corteval.cards import ModelCard
from corteval.cli import main
from corteval.errors import AssemblyError, OptionError, StimuliError
from corteval.requests import Probabilities
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitation import imitated, picture
from corteval_malania2007.benchmark import Vernier
from corteval_malania2007.card import BASELINE, CONDITIONS

ACUITY = "Malania2007.vernieracuity-threshold"
IDENTIFIERS = (*ELEVATIONS, ACUITY)
identifiers = pytest.mark.parametrize("identifier", IDENTIFIERS)
#: Thresholds and elevations of them; arrangements differ in images only.
kinds = pytest.mark.parametrize(
    "identifier",
    [
        pytest.param(i, marks=[] if i == ACUITY or "16" in i else [pytest.mark.slow])
        for i in IDENTIFIERS
    ],
)


@pytest.fixture(scope="module")
def verniers(tmp_path_factory):
    """All sets, shared by the tests that need no others."""
    with imitated(tmp_path_factory.mktemp("archive")) as made:
        write(made, *IDENTIFIERS)
        yield made


def answers(made, thresholds, spread=0.35):
    """Probabilities of a subject with these thresholds: right as often as its function says."""
    rows = made.stimuli().table
    right = np.zeros(len(rows), bool)
    for condition, threshold in thresholds.items():
        for level in LEVELS:
            here = np.flatnonzero((rows["condition"] == condition) & (rows["level"] == level))
            z = (level - threshold) / (spread * threshold) + norm.ppf(0.25 / 0.47)
            right[here[: round((0.5 + 0.47 * norm.cdf(z)) * len(here))]] = True
    left = np.where(right, rows["truth"] == "left", rows["truth"] != "left").astype(float)
    return xr.DataArray(
        np.stack([0.1 + 0.8 * left, 0.9 - 0.8 * left], axis=1),
        dims=["presentation", "choice"],
        coords={
            "stimulus_id": ("presentation", list(rows.index)),
            "choice": ["left", "right"],
        },
    )


def of_thresholds(made, alone, flanked=None):
    thresholds = {BASELINE: alone}
    for condition in set(made.stimuli().table["condition"]) - {BASELINE}:
        thresholds[condition] = flanked
    return ReplaySubject(responses=answers(made, thresholds))


def closeness(own, theirs):
    return max(0.0, 1 - abs(own - theirs) / theirs)


def of_people(identifier):
    if identifier == ACUITY:
        return list(ALONE.values())
    return [FLANKED[p] / ALONE[p] for p in ALONE if FLANKED[p] == FLANKED[p]]


@kinds
def test_scores_and_ceilings_are_those_of_plain_loops_over_known_thresholds(verniers, identifier):
    made = registry.benchmarks.create(identifier)
    result = corteval.score(of_thresholds(made, 26.0, 60.0), made)
    theirs = of_people(identifier)
    own = 26.0 if identifier == ACUITY else 60.0 / 26.0
    expected = mean(closeness(own, t) for t in theirs)
    # the fit is to twelve answers an offset, so the threshold is known to some percent
    assert result.raw.value == pytest.approx(expected, abs=0.08)
    among = mean(closeness(a, b) for a, b in permutations(theirs, 2))
    assert result.ceiling.value == pytest.approx(among, abs=1e-12)
    assert result.value == pytest.approx(result.raw.value / among, abs=1e-12)
    assert result.interval.low < result.value < result.interval.high


def likelihood(parameters, levels, share):
    """Per the published formula, with a grid of starts and lapses from .03 to .5."""
    slope, location, lapse = parameters
    p = 0.5 + (0.5 - lapse) * norm.cdf(slope * (levels - location))
    return -np.sum(share * np.log(p) + (1 - share) * np.log(1 - p))


def test_thresholds_are_those_of_an_independent_fit(verniers):
    from scipy.optimize import minimize

    identifier = "Malania2007.short4-threshold_elevation"
    made = registry.benchmarks.create(identifier)
    subject = of_thresholds(made, 26.0, 55.0)
    rows, found = made.stimuli().table, {}
    right = (subject.responses.values.argmax(axis=1) == 0) == (rows["truth"] == "left").to_numpy()
    for condition in (BASELINE, "short4"):
        here = (rows["condition"] == condition).to_numpy()
        share = np.array([right[here & (rows["level"] == v).to_numpy()].mean() for v in LEVELS])
        fits = [
            minimize(likelihood, (a, b, 0.03), args=(LEVELS, share), method="L-BFGS-B",
                     bounds=[(1e-9, None), (None, None), (0.03, 0.5)])
            for a in np.logspace(-2, 0, 5) for b in LEVELS[::4]
        ]  # fmt: skip
        slope, location, lapse = min((f for f in fits if np.isfinite(f.fun)), key=lambda f: f.fun).x
        found[condition] = location + norm.ppf(0.25 / (0.5 - lapse)) / slope
    own = found["short4"] / found[BASELINE]
    result = corteval.score(subject, made)
    expected = mean(closeness(own, t) for t in of_people(identifier))
    assert result.raw.value == pytest.approx(expected, abs=1e-3)


@kinds
def test_who_is_like_people_scores_at_the_ceiling_and_who_is_shuffled_not(verniers, identifier):
    made = registry.benchmarks.create(identifier)
    ideal = ReplaySubject(responses=made.ideal_responses(0))
    assert corteval.score(ideal, made).value > 0.95
    guesses = [corteval.score(shuffled(ideal, n), made) for n in range(3)]
    assert all(g.status == "undefined" or g.value < 0.15 for g in guesses)
    assert any(g.status == "undefined" and g.reason for g in guesses)


@identifiers
def test_it_asks_for_probabilities_after_labelled_images(verniers, identifier):
    made = registry.benchmarks.create(identifier)
    requests = made.requests()
    assert len(requests) == (9 if identifier == ACUITY else 1)
    for request in requests:
        assert isinstance(request, Probabilities)
        assert set(request.fit.table.columns) == {"path", "label"}
        assert set(request.fit.table["label"]) == {"left", "right"}
        assert request.fit.visual_degrees == 2.986667
    before = len(verniers.requests)
    result = corteval.score(RefusingSubject(), made)
    assert result.status == "not-applicable"
    assert "does not support the task Probabilities" in result.reason
    assert len(verniers.requests) == before
    assert made.stimuli().visual_degrees == 2.986667
    assert set(made.stimuli().shown().table.columns) == {"path"}


def test_fits_without_threshold_count_as_nothing_and_are_named(verniers):
    made = registry.benchmarks.create(ACUITY)
    good = of_thresholds(made, 20.0)
    bad = good.responses.copy(data=good.responses.values[::-1])
    fits = [r.fit for r in made.requests()]

    class Moody:
        """Has a threshold after six of nine fits."""

        identifier, modalities, visual_degrees = "moody", frozenset({"image"}), 8.0

        def supports(self, request):
            return isinstance(request, Probabilities)

        def respond(self, stimuli, requests):
            (request,) = requests
            answer = bad if any(request.fit is fit for fit in fits[:3]) else good.responses
            return ReplaySubject(responses=answer).respond(stimuli, requests)

        def perturbed(self, *perturbations):
            return self

    whole = corteval.score(good, made)
    part = corteval.score(Moody(), made)
    assert part.raw.value == pytest.approx(whole.raw.value * 6 / 9, abs=1e-9)
    named = [note for note in part.notes if note.startswith("no threshold after brainscore/Mal")]
    assert len(named) == 3 and "short2_fit" in named[0]
    assert part.samples.sizes["fit"] == 6
    assert whole.samples["fit"].values.tolist() == [f"{c}_fit" for c in CONDITIONS]


def test_who_did_not_see_the_flankers_is_not_compared_with(verniers):
    identifier = "Malania2007.long2-threshold_elevation"
    result = corteval.score(
        of_thresholds(made := registry.benchmarks.create(identifier), 20.0, 42.0), made
    )
    assert result.samples["subject"].values.tolist() == ["A", "B", "C", "D", "F"]
    assert "the published ceiling, of pooled thresholds, is 0.465" in result.notes
    constant = registry.benchmarks.create(identifier, published_ceiling=0.465)
    assert corteval.score(of_thresholds(made, 20.0, 42.0), constant).ceiling.value == 0.465


def test_other_files_are_refused_with_what_they_have(verniers):
    identifier = "Malania2007.equal2-threshold_elevation"
    with pytest.raises(StimuliError, match="no column offset; it has filename, image_size_degrees"):
        registry.benchmarks.create(identifier, level=("offset",)).stimuli()
    with pytest.raises(StimuliError, match="the offsets of 240 stimuli are no numbers"):
        registry.benchmarks.create(identifier, level=("image_label",)).stimuli()
    card = registry.benchmarks.card(identifier)
    with pytest.raises(OptionError, match="some to fit on, whose names end in _fit"):
        Vernier(card=type(card)(**{**vars(card), "data": card.data[:2]}))


def test_thresholds_in_another_form_are_refused(archive):
    identifier = "Malania2007.equal2-threshold_elevation"
    rows = table(2)
    files = {r["filename"]: picture(n) for n, r in enumerate(rows)}
    for name in (BASELINE, "equal2", "equal2_fit"):
        archive.add_stimuli(f"Malania2007.{name}", rows, files, source="malania2007")
    for name in (BASELINE, "equal2"):
        archive.add_assembly(f"Malania2007.{name}", [[1.0], [2.0]], ("subject", "session"), {},
                             form="PropertyAssembly", source="malania2007")  # fmt: skip
    made = registry.benchmarks.create(identifier)
    with pytest.raises(AssemblyError, match="are along subject; these are along subject, s"):
        made.ceiling()


def test_identifiers_are_the_published_ones():
    path = Path(__file__).parents[5] / "shared" / "reference" / "brainscore_benchmarks.csv"
    if not path.is_file():
        pytest.skip(f"no {path}")
    rows = [r for r in csv.DictReader(path.open()) if r["plugin"] == "malania2007"]
    assert sorted(r["registry_id"] for r in rows) == sorted(IDENTIFIERS)


@pytest.mark.slow
def test_it_runs_at_full_size(archive):
    identifier = "Malania2007.short16-threshold_elevation"
    write(archive, identifier, count=62)  # 1,240 images; the published sets have 1,225
    made = registry.benchmarks.create(identifier)
    result = corteval.score(of_thresholds(made, 20.0, 42.0), made)
    expected = mean(closeness(2.1, t) for t in of_people(identifier))
    assert result.raw.value == pytest.approx(expected, abs=0.02)


def test_it_is_scored_on_the_command_line(verniers, monkeypatch, capsys):
    identifier = "Malania2007.long16-threshold_elevation"
    made = registry.benchmarks.create(identifier)
    subject = of_thresholds(made, 24.0, 50.0)
    monkeypatch.setattr(corteval_malania2007, "made", lambda: subject, raising=False)
    card = ModelCard(
        identifier="replayed", factory="corteval_malania2007:made", licence="MIT", summary="x"
    )
    with registry.models.temporary(card):
        assert main(["score", "replayed", identifier, "--json", "--yes"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)
    assert f"{corteval.score(subject, made).value:.10f}"[:10] in printed
