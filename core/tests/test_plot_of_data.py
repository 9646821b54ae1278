"""Figures of layers, dissimilarities and ceilings: their numbers, and what cannot be drawn."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from corteval import registry
from corteval.assembly import neural
from corteval.benchmark import NeuralBenchmark
from corteval.cards import DataCard, MetricCard
from corteval.cli import main
from corteval.commitment import ANY_TARGET
from corteval.errors import OptionError, UndefinedScore
from corteval.model import record
from corteval.report.ceiling_growth import ceiling_growth, spearman_brown
from corteval.report.layer_curves import layer_curves, points_in
from corteval.report.rdm_map import dissimilarities, rdm_map
from corteval.score import Estimate
from corteval.stimuli import StimulusSet
from corteval.testing import toys

pytest.importorskip("matplotlib")

STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
CATEGORIES = ["cat", "dog", "cat", "eel", "dog", "cat"]
TAU, ASYMPTOTES = 2.0, np.array([0.2, 0.5, 0.8, 0.9])


class Animals:
    """Six grey images of three kinds of animal; recorded as responses, RDMs or answers."""

    def __init__(self, form="responses"):
        self.form = form

    def stimuli(self):
        shown = toys.images(6, seed=3)
        extra = {"category": CATEGORIES, "number": list("abcdef")}
        return StimulusSet(
            identifier="Animals",
            modality="image",
            table=shown.table.assign(**extra),
            images=shown.images,
            visual_degrees=8.0,
        )

    def assembly(self):
        rng = np.random.default_rng(0)
        ids = self.stimuli().stimulus_ids
        if self.form == "responses":
            # in another order than the stimuli, with trials, and one flat stimulus
            values = rng.standard_normal((6, 5, 3))
            values[0] = 1.0
            made = neural(values, ids, {"neuroid_id": list("vwxyz"), "region": ["IT"] * 5})
            return made.isel(presentation=[3, 1, 0, 5, 4, 2])
        if self.form == "rdm":
            values = rng.random((2, 6, 6))
            values = values + values.transpose(0, 2, 1)
            return xr.DataArray(
                values,
                dims=("subject", "presentation", "presentation_2"),
                coords={
                    "stimulus_id": ("presentation", ids),
                    "stimulus_id_2": ("presentation_2", ids),
                },
            )
        return xr.DataArray(np.ones(6), dims="presentation", coords={
            "stimulus_id": ("presentation", ids)})  # fmt: skip


class Growing:
    """A ceiling over subjects: v0 (1 - exp(-x / tau)), with what is measured at 2 and 3."""

    def __init__(self, seed=0, told=True):
        del seed
        if told:
            self.growth = self._growth

    def __call__(self, assembly):
        return Estimate(value=float(np.median(ASYMPTOTES)), quantity="correlation")

    def per_neuroid(self, assembly):
        columns = {"ceiling": ("neuroid", ASYMPTOTES), "tau": ("neuroid", np.full(4, TAU))}
        return xr.Dataset(columns, coords={"subject": ("neuroid", assembly["subject"].values)})

    def _growth(self, assembly):
        numbers = np.array([2, 3])
        scores = ASYMPTOTES * (1 - np.exp(-numbers[:, None] / TAU))
        return xr.Dataset({"score": (("number", "neuroid"), scores)}, coords={"number": numbers})


class Three:
    """Recordings of three subjects."""

    def stimuli(self):
        return toys.images(8, seed=4)

    def assembly(self):
        values = np.random.default_rng(0).standard_normal((8, 4))
        names = {"neuroid_id": list("wxyz"), "subject": ["a", "a", "b", "c"]}
        return neural(values, self.stimuli().stimulus_ids, names)


def data(identifier, factory, **fields):
    return DataCard(
        identifier=identifier, factory=f"{__name__}:{factory}", summary="s", licence="MIT", **fields
    )


DATA = [
    data("Animals", "Animals"),
    data("AnimalRDMs", "Animals", options={"form": "rdm"}),
    data("AnimalAnswers", "Animals", options={"form": "answers"}),
    data("SecretAnimals", "Animals", access="private"),
    data("Three", "Three"),
]
CEILINGS = [
    MetricCard(
        identifier=name,
        factory=f"{__name__}:Growing",
        summary="s",
        licence="MIT",
        role="ceiling",
        options={"told": name == "growing"},
    )
    for name in ("growing", "growing-silently")
]


@pytest.fixture(autouse=True)
def registered():
    with (
        toys.registered(),
        registry.data.temporary(*DATA),
        registry.metrics.temporary(*CEILINGS),
    ):
        yield


# Layers


def layer_score(layer, value, benchmark="Toy.V4", status="scored", **fields):
    interval = None if value is None else {"low": value - 0.1, "high": value + 0.1, "level": 0.95}
    shown = {"layer": layer, "benchmark": benchmark, "status": status, "value": value}
    return {**shown, "interval": interval, "reason": None, **fields}


def layer_map(model="net", regions=("V4", "IT"), **fields):
    layers = ["conv1", "conv2", "fc"]
    selection = {
        region: {
            "benchmarks": [{"identifier": f"Toy.{region}"}],
            "scores": [
                layer_score("conv1", 0.1 + 0.1 * n, f"Toy.{region}"),
                layer_score("conv2", 0.4, f"Toy.{region}"),
                layer_score("fc", None, f"Toy.{region}", "failed") | {"reason": "too large"},
            ],
        }
        for n, region in enumerate(regions)
    }
    reported = [
        layer_score("", 0.35, f"Toy.{region}", normalization="r/c", notes=[]) for region in regions
    ]
    content = {
        "schema": "corteval.layer-map/1",
        "model": model,
        "layers": dict.fromkeys(regions, "conv2"),
        "candidates": [{"layer": name, "units": 10 * n} for n, name in enumerate(layers)],
        "selection": selection,
        "reported": reported,
    }
    return content | fields


@pytest.fixture
def maps(tmp_path):
    def write(*contents):
        paths = []
        for number, content in enumerate(contents):
            paths.append(tmp_path / f"map{number}.json")
            paths[-1].write_text(json.dumps(content))
        return [str(path) for path in paths]

    return write


@pytest.mark.parametrize("suffix", STARTS)
def test_layers_of_two_models_are_two_panels_with_every_score_beside_them(maps, tmp_path, suffix):
    files = maps(layer_map("net"), layer_map("other", regions=("IT",)))
    out = tmp_path / f"f{suffix}"
    assert main(["plot", "layers", *files, "--output", str(out)]) == 0
    assert out.read_bytes().startswith(STARTS[suffix])
    rows = [*csv.DictReader(out.with_suffix(".csv").open(newline=""))]
    assert len(rows) == 3 * (3 + 1)  # three regions of models, each with three layers and a report
    lost = [r for r in rows if r["status"] == "failed"]
    assert {(r["layer"], r["value"], r["reason"]) for r in lost} == {("fc", "", "too large")}
    (chosen,) = {r["layer"] for r in rows if r["chosen"] == "True"}
    assert chosen == "conv2"
    if suffix == ".svg":
        text = out.read_text()
        for words in ("net", "other", "V4: Toy.V4", "IT: chosen, conv2", "no score", "conv1"):
            assert f">{words}<" in text
        assert "reported, Toy.IT: 0.350" in text and "score (r/c)" in text


def test_layers_stand_in_the_order_of_computing(maps):
    points = points_in(Path(maps(layer_map())[0]))
    curve = [p for p in points if p.region == "V4" and p.purpose == "selection"]
    assert [(p.layer, p.place, p.units) for p in curve] == [
        ("conv1", 1, 0), ("conv2", 2, 10), ("fc", 3, 20)]  # fmt: skip


def test_a_score_on_a_benchmark_that_did_not_decide_belongs_to_the_region_its_note_names(maps):
    told = layer_score("", 0.3, "Other.IT", notes=["IT is conv2, chosen among 3 layers on Toy.IT"])
    lost = layer_score("", 0.3, "Other.V1", notes=[])
    (file,) = maps(layer_map(reported=[told, lost]))
    found = [p for p in points_in(Path(file)) if p.purpose == "report"]
    assert [(p.region, p.benchmark, p.layer) for p in found] == [("IT", "Other.IT", "conv2")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"schema": "x"}, "another schema"),
        ([], "another schema"),
        ({"schema": "corteval.layers/1", "model": "m", "candidates": []}, "name a benchmark"),
        (layer_map(layers=3), "holds no scores of layers"),
    ],
)
def test_what_is_no_map_is_refused(maps, content, words, capsys):
    assert main(["plot", "layers", *maps(content)]) == 2
    assert words in capsys.readouterr().err


def test_a_map_that_is_not_there_and_too_many_models_are_errors(tmp_path, maps, capsys):
    assert main(["plot", "layers", str(tmp_path / "no.json")]) == 2
    said = capsys.readouterr().err
    assert "no such file" in said and "Errno" not in said
    many = [p for n in range(13) for p in points_in(Path(maps(layer_map(f"m{n}"))[0]))]
    with pytest.raises(OptionError, match="13 models"):
        layer_curves(many)
    with pytest.raises(OptionError, match="no scores of layers"):
        layer_curves([])


# Dissimilarities


def test_dissimilarities_are_one_minus_pearsons_r_of_means_over_trials():
    assembly = Animals().assembly()
    found = dissimilarities(assembly, "Animals")
    means = assembly.mean("trial").transpose("presentation", "neuroid")
    ids = list(means["stimulus_id"].values)
    for i, first in enumerate(ids):
        for j, second in enumerate(ids):
            value = float(found.sel(id=first, id_2=second))
            flat = first != second and "image-000" in (first, second)
            if flat:
                assert np.isnan(value)
            elif i != j:
                r = stats.pearsonr(means.values[i], means.values[j]).statistic
                assert value == pytest.approx(1 - r)


def test_recorded_dissimilarities_are_averaged_over_subjects():
    assembly = Animals("rdm").assembly()
    found = dissimilarities(assembly, "AnimalRDMs")
    np.testing.assert_allclose(found.values, assembly.values.mean(axis=0))


def test_a_map_of_data_is_ordered_by_category_and_leaves_no_pair_out():
    drawing = rdm_map("Animals")
    assert drawing.facts["categories"] == ["cat", "dog", "eel"]
    firsts = [*dict.fromkeys(row.first for row in drawing.rows)]
    order = [*firsts, drawing.rows[-1].second]
    ids = Animals().stimuli().stimulus_ids
    assert order == [ids[n] for n in (0, 2, 5, 1, 4, 3)]
    assert len(drawing.rows) == 15
    text = drawing.picture(".svg").decode()
    assert ">cat<" in text and ">eel<" in text
    assert "grey: 5 pairs not defined" in text  # of the stimulus that all units answer alike


def test_a_model_shows_the_same_pairs_and_spearmans_correlation_with_the_data():
    drawing = rdm_map("AnimalRDMs", ["toy-vision"], target="IT")
    subject = registry.models.create("toy-vision")
    responses = record(subject, Animals().stimuli(), "IT").transpose("presentation", "neuroid")
    of = {of: [r for r in drawing.rows if r.of == of] for of in drawing.facts["of"]}
    data_rows, model_rows = of.values()
    assert [(r.first, r.second) for r in data_rows] == [(r.first, r.second) for r in model_rows]
    by_id = dict(zip(responses["stimulus_id"].values, responses.values, strict=True))
    for row in model_rows:
        r = stats.pearsonr(by_id[row.first], by_id[row.second]).statistic
        assert row.dissimilarity == pytest.approx(1 - r, abs=1e-6)
    found = stats.spearmanr(
        [r.dissimilarity for r in data_rows], [r.dissimilarity for r in model_rows]
    )
    (told,) = drawing.facts["spearman"].values()
    assert told == pytest.approx(found.statistic)
    assert f"data: {told:.2f}" in drawing.picture(".svg").decode()


def test_the_target_is_the_region_of_the_data_if_they_have_one():
    assert rdm_map("Animals", ["toy-vision"]).facts["of"][1] == "toy-vision: IT"
    with pytest.raises(OptionError, match="Say with --target what toy-vision is to record") as told:
        rdm_map("AnimalRDMs", ["toy-vision"])
    assert "answers any target" in str(told.value)
    toy = toys.vision()
    committed = replace(toy, layers=dict.fromkeys(("V4", "IT"), toy.layers[ANY_TARGET]))
    with pytest.raises(OptionError, match="The model records V4, IT"):
        rdm_map("AnimalRDMs", [committed])


def test_another_column_may_be_the_category_and_few_stimuli_may_be_taken():
    drawing = rdm_map("Animals", category="number", stimuli=3)
    assert drawing.facts["stimuli"] == 3 and len(drawing.rows) == 3
    ids = Animals().stimuli().stimulus_ids
    assert {row.first for row in drawing.rows} <= {ids[0], ids[2], ids[5]}
    with pytest.raises(OptionError, match="no column 'colour'; they have"):
        rdm_map("Animals", category="colour")
    with pytest.raises(OptionError, match="three stimuli at least"):
        rdm_map("Animals", stimuli=2)


def test_too_many_stimuli_are_refused(monkeypatch):
    monkeypatch.setattr("corteval.report.rdm_map.MOST_STIMULI", 5)
    with pytest.raises(OptionError, match="6 stimuli do not fit a figure, 5 do: --stimuli N"):
        rdm_map("Animals")


def test_data_that_are_no_responses_have_no_map():
    with pytest.raises(OptionError, match="AnimalAnswers holds no responses"):
        rdm_map("AnimalAnswers")


def test_private_data_are_drawn_only_if_asked_for_and_said_to_be(tmp_path, capsys):
    out = tmp_path / "f.svg"
    arguments = ["plot", "rdm", "SecretAnimals", "--output", str(out)]
    assert main(arguments) == 2 and not out.exists()
    assert "private data (SecretAnimals); --private draws it" in capsys.readouterr().err
    assert main([*arguments, "--private"]) == 0
    assert "on private data (SecretAnimals)" in out.read_text()


@pytest.mark.parametrize("suffix", STARTS)
def test_the_same_data_give_the_same_bytes(suffix):
    first, again = (rdm_map("Animals", ["toy-vision"]) for _ in range(2))
    assert first.picture(suffix) == again.picture(suffix) and first.csv() == again.csv()
    assert first.picture(suffix).startswith(STARTS[suffix])


# Ceilings


def benchmark(ceiling, data_set="Three", **fields):
    card = replace(toys.BENCHMARK, data=(data_set,), ceiling=ceiling)
    return NeuralBenchmark(card=card, **fields)


@pytest.mark.parametrize("ceiling", ["growing", "growing-silently"])
def test_a_ceiling_over_subjects_is_the_median_of_its_curves(ceiling):
    drawing = ceiling_growth(benchmark(ceiling))
    for row in (r for r in drawing.rows if r.kind == "curve"):
        curves = ASYMPTOTES * (1 - np.exp(-row.count / TAU))
        assert row.value == pytest.approx(np.median(curves))
        assert (row.low, row.high) == pytest.approx(tuple(np.quantile(curves, [0.25, 0.75])))
    measured = [r for r in drawing.rows if r.kind == "measured"]
    expected = np.median(ASYMPTOTES) * (1 - np.exp(-np.array([2, 3]) / TAU))
    assert [r.count for r in measured] == ([2, 3] if ceiling == "growing" else [])
    assert [r.value for r in measured] == pytest.approx(expected[: len(measured)].tolist())
    (last,) = (r for r in drawing.rows if r.kind == "ceiling")
    assert last.value == np.median(ASYMPTOTES) and last.count == np.inf
    text = drawing.picture(".svg").decode()
    assert "number of subjects" in text and "recorded: 3" in text
    assert (">measured<" in text) == (ceiling == "growing")


def test_a_reliability_grows_with_trials_by_the_law_of_spearman_and_brown():
    built = benchmark("toy-reliability", "ToyData")
    drawing = ceiling_growth(built)
    estimate = built.ceiling()
    # eight trials; single ones correlate by a half, see toys.ToyData
    curve = {r.count: r.value for r in drawing.rows if r.kind == "curve"}
    assert curve[1.0] == pytest.approx(0.5, abs=0.08)
    single = estimate.value / (8 - 7 * estimate.value)
    for count, value in curve.items():
        assert value == pytest.approx(count * single / (1 + (count - 1) * single))
    measured = {r.count: r for r in drawing.rows if r.kind == "measured"}
    assert measured.pop(8.0).value == estimate.value
    assert set(measured) == {2, 3, 4, 5, 6, 7}
    for count, row in measured.items():
        assert row.low <= row.value <= row.high
        assert row.value == pytest.approx(count * 0.5 / (1 + (count - 1) * 0.5), abs=0.08)
    assert "number of trials" in drawing.picture(".svg").decode()


def test_draws_of_trials_come_from_the_seed():
    built = benchmark("toy-reliability", "ToyData")
    first, again, other = (ceiling_growth(built, seed=seed) for seed in (0, 0, 1))
    assert first.csv() == again.csv() != other.csv()
    assert first.picture(".pdf") == again.picture(".pdf")


def test_spearman_and_browns_law_gives_back_what_was_measured():
    for reliability in (0.1, 0.5, 0.9):
        assert spearman_brown(reliability, 6, np.array([6.0])) == pytest.approx(reliability)
        twice = 2 * reliability / (1 + reliability)
        assert spearman_brown(reliability, 6, np.array([12.0])) == pytest.approx(twice)


def test_ceilings_that_do_not_grow_are_refused_in_words():
    with pytest.raises(OptionError, match="no ceiling that is estimated"):
        ceiling_growth(benchmark(None, published_ceiling=0.5))
    with pytest.raises(OptionError, match="neither over subjects nor over trials"):
        ceiling_growth(benchmark("growing", "Animals"))
    with pytest.raises(UndefinedScore):
        ceiling_growth(benchmark("toy-reliability", "Three"))


def test_the_command_draws_a_ceiling(tmp_path, capsys):
    out = tmp_path / "f.png"
    arguments = ["plot", "ceiling", "ToyData.IT-predictivity", "--output", str(out), "--json"]
    assert main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["facts"]["of"] == "trials" and said["facts"]["recorded"] == 8
    assert out.read_bytes().startswith(STARTS[".png"])
    assert main(["plot", "ceiling", "--output", str(out)]) == 2
    assert "takes a benchmark: given are 0 names" in capsys.readouterr().err
