"""What `corteval data register` advises: the flag that is wrong, and folds that cannot be made."""

import csv
import json

import pytest

from corteval import settings
from corteval.cli import main


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "_flags", {})
    folder = tmp_path / "lab"
    folder.mkdir()
    stimuli = [(f"s{n}", f"text number {n}", "abc"[n % 3], "xy"[n % 2]) for n in range(12)]
    _write(folder / "stimuli.csv", ("stimulus_id", "text", "story", "experiment"), stimuli)
    values = [(f"s{n}", unit, (n + 1) * (2 + k)) for n in range(12) for k, unit in enumerate("pq")]
    _write(folder / "responses.csv", ("stimulus_id", "neuroid_id", "bold"), values)
    return folder


def _write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def errors(lab, capfd):
    def errors(*arguments):
        asked = ("data", "register", str(lab), "--id", "Lab", "--target", "V4", "--dry-run")
        code = main([*asked, *arguments, "--json"])
        problems = json.loads(capfd.readouterr().out)["problems"]
        found = [p for p in problems if p["severity"] == "error"]
        assert code == bool(found)
        return found

    return errors


@pytest.mark.parametrize("asked", ["BOLD", "blod"])
def test_a_flag_that_is_misspelt_is_put_right_and_not_the_table(errors, asked):
    (found,) = errors("--value", asked)
    assert "Did you mean --value bold?" in found["next_step"]
    assert "Rename" not in found["next_step"]
    assert not errors("--value", "bold")


@pytest.mark.parametrize(("folds", "fits"), [("3", True), ("4", False), ("12", False)])
def test_there_must_be_a_group_for_each_fold(errors, folds, fits):
    found = errors("--value", "bold", "--group-by", "story", "--folds", folds)
    if fits:
        assert not found
        return
    (found,) = found
    assert found["what"] == f"{folds} folds need as many groups of stimuli (story); there are 3."
    assert "--folds 3" in found["next_step"]


def test_a_usual_grouping_counts_without_being_named(errors):
    (found,) = errors("--value", "bold", "--folds", "5")
    assert "groups of stimuli (story)" in found["what"]


def test_each_part_needs_its_groups(errors, lab):
    text = (lab / "stimuli.csv").read_text().replace("story", "colour")
    (lab / "stimuli.csv").write_text(text)
    assert not errors("--value", "bold", "--parts", "experiment", "--folds", "6")
    first, second = errors("--value", "bold", "--parts", "experiment", "--folds", "7")
    assert "there are 6 where experiment is 'x'" in first["what"]
    assert "there are 6 where experiment is 'y'" in second["what"]
