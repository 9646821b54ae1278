import pytest

from corteval import registry
from corteval.errors import NotInData, OptionError


@pytest.fixture(scope="module")
def stimuli(mirror):
    return registry.data.create("Fedorenko2010.localization").stimuli()


def test_there_are_240_sentences_and_240_strings_of_twelve(stimuli):
    table = stimuli.table
    assert table["condition"].value_counts().to_dict() == {"sentence": 240, "nonword": 240}
    assert table.groupby(["set", "run", "condition"]).size().unique().tolist() == [24]
    assert table["text"].str.split(" ").str.len().unique().tolist() == [12]
    assert table["text"].is_unique


def test_texts_are_the_lines_of_the_files(stimuli, mirror):
    """In order of set, run and line, cut by hand."""
    lines = []
    for part in range(1, 6):
        for run in (1, 2):
            (path,) = mirror.rglob(f"langloc_fmri_run{run}_stim_set{part}.csv")
            lines += path.read_text().splitlines()[1:]
    texts = list(stimuli.table["text"])
    assert texts == [" ".join(line.split(",")[1:13]) for line in lines]
    kinds = {"S": "sentence", "N": "nonword"}
    assert list(stimuli.table["condition"]) == [kinds[line[-1]] for line in lines]


def test_a_text_is_found_by_set_run_and_trial(stimuli):
    row = stimuli.table.loc["set1-run1-01"]
    assert row["text"] == "JUST THE BAREST SUGGESTION OF A HEEL IS FOUND ON TEENAGE PUMPS"
    assert (row["condition"], row["set"], row["run"], row["trial"]) == ("sentence", 1, 1, 1)


def test_conditions_come_in_blocks_of_three(stimuli):
    conditions = stimuli.table["condition"].to_numpy().reshape(-1, 3)
    assert (conditions == conditions[:, :1]).all()


def test_lower_case_changes_nothing_else(stimuli, mirror):
    lower = registry.data.create("Fedorenko2010.localization", case="lower").stimuli()
    assert list(lower.table["text"]) == [text.lower() for text in stimuli.table["text"]]
    assert lower.table.drop(columns="text").equals(stimuli.table.drop(columns="text"))
    assert lower.digest() != stimuli.digest()
    with pytest.raises(OptionError, match="upper or lower"):
        registry.data.create("Fedorenko2010.localization", case="title")


def test_there_are_no_responses():
    with pytest.raises(NotInData, match="stimuli and no responses"):
        registry.data.create("Fedorenko2010.localization").assembly()
