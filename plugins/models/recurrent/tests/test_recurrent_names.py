"""Names of cells: one that is misspelt is told as a name, not as a text that cannot be read."""

import pytest
from click.testing import CliRunner

from corteval.errors import OptionError
from corteval_recurrent.command import command
from corteval_recurrent.folder import load
from corteval_recurrent.known_cells import CELLS
from corteval_recurrent.network import Architecture


@pytest.mark.parametrize(
    ("asked", "meant"), [("lsmt", "lstm"), ("GRU", "gru"), ("elmann", "elman")]
)
def test_a_misspelt_cell_is_told_with_what_may_be_meant(asked, meant):
    with pytest.raises(OptionError, match=f"No cell is called '{asked}'; did you mean {meant}"):
        Architecture(cell=asked, vocabulary=2)


def test_a_name_like_no_other_is_told_with_all_there_are():
    with pytest.raises(OptionError) as told:
        Architecture(cell="transformer", vocabulary=2)
    assert all(name in str(told.value) for name in CELLS)


def test_sources_and_texts_are_cells_all_the_same():
    assert Architecture(cell="x", vocabulary=2).cell == "x"
    with pytest.raises(OptionError, match="Line 1, column 6"):
        Architecture(cell="Tanh(y)", vocabulary=2)


def test_training_says_so_before_it_reads_a_text(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("a b c")
    where = ["--file", str(text), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command, ["train", *where, "--cell", "lsmt"])
    assert "did you mean lstm?" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_folder_or_file_that_is_not_there_is_told_in_words(tmp_path):
    with pytest.raises(OptionError, match=r"no such folder: .*nowhere") as told:
        load(tmp_path / "nowhere")
    assert "Errno" not in str(told.value)
    with pytest.raises(OptionError, match=r"no such file: .*model\.json") as told:
        load(tmp_path)
    assert "Errno" not in str(told.value)
