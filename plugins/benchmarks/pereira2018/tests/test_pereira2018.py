"""Pereira2018 on files of the archive's form, against scikit-learn and numpy alone."""

import json

import numpy as np
import pytest
from plugins.benchmarks.pereira2018.tests.pereira2018_files import write
from scipy.stats import spearmanr
from sklearn.model_selection import KFold
from tests.language_recordings import (
    FITTED,
    correlations,
    quick,
    raw_of,
    rdm,
    rdm_score_of,
    splits_of,
)

import corteval
from corteval import registry
from corteval.cli import main
from corteval.reading import passages
from corteval.requests import Recording
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore.imitation import imitated
from corteval_ceilings import SubjectExtrapolation

EXPERIMENTS = ("243sentences", "384sentences")
FORMS = (*FITTED, "rdm", "cka")
EVERY = [*(f"Pereira2018.{e}-{f}" for e in EXPERIMENTS for f in FORMS), "Pereira2018-pnas2021"]
experiments = pytest.mark.parametrize("experiment", EXPERIMENTS)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        yield write(archive)


@experiments
@pytest.mark.parametrize("form", FITTED)
def test_raw_scores_are_those_of_scikit_learn(written, experiment, form):
    model = written.model()
    rows = written.rows(experiment)
    x, (y, subject) = model.responses.values[rows], written.target(experiment)
    expected = raw_of(form, x, y, subject, splits_of(form, x, written.story[rows], 10))
    score = corteval.score(model, quick(f"Pereira2018.{experiment}-{form}"))
    assert score.raw.value == pytest.approx(expected, abs=1e-9)
    assert score.value == pytest.approx(expected / score.ceiling.value, abs=1e-9)
    assert score.normalization == "r/c"


@experiments
@pytest.mark.parametrize("form", [f for f in FITTED if f != "linear-shuffle"])
def test_ceilings_have_the_fit_the_splits_and_the_aggregation_of_the_score(
    written, experiment, form
):
    made = quick(f"Pereira2018.{experiment}-{form}")
    score = corteval.score(written.model(), made)
    assert score.ceiling.splits == score.raw.splits != ""
    card = made.card
    for option in ("cross_validation", "aggregate"):
        assert card.options["ceiling_options"][option] == card.options["metric_options"][option]
    assert card.options["ceiling_options"]["fit"] == card.metric
    assert ("mean over subjects" in score.ceiling.method) == (form != "ridge-legacy")
    assert ("mean over subjects" in score.raw.method) == (form != "ridge-legacy")


@pytest.mark.parametrize(
    ("experiment", "ceiling"), [("243sentences", 0.35378928), ("384sentences", 0.36343748)]
)
def test_ceilings_of_the_published_linear_form_are_the_archives(written, experiment, ceiling):
    score = corteval.score(written.model(), quick(f"Pereira2018.{experiment}-linear-shuffle"))
    assert score.ceiling.value == ceiling
    assert score.value > 1  # never cut off
    assert any(note.startswith("legacy: sentences of one passage") for note in score.notes)


@experiments
def test_rdms_are_those_of_numpy_person_by_person(written, experiment):
    model, rows = written.model(), written.rows(experiment)
    y, subject = written.target(experiment)
    expected = rdm_score_of(model.responses.values[rows], y, subject)
    people = [rdm(y[:, subject == name]) for name in np.unique(subject)]
    everyone = np.mean(people, axis=0)
    ceiling = np.mean([spearmanr(everyone, own).statistic for own in people])
    score = corteval.score(model, quick(f"Pereira2018.{experiment}-rdm"))
    assert score.raw.value == pytest.approx(expected, abs=1e-9)
    assert score.ceiling.quantity == "correlation"
    assert score.value == pytest.approx(expected / score.ceiling.value, abs=1e-9)
    # the pool is a mean of ranks, not of distances
    assert score.ceiling.value == pytest.approx(ceiling, abs=0.02)


