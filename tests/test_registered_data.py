"""A lab's own folders, from registration to a score, on the command line and from Python."""

import hashlib
import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import Ridge
from sklearn.model_selection import ShuffleSplit

import corteval
from corteval import hooks, registered, registry, settings
from corteval.cli import main
from corteval.errors import DatasetError, DuplicateIdentifier, UnknownIdentifier
from corteval.local import registration
from corteval.local.description import guessed, read_description
from corteval.local.report import examine
from corteval.score import Score

STIMULI, NEUROIDS, TRIALS = 60, 12, 5


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """Registrations of one test are unknown to the next."""
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "_flags", {})
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    registry.reload()
    hooks.reload()
    yield work
    registry.reload()
    hooks.reload()


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Sixty images whose coarse pixels drive twelve neuroids, five trials each."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    ids = [f"im-{n:02d}" for n in rng.permutation(STIMULI)]
    coarse = rng.integers(0, 255, (STIMULI, 4, 4), dtype=np.uint8)
    for name, pixels in zip(ids, coarse, strict=True):
        Image.fromarray(np.kron(pixels, np.ones((8, 8), np.uint8))).save(
            folder / "images" / f"{name}.png"
        )
    signal = coarse.reshape(STIMULI, -1) / 255 @ rng.standard_normal((16, NEUROIDS))
    trials = signal.T[:, :, None] + rng.standard_normal((NEUROIDS, STIMULI, TRIALS))
    np.save(folder / "responses.npy", trials)
    pd.DataFrame(
        {
            "stimulus_id": ids,
            "path": [f"images/{name}.png" for name in ids],
            "object_name": ["a", "b", "c"] * 20,
            "block": np.repeat(np.arange(12), 5),
        }
    ).to_csv(folder / "stimuli.csv", index=False)
    pd.DataFrame(
        {
            "neuroid_id": [f"n{n}" for n in range(NEUROIDS)],
            "region": ["V4"] * 7 + ["IT"] * 5,
            "subject": ["monkey-1"] * NEUROIDS,
        }
    ).to_csv(folder / "neuroids.csv", index=False)
    return folder


