"""What of scores on private data leaves the lab: nothing of single neuroids, stimuli, subjects."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from corteval import registry, settings
from corteval.benchmark import NeuralBenchmark
from corteval.cards import DataFamily
from corteval.cli import main
from corteval.errors import AssemblyError
from corteval.intervals import Replicates
from corteval.score import Estimate, Provenance, Score
from corteval.scoring import score, score_all
from corteval.sharing import REDACTED, private_data, redacted, shareable
from corteval.testing import subjects, toys

PUBLIC = "ToyData.IT-predictivity"
PRIVATE = "OurToys.IT-predictivity"
OURS = replace(toys.DATA, identifier="OurToys", access="private")
ON_OURS = replace(toys.BENCHMARK, identifier=PRIVATE, data=("OurToys",))
ON_BOTH = replace(toys.BENCHMARK, identifier="Both.IT-predictivity", data=("OurToys", "ToyData"))


class Broken:
    """A benchmark whose error tells of single stimuli."""

    def __init__(self, card):
        self.card = card
        self.inner = NeuralBenchmark(card=card)

    def requests(self):
        return self.inner.requests()

    def ceiling(self):
        return self.inner.ceiling()

    def __call__(self, model):
        raise AssemblyError("No response to 1 stimuli: patient-17.")


def unbuilt(card):
    raise AssemblyError("No response to 1 stimuli: patient-17.")


def card_of_member(name):
    return replace(OURS, identifier=f"lab/{name}")


@pytest.fixture(autouse=True)
def plugins(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(tmp_path)
    family = DataFamily(
        identifier="lab", factory="a:b", catalogue=f"{__name__}:card_of_member", summary="s",
        licence="MIT",
    )  # fmt: skip
    with toys.registered(), registry.data.temporary(OURS, family):
        with registry.benchmarks.temporary(ON_OURS, ON_BOTH):
            yield


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main(["score", *arguments])
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def sensitive(access, **changes):
    """A score with everything that a metric may know."""
    found = Replicates(scope="stimuli", sizes=(3,), values=(0.1, 0.2, 0.3))
    estimate = Estimate(value=0.5, error=0.1, method="m", replicates=(found,), splits="abc")
    samples = xr.DataArray(
        [0.1, 0.9], dims="neuroid", coords={"neuroid_id": ("neuroid", ["a", "b"])}
    )
    fields = {
        "value": 0.7, "raw": estimate, "ceiling": replace(estimate, value=0.8), "samples": samples,
        "notes": ("a note",), "provenance": Provenance(access=access, digests={"assembly": "d"}),
        "model": "m", "benchmark": "b",
    }  # fmt: skip
    return Score(**fields | changes)


# Records


@pytest.mark.parametrize(
    ("access", "private"),
    [
        ({}, ()),
        ({"A": "public", "B": "on request"}, ()),
        ({"A": "public", "C": "private", "B": "private"}, ("B", "C")),
    ],
)
def test_private_data_are_those_that_the_provenance_calls_private(access, private):
    assert private_data(sensitive(access)) == private
    assert private_data(sensitive(access, provenance=None)) == ()


def test_a_report_for_others_holds_no_score_on_private_data():
    kept, also = sensitive({"A": "public"}), sensitive({"A": "on request"})
    mixed = sensitive({"A": "public", "B": "private"})
    assert shareable([kept, mixed, also]) == [kept, also]
    assert shareable(iter([mixed])) == []


def test_a_redacted_score_keeps_value_interval_and_digests_and_nothing_of_single_ones():
    whole = sensitive({"Ours": "private"})
    less = redacted(whole)
    assert less.samples is None
    assert (less.raw.replicates, less.ceiling.replicates) == ((), ())
    for name in ("value", "interval", "normalization", "provenance", "model", "status"):
        assert getattr(less, name) == getattr(whole, name)
    for name in ("value", "error", "method", "splits"):
        assert getattr(less.raw, name) == getattr(whole.raw, name)
    assert (less.raw.value, less.ceiling.value) == (0.5, 0.8)
    assert less.notes == ("a note", REDACTED)
    assert redacted(less) == less  # the note is not added twice
    assert "neuroid_id" not in less.to_json() and "neuroid_id" in whole.to_json()


def test_scores_on_data_that_are_not_private_stay_whole():
    for access in ({}, {"A": "public"}, {"A": "on request"}):
        whole = sensitive(access)
        assert redacted(whole) is whole


def test_a_score_without_estimates_can_be_redacted():
    bare = Score.unscored("undefined", "r", provenance=Provenance(access={"A": "private"}))
    assert redacted(bare).raw is None
    assert redacted(bare).status == "undefined"


# Scoring says who may have the data


def test_a_score_says_who_may_have_its_data():
    assert score("toy-vision", PUBLIC).provenance.access == {"ToyData": "public"}
    assert score("toy-vision", PRIVATE).provenance.access == {"OurToys": "private"}
    own = NeuralBenchmark(card=ON_OURS)  # an object, built by hand
    assert private_data(score("toy-vision", own)) == ("OurToys",)


def test_members_of_families_and_several_data_sets_are_told_each():
    member = replace(toys.BENCHMARK, identifier="Lab.IT-predictivity", data=("lab/Mine",))
    with registry.benchmarks.temporary(member):
        result = score("toy-vision", "Lab.IT-predictivity")
    assert result.provenance.access == {"lab/Mine": "private"}
    (failed,) = score_all(["toy-vision"], ["Both.IT-predictivity"])  # it takes one data set only
    assert failed.status == "failed"
    assert failed.provenance.access == {"OurToys": "private", "ToyData": "public"}


def test_what_a_benchmark_says_of_its_own_data_is_kept():
    class Careful(Broken):
        def __call__(self, model):
            access = {"in-house": "private"}
            return sensitive(access)

    result = score("toy-vision", Careful(toys.BENCHMARK))
    assert result.provenance.access == {"in-house": "private", "ToyData": "public"}


@pytest.mark.parametrize("factory", ["Broken", "unbuilt"])
def test_a_cell_that_failed_on_private_data_is_private_too(factory):
    card = replace(ON_OURS, identifier="Broken.IT", factory=f"{__name__}:{factory}")
    with registry.benchmarks.temporary(card):
        results = [*score_all(["toy-vision", "no-such-model"], ["Broken.IT"])]
    assert {r.status for r in results} == {"failed"}
    assert [private_data(r) for r in results] == [("OurToys",)] * 2
    assert "patient-17" in results[0].reason
    assert shareable(results) == []


def test_cells_without_a_score_on_private_data_are_private_too():
    undefined = score("toy-vision", NeuralBenchmark(card=ON_OURS, trials=1))  # allows no ceiling
    unable = score(subjects.RefusingSubject(), PRIVATE)
    assert (undefined.status, unable.status) == ("undefined", "not-applicable")
    assert private_data(undefined) == private_data(unable) == ("OurToys",)


# Records as text


def test_records_with_access_survive_json():
    whole = sensitive({"A": "public", "B": "private"})
    again = Score.from_json(whole.to_json())
    assert again == whole
    assert again.provenance.access == {"A": "public", "B": "private"}
    assert Score.from_json(redacted(whole).to_json()) == redacted(whole)


def test_older_records_that_say_nothing_of_access_are_read():
    content = json.loads(sensitive({"A": "private"}).to_json())
    del content["provenance"]["access"]
    again = Score.from_json(json.dumps(content))
    assert again.provenance == Provenance(digests={"assembly": "d"})
    assert private_data(again) == ()


# The command line


def test_records_of_private_data_are_redacted_and_those_of_public_data_are_whole(run):
    result = run("toy-vision", f"{PUBLIC},{PRIVATE}", "--output", "records.jsonl")
    assert result.code == 0, result.err
    public, private = map(Score.from_json, Path("records.jsonl").read_text().splitlines())
    assert public.samples is not None and public.raw.replicates and public.ceiling.replicates
    assert REDACTED not in public.notes
    assert (private.samples, private.raw.replicates) == (None, ())
    assert private.ceiling.replicates == ()
    assert private.provenance.access == {"OurToys": "private"}
    assert private.notes[-1] == REDACTED
    assert (private.value, private.interval) == (public.value, public.interval)
    neuroids = toys.ToyData().assembly()["neuroid_id"].values
    assert neuroids[0] not in private.to_json() and neuroids[0] in public.to_json()


def test_a_shareable_report_leaves_private_cells_out_everywhere_and_says_how_many(run):
    asked = ("toy-vision", f"{PUBLIC},{PRIVATE}", "--shareable", "-q")
    table = run(*asked, "--output", "records.jsonl")
    assert table.code == 0
    assert PUBLIC in table.out and "OurToys" not in table.out
    (record,) = Path("records.jsonl").read_text().splitlines()
    assert Score.from_json(record).benchmark == PUBLIC
    said = "1 of 2 benchmarks are on private data and left out."
    assert said in table.err and "OurToys" not in table.err
    answer = run(*asked, "--json")
    assert [cell["benchmark"] for cell in json.loads(answer.out)] == [PUBLIC]
    assert said in answer.err


def test_a_shareable_report_of_public_data_is_the_usual_one(run):
    usual, shared = (run("toy-vision", PUBLIC, *flag) for flag in ((), ("--shareable",)))
    assert usual.out == shared.out
    assert "left out" not in shared.err


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_shareable_report_of_one_private_cell_is_empty(run, flags):
    result = run("toy-vision", PRIVATE, "--shareable", "-q", *flags)
    assert result.code == 0
    assert "OurToys" not in result.out + result.err
    assert "1 of 1 benchmark is on private data and left out." in result.err
    assert not flags or json.loads(result.out) == []


def test_a_private_benchmark_is_not_even_computed_for_a_shareable_report(run):
    card = replace(ON_OURS, identifier="Broken.IT", factory=f"{__name__}:Broken")
    with registry.benchmarks.temporary(card):
        result = run("toy-vision", f"{PUBLIC},Broken.IT", "--shareable", "-q")
    assert "patient-17" not in result.out + result.err
    assert "1 of 2 benchmarks" in result.err
    assert result.code == 0


def test_a_value_of_one_neuroid_is_nowhere_in_a_redacted_record(run):
    run("toy-vision", PRIVATE, "--output", "records.jsonl")
    text = Path("records.jsonl").read_text()
    whole = score("toy-vision", PRIVATE)
    single = [float(v) for v in whole.samples.values.ravel() if np.isfinite(v)]
    single += [v for r in (*whole.raw.replicates, *whole.ceiling.replicates) for v in r.values]
    assert single and not any(repr(v) in text for v in single)
