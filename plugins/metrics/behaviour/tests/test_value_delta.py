import numpy as np
import pytest
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_behaviour import HumanValueDelta, ValueDelta, value_delta

MEASURED = np.random.default_rng(0).normal([1.0, 2.0, 5.0], 0.8, size=(7, 3))


def values(table):
    table = np.atleast_2d(table)
    coords = {
        "stimulus_id": np.tile([f"effect-{n}" for n in range(3)], len(table)),
        "subject": np.repeat([f"h{n}" for n in range(len(table))], 3),
    }
    return xr.DataArray(
        table.ravel(),
        dims=["presentation"],
        coords={name: ("presentation", column) for name, column in coords.items()},
    )


def test_similarity_falls_exponentially():
    np.testing.assert_allclose(value_delta(np.array([1.0, 3.0]), 1.0), [1, np.exp(-1.5)])
    np.testing.assert_allclose(value_delta(2.0, 5.0, scale=2), np.exp(-6))


def test_the_source_is_compared_with_the_mean_of_subjects():
    source = np.array([1.5, 2.0, 4.0])
    expected = np.exp(-0.75 * np.abs(source - MEASURED.mean(axis=0))).mean()
    score = ValueDelta(resamples=10)(values(source)[::-1], values(MEASURED))
    assert score.value == pytest.approx(expected)
    assert [r.scope for r in score.raw.replicates] == ["stimuli", "subjects", "stimuli×subjects"]


def test_the_ceiling_compares_means_of_halves():
    state, found = np.random.RandomState(0), []
    for _ in range(100):
        half = state.choice(7, 3, replace=False)
        rest = np.setdiff1d(np.arange(7), half)
        a, b = MEASURED[half].mean(axis=0), MEASURED[rest].mean(axis=0)
        found.append(np.exp(-0.75 * np.abs(a - b)).mean())
    assert HumanValueDelta(resamples=0)(values(MEASURED)).value == pytest.approx(np.mean(found))


def test_one_subject_has_no_ceiling():
    with pytest.raises(UndefinedScore, match="Halves of 1"):
        HumanValueDelta()(values(MEASURED[0]))


def test_wrong_inputs_are_refused():
    with pytest.raises(OptionError, match="positive"):
        ValueDelta(scale=0)
    with pytest.raises(AssemblyError, match="1 source values are not finite"):
        ValueDelta()(values([1.0, np.nan, 2.0]), values(MEASURED))