@pytest.fixture
def lab(template, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(template, tmp_path / "lab")


DIMS = ("--dims", "neuroid,presentation,repetition")


def registered_by(run, folder, *arguments, identifier="MyLab2026"):
    result = run("data", "register", folder, "--id", identifier, "-y", *DIMS, *arguments)
    assert result.code == 0, result.out + result.err
    return result


def without_blocks(folder):
    table = pd.read_csv(folder / "stimuli.csv").drop(columns="block")
    table.to_csv(folder / "stimuli.csv", index=False)


def coarse_pixels(stimuli):
    pixels = [stimuli.image(i)[::8, ::8].ravel() / 255 for i in stimuli.stimulus_ids]
    return np.array(pixels, float)


class TestRegister:
    def test_the_set_works_at_once_with_every_metric_that_fits(self, run, lab):
        said = registered_by(run, lab, "--target", "V4", "--visual-degrees", 8)
        assert "reliability" in said.out
        cards = registry.benchmarks.where(data=("MyLab2026@registered",))
        assert f"{len(cards)} benchmarks" in said.err
        names = {card.metric for card in cards}
        assert {"pls", "ridge", "ridgecv", "neuron_to_neuron", "rdm", "cka"} <= names
        assert not {n for n in names if "legacy" in n or "split" in n or "human" in n}
        assert not names & {"error_consistency", "ks_similarity", "reading_time_correlation"}
        score = corteval.score("pixels", "MyLab2026.V4-ridge")
        assert score.status == "scored"
        assert score.value > 0.3
        assert score.provenance.access == {"MyLab2026": "private"}

    def test_every_benchmark_gives_a_score(self, run, lab):
        registered_by(run, lab, "--target", "V4")
        result = run("score", "pixels", "MyLab2026.*", "--json")
        scores = json.loads(result.out)
        assert result.code == 0
        cards = registry.benchmarks.where(data=("MyLab2026@registered",))
        assert {s["benchmark"] for s in scores} == {card.identifier for card in cards}
        assert {s["status"] for s in scores} == {"scored"}

    def test_dataset_toml_is_written_and_read_again(self, run, lab):
        registered_by(run, lab, "--target", "V4", "--licence", "unpublished")
        description = read_description(lab)
        assert description.responses.dims == ("neuroid", "presentation", "repetition")
        assert run("data", "register", lab).code == 0
        refused = run("data", "register", lab, "--target", "IT")
        assert refused.code == 2
        assert "edit it instead of giving --target" in refused.err

    def test_without_a_target_there_are_benchmarks_for_each_region(self, run, lab):
        registered_by(run, lab)
        v4 = corteval.benchmarks.create("MyLab2026.V4-ridge")
        it = corteval.benchmarks.create("MyLab2026.IT-ridge")
        kept = [made.ideal_responses(0).sizes["neuroid"] for made in (v4, it)]
        assert kept == [7, 5]

    def test_an_error_in_the_folder_registers_nothing(self, run, lab):
        (lab / "images" / "im-07.png").unlink()
        result = run("data", "register", lab, "--id", "MyLab2026", "-y", *DIMS)
        assert result.code == 1
        assert "im-07.png" in result.out
        assert "MyLab2026" not in registry.data
        assert not [*settings.home().rglob("*.json")]

    def test_a_dry_run_writes_nothing(self, run, lab, tmp_path):
        before = sorted(tmp_path.rglob("*"))
        result = run("data", "register", lab, "--id", "X", "-y", *DIMS, "--dry-run")
        assert result.code == 0, result.err
        assert "nothing was written" in result.err
        assert sorted(tmp_path.rglob("*")) == before

    def test_json_has_the_whole_report(self, run, lab):
        result = run("data", "register", lab, "--id", "X", *DIMS, "--target", "V4", "--json")
        report = json.loads(result.out)
        assert report["schema"] == "corteval.data-register/1"
        assert report["registered"] is True
        assert len(report["reliability"]) == NEUROIDS
        assert "X.V4-ridge" in report["benchmarks"]

    def test_an_identifier_of_something_else_is_refused(self, run, lab):
        result = run("data", "register", lab, "--id", "cowley2023", "-y", *DIMS)
        assert result.code == 1
        assert "corteval-cowley2023 provides Cowley2023 already" in result.err

    def test_another_folder_needs_replace(self, run, lab, tmp_path):
        registered_by(run, lab)
        other = shutil.copytree(lab, tmp_path / "other")
        result = run("data", "register", other)
        assert result.code == 1
        assert "--replace" in result.err
        assert run("data", "register", other, "--replace").code == 0
        assert registration.find("mylab2026").folder == other

    def test_it_can_be_forgotten(self, run, lab):
        registered_by(run, lab)
        assert run("data", "rm", "mylab2026").code == 0
        assert (lab / "responses.npy").is_file()
        assert "MyLab2026" not in registry.data
        assert run("data", "rm", "MyLab2026").code == 2
        with pytest.raises(UnknownIdentifier, match="registered are: none"):
            registration.find("MyLab2026")

    def test_a_project_keeps_its_own(self, run, lab, own_home, tmp_path, monkeypatch):
        inside = shutil.copytree(lab, own_home / "recordings")
        (own_home / "corteval.toml").write_text("")
        registered_by(run, inside, "--project")
        file = own_home / ".corteval/registered/MyLab2026.json"
        assert json.loads(file.read_text())["folder"] == "recordings"
        moved = tmp_path / "moved"
        own_home.rename(moved)
        (moved / "deeper").mkdir()
        monkeypatch.chdir(moved / "deeper")
        registry.reload()
        assert len(corteval.registry.data.create("MyLab2026").stimuli()) == STIMULI
        monkeypatch.chdir(tmp_path)
        registry.reload()
        assert "MyLab2026" not in registry.data

    def test_a_projects_set_goes_before_the_users_and_leaves_it(
        self, run, lab, own_home, tmp_path, monkeypatch
    ):
        registered_by(run, lab)
        inside = shutil.copytree(lab, own_home / "recordings")
        assert run("data", "register", inside, "--project").code == 0
        assert registration.find("MyLab2026").folder == inside
        assert run("score", "pixels", "MyLab2026.V4-ridge").code == 0
        monkeypatch.chdir(tmp_path)
        registry.reload()
        assert registration.find("MyLab2026").folder == lab

    def test_nothing_is_written_before_the_folder_is_sound(self, run, lab):
        wrong = run("data", "register", lab, "--id", "MyLab2026", "-y", "--dims", "neuroid")
        assert wrong.code == 1
        assert not (lab / "dataset.toml").exists()
        registered_by(run, lab)
        assert (lab / "dataset.toml").is_file()

    def test_columns_that_metrics_miss_are_named(self, run, lab):
        table = pd.read_csv(lab / "stimuli.csv")
        (lab / "responses.npy").unlink()
        (lab / "neuroids.csv").unlink()
        frame = table[["stimulus_id"]].assign(reading_time_ms=300.0 + np.arange(len(table)))
        frame.to_csv(lab / "times.csv", index=False)
        result = run("data", "register", lab, "--id", "Times", "-y")
        assert result.code == 0, result.out + result.err
        assert "No installed metric fits it" in result.err
        needed = "reading_time_correlation would fit with the column word_within_sentence_id"
        assert needed in result.err

    def test_a_folder_that_moved_is_said_to_have_moved(self, run, lab):
        registered_by(run, lab)
        lab.rename(lab.with_name("moved"))
        with pytest.raises(DatasetError, match="which is gone"):
            registry.data.create("MyLab2026").stimuli()

    def test_an_installed_twin_does_not_stop_the_registered_set(self, run, lab):
        """As if the lab had installed its own export."""
        registered_by(run, lab, "--target", "V4")
        card = registry.data_card("MyLab2026")
        benchmark = registry.benchmarks.card("MyLab2026.V4-ridge")
        twin = registry.Plugin(
            "MyLab2026", "data", registry.Source("corteval-data-mylab", "1", "a:b"), card=card
        )
        registry.data._installed = (*registry.data._installed, twin)
        score = corteval.score("pixels", benchmark.identifier)
        assert score.status == "scored"
        with pytest.raises(DuplicateIdentifier, match="corteval data rm MyLab2026"):
            registry.data.card("MyLab2026")

    def test_a_broken_registration_harms_no_other(self, run, lab):
        registered_by(run, lab)
        shelf = registered.shelves()[-1]
        (shelf / "Broken.json").write_text("{")
        (shelf / "Hostile.json").write_text(
            (shelf / "MyLab2026.json").read_text().replace('"MyLab2026"', '"../up"', 1)
        )
        registry.reload()
        assert "MyLab2026" in registry.data
        assert "MyLab2026.V4-ridge" in registry.benchmarks
        listed = run("list", "data")
        assert "BROKEN" in listed.out
        assert "register its folder again" in run("doctor").out

    def test_lists_show_it_in_few_lines(self, run, lab):
        registered_by(run, lab, "--target", "V4")
        lines = [line for line in run("list", "benchmarks").out.splitlines() if "MyLab" in line]
        assert len(lines) == 1
        assert "ridgecv" in lines[0]
        assert str(lab) in run("data", "ls").out
        assert "private" in run("info", "MyLab2026").out

    @pytest.mark.parametrize("name", ["MyLab2026", "MyLab2026.V4-ridge", "MyLab2026.V4-rdm"])
    def test_it_keeps_the_contract_of_plugins(self, run, lab, name):
        registered_by(run, lab, "--target", "V4", "--visual-degrees", 8)
        result = run("check", name)
        assert result.code == 0, result.out


class TestSplits:
    def test_default_splits_are_those_of_scikit_learn_over_the_table(self, run, lab):
        """Mean over splits of the median r over neuroids, computed plainly."""
        without_blocks(lab)
        registered_by(run, lab, "--target", "V4", "--visual-degrees", 8)
        benchmark = corteval.benchmarks.create("MyLab2026.V4-ridge")
        stimuli = benchmark.stimuli()
        ids = pd.read_csv(lab / "stimuli.csv")["stimulus_id"].tolist()
        assert stimuli.stimulus_ids == ids
        from corteval.model import record

        x = record(corteval.models.create("pixels"), stimuli, "V4").values
        y = np.load(lab / "responses.npy").mean(axis=2).T
        r = []
        for train, test in ShuffleSplit(10, train_size=0.9, random_state=1).split(x):
            predicted = Ridge(alpha=1.0).fit(x[train], y[train]).predict(x[test])
            r.append([np.corrcoef(predicted[:, n], y[test, n])[0, 1] for n in range(NEUROIDS)])
        score = corteval.score("pixels", benchmark)
        assert score.raw.value == pytest.approx(np.mean(np.median(r, axis=1)), abs=1e-6)

    def test_stimuli_of_a_group_are_never_divided(self, run, lab):
        registered_by(run, lab, "--target", "V4")
        card = registry.benchmarks.card("MyLab2026.V4-ridge")
        splits = card.options["metric_options"]["cross_validation"]
        assert (splits["folds"], splits["group_by"]) == ("kfold", "block")
        score = corteval.score("pixels", "MyLab2026.V4-ridge")
        assert not [note for note in score.notes if "leaky" in note]

    def test_every_metric_and_its_ceiling_draw_groups_together(self, run, lab):
        table = pd.read_csv(lab / "stimuli.csv")
        table["object_name"] = np.arange(STIMULI) % 6
        table.to_csv(lab / "stimuli.csv", index=False)
        registered_by(run, lab, "--target", "V4", "--group-by", "object_name")
        for name in ("ridge", "rdm"):
            interval = corteval.score("pixels", f"MyLab2026.V4-{name}").interval
            assert interval.scope.startswith("6 groups of stimuli")
            assert name == "rdm" or "jointly" in interval.method


class TestVersions:
    def test_a_changed_byte_is_refused_until_it_is_registered_anew(self, run, lab):
        registered_by(run, lab, "--target", "V4")
        first = registration.find("MyLab2026")
        before = corteval.score("pixels", "MyLab2026.V4-ridge").provenance.digests
        trials = np.load(lab / "responses.npy")
        trials[0, 0, 0] += 1
        np.save(lab / "responses.npy", trials)
        registry.reload()
        failed = run("score", "pixels", "MyLab2026.V4-ridge", "--json")
        assert failed.code == 3
        reason = json.loads(failed.out)["reason"]
        assert "responses.npy changed" in reason
        assert "corteval data register" in reason
        assert run("data", "register", lab).code == 0
        assert registration.find("MyLab2026").digest != first.digest
        after = corteval.score("pixels", "MyLab2026.V4-ridge").provenance.digests
        assert after["assembly"] != before["assembly"]
        assert after["stimuli"] == before["stimuli"]

    def test_a_file_that_changes_while_it_is_examined_is_not_registered(self, lab):
        description, _ = guessed(
            lab, id="MyLab2026", dims=("neuroid", "presentation", "repetition")
        )
        report = examine(description)
        np.save(lab / "responses.npy", np.load(lab / "responses.npy") + 1)
        with pytest.raises(DatasetError, match=r"responses\.npy .* changed while"):
            registration.register(description, report)
        assert "MyLab2026" not in registry.data

    def test_a_description_that_cannot_be_written_is_kept_in_the_registration(
        self, run, lab, tmp_path
    ):
        nowhere = tmp_path / "absent" / "dataset.toml"
        result = registered_by(run, lab, "--target", "V4", "--description", nowhere)
        assert "Warning" in result.err
        assert corteval.score("pixels", "MyLab2026.V4-ridge").status == "scored"

    def test_a_file_that_was_only_touched_is_the_same(self, run, lab):
        registered_by(run, lab)
        (lab / "responses.npy").touch()
        registration.check_unchanged(registration.find("MyLab2026"))

    def test_a_missing_file_is_named(self, run, lab):
        registered_by(run, lab)
        (lab / "images" / "im-00.png").unlink()
        with pytest.raises(DatasetError, match=r"images/im-00\.png: No such file"):
            registration.check_unchanged(registration.find("MyLab2026"))

    def test_two_versions_are_compared(self, run, lab, tmp_path):
        registered_by(run, lab)
        other = shutil.copytree(lab, tmp_path / "other")
        trials = np.load(other / "responses.npy")
        trials[3, 2, 1] += 2
        np.save(other / "responses.npy", trials)
        assert "No differences" in run("data", "diff", "MyLab2026", lab).out
        assert run("data", "diff", "MyLab2026", other).out != ""
        found = json.loads(run("data", "diff", lab, other, "--json").out)
        assert found["schema"] == "corteval.data-diff/1"


class TestPrivacy:
    def test_records_of_private_data_hold_no_details(self, run, lab, tmp_path):
        registered_by(run, lab, "--target", "V4")
        records = tmp_path / "records.jsonl"
        assert run("score", "pixels", "MyLab2026.V4-ridge", "--output", records).code == 0
        (line,) = records.read_text().splitlines()
        score = Score.from_json(line)
        assert score.samples is None
        assert score.raw.replicates == score.ceiling.replicates == ()
        assert score.provenance.access == {"MyLab2026": "private"}
        assert "n0" not in line
        assert "im-00" not in line

    def test_public_sets_keep_theirs(self, run, lab, tmp_path):
        registered_by(run, lab, "--target", "V4", "--visibility", "public")
        records = tmp_path / "records.jsonl"
        run("score", "pixels", "MyLab2026.V4-ridge", "--output", records, "--shareable")
        assert Score.from_json(records.read_text()).samples is not None

    def test_an_export_of_private_data_needs_consent(self, run, lab, tmp_path):
        registered_by(run, lab)
        refused = run("data", "export", "MyLab2026", tmp_path / "packed")
        assert refused.code != 0
        assert not (tmp_path / "packed").exists()
        assert run("data", "export", "MyLab2026", tmp_path / "packed", "--private").code == 0
        (dataset,) = (tmp_path / "packed").rglob("dataset")
        other = run("data", "register", dataset, "--replace")
        assert other.code == 0, other.err
        assert registry.data_card("MyLab2026").access == "private"


class TestBehaviour:
    @pytest.fixture
    def trials(self, lab):
        """Five observers, right as often as the first letter of an id says."""
        (lab / "responses.npy").unlink()
        (lab / "neuroids.csv").unlink()
        table = pd.read_csv(lab / "stimuli.csv").rename(columns={"object_name": "truth"})
        table.drop(columns="block").to_csv(lab / "stimuli.csv", index=False)
        rng = np.random.default_rng(3)
        hard = rng.random(STIMULI) < 0.4
        rows = [
            (name, subject, truth if not (difficult and rng.random() < 0.8) else "c")
            for subject in ["s1", "s2", "s3", "s4", "s5"]
            for name, truth, difficult in zip(
                table["stimulus_id"], table["truth"], hard, strict=True
            )
        ]
        frame = pd.DataFrame(rows, columns=["stimulus_id", "subject", "choice"])
        frame.to_csv(lab / "trials.csv", index=False)
        return frame

    def test_choices_give_behavioural_benchmarks(self, run, lab, trials):
        result = run("data", "register", lab, "--id", "Choices", "-y", "--visual-degrees", 8)
        assert result.code == 0, result.out + result.err
        names = {card.metric for card in registry.benchmarks.where(data=("Choices@registered",))}
        assert {"error_consistency", "accuracy", "confusion_similarity"} <= names
        assert "ridge" not in names
        card = registry.benchmarks.card("Choices.label-error_consistency")
        assert card.ceiling == "human_error_consistency"

    def test_the_majority_of_people_scores_as_the_plain_function_says(self, run, lab, trials):
        from corteval_behaviour import error_consistency
        from corteval_recorded import subject

        assert run("data", "register", lab, "--id", "Choices", "-y").code == 0
        majority = trials.groupby("stimulus_id")["choice"].agg(lambda c: c.mode()[0])
        person = subject(majority.reset_index(), identifier="majority")
        score = corteval.score(person, "Choices.label-error_consistency")
        truth = pd.read_csv(lab / "stimuli.csv").set_index("stimulus_id")["truth"]
        ids = majority.index
        kappas = [
            error_consistency(
                (majority == truth.loc[ids]).to_numpy(float),
                (one.set_index("stimulus_id").loc[ids, "choice"] == truth.loc[ids]).to_numpy(float),
            )
            for _, one in trials.groupby("subject")
        ]
        assert score.raw.value == pytest.approx(np.mean(kappas), abs=1e-12)
        assert score.ceiling is not None


class TestPrivateSets:
    """Two real sets of another lab, registered where they lie; nothing of them is written."""

    @pytest.fixture
    def private(self, request):
        folder = request.config.rootpath.parent / "shared" / "private"
        if not folder.is_dir():
            import os

            reason = f"no private data at {folder}"
            if os.environ.get("CORTEVAL_REQUIRE_DATA") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
        before = digest_of(folder)
        yield folder
        assert digest_of(folder) == before

    @pytest.mark.parametrize(
        ("folder", "table", "options", "stimuli", "group"),
        [
            (
                "pereira2018_lh_mean",
                "pereira2018_lh_language_mean.csv",
                [
                    *("--column", "text=sentence", "--column", "context_id=passage_label"),
                    *("--column", "position=position_in_passage"),
                    *("--value", "effect_size_LH_language_mean"),
                ],
                627,
                "context_id",
            ),
            (
                "tuckute2024_lh_mean",
                "tuckute2024_lh_mean_2000.csv",
                ["--column", "text=sentence", "--value", "response_LH_mean"],
                2000,
                "",
            ),
        ],
    )
    def test_registered_scored_and_absent_from_what_is_shared(
        self, run, private, tmp_path, folder, table, options, stimuli, group
    ):
        result = run(
            *("data", "register", private / folder, "--id", "TheirLab", "-y"),
            *("--description", tmp_path / "dataset.toml", "--modality", "text"),
            *("--stimuli", table, "--responses", table, "--target", "language_system"),
            *options,
        )
        assert result.code == 0, result.err
        done = registration.find("TheirLab")
        assert done.facts.group == group
        data = registry.data.create("TheirLab")
        assert len(data.stimuli()) == stimuli
        assert data.assembly().sizes == {"presentation": stimuli, "neuroid": 1}
        assert "sentence-length" in registry.models
        records = tmp_path / "records.jsonl"
        result = run(
            *("score", "sentence-length", "TheirLab.language_system-ridge", "--json"),
            *("--output", records),
        )
        score = json.loads(result.out)
        assert score["status"] == "scored"
        scope = score["interval"]["scope"]  # one neuroid is not resampled, and passages are whole
        assert re.fullmatch(r"\d+ groups of stimuli" if group else "stimuli", scope), scope
        assert score["provenance"]["access"] == {"TheirLab": "private"}
        assert Score.from_json(records.read_text()).samples is None
        shared = tmp_path / "shared.jsonl"
        result = run(
            *("score", "sentence-length", "TheirLab.language_system-ridge", "--json"),
            *("--output", shared, "--shareable"),
        )
        assert shared.read_text() == ""
        assert "TheirLab" not in result.out
        assert "left out" in result.err


def digest_of(folder):
    sums = [
        (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return sums


def test_a_description_survives_its_registration(lab):
    description, _ = guessed(
        lab,
        id="MyLab2026",
        dims=("neuroid", "presentation", "repetition"),
        target="V4",
        time_bin_ms=((70.0, 170.0),),
        columns={"text": "sentence"},
    )
    content = json.loads(json.dumps(registration.described(description)))
    assert registration.description_of(content, lab) == description


def test_what_is_registered_twice_must_be_the_same_folder(lab, tmp_path):
    description, _ = guessed(lab, id="MyLab2026", dims=("neuroid", "presentation", "repetition"))
    registration.register(description, examine(description))
    other = shutil.copytree(lab, tmp_path / "other")
    again, _ = guessed(other, id="mylab2026", dims=("neuroid", "presentation", "repetition"))
    with pytest.raises(DuplicateIdentifier, match="--replace"):
        registration.register(again, examine(again))
