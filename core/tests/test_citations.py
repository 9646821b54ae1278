"""What is to be cited: each entry once, of everything that the records of a run used."""

import json
import re
from dataclasses import replace

import pytest

from corteval import registry
from corteval.cards import BenchmarkCard, DataCard, MetricCard, ModelCard
from corteval.cli import main
from corteval.report.citations import CORTEVAL, Citations, of_cards, of_names, of_scores
from corteval.run import records
from corteval.run.cells import Cell
from corteval.run.folder import RunFolder
from corteval.run.plan import Plan
from corteval.run.records import Record
from corteval.score import Provenance, Score

COMMON = {"factory": "a.b:c", "summary": "s", "licence": "MIT"}


def entry(key, title="T"):
    return f"@article{{{key}, title = {{{title}}}}}"


CARDS = {
    "models": [
        ModelCard(identifier="cited", bibtex=entry("net"), **COMMON),
        ModelCard(identifier="silent", **COMMON),
    ],
    "metrics": [
        MetricCard(identifier="fit", bibtex=entry("fit"), **COMMON),
        MetricCard(identifier="halves", bibtex=entry("halves"), role="ceiling", **COMMON),
    ],
    "data": [DataCard(identifier="Newts", bibtex=f"{entry('newts')}\n\n{entry('pond')}", **COMMON)],
    "benchmarks": [
        BenchmarkCard(
            identifier="Newts.V1",
            bibtex=entry("bench"),
            data=("Newts",),
            metric="fit",
            ceiling="halves",
            **COMMON,
        ),
        BenchmarkCard(identifier="Newts.V2", data=("Newts",), metric="gone", **COMMON),
    ],
}
USED = {
    "models/cited": 1,
    "benchmarks/Newts.V1": 1,
    "data/Newts": 1,
    "metrics/fit": 1,
    "metrics/halves": 1,
}


@pytest.fixture(autouse=True)
def registered():
    with (
        registry.models.temporary(*CARDS["models"]),
        registry.metrics.temporary(*CARDS["metrics"]),
        registry.data.temporary(*CARDS["data"]),
        registry.benchmarks.temporary(*CARDS["benchmarks"]),
    ):
        yield


def keys(text):
    return re.findall(r"@\w+\{(\w+)", text)


def score(model="cited", benchmark="Newts.V1", used=USED, **fields):
    made = Score(value=0.5, model=model, benchmark=benchmark, provenance=Provenance(cards=used))
    return replace(made, **fields)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of two models on a benchmark, in a home of its own."""
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path))
    plan = Plan(
        models=("cited", "silent"), benchmarks=("Newts.V1",), seed=0, isolation="none", known=(),
        tasks=(),
    )  # fmt: skip
    return RunFolder.create(plan)


def keep(*scores):
    for made in scores:
        cell = Cell(model=made.model, benchmark=made.benchmark)
        records.default().add(Record(cell=cell, key=made.model, score=made))


def test_a_benchmark_brings_its_parts_and_corteval_comes_last():
    found = of_cards([("benchmarks", CARDS["benchmarks"][0]), ("models", CARDS["models"][1])])
    entries, said = found.entries()
    assert keys("\n".join(entries)) == ["bench", "newts", "pond", "fit", "halves", "corteval"]
    assert found.silent == (("models", "silent"),) and not said and not found.remarks


def test_a_key_that_is_cited_twice_is_printed_once_and_a_difference_is_told():
    other = {("models", n): entry("net", "Another") for n in "abcde"}
    found = Citations(bibtex={("models", "x"): entry("net"), **other, ("data", "y"): entry("net")})
    entries, said = found.entries()
    assert entries == [entry("net")]
    assert said == [
        "The work net is described by x in other words than by a, b, c and 2 more; the entry of x "
        "is printed. Check its details before you publish it."
    ]


def test_parts_and_models_that_are_not_installed_are_remarked_on():
    found = of_cards([("benchmarks", CARDS["benchmarks"][1])])
    assert any("Newts.V2 uses gone" in remark for remark in found.remarks)
    found = of_names(["cited", "absent"], ["Newts.V1"])
    assert ["absent is left out" in remark for remark in found.remarks] == [True]
    assert keys("\n".join(found.entries()[0]))[0] == "net"


def test_scores_are_cited_by_what_their_provenance_names():
    used = {"models/cited": 1, "data/Newts": 1}
    entries, _ = of_scores([score(used=used), score(used=used)]).entries()
    assert keys("\n".join(entries)) == ["net", "newts", "pond", "corteval"]


def test_scores_of_another_version_or_of_nothing_known_are_remarked_on():
    remarks = of_scores([score(used={"models/cited": 2}), score(provenance=None)]).remarks
    assert remarks == (
        "1 score does not say what it was computed with.",
        "cited was used in version 2; its entries are those of version 1.",
    )
    assert "nonsense/x" not in of_scores([score(used={"nonsense/x": 1})]).bibtex
    (remark,) = of_scores([score(used={"nonsense/x": 1})]).remarks
    assert "'nonsense' is no kind of plugin" in remark


def test_a_run_is_cited_by_its_records_and_says_which_cells_have_none(run, capsys):
    keep(score(), score(model="elsewhere", used={"models/silent": 1}))
    assert main(["cite", "--run", run.folder.name]) == 0
    told = capsys.readouterr()
    wanted = ["net", "bench", "newts", "pond", "fit", "halves", "corteval"]
    assert sorted(keys(told.out)) == sorted(wanted)
    assert told.out.rstrip().endswith(CORTEVAL)
    assert "1 cell of the run has no record" in told.err
    assert "silent" not in told.err  # of a cell that is not of the run


def test_of_a_cell_with_several_records_the_last_one_counts(run, capsys):
    keep(score(used={"models/silent": 1}), score(used={"models/cited": 1}, value=0.6))
    assert main(["cite", "--run", "last", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [c["identifier"] for c in said["citations"]] == ["cited", "corteval"]
    assert any("no record" in remark for remark in said["remarks"])


def test_a_run_without_scores_and_both_or_neither_of_names_and_run_are_errors(run, capsys):
    assert main(["cite", "--run", run.folder.name]) == 2
    assert "no records of the run" in capsys.readouterr().err
    lost = Score.unscored("failed", "it broke", model="cited", benchmark="Newts.V1")
    keep(lost)
    assert main(["cite", "--run", run.folder.name]) == 2
    assert "has a score; `corteval status` tells why" in capsys.readouterr().err
    assert main(["cite"]) == 2
    assert "Name plugins, or a run with --run.\n" in capsys.readouterr().err
    assert main(["cite", "cited", "--run", "last"]) == 2
    assert "not both" in capsys.readouterr().err
    assert main(["cite", "--run", "nonesuch"]) == 2
