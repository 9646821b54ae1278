"""What `corteval data register` asks: every open question, in one voice, with what may be said."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from corteval.cli import local_data
from corteval.errors import OptionError
from corteval.local.description import guessed, read_description
from corteval.local.report import examine

COUNT = 6
IDS = [f"s{n}" for n in range(COUNT)]


@pytest.fixture
def folder(tmp_path):
    lab = tmp_path / "lab"
    lab.mkdir()
    rng = np.random.default_rng(0)
    for name in IDS:
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(lab / f"{name}.png")
    return lab


def table(folder, name, **columns):
    pd.DataFrame(columns).to_csv(folder / name, index=False)


def images(folder):
    table(folder, "stimuli.csv", stimulus_id=IDS, path=[f"{name}.png" for name in IDS])


@pytest.fixture
def ask(folder, monkeypatch):
    """Ask about the folder with these answers; the description, and all that was said."""

    def ask(*answers, **given):
        found = {}

        def run(folder, given):
            description, questions = guessed(folder, id="Toy", **given)
            found["description"] = local_data._confirmed(folder, description, given, questions)

        command = local_data.click.Command("ask", callback=lambda: run(folder, given))
        result = CliRunner().invoke(command, input="".join(f"{answer}\n" for answer in answers))
        assert result.exception is None, (result.output, result.exception)
        return found["description"], result.output

    return ask


LAST = ("", "", "")  # licence, citation, visibility


def test_the_axes_are_chosen_among_those_that_fit(folder, ask):
    images(folder)
    np.save(folder / "r.npy", np.zeros((COUNT, COUNT)))
    found, said = ask("neuroid,neuroid", "2", "", "V4", *LAST)
    assert found.responses.dims == ("neuroid", "presentation")
    assert "1  presentation,neuroid" in said
    assert "'neuroid,neuroid' is none of presentation,neuroid, neuroid,presentation" in said
    assert said.count("What are the axes of r.npy") == 2
    assert "Open:" not in said


def test_a_file_is_chosen_by_name_or_number_and_the_next_question_is_about_it(folder, ask):
    images(folder)
    np.save(folder / "a.npy", np.zeros((COUNT, 3)))
    np.save(folder / "b.npy", np.zeros((COUNT, COUNT)))
    found, said = ask("b.npy", "1", "", "", *LAST)
    assert (found.responses.file, found.responses.dims) == ("b.npy", ("presentation", "neuroid"))
    assert "axes of b.npy" in said
    assert "axes of a.npy" not in said


def test_tables_and_columns_without_a_known_name_are_asked_for(folder, ask):
    table(folder, "one.csv", picture=[f"{name}.png" for name in IDS])
    table(folder, "two.csv", shown=range(1, COUNT + 1), score=range(COUNT))
    found, said = ask("nine.csv", "one.csv", "", "shown", "", "V4", *LAST)
    assert "'nine.csv' is none of one.csv, two.csv" in said
    assert (found.stimuli, found.responses.file) == ("one.csv", "two.csv")
    assert found.columns == {"path": "picture", "stimulus_id": "shown"}
    assert examine(found).usable, [str(p) for p in examine(found).problems]


def test_degrees_are_validated_at_once_and_may_be_unknown(folder, ask):
    images(folder)
    np.save(folder / "r.npy", np.zeros((COUNT, 3)))
    found, said = ask("eight", "-1", "8", "V4", *LAST)
    assert found.visual_degrees == 8
    assert "'eight' is not a number of degrees" in said
    assert "'-1' is not a number of degrees" in said
    assert ask("", "V4", *LAST)[0].visual_degrees is None


def test_texts_are_not_asked_for_degrees(folder, ask):
    table(folder, "stimuli.csv", stimulus_id=IDS, text=[f"text {n}" for n in IDS])
    np.save(folder / "r.npy", np.zeros((COUNT, 3)))
    found, said = ask("LH", *LAST)
    assert found.responses.target == "LH"
    assert "degrees" not in said


def test_an_empty_target_is_one_for_each_region_where_there_are_several(folder, ask):
    images(folder)
    np.save(folder / "r.npy", np.zeros((COUNT, 3)))
    table(folder, "neuroids.csv", neuroid_id=list("abc"), region=["V4", "IT", "IT"])
    found, said = ask("", "", *LAST)
    assert "(empty: one target for each region (V4, IT))" in said
    assert found.responses.target == ""


def test_visibility_is_private_unless_public_is_said(folder, ask):
    images(folder)
    np.save(folder / "r.npy", np.zeros((COUNT, 3)))
    found, said = ask("", "V4", "CC0-1.0", "", "secret", "public")
    assert (found.visibility, found.licence) == ("public", "CC0-1.0")
    assert "'secret' is none of private, public" in said
    assert ask("", "V4", *LAST)[0].visibility == "private"


def test_the_modality_is_asked_for_where_nothing_tells_it(folder, ask):
    table(folder, "stimuli.csv", stimulus_id=IDS, clip=list("abcdef"))
    np.save(folder / "r.npy", np.zeros((COUNT, 3)))
    found, said = ask("painting", "text", "clip", "LH", *LAST)
    assert (found.modality, found.columns) == ("text", {"text": "clip"})
    assert "'painting' is none of image, text, video" in said
    assert "degrees" not in said


def test_the_truth_of_choices_is_asked_for(folder, ask):
    table(
        folder,
        "stimuli.csv",
        stimulus_id=IDS,
        path=[f"{name}.png" for name in IDS],
        category=["cat", "dog"] * 3,
    )
    table(folder, "t.csv", stimulus_id=IDS, subject=list("aabbcc"), response=["cat"] * COUNT)
    assert ask("category", "", *LAST)[0].columns == {"choice": "response", "truth": "category"}
    assert ask("", "", *LAST)[0].columns == {"choice": "response"}


def test_axes_may_have_the_names_that_netcdf_files_give_them(folder):
    images(folder)
    np.save(folder / "r.npy", np.zeros((3, COUNT, 2, 4)))
    found, _ = guessed(folder, id="Toy", dims=("Neuron", "image", "repeat", "time"))
    assert found.responses.dims == ("neuroid", "presentation", "repetition", "time_bin")
    with pytest.raises(OptionError, match=r"'neuroidd' is no axis \(did you mean 'neuroid'\?\)"):
        guessed(folder, id="Toy", dims=("neuroidd", "image"))


def test_with_a_terminal_the_command_asks_and_writes_what_it_was_told(
    folder, monkeypatch, tmp_path
):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(local_data, "_asked", lambda: True)
    images(folder)
    values = np.random.default_rng(0).normal(size=(COUNT, COUNT))
    np.save(folder / "r.npy", values)
    result = CliRunner().invoke(
        local_data.register, [str(folder), "--id", "Toy"], input="2\n8\nV4\n\n\n\n"
    )
    assert result.exit_code == 0, result.output
    written = read_description(folder)
    assert (written.visual_degrees, written.responses.target) == (8, "V4")
    assert written.responses.dims == ("neuroid", "presentation")


def test_without_a_terminal_the_flags_are_named(folder):
    table(folder, "all.csv", picture=[f"{name}.png" for name in IDS], score=range(COUNT))
    result = CliRunner().invoke(
        local_data.register, [str(folder), "--id", "Toy", "--dry-run", "--yes"]
    )
    assert result.exit_code == 1
    for words in ("--column path=picture", "--stimuli", "--value", "--target", "--visual-degrees"):
        assert words in result.output, result.output
    assert "'stimulus_id'" not in result.output.split("There is no column 'path'")[1].split(".")[0]
