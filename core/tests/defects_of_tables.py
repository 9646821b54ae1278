"""Defects of responses and behaviour in tables."""

import numpy as np
import pandas as pd
from core.tests.defects_of_arrays import repeated_neuroid_id
from core.tests.lab_folder import (
    NEUROIDS,
    STIMULI,
    behaviour,
    behavioural,
    defects,
    edit,
    long_table,
    responding,
    trials,
)

DEFECTS, defect = defects()


@defect("error", "responses.csv, row 41, column value", "'4.2*' is not a number")
def cell_not_a_number(d):
    long_table(d.folder)
    lines = (d.folder / "responses.csv").read_text().splitlines()
    lines[40] = lines[40].rpartition(",")[0] + ",4.2*"
    (d.folder / "responses.csv").write_text("\n".join(lines))
    return responding(d, file="responses.csv", dims=())


@defect("error", "neuroids.csv, row 5, column neuroid_id", "'n1' stands in row 3")
def repeated_neuroid_id_of_a_long_table(d):
    long_table(d.folder)
    repeated_neuroid_id(d)
    return responding(d, file="responses.csv", dims=())


@defect("warning", "responses.csv, presentation 3 (img02), neuroid 4 (n3)", "no value in any trial")
def missing_combination(d):
    table = long_table(d.folder)
    gone = (table["stimulus_id"] == "img02") & (table["neuroid_id"] == "n3")
    table[~gone].to_csv(d.folder / "responses.csv", index=False)
    return responding(d, file="responses.csv", dims=())


@defect("error", "responses.csv, row 482", "are those of row 12")
def doubled_combination(d):
    table = long_table(d.folder)
    pd.concat([table, table.iloc[[10]]]).to_csv(d.folder / "responses.csv", index=False)
    return responding(d, file="responses.csv", dims=())


@defect("error", "responses.csv, row 22, column stimulus_id", "has no 'img1' (it has 'img")
def unknown_stimulus(d):
    long_table(d.folder)
    edit(d.folder / "responses.csv", "img01,", "img1,")
    return responding(d, file="responses.csv", dims=())


@defect("error", "responses.csv, row 2, column value", "'1,234' may be a decimal number")
def thousands(d):
    long_table(d.folder, value="1,234")
    return responding(d, file="responses.csv", dims=())


@defect("warning", "behaviour.csv", "No choice is ever right")
def wrong_words(d):
    behaviour(d.folder, truth="Dog")
    return behavioural(d)


@defect("error", "behaviour.csv, row 5, column correct", "'dog' is neither right")
def neither_right_nor_wrong(d):
    behaviour(d.folder)
    edit(d.folder / "behaviour.csv", "choice", "correct")
    edit(d.folder / "behaviour.csv", ",cat", ",1", -1)
    edit(d.folder / "behaviour.csv", ",dog", ",0", -1)
    edit(d.folder / "behaviour.csv", "img03,s1,0", "img03,s1,dog")
    return behavioural(d)


@defect("warning", "behaviour.csv, column reading_time", "would be 400 ms")
def seconds_of_reading(d):
    behaviour(d.folder, reading_time=np.linspace(0.2, 0.6, 2 * STIMULI)).drop(
        columns="choice"
    ).to_csv(d.folder / "behaviour.csv", index=False)
    return behavioural(d)


@defect("error", "behaviour.csv, row 6, column choice", "The cell is empty")
def no_choice(d):
    behaviour(d.folder)
    edit(d.folder / "behaviour.csv", "img04,s1,cat", "img04,s1,")
    return behavioural(d)


@defect("error", "responses.csv, row 1", "Its columns are not those of the table of neuroids")
def wide_table(d):
    pd.DataFrame(trials().mean(2).T, columns=[f"cell {n}" for n in range(NEUROIDS)]).assign(
        stimulus_id=[f"img{n:02d}" for n in range(STIMULI)]
    ).to_csv(d.folder / "responses.csv", index=False)
    return responding(d, file="responses.csv", dims=())