@experiments
def test_cka_is_the_debiased_one_of_all_voxels(written, experiment):
    """HSIC of grams with zero diagonal, spec metrics 2.5; it has no ceiling."""
    model, rows = written.model(), written.rows(experiment)
    y, _ = written.target(experiment)

    def gram(values):
        centred = values - values.mean(axis=0)
        k = centred @ centred.T
        np.fill_diagonal(k, 0)
        return k

    def hsic(k, m):
        n = len(k)
        one = np.ones(n)
        total = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        return ((k * m).sum() + total - 2 * (k @ one) @ (m @ one) / (n - 2)) / (n * (n - 3))

    k, m = gram(model.responses.values[rows]), gram(y)
    score = corteval.score(model, quick(f"Pereira2018.{experiment}-cka"))
    assert score.raw.value == pytest.approx(hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m)), abs=1e-9)
    assert score.ceiling is None


def test_the_protocol_of_2021_is_that_of_plain_loops(written):
    """Spec metrics, Language 2.6: folds, experiments, voxels, people, and then the ceiling."""
    model = written.model()
    r, c, person = {}, {}, {}
    folds = {"folds": "kfold", "count": 5, "allow_leaky": True, "order": "rows"}
    for experiment in EXPERIMENTS:
        rows = written.rows(experiment)
        x, (y, subject) = model.responses.values[rows], written.target(experiment)
        kept = (written.atlas == "language") & ~np.isnan(written.values[rows]).any(axis=0)
        splits = KFold(5, shuffle=True, random_state=1).split(x)
        means = correlations(x, y, list(splits)).mean(axis=0)
        target = registry.data.create(f"Pereira2018.{experiment}").assembly()
        target = target.isel(neuroid=np.flatnonzero(target["atlas"].values == "language"))
        metric = SubjectExtrapolation(cross_validation=folds, sampling="sampled", resamples=0)
        each = metric.per_neuroid(target)
        ceilings = dict(zip(each["voxel_num"].values, each["ceiling"].values, strict=True))
        for voxel, mean, name in zip(np.flatnonzero(kept), means, subject, strict=True):
            r.setdefault(voxel, []).append(mean)
            c.setdefault(voxel, []).append(ceilings[voxel])
            person[voxel] = name

    def central(of):
        people = {}
        for voxel, values in of.items():
            people.setdefault(person[voxel], []).append(np.mean(values))
        return np.median([np.median(values) for values in people.values()])

    score = corteval.score(model, "Pereira2018-pnas2021")
    assert score.raw.value == pytest.approx(central(r), abs=1e-9)
    assert score.ceiling.value == pytest.approx(central(c), abs=1e-9)
    assert score.value == pytest.approx(central(r) / central(c), abs=1e-9)
    assert any("legacy" in note for note in score.notes)


@pytest.mark.parametrize("identifier", EVERY)
def test_shuffled_answers_are_at_chance(written, identifier):
    score = corteval.score(shuffled(written.generator(), 3), quick(identifier))
    assert score.value < 0.15


@experiments
@pytest.mark.parametrize("form", ["ridge", "linear", "ridge-legacy"])
def test_the_true_generator_is_at_the_ceiling(written, experiment, form):
    """It reaches the root of the reliability, which people predict from each other in part."""
    score = corteval.score(written.generator(), quick(f"Pereira2018.{experiment}-{form}"))
    assert score.raw.value == pytest.approx(1 / np.sqrt(1 + 0.7**2), abs=0.05)
    assert 0.95 < score.value < 1.15


def test_knowing_the_place_of_a_sentence_pays_off_in_random_splits_only(archive):
    """What the sentences of a passage share is predicted from their number."""
    written = write(archive, passage_noise=2.0, noise=0.5, seed=4)
    place = written.replay(np.eye(written.passage.max() + 1)[written.passage])
    raw = {
        form: corteval.score(place, quick(f"Pereira2018.384sentences-{form}")).raw.value
        for form in ("ridge", "ridge-shuffle", "linear-shuffle")
    }
    assert raw["ridge-shuffle"] > 0.6
    assert raw["linear-shuffle"] > 0.6
    assert raw["ridge"] == 0  # of another topic it knows nothing, and predicts the mean


