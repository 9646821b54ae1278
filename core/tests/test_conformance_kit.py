"""The conformance kit tested by its failures: each check fails on the toy that is wrong for it."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

from corteval import registry
from corteval.assembly import check_neural, responses_matrix
from corteval.benchmark import NeuralBenchmark
from corteval.cards import DataCard, MetricCard, ModelFamily, Resource
from corteval.errors import (
    ArchiveError,
    FetchError,
    OptionError,
    PluginError,
    UndefinedScore,
    UnsupportedRequest,
    WrongContent,
)
from corteval.requests import OneOf, Recording, TimeBin, UnitFilter
from corteval.score import Estimate, Score
from corteval.testing import (
    CheckFailure,
    batteries,
    battery,
    run_checks,
    strategies,
    subjects,
    toys,
)
from corteval.testing.checks.card import bibtex_problem

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def toy_plugins():
    with toys.registered():
        yield


def jitter():
    return 1e-9 * np.random.default_rng().random()


def unit_bias(responses):
    """A number that depends on which unit comes first, and on nothing else of the order."""
    return 0.01 * float(np.abs(responses.isel(neuroid=0)).mean())


# Wrong toys: the right one but for one thing. Keys are the checks they fail, and no other.


def like(right, *members, **changes):
    return SimpleNamespace(**{name: getattr(right, name) for name in members} | changes)


def model_like(right, **changes):
    members = ("identifier", "modalities", "visual_degrees", "supports", "respond", "perturbed")
    return like(right, *members, **changes)


def answering(right, change):
    def respond(stimuli, requests):
        return {r: change(a) for r, a in right.respond(stimuli, requests).items()}

    return model_like(right, respond=respond)


def with_nan(answer):
    return answer.where(answer["neuroid_id"] != answer["neuroid_id"][0])


def in_sorted_order(answer):
    return answer.copy(data=answer.values[np.argsort(answer["stimulus_id"].values)])


def with_entropy(right):
    offset = np.random.default_rng().random()
    return answering(right, lambda answer: answer + offset)


def with_global_generator(right):
    def respond(stimuli, requests):
        np.random.random()  # noqa: NPY002
        return right.respond(stimuli, requests)

    return model_like(right, respond=respond)


def remembering(right):
    last: list[Any] = []

    def respond(stimuli, requests):
        offset = float(bool(last) and last != list(requests))
        last[:] = requests
        return {r: a + offset for r, a in right.respond(stimuli, requests).items()}

    return model_like(right, respond=respond)


def scribbling(right):
    def respond(stimuli, requests):
        stimuli.table["seen"] = True
        return right.respond(stimuli, requests)

    return model_like(right, respond=respond)


def painting(right):
    def respond(stimuli, requests):
        for stimulus_id in stimuli.stimulus_ids:
            pixels = stimuli.image(stimulus_id)
            pixels |= 1
        return right.respond(stimuli, requests)

    return model_like(right, respond=respond)


def perturbed_in_place(right):
    current = [right]

    def perturbed(*perturbations):
        current[0] = right.perturbed(*perturbations)
        return current[0]

    return model_like(right, perturbed=perturbed, respond=lambda *a: current[0].respond(*a))


def deaf_to(right, **ignored):
    """Answers recordings as if some of their fields were not there."""

    def respond(stimuli, requests):
        heard = [replace(r, **ignored) if isinstance(r, Recording) else r for r in requests]
        answers = right.respond(stimuli, heard)
        return {r: answers[h] for r, h in zip(requests, heard, strict=True)}

    return model_like(right, respond=respond)


def without_units(request):
    if getattr(request, "units", None):
        raise UnsupportedRequest("This toy takes no filters.")
    return request


WRONG_MODELS = {
    "identity": lambda right: model_like(right, identifier="someone-else"),
    "identity/modalities": lambda right: model_like(right, modalities=frozenset({"text"})),
    "answers": lambda right: answering(right, with_nan),
    "stimulus_order": lambda right: answering(right, in_sorted_order),
    "batch_size": lambda right: answering(right, lambda a: a - 0.1 * a.mean("presentation")),
    "determinism": with_entropy,
    "global_random_state": with_global_generator,
    "stimuli_untouched": scribbling,
    "stimuli_untouched/pixels": painting,
    "statelessness": remembering,
    "perturbed": perturbed_in_place,
    "perturbed/itself": lambda right: model_like(right, perturbed=lambda *_: right),
    "honest_supports": lambda right: model_like(
        right, supports=lambda r: right.supports(r) and not getattr(r, "time_bins", ())
    ),
    "honest_supports/unfiltered": lambda right: model_like(
        right,
        supports=lambda r: right.supports(r) and not getattr(r, "units", None),
        respond=lambda stimuli, requests: right.respond(
            stimuli, [without_units(r) for r in requests]
        ),
    ),
    "honest_supports/units": lambda right: deaf_to(right, units=None),
    "honest_supports/time": lambda right: deaf_to(right, time_bins=()),
}


def wrong_model(how):
    return WRONG_MODELS[how](toys.vision())


def rescored(score, change, **fields):
    value = change(score.raw.value)
    return replace(score, value=value, raw=replace(score.raw, value=value, **fields))


def with_dates(score):
    return replace(score, samples=xr.DataArray(np.array(["2020-01-01"], "M8[ns]"), dims="day"))


def ignoring_source(right):
    def metric(source, target):
        right(source, target)
        return right(target, target)

    return metric


def by_position(right):
    def metric(source, target):
        ids = ("presentation", target["stimulus_id"].values)
        return right(source.assign_coords(stimulus_id=ids), target)

    return metric


def silent(right):
    def metric(source, target):
        try:
            return right(source, target)
        except UndefinedScore:
            return Score(value=np.nan, raw=Estimate(value=np.nan))

    return metric


WRONG_METRICS = {
    "identity": lambda right: lambda s, t: rescored(right(s, t), lambda r: r / 2),
    "identity/bounds": lambda right: lambda s, t: rescored(right(s, t), lambda r: r * 2),
    "noise": ignoring_source,
    "quantity": lambda right: lambda s, t: rescored(right(s, t), float, quantity="R2"),
    "unit_order": lambda right: lambda s, t: rescored(right(s, t), lambda r: r - unit_bias(s)),
    "unit_order/target": lambda right: (
        lambda s, t: rescored(right(s, t), lambda r: r - unit_bias(t))
    ),
    "presentation_order": by_position,
    "determinism": lambda right: lambda s, t: rescored(right(s, t), lambda r: r - jitter()),
    "missing_values": lambda right: lambda s, t: right(s.fillna(0), t),
    "missing_values/target": lambda right: lambda s, t: right(s, t.fillna(0)),
    "constant_source": silent,
    "json_round_trip": lambda right: lambda s, t: with_dates(right(s, t)),
}


def wrong_metric(how, seed=0):
    return WRONG_METRICS[how](toys.Predictivity(seed=seed))


def guessing(right):
    def ceiling(assembly):
        try:
            return right(assembly)
        except UndefinedScore:
            return Estimate(value=0.0)

    return ceiling


def estimating(change):
    def wrong(right):
        def ceiling(assembly):
            estimate = right(assembly)
            return replace(estimate, **change(estimate.value, assembly))

        return ceiling

    return wrong


WRONG_CEILINGS = {
    "estimate": estimating(lambda value, data: {"error": -1.0}),
    "quantity": estimating(lambda value, data: {"quantity": "noise"}),
    "reliability": estimating(lambda value, data: {"value": 1 - value}),
    "determinism": estimating(lambda value, data: {"value": value + jitter()}),
    "unit_order": estimating(lambda value, data: {"value": value - unit_bias(data)}),
    "single_trial": guessing,
}


def wrong_ceiling(how, seed=0):
    return WRONG_CEILINGS[how](toys.Reliability(seed=seed))


def stimuli_with(**changes):
    return lambda right: like(
        right, "assembly", stimuli=lambda: replace(right.stimuli(), **changes)
    )


def with_random_extent(right):
    return stimuli_with(visual_degrees=8 + np.random.default_rng().random())(right)


def without_last(right):
    ids = right.stimuli().stimulus_ids[:-1]
    return like(right, "assembly", stimuli=lambda: right.stimuli().select(ids))


def with_last_image_as_float(right):
    stimuli = right.stimuli()
    last = stimuli.stimulus_ids[-1]
    pixels = {**stimuli.images.pixels, last: stimuli.image(last).astype(float)}
    return stimuli_with(images=toys.Pictures(pixels=pixels))(right)


def with_paths_as_ids(right):
    def renamed(stimulus_id):
        return f"/home/me/{stimulus_id}.png"

    stimuli, assembly = right.stimuli(), right.assembly()
    pixels = {renamed(i): stimuli.image(i) for i in stimuli.stimulus_ids}
    ids = ("presentation", [renamed(i) for i in assembly["stimulus_id"].values])
    moved = replace(
        stimuli, table=stimuli.table.rename(index=renamed), images=toys.Pictures(pixels=pixels)
    )
    return like(
        right, stimuli=lambda: moved, assembly=lambda: assembly.assign_coords(stimulus_id=ids)
    )


def showing_labels(right):
    stimuli = right.stimuli()
    labelled = replace(stimuli, table=stimuli.table.assign(label="dog"))
    members = ("identifier", "modality", "table", "digest", "stimulus_ids", "image")
    leaky = like(labelled, *members, shown=lambda: labelled)
    return like(right, "assembly", stimuli=lambda: leaky)


def assembly_with(change):
    return lambda right: like(right, "stimuli", assembly=lambda: change(right.assembly()))


WRONG_DATA = {
    "stimuli_digest": with_random_extent,
    "assembly_digest": assembly_with(lambda assembly: assembly + jitter()),
    "schema": assembly_with(lambda assembly: assembly.rename(neuroid="cell")),
    "stimuli_match": without_last,
    "stimuli_load": with_last_image_as_float,
    "portable_ids": with_paths_as_ids,
    "hidden_columns": showing_labels,
}


def wrong_data(how):
    return WRONG_DATA[how](toys.ToyData())


@dataclass
class WrongBenchmark:
    card: Any
    requests: Any
    ceiling: Any
    ideal_responses: Any
    call: Any

    def __call__(self, model):
        return self.call(model)


def scoring(change):
    """A benchmark whose score is changed by `change(score, model, right)`."""
    return lambda right: {"call": lambda model: change(right(model), model, right)}


def halved(score, model, right):
    interval = replace(score.interval, low=score.interval.low / 2, high=score.interval.high / 2)
    return replace(score, value=score.value / 2, interval=interval)


def generous(score, model, right):
    return right(subjects.ReplaySubject(responses=right.ideal_responses(0)))


def biased(score, model, right):
    (answer,) = model.respond(toys.ToyData().stimuli(), right.requests()).values()
    bias = unit_bias(answer)
    return replace(score, value=score.value - bias, notes=("the interval is elsewhere",))


def matching_rows_by_position(right):
    ids = ("presentation", toys.ToyData().stimuli().stimulus_ids)

    def call(model):
        relabelled = subjects.InterposedSubject(
            subject=model, change=lambda answer: answer.assign_coords(stimulus_id=ids)
        )
        return right(relabelled)

    return {"call": call}


def seed_dependent(score, model, right):
    return replace(score, raw=replace(score.raw, value=score.raw.value - 0.5 * (right.seed > 0)))


WRONG_BENCHMARKS = {
    "requests": lambda right: {"requests": lambda: ()},
    "asks_as_declared": lambda right: {"requests": lambda: (Recording("V1"),)},
    "ceiling": lambda right: {"ceiling": lambda: Estimate(value=np.nan)},
    "ceiling/random": lambda right: {
        "ceiling": lambda: replace(right.ceiling(), value=1 + jitter())
    },
    "perfect_subject": scoring(halved),
    "shuffled_subject": scoring(generous),
    "row_order": matching_rows_by_position,
    "unit_order": scoring(biased),
    "determinism": scoring(lambda score, *_: replace(score, value=score.value + jitter())),
    "seed": scoring(seed_dependent),
    "score_complete": scoring(lambda score, *_: replace(score, interval=None)),
    "score_complete/ceiling": scoring(
        lambda score, *_: replace(score, ceiling=None, normalization="")
    ),
    "ceiling/lost": lambda right: {"ceiling": lambda: lost()},
    "provenance": scoring(lambda score, *_: replace(score, provenance=None)),
    "json_round_trip": scoring(lambda score, *_: with_dates(score)),
}


def lost():
    raise UndefinedScore("it was here yesterday")


def wrong_benchmark(card, how, seed=0):
    right = NeuralBenchmark(card=card, seed=seed)
    members = ("requests", "ceiling", "ideal_responses")
    parts = {name: getattr(right, name) for name in members} | {"call": right}
    return WrongBenchmark(card=card, **parts | WRONG_BENCHMARKS[how](right))


def wrong_card(right, factory, how, **changes):
    return replace(right, factory=f"{__name__}:{factory}", options={"how": how}, **changes)


UNPINNED = Resource(url="https://example.org/data.zip", sha256="0" * 64, size=0, licence="MIT")
BAD_CARDS = [
    {"summary": ""},
    {"summary": "two\nlines"},
    {"summary": "long " * 30},
    {"licence": " "},
    {"version": 0},
    {"bibtex": ""},
    {"bibtex": "@misc{key, title = {open}"},
    {"bibtex": "Author (2020)"},
    {"resources": (UNPINNED,)},
]

#: (kind, check that must fail, card)
WRONG = [
    *(
        (kind, how.partition("/")[0], wrong_card(right, factory, how))
        for kind, right, factory, table in (
            ("models", toys.VISION, "wrong_model", WRONG_MODELS),
            ("metrics", toys.PREDICTIVITY, "wrong_metric", WRONG_METRICS),
            ("metrics", toys.RELIABILITY, "wrong_ceiling", WRONG_CEILINGS),
            ("data", toys.DATA, "wrong_data", WRONG_DATA),
            ("benchmarks", toys.BENCHMARK, "wrong_benchmark", WRONG_BENCHMARKS),
        )
        for how in table
    ),
    *(("data", "card", replace(toys.DATA, **change)) for change in BAD_CARDS),
    ("data", "factory", replace(toys.DATA, factory="corteval.testing.toys:missing")),
    ("data", "factory", replace(toys.DATA, factory="corteval.testing.toys:_BIBTEX")),
    ("data", "factory", replace(toys.DATA, options={"colour": "red"})),
    ("data", "modality", replace(toys.DATA, modality="text")),
    ("metrics", "symmetry", replace(toys.PREDICTIVITY, symmetric=True)),
]


@pytest.fixture
def replacing():
    """Puts a card in the place of the toy of its name; `toy_plugins` takes it away again."""
    return lambda kind, card: registry.KINDS[kind].add(card, replace=True)


def failures(results):
    return [r.name for r in results if not r.ok]


@pytest.mark.parametrize(
    ("kind", "check", "card"),
    WRONG,
    ids=[
        f"{kind}-{check}-{card.options.get('how', n)}"
        for n, (kind, check, card) in enumerate(WRONG)
    ],
)
def test_a_wrong_toy_fails_exactly_its_check(replacing, kind, check, card):
    replacing(kind, card)
    failed = [r for r in run_checks(card.identifier, kind=kind) if not r.ok]
    assert [r.name for r in failed] == [check], failed
    assert isinstance(failed[0].error, CheckFailure), "a message for a person, not a stray error"


@pytest.mark.parametrize("kind", list(toys.CARDS))
def test_right_toys_pass_everything(kind):
    for card in toys.CARDS[kind]:
        results = run_checks(card.identifier)
        assert {r.kind for r in results} == {kind}
        assert not failures(results), [r for r in results if not r.ok]
        skipped = {r.name for r in results if r.status == "skipped"}
        assert skipped <= {"light_import", "symmetry"}, skipped


def test_a_benchmark_may_do_without_a_ceiling_if_its_card_names_none():
    bare = replace(toys.BENCHMARK, identifier="ToyData.IT-bare", ceiling=None)
    with registry.benchmarks.temporary(bare):
        results = {r.name: r for r in run_checks("ToyData.IT-bare")}
    assert not failures(results.values())
    skipped = {name for name, r in results.items() if r.status == "skipped"}
    assert skipped == {"light_import", "ceiling"}
    assert "names no ceiling" in results["ceiling"].message


def test_every_check_has_a_wrong_toy():
    failed = {(kind, check) for kind, check, _ in WRONG} | {("data", "light_import")}
    for kind, cards in toys.CARDS.items():
        for card in cards:
            for check in batteries.checks_for(card):
                name = check.__name__.removeprefix("check_")
                shared = check in batteries.CARD
                assert ("data" if shared else kind, name) in failed


@pytest.fixture
def plugin_file(tmp_path, monkeypatch):
    def write(text):
        light = (
            "from corteval.cards import DataCard\n"
            "FILED = DataCard(identifier='Filed', factory='corteval.testing.toys:ToyData',"
            " summary='In a file', licence='MIT', bibtex='@misc{x, title = {x}}')\n"
        )
        (tmp_path / "filed.py").write_text(text + light)
        monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(tmp_path))
        registry.reload()

    yield write
    monkeypatch.undo()
    registry.reload()


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("", []),
        ("import numpy\n", ["light_import"]),
        ("print('hello')\n", ["light_import"]),
        (
            "from corteval.cards import ModelCard\ndef build(): pass\nOWN = ModelCard(identifier="
            "'own', factory=f'{__name__}:build', summary='Its own', licence='MIT')\n",
            [],
        ),
    ],
)
def test_heavy_and_loud_card_modules_are_found_out(plugin_file, capsys, text, failed):
    plugin_file(text)
    results = run_checks("Filed")
    assert failures(results) == failed
    assert [r.status for r in results if r.name == "light_import"] != ["skipped"]


def test_a_module_that_cannot_be_imported_alone_tells_its_error_in_one_line(plugin_file):
    plugin_file("import sys\nif 'pytest' not in sys.modules: raise ValueError('only here')\n")
    (failed,) = [r for r in run_checks("Filed") if r.status == "failed"]
    assert failed.message.endswith("filed.py cannot be imported alone: ValueError: only here")


# The runner


def test_results_come_one_by_one():
    seen = []
    assert run_checks("ToyData", on_result=seen.append) == seen
    assert all(r.seconds >= 0 for r in seen)


def test_an_expected_failure_is_no_failure_and_keeps_its_reason(replacing):
    replacing("models", wrong_card(toys.VISION, "wrong_model", "batch_size"))
    results = run_checks("toy-vision", expect_fail={"batch_size": "known, issue 7"})
    assert not failures(results)
    (expected,) = [r for r in results if r.status == "expected-failure"]
    assert expected.name == "batch_size"
    assert "issue 7" in expected.message


def test_an_expected_failure_that_passes_is_a_failure():
    results = run_checks("toy-vision", expect_fail={"batch_size": "known"})
    assert [(r.name, r.status) for r in results if not r.ok] == [("batch_size", "unexpected-pass")]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"expect_fail": {"colour": "why"}}, "colour"),
        ({"expect_fail": {"batch_size": ""}}, "Say why"),
        ({"kind": "animals"}, "animals"),
    ],
)
def test_misuse_is_an_error(options, word):
    with pytest.raises(OptionError, match=word):
        run_checks("toy-vision", **options)


def test_a_battery_without_checks_is_an_error(monkeypatch):
    monkeypatch.setattr(batteries, "checks_for", lambda card: ())
    with pytest.raises(OptionError, match="no checks"):
        run_checks("toy-vision")


def test_a_broken_plugin_raises_its_error(plugin_file):
    plugin_file("import nonexistent_library\n")
    with pytest.raises(PluginError, match="nonexistent_library"):
        run_checks("filed")


def test_an_identifier_of_several_kinds_runs_all_batteries():
    with registry.models.temporary(replace(toys.VISION, identifier="ToyData")):
        assert {plan.specimen.kind for plan in battery("ToyData")} == {"models", "data"}
        assert {plan.specimen.kind for plan in battery("ToyData", kind="data")} == {"data"}


def test_a_family_is_checked_by_its_card_alone():
    family = ModelFamily(
        identifier="fam", factory=f"{__name__}:member", summary="A family", licence="MIT"
    )
    with registry.models.temporary(family):
        assert not failures(run_checks("fam"))
        assert len(battery("fam")) == len(batteries.CARD)


def member(member):
    return toys.vision()


def unavailable(error):
    def raise_it():
        kinds = {"fetch": FetchError, "archive": ArchiveError, "wrong": WrongContent}
        raise kinds[error]("no network here")

    return SimpleNamespace(stimuli=raise_it, assembly=raise_it)


LACKING = DataCard(
    identifier="Lacking",
    factory=f"{__name__}:unavailable",
    summary="Data that cannot be had",
    licence="MIT",
    bibtex="@misc{x, title = {x}}",
    options={"error": "fetch"},
)


def test_data_that_cannot_be_had_are_skipped_with_the_reason():
    with registry.data.temporary(LACKING):
        results = run_checks("Lacking")
    assert not failures(results)
    lacking = [r for r in results if r.missing_data]
    assert {r.status for r in lacking} == {"skipped"}
    assert {r.message for r in lacking} == {"no network here"}
    assert len(lacking) == len(batteries.DATA)


@pytest.mark.parametrize("error", ["archive", "wrong"])
def test_a_damaged_archive_or_another_file_is_a_failure(error):
    with registry.data.temporary(replace(LACKING, options={"error": error})):
        assert len(failures(run_checks("Lacking"))) == len(batteries.DATA)


class Histogram:
    """Fraction of neuroids whose value falls into the bins where the data have counts."""

    def __call__(self, source, target):
        responses = check_range(source), check_range(target)
        edges = target["edge"].values
        share = np.isin(np.digitize(responses[0], edges), np.flatnonzero(target.values) + 1).mean()
        return Score(value=share, raw=Estimate(value=float(share)))


def check_range(assembly):
    if np.isnan(assembly.values).any():
        raise UndefinedScore("NaN")
    return assembly.values


def histogram_inputs():
    def values(numbers):
        ids = {"neuroid_id": ("neuroid", [f"n{i}" for i in range(len(numbers))])}
        return xr.DataArray(numbers, dims="neuroid", coords=ids)

    target = xr.DataArray([3, 0, 2], dims="bin", coords={"edge": ("bin", [0.0, 1.0, 2.0])})
    return values([0.5, 0.2, 2.5, 2.1]), target, values([1.5, 1.2, 2.5, 1.1])


def test_a_metric_of_other_shapes_takes_inputs_from_its_example():
    card = MetricCard(
        identifier="hist",
        factory=f"{__name__}:Histogram",
        summary="Other shapes",
        licence="MIT",
        bounds=(0.0, 1.0),
    )
    with registry.metrics.temporary(card):
        assert failures(run_checks("hist"))
    with registry.metrics.temporary(replace(card, example=f"{__name__}:histogram_inputs")):
        results = run_checks("hist")
    assert not failures(results), results
    assert [r.name for r in results if r.status == "passed"].count("noise") == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("@article{key,\n title = {A {Nested} title}}\n\n@misc{b, year = 2020}", ""),
        ("@misc{key, title = {open}", "not closed"),
        ("@misc{key, title = shut}}", "not opened"),
        ("@misc{key, title = {x}} and more", "an entry starts"),
        ("@misc{, title = {no key}}", "an entry starts"),
    ],
)
def test_bibtex_is_read(text, problem):
    found = bibtex_problem(text)
    assert problem in found
    assert bool(found) == bool(problem)


# Subjects and strategies


@pytest.fixture
def replay():
    return subjects.ReplaySubject(responses=responses_matrix(toys.ToyData().assembly()))


def test_a_replay_answers_by_id_with_filters_and_time_bins(replay):
    ids = ["image-007", "image-003"]
    units = UnitFilter((OneOf("neuroid_id", ("neuroid-02",)),))
    request = Recording("IT", (TimeBin(0, 10), TimeBin(10, 20)), units=units)
    answer = replay.respond(toys.ToyData().stimuli().select(ids), [request])[request]
    expected = toys.ToyData().assembly().mean("trial").values[[7, 3], 2]
    np.testing.assert_array_equal(answer.isel(neuroid=0, time_bin=1), expected)
    assert list(check_neural(answer)["stimulus_id"].values) == ids
    stored = subjects.ReplaySubject(responses=answer)
    late = Recording("V1", (TimeBin(10, 20),))
    assert stored.supports(late)
    assert not stored.supports(Recording("V1", (TimeBin(30, 40),)))
    shown = toys.ToyData().stimuli().select(ids)
    assert list(stored.respond(shown, [late])[late]["time_bin_start_ms"].values) == [10]
    with pytest.raises(UnsupportedRequest, match="image-000"):
        stored.respond(toys.ToyData().stimuli(), [late])


def test_shuffling_leaves_no_stimulus_its_own_response(replay):
    wrong = subjects.shuffled(replay, seed=1).responses
    assert set(wrong.values[:, 0]) == set(replay.responses.values[:, 0])
    assert (wrong.values[:, 0] != replay.responses.values[:, 0]).all()


@settings(max_examples=25, deadline=None)
@given(strategies.stimulus_sets() | strategies.stimulus_sets("text"))
def test_drawn_stimuli_are_valid(stimuli):
    assert len(stimuli.digest()) == 64
    assert stimuli.select(stimuli.stimulus_ids) == stimuli


@settings(max_examples=25, deadline=None)
@given(strategies.neural_assemblies())
def test_drawn_assemblies_are_valid(assembly):
    assert np.isfinite(check_neural(assembly).values).all()


# The pytest plugin


@pytest.fixture
def conformance(pytester, monkeypatch):
    """Runs a conformance test file with the given marker in a pytest of its own."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CORTEVAL_REQUIRE_DATA", raising=False)

    def run(marker, arguments="identifier, check", body="check(identifier)"):
        pytester.makepyfile(
            f"import pytest\n\n@pytest.mark.conformance({marker})\n"
            f"def test_conformance({arguments}):\n    {body}\n"
        )
        return pytester.runpytest_inprocess(
            "-p", "corteval.testing.pytest_plugin", "-rA", "--strict-markers"
        )

    return run


