import numpy as np
import pytest
import xarray as xr

from corteval.errors import AssemblyError, UndefinedScore
from corteval_behaviour.tables import mean_over_subjects, table
from corteval_behaviour.trials import aligned, chosen, column, correct, groups, trials

CHOICES = ["dog", "cat"]


def words(*answers, **columns):
    coords = {"stimulus_id": [f"s{n}" for n in range(len(answers))], **columns}
    return xr.DataArray(
        np.array(answers),
        dims=["presentation"],
        coords={name: ("presentation", list(column)) for name, column in coords.items()},
    )


def probabilities(*rows, choices=CHOICES):
    return xr.DataArray(
        np.array(rows, float),
        dims=["presentation", "choice"],
        coords={
            "stimulus_id": ("presentation", [f"s{n}" for n in range(len(rows))]),
            "choice": choices,
        },
    )


def test_the_most_probable_choice_is_the_choice():
    assert list(chosen(probabilities([0.2, 0.8], [3, 1]))) == ["cat", "dog"]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_among_equals_the_first_in_alphabetical_order_is_the_choice(order):
    rows = probabilities([0.5, 0.5]).isel(choice=order)
    assert list(chosen(rows)) == ["cat"]


def test_rows_without_any_probability_are_undefined():
    with pytest.raises(UndefinedScore, match="1 of 2 rows give every choice probability 0"):
        chosen(probabilities([0, 0], [0, 1]))


@pytest.mark.parametrize("bad", [np.nan, -0.1, np.inf])
def test_probabilities_that_are_none_are_refused(bad):
    with pytest.raises(AssemblyError, match="finite and not negative; 1 of 1"):
        chosen(probabilities([bad, 1]))


@pytest.mark.parametrize("missing", ["", None, np.nan])
def test_trials_without_answer_are_refused(missing):
    assembly = words("cat", "dog").astype(object)
    assembly.values[1] = missing
    with pytest.raises(AssemblyError, match="have no answer"):
        chosen(assembly)


def test_numbers_tell_no_choice():
    with pytest.raises(AssemblyError, match="which choice was made"):
        chosen(words(1.0, 0.0))


@pytest.mark.parametrize("bad", [np.nan, 0.5, -1])
def test_right_and_wrong_are_one_and_zero(bad):
    with pytest.raises(AssemblyError, match=r"1 \(right\), 0 \(wrong\)"):
        correct(words(1.0, bad))


def test_words_need_a_truth():
    with pytest.raises(AssemblyError, match="Trials need a coordinate 'truth'"):
        correct(words("cat"))


def test_a_source_that_answers_twice_is_refused():
    source = words("cat", "dog").assign_coords(stimulus_id=("presentation", ["s0", "s0"]))
    with pytest.raises(AssemblyError, match="1 stimuli more than once, such as s0"):
        aligned(source, words("cat"))


def test_stimuli_that_one_side_lacks_are_refused():
    with pytest.raises(AssemblyError, match="No response to 1 stimuli: s1"):
        aligned(words("cat"), words("cat", "dog"))


def test_answers_are_repeated_for_each_subject():
    target = words("cat", "dog").isel(presentation=[1, 0, 1])
    assert list(aligned(words("a", "b"), target).values) == ["b", "a", "b"]


def test_groups_are_the_pairs_of_subject_and_condition_that_occur():
    assembly = words(*"wxyz", subject="aabb", condition="ijii")
    rows = trials(assembly)
    cells = groups(assembly, rows)
    pairs = zip(rows.subjects[cells.subject], cells.conditions[cells.condition], strict=True)
    assert [(str(s), str(c)) for s, c in pairs] == [("a", "i"), ("a", "j"), ("b", "i")]
    assert list(cells.of_trial) == [0, 1, 2, 2]


def test_without_subject_all_trials_are_of_one():
    assert list(column(words("cat"), "subject", "all")) == ["all"]


def test_both_forms_of_a_table_are_the_same():
    values = np.array([[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]])
    wide = xr.DataArray(
        values.T,
        dims=["presentation", "subject"],
        coords={"stimulus_id": ("presentation", ["c", "a", "b"]), "subject": ["y", "x"]},
    )
    long = xr.DataArray(
        [1.0, 2.0, 4.0, 5.0, 6.0],
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", ["c", "a", "c", "a", "b"]),
            "subject": ("presentation", ["y", "y", "x", "x", "x"]),
        },
    )
    a, b = table(wide), table(long)
    np.testing.assert_array_equal(a.values, [[5, 6, 4], [2, np.nan, 1]])
    np.testing.assert_array_equal(a.values, b.values)
    assert list(a.stimulus_ids) == list(b.stimulus_ids) == ["a", "b", "c"]


def test_means_leave_out_what_was_not_measured():
    values = np.array([[1.0, np.nan], [3.0, 4.0]])
    means = mean_over_subjects(values, np.array([[1.0, 1.0], [3.0, 1.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(means, [[2, 4], [1.5, 4], [1, np.nan]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.where(a["stimulus_id"] != "s1"), "1 of 2 measurements are not finite"),
        (lambda a: a.isel(presentation=[0, 0]), "more than one measurement"),
        (lambda a: a.expand_dims("time"), "dim presentation"),
        (lambda a: a.astype(str), "numbers"),
    ],
)
def test_tables_of_another_form_are_refused(change, message):
    with pytest.raises(AssemblyError, match=message):
        table(change(words(1.0, 2.0)))


def test_a_stimulus_that_nobody_measured_is_refused():
    wide = xr.DataArray(
        [[1.0, 2.0], [np.nan, np.nan]],
        dims=["presentation", "subject"],
        coords={"stimulus_id": ("presentation", ["a", "b"])},
    )
    with pytest.raises(AssemblyError, match="1 of 2 stimuli have no measurement, such as b"):
        table(wide)