@pytest.mark.parametrize("identifier", EVERY)
def test_who_records_no_language_is_told_before_any_file_is_asked_for(archive, identifier):
    made = registry.benchmarks.create(identifier)
    assert made.requests() == (Recording("language_system"),)
    assert len(made.card.summary) <= 100
    assert {"oasm", "sentence-length", "{model}-untrained"} <= set(made.card.controls)
    score = corteval.score(RefusingSubject(), made)
    assert (score.status, archive.requests) == ("not-applicable", [])
    assert "language_system" in score.reason


@experiments
def test_each_passage_is_read_on_its_own_and_in_order(written, experiment):
    stimuli = registry.data.create(f"Pereira2018.{experiment}").stimuli()
    rows = written.rows(experiment)
    read = passages(stimuli)
    assert len(read) == len(np.unique(written.passage[rows]))
    of_passage = dict(zip(written.ids, written.passage, strict=True))
    text = dict(zip(written.ids, written.text, strict=True))
    for passage in read:
        assert len({of_passage[i] for i in passage.stimulus_ids}) == 1
        numbers = [int(i.rpartition(".")[2]) for i in passage.stimulus_ids]
        assert numbers == sorted(numbers)
        assert passage.text == " ".join(text[i] for i in passage.stimulus_ids)


@experiments
def test_the_order_of_rows_in_the_answer_and_of_voxels_does_not_matter(written, experiment):
    model = written.model()
    order = np.random.default_rng(0).permutation(len(written.ids))
    moved = ReplaySubject(responses=model.responses.isel(presentation=order))
    made = quick(f"Pereira2018.{experiment}-ridge")
    first, second = corteval.score(model, made), corteval.score(moved, made)
    assert second.value == pytest.approx(first.value, abs=1e-9)


@experiments
def test_people_who_did_not_take_part_are_left_out(written, experiment):
    assembly = registry.data.create(f"Pereira2018.{experiment}").assembly()
    assert np.isfinite(assembly.values).all()
    absent = {"243sentences": "105", "384sentences": "100"}[experiment]
    assert set(assembly["subject"].values) == set(written.subject) - {absent}
    score = corteval.score(written.model(), quick(f"Pereira2018.{experiment}-ridge"))
    assert score.samples.sizes["neuroid"] == 25  # of the language atlas


def test_an_experiment_that_is_not_there_is_named(written):
    from corteval.errors import AssemblyError

    data = registry.data.create("Pereira2018.243sentences", experiment="180concepts")
    for read in (data.stimuli, data.assembly):
        with pytest.raises(AssemblyError, match="no experiment '180concepts'; it has 243sentences"):
            read()


def test_the_ceiling_is_computed_once(written, monkeypatch, tmp_path):
    from corteval import store
    from corteval_ceilings import subject_extrapolation

    with store.using(store.Store(tmp_path)):
        first = quick("Pereira2018.243sentences-ridge").ceiling()
        monkeypatch.setattr(subject_extrapolation, "collect", None)
        assert quick("Pereira2018.243sentences-ridge").ceiling() == first
        with pytest.raises(TypeError):
            quick("Pereira2018.243sentences-linear").ceiling()


def test_a_second_score_on_the_command_line_finds_the_ceiling(
    written, tmp_path, capsys, monkeypatch
):
    from corteval_ceilings import subject_extrapolation

    file = tmp_path / "net.csv"
    values = written.model().responses.values
    header = "stimulus_id," + ",".join(f"u{n}" for n in range(values.shape[1]))
    lines = [
        f"{i}," + ",".join(map(repr, row.tolist()))
        for i, row in zip(written.ids, values, strict=True)
    ]
    file.write_text("\n".join([header, *lines]) + "\n")
    assert main(["recorded", "add", str(file), "--id", "net", "--target", "language_system"]) == 0
    command = ["score", "recorded/net", "Pereira2018.384sentences-ridge", "--json", "--yes"]
    values = []
    for _ in range(2):
        capsys.readouterr()
        assert main(command) == 0
        values.append(json.loads(capsys.readouterr().out))
        monkeypatch.setattr(subject_extrapolation, "collect", None)
    expected = corteval.score(written.model(), "Pereira2018.384sentences-ridge").value
    for printed in values:
        assert f"{expected:.10f}"[:10] in json.dumps(printed)
