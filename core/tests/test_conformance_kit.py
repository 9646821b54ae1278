"""The conformance kit tested by its failures: each check fails on the toy that is wrong for it."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from core.tests.toy_registry import failures
from core.tests.toy_registry import plugin_file as plugin_file
from core.tests.toy_registry import replacing as replacing
from core.tests.toy_registry import toy_plugins as toy_plugins
from core.tests.wrong_benchmarks import WRONG

from corteval import registry
from corteval.cards import MetricCard
from corteval.errors import UndefinedScore
from corteval.score import Estimate, Score
from corteval.testing import CheckFailure, batteries, run_checks, toys
from corteval.testing.checks.card import bibtex_problem


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