def test_every_check_is_an_item(conformance):
    result = conformance("'toy-vision', 'ToyData'")
    count = len(batteries.CARD + batteries.MODEL) + len(batteries.CARD + batteries.DATA)
    result.assert_outcomes(passed=count - 2, skipped=2)
    result.stdout.fnmatch_lines(["*test_conformance?toy-vision-batch_size?*"])


def test_a_failing_check_tells_its_message_without_a_traceback(conformance, replacing):
    replacing("models", wrong_card(toys.VISION, "wrong_model", "batch_size"))
    result = conformance("'toy-vision'")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*evaluation mode*"])
    result.stdout.no_fnmatch_line("*checks/model.py*")


def test_expected_failures_are_strict(conformance, replacing):
    replacing("models", wrong_card(toys.VISION, "wrong_model", "batch_size"))
    result = conformance("'toy-vision', expect_fail={'batch_size': 'issue 7'}")
    assert result.parseoutcomes()["xfailed"] == 1
    assert "failed" not in result.parseoutcomes()
    result = conformance("'ToyData', expect_fail={'schema': 'issue 8'}")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*XPASS(strict)*issue 8*"])


def test_missing_data_skip_unless_they_are_required(conformance, monkeypatch):
    with registry.data.temporary(LACKING):
        outcome = conformance("'Lacking'").parseoutcomes()
        assert outcome["skipped"] == len(batteries.DATA) + 1
        monkeypatch.setenv("CORTEVAL_REQUIRE_DATA", "1")
        result = conformance("'Lacking'")
    assert result.parseoutcomes()["failed"] == len(batteries.DATA)
    result.stdout.fnmatch_lines(["*CORTEVAL_REQUIRE_DATA=1, but no network here*"])


@pytest.mark.parametrize(
    ("marker", "arguments", "message"),
    [
        ("", "identifier, check", "*names no identifier, so no check would run*"),
        ("'toy-visoin'", "identifier, check", "*toy-vision*"),
        ("'toy-vision'", "identifier", "*takes the arguments identifier and check*"),
        ("'toy-vision', colour=1", "identifier, check", "*colour*"),
        ("'toy-vision', expect_fail={'x': 'y'}", "identifier, check", "*no check 'x'*"),
    ],
)
def test_misuse_fails_at_collection(conformance, marker, arguments, message):
    result = conformance(marker, arguments, "pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_the_registry_fixture_isolates(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        from corteval import registry
        from corteval.testing import toys

        def test_adds(corteval_registry):
            assert list(corteval_registry.models) == []
            corteval_registry.models.add(toys.TEXT)
            assert list(corteval_registry.models) == ["toy-text"]

        def test_after():
            assert {"toy-text", "toy-vision"} <= set(registry.models)
        """
    )
    result = pytester.runpytest_inprocess("-p", "corteval.testing.pytest_plugin")
    result.assert_outcomes(passed=2)
