"""Long tables as assemblies: every response in its place, whatever the order of rows."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from corteval.assembly import check_behavioural, check_neural
from corteval.errors import DatasetError
from corteval.local.description import Description, Responses
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.report import examine

IDS = [f"s{n}" for n in range(5)]


def described(folder, rows, suffix="csv", **responses):
    pd.DataFrame({"stimulus_id": IDS, "text": [f"text {n}" for n in range(5)]}).to_csv(
        folder / "stimuli.csv", index=False
    )
    table, file = pd.DataFrame(rows), f"responses.{suffix}"
    if suffix == "parquet":
        table.to_parquet(folder / file)
    else:
        table.to_csv(folder / file, index=False, sep="\t" if suffix == "tsv" else ",")
    return Description(
        folder=folder,
        id="Toy",
        modality="text",
        stimuli="stimuli.csv",
        responses=Responses(file=file, **responses),
    )


def assembly_of(description):
    return load_assembly(description, load_stimuli(description))


def rows_of(values, **names):
    """A row for each number of an array, in random order."""
    rows = [
        {name: labels[i] for (name, labels), i in zip(names.items(), place, strict=True)}
        | {"value": values[place]}
        for place in itertools.product(*map(range, values.shape))
    ]
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_a_long_table_has_every_response_in_its_place(tmp_path, suffix):
    values = np.random.default_rng(1).normal(size=(5, 3, 2))
    rows = rows_of(values, stimulus_id=IDS, neuroid_id=["007", "a", "NA"], repetition=[1, 2])
    found = assembly_of(described(tmp_path, rows, suffix, target="V4"))
    check_neural(found)
    found = found.isel(
        neuroid=[list(found["neuroid_id"].values).index(n) for n in ("007", "a", "NA")]
    )
    assert found.dims == ("presentation", "neuroid", "trial")
    np.testing.assert_allclose(found.values, values, rtol=1e-15)


def test_time_bins_of_a_long_table_are_sorted(tmp_path):
    values = np.random.default_rng(1).normal(size=(5, 2, 3))
    rows = rows_of(values, stimulus_id=IDS, neuroid_id=["a", "b"], time_bin_start_ms=[100, 0, 50])
    rows = [row | {"time_bin_end_ms": row["time_bin_start_ms"] + 50} for row in rows]
    found = assembly_of(described(tmp_path, rows, target="V4"))
    assert list(found["time_bin_start_ms"].values) == [0, 50, 100]
    order = [0 if n == "a" else 1 for n in found["neuroid_id"].values]
    np.testing.assert_allclose(found.values, values[:, order][:, :, [1, 2, 0]])


def test_columns_of_neuroids_and_of_stimuli_become_their_coordinates(tmp_path):
    values = np.random.default_rng(1).normal(size=(5, 3))
    rows = [
        row
        | {
            "region": {"a": "V4", "b": "IT", "c": "IT"}[row["neuroid_id"]],
            "luminance": int(row["stimulus_id"][1]) / 2,
            "noise": number,
        }
        for number, row in enumerate(rows_of(values, stimulus_id=IDS, neuroid_id=list("abc")))
    ]
    description = described(tmp_path, rows, target="V4")
    found = assembly_of(description)
    assert dict(zip(found["neuroid_id"].values, found["region"].values, strict=True)) == {
        "a": "V4",
        "b": "IT",
        "c": "IT",
    }
    np.testing.assert_array_equal(found["luminance"].values, np.arange(5) / 2)
    assert any("noise differ" in p.what for p in examine(description).problems)


def test_repetitions_are_ranked_within_a_stimulus(tmp_path):
    """Labels are counted through a session, as some labs do."""
    rows = [
        {"stimulus_id": name, "neuroid_id": "a", "trial": 10 * k + n, "value": 10 * k + n}
        for n, name in enumerate(IDS)
        for k in range(3)
        if (n, k) != (2, 1)
    ]
    found = assembly_of(described(tmp_path, rows, target="V4"))
    assert found.sizes["trial"] == 3
    np.testing.assert_array_equal(found.values[0, 0], [0, 10, 20])
    np.testing.assert_array_equal(found.values[2, 0], [2, 22, np.nan])


def test_a_column_of_the_stimulus_table_can_be_the_responses(tmp_path):
    description = described(tmp_path, [{"unused": 1}], target="language_system")
    table = pd.read_csv(tmp_path / "stimuli.csv").assign(topic="x", response_lh=np.arange(5) / 4)
    table.to_csv(tmp_path / "stimuli.csv", index=False)
    described_alone = Description(
        folder=tmp_path,
        id="Toy",
        modality="text",
        stimuli="stimuli.csv",
        responses=Responses(file="stimuli.csv", value="response_lh", target="language_system"),
    )
    found = assembly_of(described_alone)
    assert list(found["neuroid_id"].values) == ["response_lh"]
    np.testing.assert_array_equal(found.values[:, 0], np.arange(5) / 4)
    assert description.id == described_alone.id


def test_a_wide_table_is_read_by_its_table_of_neuroids(tmp_path):
    values = np.random.default_rng(1).normal(size=(5, 3))
    rows = [
        {"stimulus_id": IDS[i]} | dict(zip("xyz", values[i], strict=True)) for i in (3, 1, 0, 2, 4)
    ]
    pd.DataFrame({"neuroid_id": list("zxy"), "region": "V4"}).to_csv(
        tmp_path / "n.csv", index=False
    )
    found = assembly_of(described(tmp_path, rows, neuroids="n.csv", target="V4"))
    assert list(found["neuroid_id"].values) == list("zxy")
    np.testing.assert_array_equal(found.values, values[:, [2, 0, 1]])
    assert list(found["region"].values) == ["V4"] * 3


def test_repetition_unique_to_each_row_is_refused_before_it_fills_the_memory(tmp_path):
    count = 100_000
    rows = {
        "stimulus_id": np.resize(IDS, count),
        "neuroid_id": [f"n{n}" for n in range(count)],
        "repetition": np.arange(count),
        "value": 1.0,
    }
    with pytest.raises(DatasetError, match="nearly all of it empty"):
        assembly_of(described(tmp_path, rows, target="V4"))


def test_a_million_rows_are_read_in_seconds(tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 200, 200))
    names = np.meshgrid(range(5), range(200), range(200), indexing="ij")
    rows = {
        "stimulus_id": np.array(IDS)[names[0].ravel()],
        "neuroid_id": np.array([f"n{n:03d}" for n in range(200)])[names[1].ravel()],
        "repetition": names[2].ravel(),
        "value": values.ravel(),
    }
    description = described(tmp_path, rows, target="V4")
    started = time.perf_counter()
    found = assembly_of(description)
    assert time.perf_counter() - started < 20
    np.testing.assert_allclose(found.values, values)


# Behaviour


def choices(**columns):
    return {
        "stimulus_id": [*IDS, *IDS],
        "subject": ["01"] * 5 + ["02"] * 5,
        "choice": ["dog", "cat", "dog", "bird", "cat"] * 2,
        "rt": np.linspace(300, 800, 10),
    } | columns


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_of_choices_is_a_row_a_trial(tmp_path, suffix):
    found = assembly_of(described(tmp_path, choices(truth=["dog"] * 10), suffix, task="label"))
    check_behavioural(found)
    assert list(found.values) == choices()["choice"]
    assert list(found["stimulus_id"].values) == [*IDS, *IDS]
    assert list(found["subject"].values) == ["01"] * 5 + ["02"] * 5
    np.testing.assert_allclose(found["rt"].values, choices()["rt"])


def test_reading_times_are_numbers(tmp_path):
    rows = choices()
    rows["reading_time"] = [210, 250, 300, "", 280, 260, 240, 230, 220, 205]
    del rows["choice"]
    found = assembly_of(described(tmp_path, rows))
    assert found.dtype == np.float64
    assert np.isnan(found.values).tolist() == [n == 3 for n in range(10)]


def test_columns_of_behaviour_are_listed_if_none_is_there(tmp_path):
    rows = choices()
    rows["answer"] = rows.pop("choice")
    with pytest.raises(DatasetError, match="Name one of choice, correct"):
        assembly_of(described(tmp_path, rows, task="label"))
    found = assembly_of(described(tmp_path, rows, task="label", value="answer"))
    assert list(found.values) == choices()["choice"]


@pytest.mark.parametrize("value", [None, "answer", "choice"])
def test_columns_of_behaviour_may_have_other_names(tmp_path, value):
    rows = choices()
    rows["answer"], rows["observer"] = rows.pop("choice"), rows.pop("subject")
    description = described(tmp_path, rows, value=value)
    description = replace(description, columns={"choice": "answer", "subject": "observer"})
    found = assembly_of(description)
    assert list(found.values) == choices()["choice"]
    assert list(found["subject"].values) == choices()["subject"]


def test_stimuli_without_trials_are_told(tmp_path):
    rows = {name: list(cells)[:4] for name, cells in choices().items()}
    problems = examine(described(tmp_path, rows)).problems
    assert [p.what for p in problems] == ["Stimuli without a trial, 1 in all: 's4'."]


def test_facts_of_behaviour_count_trials_subjects_and_choices(tmp_path):
    facts = examine(described(tmp_path, choices())).facts
    assert facts["responses"].startswith("10 trials")
    assert (facts["subjects"], facts["choices"]) == ("2", "3")


# Parquet


def test_parquet_with_lists_is_refused(tmp_path):
    rows = choices()
    rows["choice"] = [["dog"]] * 10
    with pytest.raises(DatasetError, match="Column 'choice' holds lists"):
        assembly_of(described(tmp_path, rows, "parquet"))


def test_parquet_that_is_none_is_refused(tmp_path):
    description = described(tmp_path, choices(), "parquet")
    (tmp_path / "responses.parquet").write_bytes(b"PAR1" + bytes(50))
    with pytest.raises(DatasetError, match="no readable Parquet"):
        assembly_of(description)


def test_whole_numbers_are_ids_without_a_decimal_point(tmp_path):
    description = described(tmp_path, choices(), "parquet")
    pd.DataFrame({"stimulus_id": ["1", "2", "3", "4", "5"], "text": list("abcde")}).to_csv(
        tmp_path / "stimuli.csv", index=False
    )
    rows = choices(stimulus_id=[1.0, 2.0, 3.0, 4.0, 5.0] * 2)
    pd.DataFrame(rows).to_parquet(tmp_path / "responses.parquet")
    found = assembly_of(description)
    assert list(found["stimulus_id"].values[:5]) == ["1", "2", "3", "4", "5"]
